/**
 * Memory attributes: the xarrays that say for each gfn of a VM whether userspace made it private (kvm->mem_attr_array).
 *
 * C stores page by page with xa_store(), as the kernel does; here a page is one byte in a chunk of 512 gfns, and a run of stores is one
 * trace event (see RunRecorder). An xarray is known by the address of its `struct xarray`; it belongs to an address space once KVM has
 * said so when it created the VM.
 */
import { errnoNumbers } from '../base/errno.ts';
import type { Journal, Undoable } from '../base/journal.ts';
import { EventKind, type Trace } from '../trace/trace.ts';
import { TrapCode } from '../vm/bytecode.ts';
import type { Native, NativeCall } from '../vm/native.ts';
import { JournalledValue } from './journalled.ts';
import type { KernelState } from './kernel-state.ts';
import { RunRecorder } from './run-recorder.ts';

interface Chunk {
  values: Uint8Array;
  /** Trace index of the event that last changed the gfn, plus 1; 0 = never. */
  events: Int32Array;
  /** A value of the chunk and how many gfns have it: 512 of them make it uniform, which is told at once. */
  value: number;
  same: number;
}

interface Xarray {
  asid: number;
  chunks: Map<number, Chunk>;
}

interface FailingStore {
  asid: number;
  gfn: number;
  errno: number;
}

const CHUNK = 512;
/** A value is one byte. */
const VALUES = 256;
/** xa_mk_value(): the entry of a small integer is 2 * value + 1. */
const fromEntry = (entry: number): number => (entry - 1) / 2;

export class MemoryAttributes implements Undoable {
  private readonly journal: Journal;
  private readonly owner: number;
  private readonly runs: RunRecorder;
  private readonly arrays: Xarray[] = [];
  /** Index in {@link arrays} by the address of the struct xarray. */
  private readonly byAddress: JournalledValue<ReadonlyMap<number, number>>;
  private readonly failing: JournalledValue<readonly FailingStore[]>;

  constructor(journal: Journal, trace: Trace) {
    this.journal = journal;
    this.owner = journal.register(this);
    this.runs = new RunRecorder(journal, trace, EventKind.Attribute);
    this.byAddress = new JournalledValue<ReadonlyMap<number, number>>(journal, new Map());
    this.failing = new JournalledValue<readonly FailingStore[]>(journal, []);
  }

  /** Tie the xarray at `address` to an address space. It is empty from now on. */
  register(address: number, asid: number): void {
    this.arrays.push({ asid, chunks: new Map() });
    this.journal.write1(this.owner, 0);
    this.byAddress.set(new Map(this.byAddress.value).set(address, this.arrays.length - 1));
  }

  isRegistered(address: number): boolean {
    return this.byAddress.value.has(address);
  }

  /** From now on, storing at this gfn fails with `-errno` (0 lifts it): an xarray node that cannot be had. */
  setFailure(asid: number, gfn: number, errno: number): void {
    const others = this.failing.value.filter((f) => f.asid !== asid || f.gfn !== gfn);
    this.failing.set(errno === 0 ? others : [...others, { asid, gfn, errno }]);
  }

  /** Attributes of a gfn; 0 (shared) where none were stored or the address space has no xarray. */
  attribute(asid: number, gfn: number): number {
    const array = this.of(asid);
    return array === undefined ? 0 : valueAt(array, gfn);
  }

  /** All 512 gfns of a 2M frame have attributes, the same ones. */
  isWholeFramePrivate(asid: number, frame: number): boolean {
    const chunk = this.of(asid)?.chunks.get(frame);
    return chunk !== undefined && chunk.same === CHUNK && chunk.value !== 0;
  }

  /** All 512 gfns of a 2M frame have the same attributes, none perhaps. */
  isUniformFrame(asid: number, frame: number): boolean {
    const chunk = this.of(asid)?.chunks.get(frame);
    return chunk === undefined || chunk.same === CHUNK;
  }

  /** Trace index of the event that last changed the gfn's attributes; -1 if none did. */
  lastEvent(asid: number, gfn: number): number {
    const chunk = this.of(asid)?.chunks.get(Math.floor(gfn / CHUNK));
    return chunk === undefined ? -1 : chunk.events[gfn % CHUNK] - 1;
  }

