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

/** Columns `[x0, x1)` and what is stacked in each of them: the first `n` of `layers`. */
export interface Band {
  x0: number;
  x1: number;
  n: number;
  layers: readonly Layer[];
}

interface StoredBand extends Band {
  layers: Layer[];
}

/**
 * The bands of a track from left to right, their layers in an order that is the same everywhere. Neighbouring bands of one and the same category are
 * one. Filled anew with every change: while somebody drags through time there are thousands a frame, so their memory is used again.
 */
export class Bands {
  readonly #bands: StoredBand[] = [];
  /** Of the bands that are stored, those that mean something. */
  n = 0;

  at(index: number): Band {
    return this.#bands[index];
  }

  fill(columns: Columns, looks: Looks, track: number): void {
    this.n = 0;
    for (let group = 0; group < columns.n; group++) {
      const band = this.#blank();
      for (let i = columns.from[group]; i < columns.from[group + 1]; i++) {
        stack(band, looks.category(track, columns.ids[i]), looks.dimmed(columns.ids[i]), columns.counts[i]);
      }
      if (band.n === 0) continue;
      band.x0 = columns.x[group];
      band.x1 = columns.x[group + 1];
      if (this.#continues(band)) this.#bands[this.n - 1].x1 = band.x1;
      else {
        sort(band);
        this.n++;
      }
    }
  }

  /** The one behind the last. */
  #blank(): StoredBand {
    let band = this.#bands[this.n];
    if (!band) {
      band = { x0: 0, x1: 0, n: 0, layers: [] };
      this.#bands.push(band);
    }
    band.n = 0;
    return band;
  }

  #continues(band: StoredBand): boolean {
    if (this.n === 0 || band.n !== 1) return false;
    const last = this.#bands[this.n - 1];
    const [layer] = band.layers;
    const [before] = last.layers;
    return last.n === 1 && last.x1 === band.x0 && before.category === layer.category && before.dimmed === layer.dimmed;
  }
}

function stack(band: StoredBand, category: Category, dimmed: boolean, pages: number): void {
  const { layers } = band;
  for (let i = 0; i < band.n; i++) {
    const layer = layers[i];
    if (layer.category !== category || layer.dimmed !== dimmed) continue;
    layer.pages += pages;
    return;
  }
  const layer = layers[band.n];
  if (layer) {
    layer.category = category;
    layer.dimmed = dimmed;
    layer.pages = pages;
  } else layers.push({ category, dimmed, pages });
  band.n++;
}

/** The same order in every column, so that a mixture that changes slowly looks like it. */
function sort({ layers, n }: StoredBand): void {
  for (let i = 1; i < n; i++) {
    const layer = layers[i];
    let at = i;
    for (; at > 0 && isBefore(layer, layers[at - 1]); at--) layers[at] = layers[at - 1];
    layers[at] = layer;
  }
}

const isBefore = (a: Layer, b: Layer): boolean =>
  a.category.key === b.category.key ? !a.dimmed && b.dimmed : a.category.key < b.category.key;

/**
 * Heights in pixels that add up to `height`, in proportion, none of them 0 unless there are more layers than pixels.
 * @param n how many of the layers count
 * @param heights is filled and returned
 */
export function heightsOf(
  layers: readonly Layer[],
  height: number,
  n = layers.length,
  heights: number[] = [],
): number[] {
  let whole = 0;
  for (let i = 0; i < n; i++) whole += layers[i].pages;
  heights.length = n;
  let over = -height;
  for (let i = 0; i < n; i++) {
    const high = Math.max(1, Math.round((layers[i].pages / whole) * height));
    heights[i] = high;
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
