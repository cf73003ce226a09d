/** What a fix is, and the places in a document that fixes are about. */
import type { SyntaxNode as TreeNode } from '@lezer/common';
import * as t from '../generated/scenario-parser-terms.ts';
import type { ScenarioUnit } from '../scenario/program.ts';
import type { DocumentView } from '../view.ts';
import { lineStart } from './cursor.ts';
import type { TextEdit } from './trial.ts';

/** Something that a check reported about the document, absolute. */
export interface Reported {
  readonly rule: string;
  readonly start: number;
  readonly end: number;
  readonly data: unknown;
}

export interface Fix {
  title: string;
  edits: TextEdit[];
  /** The one to take without looking. */
  preferred?: true;
  /** Without regard to anything but itself, so that all of a file can be done at once. */
  mechanical?: true;
  /** The texts of the edits have placeholders, in LSP's snippet syntax. */
  placeholders?: true;
}

const STATEMENTS: ReadonlySet<number> = new Set([
  t.Step,
  t.SequenceCall,
  t.ExpectStatement,
  t.LetStatement,
  t.ForStatement,
  t.AllowStatement,
]);

/** The innermost statement at an offset. */
export function statementAt(view: DocumentView, offset: number): TreeNode | undefined {
  for (let node: TreeNode | null = view.analysis.tree.resolveInner(offset, 1); node !== null; node = node.parent)
    if (STATEMENTS.has(node.type.id)) return node;
  return undefined;
}

export function unitAt(view: DocumentView, offset: number): ScenarioUnit | undefined {
  return view.analysis.program.scenarios.find((unit) => offset >= unit.start && offset <= unit.end);
}

/** The line end of the document. */
export const newlineOf = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n');

/** What a line is indented by. */
export function indentAt(text: string, offset: number): string {
  const blank = /[ \t]*/y;
  blank.lastIndex = lineStart(text, offset);
  return (blank.exec(text) as RegExpExecArray)[0];
}

/** A line in front of a statement, and in front of the `allow`s that wait for it. */
export function lineBefore(view: DocumentView, statement: TreeNode, line: string): TextEdit {
  let node = statement;
  for (let before = node.prevSibling; before !== null; before = node.prevSibling) {
    if (before.type.id === t.AllowStatement && before.getChild(t.Block) === null) node = before;
    else break;
  }
  const { text } = view.analysis;
  return { from: node.from, to: node.from, text: `${line}${newlineOf(text)}${indentAt(text, node.from)}` };
}

/** Takes a statement away, with its line if nothing else stands on it. */
export function withoutStatement(text: string, from: number, to: number): TextEdit {
  const start = lineStart(text, from);
  const rest = /[ \t]*(?:(?:\/\/|#)[^\r\n]*)?(\r\n|\n|\r|$)/y;
  rest.lastIndex = to;
  const behind = rest.exec(text);
  if (/^[ \t]*$/.test(text.slice(start, from)) && behind !== null)
    return { from: start, to: to + behind[0].length, text: '' };
  return { from, to, text: '' };
}

/** With the blanks in front of it. */
export function withoutClause(text: string, from: number, to: number): TextEdit {
  let start = from;
  while (start > 0 && /[ \t]/.test(text[start - 1])) start--;
  return { from: start, to, text: '' };
}
