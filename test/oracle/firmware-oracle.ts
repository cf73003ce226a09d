/**
 * The AMD-SP's SNP commands, slow and plain, on the entries of snp-oracle.ts. Written from the SNP firmware ABI (Page State Machine, Guest State
 * Machine, the commands' actions and status codes) and from the order in which the Genoa firmware checks; shares nothing with engine/hardware.
 *
 * A host comes up with the guests that KVM has launched by then: each has a context that no page of memory holds, numbered behind the memory's pages.
 */
import { hypervisorEntry, type OracleEntry, type SnpOracle, within } from './snp-oracle.ts';

export const Status = {
  platform: 1,
  guestState: 2,
  config: 3,
  inactive: 8,
  address: 9,
  asidOwned: 12,
  asid: 13,
  flush: 15,
  guest: 16,
  active: 18,
  param: 0x16,
  size: 0x19,
  pageState: 0x1a,
  metadata: 0x1b,
  owner: 0x1c,
} as const;

export type Kind = 'DATA' | 'METADATA' | 'VMSA';

interface MetadataEntry {
  valid: boolean;
  kind: Kind;
  size: number;
  gfn: bigint;
  validated: boolean;
  masks: [number, number, number, number];
  entries: Map<number, MetadataEntry>;
}

interface Context {
  state: 'INIT' | 'LAUNCH' | 'RUNNING';
  asid: number;
  root: MetadataEntry | undefined;
}

type Range = [start: number, end: number];

/** Tags in bits 38:36 of the GPA field tell METADATA and FIRMWARE_IOMMU from FIRMWARE. */
const METADATA_TAG = 1n << 36n;
const IOMMU_TAG = 2n << 36n;

export class FirmwareOracle {
  readonly rmp: SnpOracle;
  initialized = true;
  contexts = new Map<number, Context>();
  /** Which context page the host uses for the guest that it knows by an ASID. */
  pageOf = new Map<number, number>();
  unflushed = new Set<number>();
  everythingUnflushed = false;
  metadata = new Map<number, Map<number, MetadataEntry>>();
  own: Range[];
  iommu: Range | undefined;

  constructor(rmp: SnpOracle, asids: readonly number[]) {
    this.rmp = rmp;
    this.own = rmp.host.own;
    for (const asid of asids) {
      const page = this.virtualPage(asid);
      this.contexts.set(page, { state: 'LAUNCH', asid, root: undefined });
    }
  }

  private virtualPage(asid: number): number {
    return this.rmp.host.memoryPages + asid;
  }

  contextPage(asid: number): number {
    return this.pageOf.get(asid) ?? this.virtualPage(asid);
  }

  // ---- pages

  /** The entry that speaks for a page. */
  private entry(page: number): OracleEntry {
    return this.rmp.underLarge(page) ? this.rmp.head(page) : this.rmp.at(page);
  }

  state(page: number): string {
    if (!this.rmp.covers(page)) return 'DEFAULT';
    const e = this.entry(page);
    if (!e.assigned) {
      if (e.validated || e.asid !== 0) return 'INVALID';
      if (!e.immutable) return 'HYPERVISOR';
      return e.locked ? 'INVALID' : 'HV_FIXED';
    }
    if (e.asid > 0)
      return e.immutable ? (e.validated ? 'PRE_SWAP' : 'PRE_GUEST') : e.validated ? 'GUEST_VALID' : 'GUEST_INVALID';
    if (e.validated) return 'INVALID';
    if (!e.immutable) return e.locked ? 'INVALID' : 'RECLAIM';
    if (e.gfn === 0n) return e.vmsa ? 'CONTEXT' : 'FIRMWARE';
    return !e.vmsa && (e.gfn === 1n || e.gfn === IOMMU_TAG + 1n) ? 'FIRMWARE_IOMMU' : 'METADATA';
  }

  private size(page: number): number {
    return this.rmp.covers(page) && this.rmp.underLarge(page) ? 1 : 0;
  }

  private named(page: number, size: number): boolean {
    return this.size(page) === size && (size === 0 || page % 512 === 0);
  }

  private isOwn(page: number): boolean {
    return within(this.own, page);
  }

