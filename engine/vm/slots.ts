/**
 * An array of slots: what registers and memory are made of. A slot is a double; a 64-bit integer beyond 2^53 is WIDE: the double is NaN and
 * its exact bits stand at the same index of `wide` (see bytecode.ts, Values). `halves` shows the same bits as 32-bit words, so that moving,
 * masking and adding wide values needs no BigInt.
 *
 * What `wide` holds where the double is not NaN means nothing: it is left over, and every comparison and hash ignores it.
 */
// biome-ignore-all lint/suspicious/noSelfCompare: v !== v asks whether a slot is wide, in one comparison.

/** Beyond this magnitude an integer is WIDE. Doubles hold every integer up to it exactly. */
export const EXACT = 2 ** 53;

/** Index of the low and the high word of a 64-bit number among its two halves, whatever the platform's byte order. */
export const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;
export const HIGH = 1 - LOW;

export class SlotArray {
  values: Float64Array;
  wide: BigInt64Array;
  halves: Int32Array;

  constructor(capacity: number) {
    this.values = new Float64Array(capacity);
    this.wide = new BigInt64Array(capacity);
    this.halves = new Int32Array(this.wide.buffer);
  }

  get capacity(): number {
    return this.values.length;
  }

  /** Make room for `capacity` slots, keeping the contents. Views taken before are void. */
  grow(capacity: number): void {
    if (capacity <= this.values.length) return;
    const values = new Float64Array(capacity);
    values.set(this.values);
    const wide = new BigInt64Array(capacity);
    wide.set(this.wide);
    this.values = values;
    this.wide = wide;
    this.halves = new Int32Array(wide.buffer);
  }

  /** The slot as an integer; a wide one as signed 64-bit bits. */
  big(index: number): bigint {
    const value = this.values[index];
    return value === value ? BigInt(value) : this.wide[index];
  }

  /** The slot as a number, or as a signed bigint when it is wide. */
  get(index: number): number | bigint {
    const value = this.values[index];
    return value === value ? value : this.wide[index];
  }

  /**
   * Store an integer from -2^63 to 2^64-1, wide only where it has to be. A value from 2^63 on is an unsigned one: its bits are kept.
   */
  set(index: number, value: number | bigint): void {
    if (typeof value === 'number') {
      this.values[index] = value + 0; // -0 becomes 0: every integer has one representation
    } else if (value >= -9007199254740992n && value <= 9007199254740992n) {
      this.values[index] = Number(value);
    } else {
      this.values[index] = Number.NaN;
      this.wide[index] = BigInt.asIntN(64, value);
    }
  }

  /** Copy `count` slots within the array, as memmove does. */
  move(to: number, from: number, count: number): void {
    this.values.copyWithin(to, from, from + count);
    this.halves.copyWithin(to * 2, from * 2, (from + count) * 2);
  }
}

/** Copy the exact bits of a wide slot between (possibly different) arrays' halves. */
export function copyWide(to: Int32Array, toIndex: number, from: Int32Array, fromIndex: number): void {
  to[toIndex * 2] = from[fromIndex * 2];
  to[toIndex * 2 + 1] = from[fromIndex * 2 + 1];
}
