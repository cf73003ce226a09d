// What every page of a lane is, as sorted runs of equal pages: the present state of up to 2^28 pages, of which most were never touched.
//
// The runs live in leaves of at most 512 (a B+ tree of two levels), and each leaf remembers how many pages of each kind it holds. So a step's change
// costs a small move inside one leaf, and the mixture of any stretch, be it a page, 2M, 1G or the whole lane, is exact and costs the
// two leaves at its ends and a sum over those between: the pyramid's work without fixed buckets.

/** Runs in a leaf before it is split. */
const capacity = 512;
/** Leaves that have less than this together are made one. */
const sparse = 128;

interface Leaf {
  /** The first page; the leaf ends where the next begins. */
  first: number;
  n: number;
  starts: Uint32Array;
  ids: Uint32Array;
  /** Pairs (id, pages), or null when a change has made them stale. */
  mixture: Uint32Array | null;
}

/** How many pages of each id: the answer of {@link RunList.mix}. One is reused for many questions. */
export class Mixture {
  /** The ids that occur, in the order they were met. */
  readonly ids: number[] = [];
  #counts = new Float64Array(64);

  clear(): void {
    for (const id of this.ids) this.#counts[id] = 0;
    this.ids.length = 0;
  }

  add(id: number, pages: number): void {
    if (id >= this.#counts.length) {
      const grown = new Float64Array(Math.max(id + 1, this.#counts.length * 2));
      grown.set(this.#counts);
      this.#counts = grown;
    }
    if (this.#counts[id] === 0) this.ids.push(id);
    this.#counts[id] += pages;
  }

  /** Pages of an id. */
  count(id: number): number {
    return this.#counts[id] ?? 0;
  }
}

const newLeaf = (first: number, size: number): Leaf => ({
  first,
  n: 0,
  starts: new Uint32Array(size),
  ids: new Uint32Array(size),
  mixture: null,
});

export class RunList {
  /** All pages begin as id 0. */
  readonly pages: number;
  /** Counts changes: what was computed at another version is stale. */
  version = 0;
  #leaves: Leaf[];
  readonly #scratch = new Mixture();

  constructor(pages: number) {
    this.pages = pages;
    const leaf = newLeaf(0, 8);
    leaf.n = 1;
    this.#leaves = [leaf];
  }

  /** Runs in all: one where every page is equal. */
  get runs(): number {
    let sum = 0;
    for (const leaf of this.#leaves) sum += leaf.n;
    return sum;
  }

  /** Pages `[start, end)`, which are cut to what the lane has, become `id`. */
  set(start: number, end: number, id: number): void {
    const from = Math.max(0, start);
    const to = Math.min(this.pages, end);
    if (!(from < to)) return;
    const firstLeaf = this.#leafOf(from);
    let index = firstLeaf;
    let changed = false;
    while (index < this.#leaves.length && this.#leaves[index].first < to) {
      const leaf = this.#leaves[index];
      changed = this.#setInLeaf(leaf, index, Math.max(from, leaf.first), Math.min(to, this.#end(index)), id) || changed;
      index++;
    }
    if (!changed) return;
    this.version++;
    if (index - firstLeaf > 1 || this.#leaves[firstLeaf].n < sparse / 2)
      this.#join(Math.max(0, firstLeaf - 1), index + 1);
    for (let i = Math.min(index, this.#leaves.length) - 1; i >= firstLeaf; i--) this.#split(i);
  }

  /** The id of a page. */
  at(page: number): number {
    const leaf = this.#leaves[this.#leafOf(page)];
    return leaf.ids[indexIn(leaf, page)];
  }

  /** The run that a page is in: `[first page, one past the last)` and its id. Neighbouring leaves may go on with the same id. */
  runAt(page: number): { start: number; end: number; id: number } {
    const index = this.#leafOf(page);
    const leaf = this.#leaves[index];
    const i = indexIn(leaf, page);
    return { start: leaf.starts[i], end: i + 1 < leaf.n ? leaf.starts[i + 1] : this.#end(index), id: leaf.ids[i] };
  }

  /** Adds the pages of `[start, end)` to a mixture. */
  mix(start: number, end: number, into: Mixture): void {
    if (start >= end) return;
    for (let index = this.#leafOf(start); index < this.#leaves.length; index++) {
      const leaf = this.#leaves[index];
      if (leaf.first >= end) return;
      const leafEnd = this.#end(index);
      if (leaf.first >= start && leafEnd <= end) {
        const mixture = leaf.mixture ?? this.#summarise(leaf, leafEnd);
        for (let i = 0; i < mixture.length; i += 2) into.add(mixture[i], mixture[i + 1]);
        continue;
      }
      for (let i = leaf.first >= start ? 0 : indexIn(leaf, start); i < leaf.n; i++) {
        const from = leaf.starts[i];
        if (from >= end) return;
        const to = i + 1 < leaf.n ? leaf.starts[i + 1] : leafEnd;
        into.add(leaf.ids[i], Math.min(to, end) - Math.max(from, start));
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
   * The nearest run at or after `from` (or, going back, ending at or before it) whose id is wanted.
   * @param wanted wanted(id)
   */
  find(from: number, forward: boolean, wanted: (id: number) => boolean): { start: number; end: number } | undefined {
    if (from >= this.pages && forward) return undefined;
    let index = this.#leafOf(Math.min(Math.max(from, 0), this.pages - 1));
    for (; index >= 0 && index < this.#leaves.length; index += forward ? 1 : -1) {
      const leaf = this.#leaves[index];
      const leafEnd = this.#end(index);
      const mixture = leaf.mixture ?? this.#summarise(leaf, leafEnd);
      let some = false;
      for (let i = 0; i < mixture.length && !some; i += 2) some = wanted(mixture[i]);
      if (!some) continue;
      for (let k = 0; k < leaf.n; k++) {
        const i = forward ? k : leaf.n - 1 - k;
        if (!wanted(leaf.ids[i])) continue;
        const start = leaf.starts[i];
        const end = i + 1 < leaf.n ? leaf.starts[i + 1] : leafEnd;
        if (forward ? end > from : end <= from) return { start: forward ? Math.max(start, from) : start, end };
        if (!forward && start < from) return { start, end: Math.min(end, from) };
      }
    }
    return undefined;
  }

  #end(index: number): number {
    return index + 1 < this.#leaves.length ? this.#leaves[index + 1].first : this.pages;
  }

  #leafOf(page: number): number {
    let low = 0;
    let high = this.#leaves.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#leaves[middle].first <= page) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #summarise(leaf: Leaf, leafEnd: number): Uint32Array {
    const scratch = this.#scratch;
    scratch.clear();
    for (let i = 0; i < leaf.n; i++) {
      scratch.add(leaf.ids[i], (i + 1 < leaf.n ? leaf.starts[i + 1] : leafEnd) - leaf.starts[i]);
    }
    const mixture = new Uint32Array(scratch.ids.length * 2);
    for (const [k, id] of scratch.ids.entries()) {
      mixture[2 * k] = id;
      mixture[2 * k + 1] = scratch.count(id);
    }
    leaf.mixture = mixture;
    return mixture;
  }

  /** `[from, to)` lies within the leaf. @returns whether anything changed */
  #setInLeaf(leaf: Leaf, index: number, from: number, to: number, id: number): boolean {
    const i = indexIn(leaf, from);
    const j = indexIn(leaf, to - 1);
    if (i === j && leaf.ids[i] === id) return false;
    const { ids, starts } = leaf;
    const lastEnd = j + 1 < leaf.n ? starts[j + 1] : this.#end(index);
    // What is replaced are the runs [low, high); in their place come (start, id) and, if a run sticks out at the end, its tail.
    let low = i;
    let start = from;
    if (starts[i] < from) {
      if (ids[i] === id) start = starts[i];
      else low = i + 1;
    } else if (i > 0 && ids[i - 1] === id) {
      low = i - 1;
      start = starts[low];
    }
    let high = j + 1;
    let tail = -1;
    if (lastEnd > to) {
      if (ids[j] !== id) tail = ids[j];
    } else if (high < leaf.n && ids[high] === id) high++;
    const grows = (tail >= 0 ? 2 : 1) - (high - low);
    const n = leaf.n + grows;
    if (n > starts.length) reserve(leaf, n);
    if (grows !== 0) {
      leaf.starts.copyWithin(high + grows, high, leaf.n);
      leaf.ids.copyWithin(high + grows, high, leaf.n);
    }
    leaf.starts[low] = start;
    leaf.ids[low] = id;
    if (tail >= 0) {
      leaf.starts[low + 1] = to;
      leaf.ids[low + 1] = tail;
    }
    leaf.n = n;
    leaf.mixture = null;
    return true;
  }

  #split(index: number): void {
    const leaf = this.#leaves[index];
    if (leaf.n <= capacity) return;
    const half = leaf.n >> 1;
    const right = newLeaf(leaf.starts[half], Math.min(capacity + 2, (leaf.n - half) * 2));
    right.n = leaf.n - half;
    right.starts.set(leaf.starts.subarray(half, leaf.n));
    right.ids.set(leaf.ids.subarray(half, leaf.n));
    leaf.n = half;
    leaf.mixture = null;
    this.#leaves.splice(index + 1, 0, right);
  }

  /** Makes one of neighbours with few runs, among the leaves `[from, to)`. */
  #join(from: number, to: number): void {
    const joined: Leaf[] = [];
    const end = Math.min(to, this.#leaves.length);
    for (let index = from; index < end; index++) {
      const leaf = this.#leaves[index];
      const last = joined.at(-1);
      if (last && last.n + leaf.n <= sparse) append(last, leaf);
      else joined.push(leaf);
    }
    if (joined.length < end - from) this.#leaves.splice(from, end - from, ...joined);
  }
}

function append(leaf: Leaf, next: Leaf): void {
  const skip = leaf.ids[leaf.n - 1] === next.ids[0] ? 1 : 0;
  const n = leaf.n + next.n - skip;
  if (n > leaf.starts.length) reserve(leaf, n);
  leaf.starts.set(next.starts.subarray(skip, next.n), leaf.n);
  leaf.ids.set(next.ids.subarray(skip, next.n), leaf.n);
  leaf.n = n;
  leaf.mixture = null;
}

function reserve(leaf: Leaf, n: number): void {
  const size = Math.max(n, Math.min(capacity + 2, leaf.starts.length * 2));
  const starts = new Uint32Array(size);
  const ids = new Uint32Array(size);
  starts.set(leaf.starts.subarray(0, leaf.n));
  ids.set(leaf.ids.subarray(0, leaf.n));
  leaf.starts = starts;
  leaf.ids = ids;
}

/** The last run of a leaf that starts at or before a page. */
function indexIn(leaf: Leaf, page: number): number {
  let low = 0;
  let high = leaf.n - 1;
  const { starts } = leaf;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= page) low = middle;
    else high = middle - 1;
  }
  return low;
}
