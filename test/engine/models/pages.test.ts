/** Pages on their way in and out of a guest in kvm-rfc-v8: launch, holes punched, leaked pages, page state changes, AP creation, host faults. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pagePointerPfn } from '../../../engine/kernel/page-reference.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import { ModelMachine, type ModelOptions, PAGE, PRIVATE, SHARED } from './model-machine.ts';

const M2 = 512 * PAGE;
const NORMAL = 1;
const CPUID = 6;
const machine = (options: ModelOptions = {}) => new ModelMachine('kvm-rfc-v8', options);

test('lookup: 1 assigned, 0 not, negative where there is no entry, and then the level is left alone', () => {
  const m = machine();
  const g = m.guest({ pages: 512, order: 9 });
  m.call('scenario_set_memory_attributes', g.kvm, 0, M2, PRIVATE);
  const level = m.vm.memory.allocate(1);
  const lookup = (pfn: number) => [
    m.call('snp_lookup_rmpentry', pfn, level),
    m.vm.memory.slots.values[m.vm.memory.top - 1],
  ];
  assert.deepEqual(lookup(g.pfn + 7), [1, 2]);
  assert.deepEqual(lookup(g.pfn + 512), [0, 1]);
  assert.deepEqual(lookup(2 ** 20), [-22, 1]);
});

test('lookup beyond the table is -EFAULT, without SNP -ENXIO', () => {
  const m = machine({ kernel: { snp: false } });
  const level = m.vm.memory.allocate(1);
  assert.equal(m.call('snp_lookup_rmpentry', 1, level), -6);
  assert.equal(m.call('psmash', 1), -6);
});

test('the dump prints one line for an assigned page and the whole region for another', () => {
  const m = machine();
  const g = m.guest({ pages: 512 });
  m.call('scenario_set_memory_attributes', g.kvm, 0x1000, 2 * PAGE, PRIVATE);
  m.call('sev_dump_rmpentry', g.pfn + 1);
  m.call('sev_dump_rmpentry', g.pfn + 9);
  m.call('sev_dump_rmpentry', 2 ** 20);
  assert.deepEqual(m.log(), [
    'RMPEntry paddr 0x40001000 [assigned=1 immutable=0 pagesize=0 gpa=0x1 asid=1 vmsa=0 validated=0]',
    'RMPEntry paddr 0x40000000: [high=0x0000000000000000 low=0x0000000000000010]',
    'RMPEntry paddr 0x40001000: [high=0x000000000000000f low=0x0008000000001001]',
    'RMPEntry paddr 0x40002000: [high=0x000000000000000f low=0x0008000000002001]',
    'Failed to read RMP entry for PFN 0x100000',
  ]);
});

test('RMPUPDATE that meets another CPU is tried again and succeeds; the debug line swaps ASID and code', () => {
  const m = machine({ kernel: { debugLog: true } });
  const g = m.guest({ pages: 16 });
  m.hardware.contention.set(g.pfn + 5, 2);
  assert.equal(m.call('rmp_make_private', g.pfn, 0, 1, 1, 0), 0);
  assert.deepEqual(
    m.events(EventKind.Rmpupdate).map((e) => m.trace.code[e]),
    [4, 4, 0],
  );
  assert.deepEqual(m.log(), [
    'rmp_make_private: GPA: 0x0, PFN: 0x40000, level: 1, immutable: 0',
    'RMPUPDATE retry needed, ASID: 4, ret: 1, pfn: 40000, npages: 1, level: 1, assigned: 1, attempts: 1 (max: 16)',
    'RMPUPDATE retry needed, ASID: 4, ret: 1, pfn: 40000, npages: 1, level: 1, assigned: 1, attempts: 2 (max: 16)',
    'RMPUPDATE succeeded after 3 attempts, ASID: 1, ret: 0, pfn: 40000, npages: 1',
  ]);
});

test('a punched hole hands a 2M entry back as 2M, drops the mapping first, and frees the pages', () => {
  const m = machine();
  const g = m.guest({ pages: 1024, order: 9 });
  m.call('scenario_set_memory_attributes', g.kvm, 0, 2 * M2, PRIVATE);
  m.hardware.guests.get(1)?.npt.map(0, g.pfn, 2, true);
  const from = m.trace.length;
  assert.equal(m.call('scenario_punch_hole', g.kvm, 0, M2), 0);
  assert.equal(m.events(EventKind.Psmash, from).length, 1);
  const updates = m.events(EventKind.Rmpupdate, from);
  assert.ok(m.events(EventKind.Npt, from)[0] < updates[0]);
  assert.equal(m.assigned(g.pfn, 512), 0);
  assert.equal(m.kernel.restricted.isAllocated(g.file, 0), false);
  assert.equal(m.kernel.references.outstanding, 0);
});

test('the hole is one gfn too long: a neighbour loses its page state (patch 50)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  m.call('scenario_set_memory_attributes', g.kvm, 0, 8 * PAGE, PRIVATE);
  m.call('scenario_punch_hole', g.kvm, 0, 4 * PAGE);
  assert.deepEqual(
    [3, 4, 5].map((i) => m.entry(g.pfn + i)),
    ['shared', 'shared', '4K gfn 0x5 asid 1'],
  );
  assert.equal(m.kernel.restricted.isAllocated(g.file, 4), true);
});

test('launch update: pages are filled, given to the guest, taken over by the firmware and marked private (C44)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  assert.equal(m.call('scenario_launch_update', g.kvm, 0x2000, 3 * PAGE, NORMAL), 0);
  assert.deepEqual(
    [1, 2, 4, 5].map((i) => m.entry(g.pfn + i)),
    ['shared', '4K gfn 0x2 asid 1 validated', '4K gfn 0x4 asid 1 validated', 'shared'],
  );
  assert.equal(m.kernel.attribute(1, 3), PRIVATE);
  assert.equal(m.kernel.references.outstanding, 0);
});

test('launch update of an assigned page returns at once and leaves references behind (C46)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  assert.equal(m.call('scenario_launch_update', g.kvm, 0x2000, PAGE, NORMAL), 0);
  assert.equal(m.call('scenario_launch_update', g.kvm, 0, 4 * PAGE, NORMAL), -14);
  assert.deepEqual(
    m.kernel.references.held().map(({ pfn }) => pfn - g.pfn),
    [0, 1, 2],
  );
  assert.equal(m.entry(g.pfn), '4K gfn 0x0 asid 1 validated');
  assert.equal(m.kernel.attribute(1, 0), SHARED);
  assert.match(m.log()[0], /^Failed to ensure GFN 0x2 is in initial shared state, ret: 1$/);
});

test('a CPUID page that the firmware rejects takes the earlier pages of the call with it (C45)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  m.kernel.setOption('cpuid-page-valid', 0);
  assert.equal(m.call('scenario_launch_update', g.kvm, 0, PAGE, CPUID), -5);
  assert.equal(m.entry(g.pfn), 'shared');
  assert.equal(m.kernel.attribute(1, 0), SHARED);
  assert.equal(m.kernel.references.outstanding, 0);
  assert.match(m.log()[0], /SEV-SNP launch update failed, ret: 0xfffffffb, fw_error: 0x16/);
});

test('a page that cannot be reclaimed stays immutable and is given up (C47)', () => {
  const m = machine({ cpus: 1 });
  const g = m.guest({ pages: 16 });
  m.kernel.setOption('cpuid-page-valid', 0);
  m.kernel.setOption('page-reclaim-status', 0x1a);
  assert.equal(m.call('scenario_launch_update', g.kvm, 0, PAGE, CPUID), -5);
  assert.equal(m.entry(g.pfn), '4K gfn 0x0 asid 1 immutable');
  assert.deepEqual(m.kernel.leaked.list, [g.pfn]);
  assert.ok(m.log().includes('psc failed, pfn 0x40000 pages 1 (marked offline)'));
});

test('giving up several pages at once adds the first one again and again and counts one (patch 23)', () => {
  const m = machine();
  m.call('snp_mark_pages_offline', 0x500, 3);
  assert.deepEqual(m.kernel.leaked.list, [0x500, 0x500, 0x500]);
  assert.equal(m.kernel.leaked.corrupted, true);
  assert.equal(m.call('snp_leaked_pages_count'), 1);
});

test('launch finish gives the VMSA page to the guest; a second one writes to it (C53)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  assert.equal(m.call('scenario_launch_finish', g.kvm), 0);
  const vmsa = Number(m.call('scenario_vmsa_pa', g.vcpu)) / PAGE;
  assert.equal(m.entry(vmsa), '4K gfn 0xfffffffff asid 1 validated');
  assert.equal(m.hardware.rmp.entry(vmsa as never).vmsa, true);
  assert.throws(() => m.call('scenario_launch_finish', g.kvm), /#PF, error code 0x80000003/);
});

test('VMSA pages are never 2M-aligned', () => {
  const m = machine();
  for (let i = 0; i < 600; i++) {
    const page = Number(m.call('snp_safe_alloc_page', 0));
    assert.notEqual(pagePointerPfn(page) % 512, 0);
  }
});

test('the guest is told success whatever became of its page state change (C48)', () => {
  const m = machine({ cpus: 1 });
  const g = m.guest({ pages: 512, order: 9 });
  m.call('scenario_launch_update', g.kvm, PAGE, PAGE, NORMAL);
  assert.equal(m.call('scenario_psc', g.vcpu, 0, M2, 1), 0);
  assert.equal(m.assigned(g.pfn, 512), 1);
  assert.equal(m.call('scenario_psc', g.vcpu, 0x2000, PAGE, 1), 0);
  assert.equal(m.entry(g.pfn + 2), '4K gfn 0x2 asid 1');
  assert.equal(m.call('sev_handle_vmgexit_msr_protocol', g.vcpu, 0x14), -1);
});

test('AP creation: a 2M-aligned VMSA is refused (C41), any other page taken and not kept', () => {
  const m = machine();
  const g = m.guest({ pages: 1024, order: 0 });
  m.call('scenario_create_vcpu', g.kvm, 1);
  assert.equal(m.call('scenario_ap_creation', g.vcpu, 1, 1, 0x200000), -22);
  assert.equal(m.call('scenario_ap_creation', g.vcpu, 9, 1, 0x1000), -22);
  m.call('scenario_set_memory_attributes', g.kvm, 0x1000, PAGE, PRIVATE);
  assert.equal(m.call('scenario_ap_creation', g.vcpu, 1, 1, 0x1000), 0);
  assert.deepEqual(m.log(), [
    'vmgexit: AP VMSA address [200000] from guest is unsafe as it is 2M aligned',
    'vmgexit: invalid AP APIC ID [0x9] from guest',
  ]);
  assert.equal(m.kernel.references.outstanding, 0);
});

test('a write of a process: to an assigned page it is fatal, to a page beside one under a large mapping it asks for a split', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  m.call('scenario_set_memory_attributes', g.kvm, 0, PAGE, PRIVATE);
  assert.equal(m.call('scenario_user_rmp_fault', g.pfn, 1), 1);
  assert.equal(m.call('scenario_user_rmp_fault', g.pfn + 1, 2), 0);
  assert.equal(m.call('scenario_user_rmp_fault', g.pfn + 1, 1), 1);
  assert.equal(m.call('scenario_user_rmp_fault', 2 ** 20, 2), 1);
  assert.deepEqual(m.log(), [
    'Fatal RMP page fault, terminating process, entry assigned for pfn 0x40000',
    'Fatal RMP page fault, terminating process, entry assigned for pfn 0x100000',
  ]);
});

test('the VMSA page of a running vCPU cannot be converted: FAIL_INUSE, and it stays assigned (C40)', () => {
  const m = machine({ cpus: 1 });
  const g = m.guest({ pages: 16 });
  m.call('scenario_set_memory_attributes', g.kvm, 0x1000, PAGE, PRIVATE);
  m.hardware.setInUse((g.pfn + 1) as never, true);
  assert.equal(m.call('scenario_set_memory_attributes', g.kvm, 0x1000, PAGE, SHARED), 0);
  assert.equal(m.entry(g.pfn + 1), '4K gfn 0x1 asid 1');
  assert.match(m.log()[0], /^RMPUPDATE failed after 4 attempts, ret: 3, pfn: 40001, npages: 1, level: 1$/);
});
