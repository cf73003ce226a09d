/**
 * What the language expects at the cursor, from the tokens in front of it: the grammar of scenario.grammar read forwards, without ever failing. Anything
 * that is not understood expects nothing.
 */

import type { Operand, OperationSpec } from '../scenario/operation-table.ts';
import { operation } from '../scenario/operations.ts';
import type { ActorKind } from '../scenario/program.ts';
import { ACTORS } from '../scenario/words.ts';
import { type Cursor, type Group, type Item, isName, isOpen, isSign, split } from './cursor.ts';

/** What a call in front of the cursor calls. */
export type Callee =
  | { is: 'operation'; spec: OperationSpec; actor: string }
  | { is: 'selector'; name: 'vcpu' | 'vmpl'; actor: string }
  /** A C function. */
  | { is: 'kernel'; name: string }
  | { is: 'query'; name: string }
  | { is: 'function'; name: string }
  | { is: 'sequence'; name: string };

/** A call whose brackets the cursor is in. */
export interface OpenCall {
  callee: Callee;
  /** Its arguments; the last is the one that the cursor is in, up to the cursor. */
  parts: Item[][];
  /** Of its opening bracket. */
  from: number;
}

/** Where a value is wanted. */
export interface Wanted {
  /** The argument of a call, innermost; undefined elsewhere. */
  call: OpenCall | undefined;
  /** `value`: any; a setting says what it takes. */
  kind: 'value' | 'range' | 'number';
}

export type Expected =
  | { is: 'nothing' }
  | { is: 'declaration' }
  | { is: 'statement' }
  | { is: 'setting'; of: 'host' | 'guest' }
  | { is: 'setting-value'; of: 'host' | 'guest' | 'slot'; name: string }
  | { is: 'slot-setting'; given: string[] }
  | { is: 'option' }
  | { is: 'option-value'; name: string }
  | { is: 'words'; words: string[] }
  | { is: 'use' }
  | { is: 'text'; of: 'kernel' | 'patch' | 'source' | 'import' }
  | { is: 'c-function' }
  | { is: 'operation'; actor: string; selected: string[] }
  | { is: 'value'; wanted: Wanted; ranges: boolean }
  /** A value ends here: what can follow it. */
  | { is: 'after-value'; wanted: Wanted; words: string[] }
  | { is: 'query'; all: boolean }
  | { is: 'condition'; query: string; negated: boolean }
  /** Behind `is` or `is not`. */
  | { is: 'word-of-query'; query: Item[]; negated: boolean }
  | { is: 'field'; query: Item[]; given: string[]; negated: boolean }
  /** `after`: what follows if the field takes no value. */
  | { is: 'field-value'; query: Item[]; field: string; after: string[] }
  | { is: 'after-step'; words: string[] }
  | { is: 'outcome'; operation: string | undefined; from: number }
  | { is: 'fault-bits'; fault: string; given: string[] }
  | { is: 'rule' }
  | { is: 'claim' };

const NOTHING: Expected = { is: 'nothing' };
const words = (...list: string[]): Expected => ({ is: 'words', words: list });

export interface Names {
  /** Whether a name is a guest, or may be one: a parameter. */
  isGuest(name: string): boolean;
}

export function expectedAt(cursor: Cursor, names: Names): Expected {
  if (cursor.inComment) return NOTHING;
  if (cursor.string !== undefined) return textAt(cursor.items);
  const { items } = cursor;
  switch (cursor.block) {
    case 'file':
      return declaration(items, names);
    case 'host':
    case 'guest':
      return setting(cursor.block, items);
    case 'invariant':
      return invariant(items);
    case 'steps':
      return statement(items, names, true);
  }
}

/** The calls whose brackets the cursor is in, outermost first. */
export function openCalls(cursor: Cursor, names: Names): OpenCall[] {
  if (cursor.inComment) return [];
  const calls: OpenCall[] = [];
  collect(cursor.items, names, calls, false);
  return calls;
}

function collect(items: readonly Item[], names: Names, into: OpenCall[], nested: boolean): void {
  const last = items.at(-1);
  if (!isOpen(last)) return;
  const callee = last.open === '(' ? calleeOf(items, names, nested) : undefined;
  if (callee !== undefined) into.push({ callee, parts: split(last.items), from: last.from });
  const parts = split(last.items);
  collect(parts.at(-1) as Item[], names, into, nested || last.open === '(');
}

