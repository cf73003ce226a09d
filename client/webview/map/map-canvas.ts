// The canvas that all lanes are drawn on, and what pointer and wheel do to it. A frame is only drawn when something has changed; without a change, or
// when the panel is hidden, it costs nothing.

import { type View, zoomed } from './axis.ts';
import { placeUnder } from './cursor.ts';
import { describe } from './describe.ts';
import { element } from './dom.ts';
import { gutter, type LanePlace, layOut, shift } from './layout.ts';
import { drawMarks } from './marks.ts';
import type { MapModel } from './model.ts';
import { drawOverlay } from './overlay.ts';
import { Pixels } from './pixels.ts';
import { drawBands, laneWidth, type Place, type Scene, SceneCache } from './scene.ts';
import { CanvasSurface } from './surface.ts';
import type { Look, Theme } from './theme.ts';
import { Tooltip } from './tooltip.ts';

/** Of the way to the wanted view that is left, this much is gone with each frame. */
const haste = 0.34;
/** How long a change is lit, in ms. */
const flashTime = 700;

export class MapCanvas {
  /** Scrolls over the lanes; the canvas stays. */
  readonly scroller: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly #model: MapModel;
  readonly #context: CanvasRenderingContext2D;
  readonly #spacer = element('div', { class: 'map-spacer' });
  readonly #tooltip = new Tooltip();
  readonly #cache = new SceneCache();
  readonly #reduced = matchMedia('(prefers-reduced-motion: reduce)');
  #theme: Theme;
  #surface!: CanvasSurface;
  #pixels = new Pixels(1, 1, 1);
  #painted = '';
  #places: LanePlace[] = [];
  #width = 0;
  #height = 0;
  /** How far the lanes are scrolled. Asking the element in each frame would lay out the page. */
  #top = 0;
  #wanted: View[] = [];
  #drawn: View[] = [];
  #frame = 0;
  /** When the last change was first drawn; undefined: not yet. */
  #flashFrom: number | undefined;
  #hover: Place | undefined;
  #band: { lane: number; x0: number; x1: number } | undefined;
  /** A page to keep, where the pointer went down. */
  #drag:
    | { lane: number; x: number; y: number; view: View; moved: boolean; zoom: boolean; overview: boolean }
    | undefined;

