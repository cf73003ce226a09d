/**
 * What the AMD-SP remembers besides the RMP: platform state, guest contexts, metadata entries, ASIDs that need a flush (SNP firmware ABI, Platform
 * State Machine, Guest State Machine, Guest Context, Metadata Entries). One immutable value that a command replaces as a whole, so undo is a pop.
 *
 * A host comes up with the platform initialized and flushed, and with the guests that the kernel model creates: KVM has issued SNP_GCTX_CREATE,
 * SNP_LAUNCH_START and SNP_ACTIVATE for each of them by then, which the model leaves out. Such a guest has a context **in state LAUNCH, active with
 * its ASID**, until SNP_LAUNCH_FINISH or SNP_DECOMMISSION. Its context page is one that the scenario does not show: numbered beyond the host's memory.
 */
import type { Journal, Undoable } from '../base/journal.ts';
import type { Hardware } from './machine.ts';
import { ownFrames } from './rmp-geometry.ts';

export type GuestState = 'INIT' | 'LAUNCH' | 'RUNNING';

/** Half-open, in 4K frames. */
export interface FrameRange {
  readonly start: number;
  readonly end: number;
}

/** An MDATA entry: what SNP_PAGE_SWAP_IN restores. 64 of them fill a METADATA page. */
export interface MetadataEntry {
  readonly valid: boolean;
  readonly kind: 'DATA' | 'METADATA' | 'VMSA';
  readonly size: 0 | 1;
  /** GPA field of the page's RMP entry. */
  readonly gfn: number;
  readonly validated: boolean;
  /** Words 2 and 3 of the RMP entry: the VMPL masks and what follows. */
  readonly vmpl: readonly [number, number];
  /** Of a metadata page: its own entries. */
  readonly entries?: ReadonlyMap<number, MetadataEntry>;
}

export const METADATA_ENTRIES = 64;

/** The contents of a context page, as far as they matter. */
export interface Context {
  readonly page: number;
  readonly state: GuestState;
  /** ASID that SNP_ACTIVATE bound it to; 0: inactive. */
  readonly asid: number;
  /** The root metadata entry, GCTX.RootMDEntry. */
  readonly root?: MetadataEntry | undefined;
}

interface State {
  readonly initialized: boolean;
  /** Whether the guests of the kernel model still have the contexts that they came with. */
  readonly hostGuests: boolean;
  /** By context page; undefined: decommissioned. */
  readonly contexts: ReadonlyMap<number, Context | undefined>;
  /** The context page that the host uses for a guest, by the ASID that names the guest. The firmware knows nothing of it. */
  readonly pages: ReadonlyMap<number, number>;
  /** Entries of METADATA pages, by page. */
  readonly metadata: ReadonlyMap<number, ReadonlyMap<number, MetadataEntry>>;
  /** ASIDs that may not be activated before SNP_DF_FLUSH; `all` after SNP_INIT. */
  readonly unflushed: ReadonlySet<number> | 'all';
  /** Where the RMP lies, as SNP_INIT found it; undefined: as the host came up with it. */
  readonly rmp: readonly FrameRange[] | undefined;
  readonly iommu: FrameRange | undefined;
}

const NONE: ReadonlyMap<number, never> = new Map<number, never>();

export class FirmwareState implements Undoable {
  private readonly hw: Hardware;
  private readonly journal: Journal;
  private readonly owner: number;
  private readonly earlier: { state: State; counters?: Int32Array }[] = [];
  private now: State = {
    initialized: true,
    hostGuests: true,
    contexts: NONE,
    pages: NONE,
    metadata: NONE,
    unflushed: new Set(),
    rmp: undefined,
    iommu: undefined,
  };

  constructor(hw: Hardware, journal: Journal) {
    this.hw = hw;
    this.journal = journal;
    this.owner = journal.register(this);
  }

  private change(part: Partial<State>, counters?: Int32Array): void {
    this.earlier.push({ state: this.now, ...(counters === undefined ? {} : { counters }) });
    this.journal.write1(this.owner, 0);
    this.now = { ...this.now, ...part };
  }

  undo(): void {
    const last = this.earlier.pop();
    if (last === undefined) throw new Error('nothing to take back');
    this.now = last.state;
    if (last.counters !== undefined) this.hw.rmp.asidPages.set(last.counters);
  }

  // ---- platform ------------------------------------------------------------------------------------------------------------------

  get initialized(): boolean {
    return this.now.initialized;
  }

  /** Whether the page holds part of the RMP, as far as the host models where that lies. */
  isRmp(page: number): boolean {
    const { geometry } = this.hw;
    const frames = this.now.rmp ?? (geometry === undefined ? [] : ownFrames(geometry));
    return frames.some(({ start, end }) => page >= start && page < end);
  }

