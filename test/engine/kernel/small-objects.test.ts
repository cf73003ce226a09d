import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pagePointer, pagePointerPfn } from '../../../engine/kernel/page-reference.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import { createKernel } from './kernel-fixture.ts';

test('a put without a get is recorded and does not go below zero', () => {
  const { kernel, trace } = createKernel();
  kernel.references.get(7);
  kernel.references.put(7);
  kernel.references.put(7);
  assert.equal(kernel.references.count(7), 0);
  assert.equal(kernel.references.outstanding, 0);
  assert.deepEqual(kernel.references.underflows, [{ pfn: 7, event: 2 }]);
  assert.deepEqual([trace.kind[2], trace.a[2], trace.b[2]], [EventKind.PageRef, -1, -1]);
});

test('pages that are held are listed in order', () => {
  const { kernel } = createKernel();
  for (const pfn of [0x40001, 3, 3]) kernel.references.get(pfn);
  assert.deepEqual(kernel.references.held(), [
    { pfn: 3, count: 2 },
    { pfn: 0x40001, count: 1 },
  ]);
});

test('a struct page pointer names its pfn and nothing else does', () => {
  assert.equal(pagePointerPfn(pagePointer(0)), 0);
  assert.equal(pagePointerPfn(pagePointer(2 ** 28)), 2 ** 28);
  for (const no of [0, -12, 2 ** 20, pagePointer(1) + 1]) assert.equal(pagePointerPfn(no), -1);
});

test('locks: what is held, released without being held, or taken twice', () => {
  const { kernel } = createKernel();
  const name = () => '&kvm->slots_lock';
  kernel.locks.acquire(100, 0, name);
  assert.deepEqual(kernel.locks.held(), [{ name: '&kvm->slots_lock', depth: 1, event: 0 }]);
  kernel.locks.acquire(100, 0, name);
  kernel.locks.release(100, name);
  kernel.locks.release(100, name);
  kernel.locks.release(100, name);
  assert.deepEqual(
    kernel.locks.problems.map((p) => p.kind),
    ['held-already', 'not-held'],
  );
  assert.deepEqual(kernel.locks.held(), []);
  kernel.locks.acquire(200, 4, () => '&kvm->srcu');
  kernel.locks.acquire(200, 4, () => '&kvm->srcu');
  assert.equal(kernel.locks.problems.length, 2);
});

test('a page added to the leaked list while it is on it corrupts the list', () => {
  const { kernel } = createKernel();
  kernel.leaked.add(5);
  assert.equal(kernel.leaked.corrupted, false);
  kernel.leaked.add(5);
  assert.deepEqual([kernel.leaked.list, kernel.leaked.corrupted], [[5, 5], true]);
});

test('the log keeps its first lines and counts the rest', () => {
  const { kernel } = createKernel();
  for (let i = 0; i < 5000; i++) kernel.log.append(4, `line ${i}\n`);
  assert.equal(kernel.log.lines.length, 4096);
  assert.equal(kernel.log.dropped, 904);
  assert.equal(kernel.log.lines[0].text, 'line 0');
});

test('the backing of a gfn is found without allocating it', () => {
  const { kernel } = createKernel();
  kernel.restricted.createFile({ id: 2, extents: [{ index: 0, pages: 1024, pfn: 0x40000 as never, order: 9 }] });
  kernel.slots.register({
    asid: 1,
    id: 0,
    baseGfn: 0x100,
    pages: 512,
    private: true,
    file: 2,
    index: 512,
    sharedPfn: 0x900,
  });
  const backing = kernel.privateBacking(1, 0x101);
  assert.deepEqual([backing?.pfn, backing?.order, backing?.allocated], [0x40201, 9, false]);
  assert.equal(kernel.sharedBacking(1, 0x101)?.pfn, 0x901);
  assert.equal(kernel.backing(1, 0x101)?.pfn, 0x901);
  assert.equal(kernel.privateBacking(2, 0x101), undefined);
  assert.equal(kernel.restricted.isAllocated(2, 513), false);
});

test('the kernel takes its own pages from the top of memory, aligned, and never one that backs a guest', () => {
  const { kernel } = createKernel({ memoryBytes: 2 ** 24 });
  assert.deepEqual([kernel.pages.allocate(0), kernel.pages.allocate(1), kernel.pages.allocate(0)], [4095, 4092, 4091]);
  assert.equal(
    kernel.pages.allocate(0, (pfn) => pfn > 4000),
    4000,
  );
  kernel.pages.free(4000);
  assert.deepEqual(kernel.pages.freed, [4000]);
  assert.equal(kernel.pages.allocate(13), -1);
});
