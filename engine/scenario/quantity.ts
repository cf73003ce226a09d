/**
 * Numbers as kernel people write them: `0x40000`, `64K`, `2M`, `1G`, `4_096`. Suffixes are binary, as in memparse() (lib/cmdline.c).
 */

/** An exact whole number; a bigint only where a JavaScript number could not hold it. */
export type Exact = number | bigint;

export const exact = (n: bigint): Exact => (n >= -MAX_SAFE && n <= MAX_SAFE ? Number(n) : n);
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

const SUFFIX: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

export type ParsedNumber =
  | { value: Exact /** Written with K, M, G or T, as addresses and sizes are. */; suffixed: boolean }
  | { error: string };

/** The value of a number token: everything that begins with a digit. */
export function parseNumber(text: string): ParsedNumber {
  return plainNumber(text) ?? anyNumber(text);
}

/** The common shapes, without regular expressions: `0`, `64K`, `0x40000`. Scenarios are full of them. */
function plainNumber(text: string): ParsedNumber | undefined {
  const { length } = text;
  if (length > 14) return undefined;
  if (length > 2 && text.charCodeAt(0) === 48 && text.charCodeAt(1) === 120) {
    let value = 0;
    for (let i = 2; i < length; i++) {
      const c = text.charCodeAt(i);
      const digit = c >= 48 && c <= 57 ? c - 48 : c >= 97 && c <= 102 ? c - 87 : c >= 65 && c <= 70 ? c - 55 : -1;
      if (digit < 0) return undefined;
      value = value * 16 + digit;
    }
    return { value, suffixed: false };
  }
  let value = 0;
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i);
    if (c >= 48 && c <= 57) {
      if (i === 1 && value === 0) return undefined;
      value = value * 10 + (c - 48);
      continue;
    }
    const factor = i === 0 || i !== length - 1 || i > 4 ? undefined : SUFFIX[text[i]];
    return factor === undefined ? undefined : { value: value * factor, suffixed: true };
  }
  return length === 0 ? undefined : { value, suffixed: false };
}

function anyNumber(text: string): ParsedNumber {
  const plain = text.replaceAll('_', '');
  if (text.endsWith('_') || text.includes('__'))
    return { error: `\`${text}\`: an underscore stands between two digits` };
  if (/^0[xX]/.test(plain)) {
    if (!/^0[xX][0-9a-fA-F]+$/.test(plain)) return { error: `\`${text}\` is no hexadecimal number` };
    return bounded(text, plain, plain.slice(2).replace(/^0+/, '').length > 13);
  }
  if (/^0[bB]/.test(plain)) {
    if (!/^0[bB][01]+$/.test(plain)) return { error: `\`${text}\` is no binary number` };
    return bounded(text, plain, plain.length > 54);
  }
  const match = /^([0-9]+)([A-Za-z]*)$/.exec(plain);
  if (match === null) return { error: `\`${text}\` is no number; hexadecimal numbers begin with 0x` };
  const [, digits, letters] = match;
  if (letters === '') {
    // In C this would be octal; what was meant cannot be known.
    if (digits.length > 1 && digits[0] === '0')
      return { error: `\`${text}\`: leave the leading 0 away (in C it would make the number octal)` };
    return bounded(text, plain, digits.length > 15);
  }
  const factor = SUFFIX[letters.toUpperCase()];
  if (factor === undefined) {
    const unit = /^([KMGTkmgt])i?[bB]$/.exec(letters)?.[1];
    if (unit !== undefined)
      return { error: `\`${text}\`: sizes are binary and written without a unit, \`${digits}${unit.toUpperCase()}\`` };
    if (/^[0-9a-fA-F]+$/.test(plain))
      return { error: `\`${text}\` is no number; if it is hexadecimal, write \`0x${plain}\`` };
    return { error: `\`${text}\` is no number; the suffixes are K, M, G and T` };
  }
  const value = exact(BigInt(digits) * BigInt(factor));
  return tooWide(value) ? { error: `\`${text}\` does not fit into 64 bits` } : { value, suffixed: true };
}

function bounded(text: string, digits: string, large: boolean): ParsedNumber {
  if (!large) return { value: Number(digits), suffixed: false };
  // Longer than any 64-bit number in any base: not worth a conversion, which takes time quadratic in the length.
  if (digits.length > 80) return { error: 'this number does not fit into 64 bits' };
  const value = exact(BigInt(digits));
  return tooWide(value) ? { error: `\`${text}\` does not fit into 64 bits` } : { value, suffixed: false };
}

const tooWide = (value: Exact): boolean => typeof value === 'bigint' && value >= 2n ** 64n;

/** A quantity as one would write it: `0`, `64K`, `2M`, `0x40001`. */
export function formatQuantity(n: Exact): string {
  if (typeof n === 'bigint') return n < 0n ? `-0x${(-n).toString(16)}` : `0x${n.toString(16)}`;
  if (n < 0) return `-${formatQuantity(-n)}`;
  if (n < 1024) return String(n);
  if (n % SUFFIX.G === 0) return `${n / SUFFIX.G}G`;
  if (n % SUFFIX.M === 0) return `${n / SUFFIX.M}M`;
  if (n % SUFFIX.K === 0 && n < SUFFIX.M * 4) return `${n / SUFFIX.K}K`;
  return `0x${n.toString(16)}`;
}
