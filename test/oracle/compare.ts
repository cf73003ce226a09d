/**
 * Drives the simulator and the oracle with the same random operations and stops at the first difference.
 *
 * The world is small on purpose: four 2M regions, of which few pages are used, three guests, few guest addresses. So operations meet each
 * other's traces all the time instead of touching fresh pages.
 */
import assert from 'node:assert/strict';
import { Journal } from '../../engine/base/journal.ts';
import type { PgLevel } from '../../engine/base/units.ts';
import { Access } from '../../engine/hardware/access.ts';
import { bitNames, Fault, SNP_FAULT_BITS } from '../../engine/hardware/fault-codes.ts';
import { FAULTED } from '../../engine/hardware/instruction-checks.ts';
import { type GuestContext, Hardware } from '../../engine/hardware/machine.ts';
import { rmpreadQwords } from '../../engine/hardware/rmpread.ts';
import { Trace } from '../../engine/trace/trace.ts';
import { type OracleOutcome, SnpOracle } from './snp-oracle.ts';

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

export const REGIONS = 4;
/** The last region is not covered to its end. */
const PAGES = REGIONS * 512 - 100;
const INDEXES = [0, 0, 1, 2, 256, 511];
const ASIDS = [1, 1, 2, 1023];

export interface World {
  hw: Hardware;
  oracle: SnpOracle;
  guests: GuestContext[];
  random: Random;
  journal: Journal;
  trace: Trace;
}

export function newWorld(seed: number): World {
  const journal = new Journal();
  const trace = new Trace();
  const hw = new Hardware({ memoryBytes: REGIONS * 0x200000, coveredBytes: PAGES * 4096, cpus: 2 }, journal, trace);
  const guests = [1, 2, 1023].map((asid) => hw.addGuest(asid));
  return { hw, oracle: new SnpOracle(PAGES), guests, random: new Random(seed), journal, trace };
}

function outcomeOf(hw: Hardware, code: number): OracleOutcome {
  if (code !== FAULTED) return { code, carry: hw.carry === 1 };
  return faultOf(hw);
}

const faultNames = new Map<number, string>([
  [Fault.GP, 'GP'],
  [Fault.PF, 'PF'],
  [Fault.VC, 'VC'],
  [Fault.NPF, 'NPF'],
]);

function faultOf(hw: Hardware): OracleOutcome {
  if (hw.fault === Fault.None) return { code: 0, carry: false };
  const paging = hw.fault === Fault.NPF || hw.fault === Fault.PF;
  return {
    fault: faultNames.get(hw.fault) ?? String(hw.fault),
    bits: paging ? bitNames(hw.faultCode, SNP_FAULT_BITS) : [],
  };
}

