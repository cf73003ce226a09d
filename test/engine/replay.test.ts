// A document's view: its analysis and runs for looking at, which must show the states that a run from scratch passes, through any edits.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createChecker } from '../../engine/checker.ts';
import type { Replay } from '../../engine/run/replay.ts';
import type { DocumentView } from '../../engine/view.ts';

const host = { resolve: (_: string, name: string) => name, read: () => ({ error: 'no such file' }) };

const head = 'guest g {\n  asid 1\n  slot 0 gpa 0..8M private folio 2M pfn 0x1000\n}\n';
const steps = [
  'vmm.set_memory_attributes(g, 0..2M, PRIVATE)',
  'vmm.set_memory_attributes(g, 2M..4M, PRIVATE)',
  'vmm.set_memory_attributes(g, 0..4M, SHARED)',
  'g.write(0)',
  'g.read(2M)',
];
const text = (chosen: readonly string[]) => `${head}scenario "s" {\n${chosen.map((s) => `  ${s}\n`).join('')}}\n`;
const chosen = fc.array(fc.constantFrom(...steps), { minLength: 1, maxLength: 6 });

const replayOf = (view: DocumentView): Replay => {
  const unit = view.analysis.program.scenarios[0];
  assert.ok(unit);
  const replay = view.replay(unit);
  assert.ok(replay, 'the scenario can run');
  return replay;
};

/** What stands in the tables, for comparison. */
function stateOf({ machine }: Replay): unknown {
  const pages = [];
  for (let pfn = 0x1000; pfn < 0x1800; pfn += 64) pages.push(machine.describeEntry(pfn));
  return {
    pages,
    events: machine.trace.length,
    attributes: [0, 511, 512, 1023].map((gfn) => machine.isPrivate(1, gfn)),
  };
}

test('a replay shows the state at any step as a run from scratch does, in any order and through edits', () => {
  const kept = createChecker(host);
  fc.assert(
    fc.property(fc.array(fc.tuple(chosen, fc.array(fc.nat(7), { maxLength: 5 })), { maxLength: 4 }), (edits) => {
      for (const [lines, looks] of edits) {
        const replay = replayOf(kept.view('a.snpscenario', text(lines)));
        for (const look of looks) {
          const fresh = replayOf(createChecker(host).view('a.snpscenario', text(lines)));
          assert.equal(replay.goTo(look), fresh.goTo(look));
          assert.deepEqual(stateOf(replay), stateOf(fresh));
        }
      }
    }),
    { numRuns: 40 },
  );
});

test('looking does not disturb the verdict', () => {
  const checker = createChecker(host);
  const source = text(steps.slice(0, 4));
  const result = () => {
    const check = checker.start('a.snpscenario', source);
    while (!check.advance(1e6));
    return check.result();
  };
  const before = JSON.stringify(result());
  const view = checker.view('a.snpscenario', source);
  const replay = replayOf(view);
  assert.equal(replay.toEnd(), true);
  replay.goTo(1);
  assert.equal(JSON.stringify(result()), before);
  const [unit] = checker.view('a.snpscenario', source).analysis.program.scenarios;
  assert.ok(unit);
  assert.ok(view.result(unit), 'the result is there for the same unit');
});

test('a view of an imported file that changed is a new one', () => {
  let library = 'sequence nothing(g) {\n}\n';
  const checker = createChecker({ ...host, read: () => ({ text: library }) });
  const source = `import "lib.snpscenario"\n${text(steps.slice(0, 1))}`;
  assert.equal(checker.view('a', source).analysis, checker.view('a', source).analysis);
  const before = checker.view('a', source).analysis;
  library = 'sequence other(g) {\n}\n';
  checker.fileChanged('lib.snpscenario');
  assert.notEqual(checker.view('a', source).analysis, before);
});

test('a file that cannot be read leaves nothing to replay', () => {
  const view = createChecker(host).view('a', `use patch "none.patch"\n${text(steps.slice(0, 1))}`);
  assert.equal(view.environment(), undefined);
  const [unit] = view.analysis.program.scenarios;
  assert.ok(unit);
  assert.equal(view.replay(unit), undefined);
});
