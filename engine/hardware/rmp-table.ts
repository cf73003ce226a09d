/**
 * The reverse map table: 16 bytes for every covered 4K page of system memory, sparse.
 *
 * Storage is one chunk per 2M region, in one of two shapes of Uint32Array:
 *   full     512 entries, each its four words and the index of the event that changed it last
 *   compact  two entries: the head's, and one that all 511 tails share
 * A region never touched is the one compact chunk of zeros, so a host of any size costs nothing until used, and a 2M entry costs one small
 * array. Compact chunks are never written in place but replaced; a 2M change of either shape is a swap of chunks, and the journal keeps the
 * old one by reference: undo is a pointer store and exact. A region becomes full when its first 4K entry is written; that is no change of
 * state and not journalled.
 *
 * Table geometry: APM vol. 2, 15.36.4; pages that the table does not cover behave as the hypervisor's for ever.
 */
import type { Journal, Undoable } from '../base/journal.ts';
import type { Run } from '../base/runs.ts';
import { type Asid, PAGE_SIZE, PAGES_PER_2M, type Pfn } from '../base/units.ts';
import {
  ASSIGNED,
  ASSIGNED_2M,
  asidOf,
  COUNT_MASK,
  COUNT_ONE,
  COUNT_SHIFT,
  decodeWords,
  GFN_HIGH_MASK,
  GFN_LOW_MASK,
  GFN_LOW_SHIFT,
  GFN_LOW_SIZE,
  gfnOf,
  type PageState,
  pageStateOf,
  type RmpEntry,
} from './rmp-entry.ts';

/** Words of an entry in a chunk: the four of its own, and then {@link EVENT}. */
export const ENTRY_WORDS = 5;
/** Where, after an entry's first word, the index of the event stands that changed the page last. */
export const EVENT = 4;
/** Length of a full chunk. */
export const FULL_LENGTH = PAGES_PER_2M * ENTRY_WORDS;
const COMPACT_LENGTH = 2 * ENTRY_WORDS;

/** "No event yet" as it is stored: -1 in 32 bits. */
const NO_EVENT = 0xffffffff;

const UNTOUCHED = new Uint32Array(COMPACT_LENGTH);
UNTOUCHED[EVENT] = NO_EVENT;
UNTOUCHED[ENTRY_WORDS + EVENT] = NO_EVENT;

/** Journal record kinds, in the low three bits of a record's first number; above them the pfn or 2M frame. */
const ENTRY = 0;
export const ENTRY_COUNTED = 1;
const WORD3 = 2;
const REGION = 3;

export class RmpTable implements Undoable {
  /** Pages below this number have an entry, but for those in holes: {@link covers}. */
  readonly coveredPages: number;
  /** Pages assigned to each ASID: the counters in the table's first 16K. Index 0 counts the AMD-SP's. */
  readonly asidPages = new Int32Array(1024);

  private readonly journal: Journal;
  /** Id in the journal. */
  readonly owner: number;
  private readonly groupBits: number;
  private readonly groupMask: number;
  private readonly groups: (Uint32Array[] | undefined)[];

  /** The chunk found last: conversions go page by page. */
  private lastFrame = -1;
  private lastChunk: Uint32Array = UNTOUCHED;

  /** Chunks that a 2M change replaced, newest last, as the journal's records need them. */
  private replaced: Uint32Array[] = [];
  /** The journal's position before each of them. */
  private replacedAt: number[] = [];

  /** Frames below {@link coveredPages} that have no entry all the same: in whole 2M regions, between the segments of a segmented RMP. */
  private readonly holes: readonly Run[];

  /**
   * @param coveredBytes size of the memory that the table covers, from address 0
   * @param holes        frames in it that it does not cover, in whole 2M regions
   */
  constructor(coveredBytes: number, journal: Journal, holes: readonly Run[] = []) {
    this.holes = holes;
    this.coveredPages = Math.floor(coveredBytes / PAGE_SIZE);
    this.journal = journal;
    this.owner = journal.register(this);
    // Two levels of about equal size: 1,024 groups of 512 regions for 1 TiB.
    const regions = Math.ceil(this.coveredPages / PAGES_PER_2M);
    const bits = Math.ceil(Math.log2(Math.max(2, regions)));
    this.groupBits = Math.max(9, Math.ceil(bits / 2));
    this.groupMask = 2 ** this.groupBits - 1;
    this.groups = new Array(Math.ceil(regions / 2 ** this.groupBits)).fill(undefined);
  }

