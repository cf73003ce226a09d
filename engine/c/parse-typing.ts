/**
 * Makes typed expression nodes: conversions (C11 6.3), the type rules of each operator (6.5), and constant folding on the way up.
 *
 * A wrong operand does not stop anything: the node becomes a `problem` that traps if it is reached.
 */
import type { Origin } from '../vm/bytecode.ts';
import { foldBinary, foldComparison, foldUnary } from './constant-expression.ts';
import { isComplete, slotsOf } from './layout.ts';
import { message, Rule } from './messages.ts';
import { joined, MAX_HEIGHT, type Parser } from './parse-cursor.ts';
import type { ArithmeticOperator, CastExpression, Expression, ProblemExpression } from './syntax.ts';
import {
  type CType,
  commonType,
  INT,
  isBytePointer,
  isInteger,
  isRecord,
  isScalar,
  LONG,
  layoutCompatible,
  pointerTo,
  promote,
  renderType,
  sameType,
  tooDeep,
  ULONG,
  VOID,
  wrap,
} from './types.ts';

export function problem(origin: Origin, rule: string, text: string, type: CType = INT): ProblemExpression {
  return { kind: 'problem', origin, type, rule, message: text, height: 1 };
}
export const number = (origin: Origin, value: bigint, type: CType): Expression => ({
  kind: 'number',
  origin,
  type,
  value,
  height: 1,
});

export const above = (...parts: Expression[]): number => parts.reduce((h, e) => Math.max(h, e.height), 0) + 1;

/** A node whose tree has grown too high fails the statement: everything that walks a tree may recurse. */
export function bounded<E extends Expression>(p: Parser, e: E): E {
  if (e.height > MAX_HEIGHT) p.fail(message.tooDeep(), e.origin);
  return e;
}

/** Bits of a bit-field lvalue, for its promotion. */
const bitsOf = (e: Expression): number | undefined => (e.kind === 'member' ? e.bits?.width : undefined);

/** Arrays and functions become pointers where a value is meant (C11 6.3.2.1). */
export function decay(e: Expression): Expression {
  if (e.type.kind === 'array') {
    return { kind: 'address', origin: e.origin, type: pointerTo(e.type.of), operand: e, height: e.height + 1 };
  }
  if (e.type.kind === 'function') {
    return { kind: 'address', origin: e.origin, type: pointerTo(e.type), operand: e, height: e.height + 1 };
  }
  return e;
}

/** Value of `e` after the integer promotions. */
export function promoted(p: Parser, e: Expression): Expression {
  const v = decay(e);
  return isInteger(v.type) ? convert(p, v, promote(v.type, bitsOf(v))) : v;
}

const isNull = (e: Expression): boolean =>
  e.value === 0n && (isInteger(e.type) || (e.type.kind === 'pointer' && e.type.to.kind === 'void'));

/** Converts a value to a type: what an assignment, an argument, a return or a cast does. */
export function convert(p: Parser, source: Expression, type: CType, explicit = false): Expression {
  const e = decay(source);
  if (e.kind === 'problem') return e;
  const from = e.type;
  if (type.kind === 'void')
    return { kind: 'cast', origin: e.origin, type: VOID, operand: e, explicit, height: e.height + 1 };
  if (from === type) return e;
  if (isRecord(type) || isRecord(from) || type.kind === 'array' || type.kind === 'function' || from.kind === 'void') {
    if (sameType(from, type)) return e;
    return problem(e.origin, Rule.Type, message.conversion(renderType(from), renderType(type)), type);
  }
  if (isInteger(from) && isInteger(type) && intEquals(from, type)) {
    if (!explicit) return e;
  }
  const node: CastExpression = { kind: 'cast', origin: e.origin, type, operand: e, explicit, height: e.height + 1 };
  if (e.value !== undefined) {
    const folded: Expression = { kind: 'number', origin: e.origin, type, value: wrap(e.value, type), height: 1 };
    if (e.kind === 'number' && e.slots !== undefined) folded.slots = e.slots;
    return folded;
  }
  // A pointer that is only converted on the way to another type is never used as what it briefly was.
  node.operand = beforeBadCast(e);
  return bounded(p, node);
}

const intEquals = (a: CType, b: CType): boolean => a.kind !== 'enum' && b.kind !== 'enum' && sameType(a, b);

/** Does this cast make a pointer to memory that is laid out differently? Such a pointer must not be used. */
export function badCast(e: Expression): boolean {
  if (e.kind !== 'cast' || e.type.kind !== 'pointer' || e.operand.type.kind !== 'pointer') return false;
  if (isBytePointer(e.type) || isBytePointer(e.operand.type)) return false;
  return !layoutCompatible(e.operand.type.to, e.type.to);
}