  constructor(model: MapModel, theme: Theme) {
    this.#model = model;
    this.#theme = theme;
    this.canvas = element('canvas', {
      class: 'map-canvas',
      tabindex: '0',
      role: 'application',
      'aria-roledescription': 'memory map',
      'aria-label': 'Memory map',
      'aria-describedby': 'map-spoken',
    });
    this.scroller = element('div', { class: 'map-scroller' }, this.canvas, this.#spacer, this.#tooltip.element);
    this.#context = this.canvas.getContext('2d', { alpha: false })!;
    this.#newSurface();
    new ResizeObserver(() => this.#measure()).observe(this.scroller);
    model.on(['story'], () => this.#measure());
    // What was pointed at is elsewhere now.
    model.on(['view'], () => this.#point(undefined));
    model.on(['selection', 'filter', 'pin', 'follow'], () => this.invalidate());
    model.on(['state'], () => {
      this.#flashFrom = undefined;
      this.invalidate();
    });
    this.scroller.addEventListener(
      'scroll',
      () => {
        this.#top = this.scroller.scrollTop;
        this.invalidate();
      },
      { passive: true },
    );
    this.#listen();
  }

  setTheme(theme: Theme): void {
    this.#theme = theme;
    this.#newSurface();
    this.#painted = '';
    this.invalidate();
  }

  /** The lanes as they lie now, in CSS pixels of the canvas. */
  get places(): readonly LanePlace[] {
    return this.#places;
  }

  invalidate(): void {
    this.#frame ||= requestAnimationFrame(this.#draw);
  }

  /** What is on the screen, for export. */
  scene(resolution: number): Scene {
    return this.#scene(resolution);
  }

  get cache(): SceneCache {
    return this.#cache;
  }

  get theme(): Theme {
    return this.#theme;
  }

  /** Brings a lane into sight. */
  reveal(lane: number): void {
    const place = this.#places[lane];
    if (!place) return;
    const top = place.y;
    const bottom = place.y + place.height;
    if (top < 0) this.scroller.scrollTop += top - 6;
    else if (bottom > this.#height) this.scroller.scrollTop += Math.min(top - 6, bottom - this.#height + 6);
  }

  #newSurface(): void {
    const { sans, mono } = this.#theme;
    this.#surface = new CanvasSurface(this.#context, { sans, mono }, (x, y, width, height, look) =>
      this.#area(x, y, width, height, look),
    );
  }

  #area(x: number, y: number, width: number, height: number, look: Look): void {
    const scale = this.#pixels.scale;
    const [x0, y0] = [Math.round(x * scale), Math.round(y * scale)];
    this.#pixels.fill(x0, y0, Math.round((x + width) * scale), Math.round((y + height) * scale), look);
  }

  #measure(): void {
    const { clientWidth, clientHeight } = this.scroller;
    if (clientWidth === 0 || clientHeight === 0) return;
    this.#width = clientWidth;
    this.#top = this.scroller.scrollTop;
    this.#height = clientHeight;
    const { height } = layOut(this.#model.lanes, clientHeight);
    this.#spacer.style.height = `${Math.max(0, height - clientHeight)}px`;
    const scale = devicePixelRatio || 1;
    this.canvas.style.width = `${clientWidth}px`;
    this.canvas.style.height = `${clientHeight}px`;
    const [wide, high] = [Math.round(clientWidth * scale), Math.round(clientHeight * scale)];
    if (this.canvas.width !== wide || this.canvas.height !== high) {
      this.canvas.width = wide;
      this.canvas.height = high;
      this.#pixels = new Pixels(wide, high, scale);
    }
    this.#painted = '';
    this.#model.setWidth(laneWidth(clientWidth));
    this.invalidate();
  }

  #scene(resolution: number): Scene {
    const { places } = layOut(this.#model.lanes, this.#height);
    for (const place of places) shift(place, -this.#top);
    this.#places = places;
    return {
      width: this.#width,
      height: this.#height,
      theme: this.#theme,
      resolution,
      filter: this.#model.filter,
      lanes: places,
      views: this.#drawn,
    };
  }

  /** Steps towards the wanted views. @returns whether it is not there yet */
  #move(): boolean {
    this.#wanted = this.#model.views;
    if (this.#drawn.length !== this.#wanted.length || this.#reduced.matches) {
      this.#drawn = [...this.#wanted];
      return false;
    }
    let moving = false;
    for (const [index, wanted] of this.#wanted.entries()) {
      const drawn = this.#drawn[index];
      if (drawn === wanted) continue;
      const next = {
        left: drawn.left + (wanted.left - drawn.left) * haste,
        scale: drawn.scale + (wanted.scale - drawn.scale) * haste,
      };
      // As good as there when nothing is off by half a pixel.
      const off = Math.abs(next.left - wanted.left) + Math.abs(next.scale - wanted.scale) * this.#model.width;
      const there = off < wanted.scale * 0.5;
      this.#drawn[index] = there ? wanted : next;
      moving ||= !there;
    }
    return moving;
  }

  #draw = (): void => {
    this.#frame = 0;
    if (this.#width === 0) return;
    const began = performance.now();
    const moving = this.#move();
    const { scale } = this.#pixels;
    const scene = this.#scene(scale);
    const model = this.#model;
    const key = this.#key(scene);
    if (key !== this.#painted) {
      this.#pixels.clear(this.#theme.background);
      drawBands(this.#surface, scene, this.#cache);
      this.#painted = key;
    }
    this.#pixels.put(this.#context);
    this.#surface.begin(scale);
    drawMarks(this.#surface, scene, this.#cache);
    this.#flashFrom ??= began;
    const age = (began - this.#flashFrom) / flashTime;
    const flash = this.#reduced.matches ? 0 : Math.max(0, 1 - age);
    drawOverlay(this.#surface, scene, {
      lanes: model.lanes,
      fresh: model.fresh,
      flash: flash * flash,
      difference: model.difference,
      hover: this.#hover,
      selection: model.selection,
      focused: document.activeElement === this.canvas,
      band: this.#band,
    });
    if (moving || (flash > 0 && model.fresh)) this.invalidate();
  };

  #key(scene: Scene): string {
    const views = scene.views.map(({ left, scale }) => `${left},${scale}`).join(';');
    const versions = scene.lanes.map(({ lane, y }) => `${lane.runs.version}@${y}`).join(';');
    return `${views}|${versions}|${scene.width}x${scene.height}|${[...scene.filter].join(',')}|${this.#model.story?.story.scenario}`;
  }

  // What the pointer does.

  #listen(): void {
    const { canvas } = this;
    canvas.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false });
    canvas.addEventListener('pointerdown', (event) => this.#onDown(event));
    canvas.addEventListener('pointermove', (event) => this.#onMove(event));
    canvas.addEventListener('pointerup', (event) => this.#onUp(event));
    canvas.addEventListener('pointercancel', () => this.#endDrag());
    canvas.addEventListener('pointerleave', () => this.#point(undefined));
    canvas.addEventListener('dblclick', (event) => {
      const { lane, x } = this.#at(event);
      if (lane !== undefined) this.zoom(lane, 1 / 8, x);
    });
    canvas.addEventListener('focus', () => this.invalidate());
    canvas.addEventListener('blur', () => this.invalidate());
  }

  /** Zooms so that what is at `x` of a lane stays. */
  zoom(lane: number, factor: number, x: number): void {
    const { axis } = this.#model.lanes[lane];
    this.#model.setView(lane, zoomed(axis, this.#model.width, this.#model.views[lane], factor, x), x);
  }

  pan(lane: number, pixels: number): void {
    const view = this.#model.views[lane];
    this.#model.setView(lane, { left: view.left + pixels * view.scale, scale: view.scale });
  }

  #at(event: MouseEvent): { lane: number | undefined; x: number; y: number } {
    const x = event.offsetX - gutter;
    const y = event.offsetY;
    const lane = this.#places.find((place) => y >= place.y && y < place.y + place.height + 14);
    return { lane: lane?.lane.index, x, y };
  }

  #onWheel(event: WheelEvent): void {
    const { lane, x } = this.#at(event);
    // Alt scrolls over the lanes, which the scroller does by itself.
    if (lane === undefined || event.altKey) return;
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? this.#height : 1;
    const [dx, dy] = [event.deltaX * unit, event.deltaY * unit];
    if (event.shiftKey || Math.abs(dx) > Math.abs(dy)) this.pan(lane, dx || dy);
    else this.zoom(lane, Math.exp(Math.max(-240, Math.min(240, dy)) / 240), x);
  }

  #onDown(event: PointerEvent): void {
    const { lane, x, y } = this.#at(event);
    if (lane === undefined || event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    const place = this.#places[lane];
    const overview = y >= place.overviewY - 3 && y < place.overviewY + 11;
    this.#drag = { lane, x, y, view: this.#model.views[lane], moved: false, zoom: event.shiftKey, overview };
    if (overview) this.#centre(lane, x);
  }

  #centre(lane: number, x: number): void {
    const { axis } = this.#model.lanes[lane];
    const { width, views } = this.#model;
    const { scale } = views[lane];
    this.#model.setView(lane, {
      left: (x / width) * Math.max(axis.length, scale * width) - (width * scale) / 2,
      scale,
    });
  }

