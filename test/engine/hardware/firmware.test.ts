import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FwCommand, FwStatus, fwStatusName, PageType } from '../../../engine/hardware/firmware.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import { HEAD, host, K4, M2 } from './machine-kit.ts';

const preGuest = (size: 0 | 1 = K4) => {
  const kit = host();
  kit.assign(HEAD, 0x200000, { size, immutable: 1 });
  return kit;
};

test('SNP_LAUNCH_UPDATE makes a PRE_GUEST page GUEST_VALID and sets the masks of VMPL1 to VMPL3', () => {
  const { hw, trace } = preGuest();
  assert.equal(hw.rmp.pageState(HEAD as never), 'PRE_GUEST');
  assert.equal(hw.snpLaunchUpdate(1, HEAD, PageType.Normal, K4, [7, 3, 1]), FwStatus.Success);
  assert.equal(hw.rmp.pageState(HEAD as never), 'GUEST_VALID');
  assert.deepEqual(hw.rmp.entry(HEAD as never).vmpl, [0xf, 7, 3, 1]);
  assert.deepEqual(
    [trace.kind[1], trace.a[1], trace.b[1], trace.cause[1]],
    [EventKind.Firmware, FwCommand.SnpLaunchUpdate, PageType.Normal, 0],
  );
});

test('SNP_LAUNCH_UPDATE leaves the page unlocked', () => {
  const { hw } = preGuest();
  hw.setInUse(HEAD as never, true);
  hw.snpLaunchUpdate(1, HEAD, PageType.Normal);
  assert.equal(hw.rmp.entry(HEAD as never).lock, false);
});

test('a VMSA page gets the VMSA bit', () => {
  const { hw } = preGuest();
  hw.snpLaunchUpdate(1, HEAD, PageType.Vmsa);
  assert.equal(hw.rmp.entry(HEAD as never).vmsa, true);
});

test('a 2M page is updated whole', () => {
  const { hw } = preGuest(M2);
  assert.equal(hw.snpLaunchUpdate(1, HEAD, PageType.Normal, M2), FwStatus.Success);
  assert.equal(hw.rmp.pageState((HEAD + 9) as never), 'GUEST_VALID');
});

for (const [name, status, act] of [
  ['a page that is not PRE_GUEST', 'INVALID_PAGE_STATE', () => host().hw.snpLaunchUpdate(1, HEAD, PageType.Normal)],
  ['another guest’s page', 'INVALID_PAGE_OWNER', () => preGuest().hw.snpLaunchUpdate(2, HEAD, PageType.Normal)],
  ['a page of the other size', 'INVALID_PAGE_SIZE', () => preGuest().hw.snpLaunchUpdate(1, HEAD, PageType.Normal, M2)],
  ['a 2M VMSA', 'INVALID_PAGE_SIZE', () => preGuest(M2).hw.snpLaunchUpdate(1, HEAD, PageType.Vmsa, M2)],
  [
    'a 2M page that is not aligned',
    'INVALID_ADDRESS',
    () => preGuest(M2).hw.snpLaunchUpdate(1, HEAD + 1, PageType.Normal, M2),
  ],
  ['an unknown page type', 'INVALID_PARAM', () => preGuest().hw.snpLaunchUpdate(1, HEAD, 7)],
] as const) {
  test(`SNP_LAUNCH_UPDATE of ${name}: ${status}`, () => assert.equal(fwStatusName(act()), status));
}

test('a rejected CPUID page stays PRE_GUEST', () => {
  const { hw } = preGuest();
  assert.equal(hw.snpLaunchUpdate(1, HEAD, PageType.Cpuid, K4, [0, 0, 0], false), FwStatus.InvalidParam);
  assert.equal(hw.rmp.pageState(HEAD as never), 'PRE_GUEST');
});

test('SNP_PAGE_RECLAIM takes Immutable away: PRE_GUEST becomes GUEST_INVALID', () => {
  const { hw, unassign } = preGuest();
  assert.equal(hw.snpPageReclaim(HEAD), FwStatus.Success);
  assert.equal(hw.rmp.pageState(HEAD as never), 'GUEST_INVALID');
  assert.equal(unassign(HEAD), 0);
});

test('SNP_PAGE_RECLAIM of a firmware page makes it RECLAIM', () => {
  const { hw } = host();
  hw.writeRaw(HEAD as never, 5, 0x80000000, 0, 0);
  assert.equal(hw.snpPageReclaim(HEAD), FwStatus.Success);
  assert.equal(hw.rmp.pageState(HEAD as never), 'RECLAIM');
});

test('SNP_PAGE_RECLAIM of a page that is not immutable succeeds and does nothing', () => {
  const { hw, assign } = host();
  assign(HEAD, 0x200000);
  assert.equal(hw.snpPageReclaim(HEAD), FwStatus.Success);
  assert.equal(hw.rmp.pageState(HEAD as never), 'GUEST_INVALID');
});

test('SNP_PAGE_RECLAIM refuses contexts, HV_FIXED pages, the wrong size and misaligned pages', () => {
  const { hw } = preGuest();
  assert.equal(hw.snpPageReclaim(HEAD, M2), FwStatus.InvalidPageSize);
  assert.equal(hw.snpPageReclaim(HEAD + 1, M2), FwStatus.InvalidPageSize);
  assert.equal(preGuest(M2).hw.snpPageReclaim(HEAD + 1, M2), FwStatus.InvalidAddress);
  hw.writeRaw((HEAD + 2) as never, 4, 0, 0, 0);
  assert.equal(hw.snpPageReclaim(HEAD + 2), FwStatus.InvalidPageState);
  hw.writeRaw((HEAD + 3) as never, 5, 1 << 29, 0, 0);
  assert.equal(hw.rmp.pageState((HEAD + 3) as never), 'CONTEXT');
  assert.equal(hw.snpPageReclaim(HEAD + 3), FwStatus.InvalidPageState);
});
