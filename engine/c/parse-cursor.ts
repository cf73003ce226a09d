/**
 * The parser's state: where it is in an item's tokens, in which scope, and whether the present statement has failed.
 *
 * Parsing never throws. The first error of a statement is kept in `failure`, and from then on the current token is the end: every production
 * sees the end, returns what it has, and the statement's production turns the failure into a problem and goes on behind the statement.
 */
import type { Origin } from '../vm/bytecode.ts';
import { message } from './messages.ts';
import { type CSymbol, Scope, type VariableSymbol } from './scope.ts';
import type { CaseStatement, Expression } from './syntax.ts';
import type { Token } from './token.ts';
import type { CType } from './types.ts';

export const MAX_DEPTH = 200;
/** Highest expression tree: bounds the recursion of everything that walks one. */
export const MAX_HEIGHT = 400;

export interface Failure {
  origin: Origin;
  message: string;
}

/** Words that are never identifiers. */
const KEYWORDS = new Set(
  (
    'auto break case char const continue default do double else enum extern float for goto if inline int long register restrict return short ' +
    'signed sizeof static struct switch typedef union unsigned void volatile while _Alignas _Alignof _Atomic _Bool _Complex _Generic _Noreturn ' +
    '_Static_assert _Thread_local typeof __typeof__ __typeof __auto_type asm __asm__ __asm __alignof__ __attribute__ __attribute __extension__ ' +
    '__inline __inline__ __const __const__ __volatile__ __volatile __restrict __restrict__ __signed__ __int128 __label__'
  ).split(' '),
);
export const isKeyword = (text: string): boolean => KEYWORDS.has(text);

export class Parser {
  readonly tokens: Token[];
  scope: Scope;
  /** The token looked at. */
  token: Token;
  position = 0;
  failure: Failure | undefined;
  depth = 0;
  /** For `__func__` and for the type of `return`. */
  functionName: string | undefined;
  returns: CType | undefined;
  /** Set while a loop's controlling expression is read: the variables named in it. */
  controls: Set<CSymbol> | undefined;
  /** The switch whose cases are being read. */
  switch: { cases: CaseStatement[]; type: CType } | undefined;
  /** Compound literals of the block being read. */
  literals: VariableSymbol[] = [];
  /** Labels and cases read so far. */
  labels = 0;
  readonly labelNames = new Set<string>();
  private readonly end: Token;

  constructor(tokens: Token[], scope: Scope) {
    this.tokens = tokens;
    this.scope = scope;
    const last = tokens[tokens.length - 1];
    this.end =
      last !== undefined && last.kind === 'end'
        ? last
        : {
            kind: 'end',
            text: '',
            file: last?.file ?? 0,
            start: last?.end ?? 0,
            end: last?.end ?? 0,
            spaceBefore: false,
            lineStart: false,
          };
    this.token = tokens[0] ?? this.end;
  }

  is(text: string): boolean {
    return this.token.text === text && this.token.kind !== 'end';
  }
  atEnd(): boolean {
    return this.token.kind === 'end';
  }
  peek(ahead = 1): Token {
    return this.failure !== undefined ? this.end : (this.tokens[this.position + ahead] ?? this.end);
  }
  advance(): void {
    if (this.failure !== undefined || this.token.kind === 'end') return;
    this.position++;
    this.token = this.tokens[this.position] ?? this.end;
  }
  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.advance();
    return true;
  }
  expect(text: string): boolean {
    if (this.accept(text)) return true;
    this.fail(message.expected(`\`${text}\``, this.found()));
    return false;
  }
  found(): string {
    return this.token.kind === 'end' ? 'the end' : `\`${this.token.text}\``;
  }
  isIdentifier(): boolean {
    return this.token.kind === 'identifier' && !KEYWORDS.has(this.token.text);
  }

  fail(text: string, origin: Origin = originOf(this.token)): void {
    if (this.failure !== undefined) return;
    this.failure = { origin, message: text };
    this.token = this.end;
  }
  /** Clear the failure and go on at a token position. */
  resume(position: number): void {
    this.failure = undefined;
    this.position = position;
    this.token = this.tokens[position] ?? this.end;
  }

  /** Count a level of nesting; false (and a failure) when there are too many. */
  enter(): boolean {
    if (++this.depth <= MAX_DEPTH) return true;
    this.fail(message.tooDeep());
    return false;
  }
  leave(): void {
    this.depth--;
  }

  /** From a token to the last one taken. */
  originFrom(start: Token): Origin {
    const last = this.tokens[this.position - 1] ?? start;
    return spanning(start, last);
  }

  inScope<T>(body: () => T): T {
    const outer = this.scope;
    this.scope = new Scope([outer]);
    const result = body();
    this.scope = outer;
    return result;
  }

  /** Position of the token behind the bracket that matches the one at `position`; the end if there is none. */
  matching(position: number): number {
    let depth = 0;
    for (let i = position; i < this.tokens.length; i++) {
      const { text, kind } = this.tokens[i];
      if (kind === 'end') return i;
      if (kind !== 'punctuator') continue;
      if (text === '(' || text === '[' || text === '{') depth++;
      else if ((text === ')' || text === ']' || text === '}') && --depth <= 0) return i + 1;
    }
    return this.tokens.length;
  }
}

export const originOf = (t: Token): Origin => ({ file: t.file, start: t.start, end: t.end });

/** The range from one token to another; when a macro or include takes them to different files, the first alone. */
export function spanning(first: Token, last: Token): Origin {
  if (first.file !== last.file || last.end < first.start) return originOf(first);
  return { file: first.file, start: first.start, end: Math.max(first.end, last.end) };
}

export function joined(a: Expression, b: Expression): Origin {
  if (a.origin.file !== b.origin.file || b.origin.end < a.origin.start) return a.origin;
  return {
    file: a.origin.file,
    start: Math.min(a.origin.start, b.origin.start),
    end: Math.max(a.origin.end, b.origin.end),
  };
}
