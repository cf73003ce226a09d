/**
 * Phase 3 of C11 5.1.1.2 with the GNU additions the kernel uses: text to preprocessing tokens.
 *
 * Comments are white space. A token never contains a backslash-newline: the view has spliced them away. `spaceBefore` means blanks or a comment on
 * the token's own line, so a token with `lineStart` and no `spaceBefore` stands in column 0 (which in kernel style is where top-level items begin).
 *
 * Nothing is refused: a character that begins no token is a punctuator of its own, a string or character constant that its line does not close is a
 * token up to the line's end, and a comment that nothing closes ends with the text. Each of those is a fault, kept beside the token it belongs
 * to (the `end` token for a comment), because whether it matters depends on whether the token is in an active branch.
 */
import type { Origin } from '../vm/bytecode.ts';
import type { UnitProblem } from './load-unit.ts';
import type { SourceView } from './source.ts';
import type { Token, TokenKind } from './token.ts';

export interface TokenizedText {
  /** All tokens; the last one is of kind `end`. */
  tokens: Token[];
  /** What is wrong with a token. */
  faults: Map<Token, UnitProblem>;
  /** Where comments stand, if asked for. */
  comments: Origin[] | undefined;
}

// Classes of ASCII characters.
const BLANK = 1;
const NEWLINE = 2;
const LETTER = 3;
const DIGIT = 4;
const QUOTE = 5;
/** A punctuator that no other character can extend. */
const SINGLE = 6;
const OTHER = 7;

const CLASS = new Uint8Array(128).fill(OTHER);
for (const c of ' \t\v\f\r\0') CLASS[c.charCodeAt(0)] = BLANK;
CLASS[10] = NEWLINE;
for (let c = 0; c < 26; c++) {
  CLASS[65 + c] = LETTER;
  CLASS[97 + c] = LETTER;
}
for (const c of '_$') CLASS[c.charCodeAt(0)] = LETTER;
for (let c = 0; c < 10; c++) CLASS[48 + c] = DIGIT;
for (const c of '"\'') CLASS[c.charCodeAt(0)] = QUOTE;
for (const c of '(){}[];,?~') CLASS[c.charCodeAt(0)] = SINGLE;

/** Punctuators of more than one character (C11 6.4.6), longest first, by first character. */
const LONG: string[][] = [];
for (const p of [
  '%:%:',
  '...',
  '<<=',
  '>>=',
  '->',
  '++',
  '--',
  '<<',
  '>>',
  '<=',
  '>=',
  '==',
  '!=',
  '&&',
  '||',
  '*=',
  '/=',
  '%=',
  '+=',
  '-=',
  '&=',
  '^=',
  '|=',
  '##',
  '<:',
  ':>',
  '<%',
  '%>',
  '%:',
]) {
  const first = p.charCodeAt(0);
  LONG[first] ??= [];
  LONG[first].push(p);
}
/** Digraphs mean the same as these; the parser sees only the usual spelling. */
const DIGRAPH: Record<string, string> = { '<:': '[', ':>': ']', '<%': '{', '%>': '}', '%:': '#', '%:%:': '##' };

/** One string object per ASCII character. */
const ASCII: string[] = [];
for (let c = 0; c < 128; c++) ASCII.push(String.fromCharCode(c));

/** Non-ASCII white space that copying from a web page or a mail reader leaves behind. */
const isOddBlank = (c: number): boolean =>
  c === 0xa0 || c === 0xfeff || c === 0x2028 || c === 0x2029 || (c >= 0x2000 && c <= 0x200b) || c === 0x3000;

const isLetter = (c: number): boolean => (c < 128 ? CLASS[c] === LETTER : !isOddBlank(c));

