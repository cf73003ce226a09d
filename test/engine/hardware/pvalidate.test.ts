import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULTED } from '../../../engine/hardware/instruction-checks.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import { HEAD, host, K4, type Kit, lastFault, M2 } from './machine-kit.ts';

/** A guest page at GPA 0x200000 in the RMP and the NPT, each of the size given; null leaves it out. */
function page(
  rmp: 0 | 1 | null,
  npt: 1 | 2 | 3 | null,
  options = {},
): Kit & { guest: ReturnType<Kit['hw']['addGuest']> } {
  const kit = host(options);
  const guest = kit.hw.guests.get(1)!;
  // A 1G mapping starts at GPA 0, so the page lies 2M into its gigabyte.
  if (rmp !== null) kit.assign(npt === 3 ? HEAD + 0x200 : HEAD, 0x200000, { size: rmp });
  if (npt !== null) guest.npt.map(npt === 3 ? 0 : 0x200, HEAD, npt, true);
  return { ...kit, guest };
}

test('PVALIDATE accepts a 4K page: EAX=0, CF=0', () => {
  const { hw, guest, entry } = page(K4, 1);
  assert.deepEqual([hw.pvalidate(guest, 0x200000, K4, 1), hw.carry], [0, 0]);
  assert.equal(entry(HEAD), 'asid 1 · gpa 0x200000 · 4K · validated');
});

test('PVALIDATE accepts a 2M page with one bit', () => {
  const { hw, guest, entry } = page(M2, 2);
  assert.deepEqual([hw.pvalidate(guest, 0x200000, M2, 1), hw.carry], [0, 0]);
  assert.equal(entry(HEAD + 77), 'asid 1 · gpa 0x24d000 · 2M · validated');
});

test('PVALIDATE without a change sets CF', () => {
  const { hw, guest } = page(K4, 1);
  hw.pvalidate(guest, 0x200000, K4, 1);
  assert.deepEqual([hw.pvalidate(guest, 0x200000, K4, 1), hw.carry], [0, 1]);
});

test('PVALIDATE gives acceptance back', () => {
  const { hw, guest, entry } = page(K4, 1);
  hw.pvalidate(guest, 0x200000, K4, 1);
  assert.deepEqual([hw.pvalidate(guest, 0x200000, K4, 0), hw.carry], [0, 0]);
  assert.equal(entry(HEAD), 'asid 1 · gpa 0x200000 · 4K · not validated');
});

test('a 2M PVALIDATE of 4K entries gives FAIL_SIZEMISMATCH and changes nothing', () => {
  for (const npt of [1, 2] as const) {
    const { hw, guest, entry } = page(K4, npt);
    assert.equal(hw.pvalidate(guest, 0x200000, M2, 1), 6);
    assert.equal(entry(HEAD), 'asid 1 · gpa 0x200000 · 4K · not validated');
  }
});

test('a 2M PVALIDATE through a 4K nested mapping gives FAIL_SIZEMISMATCH', () => {
  const { hw, guest } = page(M2, 1);
  assert.equal(hw.pvalidate(guest, 0x200000, M2, 1), 6);
});

for (const [rmp, npt, name] of [
  [M2, 1, 'a 2M entry'],
  [M2, 2, 'a 2M entry mapped as 2M'],
  [K4, 2, 'a 2M nested mapping'],
  [K4, 3, 'a 1G nested mapping'],
] as const) {
  test(`a 4K PVALIDATE of ${name} exits with SIZEM`, () => {
    const { hw, guest } = page(rmp, npt);
    assert.equal(hw.pvalidate(guest, 0x200000, K4, 1), FAULTED);
    assert.equal(lastFault(hw), '#NPF(RMP|ENC|SIZEM)');
  });
}

for (const [name, act] of [
  ['a page that nothing maps', () => page(K4, null)],
  ['an unassigned page', () => page(null, 1)],
  [
    'another guest’s page',
    () => {
      const kit = page(null, 1);
      kit.assign(HEAD, 0x200000, { asid: 2 });
      return kit;
    },
  ],
  [
    'a page bound to another GPA',
    () => {
      const kit = page(null, 1);
      kit.assign(HEAD, 0x400000);
      return kit;
    },
  ],
  [
    'an immutable page',
    () => {
      const kit = page(null, 1);
      kit.assign(HEAD, 0x200000, { immutable: 1 });
      return kit;
    },
  ],
  [
    'a page that the RMP does not cover',
    () => {
      const kit = page(null, null);
      kit.guest.npt.map(0x200, 0x100000, 1, true);
      return kit;
    },
  ],
] as const) {
  test(`PVALIDATE of ${name} exits to the hypervisor`, () => {
    const { hw, guest } = act();
    assert.equal(hw.pvalidate(guest, 0x200000, K4, 1), FAULTED);
    assert.equal(lastFault(hw), name.includes('nothing maps') ? '#NPF(not present|ENC)' : '#NPF(RMP|ENC)');
  });
}

test('PVALIDATE outside VMPL0 is #GP(0), or EAX=2 where the option says so', () => {
  const strict = page(K4, 1);
  assert.equal(strict.hw.pvalidate(strict.guest, 0x200000, K4, 1, 1), FAULTED);
  assert.equal(lastFault(strict.hw), '#GP(0)');
  const lenient = page(K4, 1, { pvalidateNonzeroVmpl: 'fail-permission' });
  assert.equal(lenient.hw.pvalidate(lenient.guest, 0x200000, K4, 1, 1), 2);
});

test('PVALIDATE refuses operands other than 0 and 1, and an address that is not aligned to the size', () => {
  const { hw, guest } = page(M2, 2);
  assert.equal(hw.pvalidate(guest, 0x200000, 2, 1), 1);
  assert.equal(hw.pvalidate(guest, 0x200000, M2, 2), 1);
  assert.equal(hw.pvalidate(guest, 0x201000, M2, 1), 1);
});

test('PVALIDATE leaves one event, also when it faults', () => {
  const { hw, guest, trace } = page(M2, 1);
  const before = trace.length;
  hw.pvalidate(guest, 0x200000, K4, 1);
  assert.equal(trace.length, before + 1);
  assert.deepEqual(
    [trace.kind[before], trace.space[before], trace.page[before], trace.code[before]],
    [EventKind.Pvalidate, 1, HEAD, -1],
  );
});
