/**
 * Heap and static objects: one growing slot array, and a table that says where each object lies. Objects are never moved, and the number of a
 * freed one is never given out again, so a dangling pointer is always known for what it is.
 *
 * Every change goes through the journal. Slots beyond `top` are zero at all times: undoing an allocation clears what it covered, and a fresh
 * object needs no records for its first values.
 */
// biome-ignore-all lint/suspicious/noSelfCompare: v !== v asks whether a slot is wide, in one comparison.
import type { Journal } from '../base/journal.ts';
import { FUNCTION_OBJECT, OBJECT_SLOTS, type Program, STACK_OBJECT, type StaticObject } from './bytecode.ts';
import { HIGH, LOW, SlotArray } from './slots.ts';

/** The longest object: one slot short of the numbering, so that one-past-the-end is still a pointer into it. */
export const OBJECT_LIMIT = OBJECT_SLOTS - 1;

export class Memory {
  readonly slots = new SlotArray(1024);
  /** First slot of object i in `slots`. */
  bases = new Int32Array(256);
  /** Length of object i while it lives; -1 - length once it is freed. Object 0 (NULL) has length 0. */
  limits = new Int32Array(256);
  /** Objects ever made, NULL included: the next object's number. */
  count = 1;
  /** Slots in use. */
  top = 0;

  /** Pointers of the program's statics by index; 0 while not instantiated. */
  private statics = new Float64Array(64);
  private readonly names = new Map<number, string>();
  private readonly program: Program;

  readonly journal: Journal;
  /** The journal's owner ids: a narrow slot (index, old), a wide slot (index, high, low). */
  readonly slotOwner: number;
  private readonly wideOwner: number;
  private readonly objectOwner: number;
  private readonly freeOwner: number;
  private readonly staticOwner: number;

  constructor(journal: Journal, program: Program) {
    this.journal = journal;
    this.program = program;
    this.slotOwner = journal.register({
      undo: (data, at) => {
        this.slots.values[data[at]] = data[at + 1];
      },
    });
    this.wideOwner = journal.register({
      undo: (data, at) => {
        const index = data[at];
        this.slots.values[index] = Number.NaN;
        this.slots.halves[index * 2 + HIGH] = data[at + 1];
        this.slots.halves[index * 2 + LOW] = data[at + 2];
      },
    });
    this.objectOwner = journal.register({ undo: () => this.undoAllocate() });
    this.freeOwner = journal.register({
      undo: (data, at) => {
        this.limits[data[at]] = -1 - this.limits[data[at]];
      },
    });
    this.staticOwner = journal.register({
      undo: (data, at) => {
        const pointer = this.statics[data[at]];
        this.names.delete(Math.floor(pointer / OBJECT_SLOTS));
        this.statics[data[at]] = 0;
      },
    });
  }

  /** Allocate a zeroed object of `length` slots (0 .. OBJECT_LIMIT); returns the pointer to its first slot. */
  allocate(length: number): number {
    if (!(length >= 0 && length <= OBJECT_LIMIT)) throw new Error(`object of ${length} slots`);
    const object = this.count;
    if (object >= STACK_OBJECT) throw new Error('out of object numbers');
    if (object === this.limits.length) {
      this.bases = doubled(this.bases);
      this.limits = doubled(this.limits);
    }
    if (this.top + length > this.slots.capacity) this.slots.grow(Math.max(this.slots.capacity * 2, this.top + length));
    this.journal.write1(this.objectOwner, object);
    this.bases[object] = this.top;
    this.limits[object] = length;
    this.count = object + 1;
    this.top += length;
    return object * OBJECT_SLOTS;
  }

  private undoAllocate(): void {
    const object = this.count - 1;
    const base = this.bases[object];
    this.slots.values.fill(0, base, this.top);
    this.top = base;
    this.limits[object] = 0;
    this.bases[object] = 0;
    this.count = object;
  }

  /** Free object number `object`, which lives. Its contents stay, for whoever looks at what was there. */
  free(object: number): void {
    this.journal.write1(this.freeOwner, object);
    this.limits[object] = -1 - this.limits[object];
  }

  isLive(object: number): boolean {
    return object > 0 && object < this.count && this.limits[object] >= 0;
  }

  isStatic(object: number): boolean {
    return this.names.has(object);
  }

  /** Slots of an object, also of a freed one. */
  lengthOf(object: number): number {
    const limit = this.limits[object];
    return limit >= 0 ? limit : -1 - limit;
  }

  /** What to call an object in a message: the variable's name, or its number. */
  nameOf(object: number): string {
    return this.names.get(object) ?? `object ${object}`;
  }

  /** Write the present value of slot `index` (absolute) to the journal, before it changes. */
  record(index: number): void {
    const value = this.slots.values[index];
    if (value === value) {
      this.journal.write2(this.slotOwner, index, value);
    } else {
      const halves = this.slots.halves;
      this.journal.write3(this.wideOwner, index, halves[index * 2 + HIGH], halves[index * 2 + LOW]);
    }
  }

  /** Pointer to static object `index` of the program, made and initialised on first use. */
  staticPointer(index: number): number {
    if (index < this.statics.length && this.statics[index] !== 0) return this.statics[index];
    const object = this.program.statics[index];
    while (index >= this.statics.length) this.statics = doubled(this.statics);
    const text = object.text === undefined ? undefined : bytesOf(object.text);
    const pointer = this.allocate(Math.max(object.slots, text === undefined ? 0 : text.length + 1));
    this.journal.write1(this.staticOwner, index);
    // Known before its values are: statics may point at each other in circles.
    this.statics[index] = pointer;
    const number = pointer / OBJECT_SLOTS;
    this.names.set(number, object.name);
    const base = this.bases[number];
    if (text !== undefined) this.slots.values.set(text, base);
    else this.initialise(object, base);
    return pointer;
  }

  private initialise(object: StaticObject, base: number): void {
    for (const init of object.init) {
      const index = base + init.slot;
      if ('function' in init) this.slots.values[index] = functionPointer(init.function);
      else if ('static' in init) {
        const pointer = this.staticPointer(init.static) + init.offset;
        this.slots.values[index] = pointer; // after the call: it may have grown the array
      } else this.slots.set(index, init.wide ?? init.value);
    }
  }
}

/** Pointer to function `index` of the program. */
export const functionPointer = (index: number): number => (FUNCTION_OBJECT + index) * OBJECT_SLOTS;

/** The `char`s (signed, as on x86) of a string literal; a character beyond a byte keeps its number. */
function bytesOf(text: string): number[] {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes.push(unit > 0xff ? unit : (unit << 24) >> 24);
  }
  return bytes;
}

function doubled<T extends Int32Array | Float64Array>(from: T): T {
  const to = new (from.constructor as new (length: number) => T)(from.length * 2);
  to.set(from);
  return to;
}
