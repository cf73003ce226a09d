/**
 * A set of page numbers (pfn or gfn), sparse and journalled: 512 bits per 2M frame, allocated when first touched.
 */
import type { Journal, Undoable } from './journal.ts';

const WORDS = 16;

export class PageSet implements Undoable {
  private readonly frames = new Map<number, Int32Array>();
  /** Pages in the set. Follows every change, undone ones too; the frames that were allocated do not. */
  private size = 0;
  private readonly owner: number;
  private readonly journal: Journal;

  constructor(journal: Journal) {
    this.journal = journal;
    this.owner = journal.register(this);
  }

  has(page: number): boolean {
    const within = page % 512;
    const words = this.frames.get((page - within) / 512);
    return words !== undefined && (words[within >> 5] & (1 << (within & 31))) !== 0;
  }

  /** No page is in the set. */
  get isEmpty(): boolean {
    return this.size === 0;
  }

  /** Whether any page of a 2M frame may be in the set: false is certain. */
  mayHaveIn(frame: number): boolean {
    return this.frames.has(frame);
  }

  /** Put in or take out; returns whether that changed anything. */
  set(page: number, present: boolean): boolean {
    if (this.has(page) === present) return false;
    this.journal.write2(this.owner, page, present ? 0 : 1);
    this.write(page, present);
    return true;
  }

  undo(data: Float64Array, at: number): void {
    this.write(data[at], data[at + 1] === 1);
  }

  private write(page: number, present: boolean): void {
    const within = page % 512;
    const frame = (page - within) / 512;
    let words = this.frames.get(frame);
    if (words === undefined) {
      words = new Int32Array(WORDS);
      this.frames.set(frame, words);
    }
    const bit = 1 << (within & 31);
    this.size += present ? 1 : -1;
    if (present) words[within >> 5] |= bit;
    else words[within >> 5] &= ~bit;
  }
}
