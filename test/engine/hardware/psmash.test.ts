import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Check, checkOf, RmpCode } from '../../../engine/hardware/instruction-checks.ts';
import { type HardwareOptions, reliedOptions } from '../../../engine/hardware/options.ts';
import { HEAD, host, type Kit, M2 } from './machine-kit.ts';

test('PSMASH makes 512 4K entries with consecutive GPAs and copies Validated, and the count is 511', () => {
  const kit = host();
  const guest = kit.hw.guests.get(1)!;
  kit.assign(HEAD, 0x200000, { size: M2 });
  guest.npt.map(0x200, HEAD, 2, true);
  kit.hw.pvalidate(guest, 0x200000, M2, 1);
  assert.equal(kit.hw.psmash(HEAD * 4096), RmpCode.Success);
  assert.equal(kit.entry(HEAD), 'asid 1 · gpa 0x200000 · 4K · validated');
  assert.equal(kit.entry(HEAD + 511), 'asid 1 · gpa 0x3ff000 · 4K · validated');
  assert.equal(kit.hw.rmp.entry((HEAD + 511) as never).vmpl[0], 0x0f);
  assert.equal(kit.hw.rmp.subpageCount(HEAD), 511);
  assert.equal(kit.hw.rmp.asidPages[1], 512);
});

test('PSMASH copies the immutability where it is allowed on an immutable entry', () => {
  const kit = host({ psmashImmutable: 'allow' });
  kit.assign(HEAD, 0, { size: M2, immutable: 1 });
  assert.equal(kit.hw.psmash(HEAD * 4096), RmpCode.Success);
  assert.equal(kit.hw.rmp.pageState((HEAD + 9) as never), 'PRE_GUEST');
});

test('PSMASH across the 4 GiB boundary of GPAs carries into the upper bits', () => {
  const kit = host();
  const gpa = 2 ** 32 - 0x200000 + 2 ** 40;
  kit.assign(HEAD, gpa, { size: M2 });
  kit.hw.psmash(HEAD * 4096);
  assert.equal(kit.hw.rmp.entry((HEAD + 511) as never).gpa, gpa + 0x1ff000);
});

const refused: {
  name: string;
  check: Check;
  code: number;
  act(kit: Kit): number;
  options?: Partial<HardwareOptions>;
}[] = [
  {
    name: 'an address that is not 2M-aligned',
    check: Check.Unaligned,
    code: RmpCode.FailInput,
    act: ({ hw }) => hw.psmash((HEAD + 1) * 4096),
  },
  {
    name: 'a page that the RMP does not cover',
    check: Check.NotCovered,
    code: RmpCode.FailInput,
    act: ({ hw }) => hw.psmash(0x100000 * 4096),
  },
  {
    name: 'the context of a guest',
    check: Check.ContextAsid,
    code: RmpCode.FailPermission,
    act: ({ hw }) => hw.psmash(HEAD * 4096, 1),
  },
  {
    name: 'an immutable entry',
    check: Check.Immutable,
    code: RmpCode.FailPermission,
    act: ({ hw, assign }) => {
      assign(HEAD, 0, { size: M2, immutable: 1 });
      return hw.psmash(HEAD * 4096);
    },
  },
  {
    name: 'an in-use entry',
    check: Check.Locked,
    code: RmpCode.FailInuse,
    act: ({ hw, assign }) => {
      assign(HEAD, 0, { size: M2 });
      hw.setInUse(HEAD as never, true);
      return hw.psmash(HEAD * 4096);
    },
  },
  {
    name: 'a region that another CPU is updating',
    check: Check.ContendedSame,
    code: RmpCode.FailInuse,
    act: ({ hw, assign }) => {
      assign(HEAD, 0, { size: M2 });
      hw.contention.set(HEAD + 3, 1);
      return hw.psmash(HEAD * 4096);
    },
  },
  {
    name: 'an unassigned page',
    check: Check.NotLarge,
    code: RmpCode.FailBadaddr,
    act: ({ hw }) => hw.psmash(HEAD * 4096),
  },
  {
    name: 'a 4K entry',
    check: Check.NotLarge,
    code: RmpCode.FailBadaddr,
    act: ({ hw, assign }) => {
      assign(HEAD, 0);
      return hw.psmash(HEAD * 4096);
    },
  },
  {
    name: 'a 4K entry, on a processor whose FAIL_BADADDR is 4',
    check: Check.NotLarge,
    code: 4,
    options: { psmashBadaddrCode: 4 },
    act: ({ hw }) => hw.psmash(HEAD * 4096),
  },
];

for (const { name, check, code, act, options } of refused) {
  test(`PSMASH refuses ${name}`, () => {
    const kit = host(options);
    assert.equal(act(kit), code);
    assert.equal(checkOf(kit.trace.a[kit.trace.length - 1]), check);
  });
}

test('every check of PSMASH is refused above', () => {
  const covered = new Set(refused.map((row) => row.check));
  for (const row of host().hw.psmashOrder) assert.ok(covered.has(row.check), row.doc);
});

test('the number of FAIL_BADADDR is not settled, and the verdict says so', () => {
  const kit = host();
  kit.hw.psmash(HEAD * 4096);
  assert.deepEqual(
    reliedOptions(kit.hw.reliedOn).map((row) => row.name),
    ['psmash-badaddr-code'],
  );
});

test('an unaligned PSMASH may be aligned down instead', () => {
  const kit = host({ psmashUnaligned: 'align-down' });
  kit.assign(HEAD, 0, { size: M2 });
  assert.equal(kit.hw.psmash((HEAD + 7) * 4096), RmpCode.Success);
});

test('a 2M assignment and PSMASH is 512 assignments of 4K pages, for any guest, GPA and immutability', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1023 }), fc.integer({ min: 0, max: 2 ** 30 - 1 }), (asid, block) => {
      const [large, small] = [host(), host()];
      const gpa = block * 0x200000;
      assert.equal(large.assign(HEAD, gpa, { size: M2, asid }), 0);
      assert.equal(large.hw.psmash(HEAD * 4096), 0);
      for (let i = 0; i < 512; i++) assert.equal(small.assign(HEAD + i, gpa + i * 4096, { asid }), 0);
      for (let i = 0; i < 512; i++) {
        const pfn = (HEAD + i) as never;
        assert.equal(large.hw.rmp.rawLow(pfn), small.hw.rmp.rawLow(pfn));
        assert.equal(large.hw.rmp.rawHigh(pfn), small.hw.rmp.rawHigh(pfn));
      }
      assert.deepEqual(large.hw.rmp.asidPages, small.hw.rmp.asidPages);
    }),
    { numRuns: 20 },
  );
});
