/** kvm-6.12, pages on their way in and out of a guest: page state changes by MSR and GHCB, launch, VMSA pages, AP creation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Access } from '../../../engine/hardware/access.ts';
import { EventKind } from '../../../engine/trace/trace.ts';
import {
  access,
  atRest,
  context,
  type Guest,
  M2,
  machine,
  punchHole,
  pvalidate,
  REST,
  setAttributes,
} from './kvm-6.12-machine.ts';
import { type ModelMachine, PAGE, PRIVATE, SHARED } from './model-machine.ts';

const NORMAL = 1;
const ZERO = 3;
const CPUID = 6;
const TO_PRIVATE = 1;
const TO_SHARED = 2;
const GENERIC = 0x100 * 2 ** 32;

const psc = (m: ModelMachine, g: Guest, gpa: number, size: number, op: number) =>
  Number(m.call('scenario_psc', g.vcpu, gpa, size, op));
const launch = (m: ModelMachine, g: Guest, gpa: number, size: number, type = NORMAL) =>
  Number(m.call('scenario_launch_update', g.kvm, gpa, size, type));

/** C of the test's own beside the model's: a guest that writes its GHCB as it likes, and a VMM that answers one exit at a time. */
const PROBE = `
void probe_entry(struct kvm_vcpu *vcpu, int i, u64 gfn, int op, int huge, int cur_page)
{
	struct psc_entry *e = &to_svm(vcpu)->sev_es.ghcb_sa->entries[i];
	e->gfn = gfn;
	e->operation = op;
	e->pagesize = huge;
	e->cur_page = cur_page;
}
int probe_begin(struct kvm_vcpu *vcpu, int cur, int end)
{
	struct vcpu_svm *svm = to_svm(vcpu);
	svm->sev_es.ghcb_sa->hdr.cur_entry = cur;
	svm->sev_es.ghcb_sa->hdr.end_entry = end;
	svm->sev_es.sw_exit_info_2 = ~0ULL;
	return snp_begin_psc(svm, svm->sev_es.ghcb_sa);
}
int probe_complete(struct kvm_vcpu *vcpu, u64 ret)
{
	vcpu->run->hypercall.ret = ret;
	return vcpu->arch.complete_userspace_io(vcpu);
}
u64 probe_arg(struct kvm_vcpu *vcpu, int n) { return vcpu->run->hypercall.args[n]; }
u64 probe_result(struct kvm_vcpu *vcpu) { return to_svm(vcpu)->sev_es.sw_exit_info_2; }
int probe_cur_entry(struct kvm_vcpu *vcpu) { return to_svm(vcpu)->sev_es.ghcb_sa->hdr.cur_entry; }
int probe_cur_page(struct kvm_vcpu *vcpu, int i) { return to_svm(vcpu)->sev_es.ghcb_sa->entries[i].cur_page; }
u64 probe_msr(struct kvm_vcpu *vcpu, u64 value)
{
	to_svm(vcpu)->vmcb->control.ghcb_gpa = value;
	sev_handle_vmgexit(vcpu);
	return to_svm(vcpu)->vmcb->control.ghcb_gpa;
}
void probe_no_hypercall_exits(struct kvm_vcpu *vcpu) { vcpu->kvm->arch.hypercall_exit_enabled = 0; }
`;

/** A guest with these entries in its GHCB: [gfn, operation, 2M, pages done]. */
function ghcb(...entries: readonly (readonly [number, number, number, number])[]) {
  const m = machine({ overrides: [{ kind: 'source', source: { path: 'probe.c', text: PROBE } }] });
  assert.deepEqual(m.program.problems, []);
  const g = m.guest({ pages: 2048 });
  entries.forEach(([gfn, op, huge, done], i) => {
    m.call('probe_entry', g.vcpu, i, gfn, op, huge, done);
  });
  const call = (name: string, ...args: number[]) => Number(m.call(name, g.vcpu, ...args));
  return {
    begin: (cur = 0, end = entries.length - 1) => call('probe_begin', cur, end),
    complete: (ret = 0) => call('probe_complete', ret),
    exit: () => [call('probe_arg', 0) / PAGE, call('probe_arg', 1), call('probe_arg', 2)],
    result: () => call('probe_result'),
    curEntry: () => call('probe_cur_entry'),
    curPage: (i: number) => call('probe_cur_page', i),
    msr: (value: number) => BigInt.asUintN(64, BigInt(m.call('probe_msr', g.vcpu, value))),
    call,
  };
}

