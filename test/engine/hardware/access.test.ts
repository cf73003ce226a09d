import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Access } from '../../../engine/hardware/access.ts';
import {
  Fault,
  FaultBit,
  faultCode,
  formatFaultInFull,
  hasBit,
  sameSnpBits,
} from '../../../engine/hardware/fault-codes.ts';
import { reliedOptions } from '../../../engine/hardware/options.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import { HEAD, host, K4, type Kit, lastFault, M2, PRIVATE, SHARED } from './machine-kit.ts';

const GPA = 0x200000;
const guestOf = ({ hw }: Kit) => hw.guests.get(1)!;

// ---- host ---------------------------------------------------------------------------------------------------------------------------

test('a host write to an unassigned page succeeds', () => {
  const { hw } = host();
  assert.equal(hw.hostAccess(HEAD, Access.Write, 1), Fault.None);
});

test('a host write to a guest’s page is #PF(RMP), error code 0x80000003', () => {
  const kit = host();
  kit.assign(HEAD + 1, GPA);
  assert.equal(kit.hw.hostAccess(HEAD + 1, Access.Write, 1), Fault.PF);
  assert.equal(lastFault(kit.hw), '#PF(RMP)');
  assert.equal(kit.hw.faultCode, 0x80000003);
  kit.hw.hostAccess(HEAD + 1, Access.Write, 1, true);
  assert.equal(kit.hw.faultCode, 0x80000007);
});

test('a host read of a guest’s page is not checked: it sees ciphertext', () => {
  const kit = host();
  kit.assign(HEAD, GPA, { size: M2 });
  assert.equal(kit.hw.hostAccess(HEAD + 3, Access.Read, 2), Fault.None);
});

for (const level of [2, 3] as const) {
  test(`a host write through a mapping of level ${level} needs all 512 pages unassigned`, () => {
    const kit = host();
    assert.equal(kit.hw.hostAccess(HEAD, Access.Write, level), Fault.None);
    kit.assign(HEAD + 300, GPA);
    assert.equal(kit.hw.hostAccess(HEAD, Access.Write, level), Fault.PF);
    assert.equal(kit.hw.hostAccess(HEAD, Access.Write, 1), Fault.None, 'the same page through a 4K mapping');
    assert.equal(kit.hw.hostAccess(HEAD + 512, Access.Write, level), Fault.None, '1G mappings are checked as 2M');
  });
}

test('a tail of a 2M entry is not the host’s', () => {
  const kit = host();
  kit.assign(HEAD, GPA, { size: M2 });
  assert.equal(kit.hw.hostAccess(HEAD + 511, Access.Write, 1), Fault.PF);
});

test('a page beyond the RMP is the hypervisor’s for ever', () => {
  const { hw } = host();
  assert.equal(hw.hostAccess(0x100000, Access.Write, 2), Fault.None);
});

test('a host write to an in-use page faults, unless the processor allows it', () => {
  const early = host();
  early.hw.setInUse((HEAD + 1) as never, true);
  assert.equal(early.hw.hostAccess(HEAD + 1, Access.Write, 1), Fault.PF);
  const late = host({ hvInUseWrAllowed: true });
  late.hw.setInUse((HEAD + 1) as never, true);
  assert.equal(late.hw.hostAccess(HEAD + 1, Access.Write, 1), Fault.None);
});

test('erratum: an in-use page that is 2M-aligned makes a write to its neighbour through a 2M mapping fault', () => {
  const kit = host();
  kit.hw.setInUse(HEAD as never, true);
  assert.equal(kit.hw.hostAccess(HEAD + 1, Access.Write, 2), Fault.PF);
  assert.equal(kit.hw.hostAccess(HEAD + 1, Access.Write, 1), Fault.None);
  const mended = host({ inUse2mErratum: false });
  mended.hw.setInUse(HEAD as never, true);
  assert.equal(mended.hw.hostAccess(HEAD + 1, Access.Write, 2), Fault.None);
});

test('a host fault’s cause is the change that took the page, also for a neighbour in a 2M mapping', () => {
  const kit = host();
  kit.assign(HEAD + 300, GPA);
  kit.hw.hostAccess(HEAD, Access.Write, 2);
  assert.deepEqual([kit.trace.kind[1], kit.trace.cause[1]], [EventKind.Fault, 0]);
});

// ---- guest, private: the whole matrix -------------------------------------------------------------------------------------------------

