/**
 * What a hunk shows of the file after the patch, as a text of its own that is mapped onto the patch's lines: a token's offsets are those of the
 * characters behind the `+`, and a squiggle lands on the line the user sees.
 *
 * A hunk begins and ends anywhere: in a comment, in a function, between the branches of an `#if`. Only what the patch adds from its first to its last
 * line is taken as it is.
 */
import type { Origin } from '../vm/bytecode.ts';
import { type ItemSpan, isColumn0 } from './items.ts';
import type { ModifiedFunction } from './load-unit.ts';
import { type Hunk, LineKind, type Patch, type PatchedFile } from './patch.ts';
import type { Fragment, TokenRun } from './preprocess.ts';
import { lineAt, type SourceView, splice } from './source.ts';
import { SourceMap } from './source-map.ts';

/** The hunk after the patch: context and added lines, spliced. */
export function postImage(patch: Patch, hunk: Hunk, file: number): SourceView {
  const map = new SourceMap();
  const pieces: string[] = [];
  let length = 0;
  const put = (start: number, text: string) => {
    map.append(length, file, start);
    pieces.push(text);
    length += text.length;
  };
  hunk.lines.forEach((line, i) => {
    if (line.kind === LineKind.Removed) return;
    if (line.kind === LineKind.Wrapped && pieces.length > 0) {
      // The rest of the line before: a blank instead of its newline.
      if (hunk.lines[i - 1].kind === LineKind.Removed) return;
      pieces[pieces.length - 1] = pieces[pieces.length - 1].replace(/\n$/, ' ');
    }
    put(line.start, `${patch.text.slice(line.start, line.end)}\n`);
  });
  if (length === 0) map.append(0, file, hunk.start);
  return splice(withoutCommentRest({ text: pieces.join(''), map }));
}

/** If the text begins inside a comment (a comment's end comes before any beginning), it begins after it. */
function withoutCommentRest(view: SourceView): SourceView {
  const first = /\/\*|\*\//.exec(view.text);
  if (first === null || first[0] === '/*') return view;
  const from = first.index + 2;
  const map = new SourceMap();
  map.appendMapped(0, view.map, from, view.text.length + 1);
  return { text: view.text.slice(from), map };
}

/** Which ranges of the patch text are new. */
export function addedLines(patch: Patch): Fragment {
  const { kinds, lineStarts } = patch;
  return {
    added(origin) {
      const last = lineAt(lineStarts, Math.max(origin.start, origin.end - 1));
      for (let line = lineAt(lineStarts, origin.start); line <= last; line++) {
        if (kinds[line] === LineKind.Context) return false;
      }
      return true;
    },
    touched(origin) {
      const last = lineAt(lineStarts, Math.max(origin.start, origin.end - 1));
      for (let line = lineAt(lineStarts, origin.start); line <= last; line++) {
        if (kinds[line] === LineKind.Added || kinds[line] === LineKind.Removed) return true;
      }
      return false;
    },
  };
}

/** A function of the hunk's text, for deciding what a changed line belongs to. */
interface FunctionSpan {
  name: string;
  origin: Origin;
  whole: boolean;
  complete: boolean;
}

/**
 * The functions that the hunk changes but does not add whole: those whose head the hunk shows, and the one that git's `@@` line names for the lines
 * before the first thing that begins or ends in column 0.
 */
export function modifiedFunctions(
  patch: Patch,
  file: PatchedFile,
  hunk: Hunk,
  run: TokenRun,
  spans: readonly ItemSpan[],
  fragment: Fragment,
  index: number,
): ModifiedFunction[] {
  const functions: FunctionSpan[] = [];
  for (const span of spans) {
    if (span.kind !== 'function' || span.name === undefined || !span.column0) continue;
    const first = run.tokens[span.from];
    const last = run.tokens[span.to - 1];
    if (first.file !== index || last.file !== index) continue;
    const origin = { file: index, start: first.start, end: last.end };
    functions.push({ name: span.name, origin, whole: !span.open && fragment.added(origin), complete: !span.open });
  }
  const modified = new Map<string, ModifiedFunction>();
  const section = sectionName(hunk.section);
  let inSection = section !== undefined;
  let next = 0;
  for (const line of hunk.lines) {
    const content = patch.text.slice(line.start, line.end);
    if (inSection && /^(?:\}|[A-Za-z_]\w*(?!\w*\s*:))/.test(content) && line.kind !== LineKind.Removed)
      inSection = false;
    if (line.kind === LineKind.Context || line.kind === LineKind.Wrapped || content.trim() === '') continue;
    // Functions and lines both go down the hunk.
    while (next < functions.length && functions[next].origin.end <= line.start) next++;
    const candidate: FunctionSpan | undefined = functions[next];
    const around = candidate !== undefined && candidate.origin.start <= line.start ? candidate : undefined;
    const name = around?.name ?? (inSection ? section : undefined);
    if (name === undefined || around?.whole || modified.has(name)) continue;
    const origin = { file: index, start: line.start, end: Math.max(line.start, line.end) };
    modified.set(name, { file: file.path, name, origin, complete: around?.complete ?? false });
  }
  return [...modified.values()];
}

/** Name of the function whose head git repeats after `@@ … @@`, if it is one. */
function sectionName(section: string): string | undefined {
  const text = section.trim();
  if (text.endsWith(';') || text.endsWith('= {') || /^(?:#|\*|\/)/.test(text)) return undefined;
  for (const match of text.matchAll(/([A-Za-z_]\w*)\s*\(/g)) {
    if (!/^(?:__attribute__|__printf|__aligned|__section|if|while|for|switch|return|sizeof)$/.test(match[1]))
      return match[1];
  }
  return undefined;
}

/** An item of a hunk can be taken if it begins where top-level items do; in the midst of a function a macro's block looks like one. */
export function isTopLevel(run: TokenRun, span: ItemSpan): boolean {
  return isColumn0(run.tokens[span.from]) && !span.open && span.kind !== 'stray';
}