test('one page to private: the hypercall exit, the attribute, and nothing in the RMP yet', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  assert.equal(psc(m, g, 0x3000, PAGE, TO_PRIVATE), 0);
  assert.equal(m.call('scenario_exit_reason', g.vcpu), 3);
  assert.equal(m.kernel.attribute(1, 3), PRIVATE);
  assert.equal(m.entry(g.pfn + 3), 'shared');
  assert.equal(pvalidate(m, g, 0x3000), 'ok after 1');
  assert.equal(access(m, g, 0x3000, Access.Write), 'ok');
  assert.deepEqual(atRest(m), REST);
});

test('to shared: the VMM punches the hole, which is what makes the page shared in the RMP', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  psc(m, g, 0x3000, PAGE, TO_PRIVATE);
  pvalidate(m, g, 0x3000);
  assert.equal(pvalidate(m, g, 0x3000, 0, 0), 'ok');
  assert.equal(psc(m, g, 0x3000, PAGE, TO_SHARED), 0);
  assert.equal(m.entry(g.pfn + 3), 'shared');
  assert.equal(access(m, g, 0x3000, Access.Write, 0), 'ok after 1');
  assert.equal(context(m, g).npt.walk(3), 0x80003);
});

test('a VMM that does not discard leaves the page the guest’s in the RMP, and nothing maps it', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  m.kernel.setOption('vmm-discards-backing', 0);
  psc(m, g, 0x3000, PAGE, TO_PRIVATE);
  pvalidate(m, g, 0x3000);
  assert.equal(psc(m, g, 0x3000, PAGE, TO_SHARED), 0);
  assert.equal(m.entry(g.pfn + 3), '4K gfn 0x3 asid 1 validated');
  assert.equal(context(m, g).npt.walk(3), -1);
});

test('what the VMM answers reaches the guest, by MSR and by GHCB (C48)', () => {
  const m = machine();
  const g = m.guest({ pages: 1024 });
  m.kernel.setOption('vmm-map-gpa-range-errno', 12);
  assert.equal(psc(m, g, 0x3000, PAGE, TO_PRIVATE), 0x80000000);
  assert.equal(psc(m, g, 0x3000, 2 * PAGE, TO_PRIVATE), GENERIC);
  assert.equal(m.kernel.attribute(1, 3), SHARED);
  m.kernel.setOption('vmm-map-gpa-range-errno', 0);
  m.kernel.attributes.setFailure(1, 4, 12);
  assert.equal(psc(m, g, 0x3000, PAGE, TO_PRIVATE), 0);
  assert.equal(psc(m, g, 0x4000, PAGE, TO_PRIVATE), 0x80000000);
  assert.equal(psc(m, g, 0x4000, M2, TO_PRIVATE), GENERIC);
  assert.deepEqual(atRest(m), REST);
});

test('a range over the GHCB takes as many requests as it needs, to its last page and not further', () => {
  const m = machine();
  const g = m.guest({ pages: 2048 });
  // 510 4K pages before the first 2M boundary (8 requests of at most 64 entries), then one of 2M, then 4K again.
  assert.equal(psc(m, g, 2 * PAGE, 2 * M2, TO_PRIVATE), 0);
  for (const gfn of [2, 511, 512, 1023, 1024, 1025]) assert.equal(m.kernel.attribute(1, gfn), PRIVATE, `gfn ${gfn}`);
  assert.deepEqual([m.kernel.attribute(1, 1), m.kernel.attribute(1, 1026)], [SHARED, SHARED]);
});

test('the first failure ends the request; what came before stays', () => {
  const m = machine();
  const g = m.guest({ pages: 2048 });
  m.kernel.attributes.setFailure(1, 600, 12);
  assert.equal(psc(m, g, M2 - 2 * PAGE, M2, TO_PRIVATE), GENERIC);
  // 64 entries to a request: 510 to 573, then those with gfn 600 among them.
  assert.deepEqual([m.kernel.attribute(1, 573), m.kernel.attribute(1, 574)], [PRIVATE, SHARED]);
});

