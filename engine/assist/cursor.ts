/**
 * Where the cursor stands, for completion and signature help: the block around it, from the tree, and the statement in front of it, as tokens that are
 * read anew from its text. While one types, the statement is broken more often than not, and what recovery makes of it depends on what follows; what
 * stands in front of the cursor does not.
 */
import type { SyntaxNode as TreeNode } from '@lezer/common';
import * as t from '../generated/scenario-parser-terms.ts';
import type { Analysis } from '../scenario/analyze.ts';

export interface Token {
  readonly is: 'name' | 'number' | 'string' | 'fault' | 'sign';
  readonly text: string;
  /** Absolute offsets. */
  readonly from: number;
  readonly to: number;
}

/** Brackets and what is in them. One that is not closed holds the cursor. */
export interface Group {
  readonly is: 'group';
  readonly open: '(' | '{';
  readonly from: number;
  readonly items: Item[];
  closed: boolean;
  to: number;
}

export type Item = Token | Group;

/** Told apart from other tokens, so that what is no name can still be one of those. */
export type NameToken = Token & { readonly is: 'name' };

/** What the cursor is in the middle of. */
export interface Word {
  /** In front of the cursor. */
  readonly text: string;
  /** The whole word, absolute. */
  readonly from: number;
  readonly to: number;
}

export type BlockKind = 'file' | 'host' | 'guest' | 'invariant' | 'steps';

export interface Cursor {
  readonly offset: number;
  readonly block: BlockKind;
  /** The block's node; undefined at the top of the file. */
  readonly blockNode: TreeNode | undefined;
  /** Of the statement up to the word, brackets made groups. */
  readonly items: readonly Item[];
  readonly word: Word;
  /** The text the cursor is in: what stands between its quote and the cursor, and its place between the quotes. */
  readonly string: { readonly text: string; readonly from: number; readonly to: number } | undefined;
  readonly inComment: boolean;
}

const BLOCKS: ReadonlySet<number> = new Set([t.Settings, t.InvariantBlock, t.DeclarationBlock, t.Block, t.StrayBlock]);
/** Constructs that go on over a line end. */
const BRACKETED: ReadonlySet<number> = new Set([
  t.Arguments,
  t.Parameters,
  t.Parenthesized,
  t.Grouped,
  t.FaultBits,
  t.Pattern,
  t.Forall,
]);
/** Lines of one statement that are looked at. */
const LINES = 200;

export function cursorAt(analysis: Analysis, offset: number): Cursor {
  const { text } = analysis;
  const at = Math.max(0, Math.min(offset, text.length));
  const blockNode = blockAt(analysis, at);
  const start = Math.max(statementStart(analysis, at), blockNode === undefined ? 0 : afterBrace(text, blockNode));
  return { offset: at, block: kindOf(blockNode), blockNode, ...tokensUpTo(text, Math.min(start, at), at) };
}

// ---------------------------------------------------------------- block

function kindOf(node: TreeNode | undefined): BlockKind {
  if (node === undefined) return 'file';
  if (node.type.id === t.InvariantBlock) return 'invariant';
  if (node.type.id !== t.Settings) return 'steps';
  return node.parent?.type.id === t.HostDeclaration ? 'host' : 'guest';
}

function blockAt(analysis: Analysis, at: number): TreeNode | undefined {
  const found = ancestor(analysis, at, (node) => BLOCKS.has(node.type.id) && holds(analysis.text, node, at));
  if (found !== undefined) return found;
  // Behind a block that is not closed yet, on an indented line: that is where one goes on.
  const before = analysis.text.slice(0, at).trimEnd().length;
  if (before === at || before === 0 || !/[ \t]$/.test(analysis.text.slice(lineStart(analysis.text, at), at)))
    return undefined;
  return ancestor(analysis, before, (node) => BLOCKS.has(node.type.id) && !isClosed(analysis.text, node));
}

function ancestor(analysis: Analysis, at: number, wanted: (node: TreeNode) => boolean): TreeNode | undefined {
  for (let node: TreeNode | null = analysis.tree.resolveInner(at, -1); node !== null; node = node.parent)
    if (wanted(node)) return node;
  return undefined;
}

