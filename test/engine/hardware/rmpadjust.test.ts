import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Access } from '../../../engine/hardware/access.ts';
import { Fault } from '../../../engine/hardware/fault-codes.ts';
import { FAULTED } from '../../../engine/hardware/instruction-checks.ts';
import type { GuestContext } from '../../../engine/hardware/machine.ts';
import { Relied } from '../../../engine/hardware/options.ts';
import { rmpadjustOperand } from '../../../engine/hardware/rmpadjust.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import { GPA, type GuestPage, guestPage } from './guest-page.ts';
import { HEAD, host, K4, lastFault, M2 } from './machine-kit.ts';

const RW = 3;
const to = (target: number, mask: number, vmsa = false): number => rmpadjustOperand(target, mask, vmsa);
const masks = ({ hw }: GuestPage, pfn = HEAD): number[] => hw.rmp.resolve(pfn as never).vmpl;
const adjust = (page: GuestPage, rdx: number, size: 0 | 1 = K4, vmpl = 0): number =>
  page.hw.rmpadjust(page.guest, GPA, size, rdx, vmpl);

test('RMPADJUST sets the mask of the target VMPL and no other', () => {
  const page = guestPage();
  assert.equal(adjust(page, to(1, RW)), 0);
  assert.equal(adjust(page, to(3, 1)), 0);
  assert.deepEqual(masks(page), [0xf, RW, 0, 1]);
  assert.equal(adjust(page, to(1, 0)), 0);
  assert.deepEqual(masks(page), [0xf, 0, 0, 1]);
});

test('RMPADJUST of a 2M page speaks for all its 4K pages', () => {
  const page = guestPage(M2, 2);
  assert.equal(adjust(page, to(2, 5), M2), 0);
  assert.deepEqual(masks(page, HEAD + 300), [0xf, 0, 5, 0]);
});

test('RMPADJUST decides what the target VMPL may do', () => {
  const page = guestPage();
  const { hw, guest } = page;
  hw.guestAccess(guest, GPA, Access.Read, 1, 1);
  assert.equal(lastFault(hw), '#NPF(RMP|ENC|VMPL)');
  adjust(page, to(1, 1));
  assert.equal(hw.guestAccess(guest, GPA, Access.Read, 1, 1), 0);
  hw.guestAccess(guest, GPA, Access.Write, 1, 1);
  assert.equal(lastFault(hw), '#NPF(RMP|ENC|VMPL)');
});

test('a mask with write and without read is taken, and every data access under it faults', () => {
  const page = guestPage();
  const { hw, guest } = page;
  assert.equal(adjust(page, to(1, 2 | 8)), 0);
  for (const access of [Access.Read, Access.Write]) {
    hw.guestAccess(guest, GPA, access, 1, 1);
    assert.equal(lastFault(hw), '#NPF(RMP|ENC|VMPL)');
  }
  assert.equal(hw.guestAccess(guest, GPA, Access.Fetch, 1, 1), 0);
});

test('RMPADJUST of its own or a more privileged VMPL gives FAIL_PERMISSION', () => {
  const page = guestPage();
  for (const [vmpl, target] of [
    [0, 0],
    [1, 0],
    [1, 1],
    [3, 2],
  ]) {
    assert.equal(adjust(page, to(target, 0), K4, vmpl), 2, `VMPL${vmpl} to VMPL${target}`);
  }
  assert.equal(adjust(page, to(2, 0), K4, 1), 0);
});

test('a VMPL gives no permission that it does not have itself', () => {
  const page = guestPage();
  adjust(page, to(1, RW));
  assert.equal(adjust(page, to(2, RW), K4, 1), 0);
  assert.equal(adjust(page, to(2, RW | 4), K4, 1), 2);
  assert.equal(adjust(page, to(1, 0x10)), 2, 'VMPL0 has no shadow stacks here');
  assert.deepEqual(masks(page), [0xf, RW, RW, 0]);
});

test('with VMPL-SSS the shadow stack permission can be given', () => {
  const page = guestPage(K4, 1, { vmplSss: true });
  assert.equal(adjust(page, to(1, 0x11)), 0);
  assert.deepEqual(masks(page), [0x1f, 0x11, 0, 0]);
});

