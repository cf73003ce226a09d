import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Access } from '../../../engine/hardware/access.ts';
import { formatEntry } from '../../../engine/hardware/rmp-entry.ts';
import {
  type ContiguousRmp,
  coveredFrames,
  decodeRmpCfg,
  decodeRstEntry,
  encodeRstEntry,
  entryAddress,
  FIRMWARE_ALIGN,
  geometryProblem,
  ownFrames,
  type SegmentedRmp,
  uncoveredHoles,
} from '../../../engine/hardware/rmp-geometry.ts';
import { HEAD, host, lastFault, M2 } from './machine-kit.ts';

const GIB = 2 ** 30;
/** The manual's example. */
const FOUR_GIB: ContiguousRmp = { kind: 'contiguous', base: 0x100000, end: 0x1103fff };
/** Two stretches of 16 GiB: 1 GiB of the first is mapped, and 2 GiB of the second. */
const SEGMENTED: SegmentedRmp = {
  kind: 'segmented',
  base: 0x1000000,
  segmentShift: 34,
  segments: [
    { mappedGib: 1, base: 0x2000000 },
    { mappedGib: 2, base: 0x3000000 },
  ],
};

test('the manual’s example covers 4 GiB', () => {
  assert.equal(geometryProblem(FOUR_GIB), undefined);
  assert.deepEqual(coveredFrames(FOUR_GIB), [{ start: 0, end: 0x100000 }]);
  assert.equal(entryAddress(FOUR_GIB, 0), 0x104000);
  assert.equal(entryAddress(FOUR_GIB, 0xfffff), 0x1103ff0);
  assert.equal(entryAddress(FOUR_GIB, 0x100000), undefined);
  assert.deepEqual(ownFrames(FOUR_GIB), [{ start: 0x100, end: 0x1104 }]);
});

test('base and end are on 8K by the manual and on 1M by the firmware', () => {
  assert.match(String(geometryProblem(FOUR_GIB, { align: FIRMWARE_ALIGN })), /RMP_END \+ 1/);
  assert.match(String(geometryProblem({ ...FOUR_GIB, base: 0x101000 })), /RMP_BASE/);
  assert.match(String(geometryProblem({ ...FOUR_GIB, end: 0x1104fff })), /RMP_END/);
  assert.match(String(geometryProblem({ ...FOUR_GIB, end: 0x103fff })), /no room/);
  assert.equal(
    geometryProblem({ kind: 'contiguous', base: 0x100000, end: 0x11fffff }, { align: FIRMWARE_ALIGN }),
    undefined,
  );
});

test('RMP_CFG and segment table entries decode', () => {
  assert.deepEqual(decodeRmpCfg(0x2201n), { segmented: true, segmentShift: 34 });
  assert.deepEqual(decodeRmpCfg(0x2400n), { segmented: false, segmentShift: 36 });
  const entry = { mappedGib: 64, base: 0x20_0030_0000 };
  assert.deepEqual(decodeRstEntry(encodeRstEntry(entry)), entry);
  assert.deepEqual(decodeRstEntry(0xfff0_2000_0030_0010n), { mappedGib: 16, base: 0x2000_0030_0000 });
  assert.deepEqual(decodeRstEntry(0xffff_ffff_fff0_0001n), { mappedGib: 1, base: 2 ** 52 - 2 ** 20 }, 'bits 51:20');
});

test('a segmented RMP covers what its segments map', () => {
  const stretch = 2 ** 34 / 4096;
  assert.equal(geometryProblem(SEGMENTED), undefined);
  const covered = coveredFrames(SEGMENTED);
  assert.deepEqual(covered, [
    { start: 0, end: 0x40000 },
    { start: stretch, end: stretch + 0x80000 },
  ]);
  assert.deepEqual(uncoveredHoles(covered), [{ start: 0x40000, end: stretch }]);
  assert.equal(entryAddress(SEGMENTED, 0x3ffff), 0x2000000 + 0x3ffff0);
  assert.equal(entryAddress(SEGMENTED, 0x40000), undefined);
  assert.equal(entryAddress(SEGMENTED, stretch + 1), 0x3000010);
  assert.equal(entryAddress(SEGMENTED, 2 * stretch), undefined);
  assert.deepEqual(ownFrames(SEGMENTED), [
    { start: 0x1000, end: 0x1005 },
    { start: 0x2000, end: 0x2400 },
    { start: 0x3000, end: 0x3800 },
  ]);
});

