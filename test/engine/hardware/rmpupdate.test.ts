import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Check, checkOf, RmpCode } from '../../../engine/hardware/instruction-checks.ts';
import { type HardwareOptions, reliedOptions } from '../../../engine/hardware/options.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import { HEAD, host, type Kit, M2 } from './machine-kit.ts';

const { Success, FailInput, FailPermission, FailInuse, FailOverlap } = RmpCode;

/** The check that the last instruction failed at. */
const lastCheck = ({ trace }: Kit) => checkOf(trace.a[trace.length - 1]);
const relied = ({ hw }: Kit) => reliedOptions(hw.reliedOn).map((row) => row.name);

test('a 4K page becomes the guest’s: bound to ASID and GPA, not validated, full permissions for VMPL0 only', () => {
  const kit = host();
  assert.equal(kit.assign(HEAD + 5, 0x5000), Success);
  const entry = kit.hw.rmp.entry((HEAD + 5) as never);
  assert.deepEqual(
    { ...entry },
    {
      assigned: true,
      pageSize: '4K',
      immutable: false,
      subpageCount: 0,
      gpa: 0x5000,
      asid: 1,
      vmsa: false,
      validated: false,
      lock: false,
      vmpl: [0x0f, 0, 0, 0],
      high: 0,
    },
  );
  assert.equal(kit.hw.rmp.asidPages[1], 1);
});

test('with supervisor shadow stacks a full VMPL0 mask is 0x1f', () => {
  const kit = host({ vmplSss: true });
  kit.assign(HEAD, 0);
  assert.equal(kit.hw.rmp.entry(HEAD as never).vmpl[0], 0x1f);
});

test('the subpage count is that of the assigned 4K pages other than the head', () => {
  const kit = host();
  for (const index of [0, 1, 511]) kit.assign(HEAD + index, index * 4096);
  assert.equal(kit.hw.rmp.subpageCount(HEAD), 2);
  kit.assign(HEAD + 1, 0x7000); // assigned before: not counted again
  assert.equal(kit.hw.rmp.subpageCount(HEAD), 2);
  kit.unassign(HEAD);
  assert.equal(kit.hw.rmp.subpageCount(HEAD), 2, 'unassigning the head keeps the count in it');
  kit.unassign(HEAD + 511);
  assert.equal(kit.hw.rmp.subpageCount(HEAD), 1);
});

test('a 2M page is one entry: 511 tails read Assigned and nothing else, the count is 0', () => {
  const kit = host();
  assert.equal(kit.assign(HEAD, 0x200000, { size: M2 }), Success);
  assert.equal(kit.entry(HEAD + 3), 'asid 1 · gpa 0x203000 · 2M · not validated');
  assert.equal(kit.hw.rmp.rawLow((HEAD + 3) as never), 1n);
  assert.equal(kit.hw.rmp.rawHigh((HEAD + 3) as never), 0n);
  assert.equal(kit.hw.rmp.subpageCount(HEAD), 0);
  assert.equal(kit.hw.rmp.asidPages[1], 512);
});

test('a 2M page goes back to the hypervisor whole', () => {
  const kit = host();
  kit.assign(HEAD, 0, { size: M2 });
  assert.equal(kit.unassign(HEAD, M2), Success);
  for (const index of [0, 1, 511]) assert.equal(kit.hw.rmp.rawLow((HEAD + index) as never), 0n);
  assert.equal(kit.hw.rmp.asidPages[1], 0);
});

test('the number of pages an ASID owns follows from guest to guest', () => {
  const kit = host();
  kit.assign(HEAD, 0, { size: M2 });
  assert.equal(kit.assign(HEAD, 0, { size: M2, asid: 2 }), Success);
  assert.deepEqual([kit.hw.rmp.asidPages[1], kit.hw.rmp.asidPages[2]], [0, 512]);
});

// ---- every check ------------------------------------------------------------------------------------------------------------------

