/** One random command of the firmware on both models. */
import assert from 'node:assert/strict';
import {
  snpActivate,
  snpDecommission,
  snpGctxCreate,
  snpGuestRequest,
  snpLaunchFinish,
  snpLaunchStart,
} from '../../engine/hardware/firmware-guest.ts';
import { snpLaunchUpdate } from '../../engine/hardware/firmware-launch-update.ts';
import { snpPageMove } from '../../engine/hardware/firmware-move.ts';
import { snpPageReclaim, snpPageSetState } from '../../engine/hardware/firmware-page-state.ts';
import { snpDfFlush, snpInit, snpShutdown } from '../../engine/hardware/firmware-platform.ts';
import { snpPageMdInit, snpPageSwapIn, snpPageSwapOut } from '../../engine/hardware/firmware-swap.ts';
import { snpPageUnsmash } from '../../engine/hardware/firmware-unsmash.ts';
import type { Kind } from './firmware-oracle.ts';
import { ASIDS, allPages, freeRegion, INDEXES, usedPages, type World } from './world.ts';

/** What each command was and gave, both times the same: `SNP_ACTIVATE 0`. */
export type Seen = (what: string) => void;

export function firmwareStep(world: World, seen: Seen): string {
  const { hw, oracle, firmware, random, regions } = world;
  const any = (): number => random.pick(regions) * 512 + random.pick(INDEXES);
  /** A page in one of these states, mostly. */
  const inState = (...states: string[]): number => {
    const isOwn = (page: number): boolean => firmware.own.some(([start, end]) => page >= start && page < end);
    const fits = (page: number): boolean => states.includes(firmware.state(page)) && (!isOwn(page) || random.oneIn(12));
    const found = random.oneIn(8) ? [] : [...usedPages(world)].filter(fits);
    return found.length > 0 ? random.pick(found) : any();
  };
  const firmwarePage = (): number => inState('FIRMWARE');
  const sizeOf = (page: number): 0 | 1 => {
    const fits = oracle.covers(page) && oracle.underLarge(page) ? 1 : 0;
    return random.oneIn(12) ? ((1 - fits) as 0 | 1) : fits;
  };
  const known = ASIDS.filter((one) => firmware.context(firmware.contextPage(one)) !== undefined);
  const asid = random.pick(known.length === 0 || random.oneIn(6) ? ASIDS : known);
  const gctx = random.oneIn(15) ? any() : firmware.contextPage(asid);
  const both = (what: string, ours: number, theirs: number): string => {
    assert.equal(ours, theirs, what);
    if (ours !== 0) assert.equal(hw.refusal?.event, hw.trace.length - 1, `${what}: why is noted`);
    seen(`${what.replace(/\(.*/s, '')} ${ours}`);
    return what;
  };
  /** As the host would: a page that a guest of that ASID gave up on its way to firmware. */
  const kind = random.pick<Kind>(['DATA', 'DATA', 'METADATA', 'VMSA']);
  const place = (): { page: number; entry: number } | undefined =>
    random.oneIn(2) ? undefined : { page: inState('METADATA'), entry: random.oneIn(20) ? 64 : random.below(2) };

  switch (random.below(22)) {
    case 19:
    case 20:
      return swapOutAndIn(world, asid, both);
    case 21:
      return prepareFirmware(world);
    case 0: {
      if (!random.oneIn(firmware.initialized ? 12 : 2)) return prepareFirmware(world);
      return shutDownAndInit(world, both);
    }
    case 1: {
      const page = firmwarePage();
      return both(
        `SNP_GCTX_CREATE(${page}, ${asid})`,
        snpGctxCreate(hw, page, asid),
        firmware.contextCreate(page, asid),
      );
    }
    case 2:
      return both(`SNP_LAUNCH_START(${gctx})`, snpLaunchStart(hw, gctx), firmware.launchStart(gctx));
    case 3: {
      const wanted = random.oneIn(15) ? 0x3ff : random.oneIn(3) ? random.pick(ASIDS) : asid;
      const what = `SNP_ACTIVATE(${gctx}, ${wanted})`;
      return both(what, snpActivate(hw, gctx, wanted), firmware.activate(gctx, wanted));
    }
    case 4:
      if (!random.oneIn(3)) return prepareFirmware(world);
      return both(`SNP_LAUNCH_FINISH(${gctx})`, snpLaunchFinish(hw, gctx), firmware.launchFinish(gctx));
    case 5: {
      const [request, response] = [any(), firmwarePage()];
      const what = `SNP_GUEST_REQUEST(${gctx}, ${request}, ${response})`;
      return both(what, snpGuestRequest(hw, gctx, request, response), firmware.guestRequest(gctx, request, response));
    }
    case 6:
      if (!random.oneIn(4)) return launch(world, random.pick(ASIDS), both);
      return both(`SNP_DECOMMISSION(${gctx})`, snpDecommission(hw, gctx), firmware.decommission(gctx));
    case 7:
      return both('SNP_DF_FLUSH()', snpDfFlush(hw), firmware.flush());
    case 8:
    case 9: {
      const page = inState('PRE_GUEST');
      const owner = oracle.covers(page) && !random.oneIn(6) ? oracle.head(page).asid || oracle.at(page).asid : asid;
      const context = firmware.contextPage(owner);
      const masks: [number, number, number] = [random.below(16), random.below(16), 1];
      const [type, size, valid] = [random.below(8), sizeOf(page), !random.oneIn(3)];
      const what = `SNP_LAUNCH_UPDATE(${context}, ${page}, type ${type}, size ${size}, ${valid})`;
      return both(
        what,
        snpLaunchUpdate(hw, context, page, type, size, masks, valid),
        firmware.launchUpdate(context, page, type, size, masks, valid),
      );
    }
    case 10: {
      const page = any();
      const size = sizeOf(page);
      const what = `SNP_PAGE_RECLAIM(${page}, size ${size})`;
      return both(what, snpPageReclaim(hw, page, size), firmware.reclaim(page, size));
    }
    case 11: {
      const page = random.oneIn(5) ? any() : random.pick(regions) * 512;
      const pages = random.oneIn(4) ? 3 : 1;
      const what = `SNP_PAGE_SET_STATE(${page}, ${pages})`;
      return both(what, snpPageSetState(hw, page, pages), firmware.setState(page, pages));
    }
    case 12: {
      const page = random.oneIn(5) ? any() : random.pick(regions) * 512;
      if (!random.oneIn(3)) smash(world, page - (page % 512), asid);
      return both(`SNP_PAGE_UNSMASH(${page})`, snpPageUnsmash(hw, page), firmware.unsmash(page));
    }
    case 13: {
      const page = firmwarePage();
      return both(
        `SNP_PAGE_MD_INIT(${gctx}, ${page})`,
        snpPageMdInit(hw, gctx, page),
        firmware.metadataInit(gctx, page),
      );
    }
    case 14:
    case 15: {
      const source = inState('PRE_GUEST', 'PRE_SWAP', 'METADATA');
      const target = firmware.state(source) === 'METADATA' ? firmwarePage() : inState('PRE_GUEST');
      const size = sizeOf(source);
      const what = `SNP_PAGE_MOVE(${gctx}, ${source}, ${target}, size ${size})`;
      return both(what, snpPageMove(hw, gctx, source, target, size), firmware.move(gctx, source, target, size));
    }
    case 16:
    case 17: {
      const source = kind === 'METADATA' ? inState('METADATA') : inState('PRE_GUEST', 'PRE_SWAP');
      const [target, size, metadata] = [inState('FIRMWARE', 'DEFAULT'), sizeOf(source), place()];
      const what = `SNP_PAGE_SWAP_OUT(${gctx}, ${source}, ${target}, ${kind}, size ${size}, ${JSON.stringify(metadata)})`;
      return both(
        what,
        snpPageSwapOut(hw, { gctx, source, target, kind, size, metadata }),
        firmware.swapOut(gctx, source, target, kind, size, metadata),
      );
    }
    default: {
      const target = kind === 'METADATA' ? firmwarePage() : inState('PRE_GUEST');
      const inPlace = random.oneIn(6);
      const source = inPlace && !random.oneIn(4) ? target : inState('FIRMWARE', 'DEFAULT');
      const [size, metadata] = [sizeOf(target), place()];
      const what = `SNP_PAGE_SWAP_IN(${gctx}, ${source}, ${target}, ${kind}, size ${size}, ${JSON.stringify(metadata)}, ${inPlace})`;
      return both(
        what,
        snpPageSwapIn(hw, { gctx, source, target, kind, size, metadata }, inPlace),
        firmware.swapIn(gctx, source, target, kind, size, metadata, inPlace),
      );
    }
  }
}

