// What is in view as a table of runs: the map's text for those who do not see it, and a place to copy from for those who do.

import type { View } from './axis.ts';
import { spaceOf } from './describe.ts';
import { element, refill } from './dom.ts';
import { address, grouped } from './format.ts';
import type { MapModel } from './model.ts';
import type { Place } from './scene.ts';
import type { LaneState } from './story-state.ts';
import { isViolation, tracksOf } from './tracks.ts';

/** Runs listed of a lane; that there are more is said. */
export const maxRows = 200;

interface Row {
  start: number;
  end: number;
  words: string[];
}

export class RunsTable {
  readonly element = element('div', { class: 'runs' });
  readonly #model: MapModel;
  readonly #show: (place: Place) => void;
  #visible = false;
  #timer = 0;

  constructor(model: MapModel, show: (place: Place) => void) {
    this.#model = model;
    this.#show = show;
    model.on(['story', 'state', 'view'], () => this.#later());
  }

  /** Only what is seen is kept up to date. */
  setVisible(visible: boolean): void {
    this.#visible = visible;
    if (visible) this.#fill();
  }

  #later(): void {
    if (!this.#visible) return;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#fill(), 120);
  }

  #fill(): void {
    const { lanes, views, width } = this.#model;
    refill(this.element, ...lanes.map((lane, index) => this.#table(lane, views[index], width)));
  }

  #table(lane: LaneState, view: View, width: number): HTMLElement {
    const tracks = tracksOf(lane.lane.kind);
    const rows: Row[] = [];
    let more = false;
    lane.axis.pagesBetween(view.left, view.left + width * view.scale, (first, last) => {
      lane.runs.forEach(Math.floor(first), Math.ceil(last), (start, end, id) => {
        const cell = lane.cells[id];
        const words = tracks.map((track) => {
          const { ink, label } = track.category(cell);
          return ink ? label : '–';
        });
        words.push(isViolation(cell) ? 'violated' : '');
        const before = rows.at(-1);
        // The head of a 2M entry and its other pages read the same.
        if (before?.end === start && before.words.every((word, i) => word === words[i])) {
          before.end = end;
          return true;
        }
        if (rows.length === maxRows) {
          more = true;
          return false;
        }
        rows.push({ start, end, words });
        return true;
      });
    });
    const name = lane.lane.kind === 'guest' ? `Guest ${lane.lane.name}` : lane.lane.name;
    return element(
      'table',
      {},
      element(
        'caption',
        {},
        more ? `${name}: the first ${maxRows} runs in view` : `${name}: ${rows.length} runs in view`,
      ),
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          ...[spaceOf(lane).address, 'Pages', ...tracks.map(({ label }) => label), 'Rule'].map((heading) =>
            element('th', { scope: 'col' }, heading),
          ),
        ),
      ),
      element('tbody', {}, ...rows.map((row) => this.#row(lane, row))),
    );
  }

  #row(lane: LaneState, { start, end, words }: Row): HTMLElement {
    const show = () => this.#show({ lane: lane.index, page: start, pages: end - start });
    return element(
      'tr',
      words.at(-1) ? { class: 'violated' } : {},
      element('th', { scope: 'row' }, element('button', { class: 'jump', click: show }, address(start))),
      element('td', {}, grouped(end - start)),
      ...words.map((word) => element('td', {}, word)),
    );
  }
}
