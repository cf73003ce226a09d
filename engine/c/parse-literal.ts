/**
 * Numbers, character constants and strings as C writes them (C11 6.4.4, 6.4.5), with GCC's binary constants.
 */
import { type CType, INT, LLONG, LONG, UINT, ULLONG, ULONG } from './types.ts';

/** Value and type of an integer constant; undefined if the spelling is none (a floating constant, for one). */
export function integerConstant(text: string): { value: bigint; type: CType } | undefined {
  const match = /^(0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)([uUlL]*)$/.exec(text);
  if (match === null) return undefined;
  const [, digits, suffix] = match;
  if (!/^(|u|l|ll|ul|ull|lu|llu)$/i.test(suffix) || suffix.includes('lL') || suffix.includes('Ll')) return undefined;
  const decimal = !digits.startsWith('0') || digits === '0';
  if (digits.length > 80) return undefined;
  let value: bigint;
  if (decimal || /^0[xXbB]/.test(digits)) value = BigInt(digits);
  else if (/^[0-7]+$/.test(digits)) value = BigInt(`0o${digits}`);
  else return undefined;
  const unsigned = /u/i.test(suffix);
  const longs = suffix.replace(/[uU]/g, '').length;
  // C11 6.4.4.1: the first type of the list that holds the value.
  const candidates: CType[] = [];
  if (longs === 0) candidates.push(...(unsigned ? [UINT] : decimal ? [INT] : [INT, UINT]));
  if (longs < 2) candidates.push(...(unsigned ? [ULONG] : decimal ? [LONG] : [LONG, ULONG]));
  else candidates.push(...(unsigned ? [ULLONG] : decimal ? [LLONG] : [LLONG, ULLONG]));
  for (const type of candidates) {
    const bits = type === INT ? 31n : type === UINT ? 32n : type === LONG || type === LLONG ? 63n : 64n;
    if (value < 1n << bits) return { value, type };
  }
  // Too large for every type: GCC warns and takes the low 64 bits.
  return { value: BigInt.asUintN(64, value), type: ULONG };
}

const SIMPLE: Record<string, number> = { n: 10, t: 9, r: 13, a: 7, b: 8, f: 12, v: 11, e: 27, '0': 0 };

/** The characters of a string literal or character constant, without its quotes and prefix. */
export function decodeText(text: string): string {
  const open = text.search(/['"]/);
  const quote = text[open];
  const close = text.length > open + 1 && text.endsWith(quote) ? text.length - 1 : text.length;
  const body = text.slice(open + 1, close);
  if (!body.includes('\\')) return body;
  let out = '';
  for (let i = 0; i < body.length; i++) {
    if (body[i] !== '\\') {
      out += body[i];
      continue;
    }
    i++;
    const rest = body.slice(i);
    const octal = /^[0-7]{1,3}/.exec(rest);
    const hex = /^x([0-9a-fA-F]+)/.exec(rest);
    if (octal !== null) {
      out += String.fromCharCode(Number.parseInt(octal[0], 8) & 0xff);
      i += octal[0].length - 1;
    } else if (hex !== null) {
      out += String.fromCharCode(Number.parseInt(hex[1].slice(-2), 16));
      i += hex[0].length - 1;
    } else {
      const code = SIMPLE[body[i]];
      out += code === undefined ? (body[i] ?? '') : String.fromCharCode(code);
    }
  }
  return out;
}

/** Value of a character constant: a `char` converted to int; several characters pack as in GCC. */
export function characterConstant(text: string): { value: bigint; type: CType } {
  let value = 0;
  for (const c of decodeText(text)) value = (value << 8) | (c.charCodeAt(0) & 0xff);
  const single = decodeText(text).length <= 1;
  return { value: BigInt(single ? (value << 24) >> 24 : value), type: INT };
}
