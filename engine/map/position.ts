/**
 * Where somebody stands who walks through the same scenario on a machine of his own (a debugger): the state of the story, and what that machine has
 * changed since, if it stands within a step.
 */
import type { Machine } from '../run/machine.ts';
import { CellReader } from './cells.ts';
import { collectChanges } from './changes.ts';
import type { Lane } from './lanes.ts';
import { forEachRun, RunColumns } from './run-columns.ts';
import { Shadow } from './shadow.ts';
import { anyCell, cellField, type MapRuns, type MapStory } from './story.ts';
import { touchedPages } from './touched.ts';

/** The cells of a story at any of its states: moved from one to the next at the cost of what changed in between. */
export class StoryCursor {
  private readonly story: MapStory;
  private readonly lanes: readonly Lane[];
  private shadows: readonly Shadow[] = [];
  private state = 0;

  constructor(story: MapStory, lanes: readonly Lane[]) {
    this.story = story;
    this.lanes = lanes;
    this.begin();
  }

  private begin(): void {
    this.shadows = this.lanes.map(() => new Shadow([]));
    this.state = 0;
    // Base runs are large; as a shadow's untouched runs they cost nothing.
    const untouched = this.lanes.map((): { start: number; end: number; cell: number }[] => []);
    forEachRun(this.story.base, (lane, start, count, _, cell) =>
      untouched[lane].push({ start, end: start + count, cell }),
    );
    this.shadows = untouched.map((runs) => new Shadow(runs));
  }

  goTo(state: number): void {
    const { changes, changesFrom, steps } = this.story;
    const to = Math.max(0, Math.min(state, steps.length));
    for (; this.state < to; this.state++) {
      const put = (lane: number, start: number, count: number, _: number, after: number): void =>
        this.shadows[lane].setRun(start, count, after);
      forEachRun(changes, put, changesFrom[this.state], changesFrom[this.state + 1]);
    }
    for (; this.state > to; this.state--) {
      const put = (lane: number, start: number, count: number, before: number): void =>
        this.shadows[lane].setRun(start, count, before);
      forEachRun(changes, put, changesFrom[this.state - 1], changesFrom[this.state]);
    }
  }

  cell(lane: number, page: number): number {
    return this.shadows[lane].cell(page);
  }

  /**
   * What `machine` has changed by the events from `fromEvent` on, against the cells of the present state. Which rules are violated is judged when a
   * step comes to rest: until then pages stay marked as they were.
   */
  changedBy(machine: Machine, fromEvent: number): MapRuns {
    const reader = new CellReader(machine, this.lanes);
    reader.refresh();
    // A page may have been leaked in this step, or not: the list as a whole is short.
    const before = { shadows: this.shadows, leaked: 0 };
    const touched = touchedPages(machine, this.lanes, before, fromEvent, machine.trace.length);
    const flags = {
      mayBeIn: () => true,
      isMarked: (lane: number, page: number) => cellField(this.cell(lane, page), anyCell.violation) === 1,
    };
    const runs = new RunColumns();
    for (const [lane, pages] of touched.entries()) {
      const scratch = new Overlay(this.shadows[lane]);
      collectChanges(reader, scratch, flags, lane, pages, runs);
    }
    return runs.slice();
  }
}

/** A shadow that is only read. */
class Overlay extends Shadow {
  private readonly under: Shadow;

  constructor(under: Shadow) {
    super([]);
    this.under = under;
  }

  override cell(page: number): number {
    return this.under.cell(page);
  }

  override frame(frame: number): readonly [number, number] | undefined {
    return this.under.frame(frame);
  }

  override setFrame(): void {}

  override setPage(): void {}
}
