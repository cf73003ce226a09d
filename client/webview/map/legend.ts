// The legend: every category that the story ever has, by track. A click dims the pages of that kind, everywhere.

import { element, refill } from './dom.ts';
import type { MapModel } from './model.ts';
import { css, hasInk, patternSize } from './palette.ts';
import { lookOf, type Theme } from './theme.ts';
import { type Category, type Track, tracksOf } from './tracks.ts';

export interface LegendGroup {
  label: string;
  categories: Category[];
}

/** What of the legend a story needs. The four VMPL tracks are one group. */
export function legendOf(model: MapModel): LegendGroup[] {
  const groups = new Map<string, { label: string; categories: Map<string, Category> }>();
  for (const lane of model.lanes) {
    for (const track of tracksOf(lane.lane.kind)) {
      const [key, label] = nameOf(track);
      const group = groups.get(key) ?? { label, categories: new Map() };
      groups.set(key, group);
      for (const [id, cell] of lane.cells.entries()) {
        // Every lane knows the cell of untouched pages; it need not have any.
        if (id === 0 && lane.runs.find(0, true, (one) => one === 0) === undefined) continue;
        const category = track.category(cell);
        if (category.ink) group.categories.set(category.key, category);
      }
    }
  }
  return [...groups.values()]
    .filter(({ categories }) => categories.size > 0)
    .map(({ label, categories }) => ({ label, categories: [...categories.values()].slice(0, 64) }));
}

const nameOf = (track: Track): [string, string] =>
  track.key.startsWith('vmpl') ? ['vmpl', 'VMPL'] : [track.key, track.key === 'direct' ? 'Direct map' : track.label];

const swatchWidth = 18;
const swatchHeight = 12;

/** A small piece of what the category looks like on the map. */
function paintSwatch(canvas: HTMLCanvasElement, category: Category, theme: Theme): void {
  canvas.width = swatchWidth;
  canvas.height = swatchHeight;
  const context = canvas.getContext('2d')!;
  const look = lookOf(theme, category.ink!, category.pattern, false);
  for (let y = 0; y < swatchHeight; y++) {
    for (let x = 0; x < swatchWidth; x++) {
      const ink = hasInk(category.pattern, x % patternSize, y % patternSize);
      context.fillStyle = css(ink ? look.ink : look.ground);
      context.fillRect(x, y, 1, 1);
    }
  }
}

export class Legend {
  readonly element = element('section', { class: 'legend', 'aria-label': 'Legend and filter' });
  readonly #model: MapModel;
  #theme: Theme;
  #shown = '';
  #of: MapModel['story'];
  #cells = '';

  constructor(model: MapModel, theme: Theme) {
    this.#model = model;
    this.#theme = theme;
    model.on(['story', 'state'], () => this.#fill());
    model.on(['filter'], () => this.#check());
  }

  setTheme(theme: Theme): void {
    this.#theme = theme;
    this.#shown = '';
    this.#fill();
  }

  #fill(): void {
    const cells = this.#model.lanes.map((lane) => lane.cells.length).join();
    const { story } = this.#model;
    // Cells are only ever met, never forgotten.
    if (this.#of === story && this.#cells === cells && this.#shown) return;
    this.#of = story;
    this.#cells = cells;
    const groups = legendOf(this.#model);
    const key = groups.map(({ categories }) => categories.map((category) => category.key).join()).join(';');
    if (key === this.#shown) return;
    this.#shown = key;
    refill(
      this.element,
      ...groups.map(({ label, categories }) =>
        element(
          'div',
          { class: 'legend-group', role: 'group', 'aria-label': label },
          // A title never ends a line: it stays with the first of its kind.
          element(
            'span',
            { class: 'legend-first' },
            element('span', { class: 'legend-title', 'aria-hidden': 'true' }, label),
            this.#chip(categories[0]),
          ),
          ...categories.slice(1).map((category) => this.#chip(category)),
        ),
      ),
      element('button', { class: 'legend-all', click: () => this.#model.setFilter(new Set()) }, 'Show all'),
    );
    this.#check();
  }

  #chip(category: Category): HTMLElement {
    const swatch = element('canvas', { class: 'swatch', 'aria-hidden': 'true' });
    paintSwatch(swatch, category, this.#theme);
    return element(
      'button',
      {
        class: 'chip',
        'data-key': category.key,
        title: 'Dim pages of this kind. With Alt: all but these',
        click: (event: MouseEvent) => this.#toggle(category.key, event.altKey),
      },
      swatch,
      category.label,
    );
  }

  #toggle(key: string, alone: boolean): void {
    const filter = new Set(this.#model.filter);
    if (alone) {
      const track = key.slice(0, key.indexOf(':') + 1);
      filter.clear();
      for (const chip of this.element.querySelectorAll<HTMLElement>('.chip')) {
        const other = chip.dataset.key ?? '';
        if (other !== key && other.startsWith(track)) filter.add(other);
      }
    } else if (!filter.delete(key)) filter.add(key);
    this.#model.setFilter(filter);
  }

  #check(): void {
    const { filter } = this.#model;
    for (const chip of this.element.querySelectorAll<HTMLElement>('.chip')) {
      chip.setAttribute('aria-pressed', String(!filter.has(chip.dataset.key ?? '')));
    }
    const all = this.element.querySelector<HTMLElement>('.legend-all');
    if (all) all.hidden = filter.size === 0;
  }
}
