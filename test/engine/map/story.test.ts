// The story of a scenario against the machine: told forwards from state 0, it gives at every state what a fresh run of the scenario has in its tables,
// page by page; told backwards, the states before. Whatever the steps are.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { CellReader } from '../../../engine/map/cells.ts';
import { anyCell, cellField, guestCell, hostCell, type MapStory, pageStates } from '../../../engine/map/story.ts';
import type { StoryTeller } from '../../../engine/map/teller.ts';
import { Replay } from '../../../engine/run/replay.ts';
import { assertRuns, openScenario, Pages, type Told, tell } from './kit.ts';

const VIOLATION = 1 << anyCell.violation[0];

const head = (kernel: string): string => `use kernel "${kernel}"
host {
  memory 32M
  cpus 2
  rmp 1M..2M
  fixed 2M..2M + 64K
}
guest g {
  asid 1
  vcpus 2
  slot 0 gpa 0..4M private folio 2M pfn 0x800
  slot 1 gpa 8M..8M + 512K private folio 4K pfn 0xd10
}
guest h {
  asid 2
  slot 0 gpa 1M..3M private folio 4K pfn 0x1200
}
`;

/** Everything that changes something, one way or the other. */
const steps = [
  'vmm.set_memory_attributes(g, 0..2M, PRIVATE)',
  'vmm.set_memory_attributes(g, 0..4M, PRIVATE)',
  'vmm.set_memory_attributes(g, 64K..72K, SHARED)',
  'vmm.set_memory_attributes(g, 8M..8M + 64K, PRIVATE)',
  'vmm.set_memory_attributes(g, 0..4M, SHARED)',
  'vmm.set_memory_attributes(h, 1M..2M, PRIVATE)',
  'vmm.launch_update(g, 64K..128K, NORMAL)',
  'vmm.launch_finish(g)',
  'vmm.punch_hole(g, 0..2M)',
  'vmm.punch_hole(g, 64K..68K)',
  'g.write(64K)',
  'g.write(2M)',
  'g.write(8M, shared)',
  'h.write(1M)',
  'g.pvalidate(0, 2M)',
  'g.pvalidate(64K)',
  'g.pvalidate(2M, 2M)',
  'g.rmpadjust(64K, vmpl 1, perms 3)',
  'g.rmpadjust(0, 2M, vmpl 1, perms 7)',
  'g.psc(0..2M, PRIVATE)',
  'g.ap_create(1, 64K)',
  'g.vcpu(1).vmrun()',
  'host.split_folio(g, 0..2M)',
  'host.contend(pfn(g, 0), 2)',
  'cpu.rmpupdate(0x800, gpa 0, asid 1, 2M, assigned)',
  'cpu.rmpupdate(0x805, gpa 20K, asid 1, assigned)',
  'cpu.rmpupdate(0x800)',
  'cpu.rmpupdate(0x800, 2M)',
  'cpu.rmpupdate(0xa01, assigned, immutable)',
  'cpu.rmpupdate(0xa02, assigned, immutable)',
  'cpu.rmpupdate(0x1200, gpa 1M, asid 2, assigned, immutable)',
  'cpu.psmash(0x800)',
  'cpu.psmash(0xa00)',
  'fw.snp_launch_update(g, 0x800, size 2M)',
  'fw.snp_page_md_init(g, 0xa01)',
  'fw.snp_page_reclaim(0xa01)',
  'fw.snp_page_reclaim(0x800, 2M)',
  'fw.snp_page_swap_out(g, 0x810, 0xa02, metadata 0xa01)',
  'fw.snp_page_swap_in(g, 0xa02, 0x812)',
  'fw.snp_page_move(g, 0x810, 0x811)',
  'fw.snp_page_unsmash(0x800)',
  'fw.snp_page_set_state(pfn(0xa00) +16)',
  'fw.snp_decommission(g)',
  'fw.snp_df_flush()',
  'fw.snp_shutdown()',
  'fw.snp_init(fixed pfn(0x1000) +256, iommu pfn(0x1400) +3)',
  'fw.write_rmp_entry(0x800, 0x8000000000003, 0x1f)',
  'fw.write_rmp_entry(0xa00, 0x4008000000200007, 0xf0f)',
  'fw.write_rmp_entry(0x803, 0x7, 0x0)',
  'kernel.snp_leak_pages(0x810, 3)',
].map((step) => `${step} => any`);

