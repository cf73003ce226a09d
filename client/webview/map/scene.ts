// The picture of the map: first the patterned bands of every lane, then what is drawn over them. The same for the screen and for export.

import { type View, wholeView } from './axis.ts';
import { Bands, type Filter, heightsOf, Looks } from './bands.ts';
import { Columns } from './columns.ts';
import { gutter, type LanePlace, margin, overviewHeight } from './layout.ts';
import type { PageRef } from './links.ts';
import type { LaneState } from './story-state.ts';
import type { Surface } from './surface.ts';
import { type Look, lookOf, type Theme } from './theme.ts';
import type { Category, Track } from './tracks.ts';

/** A place on a lane: a page, or so many from there on. */
export interface Place extends PageRef {
  pages: number;
}

/** What of a story is drawn, and how. */
export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly theme: Theme;
  /** Columns in a CSS pixel. */
  readonly resolution: number;
  readonly filter: Filter;
  readonly lanes: readonly LanePlace[];
  readonly views: readonly View[];
}

export const laneWidth = (width: number): number => Math.max(16, width - gutter - margin);

interface Cached {
  key: string;
  columns: Columns;
}

/** Columns and looks of the lanes, kept as long as nothing that they depend on has changed. */
export class SceneCache {
  readonly #columns = new Map<LaneState, Cached>();
  readonly #overviews = new Map<LaneState, Cached>();
  readonly #looks = new Map<LaneState, { filter: Filter; looks: Looks }>();
  readonly #bands = new WeakMap<Columns, { looks: Looks; tracks: { version: number; bands: Bands }[] }>();
  readonly #lookOfCategory = new Map<Category, [Look | undefined, Look | undefined]>();
  #theme: Theme | undefined;

  columns(scene: Scene, index: number): Columns {
    const { lane } = scene.lanes[index];
    return this.#get(this.#columns, scene, lane, scene.views[index]);
  }

  /** Of the whole lane. */
  overview(scene: Scene, index: number): Columns {
    const { lane } = scene.lanes[index];
    const whole = wholeView(lane.axis, laneWidth(scene.width));
    const { left, scale } = scene.views[index];
    if (left === whole.left && scale === whole.scale) return this.columns(scene, index);
    return this.#get(this.#overviews, scene, lane, whole);
  }

  looks(scene: Scene, place: LanePlace): Looks {
    const known = this.#looks.get(place.lane);
    if (known?.filter === scene.filter) return known.looks;
    const tracks: Track[] = place.tracks.map(({ track }) => track);
    const looks = new Looks(place.lane, tracks, scene.filter);
    this.#looks.set(place.lane, { filter: scene.filter, looks });
    return looks;
  }

  /** The bands of a track, in columns of a lane. */
  bands(scene: Scene, place: LanePlace, columns: Columns, track: number): Bands {
    const looks = this.looks(scene, place);
    let known = this.#bands.get(columns);
    if (known?.looks !== looks) {
      known = { looks, tracks: [] };
      this.#bands.set(columns, known);
    }
    known.tracks[track] ??= { version: -1, bands: new Bands() };
    const kept = known.tracks[track];
    if (kept.version !== columns.version) {
      kept.bands.fill(columns, looks, track);
      kept.version = columns.version;
    }
    return kept.bands;
  }

  look(scene: Scene, category: Category, dimmed: boolean): Look | undefined {
    if (!category.ink) return undefined;
    if (this.#theme !== scene.theme) {
      this.#lookOfCategory.clear();
      this.#theme = scene.theme;
    }
    let looks = this.#lookOfCategory.get(category);
    if (!looks) {
      looks = [undefined, undefined];
      this.#lookOfCategory.set(category, looks);
    }
    looks[Number(dimmed)] ??= lookOf(scene.theme, category.ink, category.pattern, dimmed);
    return looks[Number(dimmed)];
  }

  #get(cache: Map<LaneState, Cached>, scene: Scene, lane: LaneState, view: View): Columns {
    const key = `${lane.runs.version} ${view.left} ${view.scale} ${scene.width} ${scene.resolution}`;
    const known = cache.get(lane);
    if (known?.key === key) return known.columns;
    const width = Math.round(laneWidth(scene.width) * scene.resolution);
    const columns = known?.columns ?? new Columns();
    columns.fill(lane, view, width, view.scale / scene.resolution);
    cache.set(lane, { key, columns });
    return columns;
  }
}

/** Draws the bands of all lanes, and their overviews. */
export function drawBands(surface: Surface, scene: Scene, cache: SceneCache): void {
  for (const [index, place] of scene.lanes.entries()) {
    if (place.y > scene.height || place.y + place.height < 0) continue;
    const columns = cache.columns(scene, index);
    for (const [track, { y, height }] of place.tracks.entries()) {
      drawTrack(surface, scene, cache, cache.bands(scene, place, columns, track), y, height);
    }
    const whole = cache.bands(scene, place, cache.overview(scene, index), 0);
    drawTrack(surface, scene, cache, whole, place.overviewY, overviewHeight);
  }
}

/** Used again for every band. */
const heights: number[] = [];

function drawTrack(surface: Surface, scene: Scene, cache: SceneCache, bands: Bands, y: number, height: number): void {
  const { resolution } = scene;
  const rows = Math.round(height * resolution);
  for (let i = 0; i < bands.n; i++) {
    const { x0, x1, n, layers } = bands.at(i);
    const left = gutter + x0 / resolution;
    const width = (x1 - x0) / resolution;
    if (n === 1) {
      const look = cache.look(scene, layers[0].category, layers[0].dimmed);
      if (look) surface.area(left, y, width, height, look);
      continue;
    }
    heightsOf(layers, rows, n, heights);
    let row = 0;
    for (let layer = 0; layer < n; layer++) {
      const { category, dimmed } = layers[layer];
      const high = heights[layer];
      const look = cache.look(scene, category, dimmed);
      if (look && high > 0) surface.area(left, y + row / resolution, width, high / resolution, look);
      row += high;
    }
  }
}
