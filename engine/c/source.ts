/**
 * Source texts by number, and views of them.
 *
 * Every origin in a C program is (file number, start, end); `SourceFiles` hands out the numbers and finds lines again. What the tokenizer reads is
 * a `SourceView`: a text that may be virtual (a patch's post-image, or a file with its `\`-newline pairs taken out) with the map back to the real
 * files. C11 5.1.1.2 phase 2 (line splicing) is such a view, so the later phases never see a backslash-newline.
 */
import type { Position, Range } from '../base/diagnostic.ts';
import type { Origin } from '../vm/bytecode.ts';
import type { CSource } from './program.ts';
import { SourceMap } from './source-map.ts';

/** A text to tokenize and where its characters stand in the real files. */
export interface SourceView {
  text: string;
  map: SourceMap;
}

/** The program's files by index. The same source object, or the same path with the same text, has one index. */
export class SourceFiles {
  readonly list: CSource[] = [];
  private readonly byPath = new Map<string, number[]>();
  private readonly starts: (number[] | undefined)[] = [];

  /** The index of `source`; a new one on first sight. */
  add(source: CSource): number {
    let known = this.byPath.get(source.path);
    if (known === undefined) {
      known = [];
      this.byPath.set(source.path, known);
    }
    for (const index of known) if (this.list[index].text === source.text) return index;
    const index = this.list.length;
    this.list.push(source);
    this.starts.push(undefined);
    known.push(index);
    return index;
  }

  /** Offsets at which the lines of a file begin; computed once. */
  lineStarts(file: number): number[] {
    let starts = this.starts[file];
    if (starts === undefined) {
      starts = lineStarts(this.list[file].text);
      this.starts[file] = starts;
    }
    return starts;
  }

  /** Line and character (both from 0) of an offset in a file. */
  position(file: number, offset: number): Position {
    const starts = this.lineStarts(file);
    const line = lineAt(starts, offset);
    return { line, character: offset - starts[line] };
  }

  /** The range of an origin. */
  range(origin: Origin): Range {
    return { start: this.position(origin.file, origin.start), end: this.position(origin.file, origin.end) };
  }
}

/** Offsets at which lines begin; the first is 0. `\r\n` and `\n` end a line. */
export function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** Index of the line that holds `offset`, by bisection. */
export function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The whole of one file, lines spliced. */
export function fileView(files: SourceFiles, file: number): SourceView {
  return splice({ text: files.list[file].text, map: SourceMap.identity(file) });
}

/** Backslash, optional blanks (gcc takes them too), newline. */
const SPLICE = /\\[ \t]*\r?\n/g;

/** Phase 2: take out every backslash-newline. Costs nothing for a text that has none. */
export function splice(view: SourceView): SourceView {
  const { text, map } = view;
  if (!text.includes('\\')) return view;
  SPLICE.lastIndex = 0;
  let match = SPLICE.exec(text);
  if (match === null) return view;
  const pieces: string[] = [];
  const spliced = new SourceMap();
  let from = 0;
  let length = 0;
  while (match !== null) {
    if (match.index > from) {
      pieces.push(text.slice(from, match.index));
      spliced.appendMapped(length, map, from, match.index);
      length += match.index - from;
    }
    from = match.index + match[0].length;
    match = SPLICE.exec(text);
  }
  pieces.push(text.slice(from));
  spliced.appendMapped(length, map, from, text.length + 1);
  return { text: pieces.join(''), map: spliced };
}
