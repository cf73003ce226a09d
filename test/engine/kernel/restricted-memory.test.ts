import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asPfn } from '../../../engine/base/units.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import { createKernel, file } from './kernel-fixture.ts';

test('getting one page of a folio allocates the whole folio and reports its order wherever the page stands', () => {
  const { kernel } = createKernel();
  assert.equal(kernel.restricted.createFile(file(0, 1024, 0x40000, 9)), undefined);
  assert.equal(kernel.restricted.isAllocated(0, 512), false);

  assert.equal(kernel.restricted.getPfn(0, 517), 0x40205);
  assert.equal(kernel.restricted.order, 9);
  assert.equal(kernel.restricted.isAllocated(0, 512), true);
  assert.equal(kernel.restricted.isAllocated(0, 1023), true);
  assert.equal(kernel.restricted.isAllocated(0, 511), false);
});

test('a folio of every order from 4K to 1G can back a file', () => {
  for (let order = 0; order <= 18; order++) {
    const { kernel } = createKernel();
    const pages = 2 ** order;
    assert.equal(kernel.restricted.createFile(file(0, pages, pages, order)), undefined);
    assert.equal(kernel.restricted.getPfn(0, pages - 1), 2 * pages - 1);
    assert.equal(kernel.restricted.order, order);
  }
});

test('the end of a file that is too short for its folio size stands in smaller folios', () => {
  const { kernel } = createKernel();
  kernel.restricted.createFile(file(0, 512 + 16 + 1, 0x40000, 9));
  const orders = [0, 511, 512, 527, 528].map((index) => kernel.restricted.folio(0, index)?.order);
  assert.deepEqual(orders, [9, 9, 4, 4, 0]);
  assert.equal(kernel.restricted.folio(0, 529), undefined);
});

test('a folio that would start at a frame or index not aligned to it is refused with the reason', () => {
  const { kernel } = createKernel();
  assert.match(
    kernel.restricted.createFile(file(0, 512, 0x40001, 9)) ?? '',
    /starts at a pfn that is a multiple of 512/,
  );
  const late = { id: 0, extents: [{ index: 16, pages: 512, pfn: asPfn(0x40000), order: 9 }] };
  assert.match(kernel.restricted.createFile(late) ?? '', /starts at an index/);
  assert.match(kernel.restricted.createFile(file(0, 0, 0, 0)) ?? '', /at least one page/);
  assert.equal(kernel.restricted.hasFile(0), false);
});

test('get_pfn beyond the file is -EINVAL, of no file -EBADF, and a failing page gives its errno until that is lifted', () => {
  const { kernel, trace } = createKernel();
  kernel.restricted.createFile(file(0, 16, 0x100, 0));
  assert.equal(kernel.restricted.getPfn(0, 16), -22);
  assert.equal(kernel.restricted.getPfn(7, 0), -9);
  kernel.restricted.setFailure(0, 4, 8, 28);
  assert.equal(kernel.restricted.getPfn(0, 5), -28);
  assert.equal(kernel.restricted.isAllocated(0, 5), false);
  assert.equal(kernel.restricted.getPfn(0, 8), 0x108);
  kernel.restricted.setFailure(0, 4, 8, 0);
  assert.equal(kernel.restricted.getPfn(0, 5), 0x105);

  const last = trace.length - 1;
  assert.deepEqual(
    [trace.kind[last], trace.page[last], trace.a[last], trace.code[last]],
    [EventKind.GetPfn, 0x105, 5, 0],
  );
});

test('punching a hole in a folio splits what is left of it into single pages', () => {
  const { kernel } = createKernel();
  kernel.restricted.createFile(file(0, 1024, 0x40000, 9));
  kernel.restricted.getPfn(0, 0);
  kernel.restricted.getPfn(0, 512);

  assert.equal(kernel.restricted.free(0, 500, 1024), 12 + 512);
  assert.deepEqual(kernel.restricted.folio(0, 3), {
    index: 3,
    pages: 1,
    order: 0,
    pfn: asPfn(0x40003),
    allocated: true,
  });
  assert.equal(kernel.restricted.folio(0, 501)?.allocated, false);
  const second = kernel.restricted.folio(0, 700);
  assert.deepEqual([second?.order, second?.allocated], [9, false]);
  assert.equal(kernel.restricted.nextAllocated(0, 0, 1024)?.index, 0);
  assert.equal(kernel.restricted.nextAllocated(0, 500, 1024), undefined);
});

test('a frame knows the file and index it backs', () => {
  const { kernel } = createKernel();
  kernel.restricted.createFile(file(3, 512, 0x40000, 9));
  assert.deepEqual(kernel.restricted.owning(0x40007), { file: 3, index: 7 });
  assert.equal(kernel.restricted.owning(0x40200), undefined);
});
