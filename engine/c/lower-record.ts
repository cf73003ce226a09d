/**
 * Values of struct and union type, which do not fit a register: they are made where they are to stand.
 */
import { Op } from '../vm/bytecode.ts';
import { slotsOf } from './layout.ts';
import { call } from './lower-call.ts';
import { branch } from './lower-condition.ts';
import type { Lowering } from './lower-context.ts';
import { effect, value } from './lower-expression.ts';
import { addressOf, copy, type Place, place, store } from './lower-place.ts';
import { statementExpression } from './lower-statement.ts';
import type { Expression, Initializer } from './syntax.ts';
import { isRecord } from './types.ts';

/** Make the record that `e` is at `to`. */
export function recordInto(l: Lowering, e: Expression, to: Place): void {
  const slots = slotsOf(e.type);
  switch (e.kind) {
    case 'variable':
    case 'dereference':
    case 'member':
    case 'string':
      l.temporary(() => copy(l, to, place(l, e), slots));
      return;
    case 'compound-literal': {
      const own = e.symbol.register;
      if (e.symbol.storage !== 'local' || own === undefined) {
        l.temporary(() => copy(l, to, place(l, e), slots));
        return;
      }
      const home: Place = { at: 'register', register: own };
      initialize(l, e.initializer, home);
      copy(l, to, home, slots);
      return;
    }
    case 'call':
      call(l, e, undefined, to);
      return;
    case 'assignment':
      l.temporary(() => {
        const target = assignRecord(l, e);
        copy(l, to, target, slots);
      });
      return;
    case 'conditional': {
      const { emitter } = l;
      const otherwise = emitter.label();
      const end = emitter.label();
      branch(l, e.condition, otherwise, false);
      recordInto(l, e.consequent ?? e.condition, to);
      emitter.jump(end);
      emitter.bind(otherwise);
      recordInto(l, e.otherwise, to);
      emitter.bind(end);
      return;
    }
    case 'comma':
      effect(l, e.left);
      recordInto(l, e.right, to);
      return;
    case 'statement-expression':
      statementExpression(l, e, (last) => recordInto(l, last, to));
      return;
    default:
      effect(l, e);
  }
}

/** `a = b` for records; returns the place of `a`. */
export function assignRecord(l: Lowering, e: Expression & { kind: 'assignment' }): Place {
  const slots = slotsOf(e.type);
  const { source } = e;
  const direct = source.kind === 'variable' || source.kind === 'dereference' || source.kind === 'member';
  if (direct) {
    const from = place(l, source);
    const to = place(l, e.target);
    copy(l, to, from, slots);
    return to;
  }
  // The source may read the target: it is made aside first.
  const aside: Place = { at: 'register', register: l.take(Math.max(slots, 1)) };
  recordInto(l, source, aside);
  const to = place(l, e.target);
  copy(l, to, aside, slots);
  return to;
}

/** Give an object its first value. */
export function initialize(l: Lowering, initializer: Initializer, to: Place): void {
  const slots = slotsOf(initializer.type);
  if (initializer.zero && slots > 0) {
    if (to.at === 'register') l.emitter.emit(Op.ZEROR, to.register, slots);
    else l.temporary(() => l.emitter.emit(Op.ZERO, addressOf(l, to), slots));
  }
  for (const entry of initializer.entries) {
    l.temporary(() => {
      const at: Place =
        to.at === 'register'
          ? { at: 'register', register: to.register + entry.slot }
          : { at: 'memory', pointer: to.pointer, slot: to.slot + entry.slot };
      if (entry.bits !== undefined) at.bits = { ...entry.bits, signed: false };
      if (isRecord(entry.type)) recordInto(l, entry.value, at);
      else if (at.at === 'register' && at.bits === undefined) value(l, entry.value, at.register);
      else store(l, at, value(l, entry.value));
    });
  }
}
