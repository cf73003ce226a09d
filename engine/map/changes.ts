/**
 * What has changed in runs of pages: the machine's cells against those that a shadow holds. 2M frames of which a look tells all are compared as
 * such.
 */
import type { Run } from '../base/runs.ts';
import type { CellReader } from './cells.ts';
import type { RunColumns } from './run-columns.ts';
import type { Shadow } from './shadow.ts';
import { anyCell } from './story.ts';

const FRAME = 512;
const VIOLATION = (1 << anyCell.violation[0]) >>> 0;

/** What is not read off the machine: whether a rule is violated at a page. */
export interface Flags {
  mayBeIn(lane: number, start: number, end: number): boolean;
  isMarked(lane: number, page: number): boolean;
}

/**
 * Adds to `into` what has changed in the runs of a lane, and brings the shadow up to date. Runs are in order, and within the lane. Returns how many looks
 * it took.
 */
export function collectChanges(
  reader: CellReader,
  shadow: Shadow,
  flags: Flags,
  lane: number,
  runs: readonly Run[],
  into: RunColumns,
): number {
  let looks = 0;
  for (const run of runs) {
    for (let page = run.start; page < run.end; ) {
      const frame = Math.floor(page / FRAME);
      const stop = Math.min(run.end, (frame + 1) * FRAME);
      if (stop - page === FRAME && wholeFrame(reader, shadow, flags, lane, frame, into)) {
        looks++;
        page = stop;
        continue;
      }
      looks += stop - page;
      const marked = flags.mayBeIn(lane, page, stop);
      for (; page < stop; page++) {
        const before = shadow.cell(page);
        const bare = reader.cell(lane, page);
        const after = (marked && flags.isMarked(lane, page) ? bare | VIOLATION : bare) >>> 0;
        if (before === after) continue;
        into.add(lane, page, 1, before, after);
        shadow.setPage(page, after);
      }
    }
  }
  return looks;
}

/** False if the frame has to be looked at page by page. */
function wholeFrame(
  reader: CellReader,
  shadow: Shadow,
  flags: Flags,
  lane: number,
  frame: number,
  into: RunColumns,
): boolean {
  const first = frame * FRAME;
  if (flags.mayBeIn(lane, first, first + FRAME)) return false;
  const now = reader.frame(lane, frame);
  if (now === undefined) return false;
  const [head, others] = now;
  const before = shadow.frame(frame);
  if (before !== undefined) {
    if (before[0] === head && before[1] === others) return true;
    into.add(lane, first, 1, before[0], head);
    into.add(lane, first + 1, FRAME - 1, before[1], others);
  } else {
    for (let i = 0; i < FRAME; i++) into.add(lane, first + i, 1, shadow.cell(first + i), i === 0 ? head : others);
  }
  shadow.setFrame(frame, head, others);
  return true;
}
