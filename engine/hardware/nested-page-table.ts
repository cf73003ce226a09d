/**
 * A guest's nested page table as the processor walks it: guest frame to system frame, at 4K, 2M or 1G (APM vol. 2, 15.25). One leaf entry
 * for a guest page, as in a real table: setting a large entry drops the small ones below it, setting a small one drops the large one above.
 * The kernel decides what to map; this only holds it.
 *
 * Sparse: a table of 512 entries is made when its first entry is set. Every change is journalled and leaves one trace event, `Npt`.
 */
import type { Journal, Undoable } from '../base/journal.ts';
import type { Run } from '../base/runs.ts';
import { PAGES_PER_1G, PAGES_PER_2M, type PgLevel, pagesPerLevel } from '../base/units.ts';
import { EventKind, type Trace } from '../trace/trace.ts';

/** An entry is pfn * 4 + writable * 2 + present; 0 is "not present". */
const PRESENT = 1;
const WRITABLE = 2;
const FLAGS = 4;

interface Table {
  entries: Float64Array;
  /** The event that changed each entry last. */
  events: Int32Array;
  present: number;
}

const newTable = (): Table => ({
  entries: new Float64Array(512),
  events: new Int32Array(512).fill(-1),
  present: 0,
});

export interface NptEntry {
  pfn: number;
  level: PgLevel;
  writable: boolean;
  /** Trace event that set it. */
  event: number;
}

export class NestedPageTable implements Undoable {
  readonly asid: number;
  private readonly journal: Journal;
  private readonly trace: Trace;
  private readonly owner: number;
  /** Tables of each level, keyed by their first page's number divided by what they span. Index = level. */
  private readonly levels: Map<number, Table>[] = [new Map(), new Map(), new Map(), new Map()];

  constructor(asid: number, journal: Journal, trace: Trace) {
    this.asid = asid;
    this.journal = journal;
    this.trace = trace;
    this.owner = journal.register(this);
  }

  // ---- lookup, without allocation ----------------------------------------------------------------------------------------------

  /** Level of the leaf entry that {@link walk} found. */
  level: PgLevel = 1;
  writable = false;
  /** Whether the entry's frame number is aligned to its level; a misaligned one has reserved bits set. */
  aligned = true;

  /**
   * Translate a guest frame. Returns the system frame, or -1 if not present; {@link level}, {@link writable} and {@link aligned} then
   * speak of the entry found.
   */
  walk(gfn: number): number {
    for (let level: PgLevel = 1; level <= 3; level++) {
      const entry = this.leaf(gfn, level as PgLevel);
      if (entry === 0) continue;
      const pages = pagesPerLevel(level as PgLevel);
      const pfn = (entry - (entry % FLAGS)) / FLAGS;
      this.level = level as PgLevel;
      this.writable = (entry & WRITABLE) !== 0;
      this.aligned = pfn % pages === 0;
      return pfn + (gfn % pages);
    }
    return -1;
  }

  /** The leaf entry that translates a guest frame: its own frame number, not the translated one. */
  lookup(gfn: number): NptEntry | undefined {
    for (let level: PgLevel = 1; level <= 3; level++) {
      const pages = pagesPerLevel(level as PgLevel);
      const table = this.levels[level].get(Math.floor(gfn / (pages * 512)));
      if (table === undefined) continue;
      const index = Math.floor(gfn / pages) % 512;
      const entry = table.entries[index];
      if (entry === 0) continue;
      return {
        pfn: (entry - (entry % FLAGS)) / FLAGS,
        level: level as PgLevel,
        writable: (entry & WRITABLE) !== 0,
        event: table.events[index],
      };
    }
    return undefined;
  }

  /** Whether one look says it all of the 512 guest frames of a 2M frame: they have one large entry, or none. */
  isUniform(frame: number): boolean {
    const table = this.levels[1].get(frame);
    return table === undefined || table.present === 0;
  }

  /** The event that last mapped or zapped the guest frame; -1 if none did. */
  lastChange(gfn: number): number {
    let last = -1;
    for (let level = 1; level <= 3; level++) {
      last = Math.max(last, this.eventOf(gfn - (gfn % pagesPerLevel(level as PgLevel)), level as PgLevel));
    }
    return last;
  }

  /** Whether any page of [start, end) is mapped. */
  anyPresent(start: number, end: number): boolean {
    for (let level = 1; level <= 3; level++) {
      if (this.someIn(level as PgLevel, start, end, () => true)) return true;
    }
    return false;
  }

  /** Calls `visit` for each leaf entry that overlaps [start, end): its first gfn and the entry. Levels ascending, order within free. */
  forEachIn(start: number, end: number, visit: (gfn: number, entry: NptEntry) => void): void {
    for (let level = 1; level <= 3; level++) {
      this.someIn(level as PgLevel, start, end, (gfn) => {
        const entry = this.lookup(gfn);
        if (entry !== undefined) visit(gfn, entry);
        return false;
      });
    }
  }

  // ---- change ------------------------------------------------------------------------------------------------------------------

  /** Set the leaf entry for a guest frame; `gfn` is aligned down to the level, `pfn` is taken as it is. */
  map(gfn: number, pfn: number, level: PgLevel, writable: boolean): void {
    const pages = pagesPerLevel(level);
    const first = gfn - (gfn % pages);
    const cause = this.eventOf(first, level);
    // Told before anything changes: who watches can see what is going to go.
    const event = this.trace.record(EventKind.Npt, this.asid, first, 0, pfn, level, cause);
    for (let below = level - 1; below >= 1; below--) this.clear(below as PgLevel, first, first + pages, -1);
    for (let above = level + 1; above <= 3; above++) this.clear(above as PgLevel, first, first + 1, -1);
    this.set(level, first, pfn * FLAGS + (writable ? WRITABLE : 0) + PRESENT, event);
  }

