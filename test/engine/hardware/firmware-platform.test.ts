// SNP_INIT, SNP_SHUTDOWN, SNP_PAGE_SET_STATE, and the names of all page states.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pfn } from '../../../engine/base/units.ts';
import { pagesOfCommand } from '../../../engine/hardware/firmware.ts';
import { snpDecommission, snpGctxCreate, snpLaunchFinish } from '../../../engine/hardware/firmware-guest.ts';
import { snpPageSetState } from '../../../engine/hardware/firmware-page-state.ts';
import { type InitRanges, snpDfFlush, snpInit, snpShutdown } from '../../../engine/hardware/firmware-platform.ts';
import { snpPageMdInit } from '../../../engine/hardware/firmware-swap.ts';
import { decodeQwords, pageStateOf } from '../../../engine/hardware/rmp-entry.ts';
import { ASID, FW, fingerprint, GCTX, guestPage, launched, state, status, toFirmware } from './firmware-kit.ts';
import { HEAD, host, type Kit, M2 } from './machine-kit.ts';

function shutDown(kit: Kit = host()): Kit {
  for (const asid of [1, 2]) snpDecommission(kit.hw, kit.hw.firmware.contextPage(asid));
  snpDfFlush(kit.hw);
  assert.equal(status(snpShutdown(kit.hw)), 'SUCCESS');
  return kit;
}

function initialized(ranges: InitRanges): Kit {
  const kit = shutDown();
  assert.equal(status(snpInit(kit.hw, ranges)), 'SUCCESS');
  return kit;
}

const RMP = { start: 0x56600, end: 0x56700 };

test('the RMP’s own pages are FIRMWARE, and the head of a half-covered region counts 255', () => {
  const { hw } = initialized({ rmp: RMP });
  assert.equal(hw.rmp.rawLow(0x56600 as Pfn), 0x80000000000007fdn);
  assert.equal(hw.rmp.subpageCount(0x56700), 255);
  assert.equal(hw.rmp.rawLow(0x566ff as Pfn), 0x8000000000000005n);
  assert.equal(hw.rmp.pageState(0x566ff as Pfn), 'FIRMWARE');
  assert.equal(hw.rmp.pageState(0x56700 as Pfn), 'HYPERVISOR');
  assert.equal(hw.rmp.assignedTails(0x56600 / 512), 255);
});

test('an RMP over whole regions counts 511 in each', () => {
  const { hw } = initialized({ rmp: { start: 0x40000, end: 0x40500 } });
  assert.deepEqual(
    [0x40000, 0x40200, 0x40400].map((page) => hw.rmp.subpageCount(page)),
    [511, 511, 255],
  );
  assert.equal(hw.rmp.pageState(0x401ff as Pfn), 'FIRMWARE');
});

test('no command takes a page of the RMP', () => {
  const { hw } = initialized({ rmp: RMP });
  const codes = [hw.snpPageReclaim(0x56610), snpGctxCreate(hw, 0x56610, ASID), snpDecommission(hw, 0x56610)];
  assert.deepEqual(codes.map(status), ['INVALID_PARAM', 'INVALID_PARAM', 'INVALID_PARAM']);
  assert.equal(status(snpPageSetState(hw, 0x56600, 1)), 'INVALID_ADDRESS');
});

test('the host’s list is HV_FIXED, with the raw value of a real entry, and RMPUPDATE refuses it', () => {
  const { hw } = initialized({ fixed: { start: 0x40000, end: 0x40010 } });
  assert.equal(hw.rmp.rawLow(0x4000f as Pfn), 0x4n);
  assert.equal(hw.rmp.pageState(0x40000 as Pfn), 'HV_FIXED');
  assert.equal(hw.rmp.subpageCount(0x40000), 0);
  assert.equal(hw.rmpupdate(0x40005 * 4096, 0, 1, 0, 0, 1), 2);
});

test('behind the RMP’s last page, in the region that it half covers, a fixed page is refused with FAIL_PERMISSION', () => {
  const { hw } = initialized({ rmp: RMP, fixed: { start: 0x56700, end: 0x56800 } });
  assert.equal(hw.rmpupdate(0x56700 * 4096, 0, 1, 0, 0, 1), 2);
});

test('SNP_INIT empties the rest of the RMP and the ASID counters', () => {
  const kit = host();
  kit.assign(HEAD, 0, { size: M2 });
  kit.assign(FW + 3, 0x5000, { asid: 2 });
  shutDown(kit);
  assert.equal(status(snpInit(kit.hw)), 'SUCCESS');
  assert.deepEqual(
    [HEAD, HEAD + 9, FW + 3].map((page) => state(kit, page)),
    Array(3).fill('HYPERVISOR'),
  );
  assert.ok(kit.hw.rmp.asidPages.every((n) => n === 0));
  assert.equal(kit.hw.rmp.subpageCount(FW), 0);
});

