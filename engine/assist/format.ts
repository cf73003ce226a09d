/**
 * The formatter. Lines stay lines: what changes is their indentation, the space between tokens, the place of `=>` in a run of steps, and superfluous blank
 * lines. Tokens and comments stay what they are, so a formatted file means what it meant; formatting it again changes nothing. A line that something is
 * wrong with is left alone.
 */
import type { Tree } from '@lezer/common';
import * as t from '../generated/scenario-parser-terms.ts';
import { alignArrows, alignComments } from './format-align.ts';
import { type FormatToken, type FormatTokens, formatTokens, isComment } from './format-tokens.ts';

export interface FormatOptions {
  /** One level of indentation. */
  indent: string;
}

export const FORMAT_STYLE: FormatOptions = { indent: '  ' };

/** Replace `from` .. `to` of the text. */
export interface TextChange {
  from: number;
  to: number;
  text: string;
}

/** A line of the text, taken apart. */
export interface FormatLine {
  from: number;
  /** Without the characters that end it. */
  to: number;
  tokens: readonly FormatToken[];
  /** Left as it is. */
  frozen: boolean;
  depth: number;
  /** Goes on with what the line before it began. */
  continues: boolean;
  indent: string;
  /** What stands in front of the `=>`, all of it if there is none, without indentation. */
  code: string;
  /** From the `=>` to the comment. */
  outcome: string;
  arrowGap: number;
  comment: string;
  commentGap: number;
}

/**
 * The changes that format a text, in its order, none overlapping another.
 *
 * @param window whole lines of whole declarations, if not everything is to be looked at
 */
export function format(
  text: string,
  tree: Tree,
  options: FormatOptions = FORMAT_STYLE,
  window: { from: number; to: number } = { from: 0, to: text.length },
): TextChange[] {
  const lines = linesOf(text, formatTokens(text, tree, window.from, window.to), window);
  indentLines(text, lines, options.indent);
  alignArrows(lines);
  alignComments(text, lines);
  return changes(text, lines);
}

/** The text with changes made to it. */
export function applyChanges(text: string, changes: readonly TextChange[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const change of changes) {
    parts.push(text.slice(at, change.from), change.text);
    at = change.to;
  }
  parts.push(text.slice(at));
  return parts.join('');
}

// ---------------------------------------------------------------- lines

function linesOf(
  text: string,
  { tokens, broken, frozen }: FormatTokens,
  window: { from: number; to: number },
): FormatLine[] {
  const lines: FormatLine[] = [];
  let next = 0;
  let stretch = 0;
  for (const { from, to } of lineRanges(text, window)) {
    const own: FormatToken[] = [];
    while (next < tokens.length && tokens[next].from < to) own.push(tokens[next++]);
    while (stretch < frozen.length && frozen[stretch].to < from) stretch++;
    let isFrozen = own.some((token) => token.statement >= 0 && broken.has(token.statement));
    for (let i = stretch; i < frozen.length && frozen[i].from <= to; i++) {
      // What is frozen may be nested: a longer stretch can come first.
      if (frozen[i].to >= from) isFrozen = true;
    }
    // A comment ends with its line, but for characters that no token takes.
    if (own.some((token, i) => isComment(token.type) && i < own.length - 1)) isFrozen = true;
    const first = own[0];
    lines.push({
      from,
      to,
      tokens: own,
      frozen: isFrozen,
      depth: first?.depth ?? 0,
      continues: first !== undefined && first.statement >= 0 && first.statement < from && own[0].type !== t.BlockOpen,
      indent: '',
      ...codeOf(text, isFrozen ? [] : own),
    });
  }
  return lines;
}

function lineRanges(text: string, window: { from: number; to: number }): { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  const end = /\r\n|\r|\n/g;
  let { from } = window;
  end.lastIndex = from;
  for (let match = end.exec(text); match !== null && match.index < window.to; match = end.exec(text)) {
    ranges.push({ from, to: match.index });
    from = match.index + match[0].length;
  }
  ranges.push({ from, to: window.to });
  return ranges;
}

function codeOf(
  text: string,
  tokens: readonly FormatToken[],
): Pick<FormatLine, 'code' | 'outcome' | 'arrowGap' | 'comment' | 'commentGap'> {
  const parts = { code: '', outcome: '', arrowGap: 0, comment: '', commentGap: 0 };
  let into: 'code' | 'outcome' = 'code';
  let before: FormatToken | undefined;
  for (const token of tokens) {
    const source = text.slice(token.from, token.to);
    if (isComment(token.type)) {
      parts.comment = source.trimEnd();
      if (before !== undefined) parts.commentGap = Math.max(1, token.from - before.to);
      break;
    }
    if (token.type === t.Arrow && before !== undefined) {
      into = 'outcome';
      parts.arrowGap = 2;
      parts.outcome = source;
    } else parts[into] += (before !== undefined && isSpaced(text, before, token) ? ' ' : '') + source;
    before = token;
  }
  return parts;
}