const refused: {
  name: string;
  check: Check;
  code: number;
  act(kit: Kit): number;
  options?: Partial<HardwareOptions>;
}[] = [
  {
    name: 'in the context of a guest',
    check: Check.ContextAsid,
    code: FailPermission,
    act: ({ hw }) => hw.rmpupdate(HEAD * 4096, 0, 1, 0, 0, 1, 3),
  },
  {
    name: 'a page that the RMP does not cover',
    check: Check.NotCovered,
    code: FailInput,
    act: ({ assign }) => assign(0x100000, 0),
  },
  {
    name: 'a 2M page of which the RMP covers only a part',
    check: Check.NotCovered,
    code: FailInput,
    act: () => {
      const kit = host({}, { coveredBytes: HEAD * 4096 + 0x100000 });
      return kit.assign(HEAD, 0, { size: M2 });
    },
  },
  {
    name: 'RAX with bits 11:0 set',
    check: Check.AddressLowBits,
    code: FailInput,
    act: ({ hw }) => hw.rmpupdate(HEAD * 4096 + 8, 0, 1, 0, 0, 1),
  },
  {
    name: 'a flag other than 0 or 1',
    check: Check.ReservedBits,
    code: FailInput,
    act: ({ hw }) => hw.rmpupdate(HEAD * 4096, 0, 3, 0, 0, 1),
  },
  {
    name: 'the reserved byte set',
    check: Check.ReservedBits,
    code: FailInput,
    act: ({ hw }) => hw.rmpupdate(HEAD * 4096, 0, 1, 0, 0, 1, 0, 1),
  },
  {
    name: 'a 2M page at an address that is not 2M-aligned',
    check: Check.Unaligned,
    code: FailInput,
    act: ({ assign }) => assign(HEAD + 1, 0, { size: M2 }),
  },
  {
    name: 'a 2M page whose GPA is not 2M-aligned',
    check: Check.GpaUnaligned,
    code: FailInput,
    act: ({ assign }) => assign(HEAD, 0x1000, { size: M2 }),
  },
  {
    name: 'a GPA beyond the field',
    check: Check.GpaWidth,
    code: FailInput,
    act: ({ assign }) => assign(HEAD, 2 ** 51),
  },
  {
    name: 'an ASID beyond the field',
    check: Check.AsidWidth,
    code: FailInput,
    act: ({ assign }) => assign(HEAD, 0, { asid: 1024 }),
  },
  {
    name: 'Assigned=0 with an ASID',
    check: Check.MalformedUnassign,
    code: FailInput,
    act: ({ hw }) => hw.rmpupdate(HEAD * 4096, 0, 0, 0, 0, 1),
  },
  {
    name: 'Assigned=0 with Immutable',
    check: Check.MalformedUnassign,
    code: FailInput,
    act: ({ hw }) => hw.rmpupdate(HEAD * 4096, 0, 0, 0, 1, 0),
  },
  {
    name: 'Assigned=0 with an ASID, where that is a matter of permission',
    check: Check.MalformedUnassign,
    code: FailPermission,
    options: { rmpupdateMalformedUnassign: 'fail-permission' },
    act: ({ hw }) => hw.rmpupdate(HEAD * 4096, 0, 0, 0, 0, 1),
  },
  {
    name: 'an in-use page',
    check: Check.Locked,
    code: FailInuse,
    act: ({ hw, assign, unassign }) => {
      assign(HEAD + 9, 0x9000);
      hw.setInUse((HEAD + 9) as never, true);
      return unassign(HEAD + 9);
    },
  },
  {
    name: 'a 2M page with an in-use page in it',
    check: Check.LockedTail,
    code: FailInuse,
    act: ({ hw, assign }) => {
      hw.setInUse((HEAD + 9) as never, true);
      return assign(HEAD, 0, { size: M2 });
    },
  },
  {
    name: 'an immutable page',
    check: Check.Immutable,
    code: FailPermission,
    act: ({ assign, unassign }) => {
      assign(HEAD + 9, 0x9000, { immutable: 1 });
      return unassign(HEAD + 9);
    },
  },
  {
    name: 'an HV_FIXED page',
    check: Check.Immutable,
    code: FailPermission,
    act: ({ hw, assign }) => {
      hw.writeRaw((HEAD + 9) as never, 4, 0, 0, 0);
      return assign(HEAD + 9, 0x9000);
    },
  },
  {
    name: 'a 2M page with an HV_FIXED page in it',
    check: Check.ImmutableTail,
    code: FailPermission,
    act: ({ hw, assign }) => {
      hw.writeRaw((HEAD + 9) as never, 4, 0, 0, 0);
      return assign(HEAD, 0, { size: M2 });
    },
  },
  {
    name: 'a page whose count is in a locked head',
    check: Check.LockedHead,
    code: FailInuse,
    act: ({ hw, assign }) => {
      hw.setInUse(HEAD as never, true);
      return assign(HEAD + 1, 0x1000);
    },
  },
  {
    name: 'a 4K page under a 2M entry',
    check: Check.UnderLarge,
    code: FailOverlap,
    act: ({ assign, unassign }) => {
      assign(HEAD, 0, { size: M2 });
      return unassign(HEAD + 16);
    },
  },
  {
    name: 'the head of a 2M entry as 4K',
    check: Check.UnderLarge,
    code: FailOverlap,
    act: ({ assign, unassign }) => {
      assign(HEAD, 0, { size: M2 });
      return unassign(HEAD);
    },
  },
  {
    name: 'a 2M page over an assigned 4K page',
    check: Check.OverSmall,
    code: FailOverlap,
    act: ({ assign }) => {
      assign(HEAD + 1, 0x1000);
      return assign(HEAD, 0, { size: M2 });
    },
  },
  {
    name: 'a region to the hypervisor as 2M while 4K pages in it are assigned',
    check: Check.OverSmall,
    code: FailOverlap,
    act: ({ assign, unassign }) => {
      assign(HEAD + 1, 0x1000);
      return unassign(HEAD, M2);
    },
  },
  {
    name: 'a page while another CPU updates its neighbour',
    check: Check.ContendedOther,
    code: FailOverlap,
    act: ({ hw, assign }) => {
      hw.contention.set(HEAD + 1, 1);
      return assign(HEAD + 2, 0x2000);
    },
  },
  {
    name: 'a page while another CPU updates the same entry',
    check: Check.ContendedSame,
    code: FailInuse,
    act: ({ hw, assign }) => {
      hw.contention.set(HEAD + 2, 1);
      return assign(HEAD + 2, 0x2000);
    },
  },
];

