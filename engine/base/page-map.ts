/**
 * Numbers by page number, sparse and journalled: what a rule has to remember about a page from one step to the next. Few entries; for one bit a page
 * there is PageSet.
 */
import type { Journal, Undoable } from './journal.ts';

export class PageMap implements Undoable {
  private readonly entries = new Map<number, number>();
  /** Numbers in each 2M frame that has any. */
  private readonly counts = new Map<number, number>();
  private readonly owner: number;
  private readonly journal: Journal;

  constructor(journal: Journal) {
    this.journal = journal;
    this.owner = journal.register(this);
  }

  get(page: number): number | undefined {
    return this.entries.get(page);
  }

  get isEmpty(): boolean {
    return this.entries.size === 0;
  }

  /** Whether any page of a 2M frame has a number. */
  hasIn(frame: number): boolean {
    return this.counts.has(frame);
  }

  /** Pages that have a number, ascending: the same whatever was undone on the way. */
  pages(): number[] {
    return [...this.entries.keys()].sort((a, b) => a - b);
  }

  /** `undefined` takes the page out. A value is not NaN. */
  set(page: number, value: number | undefined): void {
    const old = this.entries.get(page);
    if (old === value) return;
    this.journal.write2(this.owner, page, old ?? Number.NaN);
    this.write(page, value);
  }

  undo(data: Float64Array, at: number): void {
    this.write(data[at], Number.isNaN(data[at + 1]) ? undefined : data[at + 1]);
  }

  private write(page: number, value: number | undefined): void {
    const before = this.entries.size;
    if (value === undefined) this.entries.delete(page);
    else this.entries.set(page, value);
    const by = this.entries.size - before;
    if (by === 0) return;
    const frame = Math.floor(page / 512);
    const count = (this.counts.get(frame) ?? 0) + by;
    if (count === 0) this.counts.delete(frame);
    else this.counts.set(frame, count);
  }
}
