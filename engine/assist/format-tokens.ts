/**
 * What the formatter sees of a scenario file: its tokens in order, each with the blocks it stands in and the statement it belongs to, and which lines
 * are not to be touched because something is wrong with them.
 */
import type { Tree } from '@lezer/common';
import * as t from '../generated/scenario-parser-terms.ts';

export interface FormatToken {
  from: number;
  to: number;
  /** A term of scenario-parser-terms.ts; 0 for punctuation that has no term of its own. */
  type: number;
  /** Of the node around it. */
  parent: number;
  /** Open blocks around it. The braces of a block stand outside of it. */
  depth: number;
  /** Where the statement or declaration begins whose words it belongs to; -1 between them, and for the braces of blocks. */
  statement: number;
}

export interface FormatTokens {
  tokens: readonly FormatToken[];
  /** Starts of statements that something is wrong with. */
  broken: ReadonlySet<number>;
  /** Stretches that are left as they are, wherever they stand: what fits no statement, and constructs that are only reserved. */
  frozen: readonly { from: number; to: number }[];
}

const BLOCKS: ReadonlySet<number> = new Set([t.Block, t.DeclarationBlock, t.InvariantBlock, t.Settings, t.StrayBlock]);

const STATEMENTS: ReadonlySet<number> = new Set([
  t.UseDeclaration,
  t.ImportDeclaration,
  t.HostDeclaration,
  t.GuestDeclaration,
  t.StubDeclaration,
  t.SequenceDeclaration,
  t.InvariantDeclaration,
  t.ScenarioDeclaration,
  t.LetStatement,
  t.ForStatement,
  t.AllowStatement,
  t.ExpectStatement,
  t.Step,
  t.SequenceCall,
  t.Setting,
  t.Forall,
]);

/** Nodes that are one token. */
const LEAVES: ReadonlySet<number> = new Set([
  ...Object.entries(t).flatMap(([name, id]) => (name.startsWith('kw') ? [id] : [])),
  t.Name,
  t.Number,
  t.String,
  t.RuleName,
  t.OptionName,
  t.FaultName,
  t.Arrow,
  t.Times,
  t.Plus,
  t.Minus,
  t.Shift,
  t.And,
  t.Or,
  t.ParenOpen,
  t.PatternOpen,
  t.BlockOpen,
  t.BlockClose,
  t.LineComment,
  t.DocComment,
]);

const FROZEN: ReadonlySet<number> = new Set([t.Junk, t.Stray, t.StrayBrace, t.Reserved]);
const MISSING: ReadonlySet<number> = new Set([t.Missing, t.MissingHere, t.UnclosedBracket]);

export const isComment = (type: number): boolean => type === t.LineComment || type === t.DocComment;
export const isBlockBrace = (token: FormatToken): boolean =>
  (token.type === t.BlockOpen || token.type === t.BlockClose) && BLOCKS.has(token.parent);

/** @param from, to where to look: beginning and end of declarations, or the whole text */
export function formatTokens(text: string, tree: Tree, from = 0, to = text.length): FormatTokens {
  const first = from;
  const last = to;
  const tokens: FormatToken[] = [];
  const broken = new Set<number>();
  const frozen: { from: number; to: number }[] = [];
  /** Types of the nodes around, and the statement that is current in each. */
  const types: number[] = [];
  const statements: number[] = [];
  let depth = 0;
  let at = first;
  const opened: boolean[] = [];

  const punctuation = (to: number): void => {
    const parent = types[types.length - 1] ?? t.Document;
    const statement = statements[statements.length - 1] ?? -1;
    while (at < to) {
      const c = text.charCodeAt(at);
      if (isSpace(c)) {
        at++;
        continue;
      }
      const length = c === 46 && text.charCodeAt(at + 1) === 46 ? 2 : 1;
      tokens.push({ from: at, to: at + length, type: 0, parent, depth, statement });
      at += length;
    }
  };

  tree.iterate({
    from: first,
    to: last,
    enter(node) {
      const { from, to } = node;
      const type = node.type.isError ? 0 : node.type.id;
      // Declarations that only touch the stretch.
      if (
        types.length === 1 &&
        (to < first || from > last || (to === first && from < to) || (from === last && from < to))
      )
        return false;
      punctuation(Math.max(first, from));
      const parent = types[types.length - 1] ?? t.Document;
      const statement = statements[statements.length - 1] ?? -1;
      if (node.type.isError || FROZEN.has(type)) {
        frozen.push({ from, to });
        if (statement >= 0) broken.add(statement);
        tokens.push({ from, to, type, parent, depth, statement });
        at = Math.max(at, to);
        return false;
      }
      if (MISSING.has(type)) {
        if (statement >= 0) broken.add(statement);
        return false;
      }
      if (BLOCKS.has(type)) {
        opened.push(false);
        types.push(type);
        statements.push(-1);
        if (type === t.StrayBlock) frozen.push({ from, to: from });
        return true;
      }
      if (LEAVES.has(type)) {
        if (type === t.BlockOpen && BLOCKS.has(parent)) {
          tokens.push({ from, to, type, parent, depth, statement: -1 });
          opened[opened.length - 1] = true;
          depth++;
        } else if (type === t.BlockClose && BLOCKS.has(parent)) {
          const inside = opened[opened.length - 1] ? depth - 1 : depth;
          tokens.push({ from, to, type, parent, depth: inside, statement: -1 });
        } else tokens.push({ from, to, type, parent, depth, statement });
        at = Math.max(at, to);
        return false;
      }
      types.push(type);
      statements.push(STATEMENTS.has(type) ? from : statement);
      return true;
    },
    leave(node) {
      punctuation(Math.min(last, node.to));
      types.pop();
      statements.pop();
      if (BLOCKS.has(node.type.id) && opened.pop()) depth--;
    },
  });
  punctuation(last);
  return { tokens, broken, frozen };
}

/** What the grammar skips, and newlines. */
const isSpace = (c: number): boolean => c === 32 || (c >= 9 && c <= 13) || c === 0xa0 || c === 0xfeff;
