// The theme as VS Code tells it: a class of the body and CSS variables, read once for each change of them.

import { type Ink, inkOf, mixed, type Pattern, type Rgb, type ThemeKind, textOn } from './palette.ts';

export interface Theme {
  readonly kind: ThemeKind;
  readonly background: Rgb;
  readonly foreground: Rgb;
  /** Of less important text; readable all the same. */
  readonly muted: Rgb;
  readonly line: Rgb;
  /** Selection, focus, links. */
  readonly accent: Rgb;
  readonly violation: Rgb;
  /** Font stacks for canvas text. */
  readonly sans: string;
  readonly mono: string;
}

const fallbacks: Record<ThemeKind, { background: Rgb; foreground: Rgb; accent: Rgb }> = {
  dark: { background: [31, 31, 31], foreground: [204, 204, 204], accent: [79, 166, 255] },
  light: { background: [255, 255, 255], foreground: [59, 59, 59], accent: [0, 95, 184] },
  'hc-dark': { background: [0, 0, 0], foreground: [255, 255, 255], accent: [243, 133, 24] },
  'hc-light': { background: [255, 255, 255], foreground: [41, 41, 41], accent: [0, 106, 200] },
};

export function themeKind(body: HTMLElement): ThemeKind {
  if (body.classList.contains('vscode-high-contrast-light')) return 'hc-light';
  if (body.classList.contains('vscode-high-contrast')) return 'hc-dark';
  if (body.classList.contains('vscode-light')) return 'light';
  if (body.classList.contains('vscode-dark')) return 'dark';
  return matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
}

/** `#rgb`, `#rrggbb`, `#rrggbbaa` (laid over `under`), `rgb(…)`. */
export function parseColor(text: string, under: Rgb): Rgb | undefined {
  const hexDigits = /^#([0-9a-f]{3,8})$/i.exec(text.trim())?.[1];
  if (hexDigits) {
    const long = hexDigits.length < 6 ? [...hexDigits].map((digit) => digit + digit).join('') : hexDigits;
    const parts = (long.match(/../g) ?? []).map((part) => Number.parseInt(part, 16));
    if (parts.length < 3) return undefined;
    const opaque: Rgb = [parts[0], parts[1], parts[2]];
    return parts.length > 3 ? mixed(under, opaque, parts[3] / 255) : opaque;
  }
  const numbers = /^rgba?\(([^)]*)\)$/i
    .exec(text.trim())?.[1]
    ?.split(/[\s,/]+/)
    .filter(Boolean)
    .map(Number);
  if (!numbers || numbers.length < 3 || numbers.some(Number.isNaN)) return undefined;
  return mixed(under, [numbers[0], numbers[1], numbers[2]], numbers[3] ?? 1);
}

export function readTheme(): Theme {
  const kind = themeKind(document.body);
  const style = getComputedStyle(document.body);
  const base = fallbacks[kind];
  const read = (name: string, fallback: Rgb, under: Rgb): Rgb =>
    parseColor(style.getPropertyValue(name), under) ?? fallback;
  const background = read('--vscode-editor-background', base.background, base.background);
  const foreground = read('--vscode-editor-foreground', base.foreground, background);
  const contrasty = kind === 'hc-dark' || kind === 'hc-light';
  return {
    kind,
    background,
    foreground,
    muted: contrasty ? foreground : mixed(foreground, background, 0.25),
    line: contrasty ? foreground : mixed(background, foreground, 0.18),
    accent: contrasty
      ? read('--vscode-contrastActiveBorder', base.accent, background)
      : read('--vscode-focusBorder', base.accent, background),
    violation: inkOf(kind, 'red'),
    sans: style.getPropertyValue('--vscode-font-family') || 'system-ui, "Segoe WPC", "Segoe UI", Ubuntu, sans-serif',
    mono: style.getPropertyValue('--vscode-editor-font-family') || 'Menlo, Consolas, "DejaVu Sans Mono", monospace',
  };
}

/** The two colours of a category's pattern, and the one for text on it. */
export interface Look {
  readonly pattern: Pattern;
  readonly ink: Rgb;
  readonly ground: Rgb;
  readonly text: Rgb;
}

export function lookOf(theme: Theme, ink: Ink, pattern: Pattern, dimmed: boolean): Look {
  const full = inkOf(theme.kind, ink);
  const shown = dimmed ? mixed(full, theme.background, 0.82) : full;
  const ground = mixed(shown, theme.background, pattern === 'sparse' ? 1 : 0.66);
  return { pattern, ink: shown, ground: pattern === 'solid' ? shown : ground, text: textOn(shown) };
}
