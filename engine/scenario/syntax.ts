/**
 * A view of the Lezer tree as plain objects, one statement at a time: what the analysis walks. The tree itself stays the document's; these nodes
 * live as long as the statement is being looked at.
 */
import type { TreeCursor } from '@lezer/common';
import * as t from '../generated/scenario-parser-terms.ts';

export interface SyntaxNode {
  /** A term of scenario-parser-terms.ts; 0 is an error of the parser's. */
  type: number;
  /** Offsets in the document. */
  from: number;
  to: number;
  children: readonly SyntaxNode[];
  /** Something is wrong in it, not counting the lines of blocks. */
  flawed: boolean;
}

/** Deeper nesting than this is nothing that a person wrote; it is cut off. */
const DEEPEST = 100;

const NONE: readonly SyntaxNode[] = [];
export const ERROR = 0;
/** In place of what is nested too deep. */
export const TOO_DEEP = -1;

/** The node under the cursor with everything below it. Comments are left out. The cursor is back where it was afterwards. */
export function syntaxNode(cursor: TreeCursor, depth = 0): SyntaxNode {
  const type = cursor.type.isError ? ERROR : cursor.type.id;
  const { from, to } = cursor;
  if (depth > DEEPEST) return { type: TOO_DEEP, from, to, children: NONE, flawed: true };
  if (!cursor.firstChild()) return { type, from, to, children: NONE, flawed: isFlawType(type) };
  const children: SyntaxNode[] = [];
  let flawed = type === ERROR;
  do {
    if (cursor.type.id === t.LineComment || cursor.type.id === t.DocComment) continue;
    const inner = syntaxNode(cursor, depth + 1);
    if (inner.flawed && !isBlock(inner)) flawed = true;
    children.push(inner);
  } while (cursor.nextSibling());
  cursor.parent();
  return { type, from, to, children, flawed };
}

/** The `n`-th child of one of these types, from 0. */
export function child(node: SyntaxNode, type: number, n = 0): SyntaxNode | undefined {
  for (const c of node.children) if (c.type === type && n-- === 0) return c;
  return undefined;
}

export const isMissing = (node: SyntaxNode): boolean => node.type === t.Missing || node.type === t.MissingHere;

/** Nodes that stand for something wrong with the syntax. */
export const isFlaw = (node: SyntaxNode): boolean => isFlawType(node.type);

const isFlawType = (type: number): boolean =>
  type === ERROR ||
  type === TOO_DEEP ||
  type === t.Stray ||
  type === t.Missing ||
  type === t.MissingHere ||
  type === t.UnclosedBracket ||
  type === t.UnclosedBlock;

export const isBlock = (node: SyntaxNode): boolean =>
  node.type === t.Block ||
  node.type === t.DeclarationBlock ||
  node.type === t.InvariantBlock ||
  node.type === t.Settings ||
  node.type === t.StrayBlock;

/** The first flaw in a node with its parent; blocks are not entered, their lines answer for themselves. */
export function firstFlaw(node: SyntaxNode): { flaw: SyntaxNode; parent: SyntaxNode; index: number } | undefined {
  if (!node.flawed) return undefined;
  const { children } = node;
  for (let index = 0; index < children.length; index++) {
    const c = children[index];
    if (isFlaw(c)) return { flaw: c, parent: node, index };
    if (c.children.length > 0 && !isBlock(c)) {
      const inner = firstFlaw(c);
      if (inner !== undefined) return inner;
    }
  }
  return undefined;
}

/** Text without comments, and every run of spaces and newlines as one space. */
export function oneLine(text: string): string {
  if (!/[\n\r#\t]|\/\/| {2}/.test(text)) return text;
  const plain = text.replace(/"(?:[^"\\\n\r]|\\.)*"?|(?:\/\/|#(?![A-Z]))[^\n\r]*/g, (found) =>
    found[0] === '"' ? found : '',
  );
  return plain.replace(/\s+/g, ' ').trim();
}

/** `///` lines directly above `from`, without the slashes. */
export function docAbove(text: string, from: number): string {
  const lines: string[] = [];
  let end = lineStart(text, from);
  while (end > 0) {
    const start = lineStart(text, end - 1);
    const line = text.slice(start, end).trim();
    if (!line.startsWith('///')) break;
    lines.push(line.slice(3).replace(/^ /, ''));
    end = start;
  }
  return lines.reverse().join('\n');
}

function lineStart(text: string, at: number): number {
  let i = at;
  // A "\r\n" is one line end.
  if (i > 0 && text.charCodeAt(i) === 10 && text.charCodeAt(i - 1) === 13) i--;
  while (i > 0 && text.charCodeAt(i - 1) !== 10 && text.charCodeAt(i - 1) !== 13) i--;
  return i;
}

/** The text between the quotes, escapes resolved; undefined if the closing quote is missing. */
export function stringValue(source: string): string | undefined {
  if (source.length < 2 || !source.endsWith('"')) return undefined;
  const inner = source.slice(1, -1);
  const escapes = /\\(.)/g;
  if (!inner.includes('\\')) return inner;
  // A backslash that escapes the last quote leaves the text open.
  if (/(^|[^\\])(\\\\)*\\$/.test(inner)) return undefined;
  return inner.replace(escapes, (_, c: string) => (c === 'n' ? '\n' : c === 't' ? '\t' : c));
}
