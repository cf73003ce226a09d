import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULTED } from '../../../engine/hardware/instruction-checks.ts';
import { Relied } from '../../../engine/hardware/options.ts';
import { rmpadjustOperand } from '../../../engine/hardware/rmpadjust.ts';
import { rmpreadFromRaw, rmpreadQwords } from '../../../engine/hardware/rmpread.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import { GPA, guestPage } from './guest-page.ts';
import { HEAD, host, K4, lastFault, M2 } from './machine-kit.ts';

test('RMPQUERY answers what RMPADJUST set', () => {
  const { hw, guest } = guestPage();
  hw.rmpadjust(guest, GPA, K4, rmpadjustOperand(2, 5, true));
  assert.equal(hw.rmpquery(guest, GPA, 2), 0);
  assert.deepEqual(hw.rmpqueryResult, { mask: 5, vmsa: true, pagesize: 0 });
  assert.equal(hw.rmpquery(guest, GPA, 1), 0);
  assert.deepEqual(hw.rmpqueryResult, { mask: 0, vmsa: true, pagesize: 0 });
});

test('RMPQUERY says that a page is 2M, wherever in it the address lies', () => {
  const { hw, guest } = guestPage(M2, 2);
  assert.equal(hw.rmpquery(guest, GPA + 0x5000, 1), 0);
  assert.equal(hw.rmpqueryResult?.pagesize, 1);
});

test('RMPQUERY about a VMPL that is not below gives FAIL_PERMISSION and no answer', () => {
  const { hw, guest } = guestPage();
  assert.equal(hw.rmpquery(guest, GPA, 2), 0);
  assert.equal(hw.rmpquery(guest, GPA, 0, 1), 2);
  assert.equal(hw.rmpqueryResult, undefined);
  assert.equal(hw.rmpquery(guest, GPA, 4), 2);
  hw.reliedOn = 0;
  assert.equal(hw.rmpquery(guest, GPA, 0), 2);
  assert.equal(hw.reliedOn, Relied.rmpqueryOwnVmpl);
  const lenient = guestPage(K4, 1, { rmpqueryOwnVmpl: 'allow' });
  assert.equal(lenient.hw.rmpquery(lenient.guest, GPA, 0), 0);
  assert.equal(lenient.hw.rmpqueryResult?.mask, 0xf);
});

test('RMPQUERY faults where an access would', () => {
  const absent = guestPage(null, null);
  assert.equal(absent.hw.rmpquery(absent.guest, GPA, 1), FAULTED);
  assert.equal(lastFault(absent.hw), '#NPF(not present|ENC)');
  const unassigned = guestPage(null, 1);
  assert.equal(unassigned.hw.rmpquery(unassigned.guest, GPA, 1), FAULTED);
  assert.equal(lastFault(unassigned.hw), '#NPF(RMP|ENC)');
  const mixed = guestPage(M2, 1);
  assert.equal(mixed.hw.rmpquery(mixed.guest, GPA, 1), FAULTED);
  assert.equal(lastFault(mixed.hw), '#NPF(RMP|ENC)');
});

test('RMPQUERY of a page that is not validated is #VC(0x404), or answers where the option says so', () => {
  for (const rmpqueryUnvalidated of ['vc', 'allow'] as const) {
    const { hw, guest } = guestPage(K4, 1, { rmpqueryUnvalidated });
    hw.pvalidate(guest, GPA, K4, 0);
    assert.equal(hw.rmpquery(guest, GPA, 1), rmpqueryUnvalidated === 'vc' ? FAULTED : 0);
    if (rmpqueryUnvalidated === 'vc') assert.equal(lastFault(hw), '#VC(0x404)');
    assert.notEqual(hw.reliedOn & Relied.rmpqueryUnvalidated, 0);
  }
});

test('RMPQUERY leaves one event with its answer', () => {
  const { hw, guest, trace } = guestPage();
  hw.rmpadjust(guest, GPA, K4, rmpadjustOperand(3, 1, false));
  const before = trace.length;
  hw.rmpquery(guest, GPA, 3);
  assert.deepEqual(
    [trace.length, trace.kind[before], trace.page[before], trace.a[before]],
    [before + 1, EventKind.Rmpquery, HEAD, 3 | (1 << 8)],
  );
});

test('RMPREAD gives the architectural fields', () => {
  const { hw, assign } = host();
  assign(HEAD + 3, 0x7ffff000, { asid: 2, immutable: 1 });
  assert.equal(hw.rmpread((HEAD + 3) * 4096), 0);
  assert.deepEqual(hw.rmpreadEntry, {
    gpa: 0x7ffff000,
    assigned: true,
    pagesize: 0,
    hpageRegionStatus: false,
    immutable: true,
    asid: 2,
  });
  assert.deepEqual(rmpreadQwords(hw.rmpreadEntry!), { low: 0x7ffff000n, high: 0x2_00_01_00_01n });
});

test('the region status of RMPREAD says whether another page of the 2M region is assigned', () => {
  const { hw, assign, unassign } = host();
  const status = (pfn: number): boolean | undefined => {
    hw.rmpread(pfn * 4096);
    return hw.rmpreadEntry?.hpageRegionStatus;
  };
  assert.equal(status(HEAD), false);
  assign(HEAD, 0x200000);
  assert.equal(status(HEAD), false, 'the page itself does not count');
  assign(HEAD + 511, 0x3ff000);
  assert.equal(status(HEAD), true);
  assert.equal(status(HEAD + 1), false, 'only the 2M-aligned page has it');
  assert.equal(rmpreadQwords(hw.rmpreadEntry!).high, 0n);
  hw.rmpread(HEAD * 4096);
  assert.equal(rmpreadQwords(hw.rmpreadEntry!).high, 0x1_00_00_02_01n);
  unassign(HEAD + 511);
  assert.equal(status(HEAD), false);
});

test('made from the raw entry, RMPREAD’s answer lacks the region status', () => {
  const { hw, assign } = host();
  assign(HEAD, 0x200000, { size: M2 });
  hw.rmpread(HEAD * 4096);
  const raw = rmpreadFromRaw(hw.rmp.rawLow(HEAD as never), hw.rmp.rawHigh(HEAD as never));
  assert.deepEqual(raw, { ...hw.rmpreadEntry, hpageRegionStatus: false });
  assert.equal(hw.rmpreadEntry?.hpageRegionStatus, true);
});

test('the logged entry of a VMSA in use reads as its fields', () => {
  assert.deepEqual(rmpreadFromRaw(0xfff0000000144001n, 0xfn), {
    gpa: 0x144000,
    assigned: true,
    pagesize: 0,
    hpageRegionStatus: false,
    immutable: false,
    asid: 0x3fe,
  });
});

test('RMPREAD fails beyond the table and in a guest’s context', () => {
  const { hw, trace } = host();
  assert.equal(hw.rmpread(4 * 2 ** 30), 1);
  assert.equal(hw.rmpreadEntry, undefined);
  assert.equal(hw.rmpread(HEAD * 4096, 1), 2);
  assert.deepEqual([trace.kind[1], trace.code[1]], [EventKind.Rmpread, 2]);
});
