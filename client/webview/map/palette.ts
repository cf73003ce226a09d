// Colours and patterns. The hues are those that people with any colour vision can tell apart (after Okabe and Ito), and no two categories of a
// track differ by hue alone: each has a pattern of its own, or another lightness. Every ink stands out from the theme's background by 3:1 (WCAG 1.4.11).

export type ThemeKind = 'dark' | 'light' | 'hc-dark' | 'hc-light';
export type Ink = 'slate' | 'blue' | 'sky' | 'green' | 'yellow' | 'orange' | 'pink' | 'purple' | 'red';
export type Pattern =
  | 'solid'
  | 'diagonal'
  | 'back'
  | 'cross'
  | 'dots'
  | 'vertical'
  | 'horizontal'
  | 'sparse'
  | 'checker';

export const patterns: readonly Pattern[] = [
  'solid',
  'diagonal',
  'back',
  'cross',
  'dots',
  'vertical',
  'horizontal',
  'sparse',
  'checker',
];

/** `[red, green, blue]`, 0 to 255. */
export type Rgb = readonly [number, number, number];

const rgb = (hex: string): Rgb => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb;

const inks: Record<ThemeKind, Record<Ink, Rgb>> = {
  dark: {
    slate: rgb('#69727e'),
    blue: rgb('#3f8fe0'),
    sky: rgb('#77c7ec'),
    green: rgb('#2fb58b'),
    yellow: rgb('#e8d84a'),
    orange: rgb('#e69f2e'),
    pink: rgb('#dc8fbc'),
    purple: rgb('#a583dc'),
    red: rgb('#f25c54'),
  },
  light: {
    slate: rgb('#8a94a0'),
    blue: rgb('#1668c4'),
    sky: rgb('#3d93c4'),
    green: rgb('#0a7f5c'),
    yellow: rgb('#a08a00'),
    orange: rgb('#c87800'),
    pink: rgb('#b9558f'),
    purple: rgb('#7446b8'),
    red: rgb('#c8281e'),
  },
  'hc-dark': {
    slate: rgb('#8b95a3'),
    blue: rgb('#58a6ff'),
    sky: rgb('#9adcff'),
    green: rgb('#3fd6a4'),
    yellow: rgb('#fff04d'),
    orange: rgb('#ffb13d'),
    pink: rgb('#ff9fd2'),
    purple: rgb('#b38aff'),
    red: rgb('#ff6b63'),
  },
  'hc-light': {
    slate: rgb('#6b7480'),
    blue: rgb('#0a4fa3'),
    sky: rgb('#1f7bad'),
    green: rgb('#00634a'),
    yellow: rgb('#7a6900'),
    orange: rgb('#a35a00'),
    pink: rgb('#993371'),
    purple: rgb('#5a2ca0'),
    red: rgb('#a80f0f'),
  },
};

export const inkOf = (theme: ThemeKind, ink: Ink): Rgb => inks[theme][ink];

/** Lightness after WCAG 2.1, 0 to 1. */
export function luminance([red, green, blue]: Rgb): number {
  const linear = (value: number) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

/** 1 to 21. */
export function contrast(one: Rgb, other: Rgb): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** `part` of `other` in `one`. */
export const mixed = (one: Rgb, other: Rgb, part: number): Rgb => [
  Math.round(one[0] + (other[0] - one[0]) * part),
  Math.round(one[1] + (other[1] - one[1]) * part),
  Math.round(one[2] + (other[2] - one[2]) * part),
];

const black: Rgb = [0, 0, 0];
const white: Rgb = [255, 255, 255];

/** Black or white, whichever reads better on a colour. At least 4.5:1 on any. */
export const textOn = (fill: Rgb): Rgb => (contrast(fill, black) >= contrast(fill, white) ? black : white);

const names = new Map<number, string>();

/** A colour as CSS has it. Made once for each: a frame asks for thousands. */
export function css([red, green, blue]: Rgb, alpha = 1): string {
  if (alpha !== 1) return `rgb(${red} ${green} ${blue} / ${alpha})`;
  const key = (red << 16) | (green << 8) | blue;
  let name = names.get(key);
  if (name === undefined) {
    name = `rgb(${red} ${green} ${blue})`;
    names.set(key, name);
  }
  return name;
}

/**
 * Whether a pattern has its ink at a pixel; elsewhere is its ground. In CSS pixels, so that patterns are as coarse on every screen.
 * All repeat after 6 pixels, or divisors of it.
 */
export function hasInk(pattern: Pattern, x: number, y: number): boolean {
  switch (pattern) {
    case 'solid':
      return true;
    case 'diagonal':
      return (x + y) % 6 < 3;
    case 'back':
      return (x - y + 6000) % 6 < 3;
    case 'cross':
      return (x + y) % 6 < 1 || (x - y + 6000) % 6 < 1;
    case 'dots':
      return (x % 3 < 2 && y % 3 < 2) === false;
    case 'vertical':
      return x % 3 < 2;
    case 'horizontal':
      return y % 3 < 2;
    case 'sparse':
      return x % 6 < 1 && y % 6 < 1;
    case 'checker':
      return x % 6 < 3 === y % 6 < 3;
  }
}

/** Of {@link hasInk}. */
export const patternSize = 6;