  /** Store a value (0 = shared) at a gfn of the xarray at `address`. Returns 0 or a negative errno. */
  store(address: number, gfn: number, value: number): number {
    const number = this.byAddress.value.get(address);
    if (number === undefined) return -errnoNumbers.EINVAL;
    const array = this.arrays[number];
    for (const failure of this.failing.value) {
      if (failure.asid === array.asid && failure.gfn === gfn) return -failure.errno;
    }
    const at = gfn % CHUNK;
    const chunk = chunkOf(array, gfn);
    const before = chunk.values[at];
    // A store of the same value is no change of state: nothing to undo and nothing to tell.
    if (before === value) return 0;
    const previous = chunk.events[at];
    const event = this.runs.record(array.asid, gfn, before, value, previous - 1);
    this.journalStore(number * VALUES + before, gfn, previous, event, 1);
    write(chunk, at, at + 1, value, event + 1);
    return 0;
  }

  /** As {@link store} at each gfn of `start .. end` in turn, up to the first that fails. Returns that gfn, `end` if none does. */
  storeRange(address: number, start: number, end: number, value: number): number {
    const number = this.byAddress.value.get(address);
    if (number === undefined) return start;
    const array = this.arrays[number];
    let stop = end;
    for (const { asid, gfn } of this.failing.value) if (asid === array.asid && gfn >= start && gfn < stop) stop = gfn;
    for (let gfn = start; gfn < stop; ) {
      const chunk = chunkOf(array, gfn);
      const at = gfn % CHUNK;
      const limit = Math.min(CHUNK, at + stop - gfn);
      const before = chunk.values[at];
      const previous = chunk.events[at];
      let to = at + 1;
      while (to < limit && chunk.values[to] === before && chunk.events[to] === previous) to++;
      if (before !== value) {
        const event = this.runs.record(array.asid, gfn, before, value, previous - 1, to - at);
        this.journalStore(number * VALUES + before, gfn, previous, event, to - at);
        write(chunk, at, to, value, event + 1);
      }
      gfn += to - at;
    }
    return stop;
  }

  /** Record of a run of stores: xarray and old value, first gfn, event that stored the old value, event of the run, gfns in it. */
  private journalStore(before: number, gfn: number, previous: number, event: number, pages: number): void {
    const { journal } = this;
    const at = journal.extendable(this.owner, 5);
    if (at >= 0) {
      const { block } = journal;
      if (
        block[at] === before &&
        block[at + 1] + block[at + 4] === gfn &&
        block[at + 2] === previous &&
        block[at + 3] === event
      ) {
        block[at + 4] += pages;
        return;
      }
    }
    journal.write5(this.owner, before, gfn, previous, event, pages);
  }

  /** Room for a value at a gfn: 0, or the errno that storing there would fail with. Changes nothing that anyone could see. */
  reserve(address: number, gfn: number): number {
    const number = this.byAddress.value.get(address);
    if (number === undefined) return -errnoNumbers.EINVAL;
    const { asid } = this.arrays[number];
    for (const failure of this.failing.value) if (failure.asid === asid && failure.gfn === gfn) return -failure.errno;
    return 0;
  }

  /** The value at a gfn of the xarray at `address`; 0 if there is none. */
  load(address: number, gfn: number): number {
    const number = this.byAddress.value.get(address);
    return number === undefined ? 0 : valueAt(this.arrays[number], gfn);
  }

  /** Whether all gfns of `from .. to` have the same attributes. */
  isUniform(address: number, from: number, to: number): boolean {
    const number = this.byAddress.value.get(address);
    if (number === undefined || from >= to) return true;
    const array = this.arrays[number];
    const wanted = valueAt(array, from);
    for (let gfn = from; gfn < to; ) {
      const start = gfn - (gfn % CHUNK);
      const stop = Math.min(to, start + CHUNK);
      const chunk = array.chunks.get(start / CHUNK);
      if (chunk === undefined) {
        if (wanted !== 0) return false;
      } else if (chunk.same === CHUNK) {
        if (chunk.value !== wanted) return false;
      } else {
        for (let i = gfn - start; i < stop - start; i++) if (chunk.values[i] !== wanted) return false;
      }
      gfn = stop;
    }
    return true;
  }

  undo(data: Float64Array, at: number, length: number): void {
    if (length === 1) {
      this.arrays.pop();
      return;
    }
    const before = data[at] % VALUES;
    const array = this.arrays[(data[at] - before) / VALUES];
    const first = data[at + 1];
    const pages = data[at + 4];
    for (let gfn = first; gfn < first + pages; ) {
      const from = gfn % CHUNK;
      const to = Math.min(CHUNK, from + first + pages - gfn);
      write(chunkOf(array, gfn), from, to, before, data[at + 2]);
      gfn += to - from;
    }
    this.runs.shorten(data[at + 3], pages);
  }