type Make = (kit: Kit) => void;
const validate = (kit: Kit, size: 0 | 1) => {
  const guest = guestOf(kit);
  guest.npt.map(0x200, HEAD, size === M2 ? 2 : 1, true);
  assert.equal(kit.hw.pvalidate(guest, GPA, size, 1), 0);
  guest.npt.zap(0, 0x400);
};
const states: [name: string, make: Make, npt4k: string, npt2m: string][] = [
  ['unassigned', () => {}, '#NPF(RMP|ENC)', '#NPF(RMP|ENC)'],
  ['of another ASID', (kit) => kit.assign(HEAD, GPA, { asid: 2 }), '#NPF(RMP|ENC)', '#NPF(RMP|ENC)'],
  ['bound to another GPA', (kit) => kit.assign(HEAD, GPA + 0x1000), '#NPF(RMP|ENC)', '#NPF(RMP|ENC)'],
  ['immutable', (kit) => kit.assign(HEAD, GPA, { immutable: 1 }), '#NPF(RMP|ENC)', '#NPF(RMP|ENC)'],
  ['4K, not validated', (kit) => kit.assign(HEAD, GPA), '#VC(0x404)', '#NPF(RMP|ENC)'],
  [
    '4K, validated',
    (kit) => {
      kit.assign(HEAD, GPA);
      validate(kit, K4);
    },
    'ok',
    '#NPF(RMP|ENC)',
  ],
  ['2M, not validated', (kit) => kit.assign(HEAD, GPA, { size: M2 }), '#NPF(RMP|ENC)', '#VC(0x404)'],
  [
    '2M, validated',
    (kit) => {
      kit.assign(HEAD, GPA, { size: M2 });
      validate(kit, M2);
    },
    '#NPF(RMP|ENC)',
    'ok',
  ],
];
const accesses: [name: string, access: Access, cbit: number][] = [
  ['private read', Access.Read, PRIVATE],
  ['private write', Access.Write, PRIVATE],
  ['fetch', Access.Fetch, SHARED],
  ['page-table walk', Access.PageTable, SHARED],
  ['page-table walk that sets A or D', Access.PageTableWrite, SHARED],
];

for (const [name, make, npt4k, npt2m] of states) {
  for (const [what, access, cbit] of accesses) {
    for (const level of [1, 2] as const) {
      const wanted = level === 1 ? npt4k : npt2m;
      test(`${what}, page ${name}, NPT ${level === 1 ? '4K' : '2M'}: ${wanted}`, () => {
        const kit = host();
        make(kit);
        guestOf(kit).npt.map(0x200, HEAD, level, true);
        kit.hw.guestAccess(guestOf(kit), GPA, access, cbit);
        assert.equal(kit.hw.fault === Fault.None ? 'ok' : lastFault(kit.hw), wanted);
      });
    }
  }
}

test('a tail is checked through the head, with its offset added to the GPA', () => {
  const kit = host();
  kit.assign(HEAD, GPA, { size: M2 });
  validate(kit, M2);
  const guest = guestOf(kit);
  guest.npt.map(0x200, HEAD, 2, true);
  assert.equal(kit.hw.guestAccess(guest, GPA + 0x5123, Access.Read, PRIVATE), Fault.None);
  assert.equal(kit.hw.accessPfn, HEAD + 5);
});

test('a guest frame mapped to the page after the right one fails the reverse map', () => {
  const kit = host();
  kit.assign(HEAD, GPA, { size: M2 });
  guestOf(kit).npt.map(0x201, HEAD + 2, 1, true);
  kit.hw.guestAccess(guestOf(kit), GPA + 0x1000, Access.Read, PRIVATE);
  assert.equal(lastFault(kit.hw), '#NPF(RMP|ENC)');
});

test('SIZEM on a plain access is an option, and either way the verdict says that it depends on it', () => {
  for (const sizemOnPlainAccess of [false, true]) {
    const kit = host({ sizemOnPlainAccess });
    kit.assign(HEAD, GPA, { size: M2 });
    guestOf(kit).npt.map(0x200, HEAD, 1, true);
    kit.hw.guestAccess(guestOf(kit), GPA, Access.Read, PRIVATE);
    assert.equal(lastFault(kit.hw), sizemOnPlainAccess ? '#NPF(RMP|ENC|SIZEM)' : '#NPF(RMP|ENC)');
    assert.deepEqual(
      reliedOptions(kit.hw.reliedOn).map((row) => row.name),
      ['sizem-on-plain-access'],
    );
  }
});

// ---- guest, VMPL ---------------------------------------------------------------------------------------------------------------------------