const isClosed = (text: string, node: TreeNode): boolean =>
  node.lastChild?.type.id === t.BlockClose && text[node.to - 1] === '}';

const afterBrace = (text: string, node: TreeNode): number => {
  const brace = text.indexOf('{', node.from);
  return brace < 0 ? node.from : brace + 1;
};

const holds = (text: string, node: TreeNode, at: number): boolean =>
  at >= afterBrace(text, node) && at <= node.to - (isClosed(text, node) ? 1 : 0);

// ---------------------------------------------------------------- line

export function lineStart(text: string, at: number): number {
  let start = at;
  while (start > 0 && text.charCodeAt(start - 1) !== 10 && text.charCodeAt(start - 1) !== 13) start--;
  return start;
}

/** Start of the line that the statement at the cursor begins on. */
function statementStart(analysis: Analysis, at: number): number {
  const { text } = analysis;
  let start = lineStart(text, at);
  // Nothing within brackets looks like this: what is above was left broken.
  if (STARTS.test(text.slice(start, at))) return start;
  for (let lines = 0; lines < LINES && start > 0; lines++) {
    const around = ancestor(
      analysis,
      start,
      (node) => BRACKETED.has(node.type.id) && node.from < start && node.to >= start,
    );
    // Recovery closes brackets at the end of the line if what follows begins like a statement.
    const goesOn = around !== undefined ? lineStart(text, around.from) : openAbove(text, start);
    if (goesOn >= start) break;
    start = goesOn;
  }
  return start;
}

/** No argument has a single dot, or a keyword in front of a name. */
const STARTS = /^[ \t]*(?:[A-Za-z_]\w*[ \t]*\.(?!\.)|(?:expect|let|for|allow)[ \t])/;

/** Lines above that are looked at for a bracket that is still open. */
const LINES_ABOVE = 20;
const BEGINS =
  /^[ \t]*(?:\}|(?:expect|let|for|allow|scenario|guest|host|sequence|invariant|use|import|stub)\b|[A-Za-z_]\w*[ \t]*[.(])/;

/** Start of the nearest line above whose brackets reach down to here; `start` if there is none. */
function openAbove(text: string, start: number): number {
  for (let line = start, lines = 0; line > 0 && lines < LINES_ABOVE; lines++) {
    line = lineStart(text, line - 1);
    if (leavesOpen(text.slice(line, start))) return line;
    if (BEGINS.test(text.slice(line, start))) return start;
  }
  return start;
}

/** Whether a bracket is not closed, a block's brace apart. */
function leavesOpen(lines: string): boolean {
  const plain = lines.replace(/"(?:[^"\\\r\n]|\\.)*"?|\/\/.*/g, '');
  return count(plain, '(') > count(plain, ')') || /\bis\s+(?:not\s+)?\{[^}]*$/.test(plain);
}

const count = (text: string, what: string): number => text.split(what).length - 1;

// ---------------------------------------------------------------- tokens

const TOKEN =
  /([ \t\v\f\u00a0\ufeff\r\n]+)|(\/\/[^\r\n]*)|("(?:[^"\\\r\n]|\\[^\r\n])*"?)|([0-9][0-9A-Za-z_]*)|([A-Za-z_\u00a1-\ufefe][\w\u00a1-\ufefe]*)|(\.\.|=>|<<|>>)|(#)|([\s\S])/guy;
const DASHED = /[\w\u00a1-\ufefe]+(?:-[\w\u00a1-\ufefe]+)*-?/uy;
const FAULT = /#[A-Za-z]*/uy;

type Tokens = Pick<Cursor, 'items' | 'word' | 'string' | 'inComment'>;