  private of(asid: number): Xarray | undefined {
    // The youngest: an ASID may be used again by a later VM.
    for (let i = this.arrays.length - 1; i >= 0; i--) if (this.arrays[i].asid === asid) return this.arrays[i];
    return undefined;
  }
}

function chunkOf(array: Xarray, gfn: number): Chunk {
  const number = Math.floor(gfn / CHUNK);
  let chunk = array.chunks.get(number);
  if (chunk === undefined) {
    chunk = { values: new Uint8Array(CHUNK), events: new Int32Array(CHUNK), value: 0, same: CHUNK };
    array.chunks.set(number, chunk);
  }
  return chunk;
}

function valueAt(array: Xarray, gfn: number): number {
  const chunk = array.chunks.get(Math.floor(gfn / CHUNK));
  return chunk === undefined ? 0 : chunk.values[gfn % CHUNK];
}

/** Give gfns `from .. to` of a chunk, which have one value, another. */
function write(chunk: Chunk, from: number, to: number, value: number, event: number): void {
  if (chunk.values[from] === chunk.value) chunk.same -= to - from;
  // fill() costs more than a single store, and loops of the kernel's store one by one.
  if (to - from === 1) chunk.values[from] = value;
  else chunk.values.fill(value, from, to);
  if (value === chunk.value) chunk.same += to - from;
  else if (chunk.same === 0) {
    // Nobody has the value that was counted any more: count this one.
    chunk.value = value;
    for (const other of chunk.values) if (other === value) chunk.same++;
  }
  if (to - from === 1) chunk.events[from] = event;
  else chunk.events.fill(event, from, to);
}

/** The value of an entry to be stored in the xarray of argument 0. Traps if it is none, or the xarray is not a VM's. */
function storable(attributes: MemoryAttributes, call: NativeCall, entry: number): number {
  const value = entry === 0 ? 0 : fromEntry(entry);
  if (!Number.isInteger(value) || value < 0 || value > 255)
    return call.trap(TrapCode.BadArgument, 'this xarray holds small values (xa_mk_value()) only');
  if (!attributes.isRegistered(call.num(0)))
    return call.trap(TrapCode.BadArgument, 'only the memory attribute xarray of a VM is provided');
  return value;
}

export function memoryAttributeNatives(kernel: KernelState): Native[] {
  const attributes = kernel.attributes;
  return [
    {
      // Called once when KVM creates a VM.
      prototype: 'void __mem_attr_register(void *xa, unsigned int asid)',
      call(call) {
        attributes.register(call.num(0), call.num(1));
        return 0;
      },
    },
    {
      // 0, or the negative errno that xa_err() of xa_store()'s result would give. `entry` is NULL or xa_mk_value().
      prototype: 'int __xa_store(void *xa, unsigned long index, void *entry)',
      call(call) {
        const value = storable(attributes, call, call.num(2));
        return attributes.store(call.num(0), call.num(1), value);
      },
    },
    {
      // xa_store() at each index from start to end in turn. The index of the first that fails, or end: one call for what is a loop in the kernel.
      prototype: 'unsigned long __xa_store_each(void *xa, unsigned long start, unsigned long end, void *entry)',
      call(call) {
        const value = storable(attributes, call, call.num(3));
        return attributes.storeRange(call.num(0), call.num(1), call.num(2), value);
      },
    },
    {
      // xa_reserve(): 0 or a negative errno.
      prototype: 'int __xa_reserve(void *xa, unsigned long index)',
      call: (call) => attributes.reserve(call.num(0), call.num(1)),
    },
    {
      // NULL or the xa_mk_value() entry.
      prototype: 'void *xa_load(void *xa, unsigned long index)',
      call(call) {
        const value = attributes.load(call.num(0), call.num(1));
        return value === 0 ? 0 : 2 * value + 1;
      },
    },
    {
      // Whether start .. end all have the same entry.
      prototype: 'int __xa_range_uniform(void *xa, unsigned long start, unsigned long end)',
      call: (call) => (attributes.isUniform(call.num(0), call.num(1), call.num(2)) ? 1 : 0),
    },
  ];
}
