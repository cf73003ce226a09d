// The page: its parts put together, and the messages between them and the extension.

import type { ToPage } from '../../../server/common/map-protocol.ts';
import { nextAnomaly } from './anomalies.ts';
import { around, wholeView } from './axis.ts';
import { bindingsOf } from './bindings.ts';
import { moved, placeAt, unitAt } from './cursor.ts';
import { spoken } from './describe.ts';
import { element } from './dom.ts';
import { Help } from './help.ts';
import type { Host } from './host.ts';
import { Inspector } from './inspector.ts';
import { bindingOf, type KeyBinding } from './keys.ts';
import { Legend } from './legend.ts';
import { linkedPage } from './links.ts';
import { MapCanvas } from './map-canvas.ts';
import { MapModel } from './model.ts';
import { pngOf, svgOf } from './picture.ts';
import { RunsTable } from './runs-table.ts';
import { asSavedState } from './saved-state.ts';
import type { Place } from './scene.ts';
import { SearchBox } from './search-box.ts';
import { SidePanel } from './side-panel.ts';
import { readTheme } from './theme.ts';
import { Timeline } from './timeline.ts';
import { Toolbar } from './toolbar.ts';
import { viewsOfTouched } from './touched.ts';

/** Between two things said to the extension about one scrub, in ms. */
const sayInterval = 90;

export class App {
  readonly model = new MapModel();
  readonly map: MapCanvas;
  readonly #host: Host;
  readonly #timeline: Timeline;
  readonly #search: SearchBox;
  readonly #side: SidePanel;
  readonly #inspector: Inspector;
  readonly #help: Help;
  readonly #bindings: KeyBinding[];
  readonly #spoken = element('div', { id: 'map-spoken', class: 'spoken', role: 'status', 'aria-live': 'polite' });
  readonly #nothing = element('p', { class: 'nothing', role: 'status' }, 'Waiting for a scenario …');
  readonly #main: HTMLElement;
  #saveTimer = 0;
  #sayTimer = 0;
  #spokenTimer = 0;
  #restored = false;