for (const { name, check, code, act, options } of refused) {
  test(`RMPUPDATE refuses ${name}`, () => {
    const kit = host(options);
    let before = '';
    const records = kit.trace.record.bind(kit.trace);
    kit.trace.record = (...args) => {
      before = `${kit.hw.rmp.rawLow(HEAD as never)} ${kit.hw.rmp.rawLow((HEAD + 1) as never)} ${kit.hw.rmp.asidPages.join()}`;
      return records(...args);
    };
    assert.equal(act(kit), code);
    if (kit.trace.length === 0) return; // a host of its own
    assert.equal(lastCheck(kit), check);
    assert.equal(kit.trace.kind[kit.trace.length - 1], EventKind.Rmpupdate);
    assert.equal(
      `${kit.hw.rmp.rawLow(HEAD as never)} ${kit.hw.rmp.rawLow((HEAD + 1) as never)} ${kit.hw.rmp.asidPages.join()}`,
      before,
      'a refused RMPUPDATE changes nothing',
    );
  });
}

test('every check of RMPUPDATE is refused above', () => {
  const covered = new Set(refused.map((row) => row.check));
  for (const row of host().hw.rmpupdateOrder) assert.ok(covered.has(row.check), row.doc);
});

// ---- which code, when several checks fail ----------------------------------------------------------------------------------------------

test('an entry in use and immutable gives FAIL_INUSE, and the verdict rests on the order of checks', () => {
  const kit = host();
  kit.assign(HEAD, 0, { immutable: 1 });
  kit.hw.setInUse(HEAD as never, true);
  kit.hw.reliedOn = 0;
  assert.equal(kit.unassign(HEAD), FailInuse);
  assert.deepEqual(relied(kit), ['rmpupdate-check-order']);
});