/** Whether a space stands between two tokens of a line. */
function isSpaced(text: string, a: FormatToken, b: FormatToken): boolean {
  const left = text.charCodeAt(a.from);
  const right = text.charCodeAt(b.from);
  const isMark = (token: FormatToken): boolean => token.type === 0;
  // `0..2M`, but `first .. first + 2M` if it is written so.
  if (isMark(b) && b.to - b.from === 2) return hasSpace(text, b);
  if (isMark(a) && a.to - a.from === 2) return hasSpace(text, a);
  if (isMark(b)) {
    switch (right) {
      case 44: // ,
      case 41: // )
      case 58: // :
        return false;
      case 46: // .
        return false;
      case 40: // ( of a call
        return false;
      case 61: // =
        return b.parent !== t.Outcome;
    }
  }
  if (isMark(a)) {
    switch (left) {
      case 40: // (
      case 46: // .
      case 126: // ~
        return false;
      case 43: // + of a length
        return false;
      case 61: // =
        return a.parent !== t.Outcome;
    }
  }
  if (a.type === t.ParenOpen) return false;
  // The value of an option is a word with dashes, `by-entry`, whatever else it looks like.
  if (a.to === b.from && (a.type === t.Minus || b.type === t.Minus) && text.startsWith('option', a.statement))
    return false;
  if (a.type === t.Minus && (a.parent === t.Negative || a.parent === t.Outcome)) return false;
  if (a.parent === t.FaultBits && a.type === t.Or) return false;
  if (b.parent === t.FaultBits && b.type === t.Or) return false;
  // Empty braces stay closed up.
  if ((a.type === t.BlockOpen || a.type === t.PatternOpen) && b.type === t.BlockClose) return false;
  return true;
}

/** Whether a space stands before a token, or after it and before another one of its line. */
const hasSpace = (text: string, token: FormatToken): boolean => {
  const spaced = /[^\S\r\n]*(.?)/y;
  spaced.lastIndex = token.to;
  const next = spaced.exec(text);
  return /\s/.test(text[token.from - 1] ?? '') || (next !== null && next[0].length > 1 && next[1] !== '');
};

// ---------------------------------------------------------------- indentation

function indentLines(text: string, lines: readonly FormatLine[], unit: string): void {
  /** How far the first line of the statement has moved, and where it stands now, in columns. */
  let moved = 0;
  let base = 0;
  const width = unit === '\t' ? 4 : Math.max(1, unit.length);
  for (const line of lines) {
    if (line.tokens.length === 0) continue;
    const now = columns(text, line.from, line.tokens[0].from, width);
    if (line.frozen) {
      if (!line.continues) {
        moved = 0;
        base = now;
      }
      continue;
    }
    if (!line.continues) {
      line.indent = unit.repeat(line.depth);
      base = line.depth * width;
      moved = base - now;
      continue;
    }
    const closes = /^[)}]/.test(line.code);
    const least = closes ? base : base + width;
    const wanted = Math.max(least, now + moved);
    line.indent =
      unit === '\t' ? '\t'.repeat(Math.floor(wanted / width)) + ' '.repeat(wanted % width) : ' '.repeat(wanted);
  }
}

/** Columns of white space, tabs to the next multiple of `tab`. */
function columns(text: string, from: number, to: number, tab: number): number {
  let column = 0;
  for (let i = from; i < to; i++) {
    const c = text.charCodeAt(i);
    if (c === 0xfeff) continue;
    column = c === 9 ? column - (column % tab) + tab : column + 1;
  }
  return column;
}

// ---------------------------------------------------------------- changes

/** What a line becomes. */
function formatted(text: string, line: FormatLine): string {
  if (line.frozen) return text.slice(line.from, line.to);
  if (line.tokens.length === 0) return '';
  const outcome = line.outcome === '' ? '' : ' '.repeat(line.arrowGap) + line.outcome;
  const comment = line.comment === '' ? '' : ' '.repeat(line.commentGap) + line.comment;
  // A mark at the very beginning says how the file is encoded.
  const mark = line.from === 0 && text.charCodeAt(0) === 0xfeff ? '\ufeff' : '';
  return mark + line.indent + line.code + outcome + comment;
}

function changes(text: string, lines: readonly FormatLine[]): TextChange[] {
  const found: TextChange[] = [];
  const isBlank = (line: FormatLine | undefined): boolean =>
    line !== undefined && !line.frozen && line.tokens.length === 0;
  const opensBlock = (line: FormatLine): boolean =>
    !line.frozen && line.comment === '' && line.tokens.at(-1)?.type === t.BlockOpen;
  const closesBlock = (line: FormatLine): boolean =>
    !line.frozen && line.tokens[0]?.type === t.BlockClose && !line.continues;
  let before: FormatLine | undefined;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    const isLast = i === lines.length - 1;
    if (isBlank(line) && !isLast) {
      let behind = i;
      while (behind < lines.length - 1 && isBlank(lines[behind])) behind++;
      const after = lines[behind];
      const isEnd = behind === lines.length - 1 && isBlank(after);
      const keeps = before !== undefined && !isEnd && !opensBlock(before) && !closesBlock(after);
      const stays = keeps ? '' : undefined;
      // The first blank line stays, with its line end; the others go with theirs.
      const from = stays === undefined ? line.from : lines[i + 1].from;
      if (stays !== undefined && line.to > line.from) found.push({ from: line.from, to: line.to, text: '' });
      if (isEnd) {
        if (from < text.length) found.push({ from, to: text.length, text: '' });
        return found;
      }
      if (after.from > from) found.push({ from, to: after.from, text: '' });
      i = behind - 1;
      continue;
    }
    const now = formatted(text, line);
    if (now !== text.slice(line.from, line.to)) found.push({ from: line.from, to: line.to, text: now });
    if (isLast && line.to === text.length && line.to > line.from && now !== '' && !line.frozen)
      found.push({ from: text.length, to: text.length, text: lineEnd(text) });
    before = line;
  }
  return found;
}

/** The line end that the text uses. */
const lineEnd = (text: string): string => /\r\n|\r|\n/.exec(text)?.[0] ?? '\n';
