/**
 * Runs of pages that changed alike, collected: {@link MapRuns} that grow. Neighbouring pages that changed alike become one run.
 */
import type { MapRuns } from './story.ts';

const INITIAL = 64;

export class RunColumns {
  length = 0;
  private lane = new Uint8Array(INITIAL);
  private start = new Uint32Array(INITIAL);
  private count = new Uint32Array(INITIAL);
  private before = new Uint32Array(INITIAL);
  private after = new Uint32Array(INITIAL);
  /** Runs before this one are closed: nothing is joined to them. */
  private sealed = 0;

  /** From now on runs are of another step. */
  seal(): void {
    this.sealed = this.length;
  }

  /** Pages of a lane that changed; those that did not are left out. Pages come in ascending order within a lane. */
  add(lane: number, start: number, count: number, before: number, after: number): void {
    const b = before >>> 0;
    const a = after >>> 0;
    if (a === b) return;
    const last = this.length - 1;
    if (
      last >= this.sealed &&
      this.lane[last] === lane &&
      this.start[last] + this.count[last] === start &&
      this.before[last] === b &&
      this.after[last] === a
    ) {
      this.count[last] += count;
      return;
    }
    if (this.length === this.lane.length) this.grow();
    const i = this.length++;
    this.lane[i] = lane;
    this.start[i] = start;
    this.count[i] = count;
    this.before[i] = b;
    this.after[i] = a;
  }

  /** Forget runs from `length` on, newest first; `visit` sees each. */
  truncate(length: number, visit: (lane: number, start: number, count: number, before: number) => void): void {
    for (let i = this.length - 1; i >= length; i--) visit(this.lane[i], this.start[i], this.count[i], this.before[i]);
    this.length = Math.min(this.length, length);
    this.sealed = this.length;
  }

  /** A copy of the runs from `from` on. */
  slice(from = 0, to = this.length): MapRuns {
    return {
      lane: this.lane.slice(from, to),
      start: this.start.slice(from, to),
      count: this.count.slice(from, to),
      before: this.before.slice(from, to),
      after: this.after.slice(from, to),
    };
  }

  private grow(): void {
    const n = this.lane.length * 2;
    this.lane = resized(this.lane, new Uint8Array(n));
    this.start = resized(this.start, new Uint32Array(n));
    this.count = resized(this.count, new Uint32Array(n));
    this.before = resized(this.before, new Uint32Array(n));
    this.after = resized(this.after, new Uint32Array(n));
  }
}

function resized<T extends { set(source: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Calls `visit` for each of the runs in order. */
export function forEachRun(
  runs: MapRuns,
  visit: (lane: number, start: number, count: number, before: number, after: number) => void,
  from = 0,
  to = runs.lane.length,
): void {
  for (let i = from; i < to; i++) visit(runs.lane[i], runs.start[i], runs.count[i], runs.before[i], runs.after[i]);
}
