// The row of controls above the map.

import type { VscodeSingleSelect } from '@vscode-elements/elements/dist/vscode-single-select/index.js';
import { select, type ToolbarButton, toggleButton, toolbarButton } from './controls.ts';
import { element, refill } from './dom.ts';
import { icons } from './icons.ts';
import type { MapModel } from './model.ts';

export interface ToolbarActions {
  scenario(name: string): void;
  zoom(factor: number): void;
  whole(): void;
  touched(): void;
  link(): void;
  anomaly(forward: boolean): void;
  pin(): void;
  save(format: 'svg' | 'png'): void;
  help(): void;
}

export class Toolbar {
  readonly element: HTMLElement;
  readonly #model: MapModel;
  readonly #scenario: VscodeSingleSelect;
  readonly #link: ToolbarButton;
  readonly #pin: ToolbarButton;
  #scenarios = '';

  constructor(model: MapModel, searchBox: HTMLElement, actions: ToolbarActions) {
    this.#model = model;
    this.#scenario = select('Scenario');
    this.#scenario.addEventListener('change', () => actions.scenario(this.#scenario.value));
    this.#link = toggleButton('Lanes move together', icons.link, 'L', actions.link);
    this.#pin = toggleButton('Compare with this state', icons.pin, 'P', actions.pin);
    const save = (format: 'svg' | 'png') =>
      element(
        'vscode-toolbar-button',
        {
          label: `Save as ${format.toUpperCase()}`,
          title: `Save what is shown as ${format.toUpperCase()}`,
          click: () => actions.save(format),
        },
        format.toUpperCase(),
      );
    this.element = element(
      'div',
      { class: 'toolbar' },
      this.#scenario,
      searchBox,
      element(
        'div',
        { class: 'tools', role: 'toolbar', 'aria-label': 'Map' },
        toolbarButton('Zoom out', icons.zoomOut, '-', () => actions.zoom(2)),
        toolbarButton('Zoom in', icons.zoomIn, '+', () => actions.zoom(0.5)),
        toolbarButton('Whole lanes', icons.whole, '0', actions.whole),
        toolbarButton('What the scenario touches', icons.touched, 'T', actions.touched),
        this.#link,
        element('span', { class: 'divider', role: 'separator' }),
        toolbarButton('Next violation', icons.anomaly, 'N', () => actions.anomaly(true)),
        this.#pin,
        element('span', { class: 'divider', role: 'separator' }),
        save('svg'),
        save('png'),
        toolbarButton('Help', icons.help, '?', actions.help),
      ),
    );
    model.on(['story', 'view', 'pin'], () => this.#refresh());
    this.#refresh();
  }

  #refresh(): void {
    const { story, linked, difference } = this.#model;
    this.#link.checked = linked;
    this.#pin.checked = difference !== undefined;
    const names = story?.story.scenarios ?? [];
    const key = JSON.stringify([names, story?.story.scenario]);
    if (key === this.#scenarios) return;
    this.#scenarios = key;
    const all = [...new Set([...names, ...(story ? [story.story.scenario] : [])])];
    refill(
      this.#scenario,
      ...all.map((name) =>
        element('vscode-option', { value: name, selected: name === story?.story.scenario }, name || '(no name)'),
      ),
    );
  }
}
