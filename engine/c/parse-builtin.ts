/**
 * GCC's built-ins, and the kernel's macros whose definitions count bytes (`container_of`, `offsetof`): those are read as operators, so that
 * they work on slots. A header of the model may define any of the kernel's names itself; a macro or function of that name then comes first,
 * except for the memory functions, which always work by static type.
 */
import type { Origin } from '../vm/bytecode.ts';
import { findMember, isComplete, sizeOf, slotsOf } from './layout.ts';
import { message, Rule } from './messages.ts';
import type { Parser } from './parse-cursor.ts';
import { parseTypeName, startsType } from './parse-declaration.ts';
import { nothing, parseArguments, parseAssignment, parseConditional, parseExpression } from './parse-expression.ts';
import {
  above,
  assignment,
  bounded,
  convert,
  decay,
  number,
  problem,
  promoted,
  resolved,
  sizeType,
  unary,
} from './parse-typing.ts';
import type { Expression } from './syntax.ts';
import {
  type CType,
  INT,
  isRecord,
  isScalar,
  LONG,
  layoutCompatible,
  pointerTo,
  renderType,
  sameType,
  VOID,
  VOID_POINTER,
} from './types.ts';

type Reader = (p: Parser, name: string, origin: () => Origin) => Expression;

/** Each reads what stands between the parentheses; the closing one is taken by {@link parseBuiltin}. */
const READERS: Record<string, Reader> = {
  __builtin_expect: (p, _name, origin) => {
    const [value] = parseArguments(p);
    return value === undefined ? missing(p, origin()) : convert(p, value, LONG);
  },
  likely: truth,
  unlikely: truth,
  __builtin_constant_p: (p, _name, origin) => {
    const e = parseExpression(p);
    return number(
      origin(),
      e.value !== undefined || e.kind === 'string' || (e.kind === 'address' && e.operand.kind === 'string') ? 1n : 0n,
      INT,
    );
  },
  __builtin_types_compatible_p: (p, _name, origin) => {
    const a = typeOperand(p);
    p.expect(',');
    const b = typeOperand(p);
    return number(origin(), sameType(a, b) ? 1n : 0n, INT);
  },
  __builtin_choose_expr: (p, _name, origin) => {
    const test = parseConditional(p);
    p.expect(',');
    const yes = parseAssignment(p);
    p.expect(',');
    const no = parseAssignment(p);
    if (test.value === undefined)
      return problem(origin(), Rule.Type, message.notConstant('the first operand of __builtin_choose_expr'));
    return test.value !== 0n ? yes : no;
  },
  __builtin_offsetof: offsetOf,
  offsetof: offsetOf,
  container_of: containerOf,
  container_of_const: containerOf,
  __builtin_container_of: containerOf,
  READ_ONCE: (p) => parseExpression(p),
  WRITE_ONCE: (p) => {
    const target = parseAssignment(p);
    p.expect(',');
    return assignment(p, target, parseAssignment(p));
  },
  BUILD_BUG_ON: (p, _name, origin) => {
    const start = p.token;
    const e = parseExpression(p);
    const text = p.tokens
      .slice(p.tokens.indexOf(start), p.position)
      .map((t) => (t.spaceBefore ? ` ${t.text}` : t.text))
      .join('')
      .trim();
    return assertion(e, e.value === undefined ? undefined : e.value === 0n, `BUILD_BUG_ON(${text})`, origin());
  },
  __builtin_unreachable: effect,
  __builtin_trap: effect,
  __builtin_object_size: (p, _name, origin) => {
    parseArguments(p);
    return number(origin(), (1n << 64n) - 1n, sizeType);
  },
  __builtin_return_address: (p, _name, origin) => {
    parseArguments(p);
    return number(origin(), 0n, VOID_POINTER);
  },
  __builtin_va_start: varargs,
  __builtin_va_arg: varargs,
  __builtin_va_end: varargs,
  __builtin_va_copy: varargs,
  va_start: varargs,
  va_arg: varargs,
  va_end: varargs,
  va_copy: varargs,
};
for (const [name, bits] of [
  ['', 32],
  ['l', 64],
  ['ll', 64],
] as const) {
  READERS[`__builtin_popcount${name}`] = bitCount(
    (v) => BigInt([...v.toString(2)].filter((c) => c === '1').length),
    bits,
  );
  READERS[`__builtin_ffs${name}`] = bitCount((v) => (v === 0n ? 0n : BigInt(trailingZeros(v) + 1)), bits);
  READERS[`__builtin_ctz${name}`] = bitCount((v) => (v === 0n ? undefined : BigInt(trailingZeros(v))), bits);
  READERS[`__builtin_clz${name}`] = bitCount((v) => (v === 0n ? undefined : BigInt(bits - v.toString(2).length)), bits);
}

const MEMORY = new Set(['memset', 'memcpy', 'memmove', 'memcmp']);
const withoutPrefix = (name: string): string => name.replace(/^__builtin_/, '');

export const isMemoryFunction = (name: string): boolean => MEMORY.has(withoutPrefix(name));
export const isBuiltin = (name: string): boolean => Object.hasOwn(READERS, name) || isMemoryFunction(name);

