import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HEAD, host, M2 } from './machine-kit.ts';

test('a raw write changes the bytes and nothing else, and undo brings all sixteen back', () => {
  const { hw, journal, assign } = host();
  assign(HEAD + 1, 0x5000);
  const mark = journal.mark();
  hw.writeRaw((HEAD + 1) as never, 0, 0xffffffff, 0x11223344, 0xffffffff);
  assert.deepEqual(
    [hw.rmp.rawLow((HEAD + 1) as never), hw.rmp.rawHigh((HEAD + 1) as never)],
    [0xffffffff00000000n, 0xffffffff11223344n],
  );
  assert.deepEqual([hw.rmp.subpageCount(HEAD), hw.rmp.asidPages[1]], [1, 1]);
  hw.writeRaw((HEAD + 1) as never, 1, 2, 3, 4);
  journal.undoTo(mark);
  assert.deepEqual([hw.rmp.rawLow((HEAD + 1) as never), hw.rmp.rawHigh((HEAD + 1) as never)], [0x8000000005001n, 0xfn]);
});

test('an assignment clears the last word of the entry, and undo restores it', () => {
  const { hw, journal, assign } = host();
  hw.writeRaw((HEAD + 1) as never, 0, 0, 0, 7);
  const mark = journal.mark();
  assign(HEAD + 1, 0x5000);
  assert.equal(hw.rmp.rawHigh((HEAD + 1) as never), 0xfn);
  journal.undoTo(mark);
  assert.equal(hw.rmp.rawHigh((HEAD + 1) as never), 7n << 32n);
});

test('a 2M entry costs no page-by-page memory, a 4K entry makes its region full', () => {
  const { hw, assign, unassign } = host();
  for (let region = 0; region < 512; region++) assign(region * 512, region * 0x200000, { size: M2 });
  assert.equal(hw.rmp.fullRegions(), 0);
  assert.equal(hw.psmash(0), 0);
  assert.equal(hw.rmp.fullRegions(), 1);
  for (let i = 0; i < 512; i++) unassign(i);
  assign(0, 0, { size: M2 });
  assert.equal(hw.rmp.fullRegions(), 0);
});

test('a refused 4K request under a 2M entry does not unfold it', () => {
  const { hw, assign, unassign } = host();
  assign(HEAD, 0, { size: M2 });
  assert.equal(unassign(HEAD + 5), 4);
  assert.equal(hw.rmp.isCompact(HEAD / 512), true);
});

test('undo after the journal has forgotten reaches back to that point and no further', () => {
  const { hw, journal, assign, unassign, entry } = host();
  assign(HEAD, 0, { size: M2 });
  journal.forget();
  for (let i = 0; i < 3; i++) {
    unassign(HEAD, M2);
    assign(HEAD, 0x400000, { size: M2 });
  }
  journal.undoTo(0);
  assert.equal(entry(HEAD + 1), 'asid 1 · gpa 0x1000 · 2M · not validated');
  assert.equal(hw.rmp.asidPages[1], 512);
});

test('touched regions are visited in ascending order', () => {
  const { hw, assign } = host({}, { memoryBytes: 2 ** 45 });
  for (const region of [9000, 3, 70000]) assign(region * 512, 0);
  const seen: number[] = [];
  hw.rmp.forEachTouchedRegion((frame) => seen.push(frame));
  assert.deepEqual(seen, [3, 9000, 70000]);
});

test('a page under a 2M entry resolves through the head: state, frame, entry', () => {
  const { hw, assign } = host();
  assign(HEAD, 0x200000, { size: M2, immutable: 1 });
  const tail = (HEAD + 7) as never;
  assert.equal(hw.rmp.pageState(tail), 'PRE_GUEST');
  assert.equal(hw.rmp.boundGfn(tail), 0x207);
  assert.equal(hw.rmp.resolve(tail).gpa, 0x207000);
  assert.equal(hw.rmp.pageState(0x100000 as never), 'DEFAULT');
});

test('the latest change of an assigned tail is what keeps a 2M entry out', () => {
  const { hw, assign, unassign } = host();
  assign(HEAD + 1, 0x1000);
  assign(HEAD + 2, 0x2000);
  unassign(HEAD + 2);
  assert.equal(hw.rmp.lastTailChange(HEAD / 512), 0);
});

test('a page in the middle of a 2M page of the firmware is in the same state as its first', () => {
  const { hw, assign, entry } = host();
  assign(HEAD, 0, { size: M2, asid: 0, immutable: 1 });
  for (const index of [0, 1, 2, 511]) {
    assert.equal(hw.rmp.pageState((HEAD + index) as never), 'FIRMWARE');
    assert.equal(entry(HEAD + index), 'firmware · 2M · immutable');
  }
});
