// SNP_PAGE_MOVE, SNP_PAGE_MD_INIT, SNP_PAGE_SWAP_OUT, SNP_PAGE_SWAP_IN.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pfn } from '../../../engine/base/units.ts';
import { snpGctxCreate, snpLaunchFinish, snpLaunchStart } from '../../../engine/hardware/firmware-guest.ts';
import { snpPageMove } from '../../../engine/hardware/firmware-move.ts';
import { type Swap, snpPageMdInit, snpPageSwapIn, snpPageSwapOut } from '../../../engine/hardware/firmware-swap.ts';
import { ASID, FW, fingerprint, GCTX, guestPage, launched, state, status, toFirmware } from './firmware-kit.ts';
import { HEAD, host, K4, type Kit, M2 } from './machine-kit.ts';

const MD = FW + 1;
const STORE = FW + 2;
const GPA = 0x7000;

/** A running guest with a METADATA page, a FIRMWARE page to swap to, and a PRE_SWAP page at HEAD. */
function ready(): Kit {
  const kit = launched();
  toFirmware(kit, MD);
  toFirmware(kit, STORE);
  assert.equal(status(snpPageMdInit(kit.hw, GCTX, MD)), 'SUCCESS');
  guestPage(kit, HEAD, GPA, true);
  snpLaunchFinish(kit.hw, GCTX);
  return kit;
}

const swap = (part: Partial<Swap> = {}): Swap => ({
  gctx: GCTX,
  source: HEAD,
  target: STORE,
  kind: 'DATA',
  size: K4,
  metadata: { page: MD, entry: 3 },
  ...part,
});
const back = (part: Partial<Swap> = {}): Swap => swap({ source: STORE, target: HEAD + 1, ...part });

test('a validated page goes out and comes back in at another place, as it was', () => {
  const kit = ready();
  assert.equal(state(kit, HEAD), 'PRE_SWAP');
  assert.equal(status(snpPageSwapOut(kit.hw, swap())), 'SUCCESS');
  assert.equal(state(kit, HEAD), 'PRE_GUEST');
  kit.hw.snpPageReclaim(HEAD);
  assert.equal(kit.unassign(HEAD), 0);

  guestPage(kit, HEAD + 1, 0x999000);
  assert.equal(status(snpPageSwapIn(kit.hw, back())), 'SUCCESS');
  assert.equal(state(kit, HEAD + 1), 'PRE_SWAP');
  kit.hw.snpPageReclaim(HEAD + 1);
  const entry = kit.hw.rmp.entry((HEAD + 1) as Pfn);
  assert.equal(state(kit, HEAD + 1), 'GUEST_VALID');
  assert.deepEqual([entry.gpa, entry.asid, entry.vmpl.slice(0, 2), entry.vmsa], [GPA, ASID, [0x0f, 3], false]);
});

test('a page that was not validated comes back PRE_GUEST', () => {
  const kit = ready();
  guestPage(kit, HEAD + 2, GPA);
  snpPageSwapOut(kit.hw, swap({ source: HEAD + 2 }));
  guestPage(kit, HEAD + 1, 0);
  assert.equal(status(snpPageSwapIn(kit.hw, back())), 'SUCCESS');
  assert.equal(state(kit, HEAD + 1), 'PRE_GUEST');
});

test('a VMSA page comes back as one', () => {
  const kit = ready();
  snpPageSwapOut(kit.hw, swap({ kind: 'VMSA' }));
  guestPage(kit, HEAD + 1, 0);
  assert.equal(status(snpPageSwapIn(kit.hw, back({ kind: 'VMSA' }))), 'SUCCESS');
  assert.equal(kit.hw.rmp.entry((HEAD + 1) as Pfn).vmsa, true);
});