test('with VMPL-SSS a supervisor’s shadow stack is only where the mask says so', () => {
  for (const vmplSss of [true, false]) {
    const page = guestPage(K4, 1, { vmplSss });
    const { hw, guest } = page;
    const stack = (access: Access, user: boolean): number => hw.guestAccess(guest, GPA, access, 1, 1, user);
    adjust(page, to(1, RW));
    assert.equal(stack(Access.ShadowStackWrite, false), vmplSss ? Fault.NPF : Fault.None);
    if (vmplSss) assert.equal(lastFault(hw), '#NPF(RMP|ENC|VMPL)');
    assert.equal(stack(Access.ShadowStackWrite, true), Fault.None, 'a user’s is data like any other');
    if (!vmplSss) continue;
    adjust(page, to(1, RW | 0x10));
    assert.equal(stack(Access.ShadowStackWrite, false), Fault.None);
    adjust(page, to(1, 1 | 0x10));
    assert.equal(stack(Access.ShadowStack, false), Fault.None);
    assert.equal(stack(Access.ShadowStackWrite, false), Fault.NPF);
    assert.equal(lastFault(hw), '#NPF(RMP|ENC|VMPL|SSS)', 'the error code shows the mask’s bit');
  }
});

test('a shadow stack in shared memory is checked as data is', () => {
  const page = guestPage(null, 1, { vmplSss: true });
  assert.equal(page.hw.guestAccess(page.guest, GPA, Access.ShadowStackWrite, 0), Fault.None);
  page.assign(HEAD, GPA);
  page.hw.guestAccess(page.guest, GPA, Access.ShadowStackWrite, 0);
  assert.equal(lastFault(page.hw), '#NPF(RMP)');
});

test('VMSA is set and cleared at VMPL0, and ignored elsewhere', () => {
  const page = guestPage();
  const isVmsa = (): boolean => page.hw.rmp.resolve(HEAD as never).vmsa;
  assert.equal(adjust(page, to(1, 0xf, true)), 0);
  assert.equal(isVmsa(), true);
  assert.equal(adjust(page, to(2, 0), K4, 1), 0);
  assert.equal(isVmsa(), true);
  assert.equal(adjust(page, to(1, 0)), 0);
  assert.equal(isVmsa(), false);
  adjust(page, to(1, 0xf));
  assert.equal(adjust(page, to(2, 0, true), K4, 1), 0);
  assert.equal(isVmsa(), false);
});

test('RMPADJUST refuses reserved bits, a VMPL that does not exist and a wrong size', () => {
  const page = guestPage();
  for (const rdx of [to(4, 0), to(1, 0x20), to(1, 0x80), to(1, 0) + 2 ** 17, to(1, 0) + 2 ** 40])
    assert.equal(adjust(page, rdx), 1, rdx.toString(16));
  assert.equal(page.hw.rmpadjust(page.guest, GPA, 2, to(1, 0)), 1);
  assert.equal(page.hw.rmpadjust(page.guest, GPA + 8, K4, to(1, 0)), 1);
  assert.equal(page.hw.rmpadjust(page.guest, GPA + 0x1000, M2, to(1, 0)), 1);
});

for (const [rmp, npt] of [
  [M2, 1],
  [M2, 2],
  [K4, 2],
] as const) {
  test(`a 4K RMPADJUST of a ${rmp === M2 ? '2M' : '4K'} entry mapped at level ${npt} exits with SIZEM`, () => {
    const page = guestPage(rmp, npt);
    assert.equal(adjust(page, to(1, 0)), FAULTED);
    assert.equal(lastFault(page.hw), '#NPF(RMP|ENC|SIZEM)');
  });
}

for (const [rmp, npt] of [
  [K4, 1],
  [K4, 2],
  [M2, 1],
] as const) {
  test(`a 2M RMPADJUST of a ${rmp === M2 ? '2M' : '4K'} entry mapped at level ${npt} gives FAIL_SIZEMISMATCH`, () => {
    const page = guestPage(rmp, npt);
    assert.equal(adjust(page, to(1, 0), M2), 6);
    assert.deepEqual(masks(page), [0xf, 0, 0, 0]);
  });
}

