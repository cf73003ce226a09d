/** Formatting of a part of a file: of a stretch of lines, and of what has just been typed. */
import type { Tree } from '@lezer/common';
import * as t from '../generated/scenario-parser-terms.ts';
import { FORMAT_STYLE, type FormatOptions, format, type TextChange } from './format.ts';
import { formatTokens, isBlockBrace } from './format-tokens.ts';

/** The changes to the lines that `from` .. `to` touches. */
export function formatRange(
  text: string,
  tree: Tree,
  from: number,
  to: number,
  options: FormatOptions = FORMAT_STYLE,
): TextChange[] {
  const first = lineStart(text, from);
  const last = lineEnd(text, to);
  const changes = format(text, tree, options, declarationsAround(text, tree, first, last));
  return changes.filter((change) => change.from >= first && change.to <= last);
}

/**
 * Whole lines of the declarations that a stretch touches, and of the one before and the one after, so that the blank lines between are seen as they are.
 * Declarations without a blank line between them go together.
 */
function declarationsAround(text: string, tree: Tree, first: number, last: number): { from: number; to: number } {
  const cursor = tree.cursor();
  if (!cursor.firstChild()) return { from: 0, to: text.length };
  let from = 0;
  /** Where the declarations begin that go together with the current one, and where the last of them ends. */
  let start = 0;
  let end = -1;
  do {
    if (end < 0 || isBehindBlankLine(text, end, cursor.from)) {
      if (end >= 0 && start > last) return { from, to: lineEnd(text, end) };
      if (end < first) from = start;
      start = end < 0 ? 0 : lineStart(text, cursor.from);
    }
    end = Math.max(end, cursor.to);
  } while (cursor.nextSibling());
  if (end < first) from = start;
  return { from, to: text.length };
}

/** Whether the line of `at` is neither that of `end` nor the next. */
function isBehindBlankLine(text: string, end: number, at: number): boolean {
  const start = lineStart(text, at);
  return start > end && start > 0 && previousLine(text, start).from > end;
}

/**
 * After `}`: the block that it closes. After a newline: the lines above up to a blank one, so that outcomes stay below each other, and the indentation of
 * the line that was begun.
 *
 * @param at behind the character typed
 */
export function formatTyped(
  text: string,
  tree: Tree,
  at: number,
  typed: string,
  options: FormatOptions = FORMAT_STYLE,
): TextChange[] {
  if (typed === '}') {
    const brace = tree.resolveInner(at, -1);
    if (brace.type.id !== t.BlockClose || brace.to !== at) return [];
    return formatRange(text, tree, brace.parent?.from ?? brace.from, at, options);
  }
  const begun = lineStart(text, at);
  if (begun === 0) return [];
  const end = lineEnd(text, at);
  const isBlank = !/\S/.test(text.slice(begun, end));
  const above = previousLine(text, begun);
  let first = above.from;
  // A paragraph is not long; what is longer is left to the command.
  for (let i = 0; first > 0 && i < 50; i++) {
    const line = previousLine(text, first);
    if (!/\S/.test(text.slice(line.from, line.to))) break;
    first = line.from;
  }
  const changes = /\S/.test(text.slice(above.from, above.to)) ? formatRange(text, tree, first, above.to, options) : [];
  // What the editor has put on the line, such as the slashes of a comment that goes on, is about to be added to.
  if (!isBlank) return changes;
  const indent = indentAt(text, tree, begun, options.indent);
  if (indent !== undefined && indent !== text.slice(begun, end)) changes.push({ from: begun, to: end, text: indent });
  return changes;
}

/** Indentation of a new line at `at`; undefined within a statement that goes over several lines. */
function indentAt(text: string, tree: Tree, at: number, unit: string): string | undefined {
  const { tokens } = formatTokens(text, tree);
  let low = 0;
  let high = tokens.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tokens[middle].from < at) low = middle + 1;
    else high = middle;
  }
  const before = tokens[low - 1];
  const after = tokens[low];
  if (before === undefined) return '';
  if (after !== undefined && after.statement >= 0 && after.statement < at && after.statement === before.statement)
    return undefined;
  const opens = before.type === t.BlockOpen && isBlockBrace(before);
  return unit.repeat(opens ? before.depth + 1 : before.depth);
}

const isEnd = (text: string, at: number): boolean => {
  const c = text.charCodeAt(at);
  return c === 10 || c === 13;
};

function lineStart(text: string, at: number): number {
  let i = at;
  while (i > 0 && !isEnd(text, i - 1)) i--;
  return i;
}

function lineEnd(text: string, at: number): number {
  let i = at;
  while (i < text.length && !isEnd(text, i)) i++;
  return i;
}

/** The line in front of the one that begins at `start`, which is not the first. */
function previousLine(text: string, start: number): { from: number; to: number } {
  const to = text.charCodeAt(start - 1) === 10 && text.charCodeAt(start - 2) === 13 ? start - 2 : start - 1;
  return { from: lineStart(text, to), to };
}