/** What a pointer was before it was converted to one that must not be used. */
const beforeBadCast = (e: Expression): Expression => (e.kind === 'cast' && badCast(e) ? e.operand : e);

const notScalar = (e: Expression): Expression => problem(e.origin, Rule.Type, message.notScalar(renderType(e.type)));

/** A value that is tested: scalar, not converted to bool, since a branch asks for non-zero only. */
export function condition(e: Expression): Expression {
  const v = decay(e);
  if (v.kind === 'problem' || isScalar(v.type)) return beforeBadCast(v);
  return notScalar(v);
}

/** `-e`, `~e`, `+e`, `!e` */
export function unary(p: Parser, operator: '-' | '~' | '+' | '!', operand: Expression, origin: Origin): Expression {
  if (operator === '!') {
    const e = condition(operand);
    if (e.kind === 'problem') return e;
    const node: Expression = { kind: 'unary', origin, type: INT, operator, operand: e, height: e.height + 1 };
    if (e.value !== undefined) node.value = e.value === 0n ? 1n : 0n;
    return bounded(p, node);
  }
  const e = promoted(p, operand);
  if (e.kind === 'problem') return e;
  if (!isInteger(e.type)) return problem(origin, Rule.Type, message.notScalar(renderType(e.type)));
  if (operator === '+') return { ...e, origin };
  const value = foldUnary(operator, e);
  if (value !== undefined) return number(origin, value, e.type);
  return bounded(p, { kind: 'unary', origin, type: e.type, operator, operand: e, height: e.height + 1 });
}

/** `left op right` for arithmetic, with pointer arithmetic for + and -. */
export function binary(p: Parser, operator: ArithmeticOperator, a: Expression, b: Expression): Expression {
  let left = promoted(p, a);
  let right = promoted(p, b);
  const origin = joined(a, b);
  if (left.kind === 'problem') return left;
  if (right.kind === 'problem') return right;
  if (left.type.kind === 'pointer' || right.type.kind === 'pointer') {
    if (operator === '+' && isInteger(right.type)) return pointerAdd(p, left, right, false, origin);
    if (operator === '+' && isInteger(left.type)) return pointerAdd(p, right, left, false, origin);
    if (operator === '-' && isInteger(right.type)) return pointerAdd(p, left, right, true, origin);
    if (operator === '-' && left.type.kind === 'pointer' && right.type.kind === 'pointer')
      return pointerDifference(left, right, origin);
  }
  if (!isInteger(left.type) || !isInteger(right.type)) {
    return problem(origin, Rule.Type, message.operands(operator, renderType(left.type), renderType(right.type)));
  }
  let type: CType;
  if (operator === '<<' || operator === '>>') type = left.type;
  else {
    type = commonType(left.type, right.type);
    left = convert(p, left, type);
    right = convert(p, right, type);
  }
  const node: Expression = { kind: 'binary', origin, type, operator, left, right, height: above(left, right) };
  const value = foldBinary(operator, type, left, right);
  if (value !== undefined) {
    const folded = { kind: 'number', origin, type, value, height: 1 } as const;
    const slots = foldedSlots(operator, left, right);
    return slots === undefined ? folded : { ...folded, slots };
  }
  return bounded(p, node);
}

/** `n * sizeof(T)` and sums of such keep their measure in slots. */
function foldedSlots(operator: ArithmeticOperator, left: Expression, right: Expression): number | undefined {
  if (left.kind !== 'number' || right.kind !== 'number') return undefined;
  if (operator === '*') {
    if (left.slots !== undefined && right.slots === undefined) return left.slots * Number(right.value);
    if (right.slots !== undefined && left.slots === undefined) return right.slots * Number(left.value);
  }
  if (left.slots === undefined || right.slots === undefined) return undefined;
  return operator === '+' ? left.slots + right.slots : operator === '-' ? left.slots - right.slots : undefined;
}

/** Slots that one step of a pointer covers; undefined where memory would be counted in bytes. */
export function stepOf(p: Parser, pointer: CType, index: Expression): { step: number; index: Expression } | undefined {
  if (pointer.kind !== 'pointer') return undefined;
  const to = resolved(p, pointer.to);
  if (to.kind === 'void' || (isBytePointer(pointer) && index.kind === 'number' && index.slots !== undefined)) {
    // `(void *)p + offsetof(…)` and the like: the distance is known in slots.
    if (index.kind === 'number' && index.slots !== undefined)
      return { step: 1, index: number(index.origin, BigInt(index.slots), LONG) };
    if (index.value === 0n) return { step: 1, index };
    return undefined;
  }
  if (to.kind === 'function' || !isComplete(to)) return undefined;
  return { step: slotsOf(to), index };
}

