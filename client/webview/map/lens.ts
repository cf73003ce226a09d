// The 2M region around the selected page in small: its 512 pages, 32 in a row, by the lane's first track.

import { element } from './dom.ts';
import { address, pagesOf2M } from './format.ts';
import type { MapModel } from './model.ts';
import { css, hasInk } from './palette.ts';
import type { Place } from './scene.ts';
import { lookOf, type Theme } from './theme.ts';
import { isViolation, spanOf, tracksOf } from './tracks.ts';

const columns = 32;
const rows = pagesOf2M / columns;
const size = 8;

export class Lens {
  readonly element: HTMLElement;
  readonly #canvas = element('canvas', { class: 'lens', 'aria-hidden': 'true' });
  readonly #caption = element('figcaption', {});
  readonly #model: MapModel;
  #theme: Theme;
  #place: Place | undefined;

  constructor(model: MapModel, theme: Theme, select: (place: Place) => void) {
    this.#model = model;
    this.#theme = theme;
    this.element = element('figure', { class: 'lens-figure' }, this.#canvas, this.#caption);
    model.on(['filter'], () => this.#draw());
    this.#canvas.addEventListener('click', ({ offsetX, offsetY }) => {
      const place = this.#place;
      if (!place) return;
      const { clientWidth, clientHeight } = this.#canvas;
      const column = Math.min(columns - 1, Math.floor((offsetX / clientWidth) * columns));
      const row = Math.min(rows - 1, Math.floor((offsetY / clientHeight) * rows));
      const page = base(place) + row * columns + column;
      if (page < (model.lanes[place.lane]?.lane.pages ?? 0)) select({ lane: place.lane, page, pages: 1 });
    });
  }

  setTheme(theme: Theme): void {
    this.#theme = theme;
    this.#draw();
  }

  /** Only for what lies in one region. */
  show(place: Place): void {
    this.#place = place;
    this.element.hidden = place.pages > pagesOf2M;
    this.#draw();
  }

  #draw(): void {
    const place = this.#place;
    const lane = place && this.#model.lanes[place.lane];
    if (!place || !lane || this.element.hidden) return;
    const scale = Math.max(1, Math.round(devicePixelRatio || 1));
    this.#canvas.width = columns * size * scale;
    this.#canvas.height = rows * size * scale;
    const context = this.#canvas.getContext('2d')!;
    context.scale(scale, scale);
    const { background, foreground, accent, violation } = this.#theme;
    context.fillStyle = css(background);
    context.fillRect(0, 0, columns * size, rows * size);
    const [track] = tracksOf(lane.lane.kind);
    const first = base(place);
    this.#caption.textContent = `2M region at ${address(first)}: 512 pages by ${track.label.toLowerCase()}`;
    for (let i = 0; i < pagesOf2M && first + i < lane.lane.pages; i++) {
      const cell = lane.cell(first + i);
      const { ink, pattern } = track.category(cell);
      const x = (i % columns) * size;
      const y = Math.floor(i / columns) * size;
      // Pages of one large entry touch each other.
      const gap = spanOf(lane.lane.kind, cell) === pagesOf2M ? 0 : 1;
      if (ink) {
        const look = lookOf(this.#theme, ink, pattern, false);
        context.fillStyle = css(look.ink);
        context.fillRect(x, y, size - gap, size - gap);
        if (pattern !== 'solid') {
          context.fillStyle = css(look.ground);
          for (let dy = 0; dy < size - gap; dy++) {
            for (let dx = 0; dx < size - gap; dx++) {
              if (!hasInk(pattern, x + dx, y + dy)) context.fillRect(x + dx, y + dy, 1, 1);
            }
          }
        }
      }
      if (isViolation(cell)) {
        context.strokeStyle = css(violation);
        context.lineWidth = 2;
        context.strokeRect(x + 1, y + 1, size - 2, size - 2);
      }
    }
    if (place.pages === 1) {
      const i = place.page - first;
      const x = (i % columns) * size;
      const y = Math.floor(i / columns) * size;
      context.strokeStyle = css(background);
      context.lineWidth = 3;
      context.strokeRect(x - 0.5, y - 0.5, size + 1, size + 1);
      context.strokeStyle = css(this.#theme.kind.startsWith('hc') ? accent : foreground);
      context.lineWidth = 1.5;
      context.strokeRect(x - 0.5, y - 0.5, size + 1, size + 1);
    }
  }
}

const base = ({ page }: Place): number => Math.floor(page / pagesOf2M) * pagesOf2M;
