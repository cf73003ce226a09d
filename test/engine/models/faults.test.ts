/** Nested page faults in kvm-rfc-v8: what is mapped, at which level, and what the handler of RMP faults does and does not do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Access } from '../../../engine/hardware/access.ts';
import { Fault } from '../../../engine/hardware/fault-codes.ts';
import type { GuestContext } from '../../../engine/hardware/machine.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import { ModelMachine, type ModelOptions, PAGE, PRIVATE, SHARED, SIZEM } from './model-machine.ts';

const M2 = 512 * PAGE;
const machine = (options: ModelOptions = {}) => new ModelMachine('kvm-rfc-v8', options);
type Guest = ReturnType<ModelMachine['guest']>;
const context = (m: ModelMachine, g: Guest) => m.hardware.guests.get(g.asid) as GuestContext;

/** The loop of a vCPU: try, let KVM handle #NPF, try again. What it came to, after at most `limit` faults. */
function attempt(m: ModelMachine, g: Guest, gpa: number, tryOnce: () => number, limit = 6): string {
  for (let faults = 0; faults <= limit; faults++) {
    const fault = tryOnce();
    if (fault === Fault.None) return faults === 0 ? 'ok' : `ok after ${faults}`;
    if (fault !== Fault.NPF) return `fault ${fault}`;
    const r = Number(m.call('scenario_npf', g.vcpu, gpa, m.hardware.faultCode));
    if (r < 0) return `error ${r}`;
    if (r === 0) return `exit ${m.call('scenario_exit_reason', g.vcpu)} flags ${m.call('scenario_exit_flags', g.vcpu)}`;
  }
  return 'stuck';
}

const access = (m: ModelMachine, g: Guest, gpa: number, kind: Access, cbit: number): string =>
  attempt(m, g, gpa, () => m.hardware.guestAccess(context(m, g), gpa, kind, cbit));

const pvalidate = (m: ModelMachine, g: Guest, gpa: number, size: number): string =>
  attempt(m, g, gpa, () => (m.hardware.pvalidate(context(m, g), gpa, size, 1) === -1 ? m.hardware.fault : Fault.None));

function convert(m: ModelMachine, g: Guest, gpa: number, size: number, attributes: number): void {
  assert.equal(m.call('scenario_set_memory_attributes', g.kvm, gpa, size, attributes), 0);
}

test('a private page is mapped at 4K with the pfn of the file, and its reference is dropped', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  convert(m, g, 0x3000, PAGE, PRIVATE);
  assert.equal(pvalidate(m, g, 0x3000, 0), 'ok after 1');
  assert.equal(access(m, g, 0x3000, Access.Write, 1), 'ok');
  assert.deepEqual([context(m, g).npt.walk(3), context(m, g).npt.level], [g.pfn + 3, 1]);
  assert.equal(m.kernel.references.outstanding, 0);
  assert.deepEqual(m.kernel.locks.held(), []);
});

test('a private 2M entry is mapped at 2M, and PVALIDATE of 2M succeeds', () => {
  const m = machine();
  const g = m.guest({ pages: 512, order: 9 });
  convert(m, g, 0, M2, PRIVATE);
  assert.equal(pvalidate(m, g, 0, 1), 'ok after 1');
  assert.equal(context(m, g).npt.lookup(5)?.level, 2);
  assert.equal(access(m, g, 0x5000, Access.Read, 1), 'ok');
});

test('4K entries are never mapped at 2M, however large the folio (patch 37)', () => {
  const m = machine();
  const g = m.guest({ pages: 512, order: 9 });
  convert(m, g, 0, M2 - PAGE, PRIVATE);
  convert(m, g, M2 - PAGE, PAGE, PRIVATE);
  assert.equal(access(m, g, 0x5000, Access.Read, 1), `fault ${Fault.VC}`);
  assert.equal(context(m, g).npt.lookup(5)?.level, 1);
});

