/**
 * The world in which simulator and plain model are compared: small on purpose, four 2M regions of which few pages are used, three guests, few guest
 * addresses. So operations meet each other's traces all the time instead of touching fresh pages. By its seed a world has one of three ways for the
 * RMP to lie in memory, and a TLB and supervisor shadow stacks or not.
 */
import assert from 'node:assert/strict';
import { Journal } from '../../engine/base/journal.ts';
import { type GuestContext, Hardware, type HardwareConfig } from '../../engine/hardware/machine.ts';
import { Trace } from '../../engine/trace/trace.ts';
import { FirmwareOracle } from './firmware-oracle.ts';
import { type OracleHost, SnpOracle } from './snp-oracle.ts';

/** A small generator of its own: the same seed gives the same run everywhere. */
export class Random {
  private state: number;
  constructor(seed: number) {
    this.state = seed >>> 0 || 1;
  }
  /** 0 to n - 1. */
  below(n: number): number {
    // xorshift32
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    this.state >>>= 0;
    return this.state % n;
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }
  /** True once in n. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }
}

export const INDEXES = [0, 0, 1, 2, 256, 511];
export const ASIDS = [1, 1, 2, 1023];

export interface World {
  hw: Hardware;
  oracle: SnpOracle;
  firmware: FirmwareOracle;
  guests: GuestContext[];
  random: Random;
  journal: Journal;
  trace: Trace;
  /** The 2M frames whose pages are used. */
  regions: readonly number[];
}

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const frames = (bytes: number): number => bytes / 4096;

interface Place {
  regions: readonly number[];
  memoryBytes: number;
  config: Omit<HardwareConfig, 'memoryBytes' | 'cpus'>;
  covered: OracleHost['covered'];
  own: OracleHost['own'];
  fixed: OracleHost['fixed'];
  onMegabytes: boolean;
}

/** What is covered and what the RMP lies in is written out here and not computed: it is what the simulator's geometry is held against. */
const places: readonly Place[] = [
  {
    // The RMP is elsewhere, and the last region is not covered to its end.
    regions: [0, 1, 2, 3],
    memoryBytes: 8 * MIB,
    config: { coveredBytes: 8 * MIB - 100 * 4096 },
    covered: [[0, 4 * 512 - 100]],
    own: [],
    fixed: [],
    onMegabytes: true,
  },
  {
    // In one piece, within the third region: 16K and 16 bytes for each of 64,512 pages. Its neighbour is fixed.
    regions: [0, 1, 2, 3],
    memoryBytes: 256 * MIB,
    config: {
      geometry: { kind: 'contiguous', base: 5 * MIB, end: 6 * MIB - 1 },
      fixed: [{ start: 2 * 512 + 2, end: 2 * 512 + 3 }],
    },
    covered: [[0, 64_512]],
    own: [[frames(5 * MIB), frames(6 * MIB)]],
    fixed: [[2 * 512 + 2, 2 * 512 + 3]],
    onMegabytes: true,
  },
  {
    // On 8K only, which the processor takes and the firmware does not: the entries of 2,048 pages.
    regions: [0, 1, 2, 3],
    memoryBytes: 16 * MIB,
    config: { geometry: { kind: 'contiguous', base: 2 * MIB, end: 2 * MIB + 0xc000 - 1 } },
    covered: [[0, 2048]],
    own: [[512, 512 + 12]],
    fixed: [],
    onMegabytes: false,
  },
  {
    // Two segments of 1 GiB in stretches of 2 GiB; the third region used is one that none maps.
    regions: [0, 3, 0x40000 / 512 + 5, 0x80000 / 512],
    memoryBytes: 3 * GIB,
    config: {
      geometry: {
        kind: 'segmented',
        base: MIB,
        segmentShift: 31,
        segments: [
          { mappedGib: 1, base: 7 * MIB },
          { mappedGib: 1, base: 16 * MIB },
        ],
      },
    },
    covered: [
      [0, 0x40000],
      [0x80000, 0xc0000],
    ],
    own: [
      [0x100, 0x105],
      [0x700, 0xb00],
      [0x1000, 0x1400],
    ],
    fixed: [],
    onMegabytes: true,
  },
];

