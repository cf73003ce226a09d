// What a scene is drawn on: a canvas, or the text of an SVG. In CSS pixels.

import { css, type Rgb } from './palette.ts';
import type { Look } from './theme.ts';

export interface TextStyle {
  readonly color: Rgb;
  readonly font: 'sans' | 'mono';
  /** In pixels. */
  readonly size: number;
  readonly bold?: boolean;
  readonly align?: 'left' | 'center' | 'right';
}

export interface Surface {
  /** A patterned area. Patterns line up over the whole surface. */
  area(x: number, y: number, width: number, height: number, look: Look): void;
  rect(x: number, y: number, width: number, height: number, color: Rgb, alpha?: number): void;
  /** An outline of `line` pixels inside the rectangle. */
  outline(x: number, y: number, width: number, height: number, color: Rgb, line: number, dashed?: boolean): void;
  /** A closed shape through points `[x, y, x, y, …]`. */
  shape(points: readonly number[], color: Rgb): void;
  /** A line through points, or a cubic Bézier curve if `curved` (4 points). */
  path(points: readonly number[], color: Rgb, line: number, curved?: boolean): void;
  /** `y` is the middle of the line. */
  text(x: number, y: number, text: string, style: TextStyle): void;
  textWidth(text: string, style: TextStyle): number;
  /** Nothing is drawn outside until {@link unclip}. */
  clip(x: number, y: number, width: number, height: number): void;
  unclip(): void;
}

export class CanvasSurface implements Surface {
  readonly #context: CanvasRenderingContext2D;
  readonly #fonts: { sans: string; mono: string };
  readonly #widths = new Map<string, number>();
  readonly #area: Surface['area'];
  #font = '';

  /** @param area paints patterned areas (they are pixels of their own, see pixels.ts) */
  constructor(context: CanvasRenderingContext2D, fonts: { sans: string; mono: string }, area: Surface['area']) {
    this.#context = context;
    this.#fonts = fonts;
    this.#area = area;
  }

  /** Before each frame: the context may have been reset by a new size. */
  begin(scale: number): void {
    this.#context.setTransform(scale, 0, 0, scale, 0, 0);
    this.#context.textBaseline = 'middle';
    this.#font = '';
  }

  area(x: number, y: number, width: number, height: number, look: Look): void {
    this.#area(x, y, width, height, look);
  }

  rect(x: number, y: number, width: number, height: number, color: Rgb, alpha = 1): void {
    this.#context.fillStyle = css(color, alpha);
    this.#context.fillRect(x, y, width, height);
  }

  outline(x: number, y: number, width: number, height: number, color: Rgb, line: number, dashed = false): void {
    const context = this.#context;
    context.strokeStyle = css(color);
    context.lineWidth = line;
    if (dashed) context.setLineDash([3, 2]);
    context.strokeRect(x + line / 2, y + line / 2, Math.max(0, width - line), Math.max(0, height - line));
    if (dashed) context.setLineDash([]);
  }

  shape(points: readonly number[], color: Rgb): void {
    this.#trace(points, false);
    this.#context.closePath();
    this.#context.fillStyle = css(color);
    this.#context.fill();
  }

  path(points: readonly number[], color: Rgb, line: number, curved = false): void {
    this.#trace(points, curved);
    this.#context.strokeStyle = css(color);
    this.#context.lineWidth = line;
    this.#context.stroke();
  }

  text(x: number, y: number, text: string, style: TextStyle): void {
    this.#setFont(style);
    this.#context.textAlign = style.align ?? 'left';
    this.#context.fillStyle = css(style.color);
    this.#context.fillText(text, x, y + 0.5);
  }

  textWidth(text: string, style: TextStyle): number {
    const key = `${style.size}${style.font}${style.bold ? 'b' : ''}${text}`;
    let width = this.#widths.get(key);
    if (width === undefined) {
      this.#setFont(style);
      width = this.#context.measureText(text).width;
      if (this.#widths.size > 2000) this.#widths.clear();
      this.#widths.set(key, width);
    }
    return width;
  }

  clip(x: number, y: number, width: number, height: number): void {
    this.#context.save();
    this.#context.beginPath();
    this.#context.rect(x, y, width, height);
    this.#context.clip();
  }

  unclip(): void {
    this.#context.restore();
    this.#font = '';
  }

  #setFont({ font, size, bold }: TextStyle): void {
    const wanted = `${bold ? '600 ' : ''}${size}px ${this.#fonts[font]}`;
    if (wanted === this.#font) return;
    this.#context.font = wanted;
    this.#font = wanted;
  }

  #trace(points: readonly number[], curved: boolean): void {
    const context = this.#context;
    context.beginPath();
    context.moveTo(points[0], points[1]);
    if (curved) context.bezierCurveTo(points[2], points[3], points[4], points[5], points[6], points[7]);
    else for (let i = 2; i < points.length; i += 2) context.lineTo(points[i], points[i + 1]);
  }
}
