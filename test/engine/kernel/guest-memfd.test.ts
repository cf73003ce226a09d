/** guest_memfd's pages: which are uptodate, single pages and large folios, and what a hole leaves behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Journal } from '../../../engine/base/journal.ts';
import { asPfn } from '../../../engine/base/units.ts';
import { GuestMemfd } from '../../../engine/kernel/guest-memfd.ts';
import { RestrictedMemory } from '../../../engine/kernel/restricted-memory.ts';
import { Trace } from '../../../engine/trace/trace.ts';

const PFN = 0x400;

function file(order = 9) {
  const journal = new Journal();
  const memory = new RestrictedMemory(journal, new Trace());
  memory.createFile({ id: 1, extents: [{ index: 0, pages: 1024, pfn: asPfn(PFN), order }] });
  return { journal, memory, gmem: new GuestMemfd(journal, memory) };
}

test('without huge folios the first look at a folio splits it, and one page is allocated', () => {
  const { memory, gmem } = file();
  assert.equal(gmem.getPage(1, 5, false), PFN + 5);
  assert.equal(memory.order, 0);
  assert.deepEqual(
    [4, 5, 6].map((i) => memory.isAllocated(1, i)),
    [false, true, false],
  );
});

test('with huge folios the folio comes whole', () => {
  const { memory, gmem } = file();
  assert.equal(gmem.getPage(1, 5, true), PFN + 5);
  assert.deepEqual([memory.order, memory.isAllocated(1, 511), memory.isAllocated(1, 512)], [9, true, false]);
});

test('freeing one page leaves its neighbours allocated and uptodate, also when it comes back', () => {
  for (const huge of [false, true]) {
    const { memory, gmem } = file();
    for (const index of [0, 1, 2]) gmem.getPage(1, index, huge);
    memory.split(1, 0, 1);
    gmem.markUptodate(PFN, 3);
    assert.equal(gmem.free(1, 1, 1), 1);
    assert.deepEqual(
      [0, 1, 2].map((i) => gmem.isUptodate(PFN + i)),
      [true, false, true],
    );
    assert.deepEqual(
      [0, 1, 2].map((i) => memory.isAllocated(1, i)),
      [true, false, true],
    );
    assert.equal(gmem.getPage(1, 1, huge), PFN + 1);
    assert.equal(memory.order, 0);
    assert.deepEqual(
      [0, 1, 2].map((i) => memory.isAllocated(1, i)),
      [true, true, true],
    );
  }
});

test('a folio that was split comes back whole once nothing of it is left', () => {
  const { memory, gmem } = file();
  gmem.getPage(1, 0, true);
  gmem.free(1, 0, 100);
  assert.equal(memory.folio(1, 200)?.order, 0);
  assert.equal(gmem.free(1, 100, 411), 411);
  assert.equal(memory.folio(1, 50)?.order, 0);
  assert.equal(gmem.free(1, 511, 1), 1);
  assert.equal(memory.folio(1, 50)?.order, 9);
});

test('undo restores flags, folios and allocation', () => {
  const { journal, memory, gmem } = file();
  gmem.getPage(1, 0, true);
  gmem.markUptodate(PFN, 512);
  const mark = journal.mark();
  gmem.free(1, 0, 1);
  gmem.free(1, 1, 511);
  gmem.getPage(1, 3, false);
  journal.undoTo(mark);
  assert.deepEqual(
    [0, 3, 511].map((i) => [memory.isAllocated(1, i), gmem.isUptodate(PFN + i)]),
    [
      [true, true],
      [true, true],
      [true, true],
    ],
  );
  assert.equal(memory.folio(1, 3)?.order, 9);
});
