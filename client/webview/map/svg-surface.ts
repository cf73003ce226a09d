// A surface that is the text of an SVG. Patterns become <pattern>s of the same pixels, so that an export reads like the screen.

import { css, hasInk, patternSize, type Rgb } from './palette.ts';
import type { Surface, TextStyle } from './surface.ts';
import type { Look } from './theme.ts';

const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    // What XML has no way to say.
    .replace(/[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd');

const number = (value: number): string => String(Math.round(value * 100) / 100);
const fillOf = (color: Rgb, alpha: number): string =>
  `fill="${css(color)}"${alpha === 1 ? '' : ` fill-opacity="${number(alpha)}"`}`;

export class SvgSurface implements Surface {
  readonly #parts: string[] = [];
  readonly #patterns = new Map<string, string>();
  readonly #definitions: string[] = [];
  readonly #fonts: { sans: string; mono: string };
  readonly #measure: (text: string, style: TextStyle) => number;
  #clips = 0;

  /** @param measure a text's width, as the screen has it */
  constructor(fonts: { sans: string; mono: string }, measure: (text: string, style: TextStyle) => number) {
    this.#fonts = fonts;
    this.#measure = measure;
  }

  /** The whole document. */
  document(width: number, height: number, background: Rgb, title: string): string {
    return [
      '<?xml version="1.0" encoding="UTF-8"?>',
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
      `<title>${escaped(title)}</title>`,
      `<defs>${this.#definitions.join('')}</defs>`,
      `<rect width="${width}" height="${height}" ${fillOf(background, 1)}/>`,
      ...this.#parts,
      '</svg>',
      '',
    ].join('\n');
  }

  area(x: number, y: number, width: number, height: number, look: Look): void {
    const fill = look.pattern === 'solid' ? css(look.ink) : `url(#${this.#pattern(look)})`;
    this.#parts.push(`<rect ${box(x, y, width, height)} fill="${fill}" shape-rendering="crispEdges"/>`);
  }

  rect(x: number, y: number, width: number, height: number, color: Rgb, alpha = 1): void {
    if (width <= 0 || height <= 0) return;
    this.#parts.push(`<rect ${box(x, y, width, height)} ${fillOf(color, alpha)}/>`);
  }

  outline(x: number, y: number, width: number, height: number, color: Rgb, line: number, dashed = false): void {
    const inner = box(x + line / 2, y + line / 2, Math.max(0, width - line), Math.max(0, height - line));
    this.#parts.push(
      `<rect ${inner} fill="none" stroke="${css(color)}" stroke-width="${number(line)}"${dashed ? ' stroke-dasharray="3 2"' : ''}/>`,
    );
  }

  shape(points: readonly number[], color: Rgb): void {
    this.#parts.push(`<path d="${line(points)}Z" ${fillOf(color, 1)}/>`);
  }

  path(points: readonly number[], color: Rgb, width: number, curved = false): void {
    const [x, y, ...rest] = points;
    const d = curved ? `M${number(x)} ${number(y)}C${rest.map(number).join(' ')}` : line(points);
    this.#parts.push(`<path d="${d}" fill="none" stroke="${css(color)}" stroke-width="${number(width)}"/>`);
  }

  text(x: number, y: number, text: string, { color, font, size, bold, align }: TextStyle): void {
    const anchor = align === 'center' ? ' text-anchor="middle"' : align === 'right' ? ' text-anchor="end"' : '';
    const weight = bold ? ' font-weight="600"' : '';
    const family = escaped(this.#fonts[font]);
    this.#parts.push(
      `<text x="${number(x)}" y="${number(y)}" dominant-baseline="central" font-family="${family}" font-size="${number(size)}"${weight}${anchor} ${fillOf(color, 1)}>${escaped(text)}</text>`,
    );
  }

  textWidth(text: string, style: TextStyle): number {
    return this.#measure(text, style);
  }

  clip(x: number, y: number, width: number, height: number): void {
    const id = `clip${this.#clips++}`;
    this.#definitions.push(`<clipPath id="${id}"><rect ${box(x, y, width, height)}/></clipPath>`);
    this.#parts.push(`<g clip-path="url(#${id})">`);
  }

  unclip(): void {
    this.#parts.push('</g>');
  }

  #pattern(look: Look): string {
    const key = `${look.pattern} ${css(look.ink)} ${css(look.ground)}`;
    let id = this.#patterns.get(key);
    if (id) return id;
    id = `p${this.#patterns.size}`;
    this.#patterns.set(key, id);
    const ink: string[] = [];
    for (let y = 0; y < patternSize; y++) {
      for (let x = 0; x < patternSize; x++) {
        const from = x;
        while (x < patternSize && hasInk(look.pattern, x, y)) x++;
        if (x > from) ink.push(`M${from} ${y}h${x - from}v1h-${x - from}z`);
      }
    }
    this.#definitions.push(
      `<pattern id="${id}" width="${patternSize}" height="${patternSize}" patternUnits="userSpaceOnUse">` +
        `<rect width="${patternSize}" height="${patternSize}" ${fillOf(look.ground, 1)}/>` +
        `<path d="${ink.join('')}" ${fillOf(look.ink, 1)} shape-rendering="crispEdges"/></pattern>`,
    );
    return id;
  }
}

const box = (x: number, y: number, width: number, height: number): string =>
  `x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${number(height)}"`;

function line(points: readonly number[]): string {
  let d = '';
  for (let i = 0; i < points.length; i += 2) d += `${i === 0 ? 'M' : 'L'}${number(points[i])} ${number(points[i + 1])}`;
  return d;
}
