// A guest's life: context, launch, ASID, requests, end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FwCommand, fwCommandName, PageType } from '../../../engine/hardware/firmware.ts';
import {
  snpActivate,
  snpDecommission,
  snpGctxCreate,
  snpGuestRequest,
  snpLaunchFinish,
  snpLaunchStart,
} from '../../../engine/hardware/firmware-guest.ts';
import { snpLaunchUpdate } from '../../../engine/hardware/firmware-launch-update.ts';
import { snpDfFlush, snpShutdown } from '../../../engine/hardware/firmware-platform.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import { ASID, FW, fingerprint, GCTX, guestPage, launched, state, status, toFirmware } from './firmware-kit.ts';
import { HEAD, host, K4, M2 } from './machine-kit.ts';

test('a guest from SNP_GCTX_CREATE to SNP_DECOMMISSION', () => {
  const kit = host();
  const { hw } = kit;
  toFirmware(kit, GCTX);
  assert.equal(status(snpGctxCreate(hw, GCTX, ASID)), 'SUCCESS');
  assert.equal(state(kit, GCTX), 'CONTEXT');
  assert.equal(hw.firmware.context(GCTX)?.state, 'INIT');
  assert.equal(status(snpLaunchStart(hw, GCTX)), 'SUCCESS');
  assert.equal(hw.firmware.context(GCTX)?.state, 'LAUNCH');
  assert.equal(status(snpActivate(hw, GCTX, ASID)), 'SUCCESS');
  guestPage(kit, HEAD, 0);
  assert.equal(status(hw.snpLaunchUpdate(ASID, HEAD, PageType.Normal)), 'SUCCESS');
  assert.equal(status(snpLaunchFinish(hw, GCTX)), 'SUCCESS');
  assert.equal(hw.firmware.context(GCTX)?.state, 'RUNNING');
  assert.equal(status(snpDecommission(hw, GCTX)), 'SUCCESS');
  assert.equal(state(kit, GCTX), 'FIRMWARE');
  assert.equal(state(kit, HEAD), 'GUEST_VALID');
});

test('a guest of the kernel model is in LAUNCH and active with its ASID, without a page for its context', () => {
  const { hw } = host();
  const page = hw.firmware.contextPage(1);
  assert.deepEqual(hw.firmware.context(page), { page, state: 'LAUNCH', asid: 1 });
  assert.ok(page >= hw.memoryPages);
  assert.equal(status(snpLaunchFinish(hw, page)), 'SUCCESS');
  assert.equal(status(snpDecommission(hw, page)), 'SUCCESS');
  assert.equal(hw.firmware.context(page), undefined);
});

test('a guest without SNP has no context', () => {
  const { hw, assign } = host();
  hw.addGuest(9, false);
  assign(HEAD, 0, { asid: 9, immutable: 1 });
  assert.equal(status(hw.snpLaunchUpdate(9, HEAD, PageType.Normal)), 'INVALID_GUEST');
});

test('after SNP_LAUNCH_FINISH no page joins, and there is no second finish', () => {
  const kit = launched();
  guestPage(kit, HEAD, 0);
  snpLaunchFinish(kit.hw, GCTX);
  assert.equal(status(snpLaunchUpdate(kit.hw, GCTX, HEAD, PageType.Normal, K4)), 'INVALID_GUEST_STATE');
  assert.equal(state(kit, HEAD), 'PRE_GUEST');
  assert.equal(status(snpLaunchFinish(kit.hw, GCTX)), 'INVALID_GUEST_STATE');
});

for (const [name, expected, act] of [
  ['a page that is not FIRMWARE', 'INVALID_PAGE_STATE', () => snpGctxCreate(host().hw, FW, ASID)],
  [
    'a 2M page',
    'INVALID_PAGE_SIZE',
    () => {
      const kit = host();
      toFirmware(kit, FW, M2);
      return snpGctxCreate(kit.hw, FW, ASID);
    },
  ],
  ['a page that is a context already', 'INVALID_PAGE_STATE', () => snpGctxCreate(launched().hw, GCTX, ASID)],
] as const) {
  test(`SNP_GCTX_CREATE of ${name}: ${expected}`, () => assert.equal(status(act()), expected));
}

/** A context in state INIT, beside what the kit has. */
const created = () => {
  const kit = host();
  toFirmware(kit, GCTX);
  snpGctxCreate(kit.hw, GCTX, ASID);
  return kit;
};
/** A context in state LAUNCH, not active. */
const started = () => {
  const kit = created();
  snpLaunchStart(kit.hw, GCTX);
  return kit;
};