  covers(pfn: number): boolean {
    return pfn < this.coveredPages && (this.holes.length === 0 || !this.inHole(pfn));
  }

  /** The frames below {@link coveredPages} that have no entry; ascending. */
  get uncovered(): readonly Run[] {
    return this.holes;
  }

  private inHole(pfn: number): boolean {
    return this.holes.some((hole) => pfn >= hole.start && pfn < hole.end);
  }

  // ---- chunks: for the instructions --------------------------------------------------------------------------------------------

  // A 2M frame number is below 2^31 (addresses have 52 bits), so shifts are safe on it, as they are not on a pfn.

  /** The chunk of a 2M frame, of either shape. Read only. The frame must be covered. */
  chunk(frame: number): Uint32Array {
    return frame === this.lastFrame ? this.lastChunk : this.findChunk(frame);
  }

  private findChunk(frame: number): Uint32Array {
    const group = this.groups[frame >>> this.groupBits];
    const chunk = group === undefined ? UNTOUCHED : group[frame & this.groupMask];
    this.lastFrame = frame;
    this.lastChunk = chunk;
    return chunk;
  }

  /** The full chunk of a 2M frame, made if need be: its words may be written, after {@link journalEntry}. */
  fullChunk(frame: number): Uint32Array {
    const chunk = this.chunk(frame);
    return chunk.length === FULL_LENGTH ? chunk : this.expand(frame, chunk);
  }

  private expand(frame: number, compact: Uint32Array): Uint32Array {
    const full = new Uint32Array(FULL_LENGTH);
    for (let i = 0; i < PAGES_PER_2M; i++) {
      const from = i === 0 ? 0 : ENTRY_WORDS;
      for (let n = 0; n < ENTRY_WORDS; n++) full[i * ENTRY_WORDS + n] = compact[from + n];
    }
    this.place(frame, full);
    return full;
  }

  private place(frame: number, chunk: Uint32Array): void {
    const at = frame >>> this.groupBits;
    let group = this.groups[at];
    if (group === undefined) {
      group = new Array(this.groupMask + 1).fill(UNTOUCHED) as Uint32Array[];
      this.groups[at] = group;
    }
    group[frame & this.groupMask] = chunk;
    this.lastFrame = frame;
    this.lastChunk = chunk;
  }

  // ---- reading -----------------------------------------------------------------------------------------------------------------

  /** One of the four words of a page's own entry; 0 for a page that is not covered. */
  word(pfn: number, n: number): number {
    if (pfn >= this.coveredPages) return 0;
    const index = pfn & 511;
    const chunk = this.chunk((pfn - index) / PAGES_PER_2M);
    return chunk[(chunk.length === FULL_LENGTH ? index : Math.min(index, 1)) * ENTRY_WORDS + n];
  }

  /** The low quadword of the raw entry. */
  rawLow(pfn: Pfn): bigint {
    return BigInt(this.word(pfn, 0)) | (BigInt(this.word(pfn, 1)) << 32n);
  }

  /** The high quadword of the raw entry. */
  rawHigh(pfn: Pfn): bigint {
    return BigInt(this.word(pfn, 2)) | (BigInt(this.word(pfn, 3)) << 32n);
  }

  /** The page's own entry, decoded. Under a 2M entry that says little: see {@link resolve}. */
  entry(pfn: Pfn): RmpEntry {
    return decodeWords(this.word(pfn, 0), this.word(pfn, 1), this.word(pfn, 2), this.word(pfn, 3));
  }

  /** Whether the page lies in a region whose head is a 2M entry. */
  isLarge(pfn: number): boolean {
    return (this.word(pfn - (pfn & 511), 0) & ASSIGNED_2M) === ASSIGNED_2M;
  }