test('RMPADJUST of a page that is not bound to the guest exits to the hypervisor', () => {
  const absent = guestPage(null, null);
  assert.equal(adjust(absent, to(1, 0)), FAULTED);
  assert.equal(lastFault(absent.hw), '#NPF(not present|ENC)');
  for (const prepare of [
    (_: GuestPage) => {},
    (page: GuestPage) => page.assign(HEAD, GPA, { asid: 2 }),
    (page: GuestPage) => page.assign(HEAD, GPA + 0x1000),
    (page: GuestPage) => page.assign(HEAD, GPA, { immutable: 1 }),
  ]) {
    const page = guestPage(null, 1);
    prepare(page);
    assert.equal(adjust(page, to(1, 0)), FAULTED);
    assert.equal(lastFault(page.hw), '#NPF(RMP|ENC)');
  }
});

test('RMPADJUST of a page that is not validated is #VC(0x404), after the checks that exit', () => {
  const page = guestPage();
  page.hw.pvalidate(page.guest, GPA, K4, 0);
  assert.equal(adjust(page, to(1, 0)), FAULTED);
  assert.equal(lastFault(page.hw), '#VC(0x404)');
  page.guest.npt.map(GPA / 4096, HEAD, 2, true);
  assert.equal(adjust(page, to(1, 0)), FAULTED);
  assert.equal(lastFault(page.hw), '#NPF(RMP|ENC|SIZEM)');
});

test('of several failing checks an option says which counts, and the verdict knows', () => {
  const results = (
    ['validated-size-permission', 'size-validated-permission', 'permission-size-validated'] as const
  ).map((rmpadjustCheckOrder) => {
    const page = guestPage(K4, 1, { rmpadjustCheckOrder });
    page.hw.pvalidate(page.guest, GPA, K4, 0);
    page.hw.reliedOn = 0;
    const code = adjust(page, to(1, 0x10), M2);
    assert.equal(page.hw.reliedOn, Relied.rmpadjustCheckOrder);
    return code;
  });
  assert.deepEqual(results, [FAULTED, 6, 2]);
  const page = guestPage();
  page.hw.reliedOn = 0;
  adjust(page, to(1, 0x10));
  assert.equal(page.hw.reliedOn, 0, 'one failing check needs no order');
});

test('a page in use by VMRUN gives FAIL_INUSE to PVALIDATE and RMPADJUST, or is changed where the option says so', () => {
  for (const allowed of [false, true]) {
    const page = guestPage(K4, 1, { inUseFailsGuestInstructions: !allowed });
    adjust(page, to(1, 0, true));
    assert.equal(page.hw.vmrun(1, HEAD), true);
    assert.equal(adjust(page, to(1, 1, true)), allowed ? 0 : 3);
    assert.equal(page.hw.pvalidate(page.guest, GPA, K4, 0), allowed ? 0 : 3);
    assert.notEqual(page.hw.reliedOn & Relied.inUseFailsGuestInstructions, 0);
    page.hw.vmexit(HEAD);
    assert.equal(page.hw.pvalidate(page.guest, GPA, K4, allowed ? 1 : 0), 0);
  }
});

test('the instructions of SNP guests do not exist for others', () => {
  const { hw } = host();
  const guest: GuestContext = hw.addGuest(7, false);
  for (const run of [
    () => hw.pvalidate(guest, GPA, K4, 1),
    () => hw.rmpadjust(guest, GPA, K4, to(1, 0)),
    () => hw.rmpquery(guest, GPA, 1),
  ]) {
    assert.equal(run(), FAULTED);
    assert.equal(lastFault(hw), '#UD');
  }
});

test('RMPADJUST leaves one event with its operands, and undo takes it back', () => {
  const page = guestPage();
  const { hw, trace, journal } = page;
  const [mark, before] = [journal.mark(), trace.length];
  adjust(page, to(2, 5, true));
  assert.equal(trace.length, before + 1);
  assert.deepEqual(
    [trace.kind[before], trace.space[before], trace.page[before], trace.code[before], trace.a[before], trace.b[before]],
    [EventKind.Rmpadjust, 1, HEAD, 0, to(2, 5, true) * 2, GPA],
  );
  assert.equal(hw.rmp.lastChange(HEAD), before);
  journal.undoTo(mark);
  assert.deepEqual(masks(page), [0xf, 0, 0, 0]);
  assert.equal(hw.rmp.resolve(HEAD as never).vmsa, false);
});
