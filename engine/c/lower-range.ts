/**
 * What values an expression can have, so that conversions that cannot change the value are not made. Bounds are doubles: at 2^63 and 2^64 they
 * are rounded outward, which only makes the answer more careful.
 */
import { Op } from '../vm/bytecode.ts';
import type { Lowering } from './lower-context.ts';
import type { Expression } from './syntax.ts';
import { type CType, intKind, isInteger, isSigned, widthOf } from './types.ts';

export interface Range {
  low: number;
  high: number;
}

const TRUTH: Range = { low: 0, high: 1 };

export function typeRange(t: CType): Range {
  const width = widthOf(t);
  if (t.kind === 'bool') return TRUTH;
  if (isSigned(t) || t.kind === 'pointer')
    return { low: -(2 ** (width - 1)), high: width === 64 ? 2 ** 63 : 2 ** (width - 1) - 1 };
  return { low: 0, high: width === 64 ? 2 ** 64 : 2 ** width - 1 };
}

const within = (a: Range, b: Range): boolean => a.low >= b.low && a.high <= b.high;

export function rangeOfExpression(e: Expression): Range {
  if (e.value !== undefined) return { low: Number(e.value), high: Number(e.value) };
  const type = typeRange(e.type);
  switch (e.kind) {
    case 'comparison':
    case 'logical':
      return TRUTH;
    case 'unary':
      return e.operator === '!' ? TRUTH : type;
    case 'member': {
      if (e.bits === undefined || !isInteger(e.type)) return type;
      const { width } = e.bits;
      return isSigned(e.type)
        ? { low: -(2 ** (width - 1)), high: 2 ** (width - 1) - 1 }
        : { low: 0, high: 2 ** width - (width < 54 ? 1 : 0) };
    }
    case 'cast': {
      const inner = rangeOfExpression(e.operand);
      return within(inner, type) ? inner : type;
    }
    case 'conditional': {
      const a = rangeOfExpression(e.consequent ?? e.condition);
      const b = rangeOfExpression(e.otherwise);
      return { low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) };
    }
    case 'comma':
      return rangeOfExpression(e.right);
    case 'binary': {
      const a = rangeOfExpression(e.left);
      const b = rangeOfExpression(e.right);
      const result = combine(e.operator, a, b, e.right.value);
      return result !== undefined && within(result, type) ? result : type;
    }
    default:
      return type;
  }
}

function combine(operator: string, a: Range, b: Range, right: bigint | undefined): Range | undefined {
  switch (operator) {
    case '+':
      return { low: a.low + b.low, high: a.high + b.high };
    case '-':
      return { low: a.low - b.high, high: a.high - b.low };
    case '*': {
      const ends = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high];
      return { low: Math.min(...ends), high: Math.max(...ends) };
    }
    case '&':
      if (a.low < 0 && b.low < 0) return undefined;
      return { low: 0, high: Math.min(a.low >= 0 ? a.high : Infinity, b.low >= 0 ? b.high : Infinity) };
    case '>>':
      return right !== undefined && right >= 0n && right < 64n && a.low >= 0
        ? { low: 0, high: a.high / 2 ** Number(right) }
        : undefined;
    case '/':
      return right !== undefined && right > 0n && a.low >= 0 ? { low: 0, high: a.high / Number(right) } : undefined;
    case '%':
      return right !== undefined && right > 0n && a.low >= 0
        ? { low: 0, high: Math.min(a.high, Number(right)) }
        : undefined;
    default:
      return undefined;
  }
}

/** Must the value of `e` be changed to become one of `to`? */
export function needsConversion(e: Expression, to: CType): boolean {
  if (to.kind === 'void') return false;
  return !within(rangeOfExpression(e), typeRange(to));
}

/** R[into] = the value in `from`, converted from `e`'s type to `to`. */
export function convertRegister(l: Lowering, e: Expression, to: CType, from: number, into: number): number {
  if (!needsConversion(e, to)) return l.move(into, from);
  l.emitter.emit(Op.CVT, into, from, intKind(to));
  return into;
}
