/**
 * The kernel's objects that are not C: everything that natives act on and that rules, queries and the runner look at. One facade over one
 * class for each thing; all of it journalled.
 */
import type { Journal } from '../base/journal.ts';
import { PG_LEVEL_1G, type PgLevel } from '../base/units.ts';
import type { Hardware } from '../hardware/machine.ts';
import type { Trace } from '../trace/trace.ts';
import { DirectMap } from './direct-map.ts';
import { GuestMemfd } from './guest-memfd.ts';
import { JournalledValue } from './journalled.ts';
import { kernelOptionTable } from './kernel-options.ts';
import { LargePages } from './large-pages.ts';
import { LeakedPages } from './leaked-pages.ts';
import { Locks } from './locks.ts';
import { KernelLog } from './log.ts';
import { MemoryAttributes } from './memory-attributes.ts';
import { type MemorySlot, MemorySlots } from './memory-slots.ts';
import { PageAllocator } from './page-allocator.ts';
import { PageReferences } from './page-reference.ts';
import { RestrictedMemory } from './restricted-memory.ts';

export interface KernelConfig {
  /** System memory from address 0; all of it is in the direct map. */
  memoryBytes: number;
  /** num_present_cpus(). */
  cpus: number;
  /** Level of the direct map's untouched mappings; 1G by default. */
  directMapLevel?: PgLevel;
  /** pr_debug() prints; off by default. */
  debugLog?: boolean;
  /** The host runs with SNP; on by default. */
  snp?: boolean;
  /** Options of the kernel model by name, see {@link kernelOptionTable}. */
  options?: ReadonlyMap<string, number>;
}

export { type KernelOptionRow, kernelOptionTable } from './kernel-options.ts';

/** What backs a gfn. */
export interface Backing {
  slot: MemorySlot;
  pfn: number;
  /** Order of the folio that holds the page; 0 for shared memory. */
  order: number;
  /** Private memory only: the page is there. Shared memory always is. */
  allocated: boolean;
}

export class KernelState {
  readonly config: Required<Omit<KernelConfig, 'options'>>;
  readonly hardware: Hardware;
  readonly options: JournalledValue<ReadonlyMap<string, number>>;
  readonly restricted: RestrictedMemory;
  readonly gmem: GuestMemfd;
  readonly references: PageReferences;
  readonly pages: PageAllocator;
  readonly attributes: MemoryAttributes;
  readonly largePages: LargePages;
  readonly slots: MemorySlots;
  readonly directMap: DirectMap;
  readonly leaked: LeakedPages;
  readonly locks: Locks;
  readonly log: KernelLog;

  constructor(config: KernelConfig, hardware: Hardware, journal: Journal, trace: Trace) {
    this.config = { directMapLevel: PG_LEVEL_1G, debugLog: false, snp: true, ...config };
    this.hardware = hardware;
    const defaults = kernelOptionTable.map((row): [string, number] => [row.name, row.default]);
    this.options = new JournalledValue<ReadonlyMap<string, number>>(
      journal,
      new Map([...defaults, ...(config.options ?? new Map<string, number>())]),
    );
    this.restricted = new RestrictedMemory(journal, trace);
    this.gmem = new GuestMemfd(journal, this.restricted);
    this.references = new PageReferences(journal, trace);
    this.pages = new PageAllocator(journal, Math.floor(config.memoryBytes / 4096));
    this.attributes = new MemoryAttributes(journal, trace);
    this.largePages = new LargePages(journal);
    this.slots = new MemorySlots(journal);
    this.directMap = new DirectMap(journal, trace, Math.floor(config.memoryBytes / 4096), this.config.directMapLevel);
    this.leaked = new LeakedPages(journal);
    this.locks = new Locks(journal, trace);
    this.log = new KernelLog(journal, trace);
  }

  /** Change an option of the kernel model from now on. */
  setOption(name: string, value: number): void {
    this.options.set(new Map(this.options.value).set(name, value));
  }

  /** Memory attributes of a gfn: a sum of KVM_MEMORY_ATTRIBUTE_*; 0 = shared. */
  attribute(asid: number, gfn: number): number {
    return this.attributes.attribute(asid, gfn);
  }

  /** The private page behind a gfn, allocated or as it would be; undefined outside private slots. Allocates nothing. */
  privateBacking(asid: number, gfn: number): Backing | undefined {
    const slot = this.slots.find(asid, gfn);
    if (slot === undefined || !slot.private) return undefined;
    const index = slot.index + (gfn - slot.baseGfn);
    const folio = this.restricted.folio(slot.file, index);
    if (folio === undefined) return undefined;
    return { slot, pfn: folio.pfn + (index - folio.index), order: folio.order, allocated: folio.allocated };
  }

  /** The shared page behind a gfn; undefined outside slots. */
  sharedBacking(asid: number, gfn: number): Backing | undefined {
    const slot = this.slots.find(asid, gfn);
    if (slot === undefined) return undefined;
    return { slot, pfn: slot.sharedPfn + (gfn - slot.baseGfn), order: 0, allocated: true };
  }

  /** The page that the VMM or the guest means by a gfn now: private or shared memory, as the attribute says. */
  backing(asid: number, gfn: number): Backing | undefined {
    return this.attribute(asid, gfn) !== 0 ? this.privateBacking(asid, gfn) : this.sharedBacking(asid, gfn);
  }

  flushTlb(asid: number): void {
    this.hardware.flushTlb(asid);
  }
}
