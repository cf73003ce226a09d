/**
 * Pointers, the careful way: find the slots behind a pointer or say what is wrong with it. The interpreter handles heap objects and the
 * running thread's own stack itself; everything else, and every trap, comes here. What the interpreter calls returns the trap's code, 0 for none.
 */
// biome-ignore-all lint/suspicious/noSelfCompare: v !== v asks whether a slot is wide, in one comparison.
import type { Journal } from '../base/journal.ts';
import { FUNCTION_OBJECT, OBJECT_SLOTS, PAGE_OBJECT, STACK_OBJECT, TrapCode } from './bytecode.ts';
import type { Memory } from './memory.ts';
import { HIGH, LOW, type SlotArray } from './slots.ts';
import type { Thread } from './thread.ts';
import { copySlot } from './values.ts';

/** Where a write has to be recorded: nowhere (the thread's own stack, which its snapshots capture), the heap's records, or the stacks'. */
const OWN = 0;
const HEAP = 1;
const FOREIGN = 2;

/** An error value in a pointer: ERR_PTR(-MAX_ERRNO) .. ERR_PTR(-1) (include/linux/err.h). */
const MAX_ERRNO = 4095;

export class PointerAccess {
  private readonly memory: Memory;
  private readonly threads: readonly Thread[];
  private readonly functionName: (index: number) => string;
  private readonly journal: Journal;
  private readonly stackOwner: number;

  // What resolve() found.
  private file: SlotArray;
  private index = 0;
  private where = OWN;
  private owner = 0;

  /** The trap that the last failed access amounts to. */
  code: TrapCode = TrapCode.BadPointer;
  message = '';

  constructor(memory: Memory, threads: readonly Thread[], functionName: (index: number) => string) {
    this.memory = memory;
    this.threads = threads;
    this.functionName = functionName;
    this.journal = memory.journal;
    this.file = memory.slots;
    this.stackOwner = this.journal.register({
      undo: (data, at, length) => {
        const registers = this.threads[data[at]].registers;
        const index = data[at + 1];
        registers.values[index] = data[at + 2];
        if (length === 5) {
          registers.halves[index * 2 + HIGH] = data[at + 3];
          registers.halves[index * 2 + LOW] = data[at + 4];
        }
      },
    });
  }

  /** R[target] = mem[pointer + offset]. `thread` is the one that reads. */
  load(thread: Thread, pointer: number, offset: number, target: number): number {
    if (!this.resolve(thread, pointer, offset, 1)) return this.code;
    copySlot(thread.registers, target, this.file, this.index);
    return 0;
  }

  /** mem[pointer + offset] = R[source]. */
  store(thread: Thread, pointer: number, offset: number, source: number): number {
    if (!this.resolve(thread, pointer, offset, 1)) return this.code;
    this.record(this.index);
    copySlot(this.file, this.index, thread.registers, source);
    return 0;
  }

  /** The slot as a number, or signed bits when wide; undefined when that traps. */
  read(thread: Thread, pointer: number, offset: number): number | bigint | undefined {
    return this.resolve(thread, pointer, offset, 1) ? this.file.get(this.index) : undefined;
  }

  write(thread: Thread, pointer: number, offset: number, value: number | bigint): boolean {
    if (!this.resolve(thread, pointer, offset, 1)) return false;
    this.record(this.index);
    this.file.set(this.index, value);
    return true;
  }

  /** Copy `count` slots, as memmove does. */
  copy(thread: Thread, to: number, from: number, count: number): number {
    if (count <= 0) return 0;
    if (!this.resolve(thread, from, 0, count)) return this.code;
    const source = this.file;
    const start = this.index;
    if (!this.resolve(thread, to, 0, count)) return this.code;
    const target = this.file;
    const at = this.index;
    if (this.where !== OWN) for (let i = 0; i < count; i++) this.record(at + i);
    if (source === target) target.move(at, start, count);
    else for (let i = 0; i < count; i++) copySlot(target, at + i, source, start + i);
    return 0;
  }

  zero(thread: Thread, pointer: number, count: number): number {
    if (count <= 0) return 0;
    if (!this.resolve(thread, pointer, 0, count)) return this.code;
    if (this.where !== OWN) for (let i = 0; i < count; i++) this.record(this.index + i);
    this.file.values.fill(0, this.index, this.index + count);
    return 0;
  }

