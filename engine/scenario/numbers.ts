/**
 * Arithmetic of the scenario language: exact whole numbers, kinds that do not mix.
 *
 * gpa, gfn, pfn and spa are kinds of their own; a plain number takes the kind of what it meets. Sums and masks of an address and a number stay addresses,
 * the difference of two addresses of a kind is a number, and everything else (products, quotients, shifts, remainders) is a plain number.
 */
import type { Value, ValueKind } from './program.ts';
import { type Exact, exact, formatQuantity } from './quantity.ts';

export type NumberKind = 'int' | 'gpa' | 'gfn' | 'pfn' | 'spa' | 'size';
export type RangeKind = 'int-range' | 'gpa-range' | 'gfn-range' | 'pfn-range';
export type NumberValue = Extract<Value, { value: number }>;
export type RangeValue = Extract<Value, { start: number }>;
export type Operator = '+' | '-' | '*' | '/' | '%' | '<<' | '>>' | '&' | '|';

export const isNumberKind = (kind: ValueKind): kind is NumberKind =>
  kind === 'int' || kind === 'gpa' || kind === 'gfn' || kind === 'pfn' || kind === 'spa' || kind === 'size';
export const isRangeKind = (kind: ValueKind): kind is RangeKind => kind.endsWith('-range');

/** What a range of this kind is made of; undefined where there are no such ranges. */
export function rangeOf(kind: NumberKind): RangeKind | undefined {
  return kind === 'spa' || kind === 'size' ? undefined : `${kind}-range`;
}
export const elementOf = (kind: RangeKind): NumberKind => kind.slice(0, -'-range'.length) as NumberKind;

/** One past the largest number of a kind. Physical addresses have 52 bits (APM vol. 2, 5.1). */
const LIMIT: Readonly<Record<NumberKind, number>> = {
  int: 2 ** 64,
  size: 2 ** 52,
  gpa: 2 ** 52,
  spa: 2 ** 52,
  gfn: 2 ** 40,
  pfn: 2 ** 40,
};

/** A number as a value of a kind, or what is wrong with it. */
export function numberValue(kind: NumberKind, n: Exact): NumberValue | { problem: string } {
  if (kind === 'int') {
    if (typeof n === 'bigint' && (n >= 2n ** 64n || n < -(2n ** 63n)))
      return { problem: `${formatQuantity(n)} does not fit into 64 bits` };
    return typeof n === 'bigint' ? { kind, value: Number(n), wide: n } : { kind, value: n };
  }
  if (n < 0) return { problem: `a ${kind} is not negative, and this is ${formatQuantity(n)}` };
  if (typeof n === 'bigint' || n >= LIMIT[kind]) {
    const bits = Math.log2(LIMIT[kind]);
    return {
      problem: `${formatQuantity(n)} is no ${kind}: ${kind === 'size' ? 'sizes' : `${kind}s`} have ${bits} bits at most`,
    };
  }
  return { kind, value: n };
}

/** One past the end may stand where the last frame ends. */
export function rangeValue(kind: RangeKind, start: Exact, end: Exact): RangeValue | { problem: string } {
  const element = elementOf(kind);
  const limit = kind === 'int-range' ? Number.MAX_SAFE_INTEGER : LIMIT[element];
  for (const n of [start, end]) {
    if (n < 0 || typeof n === 'bigint' || n > limit)
      return {
        problem: `${formatQuantity(n)} is no bound of a range of ${element === 'int' ? 'number' : element}s: they go from 0 to ${formatQuantity(limit)}`,
      };
  }
  const from = Number(start);
  const to = Number(end);
  if (to < from) {
    return {
      problem: `the range ends before it starts: ${formatQuantity(from)}..${formatQuantity(to)}; ranges are half-open, start..end, or start +length`,
    };
  }
  return { kind, start: from, end: to };
}

export const exactOf = (value: NumberValue): Exact => value.wide ?? value.value;

