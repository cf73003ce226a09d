/**
 * Conditions: every test becomes a compare-and-branch, without making a 0 or 1 first.
 */
import { Op } from '../vm/bytecode.ts';
import type { Lowering } from './lower-context.ts';
import type { Label } from './lower-emitter.ts';
import { effect, operand, value } from './lower-expression.ts';
import { rangeOfExpression } from './lower-range.ts';
import type { ComparisonExpression, Expression } from './syntax.ts';
import { isSigned, widthOf } from './types.ts';

/** Jump to `label` if the truth of `e` is `sense`; fall through otherwise. */
export function branch(l: Lowering, e: Expression, label: Label, sense: boolean): void {
  const { emitter } = l;
  if (e.value !== undefined) {
    if ((e.value !== 0n) === sense) emitter.jump(label);
    return;
  }
  switch (e.kind) {
    case 'unary':
      if (e.operator === '!') {
        branch(l, e.operand, label, !sense);
        return;
      }
      break;
    case 'logical': {
      // `&&` leaves early with false, `||` with true.
      const early = e.operator === '||';
      if (early === sense) {
        branch(l, e.left, label, sense);
        branch(l, e.right, label, sense);
      } else {
        const skip = emitter.label();
        branch(l, e.left, skip, early);
        branch(l, e.right, label, sense);
        emitter.bind(skip);
      }
      return;
    }
    case 'comparison':
      compareAndBranch(l, e, label, sense);
      return;
    case 'comma':
      effect(l, e.left);
      branch(l, e.right, label, sense);
      return;
    case 'cast':
      if (keepsTruth(e)) {
        branch(l, e.operand, label, sense);
        return;
      }
      break;
    default:
      break;
  }
  l.temporary(() => {
    const register = value(l, e);
    emitter.branch(sense ? Op.JT : Op.JF, register, 0, label);
  });
}

/** A conversion to bool or to a type no narrower leaves zero zero and all else not. */
function keepsTruth(e: Expression & { kind: 'cast' }): boolean {
  return e.type.kind === 'bool' || (e.operand.type.kind !== 'void' && widthOf(e.type) >= widthOf(e.operand.type));
}

/** Both operands unsigned 64-bit: their order depends on the type when the values are beyond 2^53. */
export const isUnsigned64 = (e: Expression): boolean =>
  widthOf(e.type) === 64 && !isSigned(e.type) && e.type.kind !== 'pointer';

function compareAndBranch(l: Lowering, e: ComparisonExpression, label: Label, sense: boolean): void {
  const { left, right, operator } = e;
  const { emitter } = l;
  const equality = operator === '==' || operator === '!=';
  if (equality && (left.value === 0n || right.value === 0n)) {
    branch(l, left.value === 0n ? right : left, label, (operator === '!=') === sense);
    return;
  }
  l.temporary(() => {
    const a = operand(l, left);
    const b = operand(l, right);
    if (equality) {
      emitter.branch((operator === '==') === sense ? Op.JEQ : Op.JNE, a, b, label);
      return;
    }
    const wide =
      isUnsigned64(left) && (rangeOfExpression(left).high > 2 ** 53 || rangeOfExpression(right).high > 2 ** 53);
    const less = wide ? Op.JLT_U64 : Op.JLT;
    const lessOrEqual = wide ? Op.JLE_U64 : Op.JLE;
    // !(a < b) is b <= a
    if (sense) emitter.branch(operator === '<' ? less : lessOrEqual, a, b, label);
    else emitter.branch(operator === '<' ? lessOrEqual : less, b, a, label);
  });
}
