// The patterned areas of the map, written pixel by pixel: thousands of them change with every frame, and a canvas without a GPU takes longer to be told
// of a rectangle than we take to fill it. Exact on any screen, for nothing is ever between two pixels.

import { hasInk, type Pattern, patternSize, patterns, type Rgb } from './palette.ts';
import type { Look } from './theme.ts';

/** Whether there is ink, by pattern, row and column of a pattern's tile. */
const tiles = new Map<Pattern, Uint8Array>(
  patterns.map((pattern) => {
    const tile = new Uint8Array(patternSize * patternSize);
    for (let y = 0; y < patternSize; y++) {
      for (let x = 0; x < patternSize; x++) tile[y * patternSize + x] = hasInk(pattern, x, y) ? 1 : 0;
    }
    return [pattern, tile];
  }),
);

/** As ImageData has it: little-endian RGBA. */
const packed = ([red, green, blue]: Rgb): number => (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;

export class Pixels {
  readonly width: number;
  readonly height: number;
  #image: ImageData;
  #words: Uint32Array;
  /** Column of the pattern for each device pixel. */
  #tileX: Uint8Array;
  #scale: number;

  /** @param scale device pixels in a CSS pixel */
  constructor(width: number, height: number, scale: number) {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.#image = new ImageData(this.width, this.height);
    this.#words = new Uint32Array(this.#image.data.buffer);
    this.#scale = scale;
    this.#tileX = Uint8Array.from({ length: this.width }, (_, x) => Math.floor(x / scale) % patternSize);
  }

  get scale(): number {
    return this.#scale;
  }

  clear(color: Rgb): void {
    this.#words.fill(packed(color));
  }

  /** In device pixels; what lies outside is not drawn. */
  fill(x0: number, y0: number, x1: number, y1: number, look: Look): void {
    const left = Math.max(0, x0);
    const right = Math.min(this.width, x1);
    const bottom = Math.min(this.height, y1);
    if (left >= right) return;
    const ink = packed(look.ink);
    const ground = packed(look.ground);
    const tile = tiles.get(look.pattern)!;
    const words = this.#words;
    const tileX = this.#tileX;
    const { width } = this;
    const solid = look.pattern === 'solid';
    for (let y = Math.max(0, y0); y < bottom; y++) {
      const row = y * width;
      if (solid) {
        // A call costs more than a few pixels.
        if (right - left > 12) words.fill(ink, row + left, row + right);
        else for (let x = left; x < right; x++) words[row + x] = ink;
        continue;
      }
      const tileRow = (Math.floor(y / this.#scale) % patternSize) * patternSize;
      for (let x = left; x < right; x++) words[row + x] = tile[tileRow + tileX[x]] ? ink : ground;
    }
  }

  put(context: CanvasRenderingContext2D): void {
    context.putImageData(this.#image, 0, 0);
  }
}