const text = (kernel: string, chosen: readonly string[]): string =>
  `${head(kernel)}scenario "s" {\n${chosen.map((step) => `  ${step}\n`).join('')}}\n`;

/** A fresh run of the same scenario. */
function freshRun(told: Told): Replay {
  return new Replay(told.environment.takeMachine(), told.unit);
}

const describe = (cell: number, kind: string): string =>
  kind === 'host'
    ? `${(cell >>> 0).toString(16)} ${pageStates[cellField(cell, hostCell.state)]} size ${cellField(cell, hostCell.size)}`
    : (cell >>> 0).toString(16);

/** Every page of every lane at every state, there and back. */
function assertTrue(told: Told): void {
  const { story, teller } = told;
  const fresh = freshRun(told);
  const reader = new CellReader(fresh.machine, teller.lanes);
  assertRuns(story.base, story.lanes);
  assert.equal(story.changesFrom.length, story.steps.length + 1);
  const pages = new Pages(story);
  const compare = (state: number): void => {
    fresh.goTo(teller.instanceOfState(state));
    reader.refresh();
    pages.goTo(state);
    for (const [lane, { kind, pages: count }] of story.lanes.entries()) {
      for (let page = 0; page < count; page++) {
        const expected = (reader.cell(lane, page) & ~VIOLATION) >>> 0;
        const actual = (pages.cell(lane, page) & ~VIOLATION) >>> 0;
        if (actual !== expected) {
          const after = state === 0 ? 'before the first step' : `after ${story.steps[state - 1].text}`;
          assert.fail(
            `state ${state} (${after}): ${kind} lane ${lane}, page 0x${page.toString(16)}: told ${describe(actual, kind)}, is ${describe(expected, kind)}`,
          );
        }
      }
    }
  };
  for (let state = 0; state <= story.steps.length; state++) compare(state);
  for (let i = 0; i < story.steps.length; i++)
    assertRuns(story.changes, story.lanes, story.changesFrom[i], story.changesFrom[i + 1]);
  for (let state = story.steps.length - 1; state >= 0; state -= 2) compare(state);
}

const chosen = fc.array(fc.constantFrom(...steps), { minLength: 1, maxLength: 12 });
const kernel = fc.constantFrom('kvm-rfc-v8', 'kvm-6.12');

test('every step alone is told', () => {
  // With something there to act upon.
  for (const step of steps) assertTrue(tell(text('kvm-rfc-v8', [steps[1], steps[14], step])));
});

test('a story gives the cells of a fresh run at every state, forwards and backwards', () => {
  fc.assert(
    fc.property(kernel, chosen, (name, lines) => assertTrue(tell(text(name, lines)))),
    { numRuns: 60 },
  );
});

test('large mappings that go as a whole, or are replaced in part', () => {
  const lines = [
    'vmm.set_memory_attributes(g, 0..4M, PRIVATE)',
    'g.write(0)',
    'g.write(2M)',
    'g.pvalidate(0, 2M)',
    'g.write(64K, shared)',
    'vmm.set_memory_attributes(g, 64K..68K, SHARED)',
    'g.write(64K, shared)',
    'g.write(68K)',
    'vmm.set_memory_attributes(g, 0..4M, SHARED)',
  ].map((line) => `${line} => any`);
  const told = tell(text('kvm-rfc-v8', lines));
  assertTrue(told);
  const levels = new Set<number>();
  const pages = new Pages(told.story);
  for (let state = 0; state <= told.story.steps.length; state++) {
    pages.goTo(state);
    levels.add(cellField(pages.cell(1, 16), guestCell.npt));
  }
  assert.ok(levels.has(2), 'a 2M mapping was there');
});

