// What one points at and steps over: a page when pages can be told apart, else the 2M or the 1G around it.

import type { View } from './axis.ts';
import { pagesOf1G, pagesOf2M } from './format.ts';
import type { Place } from './scene.ts';
import type { LaneState } from './story-state.ts';

/** The unit that is at least 3 pixels wide. */
export function unitAt(view: View): number {
  if (1 / view.scale >= 3) return 1;
  if (pagesOf2M / view.scale >= 3) return pagesOf2M;
  return pagesOf1G;
}

/** The unit around a page, cut to the memory that there is. */
export function placeAt(lane: LaneState, page: number, unit: number): Place {
  const stretch = lane.axis.stretches.find(({ start, end }) => page >= start && page < end) ?? lane.axis.stretches[0];
  const from = Math.max(stretch.start, Math.floor(page / unit) * unit);
  const to = Math.min(stretch.end, (Math.floor(page / unit) + 1) * unit);
  return { lane: lane.index, page: from, pages: Math.max(1, to - from) };
}

/** What is at `x` of a lane, in CSS pixels; undefined beyond its end. */
export function placeUnder(lane: LaneState, view: View, x: number): Place | undefined {
  const offset = view.left + x * view.scale;
  if (x < 0 || offset < 0 || offset >= lane.axis.length) return undefined;
  return placeAt(lane, lane.axis.page(offset), unitAt(view));
}

/** So many units further; stops at the ends of the lane. */
export function moved(lane: LaneState, from: Place, units: number, unit: number): Place {
  const { axis } = lane;
  let offset = axis.offset(from.page);
  if (units > 0) offset = axis.offset(from.page + from.pages - 1) + 1 + (units - 1) * unit;
  else offset -= 1 + (-units - 1) * unit;
  return placeAt(lane, axis.page(Math.min(Math.max(0, offset), axis.length - 1)), unit);
}
