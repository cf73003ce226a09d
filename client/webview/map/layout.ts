// Where each lane and each of its tracks is, from the top of the picture. In CSS pixels, whole ones.

import type { LaneState } from './story-state.ts';
import { type Track, tracksOf } from './tracks.ts';

/** Left of all lanes: names of the tracks. */
export const gutter = 88;
/** Right of all lanes. */
export const margin = 14;

export interface TrackPlace {
  track: Track;
  y: number;
  height: number;
}

export interface LanePlace {
  lane: LaneState;
  y: number;
  height: number;
  /** The middle of the title's line. */
  titleY: number;
  /** The whole lane in small. */
  overviewY: number;
  rulerY: number;
  /** Markers of violations, above the tracks. */
  markersY: number;
  tracks: TrackPlace[];
  /** From the first track's top to the last one's bottom. */
  tracksY: number;
  tracksEnd: number;
  /** What the last step changed. */
  changedY: number;
  /** Folio borders; absent when the lane has no folios. */
  foliosY: number | undefined;
}

export const overviewHeight = 7;
const titleHeight = 26;
const rulerHeight = 20;
const markersHeight = 9;
const trackGap = 3;
const changedHeight = 6;
const foliosHeight = 12;
const laneGap = 14;

const tracksHeight = (tracks: readonly Track[]): number => tracks.reduce((sum, track) => sum + track.height, 0);

function fixedHeight(lane: LaneState): number {
  const tracks = tracksOf(lane.lane.kind);
  return (
    titleHeight +
    overviewHeight +
    rulerHeight +
    markersHeight +
    trackGap * (tracks.length - 1) +
    changedHeight +
    (lane.lane.folios.length ? foliosHeight : 0) +
    laneGap
  );
}

/** @param height room there is: tracks grow to fill it, up to twice as high */
export function layOut(lanes: readonly LaneState[], height: number): { places: LanePlace[]; height: number } {
  let fixed = 0;
  let flexible = 0;
  for (const lane of lanes) {
    fixed += fixedHeight(lane);
    flexible += tracksHeight(tracksOf(lane.lane.kind));
  }
  const stretch = Math.min(2, Math.max(1, (height - fixed - 4) / Math.max(1, flexible)));
  const places: LanePlace[] = [];
  let y = 4;
  for (const lane of lanes) {
    const top = y;
    const titleY = y + titleHeight / 2;
    y += titleHeight;
    const overviewY = y;
    y += overviewHeight;
    const rulerY = y;
    y += rulerHeight;
    const markersY = y;
    y += markersHeight;
    const tracksY = y;
    const tracks: TrackPlace[] = [];
    for (const track of tracksOf(lane.lane.kind)) {
      const high = Math.floor(track.height * stretch);
      tracks.push({ track, y, height: high });
      y += high + trackGap;
    }
    const tracksEnd = y - trackGap;
    y = tracksEnd;
    const changedY = y + 2;
    y += changedHeight;
    let foliosY: number | undefined;
    if (lane.lane.folios.length) {
      foliosY = y;
      y += foliosHeight;
    }
    places.push({
      lane,
      y: top,
      height: y - top,
      titleY,
      overviewY,
      rulerY,
      markersY,
      tracks,
      tracksY,
      tracksEnd,
      changedY,
      foliosY,
    });
    y += laneGap;
  }
  return { places, height: y };
}

/** Moves a lane down, with everything in it. */
export function shift(place: LanePlace, by: number): void {
  place.y += by;
  place.titleY += by;
  place.overviewY += by;
  place.rulerY += by;
  place.markersY += by;
  place.tracksY += by;
  place.tracksEnd += by;
  place.changedY += by;
  if (place.foliosY !== undefined) place.foliosY += by;
  for (const track of place.tracks) track.y += by;
}
