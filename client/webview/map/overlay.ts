// Over bands and marks: what changed, what is different from the pinned state, what is pointed at and selected, and the links between lanes.

import type { MapRuns } from '../../../server/common/map-protocol.ts';
import type { View } from './axis.ts';
import type { Difference } from './difference.ts';
import { gutter, type LanePlace } from './layout.ts';
import { linkedPages } from './links.ts';
import { mixed, type Rgb } from './palette.ts';
import { laneWidth, type Place, type Scene } from './scene.ts';
import { type LaneState, lowerBound, runsOfLane } from './story-state.ts';
import type { Surface } from './surface.ts';

export interface Overlay {
  readonly lanes: readonly LaneState[];
  readonly fresh: { runs: MapRuns; from: number; to: number } | undefined;
  /** 1 when the change has just happened, then falling to 0. */
  readonly flash: number;
  readonly difference: Difference | undefined;
  readonly hover: Place | undefined;
  readonly selection: Place | undefined;
  /** The surface has the keyboard. */
  readonly focused: boolean;
  /** While dragging a zoom: CSS pixels of the lane. */
  readonly band: { lane: number; x0: number; x1: number } | undefined;
}

export function drawOverlay(surface: Surface, scene: Scene, overlay: Overlay): void {
  const width = laneWidth(scene.width);
  for (const [index, place] of scene.lanes.entries()) {
    if (place.y > scene.height || place.y + place.height < 0) continue;
    surface.clip(gutter - 3, place.y, width + 6, place.height + 4);
    if (overlay.fresh) drawFresh(surface, scene, place, scene.views[index], overlay);
    if (overlay.difference) drawDifference(surface, scene, place, scene.views[index], overlay.difference);
    surface.unclip();
  }
  const { hover, selection, band } = overlay;
  if (selection) drawLinks(surface, scene, overlay, selection, scene.theme.accent, 2);
  if (hover && !same(hover, selection)) drawLinks(surface, scene, overlay, hover, scene.theme.muted, 1);
  if (hover && !same(hover, selection)) drawPlace(surface, scene, hover, scene.theme.muted, 1);
  if (selection) drawPlace(surface, scene, selection, scene.theme.foreground, overlay.focused ? 3 : 2);
  if (band) {
    const place = scene.lanes[band.lane];
    const x = gutter + Math.min(band.x0, band.x1);
    const wide = Math.abs(band.x1 - band.x0);
    surface.rect(x, place.tracksY, wide, place.tracksEnd - place.tracksY, scene.theme.accent, 0.25);
    surface.outline(x, place.tracksY, wide, place.tracksEnd - place.tracksY, scene.theme.accent, 1);
  }
}

const same = (a: Place, b: Place | undefined): boolean =>
  a.lane === b?.lane && a.page === b.page && a.pages === b.pages;

/** CSS pixels `[x0, x1)` of a place on the surface, whether or not they are in sight. */
export function extentOf({ lane }: LanePlace, view: View, page: number, pages: number): [number, number] {
  const { axis } = lane;
  const from = axis.offset(page);
  const to = Math.max(axis.offset(page + pages), from + (axis.has(page) ? 1 : 0));
  return [gutter + (from - view.left) / view.scale, gutter + (to - view.left) / view.scale];
}

/** Calls `visit` with stretches of pixels that the sorted runs `[from, to)` cover: not more of them than there are pixels. */
function eachShown(
  runs: MapRuns,
  from: number,
  to: number,
  place: LanePlace,
  view: View,
  width: number,
  visit: (x0: number, x1: number) => void,
): void {
  const { axis } = place.lane;
  let heldFrom = 0;
  let heldTo = -1;
  axis.pagesBetween(view.left, view.left + width * view.scale, (start, end, offset) => {
    const at = (page: number) => gutter + (offset + (page - start) - view.left) / view.scale;
    for (let page = start; page < end; ) {
      const i = lowerBound(from, to, (one) => runs.start[one] + runs.count[one] > page);
      if (i >= to || runs.start[i] >= end) break;
      const x0 = at(Math.max(page, runs.start[i]));
      let last = Math.min(end, runs.start[i] + runs.count[i]);
      // What follows within the same pixel belongs to it.
      const x1 = Math.max(at(last), x0 + 1);
      last = Math.max(last, start + (x1 - gutter) * view.scale + view.left - offset);
      page = last;
      // What touches what came before is told with it.
      if (heldTo >= 0 && x0 <= heldTo + 0.5) {
        heldTo = Math.max(heldTo, x1);
        continue;
      }
      if (heldTo >= 0) visit(heldFrom, heldTo);
      heldFrom = x0;
      heldTo = x1;
    }
  });
  if (heldTo >= 0) visit(heldFrom, heldTo);
}

