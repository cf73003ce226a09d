/**
 * Initialisers (C11 6.7.9): designators, nested braces and their elision, strings for character arrays, GCC's ranges `[a ... b] =` and old
 * `name: value`. The result is flat: values by slot.
 */
import { findMember, slotsOf } from './layout.ts';
import { message } from './messages.ts';
import type { Parser } from './parse-cursor.ts';
import { parseAssignment, parseConstant } from './parse-expression.ts';
import { convert, number, resolved } from './parse-typing.ts';
import type { Expression, Initializer, InitializerEntry } from './syntax.ts';
import { arrayOf, type CType, INT, isAggregate, isRecord, type Member, renderType, sameType } from './types.ts';

/** A simulated object holds at most this many initialised elements by range or string. */
const MAX_ENTRIES = 1 << 16;

/** An aggregate that is being filled: the next element to take a value. */
interface Frame {
  type: CType;
  slot: number;
  index: number;
}
interface Target {
  type: CType;
  slot: number;
  bits?: Member['bits'];
}

/** initializer = "{" list "}" | assignment */
export function parseInitializer(p: Parser, declared: CType): Initializer {
  const type = resolved(p, declared);
  const entries: InitializerEntry[] = [];
  const start = p.token;
  if (!p.is('{')) {
    if (isCharArray(type) && p.token.kind === 'string') {
      const length = fillString(p, type, 0, entries);
      return finish(type, entries, length);
    }
    const value = convert(p, parseAssignment(p), type);
    return { type, entries: [{ slot: 0, type, value }], zero: false };
  }
  if (!isAggregate(type)) {
    // int x = { 5 };
    p.advance();
    const value = p.is('}') ? number(p.originFrom(start), 0n, INT) : parseAssignment(p);
    p.accept(',');
    p.expect('}');
    return { type, entries: [{ slot: 0, type, value: convert(p, value, type) }], zero: false };
  }
  const length = parseList(p, type, 0, entries);
  return finish(type, entries, length);
}

/** Gives an array without a length the one its initialiser has, and says whether anything is left to be zeroed. */
function finish(type: CType, entries: InitializerEntry[], length: number): Initializer {
  const complete = type.kind === 'array' && type.length < 0 ? { ...arrayOf(type.of, length) } : type;
  const covered = new Set<number>();
  for (const e of entries) {
    if (e.bits !== undefined) continue;
    for (let i = 0; i < slotsOf(e.type); i++) covered.add(e.slot + i);
  }
  return { type: complete, entries, zero: covered.size < slotsOf(complete) };
}

const isCharArray = (t: CType): t is CType & { kind: 'array' } =>
  t.kind === 'array' && t.of.kind === 'int' && t.of.width === 8;

/** The characters of a string literal as entries; returns the array's length. */
function fillString(p: Parser, type: CType & { kind: 'array' }, slot: number, entries: InitializerEntry[]): number {
  const literal = parseAssignment(p);
  if (literal.kind !== 'string') {
    p.fail(message.notConstant('the initialiser of an array'), literal.origin);
    return 0;
  }
  const { text } = literal;
  const length = type.length < 0 ? text.length + 1 : type.length;
  for (let i = 0; i < Math.min(length, text.length, MAX_ENTRIES); i++) {
    const value = convert(p, number(literal.origin, BigInt(text.charCodeAt(i)), INT), type.of);
    entries.push({ slot: slot + i, type: type.of, value });
  }
  return length;
}

/** list = "{" (designator* initializer ("," …)* ","?)? "}" ; returns how many elements an array of unknown length gets */
function parseList(p: Parser, type: CType, slot: number, entries: InitializerEntry[]): number {
  if (!p.enter()) return 0;
  p.expect('{');
  let longest = 0;
  let path: Frame[] = [{ type, slot, index: 0 }];
  while (!p.atEnd() && !p.is('}')) {
    let repeat = 1;
    if (p.is('.') || p.is('[') || (p.isIdentifier() && p.peek().text === ':')) {
      const designated = parseDesignators(p, { type, slot, index: 0 });
      path = designated.path;
      repeat = designated.repeat;
    }
    const first = entries.length;
    const top = path[path.length - 1];
    const target = elementOf(p, top);
    if (target === undefined) {
      // More values than members: GCC warns and drops them.
      if (p.is('{')) parseList(p, INT, 0, []);
      else parseAssignment(p);
    } else {
      parseElement(p, path, target, entries);
      if (repeat > 1) repeatElement(p, target, entries, first, repeat);
    }
    const outer = path[0];
    longest = Math.max(longest, outer.index + (path.length === 1 ? repeat : 1));
    advance(p, path, path.length === 1 ? repeat : 1);
    if (!p.accept(',')) break;
  }
  p.expect('}');
  p.leave();
  return longest;
}

