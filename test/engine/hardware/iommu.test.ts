import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIommuEvent } from '../../../engine/hardware/iommu.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import { HEAD, host, lastFault, M2 } from './machine-kit.ts';

test('DMA reaches pages of the hypervisor and pages that the RMP does not cover', () => {
  const { hw, trace } = host({}, { coveredBytes: 2 ** 30 });
  assert.equal(hw.dma(0x1000, true), undefined);
  assert.equal(hw.dma(2 ** 31, true), undefined);
  assert.deepEqual([trace.length, trace.kind[0], trace.kind[1]], [2, EventKind.Access, EventKind.Access]);
});

test('DMA to an assigned page is dropped and logged, for reads and writes', () => {
  const { hw, assign, trace } = host();
  assign(HEAD, 0x200000, { size: M2 });
  for (const write of [true, false]) {
    const event = hw.dma((HEAD + 9) * 4096 + 0x784, write);
    assert.equal(
      event && formatIommuEvent(event),
      `AMD-Vi: Event logged [RMP_PAGE_FAULT vmg_tag=0x0000, gpa=0x40009784, flags_rmp=0x0000, flags=${write ? '0x0020' : '0x0000'}]`,
    );
    assert.equal(lastFault(hw), 'RMP_PAGE_FAULT');
  }
  assert.deepEqual([trace.kind[2], trace.page[2], trace.cause[2]], [EventKind.Fault, HEAD + 9, 0]);
});

test('the logged line of a real host is what its transfer gives', () => {
  assert.equal(
    formatIommuEvent({ address: 0x740b8784, write: true, vmgTag: 0, flagsRmp: 0 }),
    'AMD-Vi: Event logged [RMP_PAGE_FAULT vmg_tag=0x0000, gpa=0x740b8784, flags_rmp=0x0000, flags=0x0020]',
  );
});