/** One random operation on both. Returns what it was, for messages. */
export function step(world: World): string {
  const { hw, oracle, random } = world;
  const page = (): number => random.below(REGIONS) * 512 + random.pick(INDEXES);
  let asid = random.pick(ASIDS);
  // Guest page numbers lie one region above the system's, so that some bindings match and some do not.
  const gfnFor = (pfn: number): number => (random.oneIn(6) ? page() : pfn) + 512 * (random.oneIn(10) ? 0x80000 : 1);
  /** A guest and a frame of its that fit the page, mostly. Sets `asid`. */
  const aim = (pfn: number): number => {
    if (pfn >= PAGES || random.oneIn(5)) return gfnFor(pfn);
    const large = oracle.underLarge(pfn);
    const entry = large ? oracle.head(pfn) : oracle.at(pfn);
    if (entry.asid !== 0) asid = entry.asid;
    return entry.assigned ? Number(entry.gfn) + (large ? pfn % 512 : 0) : gfnFor(pfn);
  };
  const act = random.below(120);
  if (act >= 106) return vmplStep(world, act, page, aim, () => asid);
  if (act >= 100) return freeRegion(world, random.below(REGIONS));

  if (act < 40) {
    const large = random.oneIn(2) ? 1 : 0;
    const pfn = large === 1 && !random.oneIn(12) ? random.below(REGIONS) * 512 : page();
    const spa = pfn * 4096 + (random.oneIn(60) ? 8 : 0);
    const assigned = random.oneIn(3) ? 0 : random.oneIn(80) ? 2 : 1;
    const gpa = random.oneIn(60) ? 2 ** 51 : assigned === 0 && random.oneIn(2) ? 0 : gfnFor(pfn) * 4096;
    const immutable = random.oneIn(assigned === 0 ? 60 : 15) ? 1 : 0;
    const owner = assigned === 0 ? (random.oneIn(60) ? asid : 0) : random.oneIn(8) ? 0 : random.oneIn(60) ? 1024 : asid;
    const context = random.oneIn(80) ? 1 : 0;
    const reserved = random.oneIn(80) ? 1 : 0;
    const pagesize = random.oneIn(100) ? 2 + large : large;
    const args = [assigned, pagesize, immutable, owner, context, reserved] as const;
    const what = `rmpupdate(${spa.toString(16)}, ${gpa.toString(16)}, ${args.join(', ')})`;
    const code = hw.rmpupdate(spa, gpa, ...args);
    assert.equal(code, oracle.rmpupdate(BigInt(spa), BigInt(gpa), ...args), what);
    return what;
  }
  if (act < 48) {
    const pfn = random.oneIn(8) ? page() : random.below(REGIONS) * 512;
    const context = random.oneIn(40) ? 2 : 0;
    const what = `psmash(${pfn.toString(16)}, ${context})`;
    assert.equal(hw.psmash(pfn * 4096, context), oracle.psmash(BigInt(pfn) * 4096n, context), what);
    return what;
  }
  if (act < 60) {
    const at = page();
    // Mostly of the size that the RMP has.
    const fitting = at < PAGES && oracle.underLarge(at) ? 2 : 1;
    const level = (random.oneIn(3) ? random.pick([1, 2, 3]) : fitting) as PgLevel;
    const span = level === 1 ? 1 : level === 2 ? 512 : 262144;
    const pfn = level === 3 ? 0 : level === 2 ? at - (at % 512) : at;
    const gfn = level === 3 ? 0 : aim(pfn);
    const guest = hw.guests.get(asid) as GuestContext;
    const writable = !random.oneIn(8);
    const what = `map(${asid}, ${gfn.toString(16)} to ${pfn.toString(16)}, level ${level}, ${writable})`;
    guest.npt.map(gfn, pfn, level, writable);
    oracle.map(asid, gfn, { pfn: pfn - (pfn % span), level, writable });
    return what;
  }
  if (act < 63) {
    const start = page() + 512;
    const end = start + random.pick([1, 2, 512, 1024]);
    const guest = hw.guests.get(asid) as GuestContext;
    guest.npt.zap(start, end);
    oracle.zap(asid, start, end);
    return `zap(${asid}, ${start}, ${end})`;
  }
  if (act < 78) {
    const at = page();
    const fitting = at < PAGES && oracle.underLarge(at) ? 1 : 0;
    const pagesize = random.oneIn(60) ? 2 : random.oneIn(3) ? random.below(2) : fitting;
    const pfn = pagesize === 1 ? at - (at % 512) : at;
    const gpa = aim(pfn) * 4096 + (random.oneIn(60) ? 0x10 : 0);
    const guest = hw.guests.get(asid) as GuestContext;
    const validate = random.oneIn(60) ? 2 : random.oneIn(4) ? 0 : 1;
    const vmpl = random.oneIn(40) ? 1 : 0;
    const what = `pvalidate(${asid}, ${gpa.toString(16)}, ${pagesize}, ${validate}, ${vmpl})`;
    const ours = outcomeOf(hw, hw.pvalidate(guest, gpa, pagesize, validate, vmpl));
    assert.deepEqual(ours, oracle.pvalidate(asid, BigInt(gpa), pagesize, validate, vmpl), what);
    return what;
  }
  if (act < 90) {
    const kinds = ['read', 'write', 'fetch', 'walk', 'walk-write'] as const;
    const kind = random.below(kinds.length);
    const gpa = aim(page()) * 4096 + 24;
    const guest = hw.guests.get(asid) as GuestContext;
    const [cbit, vmpl, user] = [random.oneIn(3) ? 0 : 1, random.oneIn(3) ? random.below(4) : 0, random.oneIn(2)];
    const what = `${kinds[kind]}(${asid}, ${gpa.toString(16)}, C=${cbit}, vmpl ${vmpl}, ${user})`;
    hw.guestAccess(guest, gpa, kind as Access, cbit, vmpl, user);
    assert.deepEqual(faultOf(hw), oracle.guestAccess(asid, BigInt(gpa), kinds[kind], cbit === 1, vmpl, user), what);
    return what;
  }
  if (act < 93) {
    const pfn = page();
    const level = random.pick([1, 2, 3]) as PgLevel;
    const what = `host write(${pfn.toString(16)}, level ${level})`;
    hw.hostAccess(pfn, Access.Write, level);
    assert.deepEqual(faultOf(hw), oracle.hostWrite(pfn, level), what);
    return what;
  }
  if (act < 97) {
    const size = random.oneIn(3) ? 1 : 0;
    const pfn = size === 1 ? random.below(REGIONS) * 512 : page();
    if (random.oneIn(2)) aim(pfn);
    const masks: [number, number, number] = [random.below(16), random.below(16), 1];
    const type = random.below(8);
    const what = `launch update(${asid}, ${pfn.toString(16)}, type ${type}, size ${size})`;
    const code = hw.snpLaunchUpdate(asid, pfn, type, size as 0 | 1, masks);
    assert.equal(code, oracle.launchUpdate(asid, pfn, type, size, masks), what);
    return what;
  }
  if (act < 99) {
    const size = random.oneIn(3) ? 1 : 0;
    const pfn = size === 1 ? random.below(REGIONS) * 512 : page();
    const what = `reclaim(${pfn.toString(16)}, size ${size})`;
    assert.equal(hw.snpPageReclaim(pfn, size as 0 | 1), oracle.reclaim(pfn, size), what);
    return what;
  }
  const pfn = page();
  if (pfn < PAGES) {
    // VMRUN's mark is set on entries of their own, not on the tails of a 2M entry.
    setInUse(world, pfn, random.oneIn(2) && !(oracle.underLarge(pfn) && pfn % 512 !== 0));
  }
  return `in use(${pfn.toString(16)})`;
}

