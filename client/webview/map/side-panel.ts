// The panel beside (or below) the map: the selected page, the runs in view as a table, the results of a search. One of them is shown.

import { element } from './dom.ts';

export interface Tab {
  readonly name: string;
  readonly title: string;
  readonly content: HTMLElement;
  setVisible?(visible: boolean): void;
}

export class SidePanel {
  readonly element: HTMLElement;
  readonly #tabs: readonly Tab[];
  readonly #buttons: HTMLElement[];
  readonly #panels: HTMLElement[];
  #shown = 0;

  constructor(tabs: readonly Tab[]) {
    this.#tabs = tabs;
    this.#buttons = tabs.map(({ name, title }, index) =>
      element(
        'button',
        {
          class: 'tab',
          role: 'tab',
          id: `tab-${name}`,
          'aria-controls': `panel-${name}`,
          click: () => this.#show(index),
          keydown: (event: KeyboardEvent) => this.#onKey(event, index),
        },
        title,
      ),
    );
    this.#panels = tabs.map(({ name, content }) =>
      element(
        'div',
        { class: 'tab-panel', role: 'tabpanel', id: `panel-${name}`, 'aria-labelledby': `tab-${name}`, tabindex: '0' },
        content,
      ),
    );
    this.element = element(
      'aside',
      { class: 'side', 'aria-label': 'Details' },
      element('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Details' }, ...this.#buttons),
      ...this.#panels,
    );
    this.#show(0);
  }

  get shown(): string {
    return this.#tabs[this.#shown].name;
  }

  show(name: string): void {
    const index = this.#tabs.findIndex((tab) => tab.name === name);
    if (index >= 0) this.#show(index);
  }

  /** Gives the shown panel the keyboard. */
  focus(): void {
    this.#panels[this.#shown].focus();
  }

  #show(shown: number): void {
    this.#shown = shown;
    for (const [index, button] of this.#buttons.entries()) {
      const on = index === shown;
      button.setAttribute('aria-selected', String(on));
      button.tabIndex = on ? 0 : -1;
      this.#panels[index].hidden = !on;
      this.#tabs[index].setVisible?.(on);
    }
    this.onShow();
  }

  onShow: () => void = () => {};

  #onKey(event: KeyboardEvent, index: number): void {
    const { length } = this.#tabs;
    const to: Record<string, number> = {
      ArrowLeft: (index + length - 1) % length,
      ArrowRight: (index + 1) % length,
      Home: 0,
      End: length - 1,
    };
    if (to[event.key] === undefined) return;
    event.preventDefault();
    this.#show(to[event.key]);
    this.#buttons[to[event.key]].focus();
  }
}