/** RMPUPDATE on both. */
function update({ hw, oracle }: World, page: number, gpa: number, size: number, immutable: number, asid: number): void {
  const args = [1, size, immutable, asid] as const;
  assert.equal(hw.rmpupdate(page * 4096, gpa, ...args), oracle.rmpupdate(BigInt(page) * 4096n, BigInt(gpa), ...args));
}

/** A hypervisor page becomes FIRMWARE, or PRE_GUEST of a guest: what the commands work on. */
function prepareFirmware(world: World): string {
  const { random, regions } = world;
  const page = random.pick(regions) * 512 + random.pick(INDEXES);
  const asid = random.oneIn(2) ? 0 : random.pick(ASIDS);
  update(world, page, asid === 0 ? 0 : (page + 512) * 4096, 0, 1, asid);
  return `prepare(${page}, ${asid})`;
}

/** A guest that has no context gets one, and runs the way to RUNNING as far as nothing stands in it. */
function launch(world: World, asid: number, both: (what: string, ours: number, theirs: number) => string): string {
  const { hw, firmware, random, regions } = world;
  const page = random.pick(regions) * 512 + random.pick(INDEXES);
  if (firmware.context(firmware.contextPage(asid)) !== undefined) return prepareFirmware(world);
  update(world, page, 0, 0, 1, 0);
  both(`SNP_GCTX_CREATE(${page}, ${asid})`, snpGctxCreate(hw, page, asid), firmware.contextCreate(page, asid));
  if (random.oneIn(6)) return both(`SNP_ACTIVATE(${page})`, snpActivate(hw, page, asid), firmware.activate(page, asid));
  both(`SNP_LAUNCH_START(${page})`, snpLaunchStart(hw, page), firmware.launchStart(page));
  if (random.oneIn(6))
    return both(`SNP_LAUNCH_FINISH(${page})`, snpLaunchFinish(hw, page), firmware.launchFinish(page));
  if (!random.oneIn(4)) both('SNP_DF_FLUSH()', snpDfFlush(hw), firmware.flush());
  if (!random.oneIn(4)) for (const region of regions) freeRegion(world, region);
  const what = both(`SNP_ACTIVATE(${page}, ${asid})`, snpActivate(hw, page, asid), firmware.activate(page, asid));
  if (!random.oneIn(4)) return what;
  return both(`SNP_LAUNCH_FINISH(${page})`, snpLaunchFinish(hw, page), firmware.launchFinish(page));
}