/** One value, or a braced list, for `target`; goes down into nested aggregates whose braces are left out. */
function parseElement(p: Parser, path: Frame[], wanted: Target, entries: InitializerEntry[]): void {
  let target: Target | undefined = wanted;
  if (p.is('{')) {
    if (isAggregate(target.type)) parseList(p, target.type, target.slot, entries);
    else {
      const inner = parseInitializer(p, target.type);
      push(entries, target, inner.entries[0].value);
    }
    return;
  }
  if (isCharArray(target.type) && p.token.kind === 'string') {
    fillString(p, target.type, target.slot, entries);
    return;
  }
  const value = parseAssignment(p);
  for (let depth = 0; target !== undefined && isAggregate(target.type) && depth < 64; depth++) {
    if (isRecord(target.type) && sameType(target.type, value.type)) break;
    if (isCharArray(target.type) && value.kind === 'string') break;
    path.push({ type: target.type, slot: target.slot, index: 0 });
    target = elementOf(p, path[path.length - 1]);
  }
  if (target === undefined || p.failure !== undefined) return;
  if (target.type.kind === 'array') {
    const text = value.kind === 'string' ? value.text : '';
    for (let i = 0; i < Math.min(text.length, target.type.length, MAX_ENTRIES); i++) {
      entries.push({
        slot: target.slot + i,
        type: target.type.of,
        value: convert(p, number(value.origin, BigInt(text.charCodeAt(i)), INT), target.type.of),
      });
    }
    return;
  }
  push(entries, target, convert(p, value, target.type));
}

function push(entries: InitializerEntry[], target: Target, value: Expression): void {
  const entry: InitializerEntry = { slot: target.slot, type: target.type, value };
  if (target.bits !== undefined) entry.bits = target.bits;
  entries.push(entry);
}

/** The element a frame is at; undefined behind its last one. */
function elementOf(p: Parser, frame: Frame): Target | undefined {
  const { type, index, slot } = frame;
  if (type.kind === 'array') {
    if (type.length >= 0 && index >= type.length) return undefined;
    const of = resolved(p, type.of);
    return { type: of, slot: slot + index * slotsOf(of) };
  }
  if (!isRecord(type) || index >= (type.kind === 'union' ? Math.max(index + 1, 1) : type.members.length))
    return undefined;
  const member = type.members[index];
  if (member === undefined) return undefined;
  const target: Target = { type: resolved(p, member.type), slot: slot + member.slot };
  if (member.bits !== undefined) target.bits = member.bits;
  return target;
}

/** To the next element: leaves aggregates that are full. */
function advance(p: Parser, path: Frame[], by: number): void {
  path[path.length - 1].index += by;
  while (path.length > 1) {
    const top = path[path.length - 1];
    // A union takes one value.
    const full = top.type.kind === 'union' || elementOf(p, top) === undefined;
    if (!full) return;
    path.pop();
    path[path.length - 1].index++;
  }
  if (path[0].type.kind === 'union') path[0].index = Number.MAX_SAFE_INTEGER;
}

/** designators = ("." name | "[" constant ("..." constant)? "]")+ "=" | name ":" */
function parseDesignators(p: Parser, outer: Frame): { path: Frame[]; repeat: number } {
  const path: Frame[] = [];
  let current: Target = { type: outer.type, slot: outer.slot };
  let repeat = 1;
  const old = p.isIdentifier();
  while (!p.atEnd() && !p.is('=') && !p.is(':')) {
    const type = current.type;
    const start = p.token;
    if (p.accept('[')) {
      const low = parseConstant(p, 'an index');
      const high = p.accept('...') ? parseConstant(p, 'an index') : low;
      p.expect(']');
      if (low === undefined || high === undefined) break;
      if (
        type.kind !== 'array' ||
        low < 0n ||
        high < low ||
        high >= BigInt(type.length < 0 ? MAX_ENTRIES : type.length) ||
        high - low >= BigInt(MAX_ENTRIES)
      ) {
        p.fail(message.outside(String(high), renderType(type)), p.originFrom(start));
        break;
      }
      repeat = Number(high - low) + 1;
      path.push({ type, slot: current.slot, index: Number(low) });
    } else {
      if (!old) p.expect('.');
      const name = p.token;
      if (!p.isIdentifier()) {
        p.fail(message.expected('a member name', p.found()));
        break;
      }
      p.advance();
      if (!descend(path, current, name.text)) {
        p.fail(message.noMember(renderType(type), name.text), p.originFrom(start));
        break;
      }
    }
    const next = elementOf(p, path[path.length - 1]);
    if (next === undefined) break;
    current = next;
  }
  if (old) p.expect(':');
  else p.expect('=');
  return { path: path.length === 0 ? [{ ...outer, index: Number.MAX_SAFE_INTEGER }] : path, repeat };
}

/** Adds the frames that lead to a member, through anonymous records. */
function descend(path: Frame[], from: Target, name: string): boolean {
  let { type, slot } = from;
  for (let depth = 0; depth < 32 && isRecord(type); depth++) {
    const index: number = type.members.findIndex(
      (m) => m.name === name || (m.name === '' && isRecord(m.type) && findMember(m.type, name) !== undefined),
    );
    if (index < 0) return false;
    path.push({ type, slot, index });
    const member: Member = type.members[index];
    if (member.name === name) return true;
    slot += member.slot;
    type = member.type;
  }
  return false;
}

/** `[a ... b] = value`: the same entries again, further on. */
function repeatElement(p: Parser, target: Target, entries: InitializerEntry[], first: number, repeat: number): void {
  const made = entries.slice(first);
  const step = slotsOf(target.type);
  if (made.length * repeat > MAX_ENTRIES) {
    p.fail(message.objectTooBig('the initialiser'));
    return;
  }
  for (let i = 1; i < repeat; i++) for (const entry of made) entries.push({ ...entry, slot: entry.slot + i * step });
}