/** builtin = name "(" … ")" */
export function parseBuiltin(p: Parser): Expression {
  const start = p.token;
  const name = start.text;
  p.advance();
  p.advance();
  if (!p.enter()) return nothing(p);
  const close = p.matching(p.position - 1);
  const last = p.tokens[close - 1] ?? start;
  const origin = (): Origin => ({
    file: start.file,
    start: start.start,
    end: last.file === start.file ? Math.max(last.end, start.end) : start.end,
  });
  const e = isMemoryFunction(name) ? memoryFunction(p, withoutPrefix(name), origin()) : READERS[name](p, name, origin);
  p.expect(')');
  p.leave();
  return e;
}

const missing = (p: Parser, origin: Origin): Expression => {
  p.fail(message.expected('an argument', '`)`'), origin);
  return nothing(p);
};

function truth(p: Parser): Expression {
  const e = parseExpression(p);
  return unary(p, '!', unary(p, '!', e, e.origin), e.origin);
}

function effect(p: Parser, name: string, origin: () => Origin): Expression {
  parseArguments(p);
  return { kind: 'builtin', origin: origin(), type: VOID, name, arguments: [], height: 1 };
}

function varargs(p: Parser, name: string, origin: () => Origin): Expression {
  for (let depth = 0; !p.atEnd() && !(depth === 0 && p.is(')')); p.advance())
    depth += p.is('(') ? 1 : p.is(')') ? -1 : 0;
  return problem(origin(), Rule.Unsupported, message.unsupported(`\`${name}\` (a variadic function written in C)`));
}

function bitCount(count: (v: bigint) => bigint | undefined, bits: number): Reader {
  return (p, name, origin) => {
    const [e] = parseArguments(p);
    if (e === undefined) return missing(p, origin());
    if (e.value !== undefined) {
      const n = count(BigInt.asUintN(bits, e.value));
      if (n !== undefined) return number(origin(), n, INT);
    }
    return problem(origin(), Rule.Unsupported, message.unsupported(`\`${name}\` on a value that is not constant`));
  };
}

function trailingZeros(v: bigint): number {
  let n = 0;
  for (let rest = v; (rest & 1n) === 0n; rest >>= 1n) n++;
  return n;
}

/** The result of _Static_assert and BUILD_BUG_ON: nothing, or a problem. */
export function assertion(e: Expression, holds: boolean | undefined, text: string, origin: Origin): Expression {
  if (holds === true) return { ...number(origin, 0n, INT), type: VOID };
  if (e.kind === 'problem') return e;
  return problem(origin, Rule.Type, holds === undefined ? message.assertionUnknown() : message.assertion(text), VOID);
}

function typeOperand(p: Parser): CType {
  if (startsType(p, p.token)) return parseTypeName(p);
  p.fail(message.expected('a type', p.found()));
  return INT;
}

interface Place {
  type: CType;
  slot: number;
  offset: number;
}

/** designator = name ("." name | "[" constant "]")* : a member inside a record */
function memberPath(p: Parser, outer: CType): Place | Expression {
  let place: Place = { type: resolved(p, outer), slot: 0, offset: 0 };
  const start = p.token;
  for (let first = true; first || p.is('.') || p.is('['); first = false) {
    if (!first && p.accept('[')) {
      const index = parseExpression(p);
      p.expect(']');
      if (place.type.kind !== 'array' || index.value === undefined)
        return problem(p.originFrom(start), Rule.Type, message.notConstant('an index in offsetof'));
      const of = place.type.of;
      place = {
        type: of,
        slot: place.slot + Number(index.value) * slotsOf(of),
        offset: place.offset + Number(index.value) * sizeOf(of),
      };
      continue;
    }
    if (!first) p.accept('.');
    const name = p.token;
    if (name.kind !== 'identifier') {
      p.fail(message.expected('a member name', p.found()));
      return nothing(p);
    }
    p.advance();
    const record = place.type;
    if (!isRecord(record)) return problem(p.originFrom(start), Rule.Type, message.notARecord(renderType(record)));
    if (!record.complete) return problem(p.originFrom(start), Rule.Type, message.incomplete(renderType(record)));
    const found = findMember(record, name.text);
    if (found === undefined)
      return problem(p.originFrom(start), Rule.Type, message.noMember(renderType(record), name.text));
    place = {
      type: resolved(p, found.member.type),
      slot: place.slot + found.slot,
      offset: place.offset + found.offset,
    };
  }
  return place;
}

/** offsetof "(" type-name "," designator */
function offsetOf(p: Parser, _name: string, origin: () => Origin): Expression {
  const type = typeOperand(p);
  p.expect(',');
  const place = memberPath(p, type);
  if ('kind' in place) return place;
  return {
    kind: 'number',
    origin: origin(),
    type: sizeType,
    value: BigInt(place.offset),
    slots: place.slot,
    height: 1,
  };
}

