/**
 * A set of page numbers (pfn or gfn), sparse and journalled: 512 bits per 2M frame, allocated when first touched.
 */
import type { Journal, Undoable } from './journal.ts';

const WORDS = 16;

/** The pages of one 2M frame that are in the set. */
interface Frame {
  readonly words: Int32Array;
  count: number;
}

export class PageSet implements Undoable {
  private readonly frames = new Map<number, Frame>();
  /** Pages in the set. */
  private size = 0;
  private readonly owner: number;
  private readonly journal: Journal;

  constructor(journal: Journal) {
    this.journal = journal;
    this.owner = journal.register(this);
  }

  has(page: number): boolean {
    const within = page % 512;
    const frame = this.frames.get((page - within) / 512);
    return frame !== undefined && (frame.words[within >> 5] & (1 << (within & 31))) !== 0;
  }

  /** No page is in the set. */
  get isEmpty(): boolean {
    return this.size === 0;
  }

  /** Whether any page of a 2M frame is in the set. */
  mayHaveIn(frame: number): boolean {
    const pages = this.frames.get(frame);
    return pages !== undefined && pages.count > 0;
  }

  /** Put in or take out; returns whether that changed anything. */
  set(page: number, present: boolean): boolean {
    if (this.has(page) === present) return false;
    this.journal.write2(this.owner, page, present ? 0 : 1);
    this.write(page, present);
    return true;
  }

  /** Put pages [start, end) in or take them out: one record for each run that changes. */
  setRange(start: number, end: number, present: boolean): void {
    for (let page = start; page < end; page++) {
      if (this.has(page) === present) continue;
      const first = page;
      while (page < end && this.has(page) !== present) this.write(page++, present);
      this.journal.write3(this.owner, first, page - first, present ? 0 : 1);
    }
  }

  undo(data: Float64Array, at: number, length: number): void {
    const start = data[at];
    const present = data[at + length - 1] === 1;
    const pages = length === 3 ? data[at + 1] : 1;
    for (let page = start; page < start + pages; page++) this.write(page, present);
  }

  private write(page: number, present: boolean): void {
    const within = page % 512;
    const number = (page - within) / 512;
    let frame = this.frames.get(number);
    if (frame === undefined) {
      frame = { words: new Int32Array(WORDS), count: 0 };
      this.frames.set(number, frame);
    }
    const bit = 1 << (within & 31);
    const by = present ? 1 : -1;
    this.size += by;
    frame.count += by;
    if (present) frame.words[within >> 5] |= bit;
    else frame.words[within >> 5] &= ~bit;
  }
}
