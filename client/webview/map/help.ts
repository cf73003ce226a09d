// The overlay that lists the keys and says how the picture is to be read.

import { element, refill } from './dom.ts';
import type { KeyBinding } from './keys.ts';

const reading: readonly (readonly [string, string])[] = [
  [
    'A column of a mixture',
    'the pages that fall on one pixel, stacked in proportion; what is there at all has a pixel',
  ],
  ['A triangle', 'a violated rule, at any zoom: also on the whole lane’s strip'],
  ['A line below the tracks', 'what the last step changed'],
  ['A dashed outline', 'different from the pinned state'],
  ['A curve', 'a page, its frame, and the frame in the direct map'],
  ['A bracket', 'a folio'],
  ['A zigzag', 'addresses without memory, left out'],
];

export class Help {
  readonly element = element('dialog', { class: 'help', 'aria-labelledby': 'help-title' });

  constructor(bindings: readonly KeyBinding[]) {
    const groups = [...new Set(bindings.map(({ group }) => group))];
    refill(
      this.element,
      element(
        'div',
        { class: 'help-head' },
        element('h2', { id: 'help-title' }, 'The memory map'),
        element('button', { class: 'close', click: () => this.element.close() }, 'Close'),
      ),
      element(
        'div',
        { class: 'help-groups' },
        ...groups.map((group) =>
          element(
            'section',
            {},
            element('h3', {}, group),
            element(
              'dl',
              { class: 'keys' },
              ...bindings
                .filter((binding) => binding.group === group)
                .flatMap(({ shown, does }) => [
                  element('dt', {}, ...shown.split('  ').map((key) => element('kbd', {}, key))),
                  element('dd', {}, does),
                ]),
            ),
          ),
        ),
        element(
          'section',
          {},
          element('h3', {}, 'Pointer'),
          element(
            'dl',
            { class: 'keys' },
            ...[
              ['Wheel', 'zoom where it points'],
              ['Shift+wheel', 'move along the lane'],
              ['Alt+wheel', 'scroll over the lanes'],
              ['Drag', 'move along the lane'],
              ['Shift+drag', 'zoom to what is marked'],
              ['Double click', 'zoom in'],
            ].flatMap(([key, does]) => [element('dt', {}, element('kbd', {}, key)), element('dd', {}, does)]),
          ),
        ),
        element(
          'section',
          {},
          element('h3', {}, 'Reading it'),
          element(
            'dl',
            { class: 'keys' },
            ...reading.flatMap(([what, means]) => [element('dt', {}, what), element('dd', {}, means)]),
          ),
        ),
      ),
    );
    // A click beside the box is a click on the dialog itself.
    this.element.addEventListener('click', (event) => {
      if (event.target === this.element) this.element.close();
    });
  }

  toggle(): void {
    if (this.element.open) this.element.close();
    else this.element.showModal();
  }
}