export function newWorld(seed: number): World {
  const place = places[seed % places.length];
  const [tlb, shadowStacks] = [Math.floor(seed / places.length) % 2 === 1, Math.floor(seed / places.length) % 3 === 1];
  const journal = new Journal();
  const trace = new Trace();
  const options = { guestTlb: tlb, vmplSss: shadowStacks };
  const hw = new Hardware({ memoryBytes: place.memoryBytes, cpus: 2, ...place.config, options }, journal, trace);
  const guests = [1, 2, 1023].map((asid) => hw.addGuest(asid));
  const oracle = new SnpOracle({ ...place, memoryPages: frames(place.memoryBytes), tlb, shadowStacks });
  const firmware = new FirmwareOracle(oracle, [1, 2, 1023]);
  firmware.isOnMegabytes = place.onMegabytes;
  return { hw, oracle, firmware, guests, random: new Random(seed), journal, trace, regions: place.regions };
}

/** All entries and counters of both, bit for bit, and what the firmware knows of its guests. */
export function compareState({ hw, oracle, firmware }: World, pages: Iterable<number>, after: string): void {
  for (const pfn of pages) {
    const isCovered = hw.rmp.covers(pfn);
    assert.equal(isCovered, oracle.covers(pfn), `whether pfn 0x${pfn.toString(16)} is covered`);
    if (!isCovered) continue;
    const { low, high } = oracle.raw(pfn);
    const ours = `${hw.rmp.rawLow(pfn as never).toString(16)} ${hw.rmp.rawHigh(pfn as never).toString(16)}`;
    assert.equal(ours, `${low.toString(16)} ${high.toString(16)}`, `entry 0x${pfn.toString(16)} after ${after}`);
    assert.equal(hw.rmp.pageState(pfn as never), firmware.state(pfn), `state of 0x${pfn.toString(16)} after ${after}`);
  }
  for (const asid of [0, 1, 2, 1023]) {
    assert.equal(hw.rmp.asidPages[asid], oracle.owned.get(asid) ?? 0, `pages of ASID ${asid} after ${after}`);
    const page = firmware.contextPage(asid);
    assert.equal(hw.firmware.contextPage(asid), page, `context page of ASID ${asid} after ${after}`);
    const [ours, theirs] = [hw.firmware.context(page), firmware.context(page)];
    assert.equal(`${ours?.state} ${ours?.asid}`, `${theirs?.state} ${theirs?.asid}`, `context ${page} after ${after}`);
  }
  assert.equal(hw.firmware.initialized, firmware.initialized, `initialized after ${after}`);
}

export function* allPages({ regions }: Pick<World, 'regions'>): Iterable<number> {
  for (const region of regions) for (let index = 0; index < 512; index++) yield region * 512 + index;
}

export function* usedPages({ regions }: Pick<World, 'regions'>): Iterable<number> {
  for (const region of regions) for (const index of new Set(INDEXES)) yield region * 512 + index;
}

/** VMRUN's mark on a page, on both. */
export function setInUse({ hw, oracle }: World, pfn: number, inUse: boolean): void {
  hw.setInUse(pfn as never, inUse);
  oracle.at(pfn).locked = inUse;
}

/** Takes what stands in the way out of a region, and its pages from the guests: else long runs settle into states where all fails. */
export function freeRegion(world: World, region: number): string {
  const { hw, oracle, firmware } = world;
  const what = `free region ${region}`;
  for (let pfn = region * 512; pfn < (region + 1) * 512; pfn++) {
    if (!oracle.covers(pfn)) continue;
    // After PSMASH all 512 pages are assigned, not only those that the operations choose from.
    if (!oracle.at(pfn).assigned && !oracle.at(pfn).locked) continue;
    if (
      ['FIRMWARE_IOMMU', 'CONTEXT'].includes(firmware.state(pfn)) ||
      firmware.own.some(([a, b]) => pfn >= a && pfn < b)
    )
      continue;
    const size = oracle.underLarge(pfn) ? 1 : 0;
    if (oracle.at(pfn).locked) setInUse(world, pfn, false);
    assert.equal(hw.snpPageReclaim(pfn, size), firmware.reclaim(pfn, size), what);
    const args = [0, size, 0, 0] as const;
    assert.equal(hw.rmpupdate(pfn * 4096, 0, ...args), oracle.rmpupdate(BigInt(pfn) * 4096n, 0n, ...args), what);
  }
  return what;
}
