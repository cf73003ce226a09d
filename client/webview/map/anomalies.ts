// The next page at which something is wrong, over all lanes in their order and round again.

import type { MapModel } from './model.ts';
import type { Place } from './scene.ts';
import { isAnomaly, isViolation } from './tracks.ts';

/** @param from where one is; undefined: before the first page of all */
export function nextAnomaly(model: MapModel, from: Place | undefined, forward: boolean): Place | undefined {
  const { lanes } = model;
  const count = lanes.length;
  // Violations first; what is only leaked is stopped at when nothing is violated.
  for (const wanted of [isViolation, isAnomaly]) {
    const first = from?.lane ?? (forward ? 0 : count - 1);
    for (let turn = 0; turn <= count; turn++) {
      const index = (((first + (forward ? turn : -turn)) % count) + count) % count;
      const lane = lanes[index];
      if (!lane) continue;
      const { runs, cells } = lane;
      const start =
        turn === 0 && from ? (forward ? endOfAnomaly(model, from, wanted) : from.page) : forward ? 0 : runs.pages;
      const found = runs.find(start, forward, (id) => wanted(cells[id]));
      if (!found) continue;
      let { start: page, end } = found;
      // Stand at the beginning of what is wrong, however many runs it has.
      if (forward) {
        for (let next = end; next < runs.pages && wanted(cells[runs.at(next)]); next = end) end = runs.runAt(next).end;
      } else {
        while (page > 0 && wanted(cells[runs.at(page - 1)])) page = runs.runAt(page - 1).start;
      }
      return { lane: index, page, pages: 1 };
    }
  }
  return undefined;
}

/** One past the stretch of wrong pages that a place lies in. */
function endOfAnomaly(model: MapModel, { lane, page, pages }: Place, wanted: (cell: number) => boolean): number {
  const { runs, cells } = model.lanes[lane];
  let end = page;
  while (end < runs.pages && wanted(cells[runs.at(end)])) end = runs.runAt(end).end;
  return end > page ? end : page + (pages > 1 ? 0 : 1);
}