/** The story without what a machine of another run may have numbered otherwise. */
const plain = (story: MapStory): unknown => ({ ...story, scenarios: [] });

function advance(teller: StoryTeller): void {
  while (!teller.advance(3000));
}

test('after any edits the story is that of a teller that begins anew', () => {
  fc.assert(
    fc.property(
      kernel,
      fc.array(fc.tuple(chosen, fc.nat(3), fc.boolean()), { minLength: 2, maxLength: 4 }),
      (name, edits) => {
        let kept: ReturnType<typeof openScenario> | undefined;
        for (const [lines, comments, half] of edits) {
          const source = `${'// moved\n'.repeat(comments)}${text(name, lines)}`;
          const fresh = openScenario(source);
          advance(fresh.teller);
          if (kept === undefined) {
            kept = openScenario(source);
          } else {
            const before = kept.teller.story();
            const document = { uri: 'file:///test.snpscenario', text: source, scenarios: ['s'] };
            const { kept: steps, moved } = kept.teller.adopt(fresh.unit, document);
            advance(kept.teller);
            const update = kept.teller.update(steps, moved);
            const whole = fresh.teller.story();
            // What the page has and what it is told make the whole.
            assert.deepEqual(
              [
                ...before.steps.slice(0, steps).map((s, i) => ({ ...s, line: update.lines?.[i] ?? s.line })),
                ...update.steps,
              ],
              whole.steps,
            );
            const at = before.changesFrom[steps];
            for (const column of ['lane', 'start', 'count', 'before', 'after'] as const)
              assert.deepEqual(
                [...before.changes[column].slice(0, at), ...update.changes[column]],
                [...whole.changes[column]],
              );
            assert.deepEqual(
              [...before.changesFrom.slice(0, steps), ...update.changesFrom.map((n) => n + at)],
              [...whole.changesFrom],
            );
            assert.deepEqual(
              [...before.violations.filter((v) => v.step < steps), ...update.violations].map((v) => [
                v.step,
                v.lane,
                v.start,
                v.rule,
              ]),
              whole.violations.map((v) => [v.step, v.lane, v.start, v.rule]),
            );
          }
          if (half) kept.teller.advance(2000);
          else advance(kept.teller);
          // Somebody looks at an earlier state in between.
          kept.teller.replay.goTo(1);
          advance(kept.teller);
          assert.deepEqual(plain(kept.teller.story()), plain(fresh.teller.story()));
        }
      },
    ),
    { numRuns: 40 },
  );
});

test('a story that is told in slices is the one told at once', () => {
  const source = text('kvm-rfc-v8', steps.slice(0, 12));
  const sliced = openScenario(source);
  while (!sliced.teller.advance(50));
  assert.deepEqual(sliced.teller.story(), tell(source).story);
});

test('lines and states', () => {
  const told = tell(
    text('kvm-rfc-v8', [
      'for p in 0..8K step 4K {',
      '  g.write(p) => any',
      '}',
      'expect rmp(g, 0) is unassigned',
      'vmm.set_memory_attributes(g, 0..2M, PRIVATE)',
    ]),
  );
  const first = told.story.steps[0].line;
  const { teller } = told;
  assert.deepEqual(
    told.story.steps.map(({ line }) => line - first),
    [0, 0, 3],
  );
  assert.equal(teller.stateAtLine(first - 2), 0);
  assert.equal(teller.stateAtLine(first - 1), 0, 'the head of a loop, before its first turn');
  assert.equal(teller.stateAtLine(first), 2, 'after the last turn');
  assert.equal(teller.stateAtLine(first + 2), 2);
  assert.equal(teller.stateAtLine(first + 3), 3);
  assert.equal(teller.stateAtLine(1e9), 3);
  for (let state = 0; state <= 3; state++) assert.equal(teller.stateOfInstance(teller.instanceOfState(state)), state);
});