for (const [name, expected, act] of [
  ['SNP_LAUNCH_START of a page that is no context', 'INVALID_GUEST', () => snpLaunchStart(host().hw, FW)],
  ['a second SNP_LAUNCH_START', 'INVALID_GUEST_STATE', () => snpLaunchStart(launched().hw, GCTX)],
  ['SNP_ACTIVATE of a page that is no context', 'INVALID_GUEST', () => snpActivate(host().hw, FW, ASID)],
  ['SNP_ACTIVATE before SNP_LAUNCH_START', 'INVALID_GUEST_STATE', () => snpActivate(created().hw, GCTX, ASID)],
  ['SNP_ACTIVATE with ASID 0', 'INVALID_ASID', () => snpActivate(started().hw, GCTX, 0)],
  ['SNP_ACTIVATE with ASID 0x3ff', 'INVALID_ASID', () => snpActivate(started().hw, GCTX, 0x3ff)],
  ['SNP_ACTIVATE with another guest’s ASID', 'ASID_OWNED', () => snpActivate(started().hw, GCTX, 1)],
  ['a second SNP_ACTIVATE with the same ASID', 'ASID_OWNED', () => snpActivate(launched().hw, GCTX, ASID)],
  ['a second SNP_ACTIVATE with another ASID', 'ACTIVE', () => snpActivate(launched().hw, GCTX, ASID + 1)],
  ['SNP_LAUNCH_FINISH of a guest that is not active', 'INACTIVE', () => snpLaunchFinish(started().hw, GCTX)],
  ['SNP_LAUNCH_FINISH before SNP_LAUNCH_START', 'INVALID_GUEST_STATE', () => snpLaunchFinish(created().hw, GCTX)],
  ['SNP_LAUNCH_FINISH of a page that is no context', 'INVALID_GUEST', () => snpLaunchFinish(host().hw, FW)],
  ['SNP_DECOMMISSION of a page that is no context', 'INVALID_GUEST', () => snpDecommission(host().hw, FW)],
  [
    'SNP_LAUNCH_UPDATE of a guest that is not active',
    'INACTIVE',
    () => {
      const kit = started();
      guestPage(kit, HEAD, 0);
      return snpLaunchUpdate(kit.hw, GCTX, HEAD, PageType.Normal, K4);
    },
  ],
  [
    'SNP_LAUNCH_UPDATE before SNP_LAUNCH_START',
    'INVALID_GUEST_STATE',
    () => {
      const kit = created();
      guestPage(kit, HEAD, 0);
      return snpLaunchUpdate(kit.hw, GCTX, HEAD, PageType.Normal, K4);
    },
  ],
  [
    'SNP_LAUNCH_UPDATE with a page that is no context',
    'INVALID_GUEST',
    () => snpLaunchUpdate(host().hw, FW, HEAD, PageType.Normal, K4),
  ],
] as const) {
  test(`${name}: ${expected}`, () => assert.equal(status(act()), expected));
}

for (const type of [PageType.Normal, PageType.Zero, PageType.Unmeasured]) {
  test(`SNP_LAUNCH_UPDATE takes 2M pages of type ${type}`, () => {
    const kit = launched();
    guestPage(kit, HEAD, 0, false, M2);
    assert.equal(status(snpLaunchUpdate(kit.hw, GCTX, HEAD, type, M2)), 'SUCCESS');
  });
}
for (const type of [PageType.Vmsa, PageType.Secrets, PageType.Cpuid]) {
  test(`SNP_LAUNCH_UPDATE takes pages of type ${type} as 4K only`, () => {
    const kit = launched();
    guestPage(kit, HEAD, 0, false, M2);
    assert.equal(status(snpLaunchUpdate(kit.hw, GCTX, HEAD, type, M2)), 'INVALID_PAGE_SIZE');
    guestPage(kit, FW + 512, 0);
    assert.equal(status(snpLaunchUpdate(kit.hw, GCTX, FW + 512, type, K4)), 'SUCCESS');
  });
}

test('pages that a dead guest left assigned keep its ASID from being activated', () => {
  const kit = launched();
  const { hw } = kit;
  kit.assign(HEAD, 0, { asid: ASID });
  snpDecommission(hw, GCTX);
  snpDfFlush(hw);
  snpGctxCreate(hw, GCTX, ASID);
  snpLaunchStart(hw, GCTX);
  assert.equal(status(snpActivate(hw, GCTX, ASID)), 'INVALID_CONFIG');
  kit.unassign(HEAD);
  assert.equal(status(snpActivate(hw, GCTX, ASID)), 'SUCCESS');
});

test('pages of a guest that is active already are not what a second SNP_ACTIVATE fails for', () => {
  const kit = launched();
  kit.assign(HEAD, 0, { asid: ASID });
  assert.equal(status(snpActivate(kit.hw, GCTX, ASID)), 'ASID_OWNED');
  kit.assign(HEAD + 1, 0, { asid: 99 });
  assert.equal(status(snpActivate(kit.hw, GCTX, 99)), 'ACTIVE');
});