test('adjacent entries of one operation and size are one exit; a gap, another size or another operation begins the next', () => {
  const p = ghcb(
    [16, 1, 0, 0],
    [17, 1, 0, 0],
    [18, 1, 0, 0],
    [20, 1, 0, 0],
    [512, 1, 1, 0],
    [1024, 1, 1, 0],
    [1536, 2, 1, 0],
  );
  assert.equal(p.begin(), 0);
  assert.deepEqual(p.exit(), [16, 3, 16]);
  assert.equal(p.complete(), 0);
  assert.deepEqual([p.curEntry(), p.curPage(0), p.curPage(2), p.curPage(3)], [3, 1, 1, 0]);
  assert.deepEqual(p.exit(), [20, 1, 16]);
  assert.equal(p.complete(), 0);
  assert.deepEqual(p.exit(), [512, 1024, 17]);
  assert.equal(p.complete(), 0);
  assert.deepEqual(p.exit(), [1536, 512, 1]);
  assert.equal(p.complete(), 1);
  assert.deepEqual([p.result(), p.curEntry(), p.curPage(4)], [0, 7, 512]);
});

test('a 2M entry done in part goes on with the rest, in 4K, and is not joined with its neighbour', () => {
  const p = ghcb([512, 1, 1, 500], [1024, 1, 1, 0]);
  assert.equal(p.begin(), 0);
  // KVM asks in 4K from here on, but the page size it names is the entry's.
  assert.deepEqual(p.exit(), [1012, 12, 17]);
  assert.equal(p.complete(), 0);
  assert.deepEqual(p.exit(), [1024, 512, 17]);
});

test('entries that are done are passed over; PSMASH and UNSMASH are done by being read', () => {
  const p = ghcb([1, 1, 0, 1], [512, 3, 1, 0], [1024, 4, 1, 0], [2, 2, 0, 0]);
  assert.equal(p.begin(), 0);
  assert.deepEqual(p.exit(), [2, 1, 0]);
  assert.deepEqual([p.curPage(1), p.curPage(2)], [512, 512]);
  assert.equal(p.complete(), 1);
  assert.equal(p.result(), 0);
  const all = ghcb([1, 1, 0, 1]);
  assert.deepEqual([all.begin(), all.result()], [1, 0]);
});

test('what is wrong with a request is told by code', () => {
  const INVALID_HDR = 2 ** 32 + 1;
  const INVALID_ENTRY = 2 ** 32 + 2;
  const header = ghcb([1, 1, 0, 0]);
  assert.deepEqual([header.begin(0, 253), header.result()], [1, INVALID_HDR]);
  const unaligned = ghcb([513, 1, 1, 0]);
  assert.deepEqual([unaligned.begin(), unaligned.result()], [1, INVALID_ENTRY]);
  const beyond = ghcb([1, 1, 0, 2]);
  assert.deepEqual([beyond.begin(), beyond.result()], [1, INVALID_ENTRY]);
  const failed = ghcb([1, 1, 0, 0], [2, 1, 0, 0]);
  failed.begin();
  assert.deepEqual([failed.complete(1), failed.result(), failed.curPage(0)], [1, GENERIC, 0]);
  const deaf = ghcb([1, 1, 0, 0]);
  deaf.call('probe_no_hypercall_exits');
  assert.deepEqual([deaf.begin(), deaf.result()], [1, GENERIC]);
});

test('over the MSR: operations other than private and shared, and a VMM that does not listen, are errors', () => {
  const p = ghcb();
  const request = (op: number) => op * 2 ** 52 + 0x3014;
  const ERROR = 0x8000_0000_0000_0015n;
  assert.equal(p.msr(request(3)), ERROR);
  p.call('probe_no_hypercall_exits');
  assert.equal(p.msr(request(1)), ERROR);
});

test('launch update takes private pages only, fills them and hands them to the firmware (C44)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  assert.equal(launch(m, g, 0x2000, 3 * PAGE), -22, 'not private by attribute');
  setAttributes(m, g, 0x2000, 3 * PAGE, PRIVATE);
  assert.equal(launch(m, g, 0x2000, 2 * PAGE), 0);
  assert.equal(launch(m, g, 0x4000, PAGE, ZERO), 0);
  assert.deepEqual(
    [1, 2, 4, 5].map((i) => m.entry(g.pfn + i)),
    ['shared', '4K gfn 0x2 asid 1 validated', '4K gfn 0x4 asid 1 validated', 'shared'],
  );
  assert.equal(access(m, g, 0x2000, Access.Read), 'ok after 1');
  assert.deepEqual(atRest(m), REST);
});

