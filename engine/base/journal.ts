/**
 * The undo log of the whole machine. Every change of shared state (RMP, NPT, kernel objects, VM heap, logs) writes a record here
 * *before* it happens; undoing the records in reverse restores the state bit for bit. Stepping back, re-running from an edited
 * step and exploring interleavings all rest on this one mechanism.
 *
 * A record is numbers only: `payload…, header`, where the header holds the owner and the payload's length, so the log can be
 * read backwards without an index. Owners register once and get a small id; they decode their own payload.
 */

/** Something whose changes can be undone. */
export interface Undoable {
  /**
   * Take back one change. `data[at .. at + length)` is the payload this owner wrote.
   * Called in the exact reverse order of the writes.
   */
  undo(data: Float64Array, at: number, length: number): void;
}

const LENGTH_LIMIT = 16;
/** Numbers in a block. A record never spans two blocks, and a full block is never copied: growing costs nothing but the new block. */
const BLOCK = 1 << 16;

/** A position in the journal; only comparable within the same journal. */
export type JournalMark = number;

export class Journal {
  private readonly owners: Undoable[] = [];
  /** Blocks before the present one, and how far each is filled. */
  private readonly full: Float64Array[] = [];
  private readonly fills: number[] = [];
  /** Small at first: most journals stay so. */
  private data: Float64Array = new Float64Array(256);
  private top = 0;

  /** Position of the last mark: records before it must not grow. */
  private sealed = 0;

  /** Register an owner. The id stays valid for the journal's life. */
  register(owner: Undoable): number {
    this.owners.push(owner);
    return this.owners.length - 1;
  }

  /** The present position; pass it to {@link undoTo}. */
  mark(): JournalMark {
    this.sealed = this.position;
    return this.sealed;
  }

  private get position(): number {
    return this.full.length * BLOCK + this.top;
  }

  /** Numbers that room is held for, for memory budgets. */
  get length(): number {
    return this.position;
  }

  /**
   * Where in {@link block} the payload of the newest record stands, if it is this owner's, has this length, and no mark was taken since: then the
   * owner may let it stand for one change more (a run of pages) instead of writing another. -1 otherwise.
   */
  extendable(owner: number, length: number): number {
    const top = this.top;
    if (top === 0 || this.data[top - 1] !== owner * LENGTH_LIMIT + length || this.position <= this.sealed) return -1;
    return top - 1 - length;
  }

  /** The block that {@link extendable} speaks of. */
  get block(): Float64Array {
    return this.data;
  }

  write1(owner: number, a: number): void {
    if (this.top + 2 > this.data.length) this.grow(2);
    const d = this.data;
    let t = this.top;
    d[t++] = a;
    d[t++] = owner * LENGTH_LIMIT + 1;
    this.top = t;
  }

  write2(owner: number, a: number, b: number): void {
    if (this.top + 3 > this.data.length) this.grow(3);
    const d = this.data;
    let t = this.top;
    d[t++] = a;
    d[t++] = b;
    d[t++] = owner * LENGTH_LIMIT + 2;
    this.top = t;
  }

  write3(owner: number, a: number, b: number, c: number): void {
    if (this.top + 4 > this.data.length) this.grow(4);
    const d = this.data;
    let t = this.top;
    d[t++] = a;
    d[t++] = b;
    d[t++] = c;
    d[t++] = owner * LENGTH_LIMIT + 3;
    this.top = t;
  }

  write5(owner: number, a: number, b: number, c: number, e: number, f: number): void {
    if (this.top + 6 > this.data.length) this.grow(6);
    const d = this.data;
    let t = this.top;
    d[t++] = a;
    d[t++] = b;
    d[t++] = c;
    d[t++] = e;
    d[t++] = f;
    d[t++] = owner * LENGTH_LIMIT + 5;
    this.top = t;
  }

  /** Undo every change made after `mark`. */
  undoTo(mark: JournalMark): void {
    while (this.position > mark) {
      if (this.top === 0) {
        // The empty rest of the block before it counts as written: a mark may lie anywhere in it.
        this.data = this.full.pop() as Float64Array<ArrayBuffer>;
        this.top = this.fills.pop() as number;
        continue;
      }
      const d = this.data;
      const header = d[this.top - 1];
      const length = header % LENGTH_LIMIT;
      const at = this.top - 1 - length;
      // Cut first: an owner that (wrongly) wrote while undoing would otherwise loop for ever.
      this.top = at;
      this.owners[(header - length) / LENGTH_LIMIT].undo(d, at, length);
    }
    // What is before the mark that was undone to stays as it is: the mark may be used again.
    this.sealed = mark;
  }

  /** Forget the history: the present state becomes the beginning. Marks taken before are void. */
  forget(): void {
    this.full.length = 0;
    this.fills.length = 0;
    this.top = 0;
    this.sealed = 0;
  }

  private grow(wanted: number): void {
    if (this.data.length < BLOCK) {
      // The first block grows by doubling until it is a whole one.
      const bigger = new Float64Array(Math.min(BLOCK, this.data.length * 4));
      bigger.set(this.data);
      this.data = bigger;
      if (this.top + wanted <= this.data.length) return;
    }
    this.full.push(this.data);
    this.fills.push(this.top);
    this.data = new Float64Array(BLOCK);
    this.top = 0;
  }
}