test('the ASID of a decommissioned guest needs SNP_DF_FLUSH', () => {
  const { hw } = launched();
  snpDecommission(hw, GCTX);
  snpGctxCreate(hw, GCTX, ASID);
  snpLaunchStart(hw, GCTX);
  assert.equal(status(snpActivate(hw, GCTX, ASID)), 'DFFLUSH_REQUIRED');
  snpDfFlush(hw);
  assert.equal(status(snpActivate(hw, GCTX, ASID)), 'SUCCESS');
});

test('SNP_GUEST_REQUEST of a running guest leaves its pages as they are', () => {
  const kit = launched();
  toFirmware(kit, FW + 1);
  snpLaunchFinish(kit.hw, GCTX);
  const before = fingerprint(kit, [FW, FW + 1, HEAD]);
  assert.equal(status(snpGuestRequest(kit.hw, GCTX, HEAD, FW + 1)), 'SUCCESS');
  assert.equal(fingerprint(kit, [FW, FW + 1, HEAD]), before);
});

for (const [name, expected, act] of [
  ['before SNP_LAUNCH_FINISH', 'INVALID_GUEST_STATE', (kit: ReturnType<typeof launched>) => toFirmware(kit, FW + 1)],
  [
    'with a response page that is not FIRMWARE',
    'INVALID_PAGE_STATE',
    (kit: ReturnType<typeof launched>) => snpLaunchFinish(kit.hw, GCTX),
  ],
  [
    'with a request page under a 2M entry',
    'INVALID_PAGE_SIZE',
    (kit: ReturnType<typeof launched>) => {
      toFirmware(kit, FW + 1);
      kit.assign(HEAD, 0, { size: M2 });
      snpLaunchFinish(kit.hw, GCTX);
    },
  ],
] as const) {
  test(`SNP_GUEST_REQUEST ${name}: ${expected}`, () => {
    const kit = launched();
    act(kit);
    assert.equal(status(snpGuestRequest(kit.hw, GCTX, HEAD, FW + 1)), expected);
  });
}

test('SNP_GUEST_REQUEST without a context: INVALID_GUEST', () => {
  assert.equal(status(snpGuestRequest(host().hw, FW, HEAD, FW + 1)), 'INVALID_GUEST');
});

test('undo takes guests back, bit for bit', () => {
  const kit = host();
  const pages = [GCTX, HEAD];
  const start = fingerprint(kit, pages);
  const mark = kit.journal.mark();
  launched(kit);
  const middle = fingerprint(kit, pages);
  const later = kit.journal.mark();
  snpLaunchFinish(kit.hw, GCTX);
  snpDecommission(kit.hw, GCTX);
  snpDfFlush(kit.hw);
  kit.journal.undoTo(later);
  assert.equal(fingerprint(kit, pages), middle);
  kit.journal.undoTo(mark);
  assert.equal(fingerprint(kit, pages), start);
});

test('every command is in the trace by its id, about a guest with its ASID', () => {
  const kit = launched();
  const { trace } = kit;
  const events = [...trace.kind.subarray(0, trace.length)].flatMap((kind, e) =>
    kind === EventKind.Firmware ? [e] : [],
  );
  assert.deepEqual(
    events.map((e) => fwCommandName(trace.a[e])),
    ['SNP_GCTX_CREATE', 'SNP_LAUNCH_START', 'SNP_ACTIVATE'],
  );
  snpLaunchFinish(kit.hw, GCTX);
  const last = trace.length - 1;
  assert.deepEqual([trace.a[last], trace.space[last], trace.page[last]], [FwCommand.SnpLaunchFinish, ASID, -1]);
});

test('a platform that is shut down takes no command', () => {
  const kit = host();
  const { hw } = kit;
  for (const asid of [1, 2]) snpDecommission(hw, hw.firmware.contextPage(asid));
  snpDfFlush(hw);
  toFirmware(kit, FW);
  assert.equal(status(snpShutdown(hw)), 'SUCCESS');
  const codes = [
    snpGctxCreate(hw, FW, ASID),
    snpLaunchStart(hw, FW),
    snpActivate(hw, FW, ASID),
    snpLaunchFinish(hw, FW),
    snpDecommission(hw, FW),
    snpGuestRequest(hw, FW, FW, FW),
    hw.snpPageReclaim(FW),
    hw.snpLaunchUpdate(1, FW, 1),
    snpDfFlush(hw),
  ];
  assert.deepEqual(
    codes.map(status),
    codes.map(() => 'INVALID_PLATFORM_STATE'),
  );
});