test('launch update stops at the first page that is not private; what came before is done', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  setAttributes(m, g, 0, 2 * PAGE, PRIVATE);
  assert.equal(launch(m, g, 0, 4 * PAGE), -22);
  assert.deepEqual(
    [0, 1, 2].map((i) => m.entry(g.pfn + i)),
    ['4K gfn 0x0 asid 1 validated', '4K gfn 0x1 asid 1 validated', 'shared'],
  );
  assert.deepEqual(atRest(m), REST);
});

test('launch update of a page that was used before: EEXIST, nothing leaks, the page stays (C46)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  setAttributes(m, g, 0, 4 * PAGE, PRIVATE);
  assert.equal(launch(m, g, 0x2000, PAGE), 0);
  assert.equal(launch(m, g, 0, 4 * PAGE), -17);
  assert.equal(m.entry(g.pfn + 1), '4K gfn 0x1 asid 1 validated');
  assert.equal(m.entry(g.pfn + 2), '4K gfn 0x2 asid 1 validated');
  assert.equal(m.entry(g.pfn + 3), 'shared');
  assert.deepEqual(atRest(m), REST);
  m.kernel.setOption('launch-update-eio', 1);
  assert.equal(launch(m, g, 0x2000, PAGE), -5);
});

test('launch update of a page that the RMP has assigned already, by whom ever: EEXIST too', () => {
  const m = machine({ kernel: { debugLog: true } });
  const g = m.guest({ pages: 16 });
  setAttributes(m, g, 0, PAGE, PRIVATE);
  m.hardware.rmpupdate(g.pfn * PAGE, 0, 1, 0, 0, 1);
  assert.equal(launch(m, g, 0, PAGE), -17);
  assert.deepEqual(m.log().slice(0, 2), [
    'sev_gmem_post_populate: Failed to ensure GFN 0x0 RMP entry is initial shared state, ret: 0 assigned: 1',
    'sev_gmem_post_populate: exiting with error ret -17 (fw_error 0), restoring 0 gmem PFNs to shared.',
  ]);
  assert.deepEqual(atRest(m), REST);
});

test('a CPUID page that the firmware rejects is reclaimed and free for another try (C45)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  setAttributes(m, g, 0, 2 * PAGE, PRIVATE);
  assert.equal(launch(m, g, 0, PAGE), 0);
  m.kernel.setOption('cpuid-page-valid', 0);
  assert.equal(launch(m, g, PAGE, PAGE, CPUID), -5);
  assert.deepEqual([m.entry(g.pfn), m.entry(g.pfn + 1)], ['4K gfn 0x0 asid 1 validated', 'shared']);
  assert.deepEqual(m.kernel.leaked.list, []);
  assert.deepEqual(atRest(m), REST);
  m.kernel.setOption('cpuid-page-valid', 1);
  assert.equal(launch(m, g, PAGE, PAGE, CPUID), 0);
});

test('a failure takes back the pages before it that were populated at once: none with single pages, those of its piece of a large folio', () => {
  for (const [hugeFolios, first] of [
    [false, '4K gfn 0x0 asid 1 validated'],
    [true, 'shared'],
  ] as const) {
    const m = machine({ hugeFolios });
    const g = m.guest({ pages: 512, order: 9 });
    setAttributes(m, g, 0, 2 * PAGE, PRIVATE);
    m.hardware.writeRaw((g.pfn + 1) as never, 4, 0, 0, 0);
    assert.equal(launch(m, g, 0, 2 * PAGE), -14);
    assert.equal(m.entry(g.pfn), first);
    assert.equal(m.kernel.gmem.isUptodate(g.pfn), !hugeFolios);
    assert.deepEqual(atRest(m), REST);
  }
});

