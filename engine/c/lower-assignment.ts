/**
 * Assignment, compound assignment, increment and decrement; and the notes on loop variables that count frames.
 */
import { NoteKind, Op } from '../vm/bytecode.ts';
import type { Lowering } from './lower-context.ts';
import { addImmediate, arithmetic, isSmall, operand, scaled, value } from './lower-expression.ts';
import { load, place, store, truncateToField } from './lower-place.ts';
import { typeRange } from './lower-range.ts';
import { assignRecord } from './lower-record.ts';
import type { VariableSymbol } from './scope.ts';
import type { AssignmentExpression, CompoundExpression, Expression } from './syntax.ts';
import { type CType, intKind, isRecord } from './types.ts';

/** `target = source`; the register that holds the value if one is asked for. */
export function assign(l: Lowering, e: AssignmentExpression, wanted: boolean, want?: number): number | undefined {
  if (isRecord(e.type)) {
    l.temporary(() => assignRecord(l, e));
    return want;
  }
  const { target, source } = e;
  if (target.kind === 'variable' && target.symbol.register !== undefined) {
    const { register } = target.symbol;
    const note = advances(e) ? beforeNote(l, target.symbol) : undefined;
    value(l, source, register);
    if (note !== undefined) afterNote(l, register, note);
    return wanted && want !== undefined ? l.move(want, register) : register;
  }
  const into = want ?? (wanted ? l.take() : undefined);
  return l.temporary(() => {
    const from = operand(l, source);
    const to = place(l, target);
    store(l, to, from);
    return into === undefined ? undefined : truncateToField(l, to, from, into);
  });
}

const uncast = (e: Expression): Expression => (e.kind === 'cast' ? uncast(e.operand) : e);

/** Is this `x = x + n`? */
function advances(e: AssignmentExpression): boolean {
  if (e.target.kind !== 'variable') return false;
  const sum = uncast(e.source);
  if (sum.kind !== 'binary' || sum.operator !== '+') return false;
  const { symbol } = e.target;
  return [sum.left, sum.right].some((side) => {
    const term = uncast(side);
    return term.kind === 'variable' && term.symbol === symbol;
  });
}

/** For a loop variable that counts frames: a register with its old value (see NoteKind.Progress). */
function beforeNote(l: Lowering, symbol: VariableSymbol): number | undefined {
  const { alias } = symbol.type;
  if (alias === undefined || !l.host.progressTypes.has(alias) || !l.controlled(symbol)) return undefined;
  const old = l.take();
  return l.move(old, symbol.register as number);
}
function afterNote(l: Lowering, register: number, old: number): void {
  l.emitter.emit(Op.NOTE, NoteKind.Progress, register, old);
}

/** `target op= operand`, `++`, `--` */
export function compoundAssign(l: Lowering, e: CompoundExpression, wanted: boolean, want?: number): number | undefined {
  const { target } = e;
  const local = target.kind === 'variable' && target.symbol.register !== undefined ? target.symbol : undefined;
  const into = want ?? (wanted && (e.yieldsOld || local === undefined) ? l.take() : undefined);
  return l.temporary(() => {
    const note = local !== undefined && e.operator === '+' ? beforeNote(l, local) : undefined;
    if (local !== undefined) {
      const register = local.register as number;
      if (into !== undefined && e.yieldsOld) l.move(into, register);
      compute(l, e, register, register);
      if (note !== undefined) afterNote(l, register, note);
      if (into === undefined) return register;
      return e.yieldsOld ? into : l.move(into, register);
    }
    const at = place(l, target);
    const old = load(l, at, l.take());
    if (into !== undefined && e.yieldsOld) l.move(into, old);
    const result = compute(l, e, old, l.take());
    store(l, at, result);
    if (into === undefined || e.yieldsOld) return into;
    return truncateToField(l, at, result, into);
  });
}

/** R[into] = R[old] op operand, in the target's type. */
function compute(l: Lowering, e: CompoundExpression, old: number, into: number): number {
  const { emitter } = l;
  const { type, operator, operand: by, computeType } = e;
  if (type.kind === 'pointer') {
    const subtract = operator === '-';
    if (by.value !== undefined) emitter.emit(Op.PADDI, into, old, Number(subtract ? -by.value : by.value) * e.step);
    else emitter.emit(Op.PADD, into, old, scaled(l, by, e.step, subtract));
    return into;
  }
  const kind = intKind(computeType);
  const widened = convertIfNeeded(l, old, type, computeType);
  // A narrower type than the one computed in needs its value cut back afterwards.
  const cut = !holds(type, computeType);
  const raw = cut ? l.take() : into;
  if ((operator === '+' || operator === '-') && isSmall(by))
    addImmediate(l, kind, raw, widened, Number(operator === '+' ? by.value : -by.value));
  else arithmetic(l, operator, kind, raw, widened, operand(l, by));
  if (cut) emitter.emit(Op.CVT, into, raw, intKind(type));
  return into;
}

/** Does every value of `from` fit `to`? */
function holds(to: CType, from: CType): boolean {
  const a = typeRange(from);
  const b = typeRange(to);
  return a.low >= b.low && a.high <= b.high;
}

function convertIfNeeded(l: Lowering, register: number, from: CType, to: CType): number {
  if (holds(to, from)) return register;
  const into = l.take();
  l.emitter.emit(Op.CVT, into, register, intKind(to));
  return into;
}
