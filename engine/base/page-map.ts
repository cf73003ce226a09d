/**
 * Numbers by page number, sparse and journalled: what a rule has to remember about a page from one step to the next. Few entries; for one bit a page
 * there is PageSet.
 */
import type { Journal, Undoable } from './journal.ts';

export class PageMap implements Undoable {
  private readonly entries = new Map<number, number>();
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
    if (value === undefined) this.entries.delete(page);
    else this.entries.set(page, value);
  }
}
