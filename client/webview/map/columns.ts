// What is seen of a lane, column by column: the exact mixture of the pages that fall on each. Neighbouring columns of the same kind are one group, so a lane
// in which little happens is a handful of groups however wide it is drawn. Every track of the lane is painted from the same columns.

import type { View } from './axis.ts';
import { Mixture } from './mixture.ts';
import type { LaneState } from './story-state.ts';

const scratch = new Mixture();

/** Filled anew with every change, so its memory is used again: what lies behind `n` means nothing. */
export class Columns {
  /** Of groups. */
  n = 0;
  /** The first column of each group; one more for the end. */
  readonly x: number[] = [];
  /** Where each group's pairs begin; one more for the end. */
  readonly from: number[] = [];
  /** Pairs: an id of the lane's cells, and how many of its pages are in one column. */
  readonly ids: number[] = [];
  readonly counts: number[] = [];
  /** Counts the fillings: what was computed from another is stale. */
  version = 0;
  #pairs = 0;

  /**
   * @param width in columns
   * @param perColumn pages in one column; less than 1 when a page is wider than a column
   */
  fill(lane: LaneState, view: View, width: number, perColumn: number): void {
    this.n = 0;
    this.#pairs = 0;
    this.version++;
    const { axis, runs } = lane;
    let lastSingle = -1;
    for (let x = 0; x < width; ) {
      const start = view.left + x * perColumn;
      if (start >= axis.length) break;
      scratch.clear();
      let next = x + 1;
      if (perColumn <= 1) {
        const offset = Math.floor(view.left + (x + 0.5) * perColumn);
        if (offset >= axis.length) break;
        const page = axis.page(offset);
        const run = runs.runAt(page);
        scratch.add(run.id, 1);
        next = Math.max(next, columnBefore(offset + (run.end - page), view, perColumn, axis.length, lane, page));
      } else {
        const from = Math.floor(start);
        const to = Math.max(from + 1, Math.floor(view.left + (x + 1) * perColumn));
        axis.pagesBetween(from, to, (first, end) => runs.mix(first, end, scratch));
        if (scratch.ids.length === 1) {
          const page = axis.page(from);
          const run = runs.runAt(page);
          next = Math.max(next, Math.floor((lastOffset(from, page, run.end, lane) - view.left) / perColumn));
        }
      }
      next = Math.min(next, width);
      const single = scratch.ids.length === 1 ? scratch.ids[0] : -1;
      if (single < 0 || single !== lastSingle) {
        this.#begin(x);
      }
      lastSingle = single;
      x = next;
      if (x >= width || view.left + x * perColumn >= axis.length) {
        this.#end(Math.min(x, Math.ceil((axis.length - view.left) / perColumn - 1e-9)));
        return;
      }
    }
    this.#end(Math.min(width, Math.max(0, Math.ceil((axis.length - view.left) / perColumn - 1e-9))));
  }

  /** A group with what is in the scratch mixture. */
  #begin(x: number): void {
    this.#end(x);
    this.n++;
    for (const id of scratch.ids) {
      this.ids[this.#pairs] = id;
      this.counts[this.#pairs] = scratch.count(id);
      this.#pairs++;
    }
  }

  #end(x: number): void {
    this.x[this.n] = x;
    this.from[this.n] = this.#pairs;
  }
}

/** One past the last offset of a run that begins at or before `page`, within the stretch that the page is in. */
function lastOffset(offset: number, page: number, runEnd: number, lane: LaneState): number {
  const { stretches } = lane.axis;
  const stretch = stretches.find((one) => page >= one.start && page < one.end);
  return offset + (Math.min(runEnd, stretch?.end ?? runEnd) - page);
}

/** The first column whose middle is past an offset. */
function columnBefore(
  end: number,
  view: View,
  perColumn: number,
  length: number,
  lane: LaneState,
  page: number,
): number {
  const offset = lane.axis.offset(page);
  const limit = Math.min(length, lastOffset(offset, page, page + (end - offset), lane));
  return Math.ceil((limit - view.left) / perColumn - 0.5);
}

/** Calls `visit` with each group that has a wanted id: columns `[x0, x1)`. */
export function groupsWith(
  columns: Columns,
  wanted: (id: number) => boolean,
  visit: (x0: number, x1: number) => void,
): void {
  for (let group = 0; group < columns.n; group++) {
    for (let i = columns.from[group]; i < columns.from[group + 1]; i++) {
      if (!wanted(columns.ids[i])) continue;
      visit(columns.x[group], columns.x[group + 1]);
      break;
    }
  }
}
