import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Access } from '../../../engine/hardware/access.ts';
import { Fault } from '../../../engine/hardware/fault-codes.ts';
import { FAULTED } from '../../../engine/hardware/instruction-checks.ts';
import { rmpadjustOperand } from '../../../engine/hardware/rmpadjust.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import { GPA, guestPage } from './guest-page.ts';
import { HEAD, host, K4, lastFault } from './machine-kit.ts';

const VMCB = HEAD + 0x1001;
const AVIC = HEAD + 0x1003;
const HSAVE = HEAD + 0x1005;

/** A guest whose page at GPA is a VMSA, and the host's pages for one vCPU. */
function vcpu(options: Parameters<typeof guestPage>[2] = {}) {
  const page = guestPage(K4, 1, options);
  page.hw.rmpadjust(page.guest, GPA, K4, rmpadjustOperand(1, 0, true));
  return { ...page, pages: { vmcb: VMCB, vmsa: HEAD, vmsaGfn: GPA / 4096, avic: AVIC, hsave: HSAVE } };
}

const locked = ({ hw }: ReturnType<typeof vcpu>): boolean[] =>
  [VMCB, HEAD, AVIC, HSAVE].map((pfn) => hw.rmp.entry(pfn as never).lock);

test('VMRUN marks VMCB, VMSA and AVIC backing page, #VMEXIT takes the marks away', () => {
  const v = vcpu();
  assert.equal(v.hw.enter(v.guest, v.pages), Fault.None);
  assert.deepEqual(locked(v), [true, true, true, false]);
  v.hw.exit(v.pages);
  assert.deepEqual(locked(v), [false, false, false, false]);
});

test('RMP instructions on pages in use return FAIL_INUSE, and host writes fault', () => {
  const v = vcpu();
  v.hw.enter(v.guest, v.pages);
  for (const pfn of [VMCB, HEAD, AVIC]) {
    assert.equal(v.assign(pfn, 0x7000), 3);
    v.hw.hostAccess(pfn, Access.Write, 1);
    assert.equal(lastFault(v.hw), '#PF(RMP)');
    assert.equal(v.hw.hostAccess(pfn, Access.Read, 1), Fault.None);
  }
  v.hw.exit(v.pages);
  assert.equal(v.assign(VMCB, 0x7000), 0);
  assert.equal(v.hw.hostAccess(AVIC, Access.Write, 1), Fault.None);
});

test('where the processor allows it, the hypervisor writes to its own pages in use', () => {
  const v = vcpu({ hvInUseWrAllowed: true });
  v.hw.enter(v.guest, v.pages);
  assert.equal(v.hw.hostAccess(VMCB, Access.Write, 1), Fault.None);
  v.hw.hostAccess(HEAD, Access.Write, 1);
  assert.equal(lastFault(v.hw), '#PF(RMP)', 'the VMSA is the guest’s');
});

test('a 2M-aligned page in use makes large writes beside it fault, on parts with the erratum', () => {
  for (const inUse2mErratum of [true, false]) {
    const v = vcpu({ inUse2mErratum });
    const vmcb = HEAD + 0x1200;
    v.hw.enter(v.guest, { ...v.pages, vmcb });
    v.hw.hostAccess(vmcb + 5, Access.Write, 2);
    assert.equal(v.hw.fault, inUse2mErratum ? Fault.PF : Fault.None);
    assert.equal(v.hw.hostAccess(vmcb + 5, Access.Write, 1), Fault.None, 'a 4K mapping is not affected');
    v.hw.exit({ ...v.pages, vmcb });
    assert.equal(v.hw.hostAccess(vmcb + 5, Access.Write, 2), Fault.None);
  }
});