/** A line under what the step changed, and for a moment a light over it. */
function drawFresh(surface: Surface, scene: Scene, place: LanePlace, view: View, { fresh, flash }: Overlay): void {
  if (!fresh) return;
  const [from, to] = runsOfLane(fresh.runs, fresh.from, fresh.to, place.lane.index);
  const light: Rgb = scene.theme.kind === 'light' || scene.theme.kind === 'hc-light' ? [255, 220, 0] : [255, 255, 255];
  eachShown(fresh.runs, from, to, place, view, laneWidth(scene.width), (x0, x1) => {
    const wide = Math.max(2, x1 - x0);
    surface.rect(x0, place.changedY, wide, 3, scene.theme.foreground);
    if (flash > 0) surface.rect(x0, place.tracksY, wide, place.tracksEnd - place.tracksY, light, flash * 0.7);
  });
}

/** An outline round each stretch of pages that are different. */
function drawDifference(surface: Surface, scene: Scene, place: LanePlace, view: View, difference: Difference): void {
  const { axis } = place.lane;
  const width = laneWidth(scene.width);
  const mask = difference.mask(place.lane);
  const y = place.tracksY - 1;
  const high = place.tracksEnd - place.tracksY + 2;
  axis.pagesBetween(view.left, view.left + width * view.scale, (start, end, offset) => {
    const at = (page: number) => gutter + (offset + (page - start) - view.left) / view.scale;
    for (let page = Math.floor(start); page < end; ) {
      const run = mask.find(page, true, (id) => id === 1);
      if (!run || run.start >= end) return;
      let last = run.end;
      // Stretches that the eye could not tell apart are one.
      for (;;) {
        const next = mask.find(last, true, (id) => id === 1);
        if (!next || next.start >= end || (next.start - last) / view.scale > 2) break;
        last = next.end;
      }
      const x0 = at(Math.max(run.start, start));
      const wide = Math.max(3, at(Math.min(last, end)) - x0);
      surface.outline(x0 - 1, y - 1, wide + 2, high + 2, scene.theme.background, 1);
      surface.outline(x0, y, wide, high, scene.theme.foreground, 2, true);
      page = Math.ceil(last);
    }
  });
}

function drawPlace(surface: Surface, scene: Scene, at: Place, color: Rgb, line: number): void {
  const place = scene.lanes[at.lane];
  if (!place) return;
  const [x0, x1] = extentOf(place, scene.views[at.lane], at.page, at.pages);
  const width = laneWidth(scene.width);
  if (x1 < gutter || x0 > gutter + width) return;
  const left = Math.max(x0, gutter - 2);
  const wide = Math.max(3, Math.min(x1, gutter + width + 2) - left);
  const y = place.tracksY - 2;
  const high = place.tracksEnd - place.tracksY + 4;
  surface.outline(left - 1 - line, y - 1 - line, wide + 2 + 2 * line, high + 2 + 2 * line, scene.theme.background, 1);
  surface.outline(left - line, y - line, wide + 2 * line, high + 2 * line, color, line);
}

/**
 * From a page to its frame and from a frame to its gpa: curves from lane to lane, over no lane that has a part in it. Where the partner is out of
 * sight, an arrow to the side it is on.
 */
function drawLinks(surface: Surface, scene: Scene, { lanes }: Overlay, from: Place, color: Rgb, line: number): void {
  if (!scene.lanes[from.lane]) return;
  const width = laneWidth(scene.width);
  const refs = linkedPages(
    lanes.map(({ lane }) => lane),
    from,
  );
  if (refs.length === 0) return;
  const soft = mixed(color, scene.theme.background, 0.15);
  const ends = [...refs, { lane: from.lane, page: from.page }]
    .sort((a, b) => scene.lanes[a.lane].y - scene.lanes[b.lane].y)
    .map((ref) => {
      const place = scene.lanes[ref.lane];
      const [x0, x1] = extentOf(place, scene.views[ref.lane], ref.page, from.pages);
      const middle = (x0 + x1) / 2;
      const seen = Math.min(Math.max(middle, gutter + 4), gutter + width - 4);
      return { ref, place, x0, x1, middle, seen };
    });
  for (const [i, end] of ends.entries()) {
    const next = ends[i + 1];
    if (next) {
      const [sy, ty] = [end.place.tracksEnd + 4, next.place.tracksY - 4];
      const bend = (ty - sy) / 2;
      const curve = [end.seen, sy, end.seen, sy + bend, next.seen, ty - bend, next.seen, ty];
      surface.path(curve, scene.theme.background, line + 3, true);
      surface.path(curve, soft, line, true);
    }
    const { ref, place, x0, x1, middle, seen } = end;
    if (seen !== middle) {
      const side = middle < seen ? -1 : 1;
      const y = (place.tracksY + place.tracksEnd) / 2;
      surface.shape([seen, y - 6, seen + side * 9, y, seen, y + 6], color);
    } else if (ref.lane !== from.lane) {
      const left = Math.max(x0, gutter - 2);
      const wide = Math.max(3, Math.min(x1, gutter + width + 2) - left);
      const high = place.tracksEnd - place.tracksY + 4;
      surface.outline(left - line, place.tracksY - 2 - line, wide + 2 * line, high + 2 * line, soft, line);
    }
  }
}
