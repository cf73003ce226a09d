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

const SEGMENTED = ['memory 16G', 'rmp 1M segments 4G', 'segment 16M maps 0..4G', 'segment 64M maps 8G..10G'];

test('a segmented RMP covers what its segments map, and protects its own pages', () => {
  assert.deepEqual(
    withHost(
      SEGMENTED.join('\n'),
      [
        'expect rmp(pfn(0xfffff)) is covered',
        'expect rmp(pfn(0x100000)) is uncovered',
        'expect rmp(pfn(0x200000)) is covered',
        'expect rmp(pfn(0x27ffff)) is covered',
        'expect rmp(pfn(0x280000)) is uncovered',
        'expect state(0x180000) is DEFAULT',
        // Bookkeeping and segment table; 4 GiB take 16M of entries, 2 GiB take 8M.
        'expect all pfn(0x100) +5 state is FIRMWARE',
        'expect state(0x105) is HYPERVISOR',
        'expect all pfn(0x1000) +0x1000 state is FIRMWARE',
        'expect state(0x2000) is HYPERVISOR',
        'expect all pfn(0x4000) +0x800 state is FIRMWARE',
        'host.write(0x4000, via 4K)  => #PF(RMP)',
        'cpu.rmpupdate(0x100000, gpa 0, asid 1, 4K, assigned)  => FAIL_INPUT',
        'cpu.rmpupdate(0x200000, gpa 0, asid 1, 4K, assigned)',
      ].join('\n'),
    ),
    [],
  );
});

test('a segmented RMP that makes no sense is told, on the line that does not', () => {
  const complaint = (...settings: string[]): string => withHost(settings.join('\n'), 'host.read(0)').join('\n');
  const [memory, rmp, first, second] = SEGMENTED;
  assert.equal(complaint(second, first, rmp, memory), '', 'in any order');
  assert.match(complaint(memory, first), /4:1 .*VALUE .*belongs to a segmented RMP/);
  assert.match(complaint(memory, 'rmp 2G', first), /5:1 .*VALUE .*belongs to a segmented RMP/);
  assert.match(complaint(memory, rmp), /VALUE .*covers nothing/);
  assert.match(complaint(memory, 'rmp 1M segments', first), /ARGUMENT .*rmp 1M segments 4G/);
  assert.match(complaint(memory, 'rmp 1M segments 4G 5G', first), /ARGUMENT .*rmp 1M segments 4G/);
  assert.match(complaint(memory, 'rmp 1M segments 3G', first), /VALUE .*power of two \(RMP_CFG\), and this is 3G/);
  assert.match(complaint(memory, 'rmp 1M segments 512M', first), /VALUE .*is 1G to/);
  assert.match(complaint(memory, 'rmp 1028K segments 4G', first), /VALUE .*not a multiple of 1M/);
  assert.match(complaint(memory, rmp, 'segment 16M'), /ARGUMENT .*segment 16M maps 0..4G/);
  assert.match(complaint(memory, rmp, 'segment 16M covers 0..4G'), /ARGUMENT .*segment 16M maps 0..4G/);
  assert.match(complaint(memory, rmp, 'segment 16M maps 1G..2G'), /VALUE .*from a multiple of 4G on/);
  assert.match(complaint(memory, rmp, 'segment 16M maps 0..100M'), /VALUE .*whole gigabytes/);
  assert.match(complaint(memory, rmp, 'segment 16M maps 0..8G'), /VALUE .*4G at most/);
  assert.match(complaint(memory, rmp, 'segment 16M maps 2T +1G'), /VALUE .*below 2048G/);
  assert.match(complaint(memory, rmp, first, 'segment 64M maps 0..1G'), /6:1 .*DUPLICATE .*from 0 on has a segment/);
  assert.match(complaint(memory, rmp, first, 'segment 24M maps 4G +1G'), /VALUE .*overlaps/);
  assert.match(complaint(memory, rmp, first, 'segment 17G maps 4G +1G'), /VALUE .*beyond the host's memory/);
  assert.match(complaint(memory, rmp, 'rmp 2G', first), /DUPLICATE .*rmp/);
});

test('what has no place of its own stays clear of the RMP and of what is fixed', () => {
  const host = 'memory 4G\nrmp 1G..1088M\nfixed 1088M +4K\nfixed 0xffe00000..4G';
  const text = `use kernel "kvm-rfc-v8"\nhost {\n${host}\n}\nguest g {\nslot 0 gpa 0..1M private\nslot 1 gpa 1M..2M shared\n}\n`;
  const steps = [
    'expect rmp(g, 0) is unassigned',
    'vmm.set_memory_attributes(g, 0..4K, PRIVATE)',
    'g.write(1M, shared)',
    'expect rmp(g, 1M) is { unassigned, immutable false }',
    // The kernel's own page for the VMSA.
    'vmm.launch_finish(g)',
    'g.vmrun()',
  ];
  assert.deepEqual(lines(checkText(`${text}scenario "s" {\n${steps.join('\n')}\n}\n`)), []);
});
