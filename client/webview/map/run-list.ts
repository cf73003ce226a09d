// What every page of a lane is, as sorted runs of equal pages: the present state of up to 2^28 pages, of which most were never touched.
//
// The runs live in blocks of at most 128 (a B+ tree of two levels), and each block remembers how many pages of each kind it holds. So a step's change
// costs a small move inside one block, and the mixture of any stretch, be it a page, 2M, 1G or the whole lane, is exact and costs the
// two blocks at its ends and a sum over those between: the pyramid's work without fixed buckets.

import type { Mixture } from './mixture.ts';
import { blockSize, RunBlocks } from './run-blocks.ts';

/** Neighbouring blocks that have less than this together are made one. */
const sparse = 48;

export class RunList {
  /** All pages begin as id 0. */
  readonly pages: number;
  /** Counts changes: what was computed at another version is stale. */
  version = 0;
  readonly #blocks = new RunBlocks();
  /** By place in the order of pages: the block, and its first page. It ends where the next begins. */
  #order = new Uint32Array(4);
  #firsts = new Uint32Array(4);
  #count = 1;
  /** By id: its pages in all. */
  readonly #totals: number[];

  constructor(pages: number) {
    this.pages = pages;
    const block = this.#blocks.take();
    this.#blocks.n[block] = 1;
    this.#order[0] = block;
    this.#totals = [pages];
  }

