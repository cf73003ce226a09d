// Where a run list keeps its runs: blocks of 128, in plain arrays one behind the other, with a short summary of each. A million runs are then a few
// arrays and not a hundred thousand objects, and going over the summaries is going over memory in order.

/** Runs in a block. */
export const blockSize = 128;
/** Blocks in one array. */
const segmentBlocks = 64;
/** Kinds of pages that a summary has room for. */
const kinds = 6;
const stale = 255;
const tooMany = 254;

export class RunBlocks {
  /** By block: runs in use. */
  n = new Uint8Array(4);
  readonly #starts: Uint32Array[] = [];
  readonly #ids: (Uint16Array | Uint32Array)[] = [];
  /** 65,536 ids are more than any scenario has; one that has more is told with twice the memory. */
  #wide = false;
  #used = 0;
  readonly #free: number[] = [];
  /** Kinds in a block's summary. */
  #known = new Uint8Array(4);
  #kindIds = new Uint32Array(4 * kinds);
  #kindPages = new Uint32Array(4 * kinds);

  /** A block without runs. */
  take(): number {
    const block = this.#free.pop() ?? this.#used++;
    if (block >= this.n.length) this.#grow();
    const segment = Math.floor(block / segmentBlocks);
    if (segment === this.#starts.length) {
      this.#starts.push(new Uint32Array(segmentBlocks * blockSize));
      this.#ids.push(new (this.#wide ? Uint32Array : Uint16Array)(segmentBlocks * blockSize));
    }
    this.n[block] = 0;
    this.#known[block] = stale;
    return block;
  }

  /** Makes room for an id, before it is stored. */
  prepare(id: number): void {
    if (id <= 0xffff || this.#wide) return;
    this.#wide = true;
    for (const [segment, ids] of this.#ids.entries()) this.#ids[segment] = Uint32Array.from(ids);
  }

  give(block: number): void {
    this.#free.push(block);
  }

  /** The array that a block's first pages are in; they begin at {@link at}. */
  starts(block: number): Uint32Array {
    return this.#starts[Math.floor(block / segmentBlocks)];
  }

  ids(block: number): Uint16Array | Uint32Array {
    return this.#ids[Math.floor(block / segmentBlocks)];
  }

  at(block: number): number {
    return (block % segmentBlocks) * blockSize;
  }

  /** The block's runs have changed. */
  forget(block: number): void {
    this.#known[block] = stale;
  }

  /** Moves pages from one id to another in a summary, if it knows both; else forgets it. */
  recount(block: number, from: number, to: number, pages: number): void {
    const known = this.#known[block];
    if (known === tooMany || known === stale) return;
    let source = -1;
    let target = -1;
    for (let i = block * kinds; i < block * kinds + known; i++) {
      if (this.#kindIds[i] === from) source = i;
      else if (this.#kindIds[i] === to) target = i;
    }
    if (target < 0 && known < kinds) {
      target = block * kinds + known;
      this.#kindIds[target] = to;
      this.#kindPages[target] = 0;
      this.#known[block]++;
    }
    if (source < 0 || target < 0) {
      this.#known[block] = stale;
      return;
    }
    this.#kindPages[source] -= pages;
    this.#kindPages[target] += pages;
  }

  /**
   * Calls `visit` with the kinds of pages in a block, perhaps more than once with the same.
   * @param end where the block's last run ends
   */
  each(block: number, end: number, visit: (id: number, pages: number) => void): void {
    if (this.#known[block] === stale) this.#summarise(block, end);
    const known = this.#known[block];
    if (known !== tooMany) {
      for (let i = block * kinds; i < block * kinds + known; i++) {
        if (this.#kindPages[i] > 0) visit(this.#kindIds[i], this.#kindPages[i]);
      }
      return;
    }
    const starts = this.starts(block);
    const ids = this.ids(block);
    const from = this.at(block);
    const to = from + this.n[block];
    for (let i = from; i < to; i++) visit(ids[i], (i + 1 < to ? starts[i + 1] : end) - starts[i]);
  }

  #summarise(block: number, end: number): void {
    const starts = this.starts(block);
    const ids = this.ids(block);
    const from = this.at(block);
    const to = from + this.n[block];
    const base = block * kinds;
    let known = 0;
    for (let i = from; i < to; i++) {
      const pages = (i + 1 < to ? starts[i + 1] : end) - starts[i];
      let kind = 0;
      while (kind < known && this.#kindIds[base + kind] !== ids[i]) kind++;
      if (kind === known) {
        if (known === kinds) {
          this.#known[block] = tooMany;
          return;
        }
        this.#kindIds[base + kind] = ids[i];
        this.#kindPages[base + kind] = 0;
        known++;
      }
      this.#kindPages[base + kind] += pages;
    }
    this.#known[block] = known;
  }

  #grow(): void {
    const size = Math.ceil(this.n.length * 1.5);
    const grown = <T extends Uint8Array | Uint32Array>(made: T, old: T): T => {
      made.set(old);
      return made;
    };
    this.n = grown(new Uint8Array(size), this.n);
    this.#known = grown(new Uint8Array(size), this.#known);
    this.#kindIds = grown(new Uint32Array(size * kinds), this.#kindIds);
    this.#kindPages = grown(new Uint32Array(size * kinds), this.#kindPages);
  }
}
