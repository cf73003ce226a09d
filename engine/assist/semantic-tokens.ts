/**
 * What every word of a scenario file is, for colouring: from the syntax, and for names from what they are bound to. Tokens of a scenario are found once
 * and kept with it; an edit elsewhere costs nothing.
 */
import type { TreeCursor } from '@lezer/common';
import * as t from '../generated/scenario-parser-terms.ts';
import type { Analysis } from '../scenario/analyze.ts';
import { operandWords } from '../scenario/operations.ts';
import type { ScenarioUnit } from '../scenario/program.ts';
import { ACTORS, INSTRUCTIONS } from '../scenario/words.ts';

/** The protocol's names, in the order of their numbers. */
export const TOKEN_TYPES = [
  'keyword',
  'comment',
  'string',
  'number',
  'operator',
  'class',
  'variable',
  'parameter',
  'property',
  'enumMember',
  'function',
  'method',
  'type',
] as const;
export const TOKEN_MODIFIERS = ['declaration', 'readonly', 'documentation', 'defaultLibrary'] as const;

type TypeName = (typeof TOKEN_TYPES)[number];
type ModifierName = (typeof TOKEN_MODIFIERS)[number];

/** Types that a grammar finds as well: left out for editors that have one. */
export const SYNTACTIC_TYPES = 5;

const typeOf = (name: TypeName, ...modifiers: ModifierName[]): number =>
  TOKEN_TYPES.indexOf(name) | (modifiers.reduce((bits, m) => bits | (1 << TOKEN_MODIFIERS.indexOf(m)), 0) << 8);

const KEYWORD = typeOf('keyword');
const COMMENT = typeOf('comment');
const DOC_COMMENT = typeOf('comment', 'documentation');
const STRING = typeOf('string');
const NAME_STRING = typeOf('string', 'declaration');
const NUMBER = typeOf('number');
const OPERATOR = typeOf('operator');
const GUEST = typeOf('class');
const GUEST_DECLARED = typeOf('class', 'declaration');
const LET = typeOf('variable', 'readonly');
const LET_DECLARED = typeOf('variable', 'declaration', 'readonly');
const LOOP = typeOf('variable');
const LOOP_DECLARED = typeOf('variable', 'declaration');
const PARAMETER = typeOf('parameter');
const PARAMETER_DECLARED = typeOf('parameter', 'declaration');
const PROPERTY = typeOf('property');
const WORD = typeOf('enumMember');
const SEQUENCE = typeOf('function');
const SEQUENCE_DECLARED = typeOf('function', 'declaration');
const BUILT_IN = typeOf('function', 'defaultLibrary');
const OPERATION = typeOf('method');
const ACTOR = typeOf('variable', 'defaultLibrary');
const DOMAIN = typeOf('type', 'defaultLibrary');
const NONE = -1;

/**
 * Tokens in the order of the text, four numbers each: line, character, length, and what it is (type in the low byte, modifiers above). Lines count from
 * that of the stretch, characters in its first line from its beginning.
 */
export type SemanticTokens = readonly number[];

const kept = new WeakMap<ScenarioUnit, SemanticTokens>();

/** A stretch of the document with its tokens. */
export interface TokenChunk {
  start: number;
  end: number;
  tokens: SemanticTokens;
}

/** The tokens of a document between two places, in chunks that follow each other. */
export function* semanticTokens(analysis: Analysis, from = 0, to = analysis.text.length): Iterable<TokenChunk> {
  const units = new Map(analysis.program.scenarios.map((unit) => [unit.start, unit]));
  const cursor = analysis.tree.cursor();
  if (!cursor.firstChild()) return;
  do {
    if (cursor.to < from || cursor.from > to) continue;
    const { from: start, to: end } = cursor;
    const unit = cursor.type.id === t.ScenarioDeclaration ? units.get(start) : undefined;
    let tokens = unit === undefined ? undefined : kept.get(unit);
    if (tokens === undefined) {
      tokens = new Walk(analysis, start).run(cursor);
      if (unit !== undefined) kept.set(unit, tokens);
    }
    if (tokens.length > 0) yield { start, end, tokens };
  } while (cursor.nextSibling());
}

const KEYWORDS: ReadonlySet<number> = new Set(
  Object.entries(t).flatMap(([name, id]) => (name.startsWith('kw') ? [id] : [])),
);
const OPERATORS: ReadonlySet<number> = new Set([t.Arrow, t.Times, t.Plus, t.Minus, t.Shift, t.And, t.Or]);
const WORDS: ReadonlySet<string> = new Set([...operandWords, ...INSTRUCTIONS]);
const SETTING_WORDS: ReadonlySet<string> = new Set(['private', 'shared', 'on', 'off', 'true', 'false']);
const CAPITALS = /^[A-Z][A-Z0-9_]*$/;

/** Names that a block declares, with what they are where they are used. */
type Names = Map<string, number>;

class Walk {
  private readonly analysis: Analysis;
  private readonly found: number[] = [];
  /** Up to where lines have been counted, how many, and where the last one begins. */
  private counted: number;
  private line = 0;
  private lineStart: number;
  private readonly scopes: Names[] = [];
  /** Of the nodes around, outermost first: type, and how many children have been met. */
  private readonly types: number[] = [];
  private readonly children: number[] = [];

  constructor(analysis: Analysis, base: number) {
    this.analysis = analysis;
    this.counted = base;
    this.lineStart = base;
  }

