/** Completion of values: by the kind that the place wants, of the names in sight, of functions, and of what the scenario has been about. */
import { functions } from '../scenario/functions.ts';
import type { Operand } from '../scenario/operation-table.ts';
import type { ValueKind } from '../scenario/program.ts';
import { formatQuantity, parseNumber } from '../scenario/quantity.ts';
import { queriesNamed } from '../scenario/queries.ts';
import { type At, guests } from './complete.ts';
import { isGuestLike } from './complete-statement.ts';
import { type Completion, placeholder } from './completion.ts';
import { type Item, isName, isSign, lineStart } from './cursor.ts';
import { namedOperand, type OpenCall, type Wanted } from './expected.ts';

/** `whole`: nothing of the value is written yet, so that it may also be a range, a word or another operand. */
export function completeValue(at: At, wanted: Wanted, whole: boolean): Completion[] {
  const { call } = wanted;
  if (call === undefined) {
    if (wanted.kind === 'number') return [...valuesOfKind(at, 'int', false), ...sizes()];
    if (wanted.kind === 'range')
      return [...valuesOfKind(at, whole ? 'gpa-range' : 'gpa', true), ...recentValues(at, whole ? 'gpa-range' : 'gpa')];
    return [...anyValue(at), ...recentValues(at, 'gpa'), ...recentValues(at, 'gpa-range')];
  }
  switch (call.callee.is) {
    case 'operation':
      return completeOperand(at, call, call.callee.spec.operands, whole);
    case 'query': {
      const rows = queriesNamed(call.callee.name);
      const given = call.parts.length - 1;
      return rows.flatMap((row) =>
        given >= row.operands.length ? [] : operandValues(at, row.operands[given], whole, 0),
      );
    }
    case 'function':
      return completeFunctionArgument(at, call, call.callee.name);
    case 'kernel':
      return [
        ...guests(at),
        ...handles(at),
        ...valuesOfKind(at, 'int', true),
        ...CONSTANTS.map((label) => ({ label, kind: 'word' as const, rank: 2 })),
      ];
    case 'selector':
      return ['0', '1', '2', '3'].map((label, rank) => ({ label, kind: 'value', rank }));
    case 'sequence':
      return completeParameter(at, call, call.callee.name, whole);
  }
}

const CONSTANTS = ['KVM_MEMORY_ATTRIBUTE_PRIVATE', 'PG_LEVEL_4K', 'PG_LEVEL_2M', 'true', 'false'];

// ---------------------------------------------------------------- operands

/** Which operands the arguments in front of the cursor fill: by name, by word, else in order. */
export function givenOperands(operands: readonly Operand[], parts: readonly (readonly Item[])[]): boolean[] {
  const given = operands.map(() => false);
  for (const part of parts) {
    const [first] = part;
    if (first === undefined || first.is === 'group') continue;
    let index = -1;
    if (part.length > 1 && isName(first) && !isSign(part[1], '..') && part[1].is !== 'group')
      index = operands.findIndex((o) => o.name === first.text && o.form !== 'flag');
    if (index < 0 && part.length === 1)
      index = operands.findIndex(
        (o, i) =>
          !given[i] && wordsOf(o).includes(first.text) && (first.is === 'name' || !isFilledFirst(operands, given, i)),
      );
    if (index < 0) index = operands.findIndex((o, i) => !given[i] && o.form === 'positional');
    if (index >= 0) given[index] = true;
  }
  return given;
}

/** `2M` where an address is still missing is an address. */
const isFilledFirst = (operands: readonly Operand[], given: readonly boolean[], index: number): boolean =>
  operands.some(
    (o, i) => i < index && !given[i] && o.form === 'positional' && o.default === undefined && o.optional !== true,
  );

const wordsOf = (operand: Operand): readonly string[] =>
  operand.words ?? (operand.form === 'flag' ? [operand.name] : []);

/** The operand that the argument at the cursor fills; undefined if there are too many. */
export function currentOperand(
  call: OpenCall,
  operands: readonly Operand[],
): { index: number; named: boolean } | undefined {
  const now = call.parts.at(-1) as readonly Item[];
  const given = givenOperands(operands, call.parts.slice(0, -1));
  const [first] = now;
  if (isName(first)) {
    const named = namedOperand(call, first.text);
    if (named !== undefined) return { index: operands.indexOf(named), named: true };
  }
  const index = operands.findIndex((o, i) => !given[i] && o.form === 'positional');
  return index < 0 ? undefined : { index, named: false };
}

