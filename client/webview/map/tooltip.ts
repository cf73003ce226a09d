// What the pointer is on, in words beside it. For the eye alone: a screen reader is told of the selected page.

import type { Description } from './describe.ts';
import { element, refill } from './dom.ts';

/** From the pointer, in CSS pixels. */
const distance = 14;

export class Tooltip {
  readonly element = element('div', { class: 'tooltip', 'aria-hidden': 'true', hidden: true });

  /** Beside a place of the map, on the side where there is room. */
  show(described: Description, x: number, y: number, width: number, height: number): void {
    const { element: box } = this;
    refill(
      box,
      element('div', { class: 'tooltip-title' }, described.title),
      element('div', { class: 'tooltip-subtitle' }, described.subtitle),
      element(
        'dl',
        { class: 'tooltip-lines' },
        ...described.lines.flatMap(({ label, value, tone }) => [
          element('dt', { class: tone }, label),
          element('dd', { class: tone }, value),
        ]),
      ),
    );
    box.hidden = false;
    const { offsetWidth, offsetHeight } = box;
    const left = x + distance + offsetWidth > width ? x - distance - offsetWidth : x + distance;
    const top = y + distance + offsetHeight > height ? y - distance - offsetHeight : y + distance;
    box.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
  }

  hide(): void {
    this.element.hidden = true;
  }
}