for (const [what, pages, fault] of [
  ['a VMCB', { vmcb: HEAD + 7 }, Fault.GP],
  ['VM_HSAVE_PA', { hsave: HEAD + 7 }, Fault.GP],
  ['an AVIC backing page', { avic: HEAD + 7 }, Fault.VmexitInvalid],
] as const) {
  test(`${what} that is assigned: ${fault === Fault.GP ? '#GP(0)' : 'VMEXIT_INVALID'}, and nothing is marked`, () => {
    const v = vcpu();
    v.assign(HEAD + 7, GPA + 0x7000);
    const before = v.trace.length;
    assert.equal(v.hw.enter(v.guest, { ...v.pages, ...pages }), fault);
    assert.deepEqual(locked(v), [false, false, false, false]);
    assert.deepEqual(
      [v.trace.length, v.trace.kind[before], v.trace.page[before], v.trace.a[before]],
      [before + 1, EventKind.Fault, HEAD + 7, fault],
    );
  });
}

for (const [what, spoil] of [
  ['a page without VMSA=1', (v) => v.hw.rmpadjust(v.guest, GPA, K4, rmpadjustOperand(1, 0, false))],
  ['an unassigned page', (v) => v.unassign(HEAD)],
  ['another guest’s VMSA', (v) => v.hw.writeRaw(HEAD as never, 0x200001, 0x20100000 | (2 << 19), 0xf, 0)],
  ['an immutable VMSA', (v) => v.assign(HEAD, GPA, { immutable: 1 })],
  ['a VMSA that another vCPU runs', (v) => v.hw.vmrun(1, HEAD)],
] as [string, (v: ReturnType<typeof vcpu>) => unknown][]) {
  test(`VMRUN from ${what} is VMEXIT_INVALID`, () => {
    const v = vcpu();
    assert.notEqual(spoil(v), FAULTED);
    assert.equal(v.hw.enter(v.guest, v.pages), Fault.VmexitInvalid);
  });
}

test('VMRUN from a VMSA under another GPA, beyond the RMP, or that the VMCB does not name, is VMEXIT_INVALID', () => {
  const v = vcpu();
  assert.equal(v.hw.enter(v.guest, { ...v.pages, vmsaGfn: 1 }), Fault.VmexitInvalid);
  assert.equal(v.hw.enter(v.guest, { ...v.pages, vmsa: 2 ** 32 }), Fault.VmexitInvalid);
  const before = v.trace.length;
  assert.equal(v.hw.enter(v.guest, { vmcb: VMCB }), Fault.VmexitInvalid);
  assert.equal(v.trace.length, before + 1);
  assert.equal(v.trace.page[before], -1, 'there is no page to speak of');
});

test('a VMSA need not be validated', () => {
  const v = vcpu();
  v.hw.pvalidate(v.guest, GPA, K4, 0);
  assert.equal(v.hw.enter(v.guest, v.pages), Fault.None);
});

test('other guests’ pages must be the hypervisor’s, and are in use all the same', () => {
  const { hw, assign } = host();
  const guest = hw.addGuest(9, false);
  assign(HEAD, GPA);
  assert.equal(hw.enter(guest, { vmcb: HEAD }), Fault.GP);
  assert.equal(hw.enter(guest, { vmcb: VMCB, vmsa: HEAD }), Fault.VmexitInvalid, 'the VMSA of SEV-ES');
  assert.equal(hw.enter(guest, { vmcb: VMCB }), Fault.None);
  assert.equal(assign(VMCB, 0x5000), 3);
});

test('VMSAVE writes to hypervisor-owned pages only', () => {
  const { hw, assign } = host();
  assert.equal(hw.vmsave(VMCB), Fault.None);
  assign(VMCB, 0x5000);
  assert.equal(hw.vmsave(VMCB), Fault.GP);
  assert.equal(lastFault(hw), '#GP(0)');
});

test('undo takes the marks away', () => {
  const v = vcpu();
  const mark = v.journal.mark();
  v.hw.enter(v.guest, v.pages);
  v.journal.undoTo(mark);
  assert.deepEqual(locked(v), [false, false, false, false]);
});
