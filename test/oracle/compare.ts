/** Drives the simulator and the oracle with the same random operations and stops at the first difference. */
import assert from 'node:assert/strict';
import type { PgLevel } from '../../engine/base/units.ts';
import { Access } from '../../engine/hardware/access.ts';
import { bitNames, Fault, hasBit, SNP_FAULT_BITS } from '../../engine/hardware/fault-codes.ts';
import { FAULTED } from '../../engine/hardware/instruction-checks.ts';
import type { GuestContext, Hardware } from '../../engine/hardware/machine.ts';
import { Relied } from '../../engine/hardware/options.ts';
import { rmpreadQwords } from '../../engine/hardware/rmpread.ts';
import { firmwareStep, type Seen } from './firmware-step.ts';
import type { OracleKind, OracleOutcome, SnpOracle } from './snp-oracle.ts';
import { ASIDS, freeRegion, INDEXES, type Random, setInUse, type World } from './world.ts';

/** In the order of {@link Access}. */
const KINDS: readonly OracleKind[] = ['read', 'write', 'fetch', 'walk', 'walk-write', 'shadow', 'shadow-write'];

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
export function step(world: World, seen: Seen = () => {}): string {
  const { hw, oracle, random, regions } = world;
  const page = (): number => random.pick(regions) * 512 + random.pick(INDEXES);
  let asid = random.pick(ASIDS);
  // Guest page numbers lie one region above the system's, so that some bindings match and some do not.
  const gfnFor = (pfn: number): number => (random.oneIn(6) ? page() : pfn) + 512 * (random.oneIn(10) ? 0x80000 : 1);
  /** A guest and a frame of its that fit the page, mostly. Sets `asid`. */
  const aim = (pfn: number): number => {
    if (!oracle.covers(pfn) || random.oneIn(5)) return gfnFor(pfn);
    const large = oracle.underLarge(pfn);
    const entry = large ? oracle.head(pfn) : oracle.at(pfn);
    if (entry.asid !== 0) asid = entry.asid;
    return entry.assigned ? Number(entry.gfn) + (large ? pfn % 512 : 0) : gfnFor(pfn);
  };
  const act = random.below(156);
  if (act >= 150) return settle(world);
  if (act >= 124) return firmwareStep(world, seen);
  if (act >= 120) return tlbStep(world, act, page());
  if (act >= 106) return vmplStep(world, act, page, aim, () => asid);
  if (act >= 100) return freeRegion(world, random.pick(regions));

  if (act < 40) {
    const large = random.oneIn(2) ? 1 : 0;
    const pfn = large === 1 && !random.oneIn(12) ? random.pick(regions) * 512 : page();
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
    const pfn = random.oneIn(8) ? page() : random.pick(regions) * 512;
    const context = random.oneIn(40) ? 2 : 0;
    const what = `psmash(${pfn.toString(16)}, ${context})`;
    assert.equal(hw.psmash(pfn * 4096, context), oracle.psmash(BigInt(pfn) * 4096n, context), what);
    return what;
  }
  if (act < 60) {
    const at = page();
    // Mostly of the size that the RMP has.
    const fitting = oracle.covers(at) && oracle.underLarge(at) ? 2 : 1;
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
    const fitting = oracle.covers(at) && oracle.underLarge(at) ? 1 : 0;
    let pagesize = random.oneIn(60) ? 2 : random.oneIn(3) ? random.below(2) : fitting;
    const pfn = pagesize === 1 ? at - (at % 512) : at;
    const again = random.oneIn(2) ? mapped(oracle, random) : undefined;
    if (again !== undefined) {
      asid = again.asid;
      if (!random.oneIn(5)) pagesize = again.large;
    }
    const gpa = (again?.gfn ?? aim(pfn)) * 4096 + (random.oneIn(60) ? 0x10 : 0);
    const guest = hw.guests.get(asid) as GuestContext;
    const validate = random.oneIn(60) ? 2 : random.oneIn(4) ? 0 : 1;
    const [vmpl, vcpu] = [random.oneIn(40) ? 1 : 0, random.below(2)];
    const what = `pvalidate(${asid}, ${gpa.toString(16)}, ${pagesize}, ${validate}, ${vmpl}, vcpu ${vcpu})`;
    const ours = outcomeOf(hw, hw.pvalidate(guest, gpa, pagesize, validate, vmpl, vcpu));
    assert.deepEqual(ours, oracle.pvalidate(asid, BigInt(gpa), pagesize, validate, vmpl, vcpu), what);
    return what;
  }
  if (act < 90) {
    // What was done before, to see what is remembered of it; or where a guest has something mapped; or anywhere.
    const before = oracle.translations.length > 0 && random.oneIn(2) ? random.pick(oracle.translations) : undefined;
    const again = before ?? (random.oneIn(2) ? mapped(oracle, random) : undefined);
    const gpa = (again?.gfn ?? aim(page())) * 4096 + 24;
    if (again !== undefined) asid = again.asid;
    const guest = hw.guests.get(asid) as GuestContext;
    const kind = before !== undefined ? KINDS.findIndex((one) => before.kinds.has(one)) : random.below(KINDS.length);
    const cbit = before !== undefined ? (before.isPrivate ? 1 : 0) : random.oneIn(3) ? 0 : 1;
    const vmpl = before?.vmpl ?? (random.oneIn(2) ? random.below(4) : 0);
    const user = before?.user ?? random.oneIn(3);
    const vcpu = before?.vcpu ?? random.below(2);
    const what = `${KINDS[kind]}(${asid}, vcpu ${vcpu}, ${gpa.toString(16)}, C=${cbit}, vmpl ${vmpl}, ${user})`;
    hw.reliedOn = 0;
    hw.guestAccess(guest, gpa, kind as Access, cbit, vmpl, user, vcpu);
    if ((hw.reliedOn & Relied.guestTlb) !== 0) seen('stale translation 0');
    if (hasBit(hw.faultCode, 'SSS')) seen('SSS 0');
    const theirs = oracle.guestAccess(asid, vcpu, BigInt(gpa), KINDS[kind], cbit === 1, vmpl, user);
    assert.deepEqual({ outcome: faultOf(hw), pfn: hw.accessPfn }, theirs, what);
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
    const pfn = page();
    const write = random.oneIn(2);
    const what = `dma(${pfn.toString(16)}, ${write})`;
    const stopped = hw.dma(pfn * 4096, write);
    assert.equal(stopped === undefined, oracle.dma(pfn), what);
    assert.equal(hw.fault, stopped === undefined ? Fault.None : Fault.Iommu, what);
    seen(`dma ${stopped === undefined ? 0 : 1}`);
    return what;
  }
  const pfn = page();
  if (oracle.covers(pfn)) {
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
  { hw, oracle, random, regions }: World,
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
    const mask = random.oneIn(15) ? random.below(256) : random.below(oracle.host.shadowStacks ? 32 : 16);
    const vmsa = random.oneIn(2);
    const [vmpl, vcpu] = [random.oneIn(3) ? random.below(4) : 0, random.below(2)];
    const what = `rmpadjust(${asid}, ${gpa.toString(16)}, ${pagesize}, ${target}, ${mask}, ${vmsa}, vmpl ${vmpl})`;
    const rdx = target | (mask << 8) | (vmsa ? 0x10000 : 0);
    const ours = outcomeOf(hw, hw.rmpadjust(hw.guests.get(asid) as GuestContext, gpa, pagesize, rdx, vmpl, vcpu));
    assert.deepEqual(ours, oracle.rmpadjust(asid, BigInt(gpa), pagesize, target, mask, vmsa, vmpl, vcpu), what);
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
  const runs = oracle.covers(pfn) && oracle.at(pfn).locked && oracle.at(pfn).vmsa;
  if (runs && random.oneIn(2)) {
    hw.vmexit(pfn);
    oracle.vmexit(pfn);
    return `vmexit(${pfn.toString(16)})`;
  }
  const asid =
    oracle.covers(pfn) && oracle.at(pfn).asid !== 0 && !random.oneIn(5) ? oracle.at(pfn).asid : random.pick(ASIDS);
  // Pages of the host's own, mostly, that nothing else uses.
  const [vmcb, avic] = [300, 301].map((index) => (random.oneIn(4) ? page() : random.pick(regions) * 512 + index));
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

/** A guest gets a page that it can use: assigned, mapped and validated, as far as nothing stands in the way. */
function settle({ hw, oracle, random, regions }: World): string {
  const size = random.oneIn(3) ? 1 : 0;
  const pfn = random.pick(regions) * 512 + (size === 1 ? 0 : random.pick(INDEXES));
  const asid = random.pick(ASIDS);
  const [gfn, vcpu] = [pfn + 512, random.below(2)];
  const what = `settle(${asid}, ${gfn.toString(16)} at ${pfn.toString(16)}, size ${size})`;
  const args = [1, size, 0, asid] as const;
  const code = hw.rmpupdate(pfn * 4096, gfn * 4096, ...args);
  assert.equal(code, oracle.rmpupdate(BigInt(pfn) * 4096n, BigInt(gfn) * 4096n, ...args), what);
  if (code !== 0) return what;
  const guest = hw.guests.get(asid) as GuestContext;
  const level = size === 1 ? 2 : 1;
  guest.npt.map(gfn, pfn, level, true);
  oracle.map(asid, gfn, { pfn, level, writable: true });
  const ours = outcomeOf(hw, hw.pvalidate(guest, gfn * 4096, size, 1, 0, vcpu));
  assert.deepEqual(ours, oracle.pvalidate(asid, BigInt(gfn) * 4096n, size, 1, 0, vcpu), what);
  const [target, mask] = [1 + random.below(3), random.below(oracle.host.shadowStacks ? 32 : 16)];
  const adjusted = outcomeOf(hw, hw.rmpadjust(guest, gfn * 4096, size, target | (mask << 8), 0, vcpu));
  assert.deepEqual(adjusted, oracle.rmpadjust(asid, BigInt(gfn) * 4096n, size, target, mask, false, 0, vcpu), what);
  return what;
}

/** Flushes by ASID, or of everything. */
function tlbStep({ hw, oracle, random }: World, act: number, pfn: number): string {
  if (act >= 122) {
    const asid = random.oneIn(3) ? 0 : random.pick(ASIDS);
    hw.flushTlb(asid);
    oracle.forget((translation) => asid === 0 || translation.asid === asid);
    return `flush(${asid})`;
  }
  // What the guests have mapped goes, and what is remembered of it stays.
  for (const guest of hw.guests.values()) {
    for (const [gfn, to] of oracle.nested.get(guest.asid) ?? [])
      if (to.pfn === pfn) {
        guest.npt.zap(gfn, gfn + 1);
        oracle.zap(guest.asid, gfn, gfn + 1);
      }
  }
  return `unmap(${pfn.toString(16)})`;
}