test('a page in violation is marked until a step makes it good', () => {
  const { story } = tell(
    text('kvm-rfc-v8', [
      'fw.write_rmp_entry(0xa01, 0x1, 0x0)',
      'g.write(8M, shared) => any',
      'fw.write_rmp_entry(0xa01, 0x0, 0x0)',
    ]),
  );
  const pages = new Pages(story);
  const marks = [0, 1, 2, 3].map((state) => {
    pages.goTo(state);
    return cellField(pages.cell(0, 0xa01), anyCell.violation);
  });
  assert.deepEqual(marks, [0, 1, 1, 0]);
  assert.deepEqual(
    story.violations.map(({ step, lane, rule, start, count }) => ({ step, lane, rule, start, count })),
    [{ step: 0, lane: 0, rule: 'COUNT', start: 0xa00, count: 512 }],
  );
});

test('leaked frames are marked in the lanes of the host, of the guest behind it and of the direct map', () => {
  const { story } = tell(text('kvm-6.12', ['kernel.snp_leak_pages(0x810, 2) => any']));
  const pages = new Pages(story);
  const leaked = (lane: number, page: number): number => cellField(pages.cell(lane, page), anyCell.leaked);
  assert.equal(leaked(0, 0x810), 0);
  pages.goTo(1);
  assert.deepEqual([leaked(0, 0x80f), leaked(0, 0x810), leaked(0, 0x811), leaked(0, 0x812)], [0, 1, 1, 0]);
  assert.deepEqual([leaked(1, 0x10), leaked(3, 0x811), leaked(2, 0x10)], [1, 1, 0]);
});

test('a scenario that stops says so, and a step that fails says what came of it', () => {
  const { story } = tell(
    text('kvm-rfc-v8', ['cpu.psmash(0xa00) => FAIL_BADADDR', 'kernel.no_such_function() ', 'g.read(0)']),
  );
  assert.equal(story.steps[0].outcome, 'FAIL_BADADDR');
  assert.equal(story.steps[0].failed, true);
  assert.match(story.incomplete ?? '', /stopped at line \d+/);
});

test('1 TiB of host and guest costs a few runs, and so does a large conversion', () => {
  const { story } = tell(`host {
  memory 1T
}
guest g {
  asid 1
  slot 0 gpa 0..256G private folio 2M pfn 0x1000000
}
scenario "s" {
  vmm.set_memory_attributes(g, 0..1G, PRIVATE)
}
`);
  assert.equal(story.lanes[0].pages, 2 ** 28);
  assert.ok(story.base.lane.length < 10, `${story.base.lane.length} runs`);
  // A head and its 511 pages for each 2M entry, in the host's lane; one run in the others.
  assert.ok(story.changes.lane.length <= 2 * 512 + 16, `${story.changes.lane.length} runs`);
});

test('half a story holds whole steps only, and an edit in the middle of one starts it anew', () => {
  const source = text('kvm-rfc-v8', [steps[1], steps[4], steps[1]]);
  const { teller, unit } = openScenario(source);
  const whole = tell(source).story;
  let parts = 0;
  while (!teller.advance(5000)) {
    const part = teller.story();
    const n = part.steps.length;
    assert.equal(part.changesFrom.length, n + 1);
    assert.equal(part.changes.lane.length, part.changesFrom[n]);
    assert.deepEqual(part.steps, whole.steps.slice(0, n));
    parts++;
    if (parts === 3 || parts === 12)
      teller.adopt({ ...unit }, { uri: 'file:///test.snpscenario', text: source, scenarios: ['s'] });
  }
  assert.ok(parts > 5, `${parts} parts`);
  assert.deepEqual(teller.story(), whole);
});

test('the mailed patch is told like any other C', (t) => {
  const folder = process.env.SNP_PATCH_DIR;
  if (folder === undefined || folder === '') return t.skip('SNP_PATCH_DIR not set: the mailed patch is not told');
  const name = readdirSync(folder).find((file) => file.startsWith('0048'));
  assert.ok(name);
  const source = text('kvm-rfc-v8', [steps[1], steps[14], steps[2], steps[4]]).replace(
    'host {',
    `use patch ${JSON.stringify(name)}\nhost {`,
  );
  assertTrue(tell(source, { [name]: readFileSync(join(folder, name), 'utf8') }));
});