const R = 1;
const W = 2;
const XU = 4;
const XS = 8;
for (const [mask, access, user, wanted] of [
  [R, Access.Read, false, 'ok'],
  [R, Access.Write, false, '#NPF(RMP|ENC|VMPL)'],
  [R | W, Access.Write, false, 'ok'],
  [W, Access.Write, false, '#NPF(RMP|ENC|VMPL)'],
  [W, Access.Read, false, '#NPF(RMP|ENC|VMPL)'],
  [XU, Access.Fetch, true, 'ok'],
  [XU, Access.Fetch, false, '#NPF(RMP|ENC|VMPL)'],
  [XS, Access.Fetch, false, 'ok'],
  [XS, Access.Fetch, true, '#NPF(RMP|ENC|VMPL)'],
  [R, Access.PageTable, false, 'ok'],
  [R, Access.PageTableWrite, false, '#NPF(RMP|ENC|VMPL)'],
  [R | W, Access.PageTableWrite, false, 'ok'],
  [0, Access.Read, false, '#NPF(RMP|ENC|VMPL)'],
] as const) {
  test(`VMPL1 with mask ${mask.toString(2).padStart(4, '0')}: access ${access}${user ? ' at CPL 3' : ''} is ${wanted}`, () => {
    const kit = host();
    kit.assign(HEAD, GPA, { immutable: 1 });
    assert.equal(kit.hw.snpLaunchUpdate(1, HEAD, 1, K4, [mask, 0, 0]), 0);
    guestOf(kit).npt.map(0x200, HEAD, 1, true);
    kit.hw.guestAccess(guestOf(kit), GPA, access, PRIVATE, 1, user);
    assert.equal(kit.hw.fault === Fault.None ? 'ok' : lastFault(kit.hw), wanted);
  });
}

test('an access that is not validated and not permitted is #VC: Validated counts before VMPL', () => {
  const kit = host();
  kit.assign(HEAD, GPA);
  guestOf(kit).npt.map(0x200, HEAD, 1, true);
  kit.hw.guestAccess(guestOf(kit), GPA, Access.Read, PRIVATE, 3);
  assert.equal(lastFault(kit.hw), '#VC(0x404)');
});

test('with shadow stacks a VMPL fault mirrors the mask’s SSS bit', () => {
  const kit = host({ vmplSss: true });
  kit.assign(HEAD, GPA, { immutable: 1 });
  kit.hw.snpLaunchUpdate(1, HEAD, 1, K4, [16, 0, 0]);
  guestOf(kit).npt.map(0x200, HEAD, 1, true);
  kit.hw.guestAccess(guestOf(kit), GPA, Access.Write, PRIVATE, 1);
  assert.equal(lastFault(kit.hw), '#NPF(RMP|ENC|VMPL|SSS)');
});

// ---- guest, shared ---------------------------------------------------------------------------------------------------------------------------

test('a shared read is never checked', () => {
  const kit = host();
  kit.assign(HEAD, GPA, { asid: 2 });
  guestOf(kit).npt.map(0x200, HEAD, 1, true);
  assert.equal(kit.hw.guestAccess(guestOf(kit), GPA, Access.Read, SHARED), Fault.None);
});

test('a shared write to an assigned page exits without ENC', () => {
  const kit = host();
  kit.assign(HEAD, GPA);
  guestOf(kit).npt.map(0x200, HEAD, 1, true);
  kit.hw.guestAccess(guestOf(kit), GPA, Access.Write, SHARED);
  assert.equal(lastFault(kit.hw), '#NPF(RMP)');
});

test('a shared write through a 2M nested mapping needs all 512 pages unassigned', () => {
  const kit = host();
  guestOf(kit).npt.map(0x200, HEAD, 2, true);
  assert.equal(kit.hw.guestAccess(guestOf(kit), GPA, Access.Write, SHARED), Fault.None);
  kit.assign(HEAD + 9, 0x9000);
  kit.hw.guestAccess(guestOf(kit), GPA, Access.Write, SHARED);
  assert.equal(lastFault(kit.hw), '#NPF(RMP)');
});

test('a guest without SNP writes and walks to hypervisor-owned pages only', () => {
  const kit = host();
  const plain = kit.hw.addGuest(9, false);
  kit.assign(HEAD, GPA);
  plain.npt.map(0x200, HEAD, 1, true);
  for (const [access, wanted] of [
    [Access.Read, Fault.None],
    [Access.Fetch, Fault.None],
    [Access.Write, Fault.NPF],
    [Access.PageTable, Fault.NPF],
    [Access.PageTableWrite, Fault.NPF],
  ] as const) {
    assert.equal(kit.hw.guestAccess(plain, GPA, access, PRIVATE), wanted, `access ${access}`);
    if (wanted !== Fault.None) assert.equal(lastFault(kit.hw), '#NPF(RMP)');
  }
});

// ---- nested paging first -----------------------------------------------------------------------------------------------------------------------

test('a page that is not mapped exits before any RMP check, with ENC for a private access', () => {
  const kit = host();
  kit.hw.guestAccess(guestOf(kit), GPA, Access.Write, PRIVATE);
  assert.equal(lastFault(kit.hw), '#NPF(not present|ENC)');
  assert.equal(kit.hw.faultCode, faultCode(['W', 'U', 'GUEST_FINAL', 'ENC']));
  kit.hw.guestAccess(guestOf(kit), GPA, Access.PageTable, SHARED);
  assert.equal(formatFaultInFull(kit.hw.fault, kit.hw.faultCode), '#NPF(U|GUEST_PAGE|ENC), error code 0x600000004');
});

