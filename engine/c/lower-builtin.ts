/**
 * Built-ins that become code: the memory functions, over slots (see parse-builtin.ts), and points that must not be reached.
 */
import { Op } from '../vm/bytecode.ts';
import type { Lowering } from './lower-context.ts';
import { operand, value } from './lower-expression.ts';
import type { BuiltinExpression, Expression } from './syntax.ts';

/** Evaluate; the value is in the register returned, `want` if given. */
export function builtin(l: Lowering, e: BuiltinExpression, want?: number): number {
  const into = want ?? l.take();
  l.emitter.at(e.origin, () => {
    l.temporary(() => {
      switch (e.name) {
        case 'memset':
          return fill(l, e, into);
        case 'memcpy':
        case 'memmove':
          return transfer(l, e, into);
        case 'memcmp':
          return compare(l, e, into);
        default:
          return l.unsupported(e, `reaching ${e.name}()`);
      }
    });
  });
  return into;
}

/** memset(pointer, value, slots) */
function fill(l: Lowering, e: BuiltinExpression, into: number): void {
  const { emitter } = l;
  const [target, byte, count] = e.arguments;
  const to = value(l, target, l.take());
  if (byte.value === 0n && count.value !== undefined) {
    emitter.emit(Op.ZERO, to, Number(count.value));
    l.move(into, to);
    return;
  }
  // Only objects of single bytes get here with another value.
  const v = l.take();
  const fill8 = value(l, byte, l.take());
  emitter.emit(Op.CVT, v, fill8, 1);
  over(l, e, count, (index) => {
    const at = l.take();
    emitter.emit(Op.PADD, at, to, index);
    emitter.emit(Op.ST, at, 0, v);
  });
  l.move(into, to);
}

/** memcpy, memmove(to, from, slots) */
function transfer(l: Lowering, e: BuiltinExpression, into: number): void {
  const { emitter } = l;
  const [target, source, count] = e.arguments;
  const to = value(l, target, l.take());
  const from = value(l, source, l.take());
  if (count.value !== undefined) emitter.emit(Op.COPY, to, from, Number(count.value));
  else {
    // Slot by slot, from the end if the target lies behind the source in the same object.
    const n = value(l, count, l.take());
    const index = l.take();
    const step = l.take();
    const forward = emitter.label();
    const go = emitter.label();
    emitter.branch(Op.JLE, to, from, forward);
    emitter.emit(Op.LDI, step, -1);
    emitter.emit(Op.ADDI_I64, index, n, -1);
    emitter.jump(go);
    emitter.bind(forward);
    emitter.emit(Op.LDI, step, 1);
    emitter.emit(Op.LDI, index, 0);
    emitter.bind(go);
    over(l, e, count, () => {
      const at = l.take();
      const v = l.take();
      emitter.emit(Op.PADD, at, from, index);
      emitter.emit(Op.LD, v, at, 0);
      emitter.emit(Op.PADD, at, to, index);
      emitter.emit(Op.ST, at, 0, v);
      emitter.emit(Op.ADD_I64, index, index, step);
    });
  }
  l.move(into, to);
}

/** memcmp(a, b, slots): -1, 0 or 1 by the first slot that differs */
function compare(l: Lowering, e: BuiltinExpression, into: number): void {
  const { emitter } = l;
  const [left, right, count] = e.arguments;
  const a = value(l, left, l.take());
  const b = value(l, right, l.take());
  const result = l.take();
  const differs = emitter.label();
  const less = emitter.label();
  const end = emitter.label();
  const x = l.take();
  const y = l.take();
  over(l, e, count, (index) => {
    const at = l.take();
    emitter.emit(Op.PADD, at, a, index);
    emitter.emit(Op.LD, x, at, 0);
    emitter.emit(Op.PADD, at, b, index);
    emitter.emit(Op.LD, y, at, 0);
    emitter.branch(Op.JNE, x, y, differs);
  });
  emitter.load(result, 0n);
  emitter.jump(end);
  emitter.bind(differs);
  emitter.branch(Op.JLT, x, y, less);
  emitter.load(result, 1n);
  emitter.jump(end);
  emitter.bind(less);
  emitter.load(result, -1n);
  emitter.bind(end);
  l.move(into, result);
}

/** for (index = 0; index < count; index++) body */
function over(l: Lowering, e: Expression, count: Expression, body: (index: number) => void): void {
  const { emitter } = l;
  l.temporary(() => {
    const n = operand(l, count);
    const index = l.take();
    const head = emitter.label();
    const end = emitter.label();
    emitter.load(index, 0n);
    emitter.bind(head, emitter.reachable);
    emitter.branch(Op.JLE, n, index, end);
    l.temporary(() => body(index));
    emitter.emit(Op.ADDI_I64, index, index, 1);
    emitter.loop(head, { origin: e.origin });
    emitter.bind(end);
  });
}