test('SNP_INIT leaves no guest, not even those of the kernel model', () => {
  const kit = initialized({});
  assert.equal(kit.hw.firmware.context(kit.hw.firmware.contextPage(1)), undefined);
  kit.assign(HEAD, 0, { immutable: 1 });
  assert.equal(status(kit.hw.snpLaunchUpdate(1, HEAD, 1)), 'INVALID_GUEST');
});

test('after SNP_INIT every ASID needs SNP_DF_FLUSH, and so does SNP_SHUTDOWN', () => {
  const kit = initialized({});
  assert.ok(kit.hw.firmware.needsFlush(ASID));
  assert.equal(status(snpShutdown(kit.hw)), 'DFFLUSH_REQUIRED');
  assert.equal(status(snpDfFlush(kit.hw)), 'SUCCESS');
  launched(kit);
});

for (const [name, ranges] of [
  ['that does not begin on 1M', { rmp: { start: 0x56601, end: 0x56700 } }],
  ['that does not end on 1M', { rmp: { start: 0x56600, end: 0x56701 } }],
  ['beyond the memory that it covers', { rmp: { start: 0x100000, end: 0x100100 } }],
  ['that the list fixes', { rmp: RMP, fixed: { start: 0x56690, end: 0x56800 } }],
] as const) {
  test(`SNP_INIT with an RMP ${name}: INVALID_CONFIG`, () => {
    assert.equal(status(snpInit(shutDown().hw, ranges)), 'INVALID_CONFIG');
  });
}

test('SNP_INIT of a platform that is initialized: INVALID_PLATFORM_STATE', () => {
  assert.equal(status(snpInit(host().hw)), 'INVALID_PLATFORM_STATE');
});

test('SNP_INIT takes the RMP from the host’s geometry', () => {
  const geometry = { kind: 'contiguous', base: 0x56000000, end: 0x566fffff } as const;
  const kit = host({}, { geometry });
  assert.equal(status(kit.hw.snpPageReclaim(0x56000)), 'INVALID_PARAM');
  shutDown(kit);
  assert.equal(status(snpInit(kit.hw, { rmp: RMP })), 'INVALID_CONFIG');
  assert.equal(status(snpInit(kit.hw)), 'SUCCESS');
  assert.deepEqual(
    [0x55fff, 0x56000, 0x566ff, 0x56700].map((page) => state(kit, page)),
    ['HYPERVISOR', 'FIRMWARE', 'FIRMWARE', 'HYPERVISOR'],
  );
  assert.equal(kit.hw.rmp.rawLow(0x56600 as Pfn), 0x80000000000007fdn);
});

test('SNP_SHUTDOWN waits for guests to go and ASIDs to be flushed; a second one does nothing', () => {
  const { hw } = host();
  assert.equal(status(snpShutdown(hw)), 'DFFLUSH_REQUIRED');
  for (const asid of [1, 2]) snpDecommission(hw, hw.firmware.contextPage(asid));
  assert.equal(status(snpShutdown(hw)), 'DFFLUSH_REQUIRED');
  snpDfFlush(hw);
  assert.equal(status(snpShutdown(hw)), 'SUCCESS');
  assert.equal(status(snpShutdown(hw)), 'SUCCESS');
});

test('SNP_SHUTDOWN gives the IOMMUs’ pages back when told to', () => {
  const kit = initialized({ iommu: { start: FW, end: FW + 2 } });
  assert.deepEqual(kit.hw.rmp.entry(FW as Pfn).gpa / 4096, 0x2000000001);
  assert.equal(state(kit, FW + 1), 'FIRMWARE_IOMMU');
  assert.equal(status(kit.hw.snpPageReclaim(FW)), 'INVALID_PAGE_STATE');
  snpDfFlush(kit.hw);
  snpShutdown(kit.hw, true);
  assert.deepEqual(
    [FW, FW + 1].map((page) => state(kit, page)),
    ['RECLAIM', 'RECLAIM'],
  );
  assert.equal(kit.hw.rmp.subpageCount(FW), 1);
  assert.equal(kit.unassign(FW + 1), 0);
});

test('SNP_PAGE_SET_STATE makes FIRMWARE pages HV_FIXED and takes them out of the subpage count', () => {
  const kit = host();
  for (let i = 0; i < 6; i++) toFirmware(kit, FW + i);
  assert.equal(kit.hw.rmp.subpageCount(FW), 5);
  assert.equal(status(snpPageSetState(kit.hw, FW, 4)), 'SUCCESS');
  assert.deepEqual(
    [0, 3, 4, 5].map((i) => state(kit, FW + i)),
    ['HV_FIXED', 'HV_FIXED', 'FIRMWARE', 'FIRMWARE'],
  );
  assert.equal(kit.hw.rmp.subpageCount(FW), 2);
  assert.equal(pagesOfCommand(kit.trace, kit.trace.length - 1), 4);
});

