/**
 * Where the characters of a virtual text stand in the real files.
 *
 * A map is a sorted list of segments; segment i says that the virtual offsets from `starts[i]` up to the next segment stand one after another in
 * file `files[i]`, `shifts[i]` further on. The tokenizer walks a text from left to right, so a lookup remembers the last segment and is two
 * comparisons for nearly every token.
 */
import type { Origin } from '../vm/bytecode.ts';

export class SourceMap {
  private readonly starts: number[] = [];
  /** Real offset minus virtual offset. */
  private readonly shifts: number[] = [];
  private readonly files: number[] = [];
  private current = 0;

  /** The map of a text that is the file itself. */
  static identity(file: number): SourceMap {
    const map = new SourceMap();
    map.append(0, file, 0);
    return map;
  }

  /** Say that virtual offsets from `start` on stand in `file` from `offset` on. Starts must not decrease; an equal start replaces the last segment. */
  append(start: number, file: number, offset: number): void {
    const last = this.starts.length - 1;
    const shift = offset - start;
    if (last >= 0) {
      // The text goes on where the last segment would: no new segment needed.
      if (this.files[last] === file && this.shifts[last] === shift) return;
      if (this.starts[last] === start) {
        this.shifts[last] = shift;
        this.files[last] = file;
        return;
      }
    }
    this.starts.push(start);
    this.shifts.push(shift);
    this.files.push(file);
  }

  /** Append the part `from` .. `to` of another map at virtual offset `start`: the composition of two views. */
  appendMapped(start: number, other: SourceMap, from: number, to: number): void {
    let at = from;
    let segment = other.find(from);
    while (at < to) {
      this.append(start + (at - from), other.files[segment], at + other.shifts[segment]);
      segment++;
      if (segment >= other.starts.length) return;
      at = other.starts[segment];
    }
  }

  /** Real file of the character at a virtual offset. */
  file(virtual: number): number {
    return this.files[this.find(virtual)];
  }

  /** Real offset of the character at a virtual offset. */
  offset(virtual: number): number {
    return virtual + this.shifts[this.find(virtual)];
  }

  /**
   * Real range of the virtual range `start` .. `end`. A range over a seam between files ends where its first file's part ends, so the answer is
   * always a range of one file.
   */
  range(start: number, end: number): Origin {
    let segment = this.find(start);
    const file = this.files[segment];
    const realStart = start + this.shifts[segment];
    const { starts, files, shifts } = this;
    let realEnd = end + shifts[segment];
    while (segment + 1 < starts.length && starts[segment + 1] < end) {
      // The part in this segment ends at the seam; go on as long as the file stays the same and the text runs forward.
      realEnd = starts[segment + 1] + shifts[segment];
      segment++;
      if (files[segment] !== file || starts[segment] + shifts[segment] < realStart)
        return { file, start: realStart, end: realEnd };
      realEnd = end + shifts[segment];
    }
    return { file, start: realStart, end: realEnd };
  }

  /** Number of segments, for tests and budgets. */
  get length(): number {
    return this.starts.length;
  }

  private find(virtual: number): number {
    const { starts } = this;
    const count = starts.length;
    let i = this.current;
    if (i < count && starts[i] <= virtual) {
      if (i + 1 >= count || virtual < starts[i + 1]) return i;
      i++;
      if (i + 1 >= count || virtual < starts[i + 1]) {
        this.current = i;
        return i;
      }
    }
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= virtual) low = middle;
      else high = middle - 1;
    }
    this.current = low;
    return low;
  }
}
