import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeQwords,
  decodeWords,
  encodeQwords,
  encodeWords,
  formatEntry,
  formatVmplMask,
  ownerOf,
  pageStateOf,
  type RmpEntry,
} from '../../../engine/hardware/rmp-entry.ts';

// Raw entries from logs of real machines.

test('an in-use VMSA decodes from its dump', () => {
  const entry = decodeQwords(0xfff0000000144001n, 0xfn);
  assert.deepEqual(entry, {
    assigned: true,
    pageSize: '4K',
    immutable: false,
    subpageCount: 0,
    gpa: 0x144000,
    asid: 0x3fe,
    vmsa: true,
    validated: true,
    lock: true,
    vmpl: [0xf, 0, 0, 0],
    high: 0,
  });
  assert.equal(formatEntry(entry), 'asid 1022 · gpa 0x144000 · 4K · validated · vmsa · locked');
});

test('the initial VMSA decodes from its dump, at the top of the guest’s addresses', () => {
  const entry = decodeQwords(0x6010fffffffff001n, 0x1fn);
  assert.deepEqual(
    [entry.gpa, entry.asid, entry.vmsa, entry.validated, entry.lock, entry.vmpl[0]],
    [0xfffffffff000, 2, true, true, false, 0x1f],
  );
});

test('the head of the RMP’s own region counts 255 pages and is a locked firmware page', () => {
  const entry = decodeQwords(0x80000000000007fdn, 0n);
  assert.equal(entry.subpageCount, 255);
  assert.deepEqual([pageStateOf(entry), entry.lock, ownerOf(entry)], ['FIRMWARE', true, 'amd-sp']);
});

test('a firmware page is assigned, immutable and locked', () => {
  const entry = decodeQwords(0x8000000000000005n, 0n);
  assert.deepEqual([entry.assigned, entry.immutable, entry.lock], [true, true, true]);
  assert.equal(formatEntry(entry), 'firmware · 4K · immutable · locked');
});

test('a page of the firmware’s IOMMU structures has 1 and a tag in its GPA field', () => {
  assert.equal(pageStateOf(decodeQwords((0x2000000001n << 12n) | 5n, 0n)), 'FIRMWARE_IOMMU');
});

test('an HV_FIXED page is 4', () => {
  assert.equal(pageStateOf(decodeQwords(4n, 0n)), 'HV_FIXED');
});

const bits = (text: string): RmpEntry => {
  const has = (name: string) => text.split(' ').includes(name);
  return {
    assigned: has('A'),
    pageSize: '4K',
    immutable: has('I'),
    subpageCount: 0,
    gpa: (has('G') ? 0x5000 : 0) as never,
    asid: (has('asid') ? 7 : 0) as never,
    vmsa: has('S'),
    validated: has('V'),
    lock: has('L'),
    vmpl: [0, 0, 0, 0],
    high: 0,
  };
};

for (const [fields, state] of [
  ['', 'HYPERVISOR'],
  ['I', 'HV_FIXED'],
  ['A I', 'FIRMWARE'],
  ['A', 'RECLAIM'],
  ['A I S', 'CONTEXT'],
  ['A I G', 'METADATA'],
  ['A I asid', 'PRE_GUEST'],
  ['A I V asid', 'PRE_SWAP'],
  ['A asid G', 'GUEST_INVALID'],
  ['A V asid G', 'GUEST_VALID'],
  ['V', 'INVALID'],
  ['A L', 'INVALID'],
  ['A V', 'INVALID'],
  ['I L', 'INVALID'],
] as const) {
  test(`fields [${fields}] are state ${state}`, () => assert.equal(pageStateOf(bits(fields)), state));
}

test('owners are told by Assigned and ASID', () => {
  assert.deepEqual(
    ['', 'A asid', 'A I'].map((fields) => ownerOf(bits(fields))),
    ['hypervisor', 'guest', 'amd-sp'],
  );
});

test('VMPL masks read as letters', () => {
  assert.deepEqual([0, 1, 3, 0xf, 0x1f].map(formatVmplMask), ['-----', 'r----', 'rw---', 'rwxX-', 'rwxXs']);
});

test('any 128 bits survive decoding and encoding', () => {
  const qword = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  fc.assert(
    fc.property(qword, qword, (low, high) => {
      const entry = decodeQwords(low, high);
      assert.deepEqual(encodeQwords(entry), { low, high });
      assert.deepEqual(decodeWords(...encodeWords(entry)), entry);
    }),
  );
});