test('the order of checks is an option', () => {
  const kit = host({ rmpupdateCheckOrder: 'permission-inuse-overlap' });
  kit.assign(HEAD, 0, { immutable: 1 });
  kit.hw.setInUse(HEAD as never, true);
  assert.equal(kit.unassign(HEAD), FailPermission);
});

test('an HV_FIXED page beside the RMP’s own pages, under a locked head, gives FAIL_PERMISSION', () => {
  const kit = host();
  kit.hw.writeRaw(HEAD as never, 0x7fd, 0x80000000, 0, 0);
  kit.hw.writeRaw((HEAD + 256) as never, 4, 0, 0, 0);
  assert.equal(kit.assign(HEAD + 256, 0x1000), FailPermission);
});

test('a code that no option could change relies on none', () => {
  const kit = host();
  kit.assign(HEAD, 0, { size: M2 });
  kit.unassign(HEAD + 1);
  assert.deepEqual(relied(kit), []);
});

// ---- Validated ---------------------------------------------------------------------------------------------------------------------------

const validate = (kit: Kit, gfn: number, pfn: number) => {
  const guest = kit.hw.guests.get(1)!;
  guest.npt.map(gfn, pfn, 1, true);
  assert.equal(kit.hw.pvalidate(guest, gfn * 4096, 0, 1), 0);
};

test('repeating the same RMPUPDATE keeps Validated, which no public text promises', () => {
  const kit = host();
  kit.assign(HEAD + 1, 0x1000);
  validate(kit, 1, HEAD + 1);
  kit.hw.reliedOn = 0;
  kit.assign(HEAD + 1, 0x1000);
  assert.equal(kit.entry(HEAD + 1), 'asid 1 · gpa 0x1000 · 4K · validated');
  assert.deepEqual(relied(kit), ['idempotent-rmpupdate-keeps-validated']);
});

test('with the option off the repeated RMPUPDATE clears Validated', () => {
  const kit = host({ idempotentRmpupdateKeepsValidated: false });
  kit.assign(HEAD + 1, 0x1000);
  validate(kit, 1, HEAD + 1);
  kit.assign(HEAD + 1, 0x1000);
  assert.equal(kit.entry(HEAD + 1), 'asid 1 · gpa 0x1000 · 4K · not validated');
});

for (const [what, act] of [
  ['remapped to another GPA', (kit: Kit) => kit.assign(HEAD + 1, 0x9000)],
  ['given to another guest', (kit: Kit) => kit.assign(HEAD + 1, 0x1000, { asid: 2 })],
  ['taken and given back', (kit: Kit) => kit.unassign(HEAD + 1) + kit.assign(HEAD + 1, 0x1000)],
] as const) {
  test(`a page ${what} is not validated any more`, () => {
    const kit = host();
    kit.assign(HEAD + 1, 0x1000);
    validate(kit, 1, HEAD + 1);
    assert.equal(act(kit), Success);
    assert.equal(kit.hw.rmp.entry((HEAD + 1) as never).validated, false);
  });
}

test('making a validated page immutable keeps Validated: it is PRE_SWAP', () => {
  const kit = host();
  kit.assign(HEAD + 1, 0x1000);
  validate(kit, 1, HEAD + 1);
  kit.assign(HEAD + 1, 0x1000, { immutable: 1 });
  assert.equal(kit.hw.rmp.pageState((HEAD + 1) as never), 'PRE_SWAP');
});

// ---- options ---------------------------------------------------------------------------------------------------------------------------------

test('low bits of RAX may be masked instead', () => {
  const kit = host({ rmpupdateLowBits: 'mask' });
  assert.equal(kit.hw.rmpupdate(HEAD * 4096 + 8, 0, 1, 0, 0, 1), Success);
  assert.equal(kit.entry(HEAD), 'asid 1 · gpa 0x0 · 4K · not validated');
  assert.deepEqual(relied(kit), ['rmpupdate-low-bits']);
});