  /**
   * Remove every leaf entry that overlaps [start, end): a large entry that reaches into the range goes as a whole. Returns the number of
   * pages that were mapped; 0 leaves no trace event.
   */
  zap(start: number, end: number): number {
    let pages = 0;
    for (let level = 1; level <= 3; level++) {
      this.someIn(level as PgLevel, start, end, () => {
        pages += pagesPerLevel(level as PgLevel);
        return false;
      });
    }
    if (pages === 0) return 0;
    const event = this.trace.record(EventKind.Npt, this.asid, start, Math.min(end - start, 2 ** 31 - 1), -1, pages, -1);
    for (let level = 1; level <= 3; level++) this.clear(level as PgLevel, start, end, event);
    return pages;
  }

  /** Take the write permission from a mapped page, or give it. Returns whether the page was mapped. */
  setWritable(gfn: number, writable: boolean): boolean {
    const entry = this.lookup(gfn);
    if (entry === undefined) return false;
    this.map(gfn, entry.pfn, entry.level, writable);
    return true;
  }

  undo(data: Float64Array, at: number): void {
    const tag = data[at];
    const level = (tag % 4) as PgLevel;
    this.write(level, (tag - level) / 4, data[at + 1], data[at + 2]);
  }

  private leaf(gfn: number, level: PgLevel): number {
    const pages = pagesPerLevel(level);
    const page = (gfn - (gfn % pages)) / pages;
    const index = page % 512;
    const table = this.levels[level].get((page - index) / 512);
    return table === undefined ? 0 : table.entries[index];
  }

  private eventOf(first: number, level: PgLevel): number {
    const pages = pagesPerLevel(level);
    const page = first / pages;
    const table = this.levels[level].get(Math.floor(page / 512));
    return table === undefined ? -1 : table.events[page % 512];
  }

  private set(level: PgLevel, gfn: number, entry: number, event: number): void {
    const page = gfn / pagesPerLevel(level);
    const table = this.levels[level].get(Math.floor(page / 512));
    const index = page % 512;
    this.journal.write3(
      this.owner,
      gfn * 4 + level,
      table === undefined ? 0 : table.entries[index],
      table === undefined ? -1 : table.events[index],
    );
    this.write(level, gfn, entry, event);
  }

  private write(level: PgLevel, gfn: number, entry: number, event: number): void {
    const page = gfn / pagesPerLevel(level);
    const index = page % 512;
    const key = (page - index) / 512;
    let table = this.levels[level].get(key);
    if (table === undefined) {
      table = newTable();
      this.levels[level].set(key, table);
    }
    table.present += (entry !== 0 ? 1 : 0) - (table.entries[index] !== 0 ? 1 : 0);
    table.entries[index] = entry;
    table.events[index] = event;
  }

  private clear(level: PgLevel, start: number, end: number, event: number): void {
    this.someIn(level, start, end, (gfn) => {
      this.set(level, gfn, 0, event < 0 ? this.eventOf(gfn, level) : event);
      return false;
    });
  }

  /** Visit the present leaf entries of a level that overlap [start, end) until `visit` says true. */
  private someIn(level: PgLevel, start: number, end: number, visit: (gfn: number) => boolean): boolean {
    const pages = pagesPerLevel(level);
    const span = pages * 512;
    const tables = this.levels[level];
    const firstKey = Math.floor(start / span);
    const lastKey = Math.ceil(end / span) - 1;
    const inTable = (key: number, table: Table): boolean => {
      if (table.present === 0) return false;
      const from = Math.max(0, Math.floor((start - key * span) / pages));
      const to = Math.min(512, Math.ceil((end - key * span) / pages));
      for (let i = from; i < to; i++) {
        if (table.entries[i] !== 0 && visit(key * span + i * pages)) return true;
      }
      return false;
    };
    if (lastKey - firstKey < tables.size) {
      for (let key = firstKey; key <= lastKey; key++) {
        const table = tables.get(key);
        if (table !== undefined && inTable(key, table)) return true;
      }
      return false;
    }
    // Keys in ascending order, so that the same state gives the same trace however it was reached.
    const keys = [...tables.keys()].filter((key) => key >= firstKey && key <= lastKey).sort((a, b) => a - b);
    return keys.some((key) => inTable(key, tables.get(key) as Table));
  }
}

/**
 * The guest frames that an {@link EventKind.Npt} event of the trace may have changed: those of the entry that was set, or of the range that was zapped. A
 * large entry goes as a whole when a zap reaches into it: `whole` says whether the range is to be widened to what such entries may have covered.
 */
export function gfnsOfEvent(trace: Trace, event: number, whole: boolean): Run {
  const start = trace.page[event];
  if (trace.a[event] >= 0) return { start, end: start + pagesPerLevel(trace.b[event] as PgLevel) };
  const end = start + trace.code[event];
  if (!whole) return { start, end };
  // So many pages at once can only have been mapped by a 1G entry.
  const by = trace.b[event] >= PAGES_PER_1G ? PAGES_PER_1G : PAGES_PER_2M;
  return { start: Math.floor(start / by) * by, end: Math.ceil(end / by) * by };
}