/** A page of a guest, or with metadata, goes out and comes in again, mostly where it fits. */
function swapOutAndIn(
  world: World,
  asid: number,
  both: (what: string, ours: number, theirs: number) => string,
): string {
  const { hw, oracle, firmware, random, regions } = world;
  const gctx = firmware.contextPage(asid);
  // Four neighbours: the page, where its contents go, metadata, and where it comes back to.
  const first = random.pick(regions) * 512 + random.pick([3, 7, 300]);
  const [page, outside, directory, back] = [first, first + 1, first + 2, first + 3];
  const gpa = (page + 512) * 4096;
  const isMetadata = random.oneIn(3);
  update(world, page, isMetadata ? 0 : gpa, 0, 1, isMetadata ? 0 : asid);
  update(world, outside, 0, 0, 1, 0);
  update(world, directory, 0, 0, 1, 0);
  update(world, back, isMetadata ? 0 : gpa, 0, 1, isMetadata ? 0 : random.oneIn(8) ? 2 : asid);
  const create = (at: number): void =>
    void both(`SNP_PAGE_MD_INIT(${at})`, snpPageMdInit(hw, gctx, at), firmware.metadataInit(gctx, at));
  if (isMetadata) create(page);
  const metadata = random.oneIn(2) ? undefined : { page: directory, entry: random.below(64) };
  if (metadata !== undefined) create(directory);
  const kind: Kind = isMetadata ? 'METADATA' : random.oneIn(4) ? 'VMSA' : 'DATA';
  const out = { gctx, source: page, target: outside, kind, size: 0, metadata } as const;
  both(
    `SNP_PAGE_SWAP_OUT(${JSON.stringify(out)})`,
    snpPageSwapOut(hw, out),
    firmware.swapOut(gctx, page, outside, kind, 0, metadata),
  );
  const into = { ...out, source: outside, target: back };
  const what = both(
    `SNP_PAGE_SWAP_IN(${JSON.stringify(into)})`,
    snpPageSwapIn(hw, into),
    firmware.swapIn(gctx, outside, back, kind, 0, metadata, false),
  );
  if (random.oneIn(3)) return what;
  const moved = `SNP_PAGE_MOVE(${back} to ${page})`;
  both(moved, snpPageMove(hw, gctx, back, page, 0), firmware.move(gctx, back, page, 0));
  for (const one of [page, outside, directory, back]) {
    both(`SNP_PAGE_RECLAIM(${one})`, snpPageReclaim(hw, one, 0), firmware.reclaim(one, 0));
    const args = [0, 0, 0, 0] as const;
    assert.equal(hw.rmpupdate(one * 4096, 0, ...args), oracle.rmpupdate(BigInt(one) * 4096n, 0n, ...args), what);
  }
  return what;
}

