// Where a page is on a lane, and how much of the lane is seen. A lane may be 1 TiB with memory in a few places of it: stretches without memory are
// left out, so the axis runs over the pages that exist, one after the other. A place on it is called an offset (pages, fractions allowed).

import type { MapLane } from '../../../server/common/map-protocol.ts';

/** `[start, end)` in pages, and where it begins on the axis. */
export interface Stretch {
  start: number;
  end: number;
  offset: number;
}

export class Axis {
  readonly stretches: readonly Stretch[];
  /** Pages on the axis. At least 1. */
  readonly length: number;

  /** @param extents in any order; what overlaps is made one */
  constructor(extents: readonly (readonly [number, number])[]) {
    const sorted = extents.filter(([start, end]) => start < end).sort((a, b) => a[0] - b[0]);
    const stretches: Stretch[] = [];
    let offset = 0;
    for (const [start, end] of sorted) {
      const last = stretches.at(-1);
      if (last && start <= last.end) {
        if (end > last.end) {
          offset += end - last.end;
          last.end = end;
        }
        continue;
      }
      stretches.push({ start, end, offset });
      offset += end - start;
    }
    if (stretches.length === 0) {
      stretches.push({ start: 0, end: 1, offset: 0 });
      offset = 1;
    }
    this.stretches = stretches;
    this.length = offset;
  }

  /** The page at an offset, which is cut to the axis. */
  page(offset: number): number {
    const at = Math.min(Math.max(Math.floor(offset), 0), this.length - 1);
    const stretch = this.stretches[this.#last(at, 'offset')];
    return stretch.start + (at - stretch.offset);
  }

  /** The offset of a page's start. A page that is left out is where its neighbours meet. */
  offset(page: number): number {
    const stretch = this.stretches[this.#last(page, 'start')];
    return stretch.offset + Math.min(Math.max(page - stretch.start, 0), stretch.end - stretch.start);
  }

  has(page: number): boolean {
    const stretch = this.stretches[this.#last(page, 'start')];
    return page >= stretch.start && page < stretch.end;
  }

  /** Calls `visit` with each `[start, end)` of pages between two offsets. */
  pagesBetween(from: number, to: number, visit: (start: number, end: number, offset: number) => void): void {
    for (let i = this.#last(Math.max(0, from), 'offset'); i < this.stretches.length; i++) {
      const { start, end, offset } = this.stretches[i];
      if (offset >= to) return;
      const first = Math.max(start, start + (from - offset));
      const last = Math.min(end, start + (to - offset));
      if (first < last) visit(first, last, offset + (first - start));
    }
  }

  #last(value: number, of: 'start' | 'offset'): number {
    let low = 0;
    let high = this.stretches.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.stretches[middle][of] <= value) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** What of an axis is seen. */
export interface View {
  /** Offset at the left edge. */
  left: number;
  /** Pages for each CSS pixel. */
  scale: number;
}

/** A page is never drawn wider than this many CSS pixels. */
export const widestPage = 96;

export const wholeView = (axis: Axis, width: number): View => ({ left: 0, scale: clampScale(axis, width, Infinity) });

export function clampScale(axis: Axis, width: number, scale: number): number {
  const all = axis.length / Math.max(1, width);
  return Math.min(Math.max(scale, 1 / widestPage), Math.max(all, 1 / widestPage));
}

/** The nearest view that shows no more than there is. */
export function clampView(axis: Axis, width: number, view: View): View {
  const scale = clampScale(axis, width, view.scale);
  const left = Math.min(Math.max(view.left, 0), Math.max(0, axis.length - scale * width));
  return { left, scale };
}

/** Zooms by a factor (below 1: nearer) so that what is at `x` stays there. */
export function zoomed(axis: Axis, width: number, view: View, factor: number, x: number): View {
  const scale = clampScale(axis, width, view.scale * factor);
  return clampView(axis, width, { left: view.left + x * (view.scale - scale), scale });
}

/** A view that shows pages `[start, end)` with room at both sides, not nearer than `scale`. */
export function around(axis: Axis, width: number, start: number, end: number, scale: number): View {
  const from = axis.offset(start);
  const to = Math.max(from + 1, axis.offset(end));
  const wanted = clampScale(axis, width, Math.max(scale, ((to - from) * 1.5) / Math.max(1, width)));
  return clampView(axis, width, { left: (from + to) / 2 - (wanted * width) / 2, scale: wanted });
}

/** The stretches of a lane that are drawn: its extents as far as they make sense, and all of it if there are none. */
export function extentsOf(lane: MapLane): [number, number][] {
  const extents = lane.extents
    .map(([start, end]): [number, number] => [Math.max(0, Math.floor(start)), Math.min(lane.pages, Math.floor(end))])
    .filter(([start, end]) => start < end);
  return extents.length ? extents : [[0, Math.max(1, lane.pages)]];
}