  /** Runs in all: one where every page is equal. */
  get runs(): number {
    let sum = 0;
    for (let i = 0; i < this.#count; i++) sum += this.#blocks.n[this.#order[i]];
    return sum;
  }

  /** How many pages have an id, in all. */
  total(id: number): number {
    return this.#totals[id] ?? 0;
  }

  /** Pages `[start, end)`, which are cut to what the lane has, become `id`. */
  set(start: number, end: number, id: number): void {
    const from = Math.max(0, start);
    const to = Math.min(this.pages, end);
    if (!(from < to)) return;
    this.#blocks.prepare(id);
    const first = this.#placeOf(from);
    let place = first;
    let changed = false;
    for (; place < this.#count && this.#firsts[place] < to; place++) {
      const low = Math.max(from, this.#firsts[place]);
      const high = Math.min(to, this.#end(place));
      // A set may add two runs; a block that might not hold them is split before.
      if (this.#blocks.n[this.#order[place]] > blockSize - 2) {
        this.#split(place--);
        continue;
      }
      // After a split the change may begin in the second half only.
      if (low < high) changed = this.#setIn(place, low, high, id) || changed;
    }
    if (!changed) return;
    this.version++;
    if (place - first > 1 || this.#blocks.n[this.#order[first]] < sparse / 2)
      this.#join(Math.max(0, first - 1), place + 1);
  }

  /** The id of a page. */
  at(page: number): number {
    const block = this.#order[this.#placeOf(page)];
    return this.#blocks.ids(block)[this.#indexIn(block, page)];
  }

  /** The run that a page is in: `[first page, one past the last)` and its id. Neighbouring blocks may go on with the same id. */
  runAt(page: number): { start: number; end: number; id: number } {
    const place = this.#placeOf(page);
    const block = this.#order[place];
    const i = this.#indexIn(block, page);
    return { start: this.#blocks.starts(block)[i], end: this.#endOf(place, block, i), id: this.#blocks.ids(block)[i] };
  }

  /** Adds the pages of `[start, end)` to a mixture. */
  mix(start: number, end: number, into: Mixture): void {
    if (start >= end) return;
    const add = (id: number, pages: number) => into.add(id, pages);
    for (let place = this.#placeOf(start); place < this.#count; place++) {
      const first = this.#firsts[place];
      if (first >= end) return;
      const block = this.#order[place];
      const blockEnd = this.#end(place);
      if (first >= start && blockEnd <= end) {
        this.#blocks.each(block, blockEnd, add);
        continue;
      }
      const starts = this.#blocks.starts(block);
      const ids = this.#blocks.ids(block);
      const last = this.#blocks.at(block) + this.#blocks.n[block];
      for (let i = first >= start ? this.#blocks.at(block) : this.#indexIn(block, start); i < last; i++) {
        const from = starts[i];
        if (from >= end) return;
        const to = i + 1 < last ? starts[i + 1] : blockEnd;
        into.add(ids[i], Math.min(to, end) - Math.max(from, start));
      }
    }
  }

  /** Calls `visit` for each run in `[start, end)`, cut to it, until it returns false. Equal neighbours are told as one. */
  forEach(start: number, end: number, visit: (start: number, end: number, id: number) => boolean | undefined): void {
    let heldFrom = -1;
    let heldTo = -1;
    let heldId = -1;
    for (let page = Math.max(0, start); page < Math.min(end, this.pages); ) {
      const run = this.runAt(page);
      const to = Math.min(run.end, end);
      if (run.id === heldId) heldTo = to;
      else {
        if (heldId >= 0 && visit(heldFrom, heldTo, heldId) === false) return;
        heldFrom = page;
        heldTo = to;
        heldId = run.id;
      }
      page = to;
    }
    if (heldId >= 0) visit(heldFrom, heldTo, heldId);
  }

  /**
   * The nearest run at or after `from` (or, going back, the last that begins before it) whose id is wanted, cut at `from`.
   * @param wanted of an id
   */
  find(from: number, forward: boolean, wanted: (id: number) => boolean): { start: number; end: number } | undefined {
    if (this.pages === 0 || (forward ? from >= this.pages : from <= 0)) return undefined;
    let place = this.#placeOf(Math.min(Math.max(forward ? from : from - 1, 0), this.pages - 1));
    for (; place >= 0 && place < this.#count; place += forward ? 1 : -1) {
      const block = this.#order[place];
      let some = false;
      this.#blocks.each(block, this.#end(place), (id) => {
        some ||= wanted(id);
      });
      if (!some) continue;
      const starts = this.#blocks.starts(block);
      const ids = this.#blocks.ids(block);
      const low = this.#blocks.at(block);
      const n = this.#blocks.n[block];
      for (let k = 0; k < n; k++) {
        const i = low + (forward ? k : n - 1 - k);
        if (!wanted(ids[i])) continue;
        const end = this.#endOf(place, block, i);
        if (forward && end > from) return { start: Math.max(starts[i], from), end };
        if (!forward && starts[i] < from) return { start: starts[i], end: Math.min(end, from) };
      }
    }
    return undefined;
  }

  #end(place: number): number {
    return place + 1 < this.#count ? this.#firsts[place + 1] : this.pages;
  }

  #endOf(place: number, block: number, i: number): number {
    return i + 1 < this.#blocks.at(block) + this.#blocks.n[block]
      ? this.#blocks.starts(block)[i + 1]
      : this.#end(place);
  }

  #placeOf(page: number): number {
    let low = 0;
    let high = this.#count - 1;
    const firsts = this.#firsts;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (firsts[middle] <= page) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The last run of a block that starts at or before a page, as an index into its arrays. */
  #indexIn(block: number, page: number): number {
    const starts = this.#blocks.starts(block);
    let low = this.#blocks.at(block);
    let high = low + this.#blocks.n[block] - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= page) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** `[from, to)` lies within the block. @returns whether anything changed */
  #setIn(place: number, from: number, to: number, id: number): boolean {
    const block = this.#order[place];
    const i = this.#indexIn(block, from);
    const j = this.#indexIn(block, to - 1);
    const starts = this.#blocks.starts(block);
    const ids = this.#blocks.ids(block);
    if (i === j && ids[i] === id) return false;
    if (i === j) this.#blocks.recount(block, ids[i], id, to - from);
    else this.#blocks.forget(block);
    const first = this.#blocks.at(block);
    const last = first + this.#blocks.n[block];
    const lastEnd = this.#endOf(place, block, j);
    for (let k = i; k <= j; k++) {
      this.#totals[ids[k]] -= Math.min(to, k < j ? starts[k + 1] : lastEnd) - Math.max(from, starts[k]);
    }
    this.#totals[id] = (this.#totals[id] ?? 0) + (to - from);
    // What is replaced are the runs [low, high); in their place come (start, id) and, if a run sticks out at the end, its tail.
    let low = i;
    let start = from;
    if (starts[i] < from) {
      if (ids[i] === id) start = starts[i];
      else low = i + 1;
    } else if (i > first && ids[i - 1] === id) {
      low = i - 1;
      start = starts[low];
    }
    let high = j + 1;
    let tail = -1;
    if (lastEnd > to) {
      if (ids[j] !== id) tail = ids[j];
    } else if (high < last && ids[high] === id) high++;
    const grows = (tail >= 0 ? 2 : 1) - (high - low);
    if (grows !== 0) {
      starts.copyWithin(high + grows, high, last);
      ids.copyWithin(high + grows, high, last);
      this.#blocks.n[block] += grows;
    }
    starts[low] = start;
    ids[low] = id;
    if (tail >= 0) {
      starts[low + 1] = to;
      ids[low + 1] = tail;
    }
    return true;
  }

