/**
 * Locks. While one thread runs at a time nothing ever waits; what is checked is balance: a lock released that is not held, a mutex or
 * spinlock taken twice by its holder, and whatever is still held when a call is over.
 */
import type { Journal, Undoable } from '../base/journal.ts';
import { EventKind, type Trace } from '../trace/trace.ts';
import type { Native } from '../vm/native.ts';
import { JournalledList } from './journalled.ts';
import type { KernelState } from './kernel-state.ts';

/** Kinds as the C headers pass them. Readers may nest, the others may not. */
export const LockKind = { Mutex: 0, Spin: 1, Write: 2, Read: 3, Srcu: 4 } as const;

export interface LockProblem {
  kind: 'not-held' | 'held-already';
  name: string;
  /** Trace index of the release or acquisition. */
  event: number;
}

export interface HeldLock {
  name: string;
  depth: number;
  /** Trace index of the last acquisition. */
  event: number;
}

interface Lock {
  id: number;
  name: string;
  depth: number;
  event: number;
}

export class Locks implements Undoable {
  private readonly journal: Journal;
  private readonly owner: number;
  private readonly trace: Trace;
  /** By id: in the order in which they were first taken. */
  private readonly locks: Lock[] = [];
  private readonly byAddress = new Map<number, Lock>();
  private readonly problemList: JournalledList<LockProblem>;
  private total = 0;

  constructor(journal: Journal, trace: Trace) {
    this.journal = journal;
    this.trace = trace;
    this.owner = journal.register(this);
    this.problemList = new JournalledList(journal);
  }

  acquire(address: number, kind: number, name: () => string): void {
    const lock = this.lock(address, name);
    const event = this.trace.record(EventKind.Lock, 0, -1, 0, lock.id, 1, -1);
    const nests = kind === LockKind.Read || kind === LockKind.Srcu;
    if (lock.depth > 0 && !nests) this.problemList.push({ kind: 'held-already', name: lock.name, event });
    this.change(lock, 1, event);
  }

  release(address: number, name: () => string): void {
    const lock = this.lock(address, name);
    const event = this.trace.record(EventKind.Lock, 0, -1, 0, lock.id, -1, -1);
    if (lock.depth === 0) this.problemList.push({ kind: 'not-held', name: lock.name, event });
    else this.change(lock, -1, lock.event);
  }

  isHeld(address: number): boolean {
    return (this.byAddress.get(address)?.depth ?? 0) > 0;
  }

  nameOf(id: number): string {
    return this.locks[id]?.name ?? `lock ${id}`;
  }

  /** Locks held now. */
  held(): HeldLock[] {
    if (this.total === 0) return [];
    return this.locks.filter((lock) => lock.depth > 0).map(({ name, depth, event }) => ({ name, depth, event }));
  }

  get problems(): readonly LockProblem[] {
    return this.problemList.all;
  }

  undo(data: Float64Array, at: number, length: number): void {
    if (length === 1) {
      this.locks.pop();
      this.byAddress.delete(data[at]);
      return;
    }
    const lock = this.locks[data[at]];
    this.total += data[at + 1] - lock.depth;
    lock.depth = data[at + 1];
    lock.event = data[at + 2];
  }

  private change(lock: Lock, delta: number, event: number): void {
    this.journal.write3(this.owner, lock.id, lock.depth, lock.event);
    lock.depth += delta;
    this.total += delta;
    lock.event = event;
  }

  private lock(address: number, name: () => string): Lock {
    let lock = this.byAddress.get(address);
    if (lock === undefined) {
      lock = { id: this.locks.length, name: name(), depth: 0, event: -1 };
      this.locks.push(lock);
      this.byAddress.set(address, lock);
      this.journal.write1(this.owner, address);
    }
    return lock;
  }
}

export function lockNatives(kernel: KernelState): Native[] {
  return [
    {
      // `name` is the text of the lock expression; `kind` one of LockKind.
      prototype: 'void __lock_acquire(void *lock, int kind, const char *name)',
      call(call) {
        kernel.locks.acquire(call.num(0), call.num(1), () => call.str(2));
        return 0;
      },
    },
    {
      prototype: 'void __lock_release(void *lock, const char *name)',
      call(call) {
        kernel.locks.release(call.num(0), () => call.str(1));
        return 0;
      },
    },
    { prototype: 'int __lock_is_held(void *lock)', call: (call) => (kernel.locks.isHeld(call.num(0)) ? 1 : 0) },
  ];
}