  run(cursor: TreeCursor): SemanticTokens {
    // Down and up by hand: the cursor stays within the node it was given.
    let depth = 0;
    for (;;) {
      if (this.children.length > 0) this.children[this.children.length - 1]++;
      const entered = this.enter(cursor.type.isError ? -1 : cursor.type.id, cursor.from, cursor.to);
      if (entered && cursor.firstChild()) {
        depth++;
        continue;
      }
      if (entered) this.leave();
      while (depth > 0 && !cursor.nextSibling()) {
        cursor.parent();
        depth--;
        this.leave();
      }
      if (depth === 0) return this.found;
    }
  }

  /** Whether to go into it. */
  private enter(type: number, from: number, to: number): boolean {
    const what = this.leaf(type, from, to);
    if (what === undefined) {
      this.types.push(type);
      this.children.push(0);
      if (opensScope(type)) this.scopes.push(new Map());
      return true;
    }
    if (what !== NONE && to > from) {
      this.countLines(from);
      this.found.push(this.line, from - this.lineStart, to - from, what);
    }
    return false;
  }

  private countLines(to: number): void {
    const { text } = this.analysis;
    for (let at = this.counted; at < to; at++) {
      const c = text.charCodeAt(at);
      if (c !== 10 && c !== 13) continue;
      if (c === 13 && text.charCodeAt(at + 1) === 10) at++;
      this.line++;
      this.lineStart = at + 1;
    }
    this.counted = Math.max(this.counted, to);
  }

  private leave(): void {
    const type = this.types.pop();
    this.children.pop();
    if (type !== undefined && opensScope(type)) this.scopes.pop();
  }

  /** What a token is; undefined for a node with something in it. */
  private leaf(type: number, from: number, to: number): number | undefined {
    const parent = this.types[this.types.length - 1] ?? t.Document;
    if (KEYWORDS.has(type)) return type === t.kwOption ? PROPERTY : KEYWORD;
    if (OPERATORS.has(type)) return OPERATOR;
    switch (type) {
      case t.Name:
        return this.name(parent, this.analysis.text.slice(from, to));
      case t.Number:
        return NUMBER;
      case t.String:
        return parent === t.ScenarioDeclaration || parent === t.InvariantDeclaration ? NAME_STRING : STRING;
      case t.LineComment:
        return COMMENT;
      case t.DocComment:
        return DOC_COMMENT;
      case t.RuleName:
      case t.FaultName:
        return WORD;
      case t.OptionName:
        return PROPERTY;
      case -1:
      case t.Junk:
      case t.Stray:
      case t.Reserved:
        return NONE;
      default:
        return undefined;
    }
  }

  /** Which child of the node around it the current token is, from 0. */
  private get index(): number {
    return (this.children[this.children.length - 1] ?? 1) - 1;
  }

  private name(parent: number, name: string): number {
    const { index } = this;
    switch (parent) {
      case t.UseDeclaration:
        return index === 1 ? KEYWORD : NONE;
      case t.ImportDeclaration:
      case t.ScenarioDeclaration:
      case t.InvariantDeclaration:
        return NONE;
      case t.GuestDeclaration:
        return GUEST_DECLARED;
      case t.StubDeclaration:
        return index === 1 ? SEQUENCE : this.used(name);
      case t.SequenceDeclaration:
        return SEQUENCE_DECLARED;
      case t.Parameters:
        return this.bind(name, PARAMETER, PARAMETER_DECLARED);
      case t.LetStatement:
        return index === 1 ? this.bind(name, LET, LET_DECLARED) : this.used(name);
      case t.ForStatement:
        return index === 1 ? this.bind(name, LOOP, LOOP_DECLARED) : this.used(name);
      case t.Forall:
        if (index === 1) return DOMAIN;
        return index === 2 ? this.bind(name, PARAMETER, PARAMETER_DECLARED) : this.used(name);
      case t.Step: {
        const bound = this.bound(name);
        return bound ?? ((ACTORS as readonly string[]).includes(name) ? ACTOR : NONE);
      }
      case t.CallPart:
        return OPERATION;
      case t.SequenceCall:
        return SEQUENCE;
      case t.Outcome:
      case t.FaultBits:
        return WORD;
      case t.Query:
      case t.Call:
        return BUILT_IN;
      case t.NamedArgument:
        return index === 0 ? PROPERTY : this.used(name);
      case t.FieldTest:
        return this.bound(name) ?? WORD;
      case t.Setting:
        if (index === 0) return PROPERTY;
        return this.bound(name) ?? (SETTING_WORDS.has(name) ? WORD : PROPERTY);
      default:
        return this.used(name);
    }
  }

  private bind(name: string, used: number, declared: number): number {
    this.scopes[this.scopes.length - 1]?.set(name, used);
    return declared;
  }

  /** What a name is bound to here; undefined if to nothing. */
  private bound(name: string): number | undefined {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const found = this.scopes[i].get(name);
      if (found !== undefined) return found;
    }
    const binding = this.analysis.declarations.home.scope.find(name);
    if (binding === undefined) return undefined;
    return binding.is === 'guest' ? GUEST : LET;
  }

  /** A name in an expression. One that means nothing has no colour. */
  private used(name: string): number {
    return this.bound(name) ?? (WORDS.has(name) || CAPITALS.test(name) ? WORD : NONE);
  }
}

/** Nodes whose names are not seen outside. */
const opensScope = (type: number): boolean =>
  type === t.Block ||
  type === t.DeclarationBlock ||
  type === t.SequenceDeclaration ||
  type === t.ForStatement ||
  type === t.Forall;