/** What the open bracket at the end of these items belongs to. */
function calleeOf(items: readonly Item[], names: Names, nested: boolean): Callee | undefined {
  const name = items.at(-2);
  if (!isName(name)) return undefined;
  if (nested) return { is: 'function', name: name.text };
  if (isSign(items.at(-3), '.')) {
    const start = chainStart(items, items.length - 3);
    const actor = items[start];
    if (!isName(actor)) return undefined;
    return calleeOfActor(actor.text, name.text, names);
  }
  const before = items.at(-3);
  if (items.length === 2 && items[0].is === 'name' && items[0] === name) return { is: 'sequence', name: name.text };
  if (isName(before, 'sequence') && items.length === 3) return undefined;
  if (
    isName(items[0], 'expect') ||
    items.some((item) => isSign(item, ':')) ||
    isName(before, 'not') ||
    isName(before, 'implies')
  ) {
    // Behind `is` there are only values.
    const isAt = items.findLastIndex((item) => isName(item, 'is'));
    const joins = items.findLastIndex((item) => item.is === 'name' && /^(?:and|or|implies)$/.test(item.text));
    const allAt = items.findIndex((item) => isName(item, 'all'));
    const inRange = allAt === 1 && items.length === 4;
    if ((isAt < 0 || joins > isAt) && !inRange) return { is: 'query', name: name.text };
  }
  return { is: 'function', name: name.text };
}

function calleeOfActor(actor: string, name: string, names: Names): Callee | undefined {
  if (actor === 'kernel') return { is: 'kernel', name };
  const kind = actorKind(actor, names);
  if (kind === undefined) return undefined;
  if (kind === 'guest' && (name === 'vcpu' || name === 'vmpl')) return { is: 'selector', name, actor };
  const spec = operation(`${kind}.${name}`);
  return spec === undefined ? undefined : { is: 'operation', spec, actor };
}

export function actorKind(actor: string, names: Names): ActorKind | undefined {
  if (names.isGuest(actor)) return 'guest';
  return (ACTORS as readonly string[]).includes(actor) ? (actor as ActorKind) : undefined;
}

/** Index of the first item of `a.b(…).c`, from the dot at `at` backwards. */
function chainStart(items: readonly Item[], at: number): number {
  let i = at;
  while (i >= 0) {
    let before = i - 1;
    if (items[before]?.is === 'group') before--;
    if (!isName(items[before])) return before + 1;
    if (isSign(items[before - 1], '.')) i = before - 1;
    else return before;
  }
  return 0;
}

// ---------------------------------------------------------------- texts

function textAt(items: readonly Item[]): Expected {
  const [first, second] = items;
  if (isName(first, 'import') && items.length === 1) return { is: 'text', of: 'import' };
  if (isName(first, 'use') && items.length === 2 && isName(second) && /^(?:kernel|patch|source)$/.test(second.text))
    return { is: 'text', of: second.text as 'kernel' };
  return NOTHING;
}

// ---------------------------------------------------------------- declarations and settings

function declaration(items: readonly Item[], names: Names): Expected {
  const [first, second] = items;
  if (first === undefined) return { is: 'declaration' };
  if (!isName(first)) return NOTHING;
  switch (first.text) {
    case 'use':
      if (items.length === 1) return { is: 'use' };
      return items.length === 2 && isName(second) ? textAt(items) : NOTHING;
    case 'import':
      return items.length === 1 ? { is: 'text', of: 'import' } : NOTHING;
    case 'stub':
      if (items.length === 1) return { is: 'c-function' };
      return items.length === 2 ? words('returns') : NOTHING;
    case 'let':
      return statement(items, names, false);
    default:
      return NOTHING;
  }
}

function setting(of: 'host' | 'guest', items: readonly Item[]): Expected {
  const [first] = items;
  if (first === undefined) return { is: 'setting', of };
  if (!isName(first)) return NOTHING;
  if (of === 'host' && first.text === 'option') {
    if (items.length === 1) return { is: 'option' };
    if (items.length === 2) return words('=');
    return items.length === 3 && isSign(items[2], '=') && isName(items[1])
      ? { is: 'option-value', name: items[1].text }
      : NOTHING;
  }
  if (of === 'guest' && first.text === 'slot') return slot(items);
  return items.length === 1 ? { is: 'setting-value', of, name: first.text } : NOTHING;
}

const SLOT_VALUES = new Set(['gpa', 'folio', 'pfn', 'offset']);

function slot(items: readonly Item[]): Expected {
  if (items.length === 1) return { is: 'setting-value', of: 'guest', name: 'slot' };
  const last = items.at(-1);
  if (isName(last) && SLOT_VALUES.has(last.text)) return { is: 'setting-value', of: 'slot', name: last.text };
  if (isName(last, 'order') || last?.is === 'sign') return NOTHING;
  return { is: 'slot-setting', given: items.slice(2).flatMap((item) => (isName(item) ? [item.text] : [])) };
}

// ---------------------------------------------------------------- statements