  /** Entries with Assigned=1 among the last 511 of a 2M frame, counted one by one. */
  assignedTails(frame: number): number {
    if (frame * PAGES_PER_2M >= this.coveredPages) return 0;
    const chunk = this.chunk(frame);
    if (chunk.length !== FULL_LENGTH) return (chunk[ENTRY_WORDS] & ASSIGNED) !== 0 ? PAGES_PER_2M - 1 : 0;
    let n = 0;
    for (let at = ENTRY_WORDS; at < FULL_LENGTH; at += ENTRY_WORDS) n += chunk[at] & ASSIGNED;
    return n;
  }

  /** Whether the 511 tail entries of a 2M frame are known to be all alike. */
  isCompact(frame: number): boolean {
    return frame * PAGES_PER_2M >= this.coveredPages || this.chunk(frame).length !== FULL_LENGTH;
  }

  isAssigned(pfn: number): boolean {
    return (this.word(pfn, 0) & ASSIGNED) !== 0;
  }

  /** The number of the page whose entry speaks for this page: the head of a 2M entry, or the page itself. */
  governing(pfn: number): number {
    return this.isLarge(pfn) ? pfn - (pfn & 511) : pfn;
  }

  /**
   * The entry that speaks for the page, with the GPA that it gives to this very page: a guest's. The AMD-SP keeps no GPA in the field but what tells its
   * states apart. The subpage count is the head's own.
   */
  resolve(pfn: Pfn): RmpEntry {
    const from = this.governing(pfn);
    const entry = this.entry(from as Pfn);
    if (from !== pfn && entry.asid !== 0) entry.gpa = (entry.gpa + (pfn - from) * PAGE_SIZE) as typeof entry.gpa;
    return entry;
  }

  /** The guest frame number that the page is bound to, through the head of a 2M entry if there is one. */
  boundGfn(pfn: number): number {
    const from = this.governing(pfn);
    return gfnOf(this.word(from, 0), this.word(from, 1)) + (pfn - from);
  }

  subpageCount(pfn: number): number {
    return (this.word(pfn - (pfn & 511), 0) & COUNT_MASK) >>> COUNT_SHIFT;
  }

  /** The firmware's name of the page's state. */
  pageState(pfn: Pfn): PageState {
    return this.covers(pfn) ? pageStateOf(this.resolve(pfn)) : 'DEFAULT';
  }

  /** Index of the trace event that changed the page last; -1 if none did. */
  lastChange(pfn: number): number {
    if (pfn >= this.coveredPages) return -1;
    const index = pfn & 511;
    const chunk = this.chunk((pfn - index) / PAGES_PER_2M);
    const at = (chunk.length === FULL_LENGTH ? index : Math.min(index, 1)) * ENTRY_WORDS;
    return chunk[at + EVENT] | 0;
  }

  /** The latest change of any assigned page of a 2M region but its head: what keeps a 2M entry out of it. -1 if there is none. */
  lastTailChange(frame: number): number {
    let last = -1;
    const base = frame * PAGES_PER_2M;
    for (let i = 1; i < PAGES_PER_2M; i++) {
      if (this.isAssigned(base + i)) last = Math.max(last, this.lastChange(base + i));
    }
    return last;
  }

  /** Whether all 512 pages of a 2M region are hypervisor-owned. Pages that are not covered are. */
  isRegionUnassigned(frame: number): boolean {
    if (frame * PAGES_PER_2M >= this.coveredPages) return true;
    const chunk = this.chunk(frame);
    if (chunk.length !== FULL_LENGTH) return ((chunk[0] | chunk[ENTRY_WORDS]) & ASSIGNED) === 0;
    for (let at = 0; at < FULL_LENGTH; at += ENTRY_WORDS) if ((chunk[at] & ASSIGNED) !== 0) return false;
    return true;
  }

  // ---- writing -----------------------------------------------------------------------------------------------------------------