/** A place that a guest has mapped, mostly one with a page that it has validated. */
function mapped(oracle: SnpOracle, random: Random): { asid: number; gfn: number; large: number } | undefined {
  const all = [...oracle.nested].flatMap(([asid, table]) => [...table].map(([gfn, to]) => ({ asid, gfn, to })));
  const good = all.filter(({ asid, gfn, to }) => {
    const entry = oracle.at(to.pfn);
    return entry.validated && entry.asid === asid && entry.gfn === BigInt(gfn) && !entry.immutable;
  });
  if (all.length === 0 || random.oneIn(6)) return undefined;
  const { asid, gfn, to } = random.pick(good.length > 0 && !random.oneIn(4) ? good : all);
  const offset = to.level === 1 || random.oneIn(2) ? 0 : random.pick(INDEXES);
  return { asid, gfn: gfn + offset, large: to.level === 1 ? 0 : 1 };
}

/** RMPADJUST, RMPQUERY, RMPREAD, VMRUN. */
function vmplStep(
  { hw, oracle, random }: World,
  act: number,
  page: () => number,
  aim: (pfn: number) => number,
  asidOf: () => number,
): string {
  const at = page();
  if (act < 112) {
    const place = mapped(oracle, random) ?? { asid: asidOf(), gfn: aim(at), large: 0 };
    const pagesize = random.oneIn(60) ? 2 : random.oneIn(4) ? random.below(2) : place.large;
    const gpa = place.gfn * 4096 + (random.oneIn(40) ? 0x20 : 0);
    const { asid } = place;
    const target = random.oneIn(20) ? random.below(5) : 1 + random.below(3);
    const mask = random.oneIn(15) ? random.below(256) : random.below(16);
    const vmsa = random.oneIn(2);
    const vmpl = random.oneIn(3) ? random.below(4) : 0;
    const what = `rmpadjust(${asid}, ${gpa.toString(16)}, ${pagesize}, ${target}, ${mask}, ${vmsa}, vmpl ${vmpl})`;
    const rdx = target | (mask << 8) | (vmsa ? 0x10000 : 0);
    const ours = outcomeOf(hw, hw.rmpadjust(hw.guests.get(asid) as GuestContext, gpa, pagesize, rdx, vmpl));
    assert.deepEqual(ours, oracle.rmpadjust(asid, BigInt(gpa), pagesize, target, mask, vmsa, vmpl), what);
    return what;
  }
  if (act < 115) {
    const { asid, gfn } = mapped(oracle, random) ?? { asid: asidOf(), gfn: aim(at) };
    const gpa = gfn * 4096;
    const [target, vmpl] = [random.below(5), random.oneIn(3) ? random.below(4) : 0];
    const what = `rmpquery(${asid}, ${gpa.toString(16)}, ${target}, vmpl ${vmpl})`;
    const code = hw.rmpquery(hw.guests.get(asid) as GuestContext, gpa, target, vmpl);
    const ours = code === 0 ? hw.rmpqueryResult : outcomeOf(hw, code);
    assert.deepEqual(ours, oracle.rmpquery(asid, BigInt(gpa), target, vmpl), what);
    return what;
  }
  if (act < 116) {
    const context = random.oneIn(10) ? 1 : 0;
    const what = `rmpread(${at.toString(16)}, ${context})`;
    const code = hw.rmpread(at * 4096, context);
    const ours = hw.rmpreadEntry === undefined ? code : rmpreadQwords(hw.rmpreadEntry);
    assert.deepEqual(ours, oracle.rmpread(at, context), what);
    return what;
  }
  // Mostly a page that the guest has made a VMSA.
  const vmsas = [...oracle.entries].filter(([, entry]) => entry.vmsa).map(([pfn]) => pfn);
  const pfn = vmsas.length > 0 && !random.oneIn(4) ? random.pick(vmsas) : at;
  const runs = pfn < PAGES && oracle.at(pfn).locked && oracle.at(pfn).vmsa;
  if (runs && random.oneIn(2)) {
    hw.vmexit(pfn);
    oracle.vmexit(pfn);
    return `vmexit(${pfn.toString(16)})`;
  }
  const asid = pfn < PAGES && oracle.at(pfn).asid !== 0 && !random.oneIn(5) ? oracle.at(pfn).asid : random.pick(ASIDS);
  // Pages of the host's own, mostly, that nothing else uses.
  const [vmcb, avic] = [300, 301].map((index) => (random.oneIn(4) ? page() : random.below(REGIONS) * 512 + index));
  const what = `vmrun(${asid}, vmcb ${vmcb.toString(16)}, vmsa ${pfn.toString(16)}, avic ${avic.toString(16)})`;
  const fault = hw.enter(hw.guests.get(asid) as GuestContext, { vmcb, vmsa: pfn, avic });
  const ours = fault === Fault.None ? 'ok' : fault === Fault.GP ? 'GP' : 'VMEXIT_INVALID';
  assert.equal(ours, oracle.vmrun(asid, vmcb, pfn, avic), what);
  if (ours === 'ok') {
    // The VMSA alone stays in use, so that other operations meet it.
    hw.exit({ vmcb, avic });
    oracle.vmexit(vmcb, avic);
  }
  return what;
}

