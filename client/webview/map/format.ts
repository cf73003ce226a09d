// Numbers as kernel people write them: hex addresses, binary sizes.

/** One 4K page. */
export const pageSize = 4096;
export const pagesOf2M = 512;
export const pagesOf1G = 512 * 512;

export const hex = (value: number): string => `0x${value.toString(16)}`;

/** The address of a page. Exact: 2^28 pages are 2^40 bytes. */
export const address = (page: number): string => hex(page * pageSize);

const units: readonly (readonly [number, string])[] = [
  [2 ** 40, 'TiB'],
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
];

/** Bytes in the largest unit that keeps it short: `2 MiB`, `1.5 GiB`. */
export function size(bytes: number): string {
  for (const [unit, name] of units) {
    if (bytes >= unit) return `${round(bytes / unit)} ${name}`;
  }
  return `${bytes} B`;
}

export const sizeOfPages = (pages: number): string => size(pages * pageSize);

const round = (value: number): string => {
  const text = value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
};

/** 1,048,576 */
export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

export const plural = (count: number, noun: string): string => `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;

/** How much of a whole: `37 %`, and never 0 % or 100 % of what is not. */
export function share(part: number, whole: number): string {
  const percent = (100 * part) / whole;
  if (part < whole && percent > 99.5) return '> 99 %';
  if (part > 0 && percent < 0.5) return '< 1 %';
  return `${percent.toFixed(0)} %`;
}

/** `0x40000000..0x40200000` in bytes, of pages `[start, end)`. */
export const addressRange = (start: number, end: number): string => `${address(start)}..${address(end)}`;