  constructor(host: Host) {
    this.#host = host;
    const { model } = this;
    const theme = readTheme();
    this.map = new MapCanvas(model, theme);
    this.#timeline = new Timeline(model, theme);
    this.#timeline.onReveal = (line) => this.#revealLine(line);
    this.#inspector = new Inspector(model, theme, host.send, {
      show: (place) => this.show(place),
      reveal: (uri, line) => host.send({ type: 'reveal', uri, line }),
    });
    const table = new RunsTable(model, (place) => this.show(place));
    this.#search = new SearchBox(
      model,
      ({ place, state }) => {
        if (state !== undefined && state > model.target) model.goTo(state);
        this.show(place);
      },
      (count) => this.#side.show(count === 1 ? 'page' : 'search'),
    );
    this.#search.onLeave = () => this.map.canvas.focus();
    this.#side = new SidePanel([
      { name: 'page', title: 'Page', content: this.#inspector.element },
      { name: 'view', title: 'In view', content: table.element, setVisible: (visible) => table.setVisible(visible) },
      { name: 'search', title: 'Search', content: this.#search.list },
    ]);
    this.#bindings = bindingsOf(this);
    this.#help = new Help(this.#bindings);
    const legend = new Legend(model, theme);
    const toolbar = new Toolbar(model, this.#search.element, {
      scenario: (name) => host.send({ type: 'scenario', name }),
      zoom: (factor) => this.zoom(factor),
      whole: () => this.whole(),
      touched: () => this.touched(),
      link: () => model.setLinked(!model.linked),
      anomaly: (forward) => this.anomaly(forward),
      pin: () => this.togglePin(),
      save: (format) => this.save(format),
      help: () => this.toggleHelp(),
    });
    this.#main = element(
      'main',
      { class: 'app' },
      element('h1', { class: 'spoken' }, 'Memory map'),
      toolbar.element,
      this.#timeline.element,
      element('div', { class: 'map' }, this.map.scroller, this.#nothing, legend.element),
      this.#side.element,
      this.#spoken,
      this.#help.element,
    );
    document.body.append(this.#main);
    new MutationObserver(() => {
      const changed = readTheme();
      this.map.setTheme(changed);
      this.#timeline.setTheme(changed);
      this.#inspector.setTheme(changed);
      legend.setTheme(changed);
    }).observe(document.documentElement, {
      attributes: true,
      subtree: true,
      attributeFilter: ['class', 'data-vscode-theme-id'],
    });
    document.addEventListener('keydown', (event) => this.#onKey(event));
    model.onUserState = () => this.#sayState();
    model.on(['story'], () => this.#onStory());
    model.on(['selection', 'state'], () => this.#speak());
    model.on(['state', 'view', 'selection', 'filter', 'pin', 'follow'], () => this.#saveSoon());
    // A page that goes away may have no time left.
    addEventListener('pagehide', () => this.#save());
    this.#side.onShow = () => this.#saveSoon();
    this.map.scroller.addEventListener('scroll', () => this.#saveSoon(), { passive: true });
    this.#onStory();
  }

  receive(message: ToPage): void {
    switch (message.type) {
      case 'story': {
        this.model.load(message.story, message.position);
        this.#restore();
        break;
      }
      case 'update':
        this.model.update(message.update);
        break;
      case 'position':
        this.model.follow(message.position);
        break;
      case 'details':
        this.#inspector.receive(message.id, message.details);
        break;
      case 'nothing':
        this.model.showNothing(message.message);
        break;
    }
  }

  // What keys and buttons do.

  get #lane(): number {
    return Math.min(this.model.selection?.lane ?? 0, this.model.lanes.length - 1);
  }

  /** The selection, or what is in the middle of the first lane. */
  #cursor(): Place | undefined {
    const { selection, lanes, views, width } = this.model;
    if (selection) return selection;
    const lane = lanes[0];
    if (!lane) return undefined;
    const offset = Math.min(lane.axis.length - 1, views[0].left + (width / 2) * views[0].scale);
    return placeAt(lane, lane.axis.page(offset), unitAt(views[0]));
  }

  step(units: number): void {
    const { model } = this;
    const from = this.#cursor();
    if (!from) return;
    const lane = model.lanes[from.lane];
    const place = model.selection ? moved(lane, from, units, unitAt(model.views[from.lane])) : from;
    model.select(place);
    this.#bringIntoView(place);
  }

  changeLane(by: number): void {
    const { model } = this;
    const from = this.#cursor();
    if (!from) return;
    const lane = from.lane + by;
    const target = model.lanes[lane];
    if (!target) return;
    const view = model.views[lane];
    const linked = linkedPage(model.story!.story.lanes, from, lane);
    const middle = target.axis.page(view.left + (model.width / 2) * view.scale);
    const place = placeAt(target, linked ?? middle, from.pages === 1 && linked !== undefined ? 1 : unitAt(view));
    model.select(place);
    this.#bringIntoView(place);
  }

  page(by: number): void {
    const lane = this.#lane;
    if (lane < 0) return;
    this.map.pan(lane, by * this.model.width * 0.9);
    const { views, width, lanes } = this.model;
    const view = views[lane];
    const offset = Math.min(lanes[lane].axis.length - 1, view.left + (width / 2) * view.scale);
    this.model.select(placeAt(lanes[lane], lanes[lane].axis.page(offset), unitAt(view)));
  }

  toEnd(last: boolean): void {
    const lane = this.model.lanes[this.#lane];
    if (!lane) return;
    const place = placeAt(lane, lane.axis.page(last ? lane.axis.length - 1 : 0), unitAt(this.model.views[lane.index]));
    this.model.select(place);
    this.#bringIntoView(place);
  }

  zoom(factor: number): void {
    const lane = this.#lane;
    if (lane < 0) return;
    const { selection, views, lanes, width } = this.model;
    const view = views[lane];
    // At the selection if it is in sight, else in the middle.
    let x = width / 2;
    if (selection) {
      const { axis } = lanes[lane];
      const at =
        (axis.offset(selection.page) +
          (axis.offset(selection.page + selection.pages) - axis.offset(selection.page)) / 2 -
          view.left) /
        view.scale;
      if (at >= 0 && at <= width) x = at;
    }
    this.map.zoom(lane, factor, x);
  }

  /** @param scale pages in a pixel */
  zoomTo(scale: number): void {
    const lane = this.#lane;
    if (lane >= 0) this.zoom(scale / this.model.views[lane].scale);
  }

  whole(): void {
    const { model } = this;
    model.setViews(model.lanes.map(({ axis }) => wholeView(axis, model.width)));
  }

  touched(): void {
    const { model } = this;
    if (model.story) model.setViews(viewsOfTouched(model.story, model.width));
  }

  togglePlay(): void {
    this.#timeline.togglePlay();
  }

  nextMark(by: 1 | -1): void {
    const { story, target } = this.model;
    const steps = story?.story.steps ?? [];
    for (let state = target + by; state >= 1 && state <= steps.length; state += by) {
      const { failed, rules } = steps[state - 1];
      if (failed || rules.length > 0) {
        this.model.goTo(state);
        return;
      }
    }
    this.#say(by > 0 ? 'No later step failed or violates a rule.' : 'No earlier step failed or violates a rule.');
  }

  togglePin(): void {
    const { model } = this;
    model.pin(model.difference ? undefined : model.target);
  }

  anomaly(forward: boolean): void {
    const found = nextAnomaly(this.model, this.model.selection, forward);
    if (found) this.show(found);
    else this.#say('No page is in violation in this state.');
  }

  focusSearch(): void {
    this.#search.focus();
  }

  nextResult(by: number): void {
    this.#search.go(by);
  }

  enter(): void {
    const { selection } = this.model;
    if (!selection) return;
    if (selection.pages > 1) {
      this.show(selection);
      return;
    }
    this.#side.show('page');
    this.#side.focus();
  }

  revealStep(): void {
    const step = this.model.story?.story.steps[this.model.target - 1];
    if (step) this.#revealLine(step.line);
  }

  showTable(): void {
    this.#side.show('view');
    this.#side.focus();
  }

  toggleHelp(): void {
    this.#help.toggle();
  }

  save(format: 'svg' | 'png'): void {
    if (!this.model.story) return;
    const content = format === 'svg' ? svgOf(this.model, this.map) : pngOf(this.model, this.map);
    this.#host.send({ type: 'export', format, content });
  }

  /** Selects a place and brings it into sight, near enough to tell it from its neighbours. */
  show(place: Place): void {
    const { model } = this;
    const lane = model.lanes[place.lane];
    if (!lane) return;
    model.select(place);
    const view = model.views[place.lane];
    const wide = (place.pages / view.scale) * 1.1;
    if (wide < 6 || wide > model.width) {
      model.setView(place.lane, around(lane.axis, model.width, place.page, place.page + place.pages, 1 / 16));
    } else this.#bringIntoView(place);
    this.map.reveal(place.lane);
  }

  #bringIntoView(place: Place): void {
    const { model } = this;
    const { axis } = model.lanes[place.lane];
    const view = model.views[place.lane];
    const from = (axis.offset(place.page) - view.left) / view.scale;
    const to = from + place.pages / view.scale;
    const room = Math.min(60, model.width / 6);
    if (from < 0 || to > model.width) {
      const by = from < 0 ? from - room : Math.min(from - room, to - model.width + room);
      model.setView(place.lane, { left: view.left + by * view.scale, scale: view.scale });
    }
    this.map.reveal(place.lane);
  }

  #revealLine(line: number): void {
    const { story } = this.model;
    if (story) this.#host.send({ type: 'reveal', uri: story.story.uri, line });
  }

  #onKey(event: KeyboardEvent): void {
    const { target } = event;
    const onMap = target === this.map.canvas;
    if (this.#help.element.open && event.key !== '?') return;
    // Single letters only where nothing else wants them.
    const free =
      onMap ||
      target === document.body ||
      target === this.#timeline.slider ||
      target === this.#help.element ||
      this.#help.element.open;
    if (!free) return;
    const binding = bindingOf(this.#bindings, event, onMap);
    if (!binding) return;
    event.preventDefault();
    binding.run();
  }

  #onStory(): void {
    const { story, nothing } = this.model;
    this.#main.classList.toggle('empty', story === undefined);
    if (!story) this.#nothing.textContent = nothing || 'Waiting for a scenario …';
    this.#nothing.hidden = story !== undefined;
  }

  // What a screen reader says.

  #say(text: string): void {
    this.#spoken.textContent = text;
  }

  #speak(): void {
    clearTimeout(this.#spokenTimer);
    this.#spokenTimer = window.setTimeout(() => {
      const { selection } = this.model;
      if (selection) this.#say(spoken(this.model, selection));
    }, 100);
  }

  // What is told to the extension, and kept.

  #sayState(): void {
    if (this.#sayTimer) return;
    let said = this.model.target;
    this.#host.send({ type: 'position', state: said });
    // The first at once, then the last of each interval.
    const again = () => {
      this.#sayTimer = 0;
      if (this.model.following || said === this.model.target) return;
      said = this.model.target;
      this.#host.send({ type: 'position', state: said });
      this.#sayTimer = window.setTimeout(again, sayInterval);
    };
    this.#sayTimer = window.setTimeout(again, sayInterval);
  }

  #saveSoon(): void {
    if (!this.model.story || !this.#restored) return;
    clearTimeout(this.#saveTimer);
    this.#saveTimer = window.setTimeout(() => this.#save(), 200);
  }

  #save(): void {
    const { story, target, difference, views, linked, selection, filter } = this.model;
    if (!story || !this.#restored) return;
    clearTimeout(this.#saveTimer);
    this.#host.save({
      uri: story.story.uri,
      scenario: story.story.scenario,
      state: target,
      ...(difference ? { pinned: difference.state } : {}),
      views,
      linked,
      ...(selection ? { selection } : {}),
      filter: [...filter],
      tab: this.#side.shown,
      query: this.#search.text,
      scrollTop: this.map.scroller.scrollTop,
    });
  }

  /** Once, with the first story, if it is the one that was looked at. */
  #restore(): void {
    const { model } = this;
    if (this.#restored || !model.story) return;
    this.#restored = true;
    const saved = asSavedState(this.#host.saved());
    const { uri, scenario } = model.story.story;
    if (saved && saved.uri === uri && saved.scenario === scenario) {
      model.linked = saved.linked;
      if (saved.views.length === model.lanes.length) model.setViews(saved.views);
      if (!model.following) model.restoreState(saved.state);
      if (saved.pinned !== undefined) model.pin(saved.pinned);
      if (saved.selection && model.lanes[saved.selection.lane]) model.select(saved.selection);
      model.setFilter(new Set(saved.filter));
      this.#side.show(saved.tab);
      this.#search.text = saved.query;
      this.map.scroller.scrollTop = saved.scrollTop;
    }
    this.#saveSoon();
  }
}
