/**
 * printk() formats (lib/vsprintf.c): flags, width, precision, length modifiers, d i u x X o c s p and %%. The pointer extensions that print
 * symbols or structures come out as the plain pointer.
 */

/** Arguments of the message, already as C would pass them. */
export interface FormatArguments {
  /** Number of arguments. */
  count: number;
  integer(index: number): bigint;
  text(index: number): string;
}

const DIRECTIVE = /%([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?(hh|h|ll|l|L|z|t|j)?([diuxXocsp%])([a-zA-Z0-9]*)/y;

export function formatPrintk(format: string, args: FormatArguments): string {
  let out = '';
  let next = 0;
  const integer = (): bigint => (next < args.count ? args.integer(next++) : 0n);
  for (let at = 0; at < format.length; ) {
    if (format[at] !== '%') {
      const stop = format.indexOf('%', at);
      const end = stop < 0 ? format.length : stop;
      out += format.slice(at, end);
      at = end;
      continue;
    }
    DIRECTIVE.lastIndex = at;
    const match = DIRECTIVE.exec(format);
    if (match === null) {
      out += format[at++];
      continue;
    }
    const [whole, flags, widthText, precisionText, length, conversion, suffix] = match;
    at += whole.length;
    if (conversion === '%') {
      out += `%${suffix}`;
      continue;
    }
    // Only %p takes letters after it.
    const rest = conversion === 'p' ? '' : suffix;
    let width = widthText === '*' ? Number(integer()) : Number(widthText ?? 0);
    const left = flags.includes('-') || width < 0;
    width = Math.abs(width);
    const hasPrecision = /\./.test(whole.slice(0, whole.length - suffix.length));
    const precision = precisionText === '*' ? Number(integer()) : Number(precisionText ?? (hasPrecision ? 0 : -1));
    let prefix = '';
    let body: string;
    if (conversion === 's') {
      body = next < args.count ? args.text(next++) : '(null)';
      if (precision >= 0) body = body.slice(0, precision);
    } else if (conversion === 'c') {
      body = String.fromCharCode(Number(integer() & 0xffn));
    } else if (conversion === 'p') {
      body = BigInt.asUintN(64, integer()).toString(16).padStart(16, '0');
    } else {
      const bits = length === 'hh' ? 8 : length === 'h' ? 16 : length === undefined ? 32 : 64;
      const value = integer();
      if (conversion === 'd' || conversion === 'i') {
        const signed = BigInt.asIntN(bits, value);
        prefix = signed < 0n ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
        body = (signed < 0n ? -signed : signed).toString();
      } else {
        const unsigned = BigInt.asUintN(bits, value);
        body = unsigned.toString(conversion === 'u' ? 10 : conversion === 'o' ? 8 : 16);
        if (flags.includes('#') && conversion !== 'u') prefix = conversion === 'o' ? '0' : '0x';
        if (conversion === 'X') [body, prefix] = [body.toUpperCase(), prefix.toUpperCase()];
      }
      if (precision >= 0) body = body.padStart(precision, '0');
      else if (flags.includes('0') && !left) body = body.padStart(width - prefix.length, '0');
    }
    const text = prefix + body;
    out += (left ? text.padEnd(width) : text.padStart(width)) + rest;
  }
  return out;
}
