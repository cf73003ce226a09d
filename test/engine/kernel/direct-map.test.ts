import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventKind } from '../../../engine/trace/trace.ts';
import { createKernel } from './kernel-fixture.ts';

test('unmapping one page splits the 1G mapping over it to 4K in its 2M frame and to 2M around it', () => {
  const { kernel, trace } = createKernel();
  assert.equal(kernel.directMap.level(0x40000), 3);
  assert.equal(kernel.directMap.setPresent(0x40003, false), 0);

  assert.equal(kernel.directMap.present(0x40003), false);
  assert.equal(kernel.directMap.present(0x40004), true);
  assert.deepEqual(
    [0x40003, 0x401ff, 0x40200, 0x80000].map((pfn) => kernel.directMap.level(pfn)),
    [1, 1, 2, 3],
  );
  assert.deepEqual(
    [trace.kind[0], trace.page[0], trace.a[0], trace.b[0]],
    [EventKind.DirectMap, 0x40003, 3 * 2 + 1, 1 * 2],
  );
});

test('mapping a page again does not join the pieces', () => {
  const { kernel } = createKernel();
  kernel.directMap.setPresent(5, false);
  kernel.directMap.setPresent(5, true);
  assert.equal(kernel.directMap.present(5), true);
  assert.equal(kernel.directMap.level(5), 1);
});

test('asking for what a large mapping already is leaves it whole', () => {
  const { kernel, trace } = createKernel();
  assert.equal(kernel.directMap.setPresent(5, true), 0);
  assert.equal(kernel.directMap.level(5), 3);
  assert.equal(trace.length, 0);
});

test('set_memory_4k splits and leaves the page mapped; outside RAM both are -EINVAL', () => {
  const { kernel } = createKernel({ directMapLevel: 2 });
  assert.equal(kernel.directMap.setMemory4k(0x200), 0);
  assert.deepEqual([kernel.directMap.level(0x200), kernel.directMap.level(0x1ff)], [1, 2]);
  assert.equal(kernel.directMap.present(0x200), true);
  assert.equal(kernel.directMap.setMemory4k(2 ** 20), -22);
  assert.equal(kernel.directMap.setPresent(2 ** 20, false), -22);
});
