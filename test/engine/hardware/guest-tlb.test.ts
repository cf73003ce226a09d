import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Access } from '../../../engine/hardware/access.ts';
import { Fault } from '../../../engine/hardware/fault-codes.ts';
import { Relied } from '../../../engine/hardware/options.ts';
import { rmpadjustOperand } from '../../../engine/hardware/rmpadjust.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import { GPA, guestPage } from './guest-page.ts';
import { HEAD, K4, lastFault, M2 } from './machine-kit.ts';

const GFN = GPA / 4096;
const ON = { guestTlb: true } as const;

/** A private access to the page, by vCPU 0 unless said otherwise. */
const touch = (
  { hw, guest }: ReturnType<typeof guestPage>,
  access: Access = Access.Read,
  vcpu = 0,
  cbit = 1,
  offset = 0,
): Fault => hw.guestAccess(guest, GPA + offset, access, cbit, 0, false, vcpu);

test('a zapped page stays within reach until the TLB is flushed, and the verdict knows on what it rests', () => {
  const page = guestPage(K4, 1, ON);
  const { hw, guest, trace } = page;
  assert.equal(touch(page), Fault.None);
  guest.npt.zap(GFN, GFN + 1);
  hw.reliedOn = 0;
  assert.equal(touch(page), Fault.None);
  assert.equal(hw.accessPfn, HEAD);
  assert.equal(hw.reliedOn, Relied.guestTlb);
  hw.flushTlb(1);
  assert.equal(trace.kind[trace.length - 1], EventKind.TlbFlush);
  assert.equal(touch(page), Fault.NPF);
});

test('without the option every access walks anew', () => {
  const page = guestPage(K4, 1);
  assert.equal(touch(page), Fault.None);
  page.guest.npt.zap(GFN, GFN + 1);
  assert.equal(touch(page), Fault.NPF);
  assert.equal(page.hw.tlb.size, 0);
});

test('an entry is of one vCPU, one C-bit, and the kinds of access that were checked', () => {
  const page = guestPage(K4, 1, ON);
  touch(page);
  page.guest.npt.zap(GFN, GFN + 1);
  assert.equal(touch(page, Access.Read, 1), Fault.NPF);
  assert.equal(touch(page, Access.Read, 0, 0), Fault.NPF);
  assert.equal(touch(page, Access.Write), Fault.NPF);
  assert.equal(touch(page), Fault.None);
});

test('what was written may be read', () => {
  const page = guestPage(K4, 1, ON);
  touch(page, Access.Write);
  page.guest.npt.zap(GFN, GFN + 1);
  assert.equal(touch(page), Fault.None);
});

test('a large entry serves all its pages, also after a PSMASH that no flush followed', () => {
  const page = guestPage(M2, 2, ON);
  touch(page);
  assert.equal(page.hw.psmash(HEAD * 4096), 0);
  assert.equal(touch(page, Access.Read, 0, 1, 0x5000), Fault.None);
  assert.equal(page.hw.accessPfn, HEAD + 5);
  page.hw.flushTlb(0);
  assert.equal(touch(page), Fault.NPF);
  assert.equal(lastFault(page.hw), '#NPF(RMP|ENC)');
});

test('a flush of another guest leaves the entries', () => {
  const page = guestPage(K4, 1, ON);
  touch(page);
  page.guest.npt.zap(GFN, GFN + 1);
  page.hw.flushTlb(2);
  assert.equal(touch(page), Fault.None);
  page.hw.flushTlb(0);
  assert.equal(touch(page), Fault.NPF);
});

test('RMPUPDATE flushes what leads to its page, where the processor does that', () => {
  for (const rmpupdateFlushesGuestTlb of [true, false]) {
    const page = guestPage(K4, 1, { ...ON, rmpupdateFlushesGuestTlb });
    touch(page);
    page.hw.reliedOn = 0;
    page.unassign(HEAD);
    assert.equal(page.hw.reliedOn & Relied.rmpupdateFlushesGuestTlb, Relied.rmpupdateFlushesGuestTlb);
    assert.equal(touch(page), rmpupdateFlushesGuestTlb ? Fault.NPF : Fault.None);
  }
});

test('RMPUPDATE of one page flushes a large entry that reaches it, and of a 2M region all in it', () => {
  const large = guestPage(M2, 2, ON);
  touch(large);
  large.hw.psmash(HEAD * 4096);
  assert.equal(large.unassign(HEAD + 100), 0);
  assert.equal(large.hw.tlb.size, 0);
  const small = guestPage(K4, 1, ON);
  touch(small);
  assert.equal(small.unassign(HEAD + 1), 0);
  assert.equal(small.hw.tlb.size, 1);
  small.unassign(HEAD);
  small.assign(HEAD, GPA, { size: M2 });
  assert.equal(small.hw.tlb.size, 0);
});

test('PVALIDATE and RMPADJUST affect the vCPU that executes them, not what others have cached', () => {
  const page = guestPage(K4, 1, ON);
  const { hw, guest } = page;
  for (const vcpu of [0, 1]) touch(page, Access.Read, vcpu);
  assert.equal(hw.pvalidate(guest, GPA, K4, 0, 0, 0), 0);
  assert.equal(touch(page, Access.Read, 0), Fault.VC);
  assert.equal(touch(page, Access.Read, 1), Fault.None);
  hw.pvalidate(guest, GPA, K4, 1, 0, 0);
  touch(page, Access.Read, 0);
  assert.equal(hw.tlb.size, 2);
  hw.rmpadjust(guest, GPA, K4, rmpadjustOperand(1, 0, false), 0, 1);
  assert.equal(hw.tlb.size, 1);
});

test('a mapping that now leads elsewhere is not seen before a flush', () => {
  const page = guestPage(K4, 1, ON);
  touch(page, Access.Read, 0, 0);
  page.guest.npt.map(GFN, HEAD + 0x1000, 1, true);
  touch(page, Access.Read, 0, 0);
  assert.equal(page.hw.accessPfn, HEAD);
  page.hw.flushTlb(1);
  touch(page, Access.Read, 0, 0);
  assert.equal(page.hw.accessPfn, HEAD + 0x1000);
});

test('undo brings entries back and takes them away', () => {
  const page = guestPage(K4, 1, ON);
  const start = page.journal.mark();
  touch(page);
  const mark = page.journal.mark();
  page.hw.flushTlb(1);
  assert.equal(page.hw.tlb.size, 0);
  page.journal.undoTo(mark);
  assert.equal(page.hw.tlb.size, 1);
  page.journal.undoTo(start);
  assert.equal(page.hw.tlb.size, 0);
});

test('a full TLB forgets the oldest', () => {
  const page = guestPage(K4, 1, ON);
  for (let i = 0; i < 1600; i++) {
    page.guest.npt.map(GFN + i, HEAD + i, 1, true);
    touch(page, Access.Read, 0, 0, i * 4096);
  }
  assert.equal(page.hw.tlb.size, 1536);
  page.guest.npt.zap(GFN, GFN + 2000);
  assert.equal(touch(page, Access.Read, 0, 0, 0), Fault.NPF);
  assert.equal(touch(page, Access.Read, 0, 0, 1599 * 4096), Fault.None);
});