for (const [name, expected, page, pages] of [
  ['from a page that is not 2M-aligned', 'INVALID_PARAM', FW + 1, 1],
  ['with a page that is not FIRMWARE', 'INVALID_PAGE_STATE', FW, 3],
  ['with a 2M page', 'INVALID_PAGE_STATE', HEAD, 1],
] as const) {
  test(`SNP_PAGE_SET_STATE ${name}: ${expected}, and nothing changes`, () => {
    const kit = host();
    toFirmware(kit, FW);
    toFirmware(kit, FW + 1);
    toFirmware(kit, HEAD, M2);
    const before = fingerprint(kit, [FW, FW + 1, HEAD]);
    assert.equal(status(snpPageSetState(kit.hw, page, pages)), expected);
    assert.equal(fingerprint(kit, [FW, FW + 1, HEAD]), before);
  });
}

test('undo brings the RMP of before SNP_INIT back, counters included', () => {
  const kit = host();
  kit.assign(HEAD, 0, { size: M2 });
  kit.assign(FW + 3, 0x5000, { asid: 2 });
  shutDown(kit);
  const pages = [HEAD, HEAD + 1, FW, FW + 3, 0x56600, 0x56601];
  const before = fingerprint(kit, pages);
  const mark = kit.journal.mark();
  snpInit(kit.hw, { rmp: RMP, fixed: { start: HEAD, end: HEAD + 512 }, iommu: { start: FW, end: FW + 1 } });
  assert.notEqual(fingerprint(kit, pages), before);
  kit.journal.undoTo(mark);
  assert.equal(fingerprint(kit, pages), before);
});

/** Each state: how commands and instructions get a page there. */
const reached: Record<string, () => [Kit, number]> = {
  HYPERVISOR: () => [host(), HEAD],
  HV_FIXED: () => [initialized({ fixed: { start: HEAD, end: HEAD + 1 } }), HEAD],
  FIRMWARE: () => {
    const kit = host();
    toFirmware(kit, HEAD);
    return [kit, HEAD];
  },
  FIRMWARE_IOMMU: () => [initialized({ iommu: { start: HEAD, end: HEAD + 1 } }), HEAD],
  RECLAIM: () => {
    const kit = host();
    toFirmware(kit, HEAD);
    kit.hw.snpPageReclaim(HEAD);
    return [kit, HEAD];
  },
  CONTEXT: () => [launched(), GCTX],
  METADATA: () => {
    const kit = launched();
    toFirmware(kit, HEAD);
    snpPageMdInit(kit.hw, GCTX, HEAD);
    return [kit, HEAD];
  },
  PRE_GUEST: () => {
    const kit = launched();
    guestPage(kit, HEAD, 0);
    return [kit, HEAD];
  },
  PRE_SWAP: () => {
    const kit = launched();
    guestPage(kit, HEAD, 0);
    kit.hw.snpLaunchUpdate(ASID, HEAD, 1);
    snpLaunchFinish(kit.hw, GCTX);
    // RMPUPDATE that changes nothing but Immutable keeps Validated.
    guestPage(kit, HEAD, 0);
    return [kit, HEAD];
  },
  GUEST_INVALID: () => {
    const kit = host();
    kit.assign(HEAD, 0);
    return [kit, HEAD];
  },
  GUEST_VALID: () => {
    const kit = launched();
    guestPage(kit, HEAD, 0);
    kit.hw.snpLaunchUpdate(ASID, HEAD, 1);
    return [kit, HEAD];
  },
  DEFAULT: () => [host({}, { coveredBytes: 2 ** 30 }), 0x40000],
};

for (const [name, reach] of Object.entries(reached)) {
  test(`a page gets to ${name}`, () => {
    const [kit, page] = reach();
    assert.equal(state(kit, page), name);
  });
}

/** Entries as real logs show them, by the firmware's name of the state. */
for (const [low, high, name] of [
  [0x0n, 0x0n, 'HYPERVISOR'],
  [0x4n, 0x0n, 'HV_FIXED'],
  [0x8000000000000005n, 0x0n, 'FIRMWARE'],
  [0x80000000000007fdn, 0x0n, 'FIRMWARE'],
  [0xfff0000000144001n, 0xfn, 'GUEST_VALID'],
  [0x6010fffffffff001n, 0x1fn, 'GUEST_VALID'],
] as const) {
  test(`[0x${low.toString(16)} - 0x${high.toString(16)}] is ${name}`, () => {
    assert.equal(pageStateOf(decodeQwords(low, high)), name);
  });
}

test('a page whose GPA field holds 0x2000000001 is FIRMWARE_IOMMU', () => {
  const low = 5n | (0x2000000001n << 12n);
  assert.equal(pageStateOf(decodeQwords(low, 0n)), 'FIRMWARE_IOMMU');
});
