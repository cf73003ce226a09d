/**
 * Places: where an lvalue lives. A local's place is its registers, anything else is memory behind a pointer and a slot. Members and constant
 * indexes only add to the slot, so `p->a.b[2].c` is one load.
 */
import { type IntKind, Op } from '../vm/bytecode.ts';
import { slotsOf } from './layout.ts';
import type { Lowering } from './lower-context.ts';
import { operand } from './lower-expression.ts';
import { recordInto } from './lower-record.ts';
import { message, Rule } from './messages.ts';
import { badCast } from './parse-typing.ts';
import type { Expression } from './syntax.ts';
import { type CType, intKind, isInteger, isSigned, renderType } from './types.ts';

export interface Bits {
  offset: number;
  width: number;
  signed: boolean;
}
export type Place = ({ at: 'register'; register: number } | { at: 'memory'; pointer: number; slot: number }) & {
  bits?: Bits;
  /** A union member: what is read may have been written as another type. */
  overlaid?: IntKind;
};

const moved = (place: Place, slots: number): Place =>
  place.at === 'register'
    ? { at: 'register', register: place.register + slots }
    : { at: 'memory', pointer: place.pointer, slot: place.slot + slots };

/** Where `e` is; evaluates what must be evaluated to know. Temporaries it takes stay taken; a pointer may be put in `aside`. */
export function place(l: Lowering, e: Expression, aside?: number): Place {
  switch (e.kind) {
    case 'variable':
      return variablePlace(l, e.symbol.storage, e, aside);
    case 'compound-literal':
      if (e.symbol.storage === 'local') {
        recordInto(l, e, { at: 'register', register: e.symbol.register as number });
        return { at: 'register', register: e.symbol.register as number };
      }
      return variablePlace(l, 'static', e, aside);
    case 'string': {
      const pointer = aside ?? l.take();
      l.emitter.emit(Op.LDSTATIC, pointer, l.host.stringIndex(e.text));
      return { at: 'memory', pointer, slot: 0 };
    }
    case 'dereference':
      return behind(l, e.operand, aside);
    case 'member': {
      const inner = moved(place(l, e.record, aside), e.slot);
      if (e.bits !== undefined) inner.bits = { ...e.bits, signed: isSigned(e.type) };
      if (e.overlaid && e.bits === undefined && isInteger(e.type)) inner.overlaid = intKind(e.type);
      return inner;
    }
    default: {
      // A record that is no lvalue: `f().m`, `(c ? a : b).m`.
      const register = l.take(Math.max(slotsOf(e.type), 1));
      const temporary: Place = { at: 'register', register };
      recordInto(l, e, temporary);
      return temporary;
    }
  }
}

function variablePlace(
  l: Lowering,
  storage: string,
  e: Expression & { kind: 'variable' | 'compound-literal' },
  aside?: number,
): Place {
  const { symbol } = e;
  if ((storage === 'local' || storage === 'parameter') && symbol.register !== undefined)
    return { at: 'register', register: symbol.register };
  const pointer = aside ?? l.take();
  const index = storage === 'static' || storage === 'extern' ? l.host.staticIndex(symbol) : undefined;
  if (typeof index === 'number') l.emitter.emit(Op.LDSTATIC, pointer, index);
  else if (index !== undefined) l.trapProblem({ ...index, origin: e.origin });
  else l.trap(e.origin, Rule.Undefined, message.undeclared(symbol.name));
  return { at: 'memory', pointer, slot: 0 };
}

/** The place that a pointer's value points at. */
function behind(l: Lowering, pointer: Expression, aside?: number): Place {
  if (pointer.kind === 'cast' && badCast(pointer)) return wrongLayout(l, pointer, pointer.operand.type);
  if (pointer.kind === 'address') return place(l, pointer.operand, aside);
  if (pointer.kind === 'pointer-add' && pointer.index.value !== undefined) {
    const count = Number(pointer.subtract ? -pointer.index.value : pointer.index.value);
    const { pointer: base } = pointer;
    if (base.kind === 'address' && base.operand.type.kind === 'array') {
      const array = base.operand.type;
      if (array.length >= 0 && (count < 0 || count >= array.length))
        l.trap(pointer.origin, Rule.Type, message.outside(String(count), renderType(array)));
    }
    return moved(behind(l, base, aside), count * pointer.step);
  }
  return { at: 'memory', pointer: operand(l, pointer, aside), slot: 0 };
}

