/**
 * The tokens of the scenario language that depend on where they stand: line ends, keywords, and the marks that close what was left open.
 *
 * - A newline ends a statement, but is space inside brackets. {@link brackets} counts the open brackets for that.
 * - A keyword is one only where the grammar can take it and where what follows does not make it a name: `expect rmp(…)` but `expect.read(0)`.
 * - An open bracket ends where the next line is plainly a new statement, an open block where a new declaration begins. Both are tokens of length 0,
 *   so that a missing `)` or `}` costs its own line or block and the tree below stays whole.
 */
import { ContextTracker, ExternalTokenizer, type InputStream } from '@lezer/lr';
import * as t from '../generated/scenario-parser-terms.ts';

const NEWLINE = 10;
const RETURN = 13;

const isNewline = (c: number) => c === NEWLINE || c === RETURN;
const isSpace = (c: number) => c === 32 || c === 9 || c === 11 || c === 12 || c === 0xa0 || c === 0xfeff;
const isDigit = (c: number) => c >= 48 && c <= 57;
/** Letters beyond ASCII are taken into names, so that a wrong letter is one wrong name and not a heap of stray characters. */
const isNameStart = (c: number) =>
  (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95 || (c > 0xa0 && c !== 0xfeff);
const isNamePart = (c: number) => isNameStart(c) || isDigit(c);

/** Offset of the first character at or after `at` that is no space on this line. */
function skipSpaces(input: InputStream, at: number): number {
  while (isSpace(input.peek(at))) at++;
  return at;
}

/** Characters of comments that are looked over for what follows them: each of their lines asks, so it cannot be all of a long text. */
const FARTHEST = 2000;

/** Offset of the first character at or after `at` that is neither space, newline nor comment; of a comment if that is far away. */
function skipBlank(input: InputStream, at: number): number {
  const limit = at + FARTHEST;
  for (;;) {
    const c = input.peek(at);
    if (at > limit) return at;
    if (isSpace(c) || isNewline(c)) at++;
    else if (c === 35 || (c === 47 && input.peek(at + 1) === 47)) {
      while (input.peek(at) >= 0 && !isNewline(input.peek(at))) at++;
    } else return at;
  }
}

/** The longest word that means something to this file, in characters. */
const LONGEST_WORD = 16;

function wordAt(input: InputStream, at: number): string {
  let word = '';
  for (let c = input.peek(at); isNamePart(c); c = input.peek(++at)) {
    if (word.length > LONGEST_WORD) return '';
    word += String.fromCharCode(c);
  }
  return word;
}

function nameEnd(input: InputStream, at: number): number {
  while (isNamePart(input.peek(at))) at++;
  return at;
}

// ---------------------------------------------------------------- brackets

interface Depth {
  readonly open: number;
}
// One object per depth: Lezer compares contexts by identity.
const depths: Depth[] = [{ open: 0 }];
const DEEPEST = 10_000;
function depth(open: number): Depth {
  if (open <= 0) return depths[0];
  const bounded = Math.min(open, DEEPEST);
  while (depths.length <= bounded) depths.push({ open: depths.length });
  return depths[bounded];
}

let openers: Set<number> | undefined;
let bracketed: Set<number> | undefined;
let statements: Set<number> | undefined;

/** How many brackets are open. Counted when a bracket is read and when the construct it belongs to is complete. */
export const brackets = new ContextTracker<Depth>({
  start: depths[0],
  shift(context, term) {
    openers ??= new Set([t.callOpen, t.ParenOpen, t.PatternOpen, t.kwForall]);
    return openers.has(term) ? depth(context.open + 1) : context;
  },
  reduce(context, term) {
    bracketed ??= new Set([t.Arguments, t.Parameters, t.Parenthesized, t.Grouped, t.FaultBits, t.Pattern]);
    if (bracketed.has(term)) return depth(context.open - 1);
    // Recovery can complete a statement without its brackets: a new statement always starts outside.
    statements ??= new Set([
      t.Step,
      t.SequenceCall,
      t.ExpectStatement,
      t.LetStatement,
      t.ForStatement,
      t.AllowStatement,
      t.SequenceDeclaration,
      t.StubDeclaration,
      t.Setting,
      t.Forall,
    ]);
    return statements.has(term) ? depths[0] : context;
  },
  hash: (context) => context.open,
});

// ---------------------------------------------------------------- what begins here?

/** A word that begins a declaration, with what must follow it. Only declarations, so that it ends an open block. */
function startsDeclaration(input: InputStream, at: number): boolean {
  const word = wordAt(input, at);
  const after = skipSpaces(input, at + word.length);
  const c = input.peek(after);
  switch (word) {
    case 'scenario':
      return c === 34 || (isNameStart(c) && input.peek(skipSpaces(input, nameEnd(input, after))) === 123);
    case 'import':
      return c === 34;
    case 'host':
      return c === 123;
    case 'use': {
      const what = wordAt(input, after);
      return what === 'kernel' || what === 'patch' || what === 'source';
    }
    case 'guest':
      return isNameStart(c) && input.peek(skipSpaces(input, nameEnd(input, after))) === 123;
    case 'sequence':
      return isNameStart(c) && input.peek(skipSpaces(input, nameEnd(input, after))) === 40;
    case 'stub':
      return isNameStart(c) && wordAt(input, skipSpaces(input, nameEnd(input, after))) === 'returns';
    default:
      return false;
  }
}

/** Is what stands here plainly a new statement, so that brackets open before it were forgotten? */
function startsStatement(input: InputStream, at: number): boolean {
  const first = input.peek(at);
  if (first < 0 || first === 125) return true;
  if (!isNameStart(first)) return false;
  const end = nameEnd(input, at);
  const after = skipSpaces(input, end);
  const c = input.peek(after);
  // `vmm.read`: no argument has a single dot in it.
  if (c === 46) return input.peek(after + 1) !== 46;
  if (isNewline(c)) return wordAt(input, at) === 'expect';
  if (after === end) return false;
  switch (wordAt(input, at)) {
    case 'expect':
      return isNameStart(c);
    case 'let':
      return isNameStart(c) && input.peek(skipSpaces(input, nameEnd(input, after))) === 61;
    case 'for':
      return isNameStart(c) && wordAt(input, skipSpaces(input, nameEnd(input, after))) === 'in';
    case 'allow':
    case 'forall':
      return isNameStart(c);
    default:
      return startsDeclaration(input, at);
  }
}

export const lines = new ExternalTokenizer(
  (input, stack) => {
    const c = input.next;
    if ((stack.context as Depth).open > 0) {
      if (c === 125 && !stack.canShift(t.BlockClose) && stack.canShift(t.UnclosedBracket)) {
        // The brace of a block around it.
        input.acceptToken(t.UnclosedBracket);
        return;
      }
      if (c >= 0 && !isNewline(c)) return;
      if (c >= 0 && !startsStatement(input, skipBlank(input, 0))) input.acceptToken(t.bracketNewline, 1);
      else if (stack.canShift(t.UnclosedBracket)) input.acceptToken(t.UnclosedBracket);
      else if (stack.canShift(t.Missing)) input.acceptToken(t.Missing);
      else if ((c < 0 || startsDeclaration(input, skipBlank(input, 0))) && stack.canShift(t.UnclosedBlock))
        input.acceptToken(t.UnclosedBlock);
      else if (c >= 0) acceptLineEnd(input);
    } else if (c < 0 || isNewline(c)) {
      const ends = c < 0 || startsDeclaration(input, skipBlank(input, 0));
      if (ends && stack.canShift(t.UnclosedBlock)) input.acceptToken(t.UnclosedBlock);
      else if ((ends || !stack.canShift(t.lineEnd)) && stack.canShift(t.Missing)) input.acceptToken(t.Missing);
      else if (c >= 0) acceptLineEnd(input);
    }
  },
  { contextual: true },
);

/**
 * Runs where no other token fits. First something that is missing is supposed to be there; then the rest of the line is left aside, up to a brace
 * or comment, so that blocks still match.
 */
export const misfits = new ExternalTokenizer(
  (input, stack) => {
    if (stack.canShift(t.MissingHere)) {
      input.acceptToken(t.MissingHere);
      return;
    }
    if (stack.canShift(t.Stray)) {
      stray(input);
      return;
    }
    if (!stack.canShift(t.Junk)) return;
    let length = 0;
    for (let quoted = false; input.next >= 0 && !isNewline(input.next); length++) {
      const c = input.next;
      if (c === 34) quoted = !quoted;
      else if (!quoted && (c === 123 || c === 125 || (c === 47 && input.peek(1) === 47))) break;
      input.advance();
    }
    if (length > 0) input.acceptToken(t.Junk);
  },
  { contextual: true, fallback: true },
);

/** Up to the comma or bracket that ends it, or the end of the line; brackets inside are passed over. */
function stray(input: InputStream): void {
  let open = 0;
  let length = 0;
  for (; input.next >= 0 && !isNewline(input.next); length++) {
    const c = input.next;
    if (c === 40 || c === 123) open++;
    else if (c === 41 || c === 125) {
      if (open-- === 0 && length > 0) break;
    } else if (open <= 0 && length > 0 && c === 44) break;
    else if (length > 0 && c === 47 && input.peek(1) === 47) break;
    input.advance();
  }
  if (length > 0) input.acceptToken(t.Stray);
}

/** One token for the newline and the blank lines and indentation after it. */
function acceptLineEnd(input: InputStream): void {
  while (isNewline(input.next) || isSpace(input.next)) input.advance();
  input.acceptToken(t.lineEnd);
}

// ---------------------------------------------------------------- words

let keywords: Map<string, number> | undefined;
/** Words at the beginning of a statement, where a guest or a sequence of that name could stand too. */
const statementWords = new Set([
  'use',
  'import',
  'host',
  'guest',
  'stub',
  'sequence',
  'invariant',
  'scenario',
  'let',
  'for',
  'allow',
  'expect',
  'option',
]);

export const words = new ExternalTokenizer(
  (input, stack) => {
    const c = input.next;
    if (isNameStart(c)) name(input, stack);
    else if (c === 35) faultName(input, stack);
    else if (c === 43) rangePlus(input, stack);
    else if (c === 40) callOpen(input, stack);
  },
  { contextual: true },
);

type Stack = Parameters<ConstructorParameters<typeof ExternalTokenizer>[0]>[1];

function name(input: InputStream, stack: Stack): void {
  // Names with dashes exist only where a rule or an option is named.
  const dashed = stack.canShift(t.RuleName) ? t.RuleName : stack.canShift(t.OptionName) ? t.OptionName : 0;
  if (dashed !== 0) {
    while (isNamePart(input.next) || (input.next === 45 && isNamePart(input.peek(1)))) input.advance();
    input.acceptToken(dashed);
    return;
  }
  const word = wordAt(input, 0);
  const end = nameEnd(input, 0);
  if (word === 'parallel' || word === 'matrix' || word === 'invariant') {
    const after = input.peek(skipSpaces(input, end));
    const declared = word === 'invariant' && stack.canShift(t.kwInvariant);
    if ((after === 123 || after === 34) && stack.canShift(t.Reserved) && !declared) {
      reserved(input, end);
      return;
    }
  }
  keywords ??= keywordTerms();
  const term = keywords.get(word);
  if (term !== undefined && stack.canShift(term) && !isName(input, word, end)) input.acceptToken(term, end);
  else input.acceptToken(t.Name, end);
}

/** Does what follows make this word a name, though a keyword could stand here? */
function isName(input: InputStream, word: string, end: number): boolean {
  const c = input.peek(skipSpaces(input, end));
  if (word === 'all') return c === 40;
  if (!statementWords.has(word)) return false;
  if (word === 'host') return c !== 123 && !isNewline(c) && c >= 0;
  return c === 46 || (c === 40 && word !== 'for') || (c === 61 && input.peek(skipSpaces(input, end) + 1) === 62);
}

function keywordTerms(): Map<string, number> {
  return new Map([
    ['use', t.kwUse],
    ['import', t.kwImport],
    ['host', t.kwHost],
    ['guest', t.kwGuest],
    ['stub', t.kwStub],
    ['returns', t.kwReturns],
    ['sequence', t.kwSequence],
    ['invariant', t.kwInvariant],
    ['scenario', t.kwScenario],
    ['option', t.kwOption],
    ['let', t.kwLet],
    ['for', t.kwFor],
    ['in', t.kwIn],
    ['step', t.kwStep],
    ['allow', t.kwAllow],
    ['expect', t.kwExpect],
    ['all', t.kwAll],
    ['is', t.kwIs],
    ['not', t.kwNot],
    ['contains', t.kwContains],
    ['forall', t.kwForall],
    ['of', t.kwOf],
    ['implies', t.kwImplies],
    ['and', t.kwAnd],
    ['or', t.kwOr],
  ]);
}

/** `#NPF`, where an outcome can stand; elsewhere `#` begins a comment. */
function faultName(input: InputStream, stack: Stack): void {
  const c = input.peek(1);
  if (!(c >= 65 && c <= 90) || !stack.canShift(t.FaultName)) return;
  input.acceptToken(t.FaultName, nameEnd(input, 1));
}

/** The `+` of a length, `64K +4K`: space before it and none after. In a sum the space is on both sides or on neither. */
function rangePlus(input: InputStream, stack: Stack): void {
  const after = input.peek(1);
  if (isSpace(input.peek(-1)) && !isSpace(after) && !isNewline(after) && stack.canShift(t.rangePlus))
    input.acceptToken(t.rangePlus, 1);
}

/** The `(` of a call stands after a name; any other groups. Told apart here because `gpa (0)` and `gpa 0` begin alike. */
function callOpen(input: InputStream, stack: Stack): void {
  let before = -1;
  while (isSpace(input.peek(before))) before--;
  if (isNamePart(input.peek(before)) && stack.canShift(t.callOpen)) input.acceptToken(t.callOpen, 1);
}

/** A construct that is reserved for later: everything up to its closing brace, or its line if there is none. */
function reserved(input: InputStream, at: number): void {
  let open = 0;
  for (;;) {
    const c = input.peek(at);
    if (c < 0) break;
    if (isNewline(c)) {
      if (open === 0) break;
      if (startsDeclaration(input, skipBlank(input, at))) break;
    }
    at++;
    if (c === 123) open++;
    else if (c === 125 && --open <= 0) break;
  }
  input.acceptToken(t.Reserved, at);
}