  /**
   * Note the present contents of one entry of a full chunk in the journal, and the event that is about to change
   * it. Write the words directly afterwards. `counted`: the caller also moves the subpage count and the ASID counters from the present
   * entry to the new one, and undo shall move them back.
   */
  journalEntry(chunk: Uint32Array, index: number, pfn: number, counted: boolean, event: number): void {
    const at = index * ENTRY_WORDS;
    if (chunk[at + 3] !== 0) this.journalWord3(pfn, chunk[at + 3]);
    this.journal.write5(
      this.owner,
      pfn * 8 + (counted ? ENTRY_COUNTED : ENTRY),
      chunk[at],
      chunk[at + 1],
      chunk[at + 2],
      chunk[at + EVENT],
    );
    chunk[at + EVENT] = event;
  }

  /** The rare part of an entry's journal record: its last word, if it is not 0. */
  journalWord3(pfn: number, w3: number): void {
    this.journal.write2(this.owner, pfn * 8 + WORD3, w3);
  }

  /** Move subpage count and ASID counters from one 4K entry of the region to the other that replaces it. Words 0 and 1 of each. */
  recount(chunk: Uint32Array, index: number, w0: number, w1: number, new0: number, new1: number): void {
    if ((w0 & ASSIGNED) !== 0) this.asidPages[asidOf(w1)]--;
    if ((new0 & ASSIGNED) !== 0) this.asidPages[asidOf(new1)]++;
    if (index !== 0) {
      const change = (new0 & ASSIGNED) - (w0 & ASSIGNED);
      // The field is 9 bits wide and wraps within them, like the hardware's.
      if (change !== 0) chunk[0] = (chunk[0] & ~COUNT_MASK) | ((chunk[0] + change * COUNT_ONE) & COUNT_MASK);
    }
  }

  /** Write one entry that changes no owner: Validated, Immutable, lock, permissions. Counters stay. Either shape. */
  setEntry(pfn: number, w0: number, w1: number, w2: number, w3: number, event: number): void {
    const index = pfn & 511;
    const frame = (pfn - index) / PAGES_PER_2M;
    const chunk = this.chunk(frame);
    if (index === 0 && chunk.length !== FULL_LENGTH) {
      const next = chunk.slice();
      next[0] = w0;
      next[1] = w1;
      next[2] = w2;
      next[3] = w3;
      next[EVENT] = event;
      this.replaceRegion(frame, next, 0, 0, 0, 0);
      return;
    }
    const full = this.fullChunk(frame);
    this.journalEntry(full, index, pfn, false, event);
    const at = index * ENTRY_WORDS;
    full[at] = w0;
    full[at + 1] = w1;
    full[at + 2] = w2;
    full[at + 3] = w3;
  }

  /** Write one entry of 4K size whose owner may change: subpage count and ASID counters follow. No 2M entry may cover the page. */
  setEntryCounted(pfn: number, w0: number, w1: number, w2: number, w3: number, event: number): void {
    const index = pfn & 511;
    const frame = (pfn - index) / PAGES_PER_2M;
    const chunk = this.fullChunk(frame);
    this.journalEntry(chunk, index, pfn, true, event);
    const at = index * ENTRY_WORDS;
    const old0 = chunk[at];
    const old1 = chunk[at + 1];
    chunk[at] = w0;
    chunk[at + 1] = w1;
    chunk[at + 2] = w2;
    chunk[at + 3] = w3;
    this.recount(chunk, index, old0, old1, w0, w1);
  }

  /**
   * Put a new chunk in the place of a region's: a change of all its 512 pages.
   * The old and the new owner's page counts are taken from and added to the ASID counters.
   */
  replaceRegion(
    frame: number,
    next: Uint32Array,
    oldAsid: number,
    oldPages: number,
    newAsid: number,
    newPages: number,
  ): void {
    const mark = this.journal.mark();
    const kept = this.replacedAt.length;
    if (kept > 0 && this.replacedAt[kept - 1] >= mark) {
      // The journal has forgotten its history, so may we.
      this.replaced = [];
      this.replacedAt = [];
    }
    this.replaced.push(this.chunk(frame));
    this.replacedAt.push(mark);
    this.journal.write3(this.owner, frame * 8 + REGION, oldAsid * 1024 + oldPages, newAsid * 1024 + newPages);
    this.place(frame, next);
    this.asidPages[oldAsid] -= oldPages;
    this.asidPages[newAsid] += newPages;
  }