function statement(items: readonly Item[], names: Names, steps: boolean): Expected {
  const [first, second] = items;
  if (first === undefined) return { is: 'statement' };
  if (!isName(first)) return NOTHING;
  const isStep = isSign(second, '.');
  if (!isStep && second?.is !== 'group') {
    switch (first.text) {
      case 'let':
        if (items.length === 2) return words('=');
        return items.length >= 3 ? value(items.slice(3), names, undefined, 'value', []) : NOTHING;
      case 'for':
        return steps ? loop(items, names) : NOTHING;
      case 'allow':
        return items.length === 1 ? { is: 'rule' } : items.length === 3 ? words('{') : NOTHING;
      case 'expect':
        return steps ? expectation(items.slice(1), names) : NOTHING;
    }
  }
  if (!steps) return NOTHING;
  return isStep || second?.is === 'group' ? step(items, names) : NOTHING;
}

function loop(items: readonly Item[], names: Names): Expected {
  if (items.length === 1) return NOTHING;
  if (items.length === 2) return words('in');
  const stepAt = items.findIndex((item) => isName(item, 'step'));
  if (stepAt > 0) return value(items.slice(stepAt + 1), names, undefined, 'number', ['{']);
  return value(items.slice(3), names, undefined, 'range', ['step', '{']);
}

function step(items: readonly Item[], names: Names): Expected {
  const arrow = items.findIndex((item) => isSign(item, '=>'));
  const allow = items.findIndex((item, i) => i > 0 && isName(item, 'allow') && !isSign(items[i - 1], '.'));
  if (allow > 0) {
    const behind = items.length - allow;
    return behind === 1 ? { is: 'rule' } : behind === 3 ? words('allow') : NOTHING;
  }
  if (arrow >= 0) return outcome(items, arrow, names);
  const last = items.at(-1);
  const [first] = items;
  if (!isName(first)) return NOTHING;
  if (isSign(last, '.')) {
    const selected = items.slice(1, -1).flatMap((item) => (isName(item) ? [item.text] : []));
    return { is: 'operation', actor: first.text, selected };
  }
  if (isOpen(last)) return inCall(items, names, false);
  if (last?.is !== 'group') return NOTHING;
  const name = items.at(-2);
  if (isName(name) && items.length > 2 && (name.text === 'vcpu' || name.text === 'vmpl')) return NOTHING;
  return { is: 'after-step', words: items.length > 2 ? ['=>', 'allow'] : ['allow'] };
}

function outcome(items: readonly Item[], arrow: number, names: Names): Expected {
  const rest = items.slice(arrow + 1);
  const [first, second] = rest;
  if (first === undefined) {
    const [actor] = items;
    const name = items[arrow - 2];
    const kind = isName(actor) ? actorKind(actor.text, names) : undefined;
    const key = kind === 'kernel' ? 'kernel.call' : `${kind}.${isName(name) ? name.text : ''}`;
    return { is: 'outcome', operation: kind === undefined ? undefined : key, from: items[0].from };
  }
  if (isOpen(second) && first.is !== 'group') {
    const given = second.items.flatMap((item) => (isName(item) ? [item.text] : []));
    const last = second.items.at(-1);
    return last === undefined || isSign(last, '|') ? { is: 'fault-bits', fault: first.text, given } : NOTHING;
  }
  return { is: 'after-step', words: ['allow'] };
}

// ---------------------------------------------------------------- expect

function expectation(items: readonly Item[], names: Names): Expected {
  let at = 0;
  let all = false;
  if (isName(items[0], 'all') && items[1]?.is !== 'group') {
    all = true;
    // The range ends where a name follows a value.
    at = 1;
    let complete = false;
    for (; at < items.length; at++) {
      const item = items[at];
      if (complete && isName(item)) break;
      if (item.is === 'group') complete = item.closed;
      else complete = item.is === 'number' || (item.is === 'name' && !isSign(items[at - 1], '.'));
      // `pfn(…)`: the bracket belongs to the name.
      if (isName(item) && items[at + 1]?.is === 'group') complete = false;
    }
    if (at === items.length) {
      if (complete) return { is: 'query', all };
      return value(items.slice(1), names, undefined, 'range', []);
    }
  }
  if (at === items.length) return { is: 'query', all };
  return condition(items.slice(at), names, ['allow']);
}

