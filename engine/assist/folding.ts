/** What can be folded away in a scenario file: blocks, statements of several lines, runs of comments, and the files it names at its top. */
import type { Tree } from '@lezer/common';
import * as t from '../generated/scenario-parser-terms.ts';

export interface Fold {
  kind: 'block' | 'comment' | 'imports' | 'region';
  /** What remains to be seen ends at `start` and goes on at `end`. */
  start: number;
  end: number;
}

const BRACKETS: ReadonlySet<number> = new Set([
  t.Block,
  t.DeclarationBlock,
  t.InvariantBlock,
  t.Settings,
  t.StrayBlock,
  t.Arguments,
  t.Parameters,
  t.Pattern,
  t.Grouped,
]);
const NAMING: ReadonlySet<number> = new Set([t.UseDeclaration, t.ImportDeclaration, t.StubDeclaration]);

const REGION = /^(?:\/\/|#)\s*#?(end)?region\b/;

/** In the order of their beginnings, outer ones first. Only what spans several lines. */
export function folds(text: string, tree: Tree): Fold[] {
  const found: Fold[] = [];
  let comments: { start: number; end: number } | undefined;
  let imports: { start: number; end: number } | undefined;
  /** The first line end at or after `lookedFrom`: nodes come in their order, so each part of the text is looked at once. */
  let lookedFrom = 0;
  let ending = -1;
  const spansLines = (from: number, to: number): boolean => {
    if (from < lookedFrom || ending < from) {
      lookedFrom = from;
      ending = lineEnd(text, from);
    }
    return ending < to;
  };
  const put = (kind: Fold['kind'], start: number, end: number): void => {
    if (end > start && spansLines(start, end)) found.push({ kind, start, end });
  };
  const flushComments = (): void => {
    if (comments !== undefined) put('comment', lineEnd(text, comments.start), comments.end);
    comments = undefined;
  };
  const flushImports = (): void => {
    if (imports !== undefined) put('imports', lineEnd(text, imports.start), imports.end);
    imports = undefined;
  };
  /** Beginnings of `// region` that have not ended. */
  const regions: number[] = [];
  tree.iterate({
    enter(node) {
      const { from, to } = node;
      const type = node.type.isError ? 0 : node.type.id;
      if (type === t.LineComment || type === t.DocComment) {
        if (!isAlone(text, from)) return false;
        const mark = REGION.exec(text.slice(from, to));
        if (mark !== null) {
          flushComments();
          const opened = mark[1] === undefined ? undefined : regions.pop();
          if (mark[1] === undefined) regions.push(to);
          else if (opened !== undefined) put('region', opened, to);
          return false;
        }
        if (comments !== undefined && isNextLine(text, comments.end, from)) comments.end = to;
        else {
          flushComments();
          comments = { start: from, end: to };
        }
        return false;
      }
      if (NAMING.has(type)) {
        // Blank lines and comments may stand between them.
        if (imports === undefined) imports = { start: from, end: to };
        else imports.end = to;
        return false;
      }
      // Nothing within a line can be folded.
      if (!spansLines(from, to)) {
        if (imports !== undefined && type !== t.Document) flushImports();
        return false;
      }
      if (BRACKETS.has(type)) {
        const open =
          text.charCodeAt(from) === 123 || text.charCodeAt(from) === 40 ? from + 1 : text.indexOf('{', from) + 1;
        const last = text.charCodeAt(to - 1);
        if (open > 0 && open <= to) put('block', open, last === 125 || last === 41 ? to - 1 : to);
      } else if (type !== t.Document && imports !== undefined) flushImports();
      return true;
    },
  });
  flushComments();
  flushImports();
  return found.sort((a, b) => a.start - b.start || b.end - a.end);
}

/** Nothing but white space in front of it on its line. */
function isAlone(text: string, at: number): boolean {
  for (let i = at - 1; i >= 0; i--) {
    const c = text.charCodeAt(i);
    if (c === 10 || c === 13) return true;
    if (c !== 32 && c !== 9) return false;
  }
  return true;
}

/** One line end between two places, and white space. */
const isNextLine = (text: string, from: number, to: number): boolean =>
  /^[ \t]*(?:\r\n|\r|\n)[ \t]*$/.test(text.slice(from, to));

function lineEnd(text: string, at: number): number {
  let i = at;
  while (i < text.length && text.charCodeAt(i) !== 10 && text.charCodeAt(i) !== 13) i++;
  return i;
}