  /** Free the heap object that `pointer` is the start of. */
  free(pointer: number): boolean {
    const object = pointer / OBJECT_SLOTS;
    if (!(object > 0 && object < this.memory.count && Number.isInteger(object)) || this.memory.isStatic(object)) {
      return this.fail(TrapCode.BadPointer, `free of ${describe(pointer)}, which no allocation returned`);
    }
    if (!this.memory.isLive(object))
      return this.fail(TrapCode.UseAfterFree, `${this.memory.nameOf(object)} is freed twice`);
    this.memory.free(object);
    return true;
  }

  private record(index: number): void {
    if (this.where === HEAP) this.memory.record(index);
    else if (this.where === FOREIGN) {
      const value = this.file.values[index];
      if (value === value) this.journal.write3(this.stackOwner, this.owner, index, value);
      else {
        const halves = this.file.halves;
        this.journal.write5(
          this.stackOwner,
          this.owner,
          index,
          value,
          halves[index * 2 + HIGH],
          halves[index * 2 + LOW],
        );
      }
    }
  }

  /** Find `count` slots from pointer + offset on. Sets file, index and where; or code and message, and returns false. */
  private resolve(thread: Thread, pointer: number, offset: number, count: number): boolean {
    const address = pointer + offset;
    const object = Math.floor(address / OBJECT_SLOTS);
    const slot = address - object * OBJECT_SLOTS;
    const memory = this.memory;
    if (object > 0 && object < memory.count) {
      const limit = memory.limits[object];
      if (slot + count <= limit) {
        this.file = memory.slots;
        this.index = memory.bases[object] + slot;
        this.where = HEAP;
        return true;
      }
    }
    // An offset that carries out of the pointer's own object is told in terms of that one.
    const own = Math.floor(pointer / OBJECT_SLOTS);
    const near = own > 0 && own < memory.count ? own : object;
    if (near > 0 && near < memory.count) {
      if (memory.limits[near] < 0) return this.fail(TrapCode.UseAfterFree, `${memory.nameOf(near)} has been freed`);
      return this.outOfBounds(memory.nameOf(near), address - near * OBJECT_SLOTS, count, memory.limits[near]);
    }
    if (object >= STACK_OBJECT && object < STACK_OBJECT + this.threads.length) {
      const owner = this.threads[object - STACK_OBJECT];
      if (slot + count <= owner.top) {
        this.file = owner.registers;
        this.index = slot;
        this.where = owner === thread ? OWN : FOREIGN;
        this.owner = owner.number;
        return true;
      }
      return this.fail(TrapCode.UseAfterFree, 'the local variable no longer exists: its function has returned');
    }
    if (pointer === 0) {
      return this.fail(
        TrapCode.NullDereference,
        offset === 0 ? 'NULL is dereferenced' : `NULL is dereferenced, at slot ${offset}`,
      );
    }
    if (pointer >= -MAX_ERRNO && pointer < 0) {
      return this.fail(TrapCode.BadPointer, `the error pointer ERR_PTR(${pointer}) is dereferenced`);
    }
    if (object >= PAGE_OBJECT) {
      const pfn = object - PAGE_OBJECT;
      return this.fail(TrapCode.BadPointer, `the struct page of pfn 0x${pfn.toString(16)} has no members here`);
    }
    if (object >= FUNCTION_OBJECT) {
      return this.fail(
        TrapCode.BadPointer,
        `the function ${this.functionName(object - FUNCTION_OBJECT)} is accessed as data`,
      );
    }
    if (pointer > 0 && pointer < OBJECT_SLOTS) {
      return this.fail(TrapCode.NullDereference, `NULL is dereferenced, at slot ${address}`);
    }
    return this.fail(TrapCode.BadPointer, `${describe(pointer)} is dereferenced, which points at nothing`);
  }

  private outOfBounds(name: string, slot: number, count: number, limit: number): boolean {
    const what = count === 1 ? `slot ${slot}` : `slots ${slot} to ${slot + count - 1}`;
    return this.fail(TrapCode.OutOfBounds, `${what} of ${name}, which has ${limit}`);
  }

  private fail(code: TrapCode, message: string): false {
    this.code = code;
    this.message = message;
    return false;
  }
}

/** A pointer's number, for messages. */
function describe(pointer: number): string {
  if (pointer !== pointer) return 'a 64-bit integer';
  return pointer < 0 ? String(pointer) : `0x${pointer.toString(16)}`;
}
