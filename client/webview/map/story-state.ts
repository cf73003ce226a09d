// A story in the page, standing at one of its states. Going to another applies or takes back the changes between; a long way is gone in slices, so
// that no frame waits for it. What the debugger changed within a step lies on top and is taken off before anything moves.

import type { MapLane, MapRuns, MapStory, MapStoryUpdate } from '../../../server/common/map-protocol.ts';
import { Axis, extentsOf } from './axis.ts';
import { RunList } from './run-list.ts';

/** The pages of one lane at the present state. */
export class LaneState {
  readonly index: number;
  readonly lane: MapLane;
  readonly runs: RunList;
  readonly axis: Axis;
  /** The cell behind an id of `runs`. */
  readonly cells: number[] = [0];
  readonly #ids = new Map<number, number>([[0, 0]]);

  constructor(index: number, lane: MapLane, axis: Axis) {
    this.index = index;
    this.lane = lane;
    this.runs = new RunList(lane.pages);
    this.axis = axis;
  }

  id(cell: number): number {
    let id = this.#ids.get(cell);
    if (id === undefined) {
      id = this.cells.length;
      this.cells.push(cell);
      this.#ids.set(cell, id);
    }
    return id;
  }

  cell(page: number): number {
    return this.cells[this.runs.at(page)];
  }
}

/** Runs looked at between two looks at the clock. */
const chunk = 512;

export class StoryState {
  story: MapStory;
  readonly lanes: readonly LaneState[];
  /** Runs of `changes` that are applied. */
  #applied = 0;
  #partial: MapRuns | undefined;

  constructor(story: MapStory) {
    this.story = story;
    const extra = outside(story);
    this.lanes = story.lanes.map(
      (lane, index) => new LaneState(index, lane, new Axis([...extentsOf(lane), ...(extra.get(index) ?? [])])),
    );
    const { base } = story;
    for (let i = 0; i < base.start.length; i++) this.#set(base, i, base.after);
    this.#meetCells();
  }

  /** All cells of the story have an id from the beginning, so that the legend is whole. */
  #meetCells(): void {
    const { changes } = this.story;
    let lane = -1;
    let cell = -1;
    for (let i = 0; i < changes.start.length; i++) {
      if (changes.lane[i] === lane && changes.after[i] === cell) continue;
      lane = changes.lane[i];
      cell = changes.after[i];
      this.lanes[lane]?.id(cell);
    }
  }

  get lastState(): number {
    return this.story.steps.length;
  }

  /** The state shown, or the one on the way. */
  get state(): number {
    const { changesFrom } = this.story;
    let low = 0;
    let high = this.lastState;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (changesFrom[middle] >= this.#applied) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Whether what is shown is `state`. Several states are the same when the steps between changed nothing. */
  isAt(state: number): boolean {
    return this.#applied === this.story.changesFrom[state];
  }

  /**
   * Goes towards a state for at most so long.
   * @param expired whether the time is over
   * @returns whether it is there
   */
  advance(state: number, expired: () => boolean = () => false): boolean {
    this.#takePartialOff();
    const { changes, changesFrom } = this.story;
    const target = changesFrom[state];
    let left = chunk;
    while (this.#applied !== target) {
      if (this.#applied < target) this.#set(changes, this.#applied++, changes.after);
      else this.#set(changes, --this.#applied, changes.before);
      if (--left === 0) {
        if (expired()) return false;
        left = chunk;
      }
    }
    return true;
  }

  /** Lays on top what has changed within a step. Only at a state. */
  showPartial(partial: MapRuns | undefined): void {
    this.#takePartialOff();
    if (!partial || partial.start.length === 0) return;
    this.#partial = partial;
    for (let i = 0; i < partial.start.length; i++) this.#set(partial, i, partial.after);
  }

  get partial(): MapRuns | undefined {
    return this.#partial;
  }

  /** The steps from `firstStep` on are told anew. Goes back before them first if need be. */
  update(update: MapStoryUpdate): void {
    const { story } = this;
    const first = Math.min(update.firstStep, story.steps.length);
    if (this.#applied > story.changesFrom[first]) this.advance(first);
    else this.#takePartialOff();
    const kept = story.changesFrom[first];
    const join = <T extends Uint8Array | Uint32Array>(make: new (n: number) => T, a: T, b: T): T => {
      const joined = new make(kept + b.length);
      joined.set(a.subarray(0, kept));
      joined.set(b, kept);
      return joined;
    };
    const { changes } = story;
    const added = update.changes;
    this.story = {
      ...story,
      steps: [...story.steps.slice(0, first), ...update.steps],
      violations: [...story.violations.filter((violation) => violation.step < first), ...update.violations],
      changes: {
        lane: join(Uint8Array, changes.lane, added.lane),
        start: join(Uint32Array, changes.start, added.start),
        count: join(Uint32Array, changes.count, added.count),
        before: join(Uint32Array, changes.before, added.before),
        after: join(Uint32Array, changes.after, added.after),
      },
      changesFrom: Uint32Array.from([
        ...story.changesFrom.slice(0, first),
        ...Array.from(update.changesFrom, (n) => n + kept),
      ]),
    };
    if (update.incomplete === undefined) delete this.story.incomplete;
    else this.story.incomplete = update.incomplete;
    if (update.lines) {
      const { lines } = update;
      this.story.steps = this.story.steps.map((step, i) =>
        i < first && i < lines.length ? { ...step, line: lines[i] } : step,
      );
    }
    this.#meetCells();
  }

  #takePartialOff(): void {
    const partial = this.#partial;
    if (!partial) return;
    this.#partial = undefined;
    for (let i = partial.start.length - 1; i >= 0; i--) this.#set(partial, i, partial.before);
  }

  #set(runs: MapRuns, i: number, to: Uint32Array): void {
    const lane = this.lanes[runs.lane[i]];
    lane?.runs.set(runs.start[i], runs.start[i] + runs.count[i], lane.id(to[i]));
  }
}

/** The runs of a step (or of any sorted {@link MapRuns}) in one lane: indices `[from, to)`. */
export function runsOfLane(runs: MapRuns, from: number, to: number, lane: number): [number, number] {
  const first = lowerBound(from, to, (i) => runs.lane[i] >= lane);
  return [first, lowerBound(first, to, (i) => runs.lane[i] > lane)];
}

/** The first index in `[from, to)` for which a property holds that holds from there on. */
export function lowerBound(from: number, to: number, holds: (index: number) => boolean): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Pages that the story speaks of outside what a lane calls memory: they are shown too, to the 2M around them. */
function outside(story: MapStory): Map<number, [number, number][]> {
  const extra = new Map<number, [number, number][]>();
  const extents = story.lanes.map(extentsOf);
  for (const runs of [story.base, story.changes]) {
    for (let i = 0; i < runs.start.length; i++) {
      const at = runs.lane[i];
      const lane = story.lanes[at];
      const end = runs.start[i] + runs.count[i];
      if (!lane || extents[at].some(([from, to]) => runs.start[i] >= from && end <= to)) continue;
      const first = Math.floor(runs.start[i] / 512) * 512;
      const last = Math.min(lane.pages, Math.ceil(end / 512) * 512);
      if (first >= last) continue;
      const known = extra.get(at) ?? [];
      if (known.at(-1)?.[1] !== last) known.push([first, last]);
      extra.set(at, known);
    }
  }
  return extra;
}
