/**
 * Exact C integer arithmetic over slots: the paths that the interpreter takes when the fast one over doubles does not hold, because an operand
 * or the result lies beyond 2^53. Most of it works on 32-bit halves (masks like `~0xfffUL` are wide and common in kernel code); only
 * multiplication and division go through BigInt.
 *
 * Every function reads slots by absolute index and writes its result in normal form: a number up to 2^53 in magnitude, wide beyond.
 */
// biome-ignore-all lint/suspicious/noSelfCompare: v !== v asks whether a slot is wide, in one comparison.
import { IntKind, Op } from './bytecode.ts';
import { copyWide, HIGH, LOW, type SlotArray } from './slots.ts';

const WORD = 2 ** 32;
/** High half of 2^53: from here on a number is no longer exact. */
const EXACT_HIGH = 2 ** 21;

/** Bits 0..31 of a slot. */
export function lowHalf(file: SlotArray, index: number): number {
  const value = file.values[index];
  return value === value ? value | 0 : file.halves[index * 2 + LOW];
}

/** Bits 32..63 of a slot (two's complement). */
export function highHalf(file: SlotArray, index: number): number {
  const value = file.values[index];
  return value === value ? Math.floor(value / WORD) | 0 : file.halves[index * 2 + HIGH];
}

/** Store the signed 64-bit integer with these halves. */
export function putSigned(file: SlotArray, index: number, high: number, low: number): void {
  if ((high >= -EXACT_HIGH && high < EXACT_HIGH) || (high === EXACT_HIGH && low === 0)) {
    file.values[index] = high * WORD + (low >>> 0);
  } else {
    putWide(file, index, high, low);
  }
}

/** Store the unsigned 64-bit integer with these halves. */
export function putUnsigned(file: SlotArray, index: number, high: number, low: number): void {
  const top = high >>> 0;
  if (top < EXACT_HIGH || (top === EXACT_HIGH && low === 0)) file.values[index] = top * WORD + (low >>> 0);
  else putWide(file, index, high, low);
}

function putWide(file: SlotArray, index: number, high: number, low: number): void {
  file.values[index] = Number.NaN;
  file.halves[index * 2 + LOW] = low;
  file.halves[index * 2 + HIGH] = high;
}

function put(file: SlotArray, index: number, high: number, low: number, unsigned: boolean): void {
  if (unsigned) putUnsigned(file, index, high, low);
  else putSigned(file, index, high, low);
}

/** R[a] = R[b] op R[c] for DIV_I32, MOD_I32, DIV_U32 and MOD_U32; the divisor is not zero. */
export function divide32(file: SlotArray, op: number, a: number, b: number, c: number): void {
  const values = file.values;
  const x = values[b];
  const y = values[c];
  if (op === Op.DIV_I32) values[a] = ((x | 0) / (y | 0)) | 0;
  else if (op === Op.MOD_I32) values[a] = ((x | 0) % (y | 0)) | 0;
  else if (op === Op.DIV_U32) values[a] = ((x >>> 0) / (y >>> 0)) >>> 0;
  else values[a] = ((x >>> 0) % (y >>> 0)) >>> 0;
}

