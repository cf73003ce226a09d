/** kvm-6.12 from the language: every operation that calls into the kernel works on it, and no rule objects to what it does right. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkText, lines } from '../run/check-text.ts';

/** A file with one host, one guest with 1G of private memory in 2M folios, and these scenarios. */
const file = (options: string[], ...scenarios: string[]): string => `use kernel "kvm-6.12"
host {
  memory 4G
  cpus 2
  ${options.map((option) => `option ${option}`).join('\n  ')}
}
guest g {
  asid 1
  slot 0 gpa 0..1G private folio 2M pfn 0x40000
}
${scenarios.map((steps, i) => `scenario "${i}" {\n${steps}\n}`).join('\n')}
`;

function passes(text: string): void {
  const result = checkText(text);
  assert.deepEqual(lines(result), []);
  assert.ok(result.scenarios.length > 0 && result.scenarios.every((s) => s.status === 'passed'));
}

test('single pages: PSC, PVALIDATE, the way back, and the exits on the way', () => {
  passes(
    file(
      [],
      `  g.psc(64K +4K, PRIVATE)
  expect attr(g, 64K) is private
  expect rmp(g, 64K) is unassigned
  expect count(rmpupdate) is 0
  g.pvalidate(64K)
  expect rmp(g, 64K) is { guest g, 4K, validated }
  host.write(pfn(g, 64K)) => #PF(RMP)
  g.psc(64K +4K, SHARED)
  expect count(rmpupdate) is 1
  expect rmp(g, 64K) is unassigned
  host.write(pfn(g, 64K))
  g.write(64K, shared)
  g.write(64K) => KVM_EXIT_MEMORY_FAULT`,
      `  vmm.set_memory_attributes(g, 0..8K, PRIVATE)
  g.pvalidate(0)
  vmm.set_memory_attributes(g, 0..4K, SHARED)
  expect rmp(g, 0) is { guest g, 4K, validated }
  expect npt(g, 0) is absent
  g.read(0) => KVM_EXIT_MEMORY_FAULT
  vmm.punch_hole(g, 0..4K)
  expect rmp(g, 0) is unassigned`,
      `  host.fail_get_pfn(g, 8K..12K, ENOMEM)
  vmm.set_memory_attributes(g, 8K..12K, PRIVATE)
  g.read(8K) => -ENOMEM`,
    ),
  );
});

test('launch: private pages only, and each once (C46)', () => {
  passes(
    file(
      [],
      `  vmm.launch_update(g, 0..8K, NORMAL) => -EINVAL
  vmm.set_memory_attributes(g, 0..8K, PRIVATE)
  vmm.launch_update(g, 0..8K, NORMAL)
  vmm.launch_update(g, 0..8K, NORMAL) => -EEXIST
  g.write(0)`,
    ),
  );
});

test('folios of 2M: one entry, split only where a hole is (C03, C09, C16, C37)', () => {
  passes(
    file(
      ['gmem-huge-folios = on'],
      `  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  expect rmp(g, 0) is unassigned
  g.pvalidate(0, 2M)
  expect rmp(g, 0) is { guest g, 2M, validated }
  g.write(0)
  vmm.set_memory_attributes(g, 64K +4K, SHARED)
  expect count(rmpupdate) is 0
  expect npt(g, 0) is absent
  vmm.punch_hole(g, 64K +4K)
  expect count(psmash) is 1
  expect rmp(g, 64K) is unassigned
  g.read(0)
  g.write(64K, shared)
  vmm.set_memory_attributes(g, 64K +4K, PRIVATE)
  g.read(64K) => #VC
  g.pvalidate(64K)
  vmm.set_memory_attributes(g, 0..2M, SHARED)
  vmm.punch_hole(g, 0..2M)
  expect all 0..2M rmp(g) is unassigned`,
      `  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  g.pvalidate(0, 2M)
  vmm.set_memory_attributes(g, 0..2M, SHARED)
  vmm.punch_hole(g, 0..2M)
  expect count(rmpupdate) is 1
  expect count(psmash) is 0`,
    ),
  );
});

test('a range by the GHCB, in one direction and partly back', () => {
  passes(
    file(
      ['gmem-huge-folios = on'],
      `  g.psc(0..4M, PRIVATE)
  g.pvalidate(0, 2M)
  g.pvalidate(2M, 2M)
  g.psc(1M..3M, SHARED)
  expect all 1M..3M rmp(g) is unassigned
  expect all 0..1M rmp(g) is { guest g, 4K, validated }
  g.write(1M, shared)
  g.read(1M) => KVM_EXIT_MEMORY_FAULT`,
      `  g.psc(0..1G, PRIVATE)
  g.psc(0..1G, SHARED)`,
    ),
  );
});

test('a 2M mapping over 4K entries spins on writes, until a read has it resolved (C24)', () => {
  const split = `  g.psc(0..2M, PRIVATE)
  g.pvalidate(0, 2M)
  cpu.psmash(0x40000)`;
  const run = (options: string[], steps: string) =>
    checkText(file(['gmem-huge-folios = on', ...options], steps)).diagnostics.filter(
      (d) => d.rule === 'OUTCOME' || d.rule === 'EXPECT',
    );
  assert.deepEqual(run([], `${split}\n  g.write(0x3000) => livelock\n  g.read(0x3000)\n  g.write(0x3000)`), []);
  assert.deepEqual(run(['fast-page-fault-spurious = off'], `${split}\n  g.write(0x3000)`), []);
});

test('a VMM that refuses is heard by the guest (C48)', () => {
  const result = checkText(
    file(['vmm-map-gpa-range-errno = 12'], '  g.psc(0..4K, PRIVATE)\n  expect attr(g, 0) is shared'),
  );
  const [first] = lines(result);
  assert.match(first, /OUTCOME/);
  assert.equal(result.diagnostics.length, 1);
});
