/**
 * A small value that changes rarely (a list of ranges, a table of slots) with exact undo: the value is immutable, a change replaces it, and
 * the journal brings the old one back. Page-sized state has its own typed arrays instead.
 */
import type { Journal, Undoable } from '../base/journal.ts';

export class JournalledValue<T> implements Undoable {
  private readonly earlier: T[] = [];
  private readonly journal: Journal;
  private readonly owner: number;
  private current: T;

  constructor(journal: Journal, initial: T) {
    this.journal = journal;
    this.owner = journal.register(this);
    this.current = initial;
  }

  get value(): T {
    return this.current;
  }

  set(value: T): void {
    this.earlier.push(this.current);
    this.journal.write1(this.owner, 0);
    this.current = value;
  }

  undo(): void {
    this.current = this.earlier.pop() as T;
  }
}

/** An append-only list with exact undo. */
export class JournalledList<T> implements Undoable {
  private readonly items: T[] = [];
  private readonly journal: Journal;
  private readonly owner: number;

  constructor(journal: Journal) {
    this.journal = journal;
    this.owner = journal.register(this);
  }

  get length(): number {
    return this.items.length;
  }

  at(index: number): T | undefined {
    return this.items[index];
  }

  /** The live list: read it, do not keep it across steps. */
  get all(): readonly T[] {
    return this.items;
  }

  push(item: T): void {
    this.journal.write1(this.owner, 0);
    this.items.push(item);
  }

  undo(): void {
    this.items.pop();
  }
}