function completeOperand(at: At, call: OpenCall, operands: readonly Operand[], whole: boolean): Completion[] {
  const current = currentOperand(call, operands);
  const listed: Completion[] = [];
  if (current !== undefined) listed.push(...operandValues(at, operands[current.index], whole, 0));
  if (!whole || current?.named || (call.parts.at(-1) as Item[]).length > 0) return listed;
  const given = givenOperands(operands, call.parts.slice(0, -1));
  operands.forEach((operand, i) => {
    if (given[i] || i === current?.index) return;
    // What stands in front has to be said first.
    if (
      current !== undefined &&
      operands[current.index].default === undefined &&
      operands[current.index].optional !== true
    )
      return;
    if (operand.form === 'named')
      listed.push({
        label: operand.name,
        kind: 'word',
        detail: operand.doc,
        snippet: `${operand.name} ${placeholder(1, operand.default ?? operand.words?.[0] ?? operand.kind)}`,
        insert: `${operand.name} `,
        rank: 4,
        goesOn: true,
      });
    else for (const word of wordsOf(operand)) listed.push({ label: word, kind: 'word', detail: operand.doc, rank: 4 });
  });
  return listed;
}

function operandValues(at: At, operand: Operand, whole: boolean, rank: number): Completion[] {
  if (operand.form === 'flag' || operand.words !== undefined) {
    const words = wordsOf(operand).map((label, i) => ({
      label,
      kind: 'word' as const,
      detail: operand.doc,
      rank: rank + (label === operand.default ? 0 : i > 0 ? 1 : 0),
    }));
    return [...words, ...at.names.filter((n) => n.what === 'parameter' || n.kind === 'word').map(nameItem)];
  }
  if (operand.kind === 'guest') return [...guests(at), ...parameters(at)];
  const kind = whole ? operand.kind : elementOf(operand.kind);
  const values = [...valuesOfKind(at, kind, whole), ...recentValues(at, kind)];
  return operand.default === undefined || !whole
    ? values
    : [{ label: operand.default, kind: 'value', detail: `${operand.doc} Default.`, rank }, ...values];
}

const elementOf = (kind: ValueKind): ValueKind =>
  kind.endsWith('-range') ? (kind.slice(0, -'-range'.length) as ValueKind) : kind;

function completeFunctionArgument(at: At, call: OpenCall, name: string): Completion[] {
  const second = call.parts.length > 1;
  switch (name) {
    case 'pfn':
      return second
        ? [...valuesOfKind(at, 'gpa', false), ...recentValues(at, 'gpa')]
        : [...guests(at), ...parameters(at), ...valuesOfKind(at, 'spa', false)];
    case 'gfn':
      return [...valuesOfKind(at, 'gpa', true), ...recentValues(at, 'gpa')];
    case 'gpa':
      return valuesOfKind(at, 'gfn', true);
    case 'spa':
      return [...valuesOfKind(at, 'pfn', true), ...recentValues(at, 'pfn')];
    case 'start':
    case 'end':
      return valuesOfKind(at, 'gpa-range', true);
    case 'slot':
    case 'vcpu': {
      if (!second) return [...guests(at), ...parameters(at)];
      const guest = guestArgument(at, call);
      const ids =
        name === 'slot'
          ? (guest?.slots.map((slot) => slot.id) ?? [0])
          : Array.from({ length: Math.min(guest?.vcpus ?? 1, 8) }, (_, i) => i);
      return ids.map((id, rank) => ({ label: String(id), kind: 'value', rank }));
    }
    default:
      return [];
  }
}

/** The guest that stands first among the arguments. */
function guestArgument(at: At, call: OpenCall) {
  const first = call.parts[0]?.[0];
  return isName(first) ? at.analysis.declarations.guests.find((guest) => guest.name === first.text) : undefined;
}

/** Of a parameter its name says what it is for. */
function completeParameter(at: At, call: OpenCall, name: string, whole: boolean): Completion[] {
  const parameter = at.analysis.declarations.home.sequences.get(name)?.parameters[call.parts.length - 1];
  if (parameter === undefined) return [];
  if (isGuestLike(parameter.name) && whole) return [...guests(at), ...parameters(at)];
  if (/range|pages/.test(parameter.name))
    return [...valuesOfKind(at, whole ? 'gpa-range' : 'gpa', true), ...recentValues(at, whole ? 'gpa-range' : 'gpa')];
  return [...anyValue(at), ...recentValues(at, 'gpa'), ...recentValues(at, 'gpa-range')];
}

// ---------------------------------------------------------------- names and functions

const YIELDS: Readonly<Record<string, readonly string[]>> = {
  pfn: ['pfn'],
  gpa: ['gpa', 'start', 'end'],
  gfn: ['gfn', 'start', 'end'],
  spa: ['spa'],
  'gpa-range': ['gpa', 'start', 'end'],
  'gfn-range': ['gfn'],
  'pfn-range': ['pfn'],
};