  /** A region with this head entry and the same entry in all its tails. */
  compactChunk(h0: number, h1: number, h2: number, h3: number, t0: number, event: number): Uint32Array {
    const chunk = new Uint32Array(COMPACT_LENGTH);
    chunk[0] = h0;
    chunk[1] = h1;
    chunk[2] = h2;
    chunk[3] = h3;
    chunk[ENTRY_WORDS] = t0;
    chunk[EVENT] = event;
    chunk[ENTRY_WORDS + EVENT] = event;
    return chunk;
  }

  /** A full chunk with nothing in it but the event; its entries are the caller's to fill before it is put in place. */
  blankFullChunk(event: number): Uint32Array {
    const chunk = new Uint32Array(FULL_LENGTH);
    for (let at = EVENT; at < FULL_LENGTH; at += ENTRY_WORDS) chunk[at] = event;
    return chunk;
  }

  /** A full chunk with the same entries, all changed by the event. */
  copyOfFullChunk(chunk: Uint32Array, event: number): Uint32Array {
    const copy = chunk.slice();
    for (let at = EVENT; at < FULL_LENGTH; at += ENTRY_WORDS) copy[at] = event;
    return copy;
  }

  // ---- undo --------------------------------------------------------------------------------------------------------------------

  undo(data: Float64Array, at: number, _length: number): void {
    const tag = data[at];
    const kind = tag & 7;
    const number = (tag - kind) / 8;
    if (kind === REGION) {
      const chunk = this.replaced.pop() as Uint32Array;
      this.replacedAt.pop();
      const taken = data[at + 1];
      const added = data[at + 2];
      this.asidPages[Math.floor(added / 1024)] -= added % 1024;
      this.asidPages[Math.floor(taken / 1024)] += taken % 1024;
      this.place(number, chunk);
      return;
    }
    const index = number & 511;
    const frame = (number - index) / PAGES_PER_2M;
    const chunk = this.fullChunk(frame);
    const entry = index * ENTRY_WORDS;
    if (kind === WORD3) {
      chunk[entry + 3] = data[at + 1];
      return;
    }
    const now0 = chunk[entry];
    const now1 = chunk[entry + 1];
    chunk[entry] = data[at + 1];
    chunk[entry + 1] = data[at + 2];
    chunk[entry + 2] = data[at + 3];
    chunk[entry + 3] = 0;
    chunk[entry + EVENT] = data[at + 4];
    if (kind === ENTRY_COUNTED) this.recount(chunk, index, now0, now1, data[at + 1], data[at + 2]);
  }

  /** Regions that hold a full chunk, for memory budgets. */
  fullRegions(): number {
    let n = 0;
    for (const group of this.groups) if (group) for (const chunk of group) if (chunk.length === FULL_LENGTH) n++;
    return n;
  }

  /** Calls `visit` with the frame number of every region that was ever touched, in ascending order. */
  forEachTouchedRegion(visit: (frame: number) => void): void {
    for (let g = 0; g < this.groups.length; g++) {
      const group = this.groups[g];
      if (group === undefined) continue;
      for (let i = 0; i < group.length; i++) if (group[i] !== UNTOUCHED) visit(g * group.length + i);
    }
  }
}

/** Word 0 of an entry without flags: the low part of the guest frame number. */
export function gfnWord0(gfn: number): number {
  return (gfn & GFN_LOW_MASK) << GFN_LOW_SHIFT;
}

/** The GPA part of word 1. */
export function gfnWord1(gfn: number): number {
  return ((gfn - (gfn & GFN_LOW_MASK)) / GFN_LOW_SIZE) & GFN_HIGH_MASK;
}

/** Pages assigned to a guest, from the counters. */
export function pagesOfAsid(table: RmpTable, asid: Asid): number {
  return table.asidPages[asid];
}
