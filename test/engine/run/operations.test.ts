// Operations that the language has beyond conversions: launching, running vCPUs, accidents of the host.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operations } from '../../../engine/run/operations/index.ts';
import { operations as table } from '../../../engine/scenario/operations.ts';
import { checkText, lines } from './check-text.ts';

const run = (steps: string): string[] =>
  lines(
    checkText(
      `use kernel "kvm-rfc-v8"\nguest g {\nasid 1\nvcpus 2\nslot 0 gpa 0..1G private folio 2M pfn 0x40000\n}\nscenario "s" {\n${steps}\n}\n`,
    ),
  );

test('every operation of the table is carried out by something, and nothing else is', () => {
  assert.deepEqual(Object.keys(operations).sort(), table.map((operation) => operation.key).sort());
});

test('the launch can be finished, once', () => {
  assert.deepEqual(run('vmm.launch_finish(g)\nexpect asid_counter(1) is 2\nvmm.launch_finish(g) => trap'), []);
});

test('C that stops without being expected to is reported, and C that cannot be found always', () => {
  assert.match(run('vmm.launch_finish(g)\nvmm.launch_finish(g)').join(), /TRAP/);
  assert.match(run('kernel.no_such_function() => trap').join(), /C-UNDEFINED/);
});

test('a vCPU runs from a VMSA page, which is in use as long', () => {
  assert.deepEqual(
    run(`vmm.launch_update(g, 64K +4K, VMSA)
      g.vcpu(1).vmrun()    => KVM_EXIT_FAIL_ENTRY
      g.ap_create(1, 64K)
      g.vcpu(1).vmrun()
      expect rmp(g, 64K) is { vmsa, locked }
      g.vcpu(1).vmrun()    => KVM_EXIT_FAIL_ENTRY
      cpu.rmpupdate(pfn(g, 64K))  => FAIL_INUSE
      g.vcpu(1).vmexit()
      cpu.rmpupdate(pfn(g, 64K))  allow ATTR-RMP "past KVM"
      g.vcpu(1).vmrun()    => KVM_EXIT_FAIL_ENTRY`),
    [],
  );
});

test('a page that is no VMSA does not start a vCPU', () => {
  assert.deepEqual(
    run(`vmm.launch_update(g, 64K +4K, NORMAL)\ng.ap_create(1, 64K)\ng.vcpu(1).vmrun() => KVM_EXIT_FAIL_ENTRY`),
    [],
  );
});

test('a refused AP creation is a #GP with the errno behind it', () => {
  assert.deepEqual(run('g.ap_create(1, 2M) => #GP\ng.ap_create(1, 4M) => EINVAL\ng.ap_create(7, 64K) => #GP'), []);
});

test('folios split into single pages', () => {
  assert.deepEqual(
    run('host.split_folio(g, 64K +4K)\nexpect folio(g, 0) is { order 0 }\nexpect folio(g, 2M) is { order 9 }'),
    [],
  );
});

test('a process that writes to a private page is killed, one whose mapping is too large gets it split', () => {
  assert.deepEqual(
    run(`vmm.set_memory_attributes(g, 64K +4K, PRIVATE)
      host.user_write(pfn(g, 64K))              => SIGBUS
      expect log contains "terminating process"
      host.user_write(pfn(g, 64K), via 2M)      => #PF(RMP)
      host.user_write(pfn(g, 68K), via 2M)`),
    [],
  );
});

test('firmware gives the permissions of the lower VMPLs', () => {
  assert.deepEqual(
    run(`cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, assigned, immutable)
      fw.snp_launch_update(g, pfn(g, 0), NORMAL, vmpl1 3, vmpl2 1)
      expect rmp(g, 0) is { vmpl0 0xf, vmpl1 3, vmpl2 1, vmpl3 0 }`),
    [],
  );
});
