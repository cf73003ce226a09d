/** What there is to say about each thing of the language, by key: for completion, shown when it is asked for. Markdown. */
import { hardwareOption } from '../hardware/options.ts';
import { ruleInfo } from '../invariants/catalogue.ts';
import { kernelOption } from '../kernel/kernel-options.ts';
import { kernelModels } from '../models/model.ts';
import { functionNamed } from '../scenario/functions.ts';
import { libraryPath, libraryText } from '../scenario/library.ts';
import type { Operand, OperationSpec, QuerySpec } from '../scenario/operation-table.ts';
import { operation, signature } from '../scenario/operations.ts';
import { queriesNamed } from '../scenario/queries.ts';
import { GUEST_SETTINGS, HOST_SETTINGS, SLOT_SETTINGS } from '../scenario/settings.ts';
import { ACTOR_DOCS, ERRNOS, FIRMWARE_CODES, PAGE_STATES, PLAIN_OUTCOMES } from '../scenario/words.ts';
import { scenarioSnippets } from './scenario-snippets.ts';

const fence = (text: string): string => `\`\`\`snpscenario\n${text}\n\`\`\``;

export const STATEMENTS: Readonly<Record<string, { written: string; doc: string }>> = {
  use: {
    written: 'use kernel "kvm-rfc-v8"',
    doc: 'The kernel that the scenarios run on: a bundled model, and functions of a patch or C file in place of its own.',
  },
  import: {
    written: 'import "snp:linux-guest"',
    doc: 'The `let`s and sequences of another file, or of a library that comes with the extension.',
  },
  host: {
    written: 'host {\n  memory 4G\n}',
    doc: 'The host: memory, CPUs, where the RMP lies, and options. Once in a file.',
  },
  guest: {
    written: 'guest g {\n  slot 0 gpa 0..1G private folio 2M\n}',
    doc: 'A guest with its memory slots. Its name is the actor of its steps.',
  },
  stub: { written: 'stub name returns 0', doc: 'A C function that does nothing and returns a number.' },
  let: { written: 'let page = 64K', doc: 'A name for a value.' },
  sequence: {
    written: 'sequence share(guest, range) {\n  guest.psc(range, SHARED)\n}',
    doc: 'Steps with a name, written out where they are called. Parameters take any value.',
  },
  invariant: {
    written: 'invariant "name" {\n  forall page p: rmp(p) is validated implies rmp(p) is assigned\n}',
    doc: 'A rule of your own, held against every step of every scenario of the file.',
  },
  scenario: {
    written: 'scenario "name" {\n}',
    doc: 'What is run. Each begins with the host and the guests as declared.',
  },
  expect: {
    written: 'expect rmp(g, 64K) is { guest g, 4K, validated }',
    doc: 'States something about the machine. `expect all 0..2M …` asks for every page of a range.',
  },
  for: {
    written: 'for page in 0..2M step 4K {\n}',
    doc: 'Steps for each value of a range. Without `step`: by 4K over GPAs, by 1 over anything else.',
  },
  allow: {
    written: 'allow RULE "reason"',
    doc: 'The rule is silent for the next statement, for the steps of a block, or for the step that it ends.',
  },
};

/** The text for a key; undefined if there is nothing to say. Keys come back from clients, so any text is taken. */
export function documentation(key: string): string | undefined {
  const colon = key.indexOf(':');
  const name = key.slice(colon + 1);
  switch (key.slice(0, colon)) {
    case 'statement': {
      const row = Object.hasOwn(STATEMENTS, name) ? STATEMENTS[name] : undefined;
      return row && `${row.doc}\n\n${fence(row.written)}`;
    }
    case 'actor':
      return Object.hasOwn(ACTOR_DOCS, name) ? ACTOR_DOCS[name as 'vmm'] : undefined;
    case 'operation': {
      const spec = operation(name);
      return spec && operationDoc(spec);
    }
    case 'query': {
      const [first] = queriesNamed(name);
      return first && `${first.doc}\n\n${fence(first.example)}\n\n*${first.source}*`;
    }
    case 'field': {
      const [query, field] = name.split('.', 2);
      return queriesNamed(query)[0]?.fields.find((row) => row.name === field)?.doc;
    }
    case 'query-word': {
      const [query, word] = name.split('.', 2);
      const row = queriesNamed(query).find((one) => Object.hasOwn(one.words, word));
      return row && wordMeaning(row, word);
    }
    case 'function': {
      const spec = functionNamed(name);
      return spec && `${fence(spec.signatures.join('\n'))}\n\n${spec.doc}`;
    }
    case 'rule': {
      const rule = ruleInfo(name);
      return rule && `${rule.statement}\n\n*${rule.source}*`;
    }
    case 'option':
      return (hardwareOption(name) ?? kernelOption(name))?.doc;
    case 'setting':
      return settingDoc(name);
    case 'kernel':
      return kernelModels.find((model) => model.name === name)?.description;
    case 'library':
      return libraryDoc(name);
    case 'outcome':
      return outcomeDoc(name);
    case 'snippet': {
      const snippet = scenarioSnippets.find((one) => one.label === name);
      return snippet?.doc;
    }
    default:
      return undefined;
  }
}