  /** What every command checks first. */
  private first(...pages: number[]): number {
    if (!this.initialized) return Status.platform;
    return pages.some((page) => this.isOwn(page)) ? Status.param : 0;
  }

  context(page: number): Context | undefined {
    if (page < this.rmp.host.memoryPages && this.state(page) !== 'CONTEXT') return undefined;
    const known = this.contexts.get(page);
    if (known === undefined && page < this.rmp.host.memoryPages) return { state: 'INIT', asid: 0, root: undefined };
    return known;
  }

  // ---- platform

  init(ranges: { rmp?: Range; fixed?: Range; iommu?: Range }): number {
    if (this.initialized) return Status.platform;
    const { host } = this.rmp;
    let own: Range[] = host.own;
    if (own.length > 0) {
      // The processor says where it is.
      if (ranges.rmp !== undefined) return Status.config;
      if (!this.isOnMegabytes) return Status.config;
    } else if (ranges.rmp !== undefined) {
      own = [ranges.rmp];
      if (ranges.rmp[0] % 256 !== 0 || ranges.rmp[1] % 256 !== 0) return Status.config;
    }
    for (const [start, end] of own) {
      if (end > Math.max(...host.covered.map((range) => range[1]))) return Status.config;
      for (const other of [ranges.fixed, ranges.iommu])
        if (other !== undefined && other[0] < end && start < other[1]) return Status.config;
    }
    this.initialized = true;
    this.contexts.clear();
    this.pageOf.clear();
    this.metadata.clear();
    this.unflushed.clear();
    this.everythingUnflushed = true;
    this.own = own;
    this.iommu = ranges.iommu;
    this.rmp.owned.clear();
    this.rmp.entries.clear();
    const write = (range: Range | undefined, fields: Partial<OracleEntry>): void => {
      for (let page = range?.[0] ?? 0; page < (range?.[1] ?? 0); page++)
        if (this.rmp.covers(page)) this.rmp.entries.set(page, { ...hypervisorEntry(), ...fields });
    };
    write(ranges.fixed, { immutable: true });
    for (const range of own) write(range, { assigned: true, immutable: true, locked: true });
    write(ranges.iommu, { assigned: true, immutable: true, locked: true, gfn: IOMMU_TAG + 1n });
    for (const [page, entry] of [...this.rmp.entries])
      if (entry.assigned && page % 512 !== 0) this.rmp.head(page).count++;
    return 0;
  }

  /** Whether the firmware accepts where the processor's RMP lies; set by the test for the hosts that it makes. */
  isOnMegabytes = true;

  shutdown(iommu: boolean): number {
    if (!this.initialized) return 0;
    const active = [...this.contexts.keys()].some((page) => (this.context(page)?.asid ?? 0) !== 0);
    if (active || this.everythingUnflushed || this.unflushed.size > 0) return Status.flush;
    if (iommu && this.iommu !== undefined)
      for (let page = this.iommu[0]; page < this.iommu[1]; page++) {
        if (this.state(page) !== 'FIRMWARE_IOMMU') continue;
        const count = page % 512 === 0 ? this.rmp.at(page).count : 0;
        this.rmp.entries.set(page, { ...hypervisorEntry(), assigned: true, count });
      }
    this.initialized = false;
    this.contexts.clear();
    this.pageOf.clear();
    this.metadata.clear();
    return 0;
  }

  flush(): number {
    if (!this.initialized) return Status.platform;
    this.unflushed.clear();
    this.everythingUnflushed = false;
    return 0;
  }

  // ---- guests

  contextCreate(page: number, name: number): number {
    const common = this.first(page);
    if (common !== 0) return common;
    if (this.state(page) !== 'FIRMWARE') return Status.pageState;
    if (this.size(page) !== 0) return Status.size;
    this.rmp.at(page).vmsa = true;
    this.contexts.set(page, { state: 'INIT', asid: 0, root: undefined });
    this.pageOf.set(name, page);
    return 0;
  }

  launchStart(gctx: number): number {
    const common = this.first(gctx);
    if (common !== 0) return common;
    const context = this.context(gctx);
    if (context === undefined) return Status.guest;
    if (context.state !== 'INIT') return Status.guestState;
    this.contexts.set(gctx, { ...context, state: 'LAUNCH' });
    return 0;
  }