  /** The second half of a full block becomes a block of its own. */
  #split(place: number): void {
    const blocks = this.#blocks;
    const block = this.#order[place];
    const n = blocks.n[block];
    const half = n >> 1;
    const right = blocks.take();
    const from = blocks.at(block);
    blocks.starts(right).set(blocks.starts(block).subarray(from + half, from + n), blocks.at(right));
    blocks.ids(right).set(blocks.ids(block).subarray(from + half, from + n), blocks.at(right));
    blocks.n[block] = half;
    blocks.n[right] = n - half;
    blocks.forget(block);
    if (this.#count === this.#order.length) {
      const [order, firsts] = [this.#order, this.#firsts];
      this.#order = new Uint32Array(Math.ceil(this.#count * 1.5));
      this.#firsts = new Uint32Array(Math.ceil(this.#count * 1.5));
      this.#order.set(order);
      this.#firsts.set(firsts);
    }
    this.#order.copyWithin(place + 2, place + 1, this.#count);
    this.#firsts.copyWithin(place + 2, place + 1, this.#count);
    this.#order[place + 1] = right;
    this.#firsts[place + 1] = blocks.starts(right)[blocks.at(right)];
    this.#count++;
  }

  /** Makes one of neighbours with few runs, among the places `[from, to)`. */
  #join(from: number, to: number): void {
    const blocks = this.#blocks;
    const end = Math.min(to, this.#count);
    let last = from;
    for (let place = from + 1; place < end; place++) {
      const block = this.#order[last];
      const next = this.#order[place];
      if (blocks.n[block] + blocks.n[next] <= sparse) {
        this.#append(block, next);
        continue;
      }
      last++;
      this.#order[last] = next;
      this.#firsts[last] = this.#firsts[place];
    }
    const removed = end - (last + 1);
    if (removed <= 0) return;
    this.#order.copyWithin(last + 1, end, this.#count);
    this.#firsts.copyWithin(last + 1, end, this.#count);
    this.#count -= removed;
  }

  #append(block: number, next: number): void {
    const blocks = this.#blocks;
    const end = blocks.at(block) + blocks.n[block];
    const from = blocks.at(next);
    const skip = blocks.ids(block)[end - 1] === blocks.ids(next)[from] ? 1 : 0;
    const to = from + blocks.n[next];
    blocks.starts(block).set(blocks.starts(next).subarray(from + skip, to), end);
    blocks.ids(block).set(blocks.ids(next).subarray(from + skip, to), end);
    blocks.n[block] += to - from - skip;
    blocks.forget(block);
    blocks.give(next);
  }
}
