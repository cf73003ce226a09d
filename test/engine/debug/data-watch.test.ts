// A data breakpoint misses nothing: whenever a page's RMP entry, nested page table entry or attribute is another after a step, an event of that step
// counts as a change of that page. Held against the tables themselves, over the scenarios of the conformance suite.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { changes, type Watched } from '../../../engine/debug/data-watch.ts';
import { openSession } from '../../../engine/debug/open-session.ts';
import type { DebugSession } from '../../../engine/debug/session.ts';
import { analyze } from '../../../engine/scenario/analyze.ts';

const folder = join(import.meta.dirname, '../../conformance/kvm-rfc-v8');
const host = {
  resolve: (from: string, relative: string) => join(dirname(from), relative),
  read: (path: string) => (existsSync(path) ? { text: readFileSync(path, 'utf8') } : { error: 'no such file' }),
};

/** Steps of one scenario that are looked at, and pages: the corners of 4K and 2M entries. */
const STEPS = 40;
const GFNS = [0, 1, 15, 16, 17, 31, 32, 255, 256, 511, 512, 513, 1023, 1024, 4096];

/** What is watched, and what it holds as text. The subpage count is left out: it is the region's. */
function watches({ machine }: DebugSession): { watched: Watched; value: () => string }[] {
  const { rmp } = machine.hardware;
  return machine.guests.flatMap((guest) =>
    GFNS.flatMap((gfn) => {
      const { asid } = guest;
      const { npt } = machine.contextOf(guest);
      const pfn = machine.kernel.privateBacking(asid, gfn)?.pfn;
      const range = { start: gfn, end: gfn + 1 };
      return [
        { watched: { kind: 'npt' as const, asid, ...range }, value: () => JSON.stringify(npt.lookup(gfn)) ?? '' },
        {
          watched: { kind: 'attr' as const, asid, ...range },
          value: () => String(machine.kernel.attribute(asid, gfn)),
        },
        ...(pfn === undefined || !rmp.covers(pfn)
          ? []
          : [
              {
                watched: { kind: 'rmp' as const, start: pfn, end: pfn + 1 },
                value: () => JSON.stringify({ ...machine.entry(pfn), raw: undefined, subpageCount: undefined }),
              },
            ]),
      ];
    }),
  );
}

const scenarios = readdirSync(folder)
  .filter((name) => name.endsWith('.snpscenario'))
  .flatMap((name) => {
    const path = join(folder, name);
    const text = readFileSync(path, 'utf8');
    return analyze(path, text, host).program.scenarios.map((unit) => ({ path, text, scenario: unit.name }));
  });

test('no change of a page goes by without an event that counts as one', () => {
  const seen = { npt: 0, attr: 0, rmp: 0, c: 0 };
  for (const target of scenarios) {
    const session = openSession({ ...target, host }, { log: () => {}, printk: () => {}, finding: () => {} });
    if ('error' in session) continue;
    const { timeline, machine, run } = session;
    const all = watches(session);
    const touched = new Set<Watched>();
    timeline.wants = (event) => {
      for (const { watched } of all) if (changes(machine, event, watched)) touched.add(watched);
      return undefined;
    };
    let before = all.map(({ value }) => value());
    for (let steps = 0; steps < STEPS && timeline.forward(Number.POSITIVE_INFINITY) !== 'over'; steps++) {
      const after = all.map(({ value }) => value());
      for (const [i, { watched }] of all.entries()) {
        if (before[i] === after[i]) continue;
        seen[watched.kind]++;
        const instruction = run.instructionOf(run.executed - 1);
        assert.ok(
          touched.has(watched),
          `${target.scenario}: ${'text' in instruction ? instruction.text : instruction.kind} changes ${JSON.stringify(watched)}\n${before[i]}\n${after[i]}`,
        );
      }
      before = after;
      touched.clear();
    }
    session.dispose();
  }
  assert.ok(seen.npt > 100 && seen.attr > 100 && seen.rmp > 100, JSON.stringify(seen));
});