test('a metadata page goes out by the root entry and comes back with its entries', () => {
  const kit = ready();
  snpPageSwapOut(kit.hw, swap());
  toFirmware(kit, FW + 3);
  assert.equal(
    status(snpPageSwapOut(kit.hw, swap({ kind: 'METADATA', source: MD, target: FW + 3, metadata: undefined }))),
    'SUCCESS',
  );
  assert.equal(state(kit, MD), 'FIRMWARE');
  assert.equal(status(snpPageSwapIn(kit.hw, back())), 'INVALID_PAGE_STATE');
  const root = swap({ kind: 'METADATA', source: FW + 3, target: MD, metadata: undefined });
  assert.equal(status(snpPageSwapIn(kit.hw, root)), 'SUCCESS');
  assert.equal(state(kit, MD), 'METADATA');
  guestPage(kit, HEAD + 1, 0);
  assert.equal(status(snpPageSwapIn(kit.hw, back())), 'SUCCESS');
});

test('a page comes back in place', () => {
  const kit = ready();
  snpPageSwapOut(kit.hw, swap());
  assert.equal(status(snpPageSwapIn(kit.hw, back({ source: HEAD }), true)), 'INVALID_ADDRESS');
  assert.equal(status(snpPageSwapIn(kit.hw, back({ source: HEAD, target: HEAD }), true)), 'SUCCESS');
  assert.equal(state(kit, HEAD), 'PRE_SWAP');
});

test('pages are swapped to memory that the RMP does not cover, too', () => {
  const kit = launched(host({}, { coveredBytes: 0xc0000000 }));
  guestPage(kit, HEAD, GPA, true);
  assert.equal(status(snpPageSwapOut(kit.hw, swap({ target: 0xd0000, metadata: undefined }))), 'SUCCESS');
});

test('a guest of the kernel model swaps by its root entry', () => {
  const kit = host();
  const gctx = kit.hw.firmware.contextPage(1);
  kit.assign(HEAD, GPA, { immutable: 1 });
  toFirmware(kit, STORE);
  assert.equal(status(snpPageSwapOut(kit.hw, swap({ gctx, metadata: undefined }))), 'SUCCESS');
});

for (const [name, expected, prepare, part] of [
  ['a page that is not PRE_SWAP', 'INVALID_PAGE_STATE', (kit: Kit) => kit.hw.snpPageReclaim(HEAD), {}],
  ['to a page that is the hypervisor’s', 'INVALID_PAGE_STATE', undefined, { target: FW + 9 }],
  ['of METADATA that is none', 'INVALID_PAGE_STATE', undefined, { kind: 'METADATA' }],
  ['as 2M', 'INVALID_PAGE_SIZE', undefined, { size: M2 }],
  ['with an entry beyond the page', 'INVALID_PARAM', undefined, { metadata: { page: MD, entry: 64 } }],
  ['with the metadata entry in the target', 'INVALID_PARAM', undefined, { metadata: { page: STORE, entry: 0 } }],
  [
    'with a page of entries that is no METADATA',
    'INVALID_PAGE_STATE',
    undefined,
    { metadata: { page: FW + 9, entry: 0 } },
  ],
  ['without a context', 'INVALID_GUEST', undefined, { gctx: FW + 9 }],
  [
    'with another guest’s METADATA',
    'INVALID_PAGE_OWNER',
    (kit: Kit) => kit.assign(HEAD, 0, { immutable: 1 }),
    { gctx: -1 },
  ],
] as const) {
  test(`SNP_PAGE_SWAP_OUT ${name}: ${expected}, and nothing changes`, () => {
    const kit = ready();
    prepare?.(kit);
    const wanted = swap(part as Partial<Swap>);
    const asked = wanted.gctx === -1 ? { ...wanted, gctx: kit.hw.firmware.contextPage(1) } : wanted;
    const before = fingerprint(kit, [HEAD, MD, STORE]);
    assert.equal(status(snpPageSwapOut(kit.hw, asked)), expected);
    assert.equal(fingerprint(kit, [HEAD, MD, STORE]), before);
  });
}

test('SNP_PAGE_SWAP_OUT of another guest’s page: INVALID_PAGE_OWNER', () => {
  const kit = ready();
  const gctx = kit.hw.firmware.contextPage(1);
  assert.equal(status(snpPageSwapOut(kit.hw, swap({ gctx, metadata: undefined }))), 'INVALID_PAGE_OWNER');
});

