// The selected page's panel: what the machine's holder tells of it (entry decoded, raw bytes, guest's view, direct map, references, history), its
// 2M region in small, and links to the pages that have to do with it. A larger place is summed up.

import type { MapDetails, MapHistoryEntry } from '../../../server/common/map-protocol.ts';
import { describe, type Line, spaceOf, violationsAt } from './describe.ts';
import { element, refill } from './dom.ts';
import { address, hex } from './format.ts';
import type { Host } from './host.ts';
import { Lens } from './lens.ts';
import type { MapModel } from './model.ts';
import type { Place } from './scene.ts';
import type { Theme } from './theme.ts';

export interface InspectorActions {
  /** Selects a page and brings it into sight. */
  show(place: Place): void;
  reveal(uri: string, line: number): void;
}

export class Inspector {
  readonly element = element('div', { class: 'inspector' });
  readonly #model: MapModel;
  readonly #send: Host['send'];
  readonly #actions: InspectorActions;
  readonly #lens: Lens;
  #asked = 0;
  #timer = 0;
  /** Of the page and state that were asked about last, once they have come. */
  #details: MapDetails | null | undefined;
  #question = '';

  constructor(model: MapModel, theme: Theme, send: Host['send'], actions: InspectorActions) {
    this.#model = model;
    this.#send = send;
    this.#actions = actions;
    this.#lens = new Lens(model, theme, (place) => model.select(place));
    model.on(['selection', 'state', 'story', 'pin'], () => this.#refresh());
    this.#render();
  }

  setTheme(theme: Theme): void {
    this.#lens.setTheme(theme);
  }

  receive(id: number, details: MapDetails | null): void {
    if (id !== this.#asked) return;
    this.#details = details;
    this.#render();
  }

  #refresh(): void {
    const { selection, target, shown, story } = this.#model;
    // Asked again for each state: but only for one at which the scrubbing rests.
    const question =
      selection && story ? `${selection.lane} ${selection.page} ${target} ${story.partial ? 'partial' : ''}` : '';
    if (question !== this.#question || shown !== target) {
      const samePage = this.#question.split(' ').slice(0, 2).join() === question.split(' ').slice(0, 2).join();
      this.#question = question;
      if (!samePage) this.#details = undefined;
      clearTimeout(this.#timer);
      if (selection && selection.pages === 1) {
        this.#timer = window.setTimeout(() => {
          this.#send({
            type: 'details',
            id: ++this.#asked,
            lane: selection.lane,
            page: selection.page,
            state: this.#model.target,
          });
        }, 60);
      } else this.#details = undefined;
    }
    this.#render();
  }

  #render(): void {
    const { selection, story } = this.#model;
    const described = selection && describe(this.#model, selection);
    if (!story || !selection || !described) {
      if (this.element.firstElementChild?.className === 'hint') return;
      refill(
        this.element,
        element(
          'p',
          { class: 'hint' },
          'Click a page, or move to one with the arrow keys, to see its RMP entry, its mappings and its history.',
        ),
      );
      return;
    }
    const details = selection.pages === 1 ? this.#details : undefined;
    const violations = violationsAt(this.#model, selection);
    refill(
      this.element,
      element('h2', { class: 'page-title' }, details?.title ?? described.title),
      element('p', { class: 'page-subtitle' }, described.subtitle),
      ...violations.map(({ rule, message, step }) =>
        element('p', { class: 'violation' }, element('strong', {}, rule), ` ${message} `, this.#stepButton(step)),
      ),
      this.#lens.element,
      this.#links(details, selection),
      facts(
        'On the map',
        described.lines.filter(({ tone }) => tone !== 'violation'),
      ),
      ...(details?.sections ?? []).map(({ heading, facts: told }) =>
        facts(
          heading,
          told.map(({ label, value, note }) => ({ label, value, ...(note ? { note } : {}) })),
        ),
      ),
      details && details.raw.length > 0 ? raw(details.raw) : undefined,
      details && details.history.length > 0 ? this.#history(details.history) : undefined,
      selection.pages === 1 && details === undefined
        ? element('p', { class: 'hint' }, 'Asking for the details …')
        : undefined,
      details === null ? element('p', { class: 'hint' }, 'No more is known of this page.') : undefined,
    );
    this.#lens.show(selection);
  }

  #stepButton(step: number): HTMLElement {
    const told = this.#model.story?.story.steps[step];
    const label = told ? `line ${told.line + 1}` : step < 0 ? 'start' : `state ${step + 1}`;
    return element(
      'button',
      { class: 'jump', title: told?.text ?? 'Before the first step', click: () => this.#model.goTo(step + 1) },
      label,
    );
  }

  #links(details: MapDetails | null | undefined, selection: Place): HTMLElement | undefined {
    const links = details?.links.filter(
      ({ lane, page }) => this.#model.lanes[lane] && (lane !== selection.lane || page !== selection.page),
    );
    if (!links?.length) return undefined;
    return element(
      'div',
      { class: 'links', role: 'group', 'aria-label': 'Linked pages' },
      ...links.map(({ lane, page, label }) =>
        element(
          'button',
          {
            class: 'jump',
            title: `${spaceOf(this.#model.lanes[lane]).address} ${address(page)}`,
            click: () => this.#actions.show({ lane, page, pages: 1 }),
          },
          label,
        ),
      ),
    );
  }

  #history(entries: readonly MapHistoryEntry[]): HTMLElement {
    return element(
      'section',
      { class: 'history' },
      element('h3', {}, 'History'),
      element(
        'ol',
        {},
        ...entries.map(({ step, what, frames }) =>
          element(
            'li',
            step + 1 === this.#model.target ? { 'aria-current': 'step' } : {},
            this.#stepButton(step),
            element('span', { class: 'what' }, what),
            frames.length > 0 &&
              element(
                'ul',
                { class: 'frames' },
                ...frames.slice(0, 12).map(({ function: name, uri, line }) =>
                  element(
                    'li',
                    {},
                    element(
                      'button',
                      {
                        class: 'frame',
                        title: `Show ${fileName(uri)} in the editor`,
                        click: () => this.#actions.reveal(uri, line),
                      },
                      element('code', {}, `${name}()`),
                      ` ${fileName(uri)}:${line + 1}`,
                    ),
                  ),
                ),
              ),
          ),
        ),
      ),
    );
  }
}

const fileName = (uri: string): string => {
  const name = uri.slice(uri.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
};

function facts(heading: string, lines: readonly (Line & { note?: string })[]): HTMLElement | undefined {
  if (lines.length === 0) return undefined;
  return element(
    'section',
    {},
    element('h3', {}, heading),
    element(
      'dl',
      { class: 'facts' },
      ...lines.flatMap(({ label, value, note, tone }) => [
        element('dt', {}, label),
        element('dd', { class: tone }, value, note ? element('small', {}, note) : undefined),
      ]),
    ),
  );
}

/** The entry's bytes in memory order, eight in a row. */
function raw(bytes: readonly number[]): HTMLElement {
  const rows: HTMLElement[] = [];
  for (let at = 0; at < bytes.length; at += 8) {
    const row = bytes.slice(at, at + 8).map((byte) => (byte & 0xff).toString(16).padStart(2, '0'));
    rows.push(element('div', {}, element('span', { class: 'offset' }, `+${hex(at)}`), ` ${row.join(' ')}`));
  }
  return element('section', {}, element('h3', {}, 'Raw RMP entry'), element('div', { class: 'raw' }, ...rows));
}
