/**
 * What stands below each other in formatted text: the `=>` of steps that follow each other, and comments behind lines where they were aligned before.
 */
import * as t from '../generated/scenario-parser-terms.ts';
import type { FormatLine } from './format.ts';
import { isComment } from './format-tokens.ts';

/** A step that is this much shorter than the longest of its run is not aligned with it: one long call would push all outcomes away. */
const FARTHEST = 40;

/** Characters as a reader counts them. */
const width = (text: string): number => (/^[\x20-\x7e]*$/.test(text) ? text.length : [...text].length);

/**
 * Puts the `=>` of a run two columns behind its longest step. A run is steps on lines that follow each other, at one depth; a blank line, a comment or
 * anything that is no step ends it. Steps without outcome stand in a run and have no say in it.
 */
export function alignArrows(lines: readonly FormatLine[]): void {
  let run: FormatLine[] = [];
  const flush = (): void => {
    align(run);
    run = [];
  };
  let depth = -1;
  for (const line of lines) {
    const isStep = isStepLine(line);
    if (!isStep || line.depth !== depth) flush();
    if (isStep && line.outcome !== '') run.push(line);
    depth = line.depth;
  }
  flush();
}

/** Longest first: each takes with it those that are not too short for it. */
function align(run: readonly FormatLine[]): void {
  let rest = run.map((line) => ({ line, width: width(line.code) }));
  while (rest.length > 0) {
    const longest = Math.max(...rest.map((one) => one.width));
    const near = rest.filter((one) => longest - one.width <= FARTHEST);
    for (const one of near) one.line.arrowGap = longest - one.width + 2;
    rest = rest.filter((one) => !near.includes(one));
  }
}

/** One whole step. */
function isStepLine(line: FormatLine): boolean {
  if (line.frozen || line.continues || line.tokens.length === 0) return false;
  const [first] = line.tokens;
  return first.parent === t.Step || first.parent === t.SequenceCall;
}

/** Comments behind lines: a column that was one stays one, any other keeps its distance. */
export function alignComments(text: string, lines: readonly FormatLine[]): void {
  let run: { line: FormatLine; column: number; code: number }[] = [];
  const flush = (): void => {
    if (run.length > 1) {
      const gap = Math.min(...run.map(({ line }) => line.commentGap));
      const column = Math.max(...run.map(({ code }) => code)) + gap;
      for (const { line, code } of run) line.commentGap = column - code;
    }
    run = [];
  };
  for (const line of lines) {
    const comment = line.tokens.at(-1);
    if (line.frozen || comment === undefined || !isComment(comment.type) || line.tokens.length === 1) {
      flush();
      continue;
    }
    const column = width(text.slice(line.from, comment.from));
    if (run.length > 0 && run[0].column !== column) flush();
    const code = width(line.indent + line.code) + (line.outcome === '' ? 0 : line.arrowGap + width(line.outcome));
    run.push({ line, column, code });
  }
  flush();
}
