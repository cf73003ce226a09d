// SNP_PAGE_UNSMASH: the way back from 4K entries to one of 2M, and everything that stands in it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pfn } from '../../../engine/base/units.ts';
import { pagesOfCommand } from '../../../engine/hardware/firmware.ts';
import { snpPageUnsmash } from '../../../engine/hardware/firmware-unsmash.ts';
import { ASID, fingerprint, state, status } from './firmware-kit.ts';
import { HEAD, host, type Kit, M2 } from './machine-kit.ts';

const GPA = 0x600000;
const ALL = Array.from({ length: 512 }, (_, i) => HEAD + i);

/** 512 4K entries that can become one. */
function smashed(): Kit {
  const kit = host({ psmashImmutable: 'allow' });
  kit.assign(HEAD, GPA, { size: M2, asid: ASID, immutable: 1 });
  assert.equal(kit.hw.psmash(HEAD * 4096), 0);
  return kit;
}

/** Change one entry as nothing else could. */
function poke(kit: Kit, page: number, change: (words: number[]) => void): void {
  const words = [0, 1, 2, 3].map((n) => kit.hw.rmp.word(page, n));
  change(words);
  kit.hw.writeRaw(page as Pfn, words[0], words[1], words[2], words[3]);
}

test('512 4K entries become one of 2M, with count 0, and the host may take it back', () => {
  const kit = smashed();
  const { rmp } = kit.hw;
  assert.equal(rmp.subpageCount(HEAD), 511);
  assert.equal(status(snpPageUnsmash(kit.hw, HEAD)), 'SUCCESS');
  assert.equal(pagesOfCommand(kit.trace, kit.trace.length - 1), 512);
  assert.equal(rmp.subpageCount(HEAD), 0);
  assert.equal(rmp.isLarge(HEAD + 7), true);
  assert.equal(rmp.asidPages[ASID], 512);
  assert.equal(rmp.resolve((HEAD + 7) as Pfn).gpa, GPA + 7 * 4096);
  assert.equal(state(kit, HEAD + 7), 'PRE_GUEST');
  kit.hw.snpPageReclaim(HEAD, 1);
  assert.equal(kit.unassign(HEAD, M2), 0);
  assert.equal(rmp.asidPages[ASID], 0);
});

test('the entries under the new head are assigned, unlocked, mutable and of no ASID; the rest stays in them', () => {
  const kit = smashed();
  for (const page of ALL) poke(kit, page, (words) => (words[1] |= (1 << 30) | (1 << 31)));
  snpPageUnsmash(kit.hw, HEAD);
  const tail = kit.hw.rmp.entry((HEAD + 5) as Pfn);
  assert.deepEqual(
    [tail.assigned, tail.lock, tail.immutable, tail.asid, tail.validated, tail.gpa],
    [true, false, false, 0, true, GPA + 5 * 4096],
  );
  assert.equal(state(kit, HEAD + 5), 'PRE_SWAP');
});

for (const [name, change] of [
  ['is not immutable', (kit: Kit) => poke(kit, HEAD + 9, (words) => (words[0] &= ~4))],
  ['is a VMSA', (kit: Kit) => poke(kit, HEAD + 9, (words) => (words[1] |= 1 << 29))],
  ['is the hypervisor’s', (kit: Kit) => poke(kit, HEAD + 9, (words) => words.fill(0))],
  ['has another ASID', (kit: Kit) => poke(kit, HEAD + 9, (words) => (words[1] ^= 1 << 19))],
  ['is in another state', (kit: Kit) => poke(kit, HEAD + 9, (words) => (words[1] |= 1 << 30))],
  ['has other VMPL permissions', (kit: Kit) => poke(kit, HEAD + 9, (words) => (words[2] |= 0x100))],
  ['differs beyond the VMPL permissions', (kit: Kit) => poke(kit, HEAD + 9, (words) => (words[3] |= 1))],
  ['has a GPA out of line', (kit: Kit) => poke(kit, HEAD + 9, (words) => (words[0] += 0x1000))],
  ['has a GPA out of line, the last', (kit: Kit) => poke(kit, HEAD + 511, (words) => (words[0] += 0x1000))],
] as const) {
  test(`SNP_PAGE_UNSMASH while one page ${name}: INVALID_PAGE_STATE, and nothing changes`, () => {
    const kit = smashed();
    change(kit);
    const before = fingerprint(kit, ALL);
    assert.equal(status(snpPageUnsmash(kit.hw, HEAD)), 'INVALID_PAGE_STATE');
    assert.equal(fingerprint(kit, ALL), before);
  });
}

test('SNP_PAGE_UNSMASH of GPAs that do not begin on 2M: INVALID_PAGE_STATE', () => {
  const kit = host();
  for (let i = 0; i < 512; i++) kit.assign(HEAD + i, GPA + (i + 1) * 4096, { asid: ASID, immutable: 1 });
  assert.equal(status(snpPageUnsmash(kit.hw, HEAD)), 'INVALID_PAGE_STATE');
});

test('SNP_PAGE_UNSMASH of a 2M entry, of firmware pages and of nothing: INVALID_PAGE_STATE', () => {
  const kit = host({}, { coveredBytes: 2 ** 31 });
  assert.equal(status(snpPageUnsmash(kit.hw, HEAD)), 'INVALID_PAGE_STATE');
  kit.assign(HEAD, GPA, { size: M2, asid: ASID, immutable: 1 });
  assert.equal(status(snpPageUnsmash(kit.hw, HEAD)), 'INVALID_PAGE_STATE');
  for (let i = 512; i < 1024; i++) kit.assign(HEAD + i, 0, { asid: 0, immutable: 1 });
  assert.equal(status(snpPageUnsmash(kit.hw, HEAD + 512)), 'INVALID_PAGE_STATE');
  assert.equal(status(snpPageUnsmash(kit.hw, 0x80000)), 'INVALID_PAGE_STATE');
});

test('SNP_PAGE_UNSMASH of a page that is not 2M-aligned: INVALID_PARAM', () => {
  assert.equal(status(snpPageUnsmash(smashed().hw, HEAD + 1)), 'INVALID_PARAM');
});

test('SNP_PAGE_UNSMASH of a region that the RMP ends in: INVALID_ADDRESS; that it begins in: INVALID_PARAM', () => {
  const inner = { kind: 'contiguous', base: 0x40100000, end: 0x411fffff } as const;
  assert.equal(status(snpPageUnsmash(host({}, { geometry: inner }).hw, HEAD)), 'INVALID_ADDRESS');
  assert.equal(status(snpPageUnsmash(host({}, { geometry: inner }).hw, HEAD + 512)), 'INVALID_PARAM');
});

test('undo of SNP_PAGE_UNSMASH', () => {
  const kit = smashed();
  const before = fingerprint(kit, ALL);
  const mark = kit.journal.mark();
  snpPageUnsmash(kit.hw, HEAD);
  kit.journal.undoTo(mark);
  assert.equal(fingerprint(kit, ALL), before);
});