test('a write to a page mapped read-only exits for the nested page table, not for the RMP', () => {
  const kit = host();
  guestOf(kit).npt.map(0x200, HEAD, 1, false);
  kit.hw.guestAccess(guestOf(kit), GPA, Access.Write, PRIVATE);
  assert.equal(lastFault(kit.hw), '#NPF(P|W|U|GUEST_FINAL|ENC)');
});

test('a large entry with a misaligned frame has reserved bits set', () => {
  const kit = host();
  guestOf(kit).npt.map(0x200, HEAD + 1, 2, true);
  kit.hw.guestAccess(guestOf(kit), GPA, Access.Read, PRIVATE);
  assert.equal(hasBit(kit.hw.faultCode, 'RSVD'), true);
});

test('a guest fault’s cause is the change of the page it hit, or of the mapping that is missing', () => {
  const kit = host();
  const guest = guestOf(kit);
  kit.assign(HEAD, GPA); // event 0
  guest.npt.map(0x200, HEAD, 1, true); // 1
  kit.hw.guestAccess(guest, GPA, Access.Read, PRIVATE); // 2
  guest.npt.zap(0x200, 0x201); // 3
  kit.hw.guestAccess(guest, GPA, Access.Read, PRIVATE); // 4
  assert.deepEqual([kit.trace.cause[2], kit.trace.cause[4]], [0, 3]);
});

// ---- spurious faults ----------------------------------------------------------------------------------------------------------------------

test('while another CPU holds the region, an access with an RMP check may fault once for no reason of its own', () => {
  const kit = host({ contendedAccessFaults: true });
  const { hw } = kit;
  const guest = guestOf(kit);
  kit.assign(HEAD, GPA);
  guest.npt.map(0x200, HEAD, 1, true);
  hw.pvalidate(guest, GPA, K4, 1);
  const attempts: readonly (readonly [string, () => Fault])[] = [
    ['#PF(RMP)', () => hw.hostAccess(HEAD + 1, Access.Write, 1)],
    ['#NPF(RMP|ENC)', () => hw.guestAccess(guest, GPA, Access.Read, PRIVATE)],
  ];
  for (const [fault, attempt] of attempts) {
    hw.contention.set(HEAD + 8, 1);
    assert.notEqual(attempt(), Fault.None);
    assert.equal(lastFault(hw), fault);
    assert.match(hw.refusal?.reason ?? '', /another CPU/);
    assert.equal(attempt(), Fault.None, 'done again');
  }
  hw.contention.set(HEAD + 8, 1);
  assert.equal(hw.hostAccess(HEAD + 1, Access.Read, 1), Fault.None, 'reads are not checked');
  assert.equal(hw.hostAccess(HEAD + 512, Access.Write, 1), Fault.None, 'another region');
  assert.equal(hw.contention.active, 1);
});

test('an access that goes through the TLB looks at no entry, and meets nobody there', () => {
  const kit = host({ contendedAccessFaults: true, guestTlb: true });
  const { hw } = kit;
  const guest = guestOf(kit);
  kit.assign(HEAD, GPA);
  guest.npt.map(0x200, HEAD, 1, true);
  hw.pvalidate(guest, GPA, K4, 1);
  hw.guestAccess(guest, GPA, Access.Read, PRIVATE);
  hw.contention.set(HEAD, 1);
  assert.equal(hw.guestAccess(guest, GPA, Access.Read, PRIVATE), Fault.None);
  assert.equal(hw.contention.active, 1);
  assert.equal(hw.guestAccess(guest, GPA, Access.Write, PRIVATE), Fault.NPF, 'a write walks');
});

test('without the option accesses do not notice, and the result is said to depend on it', () => {
  const kit = host();
  kit.hw.contention.set(HEAD, 1);
  kit.hw.reliedOn = 0;
  assert.equal(kit.hw.hostAccess(HEAD, Access.Write, 1), Fault.None);
  assert.deepEqual(
    reliedOptions(kit.hw.reliedOn).map((option) => option.name),
    ['contended-access-faults'],
  );
});

// ---- error codes ----------------------------------------------------------------------------------------------------------------------------

test('outcomes are compared by their SNP bits', () => {
  const code = faultCode(['P', 'W', 'U', 'RMP', 'ENC', 'GUEST_FINAL'])!;
  assert.ok(sameSnpBits(faultCode(['RMP', 'ENC'])!, code));
  assert.ok(!sameSnpBits(faultCode(['RMP'])!, code));
  assert.ok(!sameSnpBits(faultCode(['RMP', 'ENC', 'SIZEM'])!, code));
  assert.equal(faultCode(['RMP', 'TYPO']), undefined);
  assert.equal(FaultBit.ENC, 2 ** 34);
});