test('segments that touch cover without a hole; wrong ones are said', () => {
  const full = { ...SEGMENTED, segments: [{ mappedGib: 16, base: 0x2000000 }, SEGMENTED.segments[1]] };
  assert.equal(coveredFrames(full).length, 1);
  assert.match(String(geometryProblem({ ...SEGMENTED, base: 0x1080000 })), /1M/);
  assert.match(String(geometryProblem({ ...SEGMENTED, segments: [{ mappedGib: 17, base: 0 }] })), /more than/);
  assert.match(String(geometryProblem({ ...SEGMENTED, segments: [{ mappedGib: 1, base: 0x1000 }] })), /begin/);
  const onBookkeeping = geometryProblem({ ...SEGMENTED, segments: [{ mappedGib: 1, base: SEGMENTED.base }] });
  assert.match(String(onBookkeeping), /at 0x1000000 overlaps the one at 0x1000000, which ends at 0x1005000/);
  const [first] = SEGMENTED.segments;
  assert.match(String(geometryProblem({ ...SEGMENTED, segments: [first, first] })), /overlaps/);
  assert.match(String(geometryProblem(SEGMENTED, { memoryBytes: 0x3000000 })), /ends at 0x3800000, beyond/);
  assert.equal(geometryProblem(SEGMENTED, { memoryBytes: 0x3800000 }), undefined);
});

test('the RMP protects its own pages', () => {
  const { hw, assign, entry } = host({}, { geometry: FOUR_GIB });
  const own = 0x104;
  assert.equal(hw.rmp.pageState(own as never), 'FIRMWARE');
  assert.equal(hw.rmp.rawLow(own as never), 0x8000000000000005n);
  assert.equal(entry(0xff), 'hypervisor');
  assert.equal(entry(0x1104), 'hypervisor');
  hw.hostAccess(own, Access.Write, 1);
  assert.equal(lastFault(hw), '#PF(RMP)');
  assert.notEqual(hw.dma(own * 4096, true), undefined);
  assert.notEqual(assign(own, 0x1000), 0);
});

test('256 pages of the RMP in one 2M region give its head the count that real hosts show', () => {
  // Firmware pages 0x56600 to 0x566ff.
  const geometry: ContiguousRmp = { kind: 'contiguous', base: 0x56000000, end: 0x566fffff };
  const { hw } = host({}, { geometry, memoryBytes: 2 ** 31 });
  assert.equal(hw.rmp.rawLow(0x56600 as never), 0x80000000000007fdn);
  assert.equal(hw.rmp.rawLow(0x566ff as never), 0x8000000000000005n);
  assert.equal(hw.rmp.rawLow(0x56700 as never), 0n);
});

test('a whole region of the RMP counts 511', () => {
  const geometry: ContiguousRmp = { kind: 'contiguous', base: 0x40000000, end: 0x40ffffff };
  const { hw } = host({}, { geometry });
  assert.equal(hw.rmp.subpageCount(HEAD), 511);
  assert.equal(hw.rmp.assignedTails(HEAD / 512), 511);
  assert.equal(hw.rmp.asidPages[0], 0, 'SNP_INIT zeroes the counters');
});

test('pages fixed for the hypervisor read 4 and refuse RMPUPDATE with FAIL_PERMISSION', () => {
  const { hw, assign, unassign } = host({}, { fixed: [{ start: HEAD + 256, end: HEAD + 512 + 512 }] });
  for (const pfn of [HEAD + 256, HEAD + 512, HEAD + 1023]) {
    assert.equal(hw.rmp.rawLow(pfn as never), 4n);
    assert.equal(formatEntry(hw.rmp.resolve(pfn as never)), 'hv-fixed');
    assert.equal(assign(pfn, 0x200000), 2);
    assert.equal(unassign(pfn), 2);
    assert.equal(hw.hostAccess(pfn, Access.Write, 1), 0, 'they are the hypervisor’s');
  }
  assert.equal(assign(HEAD + 255, 0x200000), 0);
});

test('beside the RMP’s own locked head, a fixed page still gives FAIL_PERMISSION', () => {
  const geometry: ContiguousRmp = { kind: 'contiguous', base: 0x56000000, end: 0x566fffff };
  const { assign } = host({}, { geometry, fixed: [{ start: 0x56700, end: 0x56800 }] });
  assert.equal(assign(0x56700, 0x200000), 2);
});

test('memory between segments is the hypervisor’s for ever', () => {
  const { hw, assign, unassign } = host({}, { geometry: SEGMENTED, memoryBytes: 32 * GIB });
  const hole = 0x80000;
  const second = 2 ** 34 / 4096 + 0x200;
  assert.equal(hw.rmp.pageState(hole as never), 'DEFAULT');
  assert.deepEqual([assign(hole, 0x200000), assign(hole, 0x200000, { size: M2 }), unassign(hole)], [1, 1, 1]);
  assert.deepEqual([hw.psmash(hole * 4096), hw.rmpread(hole * 4096)], [1, 1]);
  assert.equal(hw.hostAccess(hole, Access.Write, 2), 0);
  hw.setInUse(hole as never, true);
  assert.equal(hw.hostAccess(hole, Access.Write, 1), 0, 'there is no entry for a mark');
  assert.equal(assign(second, 0x200000, { size: M2 }), 0);
  assert.equal(hw.psmash(second * 4096), 0);
  assert.equal(assign(0x3ffff, 0x1000), 0);
});
