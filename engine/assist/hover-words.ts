/** Words of the language under the pointer, from the tables that define them: operations, operands, queries, outcomes, settings, options. */
import { errnoNumbers } from '../base/errno.ts';
import { hex } from '../base/text.ts';
import { hardwareOption } from '../hardware/options.ts';
import { kernelOption } from '../kernel/kernel-options.ts';
import { functionNamed } from '../scenario/functions.ts';
import type { Operand, OperationSpec, QueryField, QuerySpec } from '../scenario/operation-table.ts';
import { operation, signature } from '../scenario/operations.ts';
import type { HostConfig } from '../scenario/program.ts';
import type { SettingSpec } from '../scenario/setting-values.ts';
import {
  ACTOR_DOCS,
  type ActorWord,
  EVENT_CODES,
  EXITS,
  FAULT_BITS,
  FIRMWARE_CODES,
  PAGE_STATES,
  PLAIN_OUTCOMES,
  RETURN_CODES,
} from '../scenario/words.ts';
import { STATEMENTS } from './documentation.ts';
import { FAULT_BIT_MEANINGS } from './log-fault.ts';
import { codeMeaning } from './log-words.ts';
import { type Block, type Inline, joined, type Line, sentence, source, table, text } from './prose.ts';

const codes = (words: readonly string[]): Inline[] =>
  joined(
    words.map((word): Line => [{ code: word }]),
    ', ',
  );

// ---------------------------------------------------------------- operations and queries

/** @param who how the operation's actor is written: a guest by its name */
export function operationBlocks(spec: OperationSpec, who: string, callee: string | undefined): Block[] {
  const written = spec.variadic ? `${who}.${callee ?? 'function'}(…)` : `${who}.${signature(spec.name, spec.operands)}`;
  return [
    source(written),
    text(...sentence(spec.doc)),
    ...operandTable(spec.operands),
    text('Outcomes: ', ...codes(spec.outcomes), '. Source: ', ...sentence(spec.source), '.'),
  ];
}

function operandTable(operands: readonly Operand[]): Block[] {
  if (operands.length === 0) return [];
  return [
    table([
      [['operand'], ['kind'], ['meaning']],
      ...operands.map((operand): Line[] => [[{ code: operand.name }], kindOf(operand), operandMeaning(operand)]),
    ]),
  ];
}

function kindOf({ kind, form, words }: Operand): Line {
  if (words !== undefined) return words.length > 6 ? [...codes(words.slice(0, 4)), ' …'] : codes(words);
  return [form === 'flag' ? 'flag' : kind];
}

function operandMeaning(operand: Operand): Line {
  const said = sentence(operand.doc);
  if (operand.default === undefined || operand.form === 'flag') return said;
  return [...said, ' Default ', { code: operand.default }, '.'];
}

/** @param word what stands there: the operand's name, or a word that it takes */
export function operandBlocks(spec: OperationSpec, operand: Operand, word: string): Block[] {
  return [
    text(
      { strong: word },
      word === operand.name ? '' : ` · operand ${operand.name}`,
      word === operand.name ? ` · ${operand.form === 'flag' ? 'flag' : operand.kind} operand of ` : ' of ',
      { code: spec.name },
    ),
    text(...operandMeaning(operand)),
    ...(operand.words === undefined ? [] : [text('It takes ', ...codes(operand.words), '.')]),
  ];
}

export function queryBlocks(specs: readonly QuerySpec[]): Block[] {
  const [first] = specs;
  const words = [...new Set(specs.flatMap((spec) => Object.keys(spec.words)))];
  return [
    source(
      specs.map((spec) => (spec.operands.length === 0 ? spec.key : signature(spec.key, spec.operands))).join('\n'),
    ),
    text(...sentence(first.doc)),
    ...(first.fields.length === 0 ? [] : [text('Fields: ', ...codes(first.fields.map(({ name }) => name)), '.')]),
    ...(words.length === 0 ? [] : [text('Words: ', ...codes(words), '.')]),
    text('Source: ', ...sentence(first.source), '.'),
  ];
}

export function fieldBlocks(spec: QuerySpec, field: QueryField): Block[] {
  return [
    text({ strong: field.name }, ` · ${field.kind === 'bool' ? 'flag' : field.kind} field of `, { code: spec.key }),
    text(...sentence(field.doc)),
    ...(field.words === undefined || field.words.length > 8 ? [] : [text('It is one of ', ...codes(field.words), '.')]),
  ];
}

/** `shared`: what it stands for. */
export function queryWordBlocks(spec: QuerySpec, word: string): Block[] {
  const meaning = Object.entries(spec.words[word] ?? {}).map(([field, value]): string => {
    if (typeof value === 'boolean') return value ? field : `not ${field}`;
    return `${field} ${typeof value === 'string' && value.startsWith('@') ? `the ${value.slice(1)} asked about` : value}`;
  });
  const state = PAGE_STATES.find(({ name }) => name === word);
  return [
    text({ strong: word }, ' of ', { code: spec.key }, `: ${meaning.join(', ')}`),
    ...(state === undefined ? [] : [text(...sentence(state.doc))]),
  ];
}