/** A pointer to memory of another layout is used. */
export function wrongLayout(l: Lowering, e: Expression, from: CType): Place {
  const strip = (t: CType): string => renderType(t.kind === 'pointer' ? t.to : t);
  l.trap(e.origin, Rule.Unsupported, message.layout(strip(from), strip(e.type)));
  return { at: 'memory', pointer: l.take(), slot: 0 };
}

const packed = ({ offset, width, signed }: Bits): number => offset | (width << 8) | (signed ? 1 << 16 : 0);

/** The scalar at a place; in `want` if given, else in the variable's own register or a temporary. */
export function load(l: Lowering, from: Place, want?: number): number {
  const { emitter } = l;
  if (from.at === 'register') {
    if (from.bits === undefined && from.overlaid === undefined)
      return want === undefined ? from.register : l.move(want, from.register);
    const into = want ?? l.take();
    if (from.bits !== undefined) emitter.emit(Op.BFX, into, from.register, packed(from.bits));
    else emitter.emit(Op.CVT, into, from.register, from.overlaid);
    return into;
  }
  const into = want ?? l.take();
  emitter.emit(Op.LD, into, from.pointer, from.slot);
  if (from.bits !== undefined) emitter.emit(Op.BFX, into, into, packed(from.bits));
  else if (from.overlaid !== undefined) emitter.emit(Op.CVT, into, into, from.overlaid);
  return into;
}

/** Put the scalar in `register` at a place. */
export function store(l: Lowering, to: Place, register: number): void {
  const { emitter } = l;
  if (to.at === 'register') {
    if (to.bits !== undefined) emitter.emit(Op.BFI, to.register, register, packed(to.bits));
    else l.move(to.register, register);
    return;
  }
  if (to.bits === undefined) {
    emitter.emit(Op.ST, to.pointer, to.slot, register);
    return;
  }
  l.temporary(() => {
    const unit = l.take();
    emitter.emit(Op.LD, unit, to.pointer, to.slot);
    emitter.emit(Op.BFI, unit, register, packed(to.bits as Bits));
    emitter.emit(Op.ST, to.pointer, to.slot, unit);
  });
}

/** R[into] = the value in `register` as the bit-field at `at` holds it. */
export function truncateToField(l: Lowering, at: Place, register: number, into: number): number {
  if (at.bits === undefined) return l.move(into, register);
  l.emitter.emit(Op.BFX, into, register, packed({ ...at.bits, offset: 0 }));
  return into;
}

/** A pointer to the place, in `want` if given. */
export function addressOf(l: Lowering, of: Place, want?: number): number {
  if (of.at === 'register') {
    const into = want ?? l.take();
    l.emitter.emit(Op.LEA, into, of.register);
    return into;
  }
  if (of.slot === 0) return want === undefined ? of.pointer : l.move(want, of.pointer);
  const into = want ?? l.take();
  l.emitter.emit(Op.PADDI, into, of.pointer, of.slot);
  return into;
}

/** Copy `slots` slots from one place to another. */
export function copy(l: Lowering, to: Place, from: Place, slots: number): void {
  if (slots === 0) return;
  const { emitter } = l;
  if (to.at === 'register' && from.at === 'register') {
    if (to.register !== from.register) emitter.emit(Op.MOVN, to.register, from.register, slots);
    return;
  }
  if (slots === 1) {
    l.temporary(() => store(l, { ...to }, load(l, from)));
    return;
  }
  l.temporary(() => {
    const target = addressOf(l, to);
    emitter.emit(Op.COPY, target, addressOf(l, from), slots);
  });
}