/** R[a] = R[b] op R[c] for a 64-bit `op` from ADD_I64 to SHR_U64. The divisor is not zero: the caller has looked. */
export function binary64(file: SlotArray, op: number, a: number, b: number, c: number): void {
  const unsigned = op >= Op.ADD_U64;
  const bLow = lowHalf(file, b);
  const bHigh = highHalf(file, b);
  const cLow = lowHalf(file, c);
  const cHigh = highHalf(file, c);
  const n = cLow & 63;
  switch (unsigned ? op - Op.ADD_U64 + Op.ADD_I64 : op) {
    case Op.ADD_I64:
      addHalves(file, a, bHigh, bLow, cHigh, cLow, unsigned);
      break;
    case Op.SUB_I64: {
      const low = (bLow >>> 0) - (cLow >>> 0);
      put(file, a, (bHigh - cHigh - (low < 0 ? 1 : 0)) | 0, low | 0, unsigned);
      break;
    }
    case Op.AND_I64:
      put(file, a, bHigh & cHigh, bLow & cLow, unsigned);
      break;
    case Op.OR_I64:
      put(file, a, bHigh | cHigh, bLow | cLow, unsigned);
      break;
    case Op.XOR_I64:
      put(file, a, bHigh ^ cHigh, bLow ^ cLow, unsigned);
      break;
    case Op.SHL_I64:
      if (n === 0) put(file, a, bHigh, bLow, unsigned);
      else if (n >= 32) put(file, a, bLow << (n - 32), 0, unsigned);
      else put(file, a, (bHigh << n) | (bLow >>> (32 - n)), bLow << n, unsigned);
      break;
    case Op.SHR_I64: {
      const fill = unsigned ? 0 : bHigh >> 31;
      const shifted = (by: number): number => (unsigned ? bHigh >>> by : bHigh >> by) | 0;
      if (n === 0) put(file, a, bHigh, bLow, unsigned);
      else if (n >= 32) put(file, a, fill, shifted(n - 32), unsigned);
      else put(file, a, shifted(n), (bLow >>> n) | (bHigh << (32 - n)), unsigned);
      break;
    }
    case Op.MUL_I64:
      putBig(file, a, file.big(b) * file.big(c), unsigned);
      break;
    case Op.DIV_I64:
      putBig(file, a, bigOf(file, b, unsigned) / bigOf(file, c, unsigned), unsigned);
      break;
    case Op.MOD_I64:
      putBig(file, a, bigOf(file, b, unsigned) % bigOf(file, c, unsigned), unsigned);
      break;
    default:
      throw new Error(`not a 64-bit operation: ${op}`);
  }
}

function addHalves(
  file: SlotArray,
  a: number,
  bHigh: number,
  bLow: number,
  cHigh: number,
  cLow: number,
  unsigned: boolean,
): void {
  const low = (bLow >>> 0) + (cLow >>> 0);
  put(file, a, (bHigh + cHigh + (low >= WORD ? 1 : 0)) | 0, low | 0, unsigned);
}

/** R[a] = R[b] + immediate, 64 bits wide. */
export function addImmediate64(file: SlotArray, a: number, b: number, immediate: number, unsigned: boolean): void {
  addHalves(file, a, highHalf(file, b), lowHalf(file, b), immediate < 0 ? -1 : 0, immediate | 0, unsigned);
}

/** R[a] = R[b] * factor as signed 64-bit. */
export function scale64(file: SlotArray, a: number, b: number, factor: number): void {
  putBig(file, a, file.big(b) * BigInt(factor), false);
}

/** Below zero, zero or above zero as R[b] is less than, equal to or greater than R[c] in 64 bits. */
export function compare64(file: SlotArray, b: number, c: number, unsigned: boolean): number {
  const bHigh = highHalf(file, b);
  const cHigh = highHalf(file, c);
  if (bHigh !== cHigh) return unsigned ? (bHigh >>> 0) - (cHigh >>> 0) : bHigh - cHigh;
  return (lowHalf(file, b) >>> 0) - (lowHalf(file, c) >>> 0);
}

/** True if two slots hold the same integer; both are in normal form, so only two wide ones need a closer look. */
export function equalWide(file: SlotArray, b: number, c: number): boolean {
  const bValue = file.values[b];
  const cValue = file.values[c];
  if (bValue === bValue || cValue === cValue) return bValue === cValue;
  return file.halves[b * 2] === file.halves[c * 2] && file.halves[b * 2 + 1] === file.halves[c * 2 + 1];
}

/** R[a] = (kind) R[b], the C conversion, for every kind and every value. */
export function convert(file: SlotArray, a: number, b: number, kind: number): void {
  const low = lowHalf(file, b);
  const values = file.values;
  if (kind === IntKind.I64) putSigned(file, a, highHalf(file, b), low);
  else if (kind === IntKind.U64) putUnsigned(file, a, highHalf(file, b), low);
  else if (kind === IntKind.I32) values[a] = low;
  else if (kind === IntKind.U32) values[a] = low >>> 0;
  else if (kind === IntKind.I16) values[a] = (low << 16) >> 16;
  else if (kind === IntKind.U16) values[a] = low & 0xffff;
  else if (kind === IntKind.I8) values[a] = (low << 24) >> 24;
  else if (kind === IntKind.U8) values[a] = low & 0xff;
  else if (kind === IntKind.BOOL)
    values[a] = values[b] !== 0 ? 1 : 0; // a wide value is NaN, and never zero
  else throw new Error(`not an integer kind: ${kind}`);
}