  activate(gctx: number, asid: number): number {
    const common = this.first(gctx);
    if (common !== 0) return common;
    const context = this.context(gctx);
    if (context === undefined) return Status.guest;
    if (context.state === 'INIT') return Status.guestState;
    const exists = asid > 0 && asid < 0x3ff;
    if (exists && context.asid === 0 && (this.rmp.owned.get(asid) ?? 0) !== 0) return Status.config;
    if (!exists) return Status.asid;
    for (const page of this.contexts.keys()) if (this.context(page)?.asid === asid) return Status.asidOwned;
    if (context.asid !== 0) return Status.active;
    if (this.everythingUnflushed || this.unflushed.has(asid)) return Status.flush;
    this.contexts.set(gctx, { ...context, asid });
    return 0;
  }

  launchFinish(gctx: number): number {
    const common = this.first(gctx);
    if (common !== 0) return common;
    const context = this.context(gctx);
    if (context === undefined) return Status.guest;
    if (context.state !== 'LAUNCH') return Status.guestState;
    if (context.asid === 0) return Status.inactive;
    this.contexts.set(gctx, { ...context, state: 'RUNNING' });
    return 0;
  }

  guestRequest(gctx: number, request: number, response: number): number {
    const common = this.first(gctx, request, response);
    if (common !== 0) return common;
    const context = this.context(gctx);
    if (context === undefined) return Status.guest;
    if (this.state(response) !== 'FIRMWARE') return Status.pageState;
    if (this.size(request) === 1 || this.size(response) === 1) return Status.size;
    return context.state === 'RUNNING' ? 0 : Status.guestState;
  }

  decommission(gctx: number): number {
    const common = this.first(gctx);
    if (common !== 0) return common;
    const context = this.context(gctx);
    if (context === undefined) return Status.guest;
    this.contexts.delete(gctx);
    for (const [asid, page] of [...this.pageOf]) if (page === gctx) this.pageOf.delete(asid);
    if (context.asid !== 0) this.unflushed.add(context.asid);
    if (gctx < this.rmp.host.memoryPages) this.rmp.at(gctx).vmsa = false;
    return 0;
  }

  launchUpdate(
    gctx: number,
    page: number,
    type: number,
    size: number,
    masks: [number, number, number],
    cpuidValid: boolean,
  ): number {
    const common = this.first(gctx, page);
    if (common !== 0) return common;
    const context = this.context(gctx);
    if (context === undefined) return Status.guest;
    if (this.state(page) !== 'PRE_GUEST') return Status.pageState;
    if (this.size(page) !== size) return Status.size;
    if (size === 1 && page % 512 !== 0) return Status.address;
    const smallOnly = type === 2 || type === 5 || type === 6;
    if (smallOnly && size === 1) return Status.size;
    if (type < 1 || type > 6) return Status.param;
    if (context.state !== 'LAUNCH') return Status.guestState;
    if (context.asid === 0) return Status.inactive;
    const entry = this.entry(page);
    if (entry.asid !== context.asid) return Status.owner;
    if (type === 6 && !cpuidValid) return Status.param;
    entry.validated = true;
    entry.immutable = false;
    entry.locked = false;
    if (type === 2) entry.vmsa = true;
    entry.masks = [entry.masks[0], ...masks];
    return 0;
  }

  // ---- pages that go back

  reclaim(page: number, size: number): number {
    const common = this.first(page);
    if (common !== 0) return common;
    if (!this.rmp.covers(page)) return Status.address;
    if (this.size(page) !== size) return Status.size;
    if (size === 1 && page % 512 !== 0) return Status.address;
    const entry = this.entry(page);
    if (!entry.immutable) return 0;
    const state = this.state(page);
    if (!['METADATA', 'FIRMWARE', 'PRE_GUEST', 'PRE_SWAP'].includes(state)) return Status.pageState;
    if (state === 'METADATA') {
      entry.gfn %= METADATA_TAG;
      this.metadata.delete(page);
    }
    entry.immutable = false;
    entry.locked = false;
    return 0;
  }

