// The search box and its results: typed, gone through with Enter and the arrows, listed in the side panel.

import type { VscodeTextfield } from '@vscode-elements/elements/dist/vscode-textfield/index.js';
import { textField, toolbarButton } from './controls.ts';
import { element, icon, refill } from './dom.ts';
import { icons } from './icons.ts';
import type { MapModel } from './model.ts';
import { parseQuery } from './query.ts';
import { maxResults, type Result, search } from './search.ts';

export class SearchBox {
  readonly element: HTMLElement;
  /** For the side panel. */
  readonly list = element('div', { class: 'results' });
  readonly #field: VscodeTextfield;
  readonly #status = element('span', { class: 'search-status', role: 'status' });
  readonly #model: MapModel;
  readonly #show: (result: Result) => void;
  readonly #onResults: (count: number) => void;
  #results: Result[] = [];
  #more = false;
  #at = -1;
  #asked = '';

  constructor(model: MapModel, show: (result: Result) => void, onResults: (count: number) => void) {
    this.#model = model;
    this.#show = show;
    this.#onResults = onResults;
    this.#field = textField('Search the map', 'pfn, gfn, gpa, spa, asid, rule, is …');
    const glass = icon(icons.search);
    glass.setAttribute('slot', 'content-before');
    this.#field.append(glass);
    this.element = element(
      'search',
      { class: 'search' },
      this.#field,
      this.#status,
      toolbarButton('Previous result', icons.previous, 'Shift+Enter', () => this.go(-1)),
      toolbarButton('Next result', icons.next, 'Enter', () => this.go(1)),
    );
    this.#field.addEventListener('keydown', (event) => this.#onKey(event));
    this.#field.addEventListener('input', () => {
      if (this.#field.value.trim() === '') this.#clear();
    });
    model.on(['story'], () => this.#clear());
    this.#fillList('');
  }

  focus(): void {
    this.#field.focus();
    this.#field.wrappedElement?.select();
  }

  get text(): string {
    return this.#asked;
  }

  set text(text: string) {
    this.#field.value = text;
  }

  /** Asks what is in the box. */
  ask(): void {
    const text = this.#field.value.trim();
    this.#asked = text;
    const parsed = parseQuery(text);
    const found = 'error' in parsed ? parsed : search(this.#model, parsed.query);
    const error = 'error' in found ? found.error : '';
    this.#results = 'error' in found ? [] : found.results;
    this.#more = 'error' in found ? false : found.more;
    this.#at = -1;
    this.#field.invalid = error !== '';
    this.#fillList(error);
    this.#onResults(this.#results.length);
    if (this.#results.length > 0) this.go(1);
    else this.#status.textContent = error ? 'nothing' : '';
  }

  /** The next result, or the one before; round and round. */
  go(by: number): void {
    const { length } = this.#results;
    if (length === 0) {
      if (this.#field.value.trim() !== '' && this.#asked !== this.#field.value.trim()) this.ask();
      return;
    }
    this.#at = (this.#at + by + length) % length;
    this.#pick(this.#at);
  }

  #pick(index: number): void {
    this.#at = index;
    this.#status.textContent = `${index + 1} of ${this.#results.length}${this.#more ? '+' : ''}`;
    for (const [i, button] of [...this.list.querySelectorAll('.result')].entries()) {
      if (i === index) {
        button.setAttribute('aria-current', 'true');
        button.scrollIntoView({ block: 'nearest' });
      } else button.removeAttribute('aria-current');
    }
    this.#show(this.#results[index]);
  }

  #clear(): void {
    this.#results = [];
    this.#more = false;
    this.#at = -1;
    this.#asked = '';
    this.#field.invalid = false;
    this.#status.textContent = '';
    this.#fillList('');
  }

  #fillList(error: string): void {
    if (error) refill(this.list, element('p', { class: 'search-error', role: 'alert' }, error));
    else if (this.#results.length === 0) {
      refill(
        this.list,
        element('p', { class: 'hint' }, 'Search for a page or for all of a kind:'),
        element(
          'dl',
          { class: 'facts examples' },
          ...[
            ['pfn 0x40000', 'a frame; also a range, 0x40000..0x40200'],
            ['gfn 512', 'a guest’s page'],
            ['gpa 2M+16K g', 'an address of guest g'],
            ['spa 1G', 'a host address'],
            ['asid 1', 'all that a guest owns'],
            ['rule ATTR-RMP', 'where it was violated; rule alone: all'],
            ['is Guest-Valid', 'pages of a kind, by the legend’s words'],
          ].flatMap(([example, meaning]) => [
            element('dt', {}, element('code', {}, example)),
            element('dd', {}, meaning),
          ]),
        ),
      );
    } else {
      refill(
        this.list,
        element(
          'ol',
          {},
          ...this.#results.map(({ label, note }, index) =>
            element(
              'li',
              {},
              element(
                'button',
                { class: 'result', click: () => this.#pick(index) },
                element('span', { class: 'result-label' }, label),
                element('span', { class: 'result-note' }, note),
              ),
            ),
          ),
        ),
        this.#more ? element('p', { class: 'hint' }, `Only the first ${maxResults} are listed.`) : undefined,
      );
    }
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key === 'Enter') {
      event.preventDefault();
      if (this.#field.value.trim() !== this.#asked || this.#results.length === 0) this.ask();
      else this.go(event.shiftKey ? -1 : 1);
    } else if (event.key === 'Escape') {
      this.#field.value = '';
      this.#clear();
      this.onLeave();
    }
    event.stopPropagation();
  }

  /** The user has done with searching. */
  onLeave: () => void = () => {};
}
