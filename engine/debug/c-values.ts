/**
 * Values of C as a debugger shows them: what type, where they lie, what they hold. Reading changes nothing: a variable with static storage that the
 * run has not come to yet is made for the look at it and taken away again (see {@link peek}).
 */
import { hex } from '../base/text.ts';
import { slotsOf } from '../c/layout.ts';
import {
  type CType,
  isInteger,
  isRecord,
  isSigned,
  type Member,
  type RecordType,
  renderType,
  widthOf,
} from '../c/types.ts';
import type { Machine } from '../run/machine.ts';
import { FUNCTION_OBJECT, OBJECT_SLOTS, PAGE_OBJECT, STACK_OBJECT } from '../vm/bytecode.ts';
import { type FrameView, frameLocals } from '../vm/unwind.ts';

/** A number with its type; `place` if it lies somewhere and can be assigned to. */
export interface CValue {
  type: CType;
  /** Pointer to its first slot; undefined for the result of a computation. */
  place: number | undefined;
  /** For what has no place. */
  value?: number | bigint;
  /** A field of its slot. */
  bits?: { offset: number; width: number };
}

export interface CChild {
  name: string;
  value: CValue;
}

/** Look at the machine without leaving a trace. */
export function peek<T>(machine: Machine, look: () => T): T {
  const mark = machine.mark();
  try {
    return look();
  } finally {
    machine.undoTo(mark);
  }
}

/** The variables of a frame, in the order of their declaration. */
export function localsOf(machine: Machine, frame: FrameView): (CChild & { parameter: boolean })[] {
  const base = (STACK_OBJECT + machine.thread.number) * OBJECT_SLOTS + frame.fp;
  return frameLocals(frame).map((local) => ({
    name: local.name,
    parameter: local.parameter,
    value: { type: machine.program.typeAt(local.type), place: base + local.register },
  }));
}

/** The number that a scalar holds, as its type has it; undefined if it cannot be read or is none. */
export function scalarOf(machine: Machine, value: CValue): number | bigint | undefined {
  const raw = rawOf(machine, value);
  if (raw === undefined) return undefined;
  if (value.bits !== undefined) return fieldOf(raw, value.type, value.bits);
  const { type } = value;
  if (typeof raw === 'bigint' && isInteger(type) && !isSigned(type)) return BigInt.asUintN(64, raw);
  return raw;
}

function rawOf(machine: Machine, { type, place, value }: CValue): number | bigint | undefined {
  if (!isInteger(type) && type.kind !== 'pointer') return undefined;
  return place === undefined ? value : machine.vm.access.read(machine.thread, place, 0);
}

function fieldOf(raw: number | bigint, type: CType, { offset, width }: { offset: number; width: number }): number {
  const bits = (BigInt.asUintN(64, BigInt(raw)) >> BigInt(offset)) & ((1n << BigInt(width)) - 1n);
  return Number(isSigned(type) ? BigInt.asIntN(width, bits) : bits);
}

/** Give a scalar another value; returns what is wrong, if anything. The change is journalled unless it is of the thread's own registers. */
export function assign(machine: Machine, target: CValue, value: number | bigint): string | undefined {
  const { type, place, bits } = target;
  if (place === undefined) return 'This is a computed value, it lies nowhere and cannot be set.';
  if (!isInteger(type) && type.kind !== 'pointer') return `A ${renderType(type)} is set member by member.`;
  const width = BigInt(bits?.width ?? (widthOf(type) === 1 ? 8 : widthOf(type)));
  let next: bigint = isSigned(type)
    ? BigInt.asIntN(Number(width), BigInt(value))
    : BigInt.asUintN(Number(width), BigInt(value));
  if (type.kind === 'bool') next = value === 0 || value === 0n ? 0n : 1n;
  if (bits !== undefined) {
    const raw = machine.vm.access.read(machine.thread, place, 0);
    if (raw === undefined) return machine.vm.access.message;
    const mask = ((1n << width) - 1n) << BigInt(bits.offset);
    next = (BigInt.asUintN(64, BigInt(raw)) & ~mask) | ((BigInt.asUintN(64, next) << BigInt(bits.offset)) & mask);
  }
  const exact = next >= -(2n ** 53n) && next <= 2n ** 53n ? Number(next) : next;
  return machine.vm.access.write(machine.thread, place, 0, exact) ? undefined : `${machine.vm.access.message}.`;
}

/** Typedefs whose values are addresses and frame numbers: hexadecimal, as everybody writes them. */
const IN_HEX = /^(?:gfn_t|gpa_t|gva_t|hpa_t|hva_t|hfn_t|kvm_pfn_t|pgoff_t|phys_addr_t|__u64|u64)$/;

