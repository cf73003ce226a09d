// The difference of two states: the one that was pinned, and the one shown. What each page was at the pinned state is remembered the first time a step on
// the way touches it, so going on costs no more than the steps gone over. Pages that were changed and changed back are not different.

import { RunList } from './run-list.ts';
import { type LaneState, runsOfLane, type StoryState } from './story-state.ts';

/** In a mask: the page is different. */
const differs = 1;

export class Difference {
  /** The pinned state. */
  readonly state: number;
  /** By lane: 0, or 1 + the id (in the lane) of the cell that the page had at the pinned state. */
  readonly #origin: RunList[];
  readonly #masks: { version: number; mask: RunList }[] = [];
  /** States whose steps, from {@link state} to there, are in `#origin`. */
  #low: number;
  #high: number;

  constructor(story: StoryState, state: number) {
    this.state = state;
    this.#low = state;
    this.#high = state;
    this.#origin = story.lanes.map(({ lane }) => new RunList(lane.pages));
  }

  /** Takes in the steps between the pinned state and another. */
  follow(story: StoryState, state: number): void {
    while (this.#high < state) this.#note(story, this.#high++, true);
    while (this.#low > state) this.#note(story, --this.#low, false);
    const { partial } = story;
    if (!partial) return;
    for (const lane of story.lanes) {
      const [first, last] = runsOfLane(partial, 0, partial.start.length, lane.index);
      for (let i = first; i < last; i++) this.#noteRun(lane, partial.start[i], partial.count[i], partial.before[i]);
    }
  }

  #note(story: StoryState, step: number, forward: boolean): void {
    const { changes, changesFrom } = story.story;
    for (let i = changesFrom[step]; i < changesFrom[step + 1]; i++) {
      const lane = story.lanes[changes.lane[i]];
      if (lane) this.#noteRun(lane, changes.start[i], changes.count[i], (forward ? changes.before : changes.after)[i]);
    }
  }

  #noteRun(lane: LaneState, start: number, count: number, cell: number): void {
    const origin = this.#origin[lane.index];
    const id = lane.id(cell) + 1;
    const unset: [number, number][] = [];
    origin.forEach(start, start + count, (from, to, known) => {
      if (known === 0) unset.push([from, to]);
      return true;
    });
    for (const [from, to] of unset) origin.set(from, to, id);
  }

  /** The cell that a page had at the pinned state. */
  before(lane: LaneState, page: number): number {
    const id = this.#origin[lane.index].at(page);
    return id === 0 ? lane.cell(page) : lane.cells[id - 1];
  }

  /** 1 for the pages that are different now. Made anew when the lane has changed. */
  mask(lane: LaneState): RunList {
    const origin = this.#origin[lane.index];
    const version = lane.runs.version + origin.version;
    const known = this.#masks[lane.index];
    if (known?.version === version) return known.mask;
    const mask = new RunList(lane.lane.pages);
    let page = 0;
    while (page < origin.pages) {
      const run = origin.runAt(page);
      if (run.id !== 0) {
        lane.runs.forEach(run.start, run.end, (from, to, id) => {
          if (id !== run.id - 1) mask.set(from, to, differs);
          return true;
        });
      }
      page = run.end;
    }
    this.#masks[lane.index] = { version, mask };
    return mask;
  }

  /** Pages that are different, in a lane. */
  count(lane: LaneState): number {
    let pages = 0;
    const mask = this.mask(lane);
    mask.forEach(0, mask.pages, (from, to, id) => {
      if (id === differs) pages += to - from;
      return true;
    });
    return pages;
  }
}