/** R[a] = -R[b] in `kind`. */
export function negate(file: SlotArray, a: number, b: number, kind: number): void {
  const low = lowHalf(file, b);
  const high = highHalf(file, b);
  putSigned(file, a, (~high + (low === 0 ? 1 : 0)) | 0, -low | 0);
  convert(file, a, a, kind);
}

/** R[a] = ~R[b] in `kind`. */
export function complement(file: SlotArray, a: number, b: number, kind: number): void {
  putSigned(file, a, ~highHalf(file, b), ~lowHalf(file, b));
  convert(file, a, a, kind);
}

// Bit-fields: `field` is offset | width << 8 | signed << 16, as in BFX and BFI.
const fieldOffset = (field: number): number => field & 0xff;
const fieldWidth = (field: number): number => (field >>> 8) & 0xff;
const fieldSigned = (field: number): boolean => (field & 0x10000) !== 0;

/** R[a] = the bit-field of the storage unit R[b]. */
export function extractBits(file: SlotArray, a: number, b: number, field: number): void {
  const offset = fieldOffset(field);
  const width = fieldWidth(field);
  // Shift the field to the top, then down again: the second shift brings in the sign or zeros.
  const up = 64 - offset - width;
  let high = highHalf(file, b);
  let low = lowHalf(file, b);
  if (up >= 32) {
    high = low << (up - 32);
    low = 0;
  } else if (up > 0) {
    high = (high << up) | (low >>> (32 - up));
    low <<= up;
  }
  const down = 64 - width;
  if (fieldSigned(field)) {
    if (down >= 32) putSigned(file, a, high >> 31, high >> (down - 32));
    else if (down > 0) putSigned(file, a, high >> down, (low >>> down) | (high << (32 - down)));
    else putSigned(file, a, high, low);
  } else if (down >= 32) putUnsigned(file, a, 0, high >>> (down - 32));
  else if (down > 0) putUnsigned(file, a, high >>> down, (low >>> down) | (high << (32 - down)));
  else putUnsigned(file, a, high, low);
}

/** Replace the bit-field of the storage unit R[a] by the low bits of R[b]; the unit stays a U64. */
export function insertBits(file: SlotArray, a: number, b: number, field: number): void {
  const offset = fieldOffset(field);
  const width = fieldWidth(field);
  // The mask of the field as halves.
  let maskHigh = width > 32 ? (width === 64 ? -1 : (1 << (width - 32)) - 1) : 0;
  let maskLow = width >= 32 ? -1 : (1 << width) - 1;
  let high = highHalf(file, b) & maskHigh;
  let low = lowHalf(file, b) & maskLow;
  if (offset >= 32) {
    high = low << (offset - 32);
    low = 0;
    maskHigh = maskLow << (offset - 32);
    maskLow = 0;
  } else if (offset > 0) {
    high = (high << offset) | (low >>> (32 - offset));
    low <<= offset;
    maskHigh = (maskHigh << offset) | (maskLow >>> (32 - offset));
    maskLow <<= offset;
  }
  putUnsigned(file, a, (highHalf(file, a) & ~maskHigh) | high, (lowHalf(file, a) & ~maskLow) | low);
}

function bigOf(file: SlotArray, index: number, unsigned: boolean): bigint {
  const value = file.big(index);
  return unsigned ? BigInt.asUintN(64, value) : value;
}

function putBig(file: SlotArray, index: number, value: bigint, unsigned: boolean): void {
  file.set(index, unsigned ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value));
}

/** Copy a slot, wide or not. */
export function copySlot(to: SlotArray, toIndex: number, from: SlotArray, fromIndex: number): void {
  const value = from.values[fromIndex];
  to.values[toIndex] = value;
  if (value !== value) copyWide(to.halves, toIndex, from.halves, fromIndex);
}
