// The ticks of a lane's address ruler: at round addresses, as many as fit, with the gaps of the axis between them.

import type { View } from './axis.ts';
import { address, size } from './format.ts';
import type { LaneState } from './story-state.ts';

export interface Tick {
  page: number;
  /** In CSS pixels from the lane's left edge. */
  x: number;
  label: string;
}

/** Pages between ticks: a power of two, so that addresses stay round, at least `room` pixels wide. */
export function tickStep(scale: number, room: number): number {
  let step = 1;
  while (step / scale < room) step *= 2;
  return step;
}

export function ticksOf(lane: LaneState, view: View, width: number, room: number): Tick[] {
  const step = tickStep(view.scale, room);
  const ticks: Tick[] = [];
  let free = -Infinity;
  lane.axis.pagesBetween(view.left, view.left + width * view.scale, (start, end, offset) => {
    const place = (page: number) => {
      const x = (offset + (page - start) - view.left) / view.scale;
      if (x < free || x > width - 72) return;
      ticks.push({ page, x, label: address(page) });
      free = x + room * 0.75;
    };
    // Where a stretch begins is worth a tick of its own, round or not.
    if (Math.abs(start - Math.round(start)) < 1e-9) place(Math.round(start));
    for (let page = Math.ceil(start / step) * step; page < end; page += step) place(page);
  });
  return ticks;
}

/** Places on the axis where memory was left out: `x` and how much. */
export function gapsOf(lane: LaneState, view: View, width: number): { x: number; label: string }[] {
  const gaps: { x: number; label: string }[] = [];
  const { stretches } = lane.axis;
  for (let i = 0; i < stretches.length; i++) {
    const before = i === 0 ? 0 : stretches[i - 1].end;
    const missing = stretches[i].start - before;
    const x = (stretches[i].offset - view.left) / view.scale;
    if (i === 0 || missing <= 0 || x < 0 || x > width) continue;
    gaps.push({ x, label: `${size(missing * 4096)} without memory` });
  }
  return gaps;
}