/** A query and what is said of it. `after`: words that can follow. */
function condition(items: readonly Item[], names: Names, after: string[]): Expected {
  const [query, args] = items;
  if (!isName(query)) return NOTHING;
  let at = 1;
  if (args?.is === 'group') {
    if (isOpen(args)) return inCall(items.slice(0, 2), names, false, { is: 'query', name: query.text });
    at = 2;
  } else if (query.text !== 'log') return NOTHING;
  const asked = items.slice(0, at);
  const rest = items.slice(at);
  if (rest.length === 0) return { is: 'condition', query: query.text, negated: false };
  if (isName(rest[0], 'not') && rest.length === 1) return { is: 'condition', query: query.text, negated: true };
  if (isName(rest.at(-1), 'contains') || isName(rest[0], 'contains') || isName(rest[1], 'contains'))
    return rest.at(-1)?.is === 'string' ? { is: 'after-step', words: after } : NOTHING;
  if (!isName(rest[0], 'is')) return NOTHING;
  const negated = isName(rest[1], 'not');
  const said = rest.slice(negated ? 2 : 1);
  const [first] = said;
  if (first === undefined) return { is: 'word-of-query', query: asked, negated };
  if (isOpen(first) && first.open === '{') return field(first, asked, names);
  const allow = said.findIndex((item, i) => i > 0 && isName(item, 'allow'));
  if (allow > 0) return said.length === allow + 1 ? { is: 'rule' } : NOTHING;
  const last = said.at(-1);
  if (last?.is === 'group') return isOpen(last) ? inCall(said, names, true) : { is: 'after-step', words: after };
  if (last?.is === 'sign') return value(said, names, undefined, 'value', after);
  if (said.length === 1 && isName(first) && !first.text.startsWith('not'))
    return { is: 'field-value', query: asked, field: first.text, after };
  return { is: 'after-step', words: after };
}

function field(group: Group, query: Item[], names: Names): Expected {
  const parts = split(group.items);
  const given = parts
    .slice(0, -1)
    .flatMap((part) => part.flatMap((item) => (isName(item) ? [item.text] : [])).slice(0, 2));
  let now = parts.at(-1) as Item[];
  const negated = isName(now[0], 'not');
  if (negated) now = now.slice(1);
  if (now.length === 0) return { is: 'field', query, given: given.filter((name) => name !== 'not'), negated };
  const [first] = now;
  if (now.length === 1 && isName(first)) return { is: 'field-value', query, field: first.text, after: [] };
  if (isOpen(now.at(-1))) return inCall(now.slice(1), names, true);
  return NOTHING;
}

// ---------------------------------------------------------------- invariants

function invariant(items: readonly Item[]): Expected {
  const [first, second, , fourth] = items;
  const names: Names = { isGuest: () => false };
  if (first === undefined) return words('forall');
  if (!isName(first, 'forall')) return NOTHING;
  const colon = items.findIndex((item) => isSign(item, ':'));
  if (colon < 0) {
    if (items.length === 1) return words('page', 'gpa');
    if (items.length === 3) return isName(second, 'gpa') ? words('of') : words(':');
    if (items.length === 4 && isName(fourth, 'of')) return { is: 'words', words: ['@guests'] };
    return items.length === 5 ? words(':') : NOTHING;
  }
  return formula(items.slice(colon + 1), names);
}

const JOINTS = ['and', 'or', 'implies'];

function formula(items: readonly Item[], names: Names): Expected {
  let start = items.findLastIndex((item) => item.is === 'name' && JOINTS.includes(item.text)) + 1;
  // `not rmp(…)`, but `is not shared`.
  if (isName(items[start], 'not')) start++;
  const rest = items.slice(start);
  const [first] = rest;
  if (first === undefined) return { is: 'claim' };
  if (isOpen(first)) return formula(first.items, names);
  if (first.is === 'group') return words(...JOINTS);
  return condition(rest, names, JOINTS);
}

// ---------------------------------------------------------------- values

/** In the open bracket at the end of these items. `callee` where it is known. */
function inCall(items: readonly Item[], names: Names, nested: boolean, callee?: Callee): Expected {
  const last = items.at(-1) as Group;
  const what = callee ?? calleeOf(items, names, nested);
  const parts = split(last.items);
  const call: OpenCall | undefined = what === undefined ? undefined : { callee: what, parts, from: last.from };
  return value(parts.at(-1) as Item[], names, call, 'value', []);
}

const OPERATORS = new Set(['+', '-', '*', '/', '%', '&', '|', '<<', '>>', '~', '..']);

function value(
  items: readonly Item[],
  names: Names,
  call: OpenCall | undefined,
  kind: Wanted['kind'],
  after: string[],
): Expected {
  const wanted: Wanted = { call, kind };
  const last = items.at(-1);
  if (last === undefined) return { is: 'value', wanted, ranges: true };
  if (isOpen(last)) return inCall(items, names, true);
  if (last.is === 'sign')
    return OPERATORS.has(last.text) ? { is: 'value', wanted: { call, kind }, ranges: false } : NOTHING;
  if (items.length === 1 && isName(last) && namedOperand(call, last.text) !== undefined)
    return { is: 'value', wanted, ranges: true };
  return { is: 'after-value', wanted, words: after };
}

/** The operand that is given as `name value`. */
export function namedOperand(call: OpenCall | undefined, name: string): Operand | undefined {
  if (call?.callee.is !== 'operation') return undefined;
  return call.callee.spec.operands.find((operand) => operand.name === name && operand.form !== 'flag');
}