function tokensUpTo(text: string, from: number, at: number): Tokens {
  const tokens: Token[] = [];
  const nothing: Word = { text: '', from: at, to: wordEnd(text, at, '') };
  for (let i = from; i < at; ) {
    const last = tokens.at(-1);
    if (text[i] === '#') {
      // `#NPF` where an outcome stands; anywhere else a comment.
      if (last?.text !== '=>') {
        const end = lineEnd(text, i);
        if (at <= end) return { items: [], word: nothing, string: undefined, inComment: true };
        i = end;
        continue;
      }
      FAULT.lastIndex = i;
      const fault = (FAULT.exec(text) as RegExpExecArray)[0];
      tokens.push({ is: 'fault', text: fault, from: i, to: i + fault.length });
      i += fault.length;
      continue;
    }
    TOKEN.lastIndex = i;
    const match = TOKEN.exec(text) as RegExpExecArray;
    let found = match[0];
    if (match[2] !== undefined) {
      if (at <= i + found.length) return { items: [], word: nothing, string: undefined, inComment: true };
    } else if (match[3] !== undefined) {
      const closed = found.length > 1 && found.endsWith('"') && !/(?:^|[^\\])(?:\\\\)*\\"$/.test(found);
      const end = i + found.length - (closed ? 1 : 0);
      if (at <= end) {
        const string = { text: text.slice(i + 1, at), from: i + 1, to: Math.max(end, at) };
        return { items: grouped(tokens), word: nothing, string, inComment: false };
      }
      tokens.push({ is: 'string', text: found, from: i, to: i + found.length });
    } else if (match[1] === undefined) {
      if (match[5] !== undefined && (last?.text === 'allow' || last?.text === 'option')) {
        DASHED.lastIndex = i;
        found = (DASHED.exec(text) as RegExpExecArray)[0];
      }
      const is = match[4] !== undefined ? 'number' : match[5] !== undefined ? 'name' : 'sign';
      tokens.push({ is, text: found, from: i, to: i + found.length });
    }
    i += found.length;
  }
  const last = tokens.at(-1);
  if (last === undefined || last.to < at || last.is === 'sign' || last.is === 'string')
    return { items: grouped(tokens), word: nothing, string: undefined, inComment: false };
  tokens.pop();
  const word = { text: text.slice(last.from, at), from: last.from, to: wordEnd(text, at, last.text) };
  return { items: grouped(tokens), word, string: undefined, inComment: false };
}

/** End of the word that the cursor is in. */
function wordEnd(text: string, at: number, word: string): number {
  const part = word.includes('-') ? /[\w\u00a1-\ufefe-]*/uy : /[\w\u00a1-\ufefe]*/uy;
  part.lastIndex = at;
  return at + (part.exec(text) as RegExpExecArray)[0].length;
}

function lineEnd(text: string, at: number): number {
  const match = /[\r\n]/g;
  match.lastIndex = at;
  return match.exec(text)?.index ?? text.length;
}

function grouped(tokens: readonly Token[]): Item[] {
  const top: Item[] = [];
  const open: Group[] = [];
  for (const token of tokens) {
    const into = open.at(-1)?.items ?? top;
    if (token.text === '(' || token.text === '{') {
      const group: Group = { is: 'group', open: token.text, from: token.from, items: [], closed: false, to: token.to };
      into.push(group);
      open.push(group);
    } else if (token.text === ')' || token.text === '}') {
      const group = open.pop();
      if (group === undefined) continue;
      group.closed = true;
      group.to = token.to;
    } else into.push(token);
  }
  return top;
}

/** `a, b c, d` in parts; the last is what the cursor is in. */
export function split(items: readonly Item[]): Item[][] {
  const parts: Item[][] = [[]];
  for (const item of items) {
    if (item.is !== 'group' && item.text === ',') parts.push([]);
    else (parts.at(-1) as Item[]).push(item);
  }
  return parts;
}

export const isName = (item: Item | undefined, text?: string): item is NameToken =>
  item?.is === 'name' && (text === undefined || item.text === text);

export const isSign = (item: Item | undefined, text: string): boolean => item?.is === 'sign' && item.text === text;

export const isOpen = (item: Item | undefined): item is Group & { closed: false } =>
  item?.is === 'group' && !item.closed;
