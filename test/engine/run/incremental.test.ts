// Checking after an edit gives what checking from scratch gives, however the edits fall and however the work is sliced.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createChecker } from '../../../engine/checker.ts';
import { finish, memoryHost } from './check-text.ts';

/** Some of its steps violate them. */
const INVARIANTS = [
  '',
  'invariant "a" { forall page p: rmp(p) is 2M implies rmp(p) is validated }\n',
  'invariant "b" {\n  forall gpa a of g: attr(g, a) is private implies rmp(g, a) is { guest g, assigned }\n}\n',
  'invariant "c" { forall page p: rmp(p is 2M }\n',
];

const HEADER = `use kernel "kvm-rfc-v8"
host {
  memory 4G
}
guest g {
  asid 1
  slot 0 gpa 0..64M private folio 2M pfn 0x40000
  slot 1 gpa 64M..128M private folio order 4 pfn 0x60000
}
sequence touch(at) {
  g.pvalidate(at, 4K) => any
  g.read(at) => any
}
`;

/** Statements that succeed, fail, violate rules, loop, do not parse: whatever people type. */
const STATEMENTS = [
  'vmm.set_memory_attributes(g, 0..2M, PRIVATE)',
  'vmm.set_memory_attributes(g, 64K..68K, SHARED)',
  'vmm.set_memory_attributes(g, 64M..65M, PRIVATE)',
  'vmm.set_memory_attributes(g, 4K..16K, PRIVATE)',
  'g.pvalidate(0, 2M)',
  'g.pvalidate(64K, 4K) => any',
  'g.read(68K)',
  'g.write(64K, shared) => any',
  'host.write(pfn(g, 68K))',
  'cpu.psmash(pfn(g, 0))',
  'cpu.psmash(pfn(g, 0)) => FAIL_BADADDR',
  'cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 2M, assigned) => FAIL_OVERLAP',
  'fw.write_rmp_entry(pfn(g, 8M), 0x4, 0)',
  'expect rmp(g, 64K) is shared',
  'expect count(psmash) is 1',
  'expect log contains "failed"',
  'for p in 0..32K step 4K {\n    g.read(p) => any\n  }',
  'allow ATTR-RMP "known"\n  vmm.set_memory_attributes(g, 64M..64M +64K, PRIVATE)',
  'let p = pfn(g, 64K)\n  host.read(p)',
  'touch(64K)',
  'host.fail_get_pfn(g, 8K..12K, ENOSPC)',
  '// a comment',
  '',
  'vmm.set_memory_attributes(g, 0..2M PRIVATE',
  'g.nothing(1)',
  'kernel.no_such_function(1)',
  'allow INVARIANT "known"\n  vmm.set_memory_attributes(g, 2M..6M, PRIVATE)',
];

const scenario = (name: string, statements: readonly string[]): string =>
  `scenario "${name}" {\n${statements.map((s) => `  ${s}\n`).join('')}}\n`;

const statement = fc.constantFrom(...STATEMENTS);
const body = fc.array(statement, { maxLength: 8 });

test('an edited document has the verdicts of the same text checked from scratch', () => {
  const edit = fc.record({
    which: fc.nat(2),
    at: fc.nat(8),
    drop: fc.nat(2),
    insert: fc.array(statement, { maxLength: 2 }),
    header: fc.boolean(),
    invariant: fc.option(fc.nat(INVARIANTS.length - 1), { nil: undefined, freq: 3 }),
  });
  fc.assert(
    fc.property(
      fc.tuple(body, body, body),
      fc.array(edit, { maxLength: 6 }),
      fc.constantFrom(50, 5000, 1e9),
      fc.nat(INVARIANTS.length - 1),
      (start, edits, slice, first) => {
        const checker = createChecker(memoryHost());
        const bodies = start.map((statements) => [...statements]);
        let header = HEADER;
        let invariant = INVARIANTS[first];
        const text = (): string =>
          `${header}${invariant}${bodies.map((statements, i) => scenario(`s${i}`, statements)).join('\n')}`;
        finish(checker, 'a', text(), undefined, slice);
        for (const { which, at, drop, insert, header: above, invariant: other } of edits) {
          if (other !== undefined) invariant = INVARIANTS[other];
          bodies[which].splice(Math.min(at, bodies[which].length), drop, ...insert);
          // A line more above everything moves every scenario without changing any.
          if (above) header = `// moved\n${header}`;
          const incremental = finish(checker, 'a', text(), undefined, slice);
          const scratch = finish(createChecker(memoryHost()), 'a', text());
          assert.deepEqual(incremental, scratch);
        }
      },
    ),
    { numRuns: Number(process.env.FC_RUNS ?? 60) },
  );
});

test('a check that is dropped half-way leaves nothing behind', () => {
  const checker = createChecker(memoryHost());
  const first = HEADER + scenario('s', ['vmm.set_memory_attributes(g, 0..64M, PRIVATE)', 'expect rmp(g, 0) is shared']);
  const second = HEADER + scenario('s', ['expect rmp(g, 0) is shared']);
  for (const units of [1, 100, 20_000, 60_000]) {
    const dropped = checker.start('a', first);
    dropped.advance(units);
    dropped.advance(units);
    const result = finish(checker, 'a', second);
    assert.deepEqual(result, finish(createChecker(memoryHost()), 'a', second));
  }
});