/** A region becomes 512 immutable entries of one guest, if nothing stands in the way. */
function smash(world: World, head: number, asid: number): void {
  const { hw, oracle, random } = world;
  update(world, head, 0x40000000, 1, 0, asid);
  assert.equal(hw.psmash(head * 4096), oracle.psmash(BigInt(head) * 4096n));
  const last = random.oneIn(4) ? 511 : 512;
  for (let i = 0; i < last; i++) update(world, head + i, 0x40000000 + i * 4096, 0, 1, asid);
}

/** The whole life of the platform, with a refusal here and there. */
function shutDownAndInit(world: World, both: (what: string, ours: number, theirs: number) => string): string {
  const { hw, oracle, firmware, random, regions } = world;
  if (firmware.initialized) {
    if (random.oneIn(4)) both('SNP_INIT()', snpInit(hw), firmware.init({}));
    for (const page of [...firmware.contexts.keys()])
      if (!random.oneIn(8)) both('SNP_DECOMMISSION()', snpDecommission(hw, page), firmware.decommission(page));
    if (!random.oneIn(4)) both('SNP_DF_FLUSH()', snpDfFlush(hw), firmware.flush());
    const iommu = random.oneIn(2);
    const what = both('SNP_SHUTDOWN()', snpShutdown(hw, iommu), firmware.shutdown(iommu));
    if (firmware.initialized || random.oneIn(5)) return what;
  }
  const region = random.pick(regions) * 512;
  const [one, two, three] = [random.pick(INDEXES), random.pick(INDEXES), random.below(4)];
  const fixed = { start: region + one, end: region + one + 1 };
  const iommu = { start: region + two, end: region + two + 2 };
  const rmp = { start: region + 256 * random.below(2) + (random.oneIn(6) ? 1 : 0), end: region + 512 };
  const ranges = {
    ...((three & 1) !== 0 ? { fixed } : {}),
    ...((three & 2) !== 0 ? { iommu } : {}),
    ...(random.oneIn(3) ? { rmp } : {}),
  };
  const pair = (range: { start: number; end: number } | undefined): [number, number] => [
    range?.start ?? 0,
    range?.end ?? 0,
  ];
  const theirs = firmware.init({
    ...(ranges.fixed === undefined ? {} : { fixed: pair(fixed) }),
    ...(ranges.iommu === undefined ? {} : { iommu: pair(iommu) }),
    ...(ranges.rmp === undefined ? {} : { rmp: pair(rmp) }),
  });
  const what = both(`SNP_INIT(${JSON.stringify(ranges)})`, snpInit(hw, ranges), theirs);
  for (const page of allPages(world)) if (oracle.covers(page) && theirs === 0) oracle.at(page);
  return what;
}
