// Where a debugger stands, also within a step: the story's state and what has changed since are what its machine has in its tables.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CellReader } from '../../../engine/map/cells.ts';
import { StoryCursor } from '../../../engine/map/position.ts';
import { forEachRun } from '../../../engine/map/run-columns.ts';
import { anyCell } from '../../../engine/map/story.ts';
import { Replay } from '../../../engine/run/replay.ts';
import { assertRuns, Pages, tell } from './kit.ts';

const VIOLATION = 1 << anyCell.violation[0];

const text = `host {
  memory 32M
}
guest g {
  asid 1
  slot 0 gpa 0..4M private folio 2M pfn 0x800
  slot 1 gpa 8M..8M + 64K private folio 4K pfn 0x1010
}
scenario "s" {
  vmm.set_memory_attributes(g, 0..4M, PRIVATE)
  g.pvalidate(0, 2M) => any
  vmm.set_memory_attributes(g, 64K..72K, SHARED)
  vmm.set_memory_attributes(g, 8M..8M + 64K, PRIVATE) => any
  vmm.set_memory_attributes(g, 0..4M, SHARED)
}
`;

test('within a step, state and partial changes are what the machine has', () => {
  const told = tell(text);
  const { story, teller } = told;
  const cursor = new StoryCursor(story, teller.lanes);
  const { run, machine } = new Replay(told.environment.takeMachine(), told.unit);
  const reader = new CellReader(machine, teller.lanes);
  const pages = new Pages(story);
  let partials = 0;
  let last = 0;
  while (run.state === 'running') {
    run.tick(997);
    const within = run.isInCall;
    const state = teller.stateOfInstance(within ? run.executed - 1 : run.executed);
    assert.ok(state >= last);
    last = state;
    cursor.goTo(state);
    const partial = cursor.changedBy(machine, within ? run.markBefore(run.executed - 1).trace : machine.trace.length);
    assertRuns(partial, story.lanes);
    if (!within) assert.equal(partial.lane.length, 0);
    else if (partial.lane.length > 0) partials++;
    pages.goTo(state);
    const cells = story.lanes.map((_, lane) => new Map(pages.cells[lane]));
    forEachRun(partial, (lane, start, count, before, after) => {
      for (let page = start; page < start + count; page++) {
        assert.equal(cells[lane].get(page) ?? 0, before);
        cells[lane].set(page, after);
      }
    });
    reader.refresh();
    for (const [lane, { pages: count }] of story.lanes.entries()) {
      for (let page = 0; page < count; page++) {
        const is = (reader.cell(lane, page) & ~VIOLATION) >>> 0;
        const shown = ((cells[lane].get(page) ?? 0) & ~VIOLATION) >>> 0;
        if (is !== shown)
          assert.fail(`state ${state} lane ${lane} page ${page}: ${shown.toString(16)}, is ${is.toString(16)}`);
      }
    }
  }
  assert.ok(partials > 5, `${partials} places within steps changed something`);
});

test('a cursor goes back and forth', () => {
  const { story, teller } = tell(text);
  const cursor = new StoryCursor(story, teller.lanes);
  const pages = new Pages(story);
  for (const state of [3, 1, 5, 0, 4, 2, 99, -1]) {
    cursor.goTo(state);
    pages.goTo(Math.max(0, Math.min(state, story.steps.length)));
    for (const [lane, { pages: count }] of story.lanes.entries())
      for (let page = 0; page < count; page += 7) assert.equal(cursor.cell(lane, page), pages.cell(lane, page));
  }
});