/** Tokenize a view. Linear in the text; never throws. */
export function tokenize(view: SourceView, options: { comments?: boolean } = {}): TokenizedText {
  const { text, map } = view;
  const length = text.length;
  const tokens: Token[] = [];
  const faults = new Map<Token, UnitProblem>();
  const comments: Origin[] | undefined = options.comments ? [] : undefined;
  let at = 0;
  let lineStart = true;
  let space = false;
  let commentFault: UnitProblem | undefined;

  const push = (kind: TokenKind, spelling: string, from: number, to: number): Token => {
    const origin = map.range(from, to);
    const token: Token = {
      kind,
      text: spelling,
      file: origin.file,
      start: origin.start,
      end: origin.end,
      spaceBefore: space,
      lineStart,
    };
    tokens.push(token);
    lineStart = false;
    space = false;
    return token;
  };

  while (at < length) {
    const c = text.charCodeAt(at);
    const kind = c < 128 ? CLASS[c] : isOddBlank(c) ? BLANK : LETTER;
    switch (kind) {
      case BLANK:
        at++;
        space = true;
        break;
      case NEWLINE:
        at++;
        lineStart = true;
        space = false;
        break;
      case LETTER: {
        const from = at;
        at = identifierEnd(text, at + 1);
        const q = text.charCodeAt(at);
        if ((q === 34 || q === 39) && at - from <= 2 && isEncodingPrefix(text, from, at)) {
          at = literal(from, at, q);
          break;
        }
        push('identifier', text.slice(from, at), from, at);
        break;
      }
      case DIGIT: {
        const from = at;
        at = numberEnd(text, at + 1);
        push('number', text.slice(from, at), from, at);
        break;
      }
      case QUOTE:
        at = literal(at, at, c);
        break;
      case SINGLE:
        push('punctuator', ASCII[c], at, at + 1);
        at++;
        break;
      default: {
        if (c === 47 /* / */) {
          const next = text.charCodeAt(at + 1);
          if (next === 47) {
            const from = at;
            at = text.indexOf('\n', at);
            if (at < 0) at = length;
            comments?.push(map.range(from, at));
            space = true;
            break;
          }
          if (next === 42 /* * */) {
            const from = at;
            const close = text.indexOf('*/', at + 2);
            at = close < 0 ? length : close + 2;
            comments?.push(map.range(from, at));
            if (close < 0)
              commentFault = {
                origin: map.range(from, from + 2),
                rule: 'C-SYNTAX',
                message: 'This comment is never closed: the text ends before a `*/`. Everything after it is comment.',
              };
            space = true;
            break;
          }
        }
        if (c === 46 /* . */) {
          const next = text.charCodeAt(at + 1);
          if (next >= 48 && next <= 57) {
            const from = at;
            at = numberEnd(text, at + 2);
            push('number', text.slice(from, at), from, at);
            break;
          }
        }
        let spelling = ASCII[c];
        let size = 1;
        const longer = LONG[c];
        if (longer !== undefined) {
          for (const p of longer) {
            if (text.startsWith(p, at)) {
              size = p.length;
              spelling = DIGRAPH[p] ?? p;
              break;
            }
          }
        }
        push('punctuator', spelling, at, at + size);
        at += size;
      }
    }
  }
  const end = push('end', '', length, length);
  if (commentFault !== undefined) faults.set(end, commentFault);
  return { tokens, faults, comments };

  /** A string or character constant from its (possibly empty) prefix on; returns the offset after it. */
  function literal(from: number, open: number, quote: number): number {
    let i = open + 1;
    while (i < length) {
      const c = text.charCodeAt(i);
      if (c === quote) break;
      if (c === 10) break;
      // The character after a backslash is never the closing quote.
      if (c === 92 && i + 1 < length && text.charCodeAt(i + 1) !== 10) i++;
      i++;
    }
    const closed = i < length && text.charCodeAt(i) === quote;
    let end = closed ? i + 1 : i;
    // Leave the \r of a CRLF outside.
    if (!closed && end > open + 1 && text.charCodeAt(end - 1) === 13) end--;
    const token = push(quote === 34 ? 'string' : 'character', text.slice(from, end), from, end);
    if (!closed) {
      const what = quote === 34 ? 'string' : 'character constant';
      const mark = quote === 34 ? '`"`' : "`'`";
      faults.set(token, {
        origin: { file: token.file, start: token.start, end: token.end },
        rule: 'C-SYNTAX',
        message: `This ${what} is not closed on its line: a ${mark} is missing.`,
      });
    }
    return end;
  }
}

function identifierEnd(text: string, from: number): number {
  let at = from;
  for (;;) {
    const c = text.charCodeAt(at);
    if (c < 128 ? CLASS[c] === LETTER || CLASS[c] === DIGIT : c >= 128 && isLetter(c)) at++;
    else return at;
  }
}

/** pp-number (C11 6.4.8): digits, letters, dots and signed exponents, whatever they may mean. */
function numberEnd(text: string, from: number): number {
  let at = from;
  for (;;) {
    const c = text.charCodeAt(at);
    if (c === 43 || c === 45) {
      const before = text.charCodeAt(at - 1) | 32;
      // `0x1e+1` is one pp-number in C11 as well, though nobody means it; gcc agrees.
      if (before === 101 /* e */ || before === 112 /* p */) at++;
      else return at;
    } else if (c === 46 || (c < 128 && (CLASS[c] === LETTER || CLASS[c] === DIGIT))) at++;
    else return at;
  }
}

function isEncodingPrefix(text: string, from: number, to: number): boolean {
  const prefix = text.slice(from, to);
  return prefix === 'L' || prefix === 'u' || prefix === 'U' || prefix === 'u8';
}