/** `count(psmash)`: which instruction that is. */
export function instructionBlocks(spec: QuerySpec, operand: Operand, word: string): Block[] {
  const instruction = operation(`cpu.${word}`) ?? operation(`guest.${word}`);
  return [
    text({ strong: word }, ` · operand ${operand.name} of `, { code: spec.key }),
    ...(instruction === undefined
      ? [text(...operandMeaning(operand))]
      : [text(...sentence(instruction.doc)), text('Source: ', ...sentence(instruction.source), '.')]),
  ];
}

/** `allow`, `sequence`, …: what such a statement is for, and how it is written. */
export function statementBlocks(word: string): Block[] | undefined {
  const said = Object.hasOwn(STATEMENTS, word) ? STATEMENTS[word] : undefined;
  return said && [text(...sentence(said.doc)), source(said.written)];
}

export function actorBlocks(word: string): Block[] | undefined {
  const doc = Object.hasOwn(ACTOR_DOCS, word) ? ACTOR_DOCS[word as ActorWord] : undefined;
  return doc === undefined ? undefined : [text({ strong: word }), text(...sentence(doc))];
}

export function functionBlocks(name: string): Block[] | undefined {
  const spec = functionNamed(name);
  return spec === undefined ? undefined : [source(spec.signatures.join('\n')), text(...sentence(spec.doc))];
}

// ---------------------------------------------------------------- outcomes

const includes = (words: readonly string[], word: string): boolean => words.includes(word);

const FAULT_DOCS: Readonly<Record<string, string>> = {
  '#NPF':
    '#VMEXIT(NPF): a nested page fault; the hypervisor gets it (APM vol. 2, 15.25.6 and 15.36.10). Its RMP bits must be exactly those that are named.',
  '#PF': 'A page fault of the host (APM vol. 2, 8.2.15 and 15.36.10).',
  '#VC': 'A VMM communication exception of the guest; 0x404 is PAGE_NOT_VALIDATED (APM vol. 2, 15.36.10).',
  '#GP': 'A general protection fault.',
  '#UD': 'An invalid opcode.',
  '#DB': 'A debug exception.',
};

/** What an outcome, or a word of it, says. */
export function outcomeBlocks(word: string): Block[] | undefined {
  const said = outcomeMeaning(word);
  return said === undefined ? undefined : [text({ strong: word }, ': ', ...sentence(said))];
}

function outcomeMeaning(word: string): string | undefined {
  const plain = PLAIN_OUTCOMES.find(({ name }) => name === word);
  if (plain !== undefined) return plain.doc;
  if (Object.hasOwn(FAULT_DOCS, word)) return FAULT_DOCS[word];
  if (word === 'CF') return 'The carry flag that PVALIDATE leaves: 1 says that nothing changed, 0 that Validated did.';
  if (includes(RETURN_CODES, word))
    return `a return code of the RMP instructions: ${codeMeaning(word) ?? 'see APM vol. 3'}.`;
  if (includes(FIRMWARE_CODES, word)) return 'a status of an SNP firmware command (SNP firmware ABI, status codes).';
  if (includes(EXITS, word)) return 'KVM_RUN returns to the VMM with this exit reason (include/uapi/linux/kvm.h).';
  if (includes(EVENT_CODES, word))
    return word === 'SIGBUS'
      ? 'the signal that host user space gets.'
      : 'the event that the IOMMU logs for a device’s access.';
  if (Object.hasOwn(errnoNumbers, word))
    return `errno ${errnoNumbers[word as keyof typeof errnoNumbers]}, returned as -${errnoNumbers[word as keyof typeof errnoNumbers]}.`;
  const bit = FAULT_BITS.find(({ name }) => name === word);
  if (bit === undefined) return undefined;
  const meaning = FAULT_BIT_MEANINGS[(word === 'I' ? 'ID' : word) as keyof typeof FAULT_BIT_MEANINGS];
  return `bit ${bit.bit} (${hex(2 ** bit.bit)}) of the error code: ${meaning}.`;
}

// ---------------------------------------------------------------- settings and options

export function settingBlocks(spec: SettingSpec, where: string): Block[] {
  return [text({ strong: spec.name }, ` · setting of ${where}`), text(...sentence(spec.doc)), source(spec.written)];
}

export function optionBlocks(name: string, host: HostConfig): Block[] | undefined {
  const set = host.options.find((option) => option.name === name);
  const now: Inline[] = set === undefined ? [] : [' Here: ', { code: onOff(set.value) }, '.'];
  const hardware = hardwareOption(name);
  if (hardware !== undefined) {
    const open =
      hardware.question === '-'
        ? 'Processors differ in this.'
        : `No public text settles it (open question ${hardware.question}).`;
    return [
      text({ strong: name }, ' · option of the hardware'),
      text(...sentence(hardware.doc)),
      text(
        'Values ',
        ...codes(hardware.values.map(onOff)),
        '; default ',
        { code: onOff(hardware.default) },
        '.',
        ...now,
      ),
      text(open),
    ];
  }
  const kernel = kernelOption(name);
  if (kernel === undefined) return undefined;
  const values = kernel.kind === 'flag' ? codes(['on', 'off']) : ['a number, 0 for none'];
  const byDefault = kernel.kind === 'flag' ? onOff(kernel.default !== 0) : String(kernel.default);
  return [
    text({ strong: name }, ' · option of the kernel model'),
    text(...sentence(kernel.doc)),
    text('Values ', ...values, '; default ', { code: byDefault }, '.', ...now),
  ];
}

const onOff = (value: boolean | number | string): string =>
  value === true ? 'on' : value === false ? 'off' : String(value);