function pointerAdd(p: Parser, pointer: Expression, count: Expression, subtract: boolean, origin: Origin): Expression {
  const scaled = stepOf(p, pointer.type, count);
  if (scaled === undefined) {
    const to = pointer.type.kind === 'pointer' ? pointer.type.to : pointer.type;
    if (to.kind === 'void') return problem(origin, Rule.Unsupported, message.byteArithmetic(), pointer.type);
    return problem(origin, Rule.Type, message.incomplete(renderType(to)), pointer.type);
  }
  const { step, index } = scaled;
  return bounded(p, {
    kind: 'pointer-add',
    origin,
    type: pointer.type,
    pointer,
    index,
    subtract,
    step,
    height: above(pointer, index),
  });
}

function pointerDifference(left: Expression, right: Expression, origin: Origin): Expression {
  const to = left.type.kind === 'pointer' ? left.type.to : left.type;
  if (to.kind === 'void' || !isComplete(to) || slotsOf(to) === 0)
    return problem(origin, Rule.Unsupported, message.byteArithmetic(), LONG);
  return { kind: 'pointer-difference', origin, type: LONG, left, right, step: slotsOf(to), height: above(left, right) };
}

/** `== != < > <= >=` */
export function comparison(
  p: Parser,
  operator: '==' | '!=' | '<' | '>' | '<=' | '>=',
  a: Expression,
  b: Expression,
): Expression {
  let left = promoted(p, a);
  let right = promoted(p, b);
  const origin = joined(a, b);
  if (left.kind === 'problem') return left;
  if (right.kind === 'problem') return right;
  if (!isScalar(left.type) || !isScalar(right.type)) {
    return problem(origin, Rule.Type, message.operands(operator, renderType(left.type), renderType(right.type)));
  }
  if (left.type.kind === 'pointer' || right.type.kind === 'pointer') {
    left = beforeBadCast(left);
    right = beforeBadCast(right);
    if (left.type.kind !== 'pointer') left = convert(p, left, right.type);
    if (right.type.kind !== 'pointer') right = convert(p, right, left.type);
  } else {
    const type = commonType(left.type, right.type);
    left = convert(p, left, type);
    right = convert(p, right, type);
  }
  const swap = operator === '>' || operator === '>=';
  const op = operator === '>' ? '<' : operator === '>=' ? '<=' : operator;
  if (swap) [left, right] = [right, left];
  const value = foldComparison(op, left, right);
  if (value !== undefined) return number(origin, value, INT);
  return bounded(p, { kind: 'comparison', origin, type: INT, operator: op, left, right, height: above(left, right) });
}

/** `&&`, `||`: a constant left operand decides, a constant right one does not (the left has effects). */
export function logical(p: Parser, operator: '&&' | '||', a: Expression, b: Expression): Expression {
  const left = condition(a);
  const right = condition(b);
  const origin = joined(a, b);
  if (left.kind === 'problem') return left;
  const node: Expression = { kind: 'logical', origin, type: INT, operator, left, right, height: above(left, right) };
  if (left.value !== undefined) {
    const decided = (left.value !== 0n) === (operator === '||');
    if (decided) return number(origin, operator === '||' ? 1n : 0n, INT);
    if (right.value !== undefined) return number(origin, right.value !== 0n ? 1n : 0n, INT);
  }
  return bounded(p, node);
}

/** `condition ? then : otherwise`; `then` is absent in `a ?: b`. */
export function conditional(
  p: Parser,
  test: Expression,
  thenPart: Expression | undefined,
  elsePart: Expression,
): Expression {
  const c = condition(test);
  if (c.kind === 'problem') return c;
  const origin = joined(test, elsePart);
  let a = promoted(p, thenPart ?? test);
  let b = promoted(p, elsePart);
  const known = c.value === undefined ? undefined : c.value !== 0n;
  // A branch that cannot be taken may hold a problem; one that can traps only when it is taken.
  if (a.kind === 'problem' && b.kind !== 'problem') a = { ...a, type: b.type };
  else if (b.kind === 'problem' && a.kind !== 'problem') b = { ...b, type: a.type };
  let type: CType;
  if (isInteger(a.type) && isInteger(b.type)) type = commonType(a.type, b.type);
  else if (a.type.kind === 'void' || b.type.kind === 'void') type = VOID;
  else if (a.type.kind === 'pointer' && b.type.kind === 'pointer') {
    if (isNull(a)) type = b.type;
    else if (isNull(b)) type = a.type;
    else type = a.type.to.kind === 'void' ? a.type : b.type.to.kind === 'void' ? b.type : a.type;
  } else if (a.type.kind === 'pointer' && isInteger(b.type)) type = a.type;
  else if (b.type.kind === 'pointer' && isInteger(a.type)) type = b.type;
  else if (sameType(a.type, b.type)) type = a.type;
  else return problem(origin, Rule.Type, message.operands('?:', renderType(a.type), renderType(b.type)));
  a = convert(p, a, type);
  b = convert(p, b, type);
  if (known !== undefined) {
    const taken = known ? a : b;
    // `x ?: y` with a constant x, or a constant condition: the other branch does not exist.
    return taken.value === undefined ? { ...taken, origin } : number(origin, taken.value, type);
  }
  return bounded(p, {
    kind: 'conditional',
    origin,
    type,
    condition: c,
    consequent: thenPart === undefined ? undefined : a,
    otherwise: b,
    height: above(c, a, b),
  });
}

