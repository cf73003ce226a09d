// A track as it is painted: bands of columns, each a stack of categories whose heights are the parts they have in it. A category that is there at all
// gets a pixel as long as there are enough of them, so that no page disappears in a crowd.

import type { Columns } from './columns.ts';
import type { LaneState } from './story-state.ts';
import type { Category, Track } from './tracks.ts';

/** Which categories the user has switched off, by key. */
export type Filter = ReadonlySet<string>;

/** How each id of a lane looks in each track. Made anew when the filter changes, extended as cells are met. */
export class Looks {
  readonly #lane: LaneState;
  readonly #tracks: readonly Track[];
  readonly #filter: Filter;
  readonly #categories: Category[][];
  /** Whether something about the page is switched off. */
  readonly #dimmed: boolean[] = [];

  constructor(lane: LaneState, tracks: readonly Track[], filter: Filter) {
    this.#lane = lane;
    this.#tracks = tracks;
    this.#filter = filter;
    this.#categories = tracks.map(() => []);
  }

  category(track: number, id: number): Category {
    if (id >= this.#dimmed.length) this.#extend();
    return this.#categories[track][id];
  }

  dimmed(id: number): boolean {
    if (id >= this.#dimmed.length) this.#extend();
    return this.#dimmed[id];
  }

  #extend(): void {
    const { cells } = this.#lane;
    for (let id = this.#dimmed.length; id < cells.length; id++) {
      let dimmed = false;
      for (const [at, track] of this.#tracks.entries()) {
        const category = track.category(cells[id]);
        this.#categories[at].push(category);
        dimmed ||= this.#filter.has(category.key);
      }
      this.#dimmed.push(dimmed);
    }
  }
}

/** A category's part of a band. */
export interface Layer {
  category: Category;
  dimmed: boolean;
  pages: number;
}

/** Columns `[x0, x1)` and what is stacked in each of them. */
export interface Band {
  x0: number;
  x1: number;
  layers: readonly Layer[];
}

export function bandsOf(columns: Columns, looks: Looks, track: number): Band[] {
  const bands: Band[] = [];
  forEachBand(columns, looks, track, (x0, x1, layers) => bands.push({ x0, x1, layers }));
  return bands;
}

/**
 * Calls `visit` with the bands of a track from left to right: columns `[x0, x1)` and their layers, in an order that is the
 * same everywhere. Neighbouring bands of one and the same category are told as one.
 */
function forEachBand(
  columns: Columns,
  looks: Looks,
  track: number,
  visit: (x0: number, x1: number, layers: readonly Layer[]) => void,
): void {
  let held: Layer | undefined;
  let heldFrom = 0;
  let heldTo = 0;
  const flush = () => {
    if (held) visit(heldFrom, heldTo, [held]);
    held = undefined;
  };
  for (let group = 0; group < columns.n; group++) {
    const layers: Layer[] = [];
    for (let i = columns.from[group]; i < columns.from[group + 1]; i++) {
      const category = looks.category(track, columns.ids[i]);
      const dimmed = looks.dimmed(columns.ids[i]);
      const known = layers.find((layer) => layer.category === category && layer.dimmed === dimmed);
      if (known) known.pages += columns.counts[i];
      else layers.push({ category, dimmed, pages: columns.counts[i] });
    }
    const x0 = columns.x[group];
    const x1 = columns.x[group + 1];
    if (layers.length === 1) {
      const [layer] = layers;
      if (held && held.category === layer.category && held.dimmed === layer.dimmed && heldTo === x0) heldTo = x1;
      else {
        flush();
        held = layer;
        heldFrom = x0;
        heldTo = x1;
      }
    } else {
      flush();
      if (layers.length > 0) visit(x0, x1, layers.sort(byKey));
    }
  }
  flush();
}

/** The same order in every column, so that a mixture that changes slowly looks like it. */
const byKey = (a: Layer, b: Layer): number =>
  a.category.key < b.category.key ? -1 : a.category.key > b.category.key ? 1 : Number(a.dimmed) - Number(b.dimmed);

/** Heights in pixels that add up to `height`, in proportion, none of them 0 unless there are more layers than pixels. */
export function heightsOf(layers: readonly Layer[], height: number): number[] {
  let whole = 0;
  for (const { pages } of layers) whole += pages;
  const heights: number[] = [];
  let over = -height;
  for (const { pages } of layers) {
    const high = Math.max(1, Math.round((pages / whole) * height));
    heights.push(high);
    over += high;
  }
  while (over !== 0) {
    // The tallest gives, the tallest takes.
    let tallest = 0;
    for (let i = 1; i < heights.length; i++) if (heights[i] > heights[tallest]) tallest = i;
    if (over > 0 && heights[tallest] <= 1) {
      for (let i = heights.length - 1; i >= 0 && over > 0; i--, over--) heights[i] = 0;
      break;
    }
    const by = over > 0 ? Math.min(over, heights[tallest] - 1) : over;
    heights[tallest] -= by;
    over -= by;
  }
  return heights;
}