test('a region of mixed attributes is not mapped as one', () => {
  const m = machine();
  const g = m.guest({ pages: 512, order: 9 });
  convert(m, g, 0, M2, PRIVATE);
  convert(m, g, 0x10000, PAGE, SHARED);
  assert.equal(m.kernel.largePages.isMixed(1, 0, 2), true);
  assert.equal(access(m, g, 0x10000, Access.Write, 0), 'ok after 1');
  assert.deepEqual([context(m, g).npt.walk(16), context(m, g).npt.level], [0x80010, 1]);
  convert(m, g, 0x10000, PAGE, PRIVATE);
  assert.equal(m.kernel.largePages.isMixed(1, 0, 2), false);
});

test('an access that does not match the attribute exits to userspace with what it was', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  assert.equal(access(m, g, 0x3000, Access.Write, 1), 'exit 38 flags 8');
  assert.equal(m.call('scenario_exit_gpa', g.vcpu), 0x3000);
  convert(m, g, 0x3000, PAGE, PRIVATE);
  assert.equal(access(m, g, 0x3000, Access.Write, 0), 'exit 38 flags 0');
});

test('a gpa outside all slots is MMIO', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  assert.equal(access(m, g, 0x100000, Access.Read, 0), 'exit 6 flags 0');
});

test('PVALIDATE of 4K on a 2M entry: the entry is split, the mapping dropped, the rest keeps Validated (C27)', () => {
  const m = machine();
  const g = m.guest({ pages: 512, order: 9 });
  convert(m, g, 0, M2, PRIVATE);
  assert.equal(pvalidate(m, g, 0, 1), 'ok after 1');
  assert.equal(pvalidate(m, g, 0x7000, 0), 'ok after 2');
  assert.equal(m.entry(g.pfn + 8), '4K gfn 0x8 asid 1 validated');
  assert.equal(m.events(EventKind.Psmash).length, 1);
  assert.equal(m.kernel.references.outstanding, 0);
});

test('a 4K mapping of a 2M entry is never resolved for a plain access (C23), unless hardware reports SIZEM for it', () => {
  for (const [sizem, outcome] of [
    [false, 'stuck'],
    [true, `fault ${Fault.VC}`],
  ] as const) {
    const m = machine({ hardware: { sizemOnPlainAccess: sizem } });
    const g = m.guest({ pages: 512, order: 9 });
    convert(m, g, 0, M2, PRIVATE);
    m.kernel.restricted.split(g.file, 0, 512);
    assert.equal(access(m, g, 0x3000, Access.Read, 1), outcome);
    assert.equal(
      m.log().some((line) => /^Unexpected RMP fault for GPA 0x3000, error_code 0x/.test(line)),
      !sizem,
    );
  }
});

test('a 2M mapping of 4K entries: a read is resolved by the slow path, a write is taken for spurious (C24)', () => {
  for (const [kind, spurious, outcome] of [
    [Access.Read, 1, 'ok after 1'],
    [Access.Write, 1, 'stuck'],
    [Access.Write, 0, 'ok after 1'],
  ] as const) {
    const m = machine();
    const g = m.guest({ pages: 512, order: 9 });
    m.kernel.setOption('fast-page-fault-spurious', spurious);
    convert(m, g, 0, M2, PRIVATE);
    assert.equal(pvalidate(m, g, 0, 1), 'ok after 1');
    assert.equal(m.call('psmash', g.pfn), 0);
    assert.equal(access(m, g, 0x3000, kind, 1), outcome);
  }
});

test('a private access to a page that KVM has not given the RMP yet goes round until it has (C26)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  m.call('kvm_vm_set_region_attr', g.kvm, 0, 1, PRIVATE);
  assert.equal(access(m, g, 0, Access.Read, 1), 'stuck');
  assert.equal(m.call('rmp_make_private', g.pfn, 0, 1, 1, 0), 0);
  assert.equal(access(m, g, 0, Access.Read, 1), `fault ${Fault.VC}`);
});

