// Stories of scenarios, for tests: told from a text, and read back page by page.

import assert from 'node:assert/strict';
import { createChecker } from '../../../engine/checker.ts';
import type { Lane } from '../../../engine/map/lanes.ts';
import { forEachRun } from '../../../engine/map/run-columns.ts';
import type { MapRuns, MapStory } from '../../../engine/map/story.ts';
import { StoryTeller } from '../../../engine/map/teller.ts';
import type { Environment } from '../../../engine/run/environment.ts';
import { Replay } from '../../../engine/run/replay.ts';
import type { ScenarioUnit } from '../../../engine/scenario/program.ts';
import { memoryHost } from '../run/check-text.ts';

export interface Told {
  teller: StoryTeller;
  story: MapStory;
  unit: ScenarioUnit;
  environment: Environment;
}

/** Opens a scenario of a text; the first without a name. */
export function openScenario(
  text: string,
  files: Readonly<Record<string, string>> = {},
  name?: string,
  uri = 'file:///test.snpscenario',
): { teller: StoryTeller; unit: ScenarioUnit; environment: Environment; scenarios: string[] } {
  const view = createChecker(memoryHost(files)).view(uri, text);
  const { scenarios } = view.analysis.program;
  const unit = name === undefined ? scenarios[0] : scenarios.find((one) => one.name === name);
  const environment = view.environment();
  assert.ok(unit, 'there is such a scenario');
  assert.ok(environment, 'it can run');
  const names = scenarios.map((one) => one.name);
  const teller = new StoryTeller(new Replay(environment.takeMachine(), unit), { uri, text, scenarios: names });
  return { teller, unit, environment, scenarios: names };
}

export function tell(text: string, files?: Readonly<Record<string, string>>, name?: string, uri?: string): Told {
  const opened = openScenario(text, files, name, uri);
  while (!opened.teller.advance(1e6));
  return { ...opened, story: opened.teller.story() };
}

/** The cells of a story at a state, told forwards. Pages that are not there have cell 0. */
export class Pages {
  readonly cells: Map<number, number>[];
  private readonly story: MapStory;
  private state = 0;

  constructor(story: MapStory) {
    this.story = story;
    this.cells = story.lanes.map(() => new Map<number, number>());
    this.apply(story.base, 0, story.base.lane.length, true);
  }

  goTo(state: number): void {
    const { changes, changesFrom } = this.story;
    for (; this.state < state; this.state++)
      this.apply(changes, changesFrom[this.state], changesFrom[this.state + 1], true);
    for (; this.state > state; this.state--)
      this.apply(changes, changesFrom[this.state - 1], changesFrom[this.state], false);
  }

  cell(lane: number, page: number): number {
    return this.cells[lane].get(page) ?? 0;
  }

  private apply(runs: MapRuns, from: number, to: number, forwards: boolean): void {
    forEachRun(
      runs,
      (lane, start, count, before, after) => {
        for (let page = start; page < start + count; page++) {
          assert.equal(this.cell(lane, page), forwards ? before : after, `what lane ${lane} page ${page} was`);
          this.cells[lane].set(page, forwards ? after : before);
        }
      },
      from,
      to,
    );
  }
}

/** Runs are in order of lane and page, do not overlap, are not empty, lie in their lanes and change something. */
export function assertRuns(runs: MapRuns, lanes: readonly Lane['shown'][], from = 0, to = runs.lane.length): void {
  let lastLane = -1;
  let end = 0;
  forEachRun(
    runs,
    (lane, start, count, before, after) => {
      assert.ok(lane >= lastLane && lane < lanes.length, 'lanes in order');
      if (lane > lastLane) end = 0;
      assert.ok(start >= end, 'pages in order');
      assert.ok(count > 0 && start + count <= lanes[lane].pages, 'pages of the lane');
      assert.notEqual(before, after, 'a change');
      lastLane = lane;
      end = start + count;
    },
    from,
    to,
  );
}