test('swapping and moving need a guest that is launched and active', () => {
  const kit = ready();
  toFirmware(kit, FW + 4);
  snpGctxCreate(kit.hw, FW + 4, 9);
  const part = { gctx: FW + 4, metadata: undefined };
  const codes = () => [
    snpPageSwapOut(kit.hw, swap(part)),
    snpPageSwapIn(kit.hw, back(part)),
    snpPageMove(kit.hw, FW + 4, HEAD, HEAD + 1, K4),
  ];
  assert.deepEqual(codes().map(status), Array(3).fill('INVALID_GUEST_STATE'));
  assert.equal(status(snpPageMdInit(kit.hw, FW + 4, STORE)), 'INVALID_GUEST_STATE');
  snpLaunchStart(kit.hw, FW + 4);
  assert.deepEqual(codes().map(status), Array(3).fill('INACTIVE'));
});

for (const [name, expected, part] of [
  ['by an entry that is not valid', 'INVALID_MDATA_ENTRY', { metadata: { page: MD, entry: 4 } }],
  ['of another kind than the entry says', 'INVALID_MDATA_ENTRY', { kind: 'VMSA' }],
  ['as 2M', 'INVALID_PAGE_SIZE', { size: M2 }],
  ['to a page that is not PRE_GUEST', 'INVALID_PAGE_STATE', { target: HEAD + 9 }],
  ['to another guest’s page', 'INVALID_PAGE_OWNER', { target: HEAD + 8 }],
  ['without a context', 'INVALID_GUEST', { gctx: FW + 9 }],
] as const) {
  test(`SNP_PAGE_SWAP_IN ${name}: ${expected}`, () => {
    const kit = ready();
    snpPageSwapOut(kit.hw, swap());
    guestPage(kit, HEAD + 1, 0);
    kit.assign(HEAD + 8, 0, { asid: 2, immutable: 1 });
    assert.equal(status(snpPageSwapIn(kit.hw, back(part as Partial<Swap>))), expected);
  });
}

test('an entry serves once', () => {
  const kit = ready();
  snpPageSwapOut(kit.hw, swap());
  guestPage(kit, HEAD + 1, 0);
  snpPageSwapIn(kit.hw, back());
  guestPage(kit, HEAD + 2, 0);
  assert.equal(status(snpPageSwapIn(kit.hw, back({ target: HEAD + 2 }))), 'INVALID_MDATA_ENTRY');
});

test('a reclaimed METADATA page is RECLAIM, and its entries are gone', () => {
  const kit = ready();
  snpPageSwapOut(kit.hw, swap());
  kit.hw.snpPageReclaim(MD);
  assert.equal(state(kit, MD), 'RECLAIM');
  kit.unassign(MD);
  toFirmware(kit, MD);
  snpPageMdInit(kit.hw, GCTX, MD);
  guestPage(kit, HEAD + 1, 0);
  assert.equal(status(snpPageSwapIn(kit.hw, back())), 'INVALID_MDATA_ENTRY');
});

test('SNP_PAGE_MD_INIT of a page that is not FIRMWARE, and without a context', () => {
  const kit = launched();
  assert.equal(status(snpPageMdInit(kit.hw, GCTX, STORE)), 'INVALID_PAGE_STATE');
  assert.equal(status(snpPageMdInit(kit.hw, FW + 9, STORE)), 'INVALID_GUEST');
});

test('a METADATA page holds its guest’s context page and the firmware’s tag in the GPA field', () => {
  const kit = ready();
  assert.equal(kit.hw.rmp.entry(MD as Pfn).gpa / 4096, 2 ** 36 + GCTX);
});

for (const [from, validated, into] of [
  ['PRE_SWAP', true, 'GUEST_VALID'],
  ['PRE_GUEST', false, 'GUEST_INVALID'],
] as const) {
  test(`SNP_PAGE_MOVE of ${from}: the target is ${into} with its GPA and permissions, the source GUEST_INVALID`, () => {
    const kit = launched();
    guestPage(kit, HEAD, GPA, validated);
    guestPage(kit, HEAD + 1, 0x99000);
    const masks = kit.hw.rmp.word(HEAD, 2);
    assert.equal(state(kit, HEAD), from);
    assert.equal(status(snpPageMove(kit.hw, GCTX, HEAD, HEAD + 1, K4)), 'SUCCESS');
    assert.deepEqual([state(kit, HEAD), state(kit, HEAD + 1)], ['GUEST_INVALID', into]);
    const entry = kit.hw.rmp.entry((HEAD + 1) as Pfn);
    assert.deepEqual([entry.gpa, entry.asid, kit.hw.rmp.word(HEAD + 1, 2)], [GPA, ASID, masks]);
    assert.equal(kit.hw.rmp.subpageCount(HEAD), 1);
  });
}

