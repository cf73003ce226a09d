/**
 * Calls: arguments are evaluated straight into the slots where the callee's frame will begin.
 */
import { NoteKind, Op } from '../vm/bytecode.ts';
import { slotsOf } from './layout.ts';
import type { Lowering } from './lower-context.ts';
import { argument, operand } from './lower-expression.ts';
import { copy, type Place } from './lower-place.ts';
import { message, Rule } from './messages.ts';
import type { CallExpression } from './syntax.ts';
import { isRecord } from './types.ts';

/** Call; the result goes to `want`, or a record to `into`. Returns the register that holds the result. */
export function call(l: Lowering, e: CallExpression, want: number | undefined, into: Place | undefined): number {
  return l.emitter.at(e.origin, () => callHere(l, e, want, into));
}

function callHere(l: Lowering, e: CallExpression, want: number | undefined, into: Place | undefined): number {
  const { emitter, host } = l;
  const { callee } = e;
  const result = want ?? l.take();
  const named = callee.kind === 'function' ? callee.symbol : undefined;
  const target = named === undefined ? undefined : host.callTarget(named, e.arguments.length);
  if (named !== undefined) {
    if (named.error !== undefined) {
      l.trap(e.origin, Rule.Type, message.assertion(named.error));
      return result;
    }
    if (target?.kind === 'undefined') {
      l.trap(e.origin, Rule.Undefined, message.undefinedFunction(named.name), named.name);
      return result;
    }
    if (target?.kind === 'wrong') {
      l.trap(e.origin, Rule.Type, target.message, named.name);
      return result;
    }
  }
  l.temporary(() => {
    // A struct is returned through a pointer passed before the arguments.
    const record = isRecord(e.type) ? l.take(Math.max(slotsOf(e.type), 1)) : undefined;
    const pointer = target === undefined ? operand(l, callee) : 0;
    // The result is wanted in the topmost temporary: then the frame may begin there.
    const reuse = record === undefined && result === l.top - 1 && l.isTemporary(result) && pointer !== result;
    const base = reuse ? result : l.take();
    let next = base;
    const reach = (register: number): void => {
      if (register >= l.top) l.take(register - l.top + 1);
    };
    if (record !== undefined) {
      emitter.emit(Op.LEA, next, record);
      next++;
    }
    for (const a of e.arguments) {
      reach(next + Math.max(isRecord(a.type) ? slotsOf(a.type) : 1, 1) - 1);
      next += argument(l, a, next);
    }
    const slots = next - base;
    if (target === undefined) emitter.emit(Op.CALLP, base, pointer, slots);
    else if (target.kind === 'native') emitter.emit(Op.CALLN, base, target.index, slots);
    else if (target.kind === 'function') emitter.emit(Op.CALL, base, target.index, slots);
    const propagate =
      named === undefined ? callee.kind === 'member' && callee.mustPropagate : host.mustPropagate(named);
    if (propagate && e.type.kind !== 'void') emitter.emit(Op.NOTE, NoteKind.MustPropagate, base);
    if (record !== undefined) {
      if (into !== undefined) copy(l, into, { at: 'register', register: record }, slotsOf(e.type));
    } else if (e.type.kind !== 'void' && want !== undefined) l.move(want, base);
    else if (e.type.kind !== 'void') l.move(result, base);
  });
  return result;
}
