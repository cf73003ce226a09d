// `invariant "…" { forall … }`: what it says of a step, when it keeps silent, and that an edit elsewhere does not move it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createChecker } from '../../../engine/checker.ts';
import { checkText, finish, lines, memoryHost } from './check-text.ts';

const HEADER = `use kernel "kvm-rfc-v8"
host {
  memory 4G
}
guest g {
  asid 1
  slot 0 gpa 0..64M private folio 2M pfn 0x40000
}
`;
const VALIDATED =
  'invariant "no validated page is shared" { forall page p: rmp(p) is validated implies rmp(p) is assigned }\n';

/** The document, and what is said by INVARIANT of its steps; the invariants begin on line 9. */
const text = (invariants: string, ...steps: string[]): string =>
  `${HEADER}${invariants}scenario "s" {\n${steps.map((step) => `  ${step}\n`).join('')}}\n`;
const said = (invariants: string, ...steps: string[]): string[] => {
  const result = checkText(text(invariants, ...steps));
  assert.deepEqual(
    lines(result).filter((line) => / (SYNTAX|NAME|ARGUMENT|KIND|VALUE) /.test(line)),
    [],
  );
  return lines(result).filter((line) => !line.includes('.c:') && / (INVARIANT|ALLOW-UNUSED) /.test(line));
};

const write = (pfn: string, low: string): string => `fw.write_rmp_entry(pfn(${pfn}), ${low}, 0)`;
/** Validated alone; Assigned with it. */
const VALID = '0x4000000000000000';
const OWNED = '0x4008000000000001';

test('a page that violates it is reported on the step, with what was found and where it is declared', () => {
  const result = checkText(text(VALIDATED, write('0x50001', VALID)));
  const [finding] = result.diagnostics.filter((d) => d.rule === 'INVARIANT');
  assert.equal(finding.severity, 'error');
  assert.equal(finding.location.range.start.line, 10);
  assert.equal(
    finding.message,
    '"no validated page is shared" does not hold for pfn 0x50001: `rmp(p) is validated`, but not `rmp(p) is assigned`. rmp(p) shows pfn 0x50001: hypervisor · validated, since line 11 (fw.write_rmp_entry).',
  );
  const declared = finding.related.find((r) => r.message === 'the invariant');
  assert.deepEqual(declared?.location.range, { start: { line: 8, character: 10 }, end: { line: 8, character: 39 } });
  assert.equal(result.scenarios[0].status, 'failed');
});

test('a near miss is silent', () => {
  assert.deepEqual(said(VALIDATED, write('0x50001', OWNED)), []);
  assert.deepEqual(
    said(VALIDATED, 'vmm.set_memory_attributes(g, 0..2M, PRIVATE)', 'g.pvalidate(0, 2M)', 'g.read(64K)'),
    [],
  );
});

test('a page in violation is reported once, and again when it has been right in between', () => {
  const wrong = write('0x50001', VALID);
  assert.equal(said(VALIDATED, wrong, wrong, 'host.read(pfn(0x50001))').length, 1);
  assert.deepEqual(
    said(VALIDATED, wrong, write('0x50001', OWNED), wrong).map((line) => line.split(' ')[0]),
    ['11:3', '13:3'],
  );
});

test('pages that the step did not touch cost nothing and are not judged', () => {
  const shared = 'invariant "all are private" { forall page p: rmp(p) is assigned }\n';
  assert.deepEqual(said(shared, 'host.read(pfn(0x50001))', 'vmm.set_memory_attributes(g, 0..2M, PRIVATE)'), []);
});

test('allow silences it, and is unused where nothing is violated', () => {
  assert.deepEqual(said(VALIDATED, `${write('0x50001', VALID)} allow INVARIANT "on purpose"`), []);
  assert.match(said(VALIDATED, `${write('0x50001', OWNED)} allow INVARIANT "on purpose"`)[0], /ALLOW-UNUSED/);
});

test('over the memory of a guest, with the pages counted', () => {
  const mapped =
    'invariant "private pages are mapped" {\n  forall gpa a of g:\n    attr(g, a) is private implies npt(g, a) is mapped\n}\n';
  assert.deepEqual(said(mapped, 'vmm.set_memory_attributes(g, 64K..128K, PRIVATE)'), [
    '14:3 error INVARIANT "private pages are mapped" does not hold for 16 pages of guest g (gpa 0x10000..0x20000): `attr(g, a) is private`, but not `npt(g, a) is mapped`. At gpa 0x10000: attr(g, a) shows private, since line 14 (vmm.set_memory_attributes); npt(g, a) shows not present.',
  ]);
  assert.deepEqual(said(mapped, 'vmm.set_memory_attributes(g, 64K..128K, SHARED)'), []);
});

