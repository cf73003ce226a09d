/**
 * Integer constant expressions (C11 6.6): folding of operators on constants, with the width, signedness and wrap of their types.
 *
 * Nodes carry their value as soon as they are made, so this file is only the arithmetic. Division by zero and over-wide shifts do not fold:
 * they are left to run, where the machine says what happens.
 */
import type { ArithmeticOperator, ComparisonOperator, Expression } from './syntax.ts';
import { type CType, isSigned, widthOf, wrap } from './types.ts';

export function foldUnary(operator: '-' | '~', e: Expression): bigint | undefined {
  if (e.value === undefined) return undefined;
  return wrap(operator === '-' ? -e.value : ~e.value, e.type);
}

export function foldBinary(
  operator: ArithmeticOperator,
  type: CType,
  left: Expression,
  right: Expression,
): bigint | undefined {
  const a = left.value;
  const b = right.value;
  if (a === undefined || b === undefined) return undefined;
  switch (operator) {
    case '+':
      return wrap(a + b, type);
    case '-':
      return wrap(a - b, type);
    case '*':
      return wrap(a * b, type);
    case '/':
      return b === 0n ? undefined : wrap(a / b, type);
    case '%':
      return b === 0n ? undefined : wrap(a % b, type);
    case '&':
      return wrap(a & b, type);
    case '|':
      return wrap(a | b, type);
    case '^':
      return wrap(a ^ b, type);
    default: {
      if (b < 0n || b >= BigInt(widthOf(type))) return undefined;
      return wrap(operator === '<<' ? a << b : a >> b, type);
    }
  }
}

/** Both operands have one type; pointers compare as the unsigned numbers they are. */
export function foldComparison(operator: ComparisonOperator, left: Expression, right: Expression): bigint | undefined {
  let a = left.value;
  let b = right.value;
  if (a === undefined || b === undefined) return undefined;
  if (!isSigned(left.type)) {
    a = BigInt.asUintN(64, a);
    b = BigInt.asUintN(64, b);
  }
  const result = operator === '==' ? a === b : operator === '!=' ? a !== b : operator === '<' ? a < b : a <= b;
  return result ? 1n : 0n;
}