test('loose input: surplus bits are ignored, addresses aligned down', () => {
  const kit = host({ rmpupdateStrictInput: false });
  assert.equal(kit.hw.rmpupdate((HEAD + 7) * 4096, 0x201000, 3, 1, 0, 1, 0, 9), Success);
  assert.equal(kit.entry(HEAD + 1), 'asid 1 · gpa 0x201000 · 2M · not validated');
  assert.deepEqual(relied(kit), ['rmpupdate-strict-input']);
});

test('2M to the hypervisor over 4K entries may change the first page only', () => {
  const kit = host({ rmpupdateUnassign2mOver4k: 'head-only' });
  kit.assign(HEAD, 0);
  kit.assign(HEAD + 1, 0x1000);
  assert.equal(kit.unassign(HEAD, M2), Success);
  assert.equal(kit.entry(HEAD), 'hypervisor');
  assert.equal(kit.entry(HEAD + 1), 'asid 1 · gpa 0x1000 · 4K · not validated');
  assert.equal(kit.hw.rmp.subpageCount(HEAD), 1);
  assert.deepEqual(relied(kit), ['rmpupdate-unassign-2m-over-4k']);
});

test('tails of a 2M entry may keep the fields they had, as PAGE_UNSMASH leaves them', () => {
  const kit = host({ rmpupdate2mTails: 'keep-fields' });
  kit.hw.writeRaw((HEAD + 1) as never, 0x5000, 0x40000000, 0x0f, 0);
  assert.equal(kit.assign(HEAD, 0, { size: M2 }), Success);
  assert.equal(kit.hw.rmp.rawLow((HEAD + 1) as never), 0x4000000000005001n);
  assert.equal(kit.entry(HEAD + 1), 'asid 1 · gpa 0x1000 · 2M · not validated');
});

test('a transient conflict passes: the instruction succeeds when it is repeated', () => {
  const kit = host();
  kit.hw.contention.set(HEAD + 1, 2);
  assert.deepEqual(
    [1, 2, 3].map(() => kit.assign(HEAD + 2, 0x2000)),
    [FailOverlap, FailOverlap, Success],
  );
});

test('a conflict in one 2M region leaves the others alone', () => {
  const kit = host();
  kit.hw.contention.set(HEAD + 1, 1);
  assert.equal(kit.assign(HEAD + 512, 0x2000), Success);
});

// ---- trace -------------------------------------------------------------------------------------------------------------------------------------

test('an RMPUPDATE leaves one event, whose cause is the page’s change before', () => {
  const kit = host();
  kit.assign(HEAD + 1, 0x3000);
  kit.assign(HEAD + 1, 0x4000, { asid: 2, immutable: 1 });
  const { trace } = kit;
  assert.equal(trace.length, 2);
  assert.deepEqual([trace.kind[1], trace.page[1], trace.code[1]], [EventKind.Rmpupdate, HEAD + 1, 0]);
  assert.deepEqual([trace.a[1], trace.b[1]], [1 | (1 << 2) | (2 << 3), 0x4000]);
  assert.deepEqual([trace.cause[0], trace.cause[1]], [-1, 0]);
});

test('a FAIL_OVERLAP of a 2M request points at what made the 4K entries', () => {
  const kit = host();
  kit.assign(HEAD + 3, 0x3000);
  kit.assign(HEAD + 600, 0x9000);
  kit.assign(HEAD, 0, { size: M2 });
  assert.equal(kit.trace.cause[2], 0);
});

test('pages beyond 8 TiB, where frame numbers outgrow 31 bits, work like any other', () => {
  const kit = host({}, { memoryBytes: 2 ** 52 });
  const far = 2 ** 40 - 512;
  assert.equal(kit.assign(far + 5, 2 ** 50 + 0x5000), Success);
  assert.equal(kit.entry(far + 5), 'asid 1 · gpa 0x4000000005000 · 4K · not validated');
  assert.equal(kit.hw.rmp.subpageCount(far), 1);
  kit.journal.undoTo(0);
  assert.equal(kit.entry(far + 5), 'hypervisor');
});
