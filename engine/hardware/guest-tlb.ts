/**
 * What the TLBs of a guest's vCPUs remember of nested walks that succeeded, RMP checks included: a later access of the same kind uses it without
 * looking at NPT and RMP again (APM vol. 2, 15.36.10 and 15.16). So a page that was taken away without a flush stays within reach.
 *
 * Real TLBs forget at will; this one forgets only when told, or when it is full, which is the case that software has to be ready for. Off unless
 * option guest-tlb says otherwise, since an outcome that rests on an entry that may be gone is a possibility and not a certainty.
 *
 * RMPUPDATE flushes what leads to its pages (option rmpupdate-flushes-guest-tlb). PSMASH flushes nothing, nor does a change of the NPT; PVALIDATE
 * and RMPADJUST affect the vCPU that executes them.
 */
import type { Journal, Undoable } from '../base/journal.ts';

export interface TlbEntry {
  readonly asid: number;
  readonly vcpu: number;
  /** First guest frame and first system frame, and how many of them: 1 or 512. 1G mappings are cached in pieces of 2M. */
  readonly gfn: number;
  readonly pfn: number;
  readonly pages: number;
  /** C-bit in effect. */
  readonly encrypted: boolean;
  readonly vmpl: number;
  readonly user: boolean;
  /** Kinds of access that were checked: bit `1 << Access`. */
  readonly kinds: number;
}

/** Entries kept for all vCPUs together. */
const CAPACITY = 1536;

export class GuestTlb implements Undoable {
  /** Never changed in place. Oldest first. */
  private entries: readonly TlbEntry[] = [];
  private readonly earlier: (readonly TlbEntry[])[] = [];
  private readonly journal: Journal;
  private readonly owner: number;

  constructor(journal: Journal) {
    this.journal = journal;
    this.owner = journal.register(this);
  }

  get size(): number {
    return this.entries.length;
  }

  /** The system frame that an access would use, or -1. `entry.gfn` is the frame that is accessed, `entry.kinds` the one kind. */
  lookup(access: Omit<TlbEntry, 'pfn' | 'pages'>): number {
    const found = this.entries.find((e) => covers(e, access.gfn) && sameContext(e, access) && e.kinds & access.kinds);
    return found === undefined ? -1 : found.pfn + (access.gfn - found.gfn);
  }

  /** A walk has succeeded: what it found replaces older entries for these frames, or adds to one that says the same. */
  fill(entry: TlbEntry): void {
    const clash = (e: TlbEntry): boolean => sameContext(e, entry) && overlaps(e.gfn, e.pages, entry.gfn, entry.pages);
    const same = this.entries.find(
      (e) => clash(e) && e.gfn === entry.gfn && e.pfn === entry.pfn && e.pages === entry.pages,
    );
    if (same !== undefined && (same.kinds & entry.kinds) === entry.kinds) return;
    const kept = this.entries.filter((e) => !clash(e));
    this.replace([...kept.slice(-(CAPACITY - 1)), { ...entry, kinds: entry.kinds | (same?.kinds ?? 0) }]);
  }

  /** Flush by ASID on all CPUs; 0 flushes everything. */
  flush(asid: number): void {
    this.keep((e) => asid !== 0 && e.asid !== asid);
  }

  /** Flush guest frames of one guest, on one vCPU or (-1) on all. */
  flushFrames(asid: number, gfn: number, pages: number, vcpu = -1): boolean {
    return this.keep((e) => e.asid !== asid || (vcpu >= 0 && e.vcpu !== vcpu) || !overlaps(e.gfn, e.pages, gfn, pages));
  }

  /** Flush whatever leads to these system frames. Returns whether anything did. */
  flushSystem(pfn: number, pages: number): boolean {
    return this.keep((e) => !overlaps(e.pfn, e.pages, pfn, pages));
  }

  private keep(good: (entry: TlbEntry) => boolean): boolean {
    const kept = this.entries.filter(good);
    if (kept.length === this.entries.length) return false;
    this.replace(kept);
    return true;
  }

  private replace(entries: readonly TlbEntry[]): void {
    this.earlier.push(this.entries);
    this.journal.write1(this.owner, 0);
    this.entries = entries;
  }

  undo(): void {
    this.entries = this.earlier.pop() as readonly TlbEntry[];
  }
}

const overlaps = (a: number, aPages: number, b: number, bPages: number): boolean => a < b + bPages && b < a + aPages;
const covers = (e: TlbEntry, gfn: number): boolean => gfn >= e.gfn && gfn < e.gfn + e.pages;
const sameContext = (a: Omit<TlbEntry, 'pfn' | 'pages'>, b: Omit<TlbEntry, 'pfn' | 'pages'>): boolean =>
  a.asid === b.asid && a.vcpu === b.vcpu && a.encrypted === b.encrypted && a.vmpl === b.vmpl && a.user === b.user;