export function isLvalue(e: Expression): boolean {
  switch (e.kind) {
    case 'variable':
    case 'dereference':
    case 'compound-literal':
    case 'string':
      return true;
    case 'member':
      return isLvalue(e.record);
    default:
      return false;
  }
}

/** `target = source` */
export function assignment(p: Parser, target: Expression, source: Expression): Expression {
  const origin = joined(target, source);
  if (target.kind === 'problem') return target;
  if (!isLvalue(target) || target.type.kind === 'array' || target.type.kind === 'function') {
    return problem(origin, Rule.Type, message.notAnObject('the left side of `=`'));
  }
  const value = convert(p, source, target.type);
  if (value.kind === 'problem') return value;
  return bounded(p, {
    kind: 'assignment',
    origin,
    type: target.type,
    target,
    source: value,
    height: above(target, value),
  });
}

/** `target op= operand`, `++`, `--` */
export function compound(
  p: Parser,
  operator: ArithmeticOperator,
  target: Expression,
  by: Expression,
  origin: Origin,
  yieldsOld = false,
): Expression {
  if (target.kind === 'problem') return target;
  let operand = promoted(p, by);
  if (operand.kind === 'problem') return operand;
  if (!isLvalue(target) || !isScalar(target.type))
    return problem(origin, Rule.Type, message.notAnObject(`the left side of \`${operator}=\``));
  const node = { kind: 'compound', origin, type: target.type, operator, target, yieldsOld, step: 1 } as const;
  if (target.type.kind === 'pointer') {
    const scaled = stepOf(p, target.type, operand);
    if (scaled === undefined || (operator !== '+' && operator !== '-') || !isInteger(operand.type)) {
      return problem(origin, Rule.Unsupported, message.byteArithmetic(), target.type);
    }
    const { step, index } = scaled;
    return bounded(p, { ...node, operand: index, step, computeType: target.type, height: above(target, index) });
  }
  if (!isInteger(operand.type))
    return problem(
      origin,
      Rule.Type,
      message.operands(`${operator}=`, renderType(target.type), renderType(operand.type)),
    );
  const own = promote(target.type, bitsOf(target));
  const shift = operator === '<<' || operator === '>>';
  const computeType = shift ? own : commonType(own, operand.type);
  if (!shift) operand = convert(p, operand, computeType);
  return bounded(p, { ...node, operand, computeType, height: above(target, operand) });
}

/** `&e` */
export function address(p: Parser, e: Expression, origin: Origin): Expression {
  if (e.kind === 'problem') return e;
  if (e.kind === 'dereference') return { ...e.operand, origin };
  if (e.kind === 'function')
    return { kind: 'address', origin, type: pointerTo(e.type), operand: e, height: e.height + 1 };
  if (!isLvalue(e) || (e.kind === 'member' && e.bits !== undefined))
    return problem(origin, Rule.Type, message.notAnObject('the operand of `&`'));
  if (tooDeep(e.type)) p.fail(message.tooDeep(), origin);
  return bounded(p, { kind: 'address', origin, type: pointerTo(e.type), operand: e, height: e.height + 1 });
}

/** `*e` */
export function dereference(p: Parser, operand: Expression, origin: Origin): Expression {
  const e = decay(operand);
  if (e.kind === 'problem') return e;
  if (e.type.kind !== 'pointer') return problem(origin, Rule.Type, message.notAPointer(renderType(e.type)));
  if (e.kind === 'address') return { ...e.operand, origin };
  return bounded(p, { kind: 'dereference', origin, type: resolved(p, e.type.to), operand: e, height: e.height + 1 });
}

/** A record that was only declared where its pointer was named, as this scope knows it in full. */
export function resolved(p: Parser, type: CType): CType {
  if (!isRecord(type) || type.complete || type.tag === undefined) return type;
  const complete = p.scope.completeTag(type.tag);
  return complete !== undefined && complete.kind === type.kind ? complete : type;
}

export const sizeType = ULONG;