/** Names in sight that can stand for a value of this kind, and the functions that yield one. */
export function valuesOfKind(at: At, kind: ValueKind, ranges: boolean): Completion[] {
  const element = elementOf(kind);
  const listed = at.names
    .filter((name) => {
      if (name.kind === undefined) return true;
      if (name.kind === kind || name.kind === element) return true;
      // Plain numbers take the kind that the place wants.
      if (name.kind === 'int' || name.kind === 'size') return kind !== 'guest' && kind !== 'word' && kind !== 'bool';
      return ranges && name.kind === 'int-range' && kind.endsWith('-range');
    })
    // What a range begins with comes behind what is one.
    .map((name) => ({ ...nameItem(name), ...(name.kind !== kind && kind.endsWith('-range') ? { rank: 3 } : {}) }));
  for (const name of YIELDS[kind] ?? []) listed.push(functionItem(at, name));
  return listed;
}

function functionItem(at: At, name: string): Completion {
  const spec = functions.find((f) => f.name === name);
  const only = at.names.filter((one) => one.kind === 'guest');
  const inner =
    name === 'pfn' ? `${placeholder(1, only.length === 1 ? only[0].name : 'guest')}, ${placeholder(2, 'gpa')}` : '$1';
  return {
    label: name,
    kind: 'function',
    signature: spec?.signatures[0].slice(name.length) ?? '',
    doc: `function:${name}`,
    snippet: `${name}(${inner})`,
    insert: name,
    rank: 2,
    commit: ['('],
  };
}

const nameItem = (name: At['names'][number]): Completion => ({
  label: name.name,
  kind: name.kind === 'guest' ? 'guest' : 'variable',
  detail: name.declared,
  rank: name.what === 'loop' ? 0 : 1,
});

const parameters = (at: At): Completion[] => at.names.filter((name) => name.what === 'parameter').map(nameItem);

function anyValue(at: At): Completion[] {
  return [
    ...at.names.map(nameItem),
    ...functions.filter((f) => f.name !== 'slot' && f.name !== 'vcpu').map((f) => functionItem(at, f.name)),
  ];
}

const handles = (at: At): Completion[] =>
  ['slot', 'vcpu'].map((name) => ({
    label: name,
    kind: 'function',
    doc: `function:${name}`,
    snippet: `${name}(${placeholder(1, at.analysis.declarations.guests[0]?.name ?? 'guest')}, ${placeholder(2, '0')})`,
    insert: name,
    rank: 1,
    commit: ['('],
  }));

const sizes = (): Completion[] => ['4K', '2M', '1G'].map((label, rank) => ({ label, kind: 'value', rank: rank + 2 }));

// ---------------------------------------------------------------- values that were used before

/** Characters in front of the cursor, and quantities in them, that are looked at. */
const BEHIND = 3000;
const RECENT = 8;

const RANGE = /\b(0x[\da-fA-F]+|\d+[KMGT]?)(\.\.| \+)(0x[\da-fA-F]+|\d+[KMGT]?)\b/g;
const ADDRESS = /(?<=[(, ])(0x[\da-fA-F]+|\d+[KMGT]?)(?=[),])/g;

/** What the lines above are about, the latest first; then what the guests have. */
export function recentValues(at: At, kind: ValueKind): Completion[] {
  const element = elementOf(kind);
  if (kind !== 'gpa-range' && element !== 'gpa' && kind !== 'pfn-range') return sizesFor(kind);
  const start = lineStart(at.analysis.text, at.cursor.word.from);
  const above = at.analysis.text.slice(Math.max(0, start - BEHIND), start).replace(/\/\/[^\r\n]*/g, '');
  // An argument behind the cursor is not to be written again, but what is on this line in front of it may be.
  const here = at.analysis.text.slice(start, at.cursor.word.from);
  const found = new Set<string>();
  const pattern = kind === 'gpa-range' ? RANGE : ADDRESS;
  for (const text of [...`${above}${here}`.matchAll(pattern)].map((match) => match[0]).reverse()) {
    if (kind === 'gpa' && !isPageAligned(text)) continue;
    found.add(text);
    if (found.size === RECENT) break;
  }
  const listed: Completion[] = [...found].map((label, i) => ({
    label,
    kind: 'value',
    detail: 'used above',
    rank: i === 0 ? 2 : 3,
  }));
  if (kind === 'gpa-range' && at.analysis.declarations.guests.length > 0) {
    for (const guest of at.analysis.declarations.guests)
      for (const slot of guest.slots.slice(0, 4))
        listed.push({
          label: `${formatQuantity(slot.gpaStart)}..${formatQuantity(slot.gpaEnd)}`,
          kind: 'value',
          detail: `slot ${slot.id} of guest ${guest.name}`,
          rank: 5,
        });
    for (const label of ['0..2M', '0..4K']) listed.push({ label, kind: 'value', rank: 4 });
  }
  if (kind === 'gpa') for (const label of ['0', '4K', '64K', '2M']) listed.push({ label, kind: 'value', rank: 5 });
  return listed;
}

const sizesFor = (kind: ValueKind): Completion[] => (kind === 'size' ? sizes() : []);

function isPageAligned(text: string): boolean {
  const parsed = parseNumber(text);
  return !('error' in parsed) && Number(parsed.value) % 4096 === 0;
}