  get iommu(): FrameRange | undefined {
    return this.now.iommu;
  }

  /** SNP_INIT: no guest is left, every ASID needs a flush, and the ASID counters in the RMP's first 16K are zeroed. */
  initialize(rmp: readonly FrameRange[], iommu: FrameRange | undefined): void {
    const { asidPages } = this.hw.rmp;
    const empty = { hostGuests: false, contexts: NONE, pages: NONE, metadata: NONE };
    this.change({ ...empty, initialized: true, unflushed: 'all', rmp, iommu }, asidPages.slice());
    asidPages.fill(0);
  }

  shutDown(): void {
    this.change({ initialized: false, hostGuests: false, contexts: NONE, pages: NONE, metadata: NONE });
  }

  needsFlush(asid: number): boolean {
    const { unflushed } = this.now;
    return unflushed === 'all' || unflushed.has(asid);
  }

  get anyUnflushed(): boolean {
    return this.now.unflushed === 'all' || this.now.unflushed.size > 0;
  }

  flush(): void {
    this.change({ unflushed: new Set() });
  }

  // ---- guests --------------------------------------------------------------------------------------------------------------------

  /** The page that stands for the context of a guest of the kernel model. */
  private hostPage(asid: number): number {
    return this.hw.memoryPages + asid;
  }

  /** Whether the page is one of memory, and so has an RMP entry or none, and not the stand-in of {@link hostPage}. */
  isInMemory(page: number): boolean {
    return page < this.hw.memoryPages;
  }

  /** The context page of the guest that the host knows by this ASID. There need not be a context in it. */
  contextPage(asid: number): number {
    return this.now.pages.get(asid) ?? this.hostPage(asid);
  }

  /** The context in a page; undefined: the page is not in state CONTEXT. */
  context(page: number): Context | undefined {
    const { contexts, hostGuests } = this.now;
    const known = contexts.get(page);
    if (this.isInMemory(page)) {
      if (this.hw.rmp.pageState(page as never) !== 'CONTEXT') return undefined;
      // A page that a what-if made a context holds zeros: state INIT.
      return known ?? { page, state: 'INIT', asid: 0 };
    }
    if (contexts.has(page)) return known;
    const asid = page - this.hw.memoryPages;
    const guest = hostGuests ? this.hw.guests.get(asid) : undefined;
    return guest?.snpActive === true ? { page, state: 'LAUNCH', asid } : undefined;
  }

  /** SNP_GCTX_CREATE for the guest that the host knows by this ASID. */
  createContext(page: number, asid: number): void {
    const contexts = new Map(this.now.contexts).set(page, { page, state: 'INIT', asid: 0 });
    this.change({ contexts, pages: new Map(this.now.pages).set(asid, page) });
  }

  setContext(context: Context): void {
    this.change({ contexts: new Map(this.now.contexts).set(context.page, context) });
  }

  /** SNP_DECOMMISSION: the ASID, if it was active, needs a flush before it is used again. */
  removeContext(context: Context): void {
    const { contexts, pages, unflushed } = this.now;
    this.change({
      contexts: new Map(contexts).set(context.page, undefined),
      pages: new Map([...pages].filter(([, page]) => page !== context.page)),
      unflushed: unflushed === 'all' || context.asid === 0 ? unflushed : new Set(unflushed).add(context.asid),
    });
  }

  /** Whether any guest is bound to the ASID. */
  isActive(asid: number): boolean {
    for (const page of this.now.contexts.keys()) if (this.context(page)?.asid === asid) return true;
    return this.context(this.hostPage(asid))?.asid === asid;
  }

  get anyActive(): boolean {
    for (const page of this.now.contexts.keys()) if ((this.context(page)?.asid ?? 0) !== 0) return true;
    for (const asid of this.hw.guests.keys()) if ((this.context(this.hostPage(asid))?.asid ?? 0) !== 0) return true;
    return false;
  }

  // ---- metadata ------------------------------------------------------------------------------------------------------------------

  /** The entries of a METADATA page. */
  metadataOf(page: number): ReadonlyMap<number, MetadataEntry> {
    return this.now.metadata.get(page) ?? NONE;
  }

  /** Replace the entries of a METADATA page; empty for one that is new, or none any more. */
  setMetadata(page: number, entries: ReadonlyMap<number, MetadataEntry>): void {
    const metadata = new Map(this.now.metadata);
    if (entries.size === 0) metadata.delete(page);
    else metadata.set(page, entries);
    this.change({ metadata });
  }
}