test('an unmapping is a change too', () => {
  const steps = ['vmm.set_memory_attributes(g, 0..2M, PRIVATE)', 'g.pvalidate(0, 2M)', 'g.read(0)'];
  const rule =
    'invariant "validated is mapped" { forall gpa a of g: rmp(g, a) is validated implies npt(g, a) is mapped }\n';
  assert.deepEqual(said(rule, ...steps), []);
  const [line, ...rest] = said(rule, ...steps, 'kernel.kvm_zap_gfn_range(g, 0, 512)');
  assert.match(line ?? 'nothing', / INVARIANT "validated is mapped" does not hold for /);
  assert.deepEqual(rest, []);
});

test('not, and, or and parentheses', () => {
  const rule = (formula: string): string => `invariant "i" { forall page p: ${formula} }\n`;
  const holds = (formula: string): boolean => said(rule(formula), write('0x50001', OWNED)).length === 0;
  const yes = 'rmp(p) is validated';
  const no = 'rmp(p) is shared';
  for (const [formula, value] of [
    [yes, true],
    [no, false],
    [`not ${no}`, true],
    [`not ${yes}`, false],
    [`${yes} and ${no}`, false],
    [`${no} or ${yes}`, true],
    [`${no} implies ${no}`, true],
    [`${yes} implies ${no}`, false],
    // `and` binds stronger than `or`, and `or` than `implies`, which goes to the right.
    [`${yes} or ${no} and ${no}`, true],
    [`(${yes} or ${no}) and ${no}`, false],
    [`${no} and ${no} or ${yes}`, true],
    [`${no} implies ${yes} implies ${no}`, true],
    [`(${no} implies ${yes}) implies ${no}`, false],
    [`not (${yes} and ${no})`, true],
    [`not ${no} and ${yes}`, true],
    [`rmp(p) is { asid 1, validated, not immutable } and refcount(p) is not 77`, true],
    ['rmp(p) is not 2M', true],
    ['state(p) is not GUEST_VALID', false],
  ] as const)
    assert.equal(holds(formula), value, formula);
});

test('what a query has no answer for is not violated', () => {
  const rule = 'invariant "i" { forall gpa a of g: rmp(g, a + 64M) is assigned }\n';
  assert.deepEqual(said(rule, 'vmm.set_memory_attributes(g, 0..2M, PRIVATE)'), []);
  const other = 'invariant "i" { forall gpa a of g: rmp(g, a + 64M) is assigned or attr(g, a) is shared }\n';
  assert.deepEqual(said(other, 'vmm.set_memory_attributes(g, 0..2M, PRIVATE)'), []);
});

test('like entries of a 2M frame are judged as one, and each when they differ', () => {
  const large = 'invariant "no 2M" { forall page p: rmp(p) is not 2M }\n';
  const [line] = said(large, 'vmm.set_memory_attributes(g, 0..2M, PRIVATE)');
  assert.match(line, /512 pages \(pfn 0x40000\.\.0x40200\)/);
  const one = 'invariant "one" { forall page p: not rmp(p) is gpa 0x5000 }\n';
  const [single] = said(one, 'vmm.set_memory_attributes(g, 0..2M, PRIVATE)');
  assert.match(single, /does not hold for pfn 0x40005: `not rmp\(p\) is gpa 0x5000` is false\./);
});

test('several of one name and several in one file', () => {
  const two = `invariant "first" {\n  forall page p: rmp(p) is not validated\n  forall page p: rmp(p) is assigned\n}\n${VALIDATED}`;
  assert.equal(said(two, write('0x50001', VALID)).length, 3);
});

test('`let`s of the file, and sequences', () => {
  const rule =
    'let limit = pfn(0x50002)\ninvariant "i" { forall page p: not rmp(limit) is validated }\nsequence bad() {\n  fw.write_rmp_entry(pfn(0x50002), 0x4000000000000000, 0)\n}\n';
  const found = said(rule, 'bad()');
  assert.equal(found.length, 1);
  assert.match(found[0], /^15:3 error INVARIANT "i"/);
});

test('an edit above moves the declaration; an edited invariant is another environment', () => {
  const checker = createChecker(memoryHost());
  const variants = [
    VALIDATED,
    `// moved\n\n${VALIDATED}`,
    VALIDATED.replace('is assigned', 'is not assigned'),
    VALIDATED.replace('no validated', 'another'),
    '',
    VALIDATED,
    `invariant "other" { forall page p: rmp(p) is 4K }\n${VALIDATED}`,
    VALIDATED.replace('implies', 'implies ('),
  ];
  for (const invariants of variants) {
    const document = text(invariants, write('0x50001', VALID), 'vmm.set_memory_attributes(g, 0..2M, PRIVATE)');
    assert.deepEqual(finish(checker, 'a', document), finish(createChecker(memoryHost()), 'a', document), invariants);
  }
});