  #onMove(event: PointerEvent): void {
    const drag = this.#drag;
    const { lane, x, y } = this.#at(event);
    if (!drag) {
      this.#point(lane === undefined ? undefined : { lane, x, y });
      return;
    }
    if (Math.abs(x - drag.x) > 3) drag.moved = true;
    if (!drag.moved) return;
    this.#point(undefined);
    if (drag.overview) this.#centre(drag.lane, x);
    else if (drag.zoom) {
      this.#band = { lane: drag.lane, x0: Math.max(0, drag.x), x1: Math.min(this.#model.width, Math.max(0, x)) };
      this.invalidate();
    } else {
      const { view } = drag;
      this.#model.setView(drag.lane, { left: view.left - (x - drag.x) * view.scale, scale: view.scale }, x);
      this.canvas.classList.add('dragging');
    }
  }

  #onUp(event: PointerEvent): void {
    const drag = this.#drag;
    const band = this.#band;
    this.#endDrag();
    if (!drag || drag.overview) return;
    if (band && Math.abs(band.x1 - band.x0) > 3) {
      const { view } = drag;
      const from = Math.min(band.x0, band.x1);
      const scale = (view.scale * Math.abs(band.x1 - band.x0)) / this.#model.width;
      this.#model.setView(drag.lane, { left: view.left + from * view.scale, scale }, this.#model.width / 2);
      return;
    }
    if (drag.moved) return;
    const { x } = this.#at(event);
    const lane = this.#model.lanes[drag.lane];
    this.#model.select(placeUnder(lane, this.#model.views[drag.lane], x));
  }

  #endDrag(): void {
    this.#drag = undefined;
    this.#band = undefined;
    this.canvas.classList.remove('dragging');
    this.invalidate();
  }

  #point(at: { lane: number; x: number; y: number } | undefined): void {
    const view = at && this.#model.views[at.lane];
    const place = at && view && placeUnder(this.#model.lanes[at.lane], view, at.x);
    this.#hover = place;
    const described = place && describe(this.#model, place);
    if (at && described) {
      this.#tooltip.show(described, at.x + gutter, at.y, this.#width, this.#height);
    } else this.#tooltip.hide();
    this.invalidate();
  }
}
