/** kvm-6.12, nested page faults: what is prepared and mapped at which level, what goes to userspace, and what the handler of RMP faults does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Access } from '../../../engine/hardware/access.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import { access, atRest, context, M2, machine, pvalidate, REST, setAttributes } from './kvm-6.12-machine.ts';
import { ENC, PAGE, PRIVATE, RMP, SHARED, SIZEM } from './model-machine.ts';

test('an access that does not match the attribute exits with KVM_EXIT_MEMORY_FAULT, and no RMP handler runs (C32)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  assert.equal(access(m, g, 0x3000, Access.Write), 'exit 39 flags 8');
  assert.equal(m.call('scenario_exit_gpa', g.vcpu), 0x3000);
  setAttributes(m, g, 0x3000, PAGE, PRIVATE);
  assert.equal(access(m, g, 0x3000, Access.Write, 0), 'exit 39 flags 0');
  assert.deepEqual(m.log(), []);
});

test('KVM_RUN itself says EFAULT then, also with the RMP bit (V15-22)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  const control = Number(m.call('scenario_npf', g.vcpu, 0x3000, ENC + RMP));
  assert.equal(control, 0);
  assert.equal(m.call('npf_interception', g.vcpu), -14);
  assert.deepEqual(m.log(), []);
});

test('a private access to a page that is mapped as shared is not taken for spurious (C33)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  assert.equal(access(m, g, 0x3000, Access.Write, 0), 'ok after 1');
  assert.equal(context(m, g).npt.lookup(3)?.writable, true);
  assert.equal(access(m, g, 0x3000, Access.Write), 'exit 39 flags 8');
});

test('outside all slots: private memory is userspace to provide, shared memory is a device', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  assert.equal(access(m, g, 0x100000, Access.Read, 0), 'exit 6 flags 0');
  setAttributes(m, g, 0x100000, PAGE, PRIVATE);
  assert.equal(access(m, g, 0x100000, Access.Read), 'exit 39 flags 8');
});

test('private memory in a slot that has none exits as well', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  m.call('scenario_add_slot', g.kvm, 1, 64, 16, 0, -1, 0, 0x90000);
  setAttributes(m, g, 64 * PAGE, PAGE, PRIVATE);
  assert.equal(access(m, g, 64 * PAGE, Access.Read), 'exit 39 flags 8');
});

test('a page that cannot be had is an error of KVM_RUN, and is there once it can be (C12)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  setAttributes(m, g, 0, 2 * PAGE, PRIVATE);
  m.kernel.restricted.setFailure(g.file, 0, 1, 28);
  assert.equal(access(m, g, 0, Access.Read), 'error -28');
  assert.deepEqual(atRest(m), REST);
  m.kernel.restricted.setFailure(g.file, 0, 1, 0);
  assert.equal(access(m, g, 0, Access.Read), '#VC');
});

test('a page that cannot be made private is an error too, and stays as it was: next time it is tried again (C43)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  setAttributes(m, g, 0, PAGE, PRIVATE);
  // Fixed to the hypervisor: immutable and not assigned.
  m.hardware.writeRaw(g.pfn as never, 4, 0, 0, 0);
  assert.equal(access(m, g, 0, Access.Read), 'error -22');
  assert.equal(m.log()[0], 'SEV-SNP: RMPUPDATE failed for PFN 40000, pg_level: 1, ret: 2');
  assert.ok(m.log().includes('SEV: Failed to update RMP entry: GFN 0 PFN 40000 level 1 error -14'));
  assert.equal(m.log().at(-1), 'gmem: Failed to prepare folio for index 0 GFN 0 PFN 40000 error -22.');
  assert.equal(m.kernel.gmem.isUptodate(g.pfn), false);
  assert.deepEqual(atRest(m), REST);
  m.hardware.writeRaw(g.pfn as never, 0, 0, 0, 0);
  assert.equal(access(m, g, 0, Access.Read), '#VC');
});

test('a page beyond the RMP cannot be prepared: lookup error, ENOENT (C51)', () => {
  const m = machine({ memoryBytes: 2 ** 30 });
  const g = m.guest({ pages: 16, pfn: 0x3fff8 });
  assert.equal(m.hardware.rmp.covers(0x40000), false);
  assert.equal(m.call('sev_gmem_prepare', g.kvm, 0x40000, 8, 0), -2);
  assert.equal(m.log()[0], 'SEV: Failed to look up RMP entry: GFN 8 PFN 40000 error -14');
  assert.equal(m.call('sev_private_max_mapping_level', g.kvm, 0x40000), 1);
});

test('a page that something else has made private before it is first used is zeroed by the kernel, which it does not survive', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  setAttributes(m, g, 0, PAGE, PRIVATE);
  m.hardware.rmpupdate(g.pfn * PAGE, 0, 1, 0, 0, 1);
  assert.throws(() => access(m, g, 0, Access.Read), /#PF, error code 0x80000003/);
});

test('sev_gmem_prepare leaves an assigned page alone, and rounds gfn and pfn down each for itself', () => {
  const m = machine({ kernel: { debugLog: true } });
  const g = m.guest({ pages: 16 });
  assert.equal(m.call('sev_gmem_prepare', g.kvm, 0x50005, 0x407, 9), 0);
  assert.equal(m.entry(0x50005), '2M gfn 0x405 asid 1');
  assert.equal(m.call('sev_gmem_prepare', g.kvm, 0x50006, 0x999, 0), 0);
  assert.deepEqual(m.log(), [
    'sev_gmem_prepare: updated: gfn 407 pfn 50005 pfn_aligned 50000 max_order 9 level 2',
    'sev_gmem_prepare: already assigned: gfn 999 pfn 50006 max_order 0 level 2',
  ]);
});

test('2M is only chosen when nothing of the region is assigned, and the folio is large enough', () => {
  const m = machine({ kernel: { debugLog: true } });
  const g = m.guest({ pages: 16 });
  assert.equal(m.call('sev_gmem_prepare', g.kvm, 0x50000, 0, 8), 0);
  assert.equal(m.entry(0x50000), '4K gfn 0x0 asid 1');
  assert.equal(m.call('sev_gmem_prepare', g.kvm, 0x50009, 9, 9), 0);
  assert.equal(m.entry(0x50009), '4K gfn 0x9 asid 1');
  assert.ok(
    m.log().includes('is_pfn_range_shared: overlap detected, PFN 0x50000 start 0x50000 end 0x50200 RMP level 1'),
  );
});

test('a guest without SNP has nothing prepared', () => {
  const m = machine();
  const g = m.guest({ pages: 16, snp: false });
  assert.equal(m.call('sev_gmem_prepare', g.kvm, 0x50000, 0, 9), 0);
  assert.equal(m.call('sev_private_max_mapping_level', g.kvm, 0x50000), 0);
  assert.equal(m.entry(0x50000), 'shared');
  assert.equal(access(m, g, 0, Access.Write), 'ok after 1');
});

test('a 4K mapping of a 2M entry: the handler splits the entry and drops the mapping, and the access goes on (C23)', () => {
  const m = machine({ hugeFolios: true, kernel: { debugLog: true } });
  const g = m.guest({ pages: 512, order: 9 });
  setAttributes(m, g, 0, M2, PRIVATE);
  pvalidate(m, g, 0, 1);
  m.kernel.restricted.split(g.file, 0, 512);
  context(m, g).npt.zap(0, 512);
  const from = m.trace.length;
  assert.match(access(m, g, 0x3000, Access.Read), /^ok/);
  assert.equal(m.entry(g.pfn + 3), '4K gfn 0x3 asid 1 validated');
  assert.equal(m.assigned(g.pfn, 512), 512);
  const [psmash] = m.events(EventKind.Psmash, from);
  assert.ok(
    m.events(EventKind.Npt, from).some((e) => e > psmash && m.trace.a[e] < 0),
    'zapped after PSMASH',
  );
  assert.ok(
    m
      .log()
      .some((line) =>
        /^kvm_rmp_fault: vcpu 0 gpa 0{12}3000 pfn 0x40003 error_code 0x[0-9a-f]+ rmp_level 2 psmash_ret 0$/.test(line),
      ),
  );
  assert.deepEqual(atRest(m), REST);
});

test('PVALIDATE of 4K on a 2M entry is resolved the same way (C27), of 2M on 4K entries it is the guest that has to give in (C28)', () => {
  const m = machine({ hugeFolios: true });
  const g = m.guest({ pages: 1024, order: 9 });
  setAttributes(m, g, 0, 2 * M2, PRIVATE);
  assert.equal(pvalidate(m, g, 0, 1), 'ok after 1');
  assert.match(pvalidate(m, g, 0x7000, 0), /^ok/);
  assert.equal(m.entry(g.pfn + 8), '4K gfn 0x8 asid 1 validated');
  assert.equal(m.events(EventKind.Psmash).length, 1);
  assert.equal(access(m, g, 0, Access.Read), 'ok after 1');
  assert.match(pvalidate(m, g, 0, 1), /^code 6/);
});

test('a 2M mapping of 4K entries: a read is resolved by the slow path, a write is taken for spurious (C24)', () => {
  for (const [kind, spurious, outcome] of [
    [Access.Read, 1, 'ok after 1'],
    [Access.Write, 1, 'stuck'],
    [Access.Write, 0, 'ok after 1'],
  ] as const) {
    const m = machine({ hugeFolios: true });
    const g = m.guest({ pages: 512, order: 9 });
    m.kernel.setOption('fast-page-fault-spurious', spurious);
    setAttributes(m, g, 0, M2, PRIVATE);
    assert.equal(pvalidate(m, g, 0, 1), 'ok after 1');
    assert.equal(m.call('psmash', g.pfn), 0);
    assert.equal(access(m, g, 0x3000, kind), outcome);
    if (outcome !== 'stuck') {
      assert.equal(context(m, g).npt.lookup(9)?.level, 1, 'the other pages stay mapped, at 4K');
      assert.equal(access(m, g, 0x9000, Access.Write), 'ok');
    }
    assert.deepEqual(atRest(m), REST);
  }
});

test('the handler says why it does nothing', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  m.call('scenario_add_slot', g.kvm, 1, 64, 16, 0, -1, 0, 0x90000);
  const handle = (gpa: number) => m.call('sev_handle_rmp_fault', g.vcpu, gpa, RMP + ENC + SIZEM);
  handle(0x1000);
  setAttributes(m, g, 0x1000, 2 * PAGE, PRIVATE);
  setAttributes(m, g, 64 * PAGE, PAGE, PRIVATE);
  handle(64 * PAGE);
  m.kernel.restricted.setFailure(g.file, 1, 2, 12);
  handle(0x1000);
  m.kernel.restricted.setFailure(g.file, 1, 2, 0);
  assert.equal(access(m, g, 0x2000, Access.Read), '#VC');
  m.hardware.rmpupdate((g.pfn + 2) * PAGE, 0, 0, 0, 0, 0);
  handle(0x2000);
  assert.deepEqual(m.log(), [
    'SEV: Unexpected RMP fault for non-private GPA 0x1000',
    'SEV: Unexpected RMP fault, non-private slot for GPA 0x40000',
    'SEV: Unexpected RMP fault, no backing page for private GPA 0x1000',
    'SEV: Unexpected RMP fault, no assigned RMP entry found for GPA 0x2000 PFN 0x40002 error 0',
  ]);
  assert.deepEqual(atRest(m), REST);
});

test('a page taken from the guest behind the back of guest_memfd is never given again: the guest faults for ever', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  setAttributes(m, g, 0, PAGE, PRIVATE);
  pvalidate(m, g, 0);
  m.call('rmp_make_shared', g.pfn, 1);
  assert.equal(access(m, g, 0, Access.Read), 'stuck');
});

test('a PSMASH that fails is warned of, and the mapping dropped from the faulting gfn on', () => {
  const m = machine({ hugeFolios: true });
  const g = m.guest({ pages: 1024, order: 9 });
  setAttributes(m, g, 0, 2 * M2, PRIVATE);
  pvalidate(m, g, 0, 1);
  context(m, g).npt.map(1, g.pfn + 1, 1, true);
  context(m, g).npt.map(300, g.pfn + 300, 1, true);
  context(m, g).npt.map(600, g.pfn + 600, 1, true);
  m.hardware.writeRaw(g.pfn as never, m.hardware.rmp.word(g.pfn, 0) | 4, m.hardware.rmp.word(g.pfn, 1), 0, 0);
  m.call('sev_handle_rmp_fault', g.vcpu, 200 * PAGE, RMP + ENC);
  assert.match(m.log()[0], /^SEV: Unable to split RMP entry for GPA 0xc8000 PFN 0x400c8 ret \d$/);
  assert.deepEqual(
    [1, 300, 600].map((gfn) => context(m, g).npt.walk(gfn)),
    [g.pfn + 1, -1, -1],
  );
});

test('a region of mixed attributes is not mapped as one', () => {
  const m = machine({ hugeFolios: true });
  const g = m.guest({ pages: 512, order: 9 });
  setAttributes(m, g, 0, M2, PRIVATE);
  pvalidate(m, g, 0, 1);
  setAttributes(m, g, 0x10000, PAGE, SHARED);
  assert.equal(m.kernel.largePages.isMixed(1, 0, 2), true);
  assert.equal(access(m, g, 0x10000, Access.Write, 0), 'ok after 1');
  assert.deepEqual([context(m, g).npt.walk(16), context(m, g).npt.level], [0x80010, 1]);
  // The entry is 2M still, so this 4K mapping of it has to be resolved.
  assert.match(access(m, g, 0x11000, Access.Read), /^ok/);
  assert.equal(m.entry(g.pfn + 17), '4K gfn 0x11 asid 1 validated');
  setAttributes(m, g, 0x10000, PAGE, PRIVATE);
  assert.equal(m.kernel.largePages.isMixed(1, 0, 2), false);
});

test('KVM_PRE_FAULT_MEMORY waits for the end of the launch, then prepares and maps', () => {
  const m = machine({ hugeFolios: true });
  const g = m.guest({ pages: 1024, order: 9 });
  setAttributes(m, g, 0, 2 * M2, PRIVATE);
  assert.equal(m.call('scenario_pre_fault_memory', g.vcpu, 0, 2 * M2), -95);
  assert.equal(m.call('scenario_launch_finish', g.kvm), 0);
  assert.equal(m.call('scenario_pre_fault_memory', g.vcpu, 0x1000, 2 * M2 - PAGE), 0);
  assert.equal(m.entry(g.pfn + 512), '2M gfn 0x200 asid 1');
  assert.equal(context(m, g).npt.lookup(513)?.level, 2);
  assert.equal(m.call('scenario_pre_fault_memory', g.vcpu, 0x1000000, PAGE), -2);
  assert.deepEqual(atRest(m), REST);
});
