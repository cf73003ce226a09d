// How findings and verdicts go together: one cause is told once, an unexpected outcome takes its explanation along, and what depends on an open
// point says so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkText, lines } from '../run/check-text.ts';

const text = (body: string, options = '', folio = '4K'): string => `use kernel "kvm-rfc-v8"
host {
  memory 4G
${options}}
guest g {
  asid 1
  slot 0 gpa 0..1G private folio ${folio} pfn 0x40000
}
scenario "s" {
${body}
}
`;
const told = (body: string, options?: string, folio?: string): string[] => lines(checkText(text(body, options, folio)));
const rulesOf = (of: readonly string[]): string[] => of.map((line) => line.split(' ')[2]);

test('an unexpected outcome is told once, with what a rule knows of it', () => {
  const found = told(`  vmm.set_memory_attributes(g, 64K +4K, PRIVATE)
  g.pvalidate(64K)
  g.pvalidate(64K)`);
  assert.deepEqual(rulesOf(found), ['OUTCOME']);
  assert.match(found[0], /changes nothing \(CF=1\): the page is validated already since line 11 \(g\.pvalidate\)/);
});

test('a livelock is told once, with the sizes that differ', () => {
  const body = (outcome: string): string => `  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  g.pvalidate(0, 2M)
  g.read(0)
  cpu.psmash(pfn(g, 0))
  g.write(1M)${outcome}`;
  const found = told(body(''), '', '2M');
  assert.deepEqual(rulesOf(found), ['TERM']);
  assert.match(found[0], /maps gfn 0x100 as 2M, its RMP entry is 4K since line 13/);
  assert.deepEqual(rulesOf(told(body('  => livelock'), '', '2M')), ['SIZE']);
  // An allow silences the rule, not the outcome.
  const allowed = told(body('').replace('  g.write', '  allow SIZE "known"\n  g.write'), '', '2M');
  assert.deepEqual(rulesOf(allowed), ['TERM']);
  assert.doesNotMatch(allowed[0], /maps gfn 0x100 as 2M/);
});

test('what PARTIAL, OVERLAP and COVER say of a failure, RETRY does not say again', () => {
  const found = told(
    `  vmm.launch_update(g, 64K +4K, NORMAL)
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)`,
    '',
    '2M',
  );
  assert.deepEqual(rulesOf(found), ['PARTIAL', 'SWALLOW', 'OVERLAP']);
  assert.match(found[2], /since line 10 \(vmm\.launch_update\)/);
});

test('a verdict that depends on an open point names the option', () => {
  const lost = told(
    `  vmm.set_memory_attributes(g, 64K +4K, PRIVATE)
  g.pvalidate(64K)
  vmm.set_memory_attributes(g, 64K +4K, PRIVATE)
  expect rmp(g, 64K) is validated`,
    '  option idempotent-rmpupdate-keeps-validated = off\n',
  );
  assert.deepEqual(rulesOf(lost), ['IDEMP', 'EXPECT']);
  for (const line of lost)
    assert.match(
      line,
      /This depends on option idempotent-rmpupdate-keeps-validated \(U2\), which no public text settles\./,
    );

  const unaligned = told('  cpu.rmpupdate(0x40001, gpa 2M, asid 1, 2M, assigned)');
  assert.deepEqual(rulesOf(unaligned), ['OUTCOME']);
  assert.match(unaligned[0], /This depends on option rmpupdate-strict-input \(U1\), which no public text settles\./);
});

test('where processors differ the verdict says that', () => {
  const found = told(`  fw.write_rmp_entry(0x40000, 0x8000000000000000, 0)
  host.write(0x40010, via 2M)`);
  assert.deepEqual(rulesOf(found), ['INUSE', 'FAULT']);
  assert.match(found[1], /This depends on option in-use-2m-erratum, in which processors differ\./);
});

test('what depends on nothing open says nothing of options', () => {
  const found = told('  cpu.psmash(0x40000)\n  g.read(0)');
  for (const line of found.filter((l) => !/psmash-badaddr-code/.test(l))) assert.doesNotMatch(line, /This depends on/);
});

test('a page that was wrong before is not told again', () => {
  const found = told(`  host.fail_get_pfn(g, 64K +4K)
  vmm.set_memory_attributes(g, 64K +4K, PRIVATE)
  vmm.set_memory_attributes(g, 64K +4K, PRIVATE)`);
  assert.deepEqual(rulesOf(found), ['ATTR-RMP']);
});

test('kvm-6.12: a direct map that is not split is an error, told once where a neighbour can be met', () => {
  const own = '#include <linux/types.h>\nstatic int adjust_direct_map(u64 pfn, int rmp_level)\n{\n\treturn 0;\n}\n';
  const scenario = `use kernel "kvm-6.12"
use source "own.c"
host {
  memory 4G
}
guest g {
  asid 1
  slot 0 gpa 0..1G private folio 4K pfn 0x40000
}
scenario "s" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  g.pvalidate(64K)
}
`;
  assert.deepEqual(rulesOf(lines(checkText(scenario, { 'own.c': own }))), ['HOSTW']);
  assert.deepEqual(lines(checkText(scenario.replace('use source "own.c"\n', ''))), []);
});