/** container_of "(" pointer "," type-name "," designator : the record around the member that the pointer points at */
function containerOf(p: Parser, _name: string, origin: () => Origin): Expression {
  const pointer = decay(parseAssignment(p));
  p.expect(',');
  const type = typeOperand(p);
  p.expect(',');
  const place = memberPath(p, type);
  if ('kind' in place) return place;
  const result = pointerTo(resolved(p, type));
  if (pointer.kind === 'problem') return pointer;
  if (pointer.type.kind !== 'pointer')
    return problem(origin(), Rule.Type, message.notAPointer(renderType(pointer.type)), result);
  if (!layoutCompatible(pointer.type.to, place.type)) {
    return problem(origin(), Rule.Type, message.layout(renderType(pointer.type.to), renderType(place.type)), result);
  }
  const raw = convert(p, convert(p, pointer, VOID_POINTER, true), result, true);
  const index = number(origin(), BigInt(place.slot), LONG);
  return bounded(p, {
    kind: 'pointer-add',
    origin: origin(),
    type: result,
    pointer: raw,
    index,
    subtract: true,
    step: 1,
    height: raw.height + 1,
  });
}

/** The object type that a pointer argument was before it became `void *`. */
function pointee(p: Parser, e: Expression): CType {
  let inner = e;
  while (inner.kind === 'cast' && inner.operand.type.kind === 'pointer') inner = inner.operand;
  return inner.type.kind === 'pointer' ? resolved(p, inner.type.to) : VOID;
}

/**
 * memset, memcpy, memmove, memcmp "(" arguments: how many slots follows from the size and the static type of the objects. The node's type
 * arguments are reduced to (destination, source or value, slots).
 */
function memoryFunction(p: Parser, name: string, origin: Origin): Expression {
  const given = parseArguments(p);
  const type = name === 'memcmp' ? INT : VOID_POINTER;
  if (given.length !== 3) return problem(origin, Rule.Type, message.tooFew(name, 3, given.length), type);
  const wrong = given.find((e) => e.kind === 'problem');
  if (wrong !== undefined) return wrong;
  const target = decay(given[0]);
  const source = name === 'memset' ? convert(p, given[1], INT) : decay(given[1]);
  const size = promoted(p, given[2]);
  if (target.type.kind !== 'pointer' || (name !== 'memset' && source.type.kind !== 'pointer') || !isScalar(size.type)) {
    return problem(origin, Rule.Type, message.operands(name, renderType(target.type), renderType(source.type)), type);
  }
  let object = pointee(p, target);
  if (name !== 'memset' && (object.kind === 'void' || !isComplete(object))) object = pointee(p, source);
  const slots = slotCount(p, size, object);
  if (slots === undefined)
    return problem(origin, Rule.Unsupported, message.unsupportedSize(name, renderType(object)), type);
  if (name === 'memset' && source.value !== 0n && !(isByte(object) || source.value === undefined)) {
    return problem(
      origin,
      Rule.Unsupported,
      message.unsupported(`memset of \`${renderType(object)}\` to a value other than 0`),
      type,
    );
  }
  if (name === 'memset' && source.value === undefined && !isByte(object)) {
    return problem(
      origin,
      Rule.Unsupported,
      message.unsupported(`memset of \`${renderType(object)}\` to a value that is not constant`),
      type,
    );
  }
  return bounded(p, {
    kind: 'builtin',
    origin,
    type,
    name,
    arguments: [target, source, slots],
    height: above(target, source, slots),
  });
}

/** One slot a byte: `u8`, `char`, `bool` and arrays of them. */
function isByte(t: CType): boolean {
  if (t.kind === 'array') return isByte(t.of);
  return t.kind === 'bool' || (t.kind === 'int' && t.width === 8);
}

/** A size in bytes as a number of slots of the object; undefined if it is no whole number of objects. */
function slotCount(p: Parser, size: Expression, object: CType): Expression | undefined {
  if (size.kind === 'number' && size.slots !== undefined) return number(size.origin, BigInt(size.slots), LONG);
  let unit = object;
  while (unit.kind === 'array') unit = resolved(p, unit.of);
  if (unit.kind === 'void' || !isComplete(unit)) return undefined;
  const bytes = sizeOf(unit);
  if (bytes === slotsOf(unit)) return convert(p, size, LONG);
  if (size.value !== undefined) {
    if (bytes === 0 || size.value % BigInt(bytes) !== 0n) return undefined;
    return number(size.origin, (size.value / BigInt(bytes)) * BigInt(slotsOf(unit)), LONG);
  }
  // n * sizeof(T) with n known only at run time.
  if (size.kind === 'binary' && size.operator === '*') {
    for (const [factor, count] of [
      [size.left, size.right],
      [size.right, size.left],
    ]) {
      if (factor.kind !== 'number' || factor.slots === undefined || factor.value !== BigInt(bytes)) continue;
      const n = convert(p, count, LONG);
      return {
        kind: 'binary',
        origin: size.origin,
        type: LONG,
        operator: '*',
        left: n,
        right: number(size.origin, BigInt(slotsOf(unit)), LONG),
        height: above(n),
      };
    }
  }
  return undefined;
}