test('a page that cannot be reclaimed is given up, and the VM is broken (C47)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  setAttributes(m, g, 0, PAGE, PRIVATE);
  m.kernel.setOption('cpuid-page-valid', 0);
  m.kernel.setOption('page-reclaim-status', 0x1a);
  assert.equal(launch(m, g, 0, PAGE, CPUID), -5);
  assert.equal(m.entry(g.pfn), '4K gfn 0x0 asid 1 immutable');
  assert.deepEqual(m.kernel.leaked.list, [g.pfn]);
  assert.equal(m.call('snp_leaked_pages_count'), 1);
  assert.ok(m.log().includes('SEV-SNP: Leaking PFN range 0x40000-0x40001'));
  assert.deepEqual(atRest(m), REST);
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

test('the VMSA page of a running vCPU: FAIL_INUSE, and it is freed while it is still the guest’s (C40)', () => {
  const m = machine();
  const g = m.guest({ pages: 16 });
  setAttributes(m, g, 0x1000, PAGE, PRIVATE);
  pvalidate(m, g, 0x1000);
  m.call('scenario_create_vcpu', g.kvm, 1);
  assert.equal(m.call('scenario_ap_creation', g.vcpu, 1, 1, 0x1000), 0);
  m.hardware.setInUse((g.pfn + 1) as never, true);
  setAttributes(m, g, 0x1000, PAGE, SHARED);
  assert.equal(punchHole(m, g, 0x1000, PAGE), 0);
  assert.equal(m.entry(g.pfn + 1), '4K gfn 0x1 asid 1 validated');
  assert.equal(m.kernel.restricted.isAllocated(g.file, 1), false);
  assert.equal(m.log()[0], 'SEV-SNP: RMPUPDATE failed for PFN 40001, pg_level: 1, ret: 3');
  assert.equal(m.log().at(-1), 'SEV: Failed to update RMP entry for PFN 0x40001 error -14');
});

test('AP creation: what is refused stops the target all the same; a page is taken and not kept (C41)', () => {
  const m = machine();
  const g = m.guest({ pages: 1024 });
  const target = Number(m.call('scenario_create_vcpu', g.kvm, 1));
  const vmsa = () => m.call('scenario_vmsa_pa', target);
  const NONE = 2n ** 64n - 1n;
  assert.notEqual(vmsa(), NONE);
  assert.equal(m.call('scenario_ap_creation', g.vcpu, 9, 1, 0x1000), -22);
  assert.notEqual(vmsa(), NONE);
  assert.equal(m.call('scenario_ap_creation', g.vcpu, 1, 1, 0x200000), -22);
  assert.equal(BigInt.asUintN(64, BigInt(vmsa())), NONE);
  setAttributes(m, g, 0x1000, PAGE, PRIVATE);
  assert.equal(m.call('scenario_ap_creation', g.vcpu, 1, 1, 0x1000), 0);
  assert.equal(vmsa(), (g.pfn + 1) * PAGE);
  assert.equal(m.call('scenario_ap_creation', g.vcpu, 1, 2, 0), 0);
  assert.equal(BigInt.asUintN(64, BigInt(vmsa())), NONE);
  assert.equal(m.call('scenario_ap_creation', g.vcpu, 1, 7, 0), -22);
  assert.deepEqual(m.log(), [
    'vmgexit: invalid AP APIC ID [0x9] from guest',
    'vmgexit: AP VMSA address [200000] from guest is unsafe as it is 2M aligned',
    'vmgexit: invalid AP creation request [0x7] from guest',
  ]);
  assert.deepEqual(atRest(m), REST);
});

test('every RMPUPDATE of a conversion there and back is one that succeeds', () => {
  const m = machine({ hugeFolios: true });
  const g = m.guest({ pages: 1024, order: 9 });
  psc(m, g, 0, 2 * M2, TO_PRIVATE);
  pvalidate(m, g, 0, 1);
  pvalidate(m, g, M2, 1);
  psc(m, g, 0x100000, M2, TO_SHARED);
  assert.equal(m.assigned(g.pfn, 1024), 512);
  psc(m, g, 0x100000, M2, TO_PRIVATE);
  for (let gpa = 0x100000; gpa < 0x300000; gpa += 32 * PAGE) pvalidate(m, g, gpa);
  assert.ok(m.events(EventKind.Rmpupdate).every((e) => m.trace.code[e] === 0));
  assert.deepEqual(atRest(m), REST);
});