/** Kind of the result, or undefined if the kinds do not go together. */
export function resultKind(operator: Operator, left: NumberKind, right: NumberKind): NumberKind | undefined {
  const l = left === 'size' ? 'int' : left;
  const r = right === 'size' ? 'int' : right;
  switch (operator) {
    case '+':
    case '&':
    case '|':
      return r === 'int' ? l : l === 'int' ? r : undefined;
    case '-':
      return r === 'int' ? l : l === r ? 'int' : undefined;
    case '*':
      return l === 'int' && r === 'int' ? 'int' : undefined;
    default:
      return r === 'int' || l === r ? 'int' : undefined;
  }
}

/** The result, or what is wrong. */
export function compute(operator: Operator, a: Exact, b: Exact): Exact | { problem: string } {
  if (typeof a === 'number' && typeof b === 'number') {
    const small = computeSmall(operator, a, b);
    if (small !== undefined && Number.isSafeInteger(small)) return small;
  }
  const x = BigInt(a);
  const y = BigInt(b);
  switch (operator) {
    case '+':
      return checked(x + y);
    case '-':
      return checked(x - y);
    case '*':
      return checked(x * y);
    case '/':
      return y === 0n ? { problem: 'division by 0' } : checked(x / y);
    case '%':
      return y === 0n ? { problem: 'division by 0' } : checked(x % y);
    case '<<':
    case '>>':
      if (y < 0n || y > 63n) return { problem: `a shift is by 0 to 63 bits, not ${formatQuantity(b)}` };
      return checked(operator === '<<' ? x << y : x >> y);
    case '&':
      return checked(x & y);
    case '|':
      return checked(x | y);
  }
}

/** Without bigints where that is exact. */
function computeSmall(operator: Operator, a: number, b: number): number | undefined {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      // Beyond 2^53 the product is rounded; the caller sees that it is no safe integer.
      return a === 0 || b === 0 ? 0 : a * b;
    case '/':
      return b === 0 ? undefined : Math.trunc(a / b) + 0;
    case '%':
      return b === 0 ? undefined : (a % b) + 0;
    case '&':
    case '|':
      return a >= 0 && b >= 0 && a < 2 ** 31 && b < 2 ** 31 ? (operator === '&' ? a & b : a | b) : undefined;
    default:
      return undefined;
  }
}

function checked(n: bigint): Exact | { problem: string } {
  if (n >= 2n ** 64n || n < -(2n ** 63n)) return { problem: 'the result does not fit into 64 bits' };
  return exact(n);
}

/** Bytes per frame. */
export const PAGE = 4096;

/** A number of one kind as another where there is a fixed rule; undefined where only the machine knows. */
export function convertNumber(value: NumberValue, to: NumberKind): NumberValue | { problem: string } | undefined {
  const { kind } = value;
  if (kind === to || kind === 'int' || kind === 'size' || to === 'int' || to === 'size')
    return numberValue(to, exactOf(value));
  if ((kind === 'gpa' && to === 'gfn') || (kind === 'spa' && to === 'pfn'))
    return numberValue(to, Math.floor(value.value / PAGE));
  if ((kind === 'gfn' && to === 'gpa') || (kind === 'pfn' && to === 'spa')) return numberValue(to, value.value * PAGE);
  return undefined;
}

export function convertRange(value: RangeValue, to: RangeKind): RangeValue | { problem: string } | undefined {
  if (value.kind === to || value.kind === 'int-range') return rangeValue(to, value.start, value.end);
  if (value.kind === 'gpa-range' && to === 'gfn-range')
    return rangeValue(to, Math.floor(value.start / PAGE), Math.ceil(value.end / PAGE));
  if (value.kind === 'gfn-range' && to === 'gpa-range') return rangeValue(to, value.start * PAGE, value.end * PAGE);
  return undefined;
}

/** As one would write it. */
export function formatValue(value: Value): string {
  switch (value.kind) {
    case 'gfn':
    case 'pfn':
      return `0x${value.value.toString(16)}`;
    case 'int':
    case 'gpa':
    case 'spa':
    case 'size':
      return formatQuantity(exactOf(value));
    case 'bool':
      return String(value.value);
    case 'word':
      return value.word;
    case 'string':
      return JSON.stringify(value.text);
    case 'guest':
      return `guest ${value.guest}`;
    case 'slot':
      return `slot ${value.slot}`;
    case 'vcpu':
      return `vcpu ${value.vcpu}`;
    default:
      return `${formatQuantity(value.start)}..${formatQuantity(value.end)}`;
  }
}
