/**
 * A patch applied to the source it was made for: the whole file after the patch, each line of it mapped to where it was written. Context lines stand
 * in the base file, added lines in the patch.
 *
 * Fitting hunks is the `diff` library's work. It is handed labels instead of lines, and compares the lines that the labels stand for; the labels that
 * come back then say exactly which line came from where, however far a hunk had to be moved.
 */
import { applyPatch as fitHunk } from 'diff';
import type { UnitProblem } from './load-unit.ts';
import { type Hunk, LineKind, type Patch, type PatchedFile } from './patch.ts';
import { lineStarts, type SourceView } from './source.ts';
import { SourceMap } from './source-map.ts';

/** A line of a text in the making, without its end. */
interface PlacedLine {
  text: string;
  file: number;
  start: number;
}

/** Context lines that may differ before a hunk is refused, as `patch` allows by default. */
const FUZZ = 2;

export interface AppliedPatch {
  view: SourceView;
  /** Hunks that fit nowhere; the rest is applied without them. */
  problems: UnitProblem[];
  /** How many hunks were applied. */
  applied: number;
}

/**
 * Apply the parts of a patch that concern one file, in order (an mbox can change it several times). `base` is the file's text before the patch and
 * `baseFile` its index, `patchFile` the patch's. Never throws.
 */
export function applyPatch(
  base: string,
  baseFile: number,
  patch: Patch,
  parts: readonly PatchedFile[],
  patchFile: number,
): AppliedPatch {
  const problems: UnitProblem[] = [];
  let lines = linesOf(base, baseFile);
  let applied = 0;
  for (const part of parts) {
    // Later hunks of a file begin after earlier ones and as far off as those were.
    let offset = 0;
    for (const hunk of part.hunks) {
      const result = applyHunk(lines, patch, hunk, offset, patchFile);
      if (result === undefined) {
        problems.push({
          origin: { file: patchFile, start: hunk.start, end: hunk.end },
          rule: 'PATCH',
          message: `This hunk does not fit \`${part.path}\`: its context is not found there. The file must be as it was before the patch; perhaps the patch is in it already.`,
        });
        continue;
      }
      applied++;
      lines = result;
      offset += hunk.newLines - hunk.oldLines;
    }
  }
  return { view: viewOf(lines, baseFile), problems, applied };
}

function applyHunk(
  lines: readonly PlacedLine[],
  patch: Patch,
  hunk: Hunk,
  offset: number,
  patchFile: number,
): PlacedLine[] | undefined {
  const contents = hunk.lines.map((line) => patch.text.slice(line.start, line.end));
  const labelled: string[] = [];
  hunk.lines.forEach((line, i) => {
    // A wrapped line's rest was added to nothing the base knows; it goes with the added line before it.
    const marker =
      line.kind === LineKind.Added || line.kind === LineKind.Wrapped ? '+' : line.kind === LineKind.Removed ? '-' : ' ';
    labelled.push(`${marker}p${i}`);
  });
  const count = (kinds: LineKind[]) => hunk.lines.filter((line) => kinds.includes(line.kind)).length;
  const fitted = fitHunk(
    lines.map((_, i) => `b${i}`).join('\n'),
    {
      oldFileName: '',
      newFileName: '',
      oldHeader: '',
      newHeader: '',
      hunks: [
        {
          // With no old lines the header names the line before (as in `-0,0` of a new file).
          oldStart: Math.max(1, hunk.oldStart + offset + (hunk.oldLines === 0 ? 1 : 0)),
          oldLines: count([LineKind.Context, LineKind.Removed]),
          newStart: Math.max(1, hunk.newStart),
          newLines: count([LineKind.Context, LineKind.Added, LineKind.Wrapped]),
          lines: labelled,
        },
      ],
    },
    {
      fuzzFactor: FUZZ,
      autoConvertLineEndings: false,
      compareLine: (_number, line, _operation, content) => {
        if (line === undefined) return false;
        return sameLine(lines[Number(line.slice(1))].text, contents[Number(content.slice(1))]);
      },
    },
  );
  if (fitted === false) return undefined;
  return fitted
    .split('\n')
    .filter((label) => label !== '')
    .map((label) => {
      const i = Number(label.slice(1));
      return label[0] === 'b' ? lines[i] : { text: contents[i], file: patchFile, start: hunk.lines[i].start };
    });
}

/** Blanks at the end of a line are what mail readers take away first. */
const sameLine = (a: string, b: string): boolean => a === b || a.trimEnd() === b.trimEnd();

function linesOf(text: string, file: number): PlacedLine[] {
  const starts = lineStarts(text);
  return starts.map((start, i) => {
    let end = i + 1 < starts.length ? starts[i + 1] - 1 : text.length;
    if (end > start && text.charCodeAt(end - 1) === 13) end--;
    return { text: text.slice(start, end), file, start };
  });
}

function viewOf(lines: readonly PlacedLine[], baseFile: number): SourceView {
  const map = new SourceMap();
  let length = 0;
  for (const line of lines) {
    map.append(length, line.file, line.start);
    length += line.text.length + 1;
  }
  if (lines.length === 0) map.append(0, baseFile, 0);
  return { text: lines.map((line) => `${line.text}\n`).join(''), map };
}