/** One line: the number, or a summary of what it is made of. `within` such a summary, a pointer only says where it leads. */
export function formatC(machine: Machine, value: CValue, asHex: boolean, within = false): string {
  const { type } = value;
  if (isRecord(type)) return summary(machine, value, type, asHex);
  if (type.kind === 'array') {
    if (type.of.kind === 'int' && type.of.width === 8 && value.place !== undefined)
      return quoted(machine, value.place, type.length);
    return `${renderType(type.of)}[${type.length}]`;
  }
  const number = scalarOf(machine, value);
  if (number === undefined)
    return value.place === undefined ? '' : `<${machine.vm.access.message || 'cannot be read'}>`;
  if (type.kind === 'pointer') {
    const to = within ? undefined : target(machine, value);
    if (to !== undefined && isRecord(to.type)) return `&${summary(machine, to, to.type, asHex)}`;
    return formatPointer(machine, type.to, number);
  }
  if (type.kind === 'bool') return number === 0 ? 'false' : 'true';
  return formatNumber(number, asHex || (type.alias !== undefined && IN_HEX.test(type.alias)));
}

export function formatNumber(number: number | bigint, asHex: boolean): string {
  if (!asHex || (number >= 0 && number < 10)) return String(number);
  return number < 0 ? `-${hex(-number)}` : hex(number);
}

function formatPointer(machine: Machine, to: CType, pointer: number | bigint): string {
  if (pointer === 0) return 'NULL';
  if (typeof pointer === 'bigint') return hex(BigInt.asUintN(64, pointer));
  if (pointer < 0) return `ERR_PTR(${pointer})`;
  const object = Math.floor(pointer / OBJECT_SLOTS);
  const slot = pointer % OBJECT_SLOTS;
  if (object === 0) return hex(pointer);
  if (object >= PAGE_OBJECT) return `page of pfn ${hex(object - PAGE_OBJECT)}`;
  if (object >= FUNCTION_OBJECT) return `${machine.program.functionName(object - FUNCTION_OBJECT)}()`;
  const text = to.kind === 'int' && to.width === 8 ? ` ${quoted(machine, pointer, 200)}` : '';
  if (object >= STACK_OBJECT) return `&stack[${slot}]${text}`;
  const name = machine.vm.memory.nameOf(object);
  return `&${name}${slot === 0 ? '' : `[${slot}]`}${text}`;
}

function quoted(machine: Machine, pointer: number, limit: number): string {
  let text = '';
  for (let i = 0; i < Math.min(limit, 200); i++) {
    const unit = machine.vm.access.read(machine.thread, pointer, i);
    if (typeof unit !== 'number' || unit === 0) break;
    text += String.fromCharCode(unit < 0 ? unit & 0xff : unit);
  }
  return JSON.stringify(text);
}

function summary(machine: Machine, value: CValue, type: RecordType, asHex: boolean): string {
  const shown = childrenOf(machine, value).slice(0, 4);
  const scalar = shown.filter(({ value: v }) => isInteger(v.type) || v.type.kind === 'pointer');
  const parts = scalar.map(({ name, value: v }) => `${name} ${formatC(machine, v, asHex, true)}`);
  return `{ ${parts.join(', ')}${type.members.length > shown.length ? ', …' : ''} }`;
}

/** Whether there is something inside. */
export function expands(machine: Machine, value: CValue): boolean {
  const { type } = value;
  if (isRecord(type)) return type.members.length > 0;
  if (type.kind === 'array') return type.length > 0;
  return type.kind === 'pointer' && target(machine, value) !== undefined;
}

/** What a pointer points at, if it can be looked at. */
export function target(machine: Machine, value: CValue): CValue | undefined {
  if (value.type.kind !== 'pointer') return undefined;
  const pointer = scalarOf(machine, value);
  if (typeof pointer !== 'number' || pointer < OBJECT_SLOTS || pointer >= FUNCTION_OBJECT * OBJECT_SLOTS)
    return undefined;
  const type = machine.program.completed(value.type.to);
  if (type.kind === 'void' || type.kind === 'function' || (isRecord(type) && !type.complete)) return undefined;
  if (machine.vm.access.read(machine.thread, pointer, 0) === undefined) return undefined;
  return { type, place: pointer };
}

/** Members of a struct (those of anonymous ones as its own), elements of an array, or what a pointer points at. */
export function childrenOf(machine: Machine, value: CValue, start = 0, count = Number.POSITIVE_INFINITY): CChild[] {
  const { type, place } = value;
  if (type.kind === 'pointer') {
    const to = target(machine, value);
    if (to === undefined) return [];
    return isRecord(to.type) ? childrenOf(machine, to, start, count) : [{ name: '*', value: to }];
  }
  if (place === undefined) return [];
  if (type.kind === 'array') {
    const of = machine.program.completed(type.of);
    const slots = slotsOf(of);
    const end = Math.min(type.length, start + count);
    const elements: CChild[] = [];
    for (let i = start; i < end; i++) elements.push({ name: `[${i}]`, value: { type: of, place: place + i * slots } });
    return elements;
  }
  if (!isRecord(type)) return [];
  return type.members.flatMap((member) => memberOf(machine, place, member));
}

function memberOf(machine: Machine, place: number, member: Member): CChild[] {
  const type = machine.program.completed(member.type);
  const value: CValue = { type, place: place + member.slot };
  if (member.bits !== undefined) value.bits = member.bits;
  return member.name === '' && isRecord(type) ? childrenOf(machine, value) : [{ name: member.name, value }];
}
