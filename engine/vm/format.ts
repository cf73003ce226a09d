/**
 * printk-style formatting of a native call's arguments, exact for 64-bit values (Documentation/core-api/printk-formats.rst).
 *
 * Conversions d i u x X o c s p %, flags `- + space # 0`, width and precision (also `*`), lengths hh h l ll z t j L. Of the pointer
 * extensions: %px and plain %p print the pointer (there is no secret to hash here), %pe an error pointer's number, %pa and friends the value
 * pointed at; letters of any other are passed over and the pointer is printed. A conversion that does not exist is printed as it stands.
 */
import type { NativeCall } from './native.ts';

interface Specification {
  left: boolean;
  plus: boolean;
  space: boolean;
  alternate: boolean;
  zero: boolean;
  width: number;
  /** -1 if none was given. */
  precision: number;
  /** Width of the argument in bits. */
  bits: number;
}

const SPECIFIER = /%([-+ #0]*)(\*|\d+)?(?:\.(\*|-?\d+)?)?(hh|h|ll|l|z|t|j|L)?(.)/gsu;
/** Bits of an argument by length modifier; the kernel's long and size_t are 64 bits wide. */
const LENGTHS: Record<string, number> = { hh: 8, h: 16, '': 32, l: 64, ll: 64, z: 64, t: 64, j: 64, L: 64 };
/** What follows %p: every letter and digit belongs to it, as in the kernel's own vsnprintf(). */
const EXTENSION = /^[a-zA-Z0-9]*/;

/** The text that argument `index` (a format string) and the arguments after it amount to. Bad string pointers trap, as in {@link NativeCall.str}. */
export function formatPrintk(call: NativeCall, index: number): string {
  return formatWith(call.str(index), call, index + 1);
}

/** The same with the format already at hand; the arguments begin at `next`. */
export function formatWith(format: string, call: NativeCall, next: number): string {
  let at = next;
  let text = '';
  let last = 0;
  const number = (): number => (at < call.count ? Number(BigInt.asIntN(32, call.big(at++))) : 0);
  SPECIFIER.lastIndex = 0;
  for (const match of format.matchAll(SPECIFIER)) {
    if (match.index < last) continue; // swallowed as a pointer extension
    const [whole, flags, width, precision, length, conversion] = match;
    text += format.slice(last, match.index);
    last = match.index + whole.length;
    if (conversion === '%') {
      text += '%';
      continue;
    }
    const specification: Specification = {
      left: flags.includes('-'),
      plus: flags.includes('+'),
      space: flags.includes(' '),
      alternate: flags.includes('#'),
      zero: flags.includes('0'),
      width: width === '*' ? number() : Number(width ?? 0),
      precision: precision === '*' ? number() : whole.includes('.') ? Math.max(Number(precision ?? 0), 0) : -1,
      bits: LENGTHS[length ?? ''],
    };
    if (specification.width < 0) {
      specification.left = true;
      specification.width = -specification.width;
    }
    if (!'diuxXocsp'.includes(conversion)) {
      text += whole;
      continue;
    }
    if (at >= call.count) {
      text += '(missing)';
      continue;
    }
    if (conversion === 'p') {
      const extension = EXTENSION.exec(format.slice(last))?.[0] ?? '';
      last += extension.length;
      text += pointer(specification, extension, call, at++);
    } else text += convert(specification, conversion, call, at++);
  }
  return text + format.slice(last);
}

function convert(s: Specification, conversion: string, call: NativeCall, index: number): string {
  switch (conversion) {
    case 'c':
      return pad(s, '', String.fromCharCode(Number(BigInt.asUintN(8, call.big(index)))), false);
    case 's': {
      const string = call.str(index);
      return pad(s, '', s.precision >= 0 ? string.slice(0, s.precision) : string, false);
    }
    case 'd':
    case 'i': {
      const value = BigInt.asIntN(s.bits, call.big(index));
      const sign = value < 0n ? '-' : s.plus ? '+' : s.space ? ' ' : '';
      return integer(s, sign, (value < 0n ? -value : value).toString());
    }
    default: {
      const value = BigInt.asUintN(s.bits, call.big(index));
      if (conversion === 'u') return integer(s, '', value.toString());
      if (conversion === 'o') return integer(s, s.alternate ? '0' : '', value.toString(8));
      const digits = value.toString(16);
      const prefix = s.alternate ? '0x' : '';
      return conversion === 'X' ? integer(s, prefix.toUpperCase(), digits.toUpperCase()) : integer(s, prefix, digits);
    }
  }
}

function pointer(s: Specification, extension: string, call: NativeCall, index: number): string {
  const value = call.big(index);
  if (extension === 'e' && value < 0n && value >= -4095n) return pad(s, '', value.toString(), false);
  if (extension[0] === 'a') {
    const target = BigInt.asUintN(64, call.loadBig(call.num(index), 0));
    return `0x${target.toString(16).padStart(16, '0')}`;
  }
  const digits = BigInt.asUintN(64, value).toString(16).padStart(16, '0');
  return pad(s, '', s.alternate ? `0x${digits}` : digits, false);
}

/** A number with its sign or prefix: precision asks for that many digits, and zeros fill the width only where no precision is given. */
function integer(s: Specification, prefix: string, digits: string): string {
  const wanted = s.precision >= 0 ? digits.padStart(s.precision, '0') : digits;
  return pad(s, prefix, wanted, s.zero && s.precision < 0);
}

function pad(s: Specification, prefix: string, body: string, zeros: boolean): string {
  if (s.left) return (prefix + body).padEnd(s.width);
  if (zeros) return prefix + body.padStart(s.width - prefix.length, '0');
  return (prefix + body).padStart(s.width);
}
