// Elements without HTML text: nothing that a scenario says can become markup, and no style attribute offends the content security policy.

type Child = Node | string | undefined | false;

/** @param attributes `class`, `aria-…`, `data-…`; a function is a listener (`click`), true an empty attribute, false and undefined none */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes?: Record<string, unknown>,
  ...children: Child[]
): HTMLElementTagNameMap[K];
export function element(tag: string, attributes?: Record<string, unknown>, ...children: Child[]): HTMLElement;
export function element(tag: string, attributes: Record<string, unknown> = {}, ...children: Child[]): HTMLElement {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name, value as EventListener);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== false && value !== undefined) made.setAttribute(name, String(value));
  }
  append(made, children);
  return made;
}

function append(parent: Element, children: readonly Child[]): void {
  for (const child of children) if (child !== undefined && child !== false) parent.append(child);
}

/** Puts other children in place of those there are. */
export function refill(parent: Element, ...children: Child[]): void {
  parent.replaceChildren();
  append(parent, children);
}

const namespace = 'http://www.w3.org/2000/svg';

/** An icon of 16 × 16: strokes in the colour of the text. */
export function icon(path: string, filled = false): SVGSVGElement {
  const svg = document.createElementNS(namespace, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('width', '16');
  svg.setAttribute('height', '16');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', filled ? 'icon filled' : 'icon');
  const line = document.createElementNS(namespace, 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}
