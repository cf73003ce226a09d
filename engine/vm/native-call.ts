/**
 * The arguments of a running native call. One object serves every call of a machine: the interpreter points it at the arguments' registers.
 *
 * A native that cannot go on leaves through {@link NATIVE_TRAP}, thrown and caught around the call, so that it changes nothing further. It is
 * the only thing the VM ever throws that is no bug.
 */
// biome-ignore-all lint/suspicious/noSelfCompare: v !== v asks whether a slot is wide, in one comparison.
import type { PointerAccess } from './access.ts';
import { TrapCode } from './bytecode.ts';
import { type Memory, OBJECT_LIMIT } from './memory.ts';
import type { Native, NativeCall } from './native.ts';
import { EXACT } from './slots.ts';
import { Thread } from './thread.ts';

const NATIVE_TRAP = { native: 'trap' };

export class RunningCall implements NativeCall {
  private readonly access: PointerAccess;
  private readonly memory: Memory;
  private running = new Thread(-1);
  /** Absolute index of the first argument's register. */
  base = 0;
  count = 0;
  private trapCode = 0;
  /** Why the last call trapped. */
  trapMessage = '';
  private wideResult = 0n;

  constructor(access: PointerAccess, memory: Memory) {
    this.access = access;
    this.memory = memory;
  }

  bind(thread: Thread): void {
    this.running = thread;
  }

  get thread(): number {
    return this.running.number;
  }

  num(index: number): number {
    const value = this.running.registers.values[this.argument(index)];
    if (value !== value)
      this.trap(TrapCode.BadArgument, `argument ${index + 1} is 0x${this.hex(index)}, which is out of range`);
    return value;
  }

  big(index: number): bigint {
    return this.running.registers.big(this.argument(index));
  }

  isWide(index: number): boolean {
    const value = this.running.registers.values[this.argument(index)];
    return value !== value;
  }

  str(index: number): string {
    const pointer = this.num(index);
    if (pointer === 0) return '(null)';
    const units: number[] = [];
    for (let slot = 0; ; slot++) {
      const unit = this.load(pointer, slot);
      if (unit === 0) return decode(units);
      units.push(unit < 0 ? unit & 0xff : unit);
    }
  }

  load(pointer: number, slot: number): number {
    const value = this.access.read(this.running, pointer, slot);
    if (typeof value === 'number') return value;
    if (value === undefined) return this.pointerTrap();
    return this.trap(TrapCode.BadArgument, `0x${BigInt.asUintN(64, value).toString(16)} in memory is out of range`);
  }

  loadBig(pointer: number, slot: number): bigint {
    const value = this.access.read(this.running, pointer, slot);
    return value === undefined ? BigInt(this.pointerTrap()) : BigInt(value);
  }

  store(pointer: number, slot: number, value: number): void {
    if (!this.access.write(this.running, pointer, slot, value)) this.pointerTrap();
  }

  storeBig(pointer: number, slot: number, value: bigint): void {
    if (!this.access.write(this.running, pointer, slot, value)) this.pointerTrap();
  }

  allocate(slots: number): number {
    if (!(slots >= 0 && slots <= OBJECT_LIMIT))
      return this.trap(TrapCode.BadArgument, `an object of ${slots} slots is out of range`);
    return this.memory.allocate(slots);
  }

  free(pointer: number): void {
    if (!this.access.free(pointer)) this.pointerTrap();
  }

  wide(value: bigint): number {
    if (value >= -9007199254740992n && value <= 9007199254740992n) return Number(value);
    this.wideResult = value;
    return Number.NaN;
  }

  trap(code: number, message: string): number {
    this.trapCode = code;
    this.trapMessage = message;
    throw NATIVE_TRAP;
  }

  /** Run `native` on the present arguments and put its result into the first register. Returns the trap's code, 0 for none. */
  invoke(native: Native): number {
    let result: number;
    try {
      result = native.call(this);
    } catch (thrown) {
      if (thrown !== NATIVE_TRAP) throw thrown;
      return this.trapCode;
    }
    const registers = this.running.registers;
    if (result <= EXACT && result >= -EXACT) registers.values[this.base] = result + 0;
    else registers.set(this.base, this.takeWide(native, result));
    return 0;
  }

  private takeWide(native: Native, result: number): bigint {
    const value = this.wideResult;
    this.wideResult = 0n;
    if (result === result || value === 0n) throw new Error(`native returned ${result}: ${native.prototype}`);
    return value;
  }

  private argument(index: number): number {
    if (index < 0 || index >= this.count)
      this.trap(TrapCode.BadArgument, `argument ${index + 1} of ${this.count} is read`);
    return this.base + index;
  }

  private hex(index: number): string {
    return BigInt.asUintN(64, this.big(index)).toString(16);
  }

  private pointerTrap(): number {
    return this.trap(this.access.code, this.access.message);
  }
}

/** Bytes as UTF-8 where they are; anything else, and characters beyond a byte, stand for themselves. */
function decode(units: number[]): string {
  let text = '';
  for (let i = 0; i < units.length; ) {
    const first = units[i];
    const more =
      first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xf0 && first < 0xf5 ? 3 : 0;
    let code = more === 0 ? first : first & (0x3f >> more);
    let read = 1;
    while (read <= more && i + read < units.length && (units[i + read] & ~0x3f) === 0x80) {
      code = code * 64 + (units[i + read] & 0x3f);
      read++;
    }
    if (read <= more || code > 0x10ffff) {
      code = first;
      read = 1;
    }
    text += String.fromCodePoint(code);
    i += read;
  }
  return text;
}