export const writtenOperation = (spec: OperationSpec): string =>
  spec.variadic
    ? `${spec.actor}.<function>(arguments)`
    : `${spec.actor === 'guest' ? 'guest' : spec.actor}.${signature(spec.name, spec.operands)}`;

function operationDoc(spec: OperationSpec): string {
  const operands = spec.operands.map((o) => `- \`${o.name}\`: ${operandDoc(o)}`).join('\n');
  return [
    fence(writtenOperation(spec)),
    spec.doc,
    operands,
    `Outcomes: ${spec.outcomes.map((outcome) => `\`${outcome}\``).join(', ')}.`,
    fence(spec.example),
    `*${spec.source}*`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

export function operandDoc(operand: Operand): string {
  const choices = operand.words === undefined ? '' : ` ${operand.words.map((word) => `\`${word}\``).join(', ')}.`;
  const byDefault = operand.default === undefined || operand.kind === 'bool' ? '' : ` Default \`${operand.default}\`.`;
  return `${operand.doc}${operand.words !== undefined && operand.words.length <= 8 ? choices : ''}${byDefault}`;
}

function wordMeaning(row: QuerySpec, word: string): string | undefined {
  const meaning = Object.entries(row.words[word]).map(([field, value]) => {
    if (typeof value === 'boolean') return value ? `\`${field}\`` : `not \`${field}\``;
    return `\`${field}\` ${typeof value === 'string' && value.startsWith('@') ? `the ${value.slice(1)} asked about` : value}`;
  });
  const state = PAGE_STATES.find((one) => one.name === word && row.key === 'state');
  return state?.doc ?? `Says: ${meaning.join(', ')}.`;
}

function settingDoc(name: string): string | undefined {
  const [block, setting] = name.split('.', 2);
  const specs = block === 'host' ? HOST_SETTINGS : block === 'guest' ? GUEST_SETTINGS : SLOT_SETTINGS;
  const spec = specs.find((one) => one.name === setting);
  return (
    spec &&
    `${spec.doc}\n\n${spec.written
      .split(', ')
      .map((one) => `\`${one}\``)
      .join(', ')}`
  );
}

/** The comment at the head of the library. */
function libraryDoc(name: string): string | undefined {
  const text = libraryText(libraryPath(name));
  if (text === undefined) return undefined;
  const head = /^(?:\/\/(?!\/)[^\n]*\n)*/.exec(text)?.[0] ?? '';
  const sequences = [...text.matchAll(/^sequence (\w+\([^)]*\))/gm)].map((match) => `- \`${match[1]}\``);
  return `${head.replace(/^\/\/ ?/gm, '').trim()}\n\n${sequences.join('\n')}`;
}

const FAULT_DOCS: Readonly<Record<string, string>> = {
  '#NPF':
    'A nested page fault. The RMP bits in parentheses must be exactly the ones of the fault; without parentheses, any bits.',
  '#PF': 'A page fault of the host.',
  '#VC': 'A #VC with that exit code; 0x404 is PAGE_NOT_VALIDATED.',
  '#GP': 'A general protection fault.',
  '#UD': 'Invalid opcode.',
  '#DB': 'A debug exception.',
};

function outcomeDoc(name: string): string | undefined {
  const plain = PLAIN_OUTCOMES.find((outcome) => outcome.name === name);
  if (plain !== undefined) return plain.doc;
  if (name.startsWith('CF=')) return name === 'CF=1' ? 'PVALIDATE changed nothing.' : 'PVALIDATE changed Validated.';
  const fault = /^#[A-Z]+/.exec(name)?.[0];
  if (fault !== undefined) return Object.hasOwn(FAULT_DOCS, fault) ? FAULT_DOCS[fault] : undefined;
  if (name.startsWith('KVM_EXIT_')) return 'KVM left to the VMM.';
  if (name.startsWith('FAIL_')) return 'Return code of an RMP instruction.';
  if (ERRNOS.includes(name)) return `The call returned -${name}.`;
  if ((FIRMWARE_CODES as readonly string[]).includes(name)) return 'Status of a firmware command.';
  if (name === 'RMP_PAGE_FAULT') return 'An event of the IOMMU: a device was refused.';
  if (name === 'SIGBUS') return 'A signal to host user space.';
  return undefined;
}