function setInUse({ hw, oracle }: World, pfn: number, inUse: boolean): void {
  hw.setInUse(pfn as never, inUse);
  oracle.at(pfn).locked = inUse;
}

/** Takes what stands in the way out of a region, and its pages from the guests: else long runs settle into states where all fails. */
function freeRegion(world: World, region: number): string {
  const { hw, oracle } = world;
  const what = `free region ${region}`;
  for (let pfn = region * 512; pfn < Math.min((region + 1) * 512, PAGES); pfn++) {
    const size = oracle.underLarge(pfn) ? 1 : 0;
    // After PSMASH all 512 pages are assigned, not only those that the operations choose from.
    if (!oracle.at(pfn).assigned && !oracle.at(pfn).locked) continue;
    if (oracle.at(pfn).locked) setInUse(world, pfn, false);
    assert.equal(hw.snpPageReclaim(pfn, size), oracle.reclaim(pfn, size), what);
    const args = [0, size, 0, 0] as const;
    assert.equal(hw.rmpupdate(pfn * 4096, 0, ...args), oracle.rmpupdate(BigInt(pfn) * 4096n, 0n, ...args), what);
  }
  return what;
}

/** All entries and counters of both, bit for bit. */
export function compareState({ hw, oracle }: World, pages: Iterable<number>, after: string): void {
  for (const pfn of pages) {
    if (pfn >= PAGES) continue;
    const { low, high } = oracle.raw(pfn);
    const ours = `${hw.rmp.rawLow(pfn as never).toString(16)} ${hw.rmp.rawHigh(pfn as never).toString(16)}`;
    assert.equal(ours, `${low.toString(16)} ${high.toString(16)}`, `entry 0x${pfn.toString(16)} after ${after}`);
  }
  for (const asid of [0, 1, 2, 1023]) {
    assert.equal(hw.rmp.asidPages[asid], oracle.owned.get(asid) ?? 0, `pages of ASID ${asid} after ${after}`);
  }
}

export function* allPages(): Iterable<number> {
  for (let pfn = 0; pfn < REGIONS * 512; pfn++) yield pfn;
}

export function* usedPages(): Iterable<number> {
  for (let region = 0; region < REGIONS; region++) for (const index of INDEXES) yield region * 512 + index;
}