test('a page that cannot be had makes the guest fault for ever (C12)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  m.kernel.restricted.setFailure(g.file, 0, 1, 28);
  convert(m, g, 0, PAGE, PRIVATE);
  assert.equal(access(m, g, 0, Access.Read, 1), 'stuck');
  m.kernel.restricted.setFailure(g.file, 0, 1, 0);
  assert.equal(access(m, g, 0, Access.Read, 1), 'stuck');
  convert(m, g, 0, PAGE, PRIVATE);
  assert.equal(access(m, g, 0, Access.Read, 1), `fault ${Fault.VC}`);
});

test('the handler of RMP faults says why it does nothing', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  m.call('scenario_add_slot', g.kvm, 1, 64, 16, 0, -1, 0, 0x90000);
  m.call('handle_rmp_page_fault', g.vcpu, 0x1000, SIZEM);
  m.call('kvm_vm_set_region_attr', g.kvm, 1, 2, PRIVATE);
  m.call('handle_rmp_page_fault', g.vcpu, 0x1000, SIZEM);
  m.kernel.restricted.setFailure(g.file, 1, 2, 12);
  m.call('handle_rmp_page_fault', g.vcpu, 0x1000, SIZEM);
  m.call('kvm_vm_set_region_attr', g.kvm, 64, 65, PRIVATE);
  m.call('handle_rmp_page_fault', g.vcpu, 64 * PAGE, SIZEM);
  assert.deepEqual(m.log(), [
    'Unexpected RMP fault, size-mismatch for non-private GPA 0x1000',
    'Unexpected RMP fault, no assigned RMP entry for GPA 0x1000',
    'Unexpected RMP fault, no private backing page for GPA 0x1000',
    'Unexpected RMP fault, non-private slot for GPA 0x40000',
  ]);
  assert.equal(m.kernel.references.outstanding, 0);
});

test('outside all slots the handler uses a slot that is not there', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  m.call('kvm_vm_set_region_attr', g.kvm, 4096, 4097, PRIVATE);
  assert.throws(() => m.call('handle_rmp_page_fault', g.vcpu, 4096 * PAGE, SIZEM), /NULL.*handle_rmp_page_fault/);
});

test('a PSMASH of what is split already fails, which is only printed, and the mapping is dropped from the faulting gfn on', () => {
  const m = machine();
  const g = m.guest({ pages: 1024, order: 9 });
  convert(m, g, 0, M2 - PAGE, PRIVATE);
  convert(m, g, M2, M2, PRIVATE);
  context(m, g).npt.map(1, g.pfn + 1, 1, true);
  context(m, g).npt.map(300, g.pfn + 300, 1, true);
  context(m, g).npt.map(512, g.pfn + 512, 2, true);
  m.call('handle_rmp_page_fault', g.vcpu, 200 * PAGE, SIZEM);
  assert.deepEqual(m.log(), [`Unable to split RMP entries for GPA 0xc8000 PFN 0x400c8 ret 7`]);
  assert.deepEqual(
    [1, 300, 512].map((gfn) => context(m, g).npt.walk(gfn)),
    [g.pfn + 1, -1, -1],
  );
});

test('is_gfn_range_shared leaves out the first gfn and looks at the one behind the end', () => {
  const m = machine();
  const g = m.guest({ pages: 1024 });
  assert.equal(m.call('is_gfn_range_shared', g.kvm, 0, 512), 1);
  m.call('kvm_vm_set_region_attr', g.kvm, 0, 1, PRIVATE);
  assert.equal(m.call('is_gfn_range_shared', g.kvm, 0, 512), 1);
  m.call('kvm_vm_set_region_attr', g.kvm, 512, 513, PRIVATE);
  assert.equal(m.call('is_gfn_range_shared', g.kvm, 0, 512), 0);
});