  setState(first: number, pages: number): number {
    const common = this.first();
    if (common !== 0) return common;
    if (first % 512 !== 0) return Status.param;
    for (let page = first; page < first + pages; page++) {
      if (this.isOwn(page)) return Status.address;
      if (this.rmp.covers(page) && (this.state(page) !== 'FIRMWARE' || this.size(page) === 1)) return Status.pageState;
    }
    for (let page = first; page < first + pages; page++) {
      if (!this.rmp.covers(page)) continue;
      if (page % 512 !== 0) this.rmp.head(page).count--;
      this.rmp.entries.set(page, { ...hypervisorEntry(), immutable: true, count: this.rmp.at(page).count });
    }
    return 0;
  }

  unsmash(page: number): number {
    if (page % 512 !== 0) return Status.param;
    const common = this.first(page);
    if (common !== 0) return common;
    if (!this.rmp.covers(page) || !this.rmp.covers(page + 511)) return Status.pageState;
    for (let i = 1; i < 512; i++) if (this.isOwn(page + i)) return Status.address;
    const head = this.rmp.at(page);
    const all = Array.from({ length: 512 }, (_, i) => this.rmp.at(page + i));
    const fits =
      head.asid !== 0 &&
      head.gfn % 512n === 0n &&
      all.every(
        (e, i) =>
          e.assigned &&
          !e.large &&
          e.immutable &&
          !e.vmsa &&
          e.asid === head.asid &&
          e.validated === head.validated &&
          e.gfn === head.gfn + BigInt(i) &&
          e.masks.every((mask, vmpl) => mask === head.masks[vmpl]),
      );
    if (!fits) return Status.pageState;
    head.large = true;
    head.count = 0;
    for (const tail of all.slice(1)) Object.assign(tail, { assigned: true, asid: 0, immutable: false, locked: false });
    return 0;
  }

  // ---- pages that move

  move(gctx: number, source: number, target: number, size: number): number {
    const common = this.first(gctx, source, target);
    if (common !== 0) return common;
    const context = this.context(gctx);
    if (context === undefined) return Status.guest;
    if (!this.named(source, size) || !this.named(target, size)) return Status.size;
    if (context.state === 'INIT') return Status.guestState;
    if (context.asid === 0) return Status.inactive;
    const [from, to] = [this.state(source), this.state(target)];
    const [s, t] = [this.rmp.at(source), this.rmp.at(target)];
    if (from === 'METADATA' && to === 'FIRMWARE') {
      if (s.gfn % METADATA_TAG !== BigInt(gctx)) return Status.owner;
      s.gfn = 0n;
      s.vmsa = false;
      t.gfn = METADATA_TAG + BigInt(gctx);
      const entries = this.metadata.get(source);
      this.metadata.delete(source);
      if (entries !== undefined) this.metadata.set(target, entries);
      return 0;
    }
    if ((from !== 'PRE_GUEST' && from !== 'PRE_SWAP') || to !== 'PRE_GUEST') return Status.pageState;
    if (s.asid !== context.asid || t.asid !== context.asid) return Status.owner;
    const moved = { gfn: s.gfn, vmsa: s.vmsa, validated: s.validated, masks: s.masks };
    Object.assign(s, { validated: false, immutable: false, locked: false });
    Object.assign(t, { ...moved, masks: [...moved.masks], immutable: false, locked: false });
    return 0;
  }

  metadataInit(gctx: number, page: number): number {
    const common = this.first(gctx, page);
    if (common !== 0) return common;
    const context = this.context(gctx);
    if (context === undefined) return Status.guest;
    if (this.state(page) !== 'FIRMWARE') return Status.pageState;
    if (context.state === 'INIT') return Status.guestState;
    const at = this.rmp.underLarge(page) ? page - (page % 512) : page;
    this.rmp.at(at).gfn = METADATA_TAG + BigInt(gctx);
    this.metadata.delete(at);
    return 0;
  }

