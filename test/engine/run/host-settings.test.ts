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

test('the RMP lies where the host says: its own pages are the firmware’s, and it covers what it has entries for', () => {
  // 16K of bookkeeping and 512K of entries: 128 MiB.
  const place = 'memory 4G\nrmp 1M..0x184000';
  assert.deepEqual(
    withHost(
      place,
      [
        'expect state(0x100) is FIRMWARE',
        'expect state(0x184) is HYPERVISOR',
        'expect rmp(0x7fff) is not uncovered',
        'expect rmp(0x8000) is uncovered',
        'host.write(0x100, via 4K)  => #PF(RMP)',
      ].join('\n'),
    ),
    [],
  );
  assert.match(withHost('rmp 0x1001..0x184000', 'host.read(0)').join(), /VALUE .*RMP_BASE is not a multiple of 0x2000/);
  assert.match(withHost('memory 1G\nrmp 1M..8G', 'host.read(0)').join(), /VALUE .*beyond/);
});

test('fixed pages are HV-Fixed from the start', () => {
  assert.deepEqual(
    withHost(
      'fixed 16M..17M\nfixed 32M +4K',
      [
        'expect state(0x1000) is HV_FIXED',
        'expect state(0x10ff) is HV_FIXED',
        'expect state(0x1100) is HYPERVISOR',
        'expect state(0x2000) is HV_FIXED',
        'cpu.rmpupdate(0x1000, gpa 0, asid 1, 4K, assigned)  => FAIL_PERMISSION',
      ].join('\n'),
    ),
    [],
  );
  assert.match(withHost('fixed 1..2', 'host.read(0)').join(), /VALUE .*whole pages/);
});