test('SNP_PAGE_MOVE of a 2M page', () => {
  const kit = launched();
  guestPage(kit, HEAD, 0x600000, true, M2);
  guestPage(kit, HEAD + 512, 0x800000, false, M2);
  assert.equal(status(snpPageMove(kit.hw, GCTX, HEAD, HEAD + 512, M2)), 'SUCCESS');
  assert.equal(state(kit, HEAD + 512 + 5), 'GUEST_VALID');
  assert.equal(kit.hw.rmp.resolve((HEAD + 512 + 5) as Pfn).gpa, 0x605000);
});

test('SNP_PAGE_MOVE of METADATA takes its entries along', () => {
  const kit = ready();
  snpPageSwapOut(kit.hw, swap());
  toFirmware(kit, FW + 3);
  assert.equal(status(snpPageMove(kit.hw, GCTX, MD, FW + 3, K4)), 'SUCCESS');
  assert.deepEqual([state(kit, MD), state(kit, FW + 3)], ['FIRMWARE', 'METADATA']);
  guestPage(kit, HEAD + 1, 0);
  assert.equal(status(snpPageSwapIn(kit.hw, back({ metadata: { page: FW + 3, entry: 3 } }))), 'SUCCESS');
});

for (const [name, expected, act] of [
  ['of a page that is not immutable', 'INVALID_PAGE_STATE', (kit: Kit) => kit.hw.snpPageReclaim(HEAD)],
  ['to a page that is not PRE_GUEST', 'INVALID_PAGE_STATE', (kit: Kit) => kit.hw.snpPageReclaim(HEAD + 1)],
  [
    'to another guest’s page',
    'INVALID_PAGE_OWNER',
    (kit: Kit) => {
      kit.hw.snpPageReclaim(HEAD + 1);
      kit.assign(HEAD + 1, 0, { asid: 2, immutable: 1 });
    },
  ],
] as const) {
  test(`SNP_PAGE_MOVE ${name}: ${expected}`, () => {
    const kit = launched();
    guestPage(kit, HEAD, GPA);
    guestPage(kit, HEAD + 1, 0);
    act(kit);
    assert.equal(status(snpPageMove(kit.hw, GCTX, HEAD, HEAD + 1, K4)), expected);
  });
}

test('SNP_PAGE_MOVE between sizes, without a context, and of another guest’s METADATA', () => {
  const kit = ready();
  guestPage(kit, HEAD + 512, 0, false, M2);
  assert.equal(status(snpPageMove(kit.hw, GCTX, HEAD, HEAD + 512, K4)), 'INVALID_PAGE_SIZE');
  assert.equal(status(snpPageMove(kit.hw, FW + 9, HEAD, HEAD + 1, K4)), 'INVALID_GUEST');
  const other = kit.hw.firmware.contextPage(1);
  assert.equal(status(snpPageMove(kit.hw, other, MD, STORE, K4)), 'INVALID_PAGE_OWNER');
});

test('undo takes swaps and moves back, entries included', () => {
  const kit = ready();
  const pages = [HEAD, HEAD + 1, MD, STORE];
  const before = fingerprint(kit, pages);
  const mark = kit.journal.mark();
  snpPageSwapOut(kit.hw, swap());
  guestPage(kit, HEAD + 1, 0);
  snpPageSwapIn(kit.hw, back());
  kit.journal.undoTo(mark);
  assert.equal(fingerprint(kit, pages), before);
  assert.equal(status(snpPageSwapIn(kit.hw, back())), 'INVALID_MDATA_ENTRY');
});
