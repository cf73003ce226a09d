/** Signature help: the calls around the cursor, innermost last, and which of their parameters it stands at. */
import type { Analysis } from '../scenario/analyze.ts';
import { functionNamed } from '../scenario/functions.ts';
import type { Operand } from '../scenario/operation-table.ts';
import { operandSignature } from '../scenario/operations.ts';
import { queriesNamed } from '../scenario/queries.ts';
import { namesOf } from './complete.ts';
import { currentOperand, givenOperands } from './complete-value.ts';
import { cursorAt, type Item } from './cursor.ts';
import { operandDoc } from './documentation.ts';
import { type OpenCall, openCalls } from './expected.ts';
import { describeSequence, visibleNames } from './visible.ts';

export interface Signature {
  label: string;
  /** Markdown. */
  doc: string;
  parameters: { start: number; end: number; doc: string }[];
  /** Index of the parameter at the cursor; undefined: none is left. */
  active: number | undefined;
}

export interface SignatureHelp {
  signatures: Signature[];
  active: number;
}

/** `describe`: parameters of a C function, `kvm_pfn_t pfn`. */
export function signatureAt(
  analysis: Analysis,
  offset: number,
  describe: (name: string) => { parameters: string[]; returns: string } | undefined,
): SignatureHelp | undefined {
  const cursor = cursorAt(analysis, offset);
  const names = namesOf(visibleNames(analysis, cursor.blockNode, cursor.word.from));
  const calls = openCalls(cursor, names);
  // What is known of the innermost; a grouping of the user's own has none.
  const call = calls.at(-1);
  if (call === undefined) return undefined;
  const { callee, parts } = withWord(call, cursor.word.text);
  const now = parts.length - 1;
  switch (callee.is) {
    case 'operation': {
      const { spec } = callee;
      const prefix = spec.variadic ? '' : spec.name;
      return one(
        operandsSignature(
          prefix,
          spec.operands,
          `${spec.doc}\n\n*${spec.source}*`,
          activeOperand({ ...call, parts }, spec.operands),
        ),
      );
    }
    case 'query': {
      const rows = queriesNamed(callee.name).filter((row) => row.operands.length > 0);
      if (rows.length === 0) return undefined;
      const signatures = rows.map((row) =>
        operandsSignature(
          row.key,
          row.operands,
          `${row.doc}\n\n*${row.source}*`,
          now < row.operands.length ? now : undefined,
        ),
      );
      const fitting = rows.findIndex((row) => row.operands.length > now && fits(row.operands[0], parts, names));
      return { signatures, active: Math.max(0, fitting) };
    }
    case 'function': {
      const spec = functionNamed(callee.name);
      if (spec === undefined) return undefined;
      const signatures = spec.signatures.map((label) => plain(label, spec.doc, now));
      const byName = spec.signatures.findIndex(
        (label) =>
          label.split(',').length > now && (now > 0 || startsAsGuest(parts, names) === label.includes('(guest')),
      );
      return { signatures, active: byName < 0 ? 0 : byName };
    }
    case 'selector': {
      const what = callee.name === 'vcpu' ? 'Number of the vCPU, from 0.' : 'VMPL, 0 to 3.';
      return one({ ...plain(`${callee.name}(n)`, what, now) });
    }
    case 'sequence': {
      const sequence = analysis.declarations.home.sequences.get(callee.name);
      if (sequence === undefined) return undefined;
      const { signature, doc } = describeSequence(sequence);
      return one(plain(signature, doc, now));
    }
    case 'kernel': {
      const found = describe(callee.name);
      if (found === undefined) return undefined;
      const label = `${found.returns} ${callee.name}(${found.parameters.join(', ')})`;
      return one(
        plain(
          label,
          'A C function of the kernel in use. Guests are passed as `struct kvm *`, `slot(g, 0)` and `vcpu(g, 0)` as what they point to.',
          now,
        ),
      );
    }
  }
}

const one = (signature: Signature): SignatureHelp => ({ signatures: [signature], active: 0 });

/** The word at the cursor belongs to the argument at the cursor. */
function withWord(call: OpenCall, word: string): OpenCall {
  if (word === '') return call;
  const token: Item = { is: /^\d/.test(word) ? 'number' : 'name', text: word, from: 0, to: 0 };
  return { ...call, parts: [...call.parts.slice(0, -1), [...(call.parts.at(-1) as Item[]), token]] };
}

/** By name, by word, else the next in order. */
function activeOperand(call: OpenCall, operands: readonly Operand[]): number | undefined {
  const current = currentOperand(call, operands);
  if (current?.named) return current.index;
  const before = givenOperands(operands, call.parts.slice(0, -1));
  const withThis = givenOperands(operands, call.parts);
  const filled = withThis.findIndex((given, i) => given && !before[i]);
  if (filled >= 0) return filled;
  if (current !== undefined) return current.index;
  const left = before.findIndex((given) => !given);
  return left < 0 ? undefined : left;
}

function operandsSignature(
  name: string,
  operands: readonly Operand[],
  doc: string,
  active: number | undefined,
): Signature {
  let label = `${name}(`;
  const parameters = operands.map((operand, i) => {
    if (i > 0) label += ', ';
    const start = label.length;
    label += operandSignature(operand);
    return { start, end: label.length, doc: operandDoc(operand) };
  });
  return { label: `${label})`, doc, parameters, active };
}

/** `name(a, b)` taken apart. */
function plain(label: string, doc: string, now: number): Signature {
  const open = label.indexOf('(') + 1;
  const parameters: Signature['parameters'] = [];
  let start = open;
  for (const part of label.slice(open, label.lastIndexOf(')')).split(', ')) {
    if (part !== '') parameters.push({ start, end: start + part.length, doc: '' });
    start += part.length + 2;
  }
  return { label, doc, parameters, active: now < parameters.length ? now : undefined };
}

function startsAsGuest(parts: OpenCall['parts'], names: { isGuest(name: string): boolean }): boolean {
  const first = parts[0][0];
  return first === undefined || (first.is === 'name' && names.isGuest(first.text));
}

const fits = (operand: Operand, parts: OpenCall['parts'], names: { isGuest(name: string): boolean }): boolean =>
  (operand.kind === 'guest') === startsAsGuest(parts, names);
