// Settings of the host reach what they are about: options of the kernel model, and how far the RMP goes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkText, lines } from './check-text.ts';

const withHost = (settings: string, steps: string): string[] =>
  lines(
    checkText(
      `use kernel "kvm-rfc-v8"\nhost {\n${settings}\n}\nguest g {\nslot 0 gpa 0..1G private folio 4K pfn 0x80000\n}\nscenario "s" {\n${steps}\n}\n`,
    ),
  );

const PRIVATE_WRITE = 'g.write(0, shared)\ng.write(0)';

test('an option of the kernel model is an option of the host', () => {
  assert.deepEqual(withHost('option fast-page-fault-spurious = on', `${PRIVATE_WRITE} => livelock`), []);
  assert.deepEqual(withHost('option fast-page-fault-spurious = off', `${PRIVATE_WRITE} => KVM_EXIT_MEMORY_FAULT`), []);
});

test('a status that firmware is to fail with is a number', () => {
  const steps = 'vmm.launch_update(g, 0..4K, CPUID) => EIO';
  assert.deepEqual(withHost('option cpuid-page-valid = off', `${steps}\nexpect rmp(g, 0) is unassigned`), []);
  assert.deepEqual(
    withHost(
      'option cpuid-page-valid = off\noption page-reclaim-status = 3',
      'vmm.launch_update(g, 0..4K, CPUID) => EIO allow IMM "kept by firmware"\nexpect rmp(g, 0) is immutable',
    ),
    [],
  );
});

test('values that an option does not take are told', () => {
  assert.match(withHost('option fast-page-fault-spurious = maybe', 'g.read(0, shared)').join(), /VALUE.*on or off/);
  assert.match(withHost('option page-reclaim-status = on', 'g.read(0, shared)').join(), /NAME/);
});

test('memory beyond the RMP is nobody’s but the hypervisor’s', () => {
  const covered = 'expect rmp(g, 0) is { covered, unassigned }';
  assert.deepEqual(withHost('memory 4G', covered), []);
  assert.deepEqual(withHost('memory 4G\nrmp 2G', 'expect rmp(g, 0) is uncovered\nexpect state(g, 0) is DEFAULT'), []);
  assert.match(withHost('rmp 3M', covered).join(), /VALUE.*multiple of 2M/);
});