  /** The checks of swapping out and in that concern the guest and the page with the entry. */
  private swapFirst(gctx: number, source: number, target: number, size: number, place: Place): Context | number {
    const common = this.first(gctx, source, target, ...(place === undefined ? [] : [place.page]));
    if (common !== 0) return common;
    const context = this.context(gctx);
    if (context === undefined) return Status.guest;
    if (place === undefined) return context;
    if (place.entry < 0 || place.entry >= 64) return Status.param;
    const span = size === 1 ? 512 : 1;
    for (const page of [source, target]) if (place.page >= page && place.page < page + span) return Status.param;
    if (this.state(place.page) !== 'METADATA') return Status.pageState;
    return this.metadataOwner(place.page) === gctx ? context : Status.owner;
  }

  private metadataOwner(page: number): number {
    return Number(this.entry(page).gfn % METADATA_TAG);
  }

  private find(gctx: number, place: Place): MetadataEntry | undefined {
    return place === undefined ? this.context(gctx)?.root : this.metadata.get(place.page)?.get(place.entry);
  }

  private put(gctx: number, place: Place, entry: MetadataEntry): void {
    if (place === undefined) {
      this.contexts.set(gctx, { ...(this.context(gctx) as Context), root: entry });
      return;
    }
    const entries = this.metadata.get(place.page) ?? new Map<number, MetadataEntry>();
    this.metadata.set(place.page, entries.set(place.entry, entry));
  }

  swapOut(gctx: number, source: number, target: number, kind: Kind, size: number, place: Place): number {
    const context = this.swapFirst(gctx, source, target, size, place);
    if (typeof context === 'number') return context;
    const to = this.state(target);
    if (!this.named(source, size) || (to !== 'DEFAULT' && !this.named(target, size))) return Status.size;
    if (context.state === 'INIT') return Status.guestState;
    if (context.asid === 0) return Status.inactive;
    const from = this.state(source);
    if (kind === 'METADATA' ? from !== 'METADATA' : from !== 'PRE_SWAP' && from !== 'PRE_GUEST')
      return Status.pageState;
    if (to !== 'FIRMWARE' && to !== 'DEFAULT') return Status.pageState;
    const s = this.rmp.at(source);
    if (kind === 'METADATA' ? this.metadataOwner(source) !== gctx : s.asid !== context.asid) return Status.owner;
    const entry: MetadataEntry = {
      valid: true,
      kind,
      size,
      gfn: s.gfn,
      validated: s.validated,
      masks: [...s.masks],
      entries: new Map(),
    };
    if (kind === 'METADATA') {
      entry.entries = this.metadata.get(source) ?? new Map();
      this.metadata.delete(source);
      s.gfn = 0n;
      s.vmsa = false;
    } else {
      s.validated = false;
    }
    this.put(gctx, place, entry);
    return 0;
  }

  swapIn(
    gctx: number,
    source: number,
    target: number,
    kind: Kind,
    size: number,
    place: Place,
    inPlace: boolean,
  ): number {
    const context = this.swapFirst(gctx, source, target, size, place);
    if (typeof context === 'number') return context;
    if (context.state === 'INIT') return Status.guestState;
    if (context.asid === 0) return Status.inactive;
    const entry = this.find(gctx, place);
    if (entry === undefined || !entry.valid || entry.kind !== kind) return Status.metadata;
    const isOutside = this.state(source) === 'DEFAULT';
    if ((!isOutside && !this.named(source, size)) || !this.named(target, size) || entry.size !== size)
      return Status.size;
    if (inPlace && kind !== 'DATA') return Status.param;
    if (inPlace && source !== target) return Status.address;
    if (kind === 'VMSA' && size === 1) return Status.size;
    const t = this.rmp.at(target);
    if (kind === 'METADATA') {
      if (this.state(target) !== 'FIRMWARE') return Status.pageState;
      t.gfn = METADATA_TAG + BigInt(gctx);
      if (entry.entries.size > 0) this.metadata.set(target, entry.entries);
      else this.metadata.delete(target);
    } else {
      if (this.state(target) !== 'PRE_GUEST') return Status.pageState;
      if (t.asid !== context.asid) return Status.owner;
      t.gfn = entry.gfn;
      t.vmsa = kind === 'VMSA';
      // The page was PRE_GUEST, so Validated can only come.
      if (entry.validated) t.validated = true;
      t.masks = [...entry.masks];
    }
    this.put(gctx, place, { ...entry, valid: false });
    return 0;
  }
}

export type Place = { page: number; entry: number } | undefined;
