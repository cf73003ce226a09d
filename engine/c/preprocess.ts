/**
 * Phase 4 of C11 5.1.1.2: directives and conditional inclusion. What comes out is the stretch of active tokens, *not yet macro-expanded*, and where in
 * it the macros change; items expand their own tokens when they are asked for them.
 *
 * A patch's hunks are fragments: a branch may begin or end outside of what the hunk shows, and only what the patch adds is the user's own.
 */
import type { Origin } from '../vm/bytecode.ts';
import { evaluateCondition } from './condition.ts';
import type { UnitProblem, UnknownInclude } from './load-unit.ts';
import { MacroTable, parseDefine } from './macro.ts';
import { type MacroChange, MacroExpander, PROBLEMS } from './macro-expand.ts';
import type { CSource } from './program.ts';
import { fileView, type SourceFiles } from './source.ts';
import type { CProblem, Token } from './token.ts';
import { type TokenizedText, tokenize } from './tokenize.ts';

/** Headers within headers; gcc stops at 200 too. */
const INCLUDE_DEPTH = 200;
/** Headers read for one unit, counting repetitions: a header bomb must end. */
const INCLUDES = 5000;
/** Active tokens of one unit; an allyesconfig kernel file has some hundred thousand with everything it includes. */
const TOKENS = 4_000_000;

/** Active tokens in order, unexpanded. */
export interface TokenRun {
  tokens: Token[];
  /** Macro table version at the first token, and the changes further on. */
  version: number;
  changes: MacroChange[];
}

/** What is known of a fragment: which of its text is new. Undefined for a whole file. */
export interface Fragment {
  /** Every line of the range was added. */
  added(origin: Origin): boolean;
  /** Some line of the range was added. */
  touched(origin: Origin): boolean;
}

/** One `#if` … `#endif` being read. */
interface Conditional {
  directive: Token;
  /** The text around it is active. */
  outer: boolean;
  /** A branch has been taken already. */
  taken: boolean;
  /** `#else` was seen. */
  last: boolean;
}

/** Tokens of the program's files, kept as long as the files are: a header is tokenized once however many units include it. */
const cache = new WeakMap<SourceFiles, (TokenizedText | undefined)[]>();

/** Tokens of a whole file; cached. */
export function tokensOf(files: SourceFiles, file: number): TokenizedText {
  let known = cache.get(files);
  if (known === undefined) {
    known = [];
    cache.set(files, known);
  }
  known[file] ??= tokenize(fileView(files, file));
  return known[file];
}

export class Preprocessor {
  readonly table = new MacroTable();
  readonly expander: MacroExpander;
  readonly unknownIncludes: UnknownInclude[] = [];
  readonly problems: UnitProblem[] = [];
  private readonly files: SourceFiles;
  private readonly headers: ReadonlyMap<string, CSource>;
  private readonly once = new Set<number>();
  private includes = 0;
  private total = 0;
  private run: TokenRun = { tokens: [], version: 0, changes: [] };
  private fragment: Fragment | undefined;

  constructor(files: SourceFiles, headers: ReadonlyMap<string, CSource>) {
    this.files = files;
    this.headers = headers;
    this.expander = new MacroExpander(this.table, files);
  }

  /** `-D name=body` for each. */
  configure(defines: Readonly<Record<string, string>>): void {
    const text = Object.entries(defines).map(([name, body]) => `#define ${name} ${body}\n`);
    if (text.length > 0)
      this.process(tokensOf(this.files, this.files.add({ path: '<configuration>', text: text.join('') })), '', 0);
  }

  /** Preprocess a header by its include name, as if an `#include` stood before the text. */
  force(name: string): TokenRun {
    this.begin(undefined);
    const header = this.headers.get(name);
    if (header === undefined) this.unknownIncludes.push({ name, origin: { file: 0, start: 0, end: 0 } });
    else this.enter(header, name, 0);
    return this.run;
  }

  /** Preprocess a tokenized text. `path` is what quoted includes are relative to. */
  preprocess(text: TokenizedText, path: string, fragment?: Fragment): TokenRun {
    this.begin(fragment);
    this.process(text, path, 0);
    return this.run;
  }

  /** Note a problem; of a fragment only if the patch wrote it. */
  report(problem: UnitProblem): void {
    if (this.fragment !== undefined && !this.fragment.touched(problem.origin)) return;
    if (this.problems.length < PROBLEMS) this.problems.push(problem);
  }

  private begin(fragment: Fragment | undefined): void {
    this.fragment = fragment;
    this.run = { tokens: [], version: this.table.version, changes: [] };
  }

  private process(text: TokenizedText, path: string, depth: number): void {
    const { tokens, faults } = text;
    const output = this.run.tokens;
    const conditionals: Conditional[] = [];
    let active = true;
    let at = 0;
    for (;;) {
      const token = tokens[at];
      if (token.kind === 'end') break;
      if (token.lineStart && token.text === '#' && token.kind === 'punctuator') {
        let to = at + 1;
        while (!tokens[to].lineStart && tokens[to].kind !== 'end') to++;
        active = this.directive(tokens, at, to, conditionals, active, path, depth);
        at = to;
        continue;
      }
      at++;
      if (!active) continue;
      if (faults.size > 0) {
        const fault = faults.get(token);
        // In a fragment a lone quote is more likely prose in a comment that began above the hunk; items that are taken are checked later.
        if (fault !== undefined && this.fragment === undefined) this.report(fault);
      }
      output.push(token);
    }
    const fault = faults.get(tokens[at]);
    if (fault !== undefined && this.fragment === undefined) this.report(fault);
    this.total += at;
    if (this.fragment === undefined)
      for (const open of conditionals)
        this.complain(open.directive, `This \`#${open.directive.text}\` has no \`#endif\`.`);
  }

  /** One directive line, tokens `at` (the `#`) .. `to`. Returns whether the text after it is active. */
  private directive(
    tokens: Token[],
    at: number,
    to: number,
    conditionals: Conditional[],
    active: boolean,
    path: string,
    depth: number,
  ): boolean {
    const hash = tokens[at];
    if (at + 1 >= to) return active;
    const name = tokens[at + 1];
    const from = at + 2;
    const top = conditionals[conditionals.length - 1];
    switch (name.text) {
      case 'if':
      case 'ifdef':
      case 'ifndef': {
        const holds = active && this.condition(name, tokens, from, to);
        conditionals.push({ directive: name, outer: active, taken: holds, last: false });
        return holds;
      }
      case 'elif':
      case 'elifdef':
      case 'elifndef': {
        if (top === undefined || top.last) return this.orphan(name, top, active);
        const holds = top.outer && !top.taken && this.condition(name, tokens, from, to);
        top.taken ||= holds;
        return holds;
      }
      case 'else': {
        if (top === undefined || top.last) return this.orphan(name, top, active);
        top.last = true;
        const holds = top.outer && !top.taken;
        top.taken = true;
        return holds;
      }
      case 'endif':
        if (top === undefined) return this.orphan(name, top, active);
        conditionals.pop();
        return top.outer;
    }
    if (!active) return false;
    switch (name.text) {
      case 'define':
        this.define(tokens, at, to);
        break;
      case 'undef':
        if (from < to && tokens[from].kind === 'identifier') {
          this.table.undefine(tokens[from].text);
          this.changed();
        } else this.complain(name, '`#undef` needs the name of a macro.');
        break;
      case 'include':
      case 'include_next':
      case 'import':
        this.include(name, tokens, from, to, path, depth);
        break;
      case 'error':
        this.doubtful(name, `#error: ${spelling(tokens, from, to)}`);
        break;
      case 'warning':
        this.complain(name, `#warning: ${spelling(tokens, from, to)}`, 'warning');
        break;
      case 'pragma':
        if (from < to && tokens[from].text === 'once') this.once.add(hash.file);
        break;
      case 'line':
      case 'ident':
      case 'sccs':
        break;
      default:
        // `# 12 "file"` is a line marker of an already preprocessed text.
        if (name.kind !== 'number') this.complain(name, `\`#${name.text}\` is no preprocessor directive.`);
    }
    return active;
  }

  private orphan(name: Token, top: Conditional | undefined, active: boolean): boolean {
    if (this.fragment === undefined)
      this.complain(
        name,
        top === undefined ? `\`#${name.text}\` without an \`#if\` before it.` : `\`#${name.text}\` after \`#else\`.`,
      );
    return active;
  }

  private define(tokens: Token[], at: number, to: number): void {
    if (this.fragment !== undefined) {
      // A macro the hunk only shows belongs to the kernel the patch is for; the model has its own.
      const last = tokens[to - 1];
      if (!this.fragment.touched({ file: last.file, start: tokens[at].start, end: last.end })) return;
    }
    const macro = parseDefine(tokens, at + 2, to, tokens[at + 1]);
    if ('message' in macro) this.report(macro);
    else {
      this.table.define(macro);
      this.changed();
    }
  }

  private changed(): void {
    this.run.changes.push({ at: this.run.tokens.length, version: this.table.version });
  }

  private condition(name: Token, tokens: Token[], from: number, to: number): boolean {
    const { table } = this;
    if (name.text !== 'if' && name.text !== 'elif') {
      if (from >= to || tokens[from].kind !== 'identifier') {
        this.complain(name, `\`#${name.text}\` needs the name of a macro.`);
        return false;
      }
      return (table.find(tokens[from].text, table.version) !== undefined) === name.text.endsWith('fdef');
    }
    if (from >= to) {
      this.complain(name, `\`#${name.text}\` needs a condition.`);
      return false;
    }
    // `defined X` is decided before expansion, and once more after it for a macro that yields `defined` (gcc does).
    const before = this.decideDefined(tokens.slice(from, to));
    const expanded = this.expander.expand(before, table.version, this.problems);
    const ready = this.unknownCalls(this.decideDefined(expanded));
    if (ready.length === 0) {
      this.complain(name, `The condition of this \`#${name.text}\` expands to nothing.`);
      return false;
    }
    const result = evaluateCondition(ready);
    if ('message' in result) {
      this.doubtful(result.token, result.message);
      return false;
    }
    return result.value !== 0n;
  }

  /** Replace `defined X`, `defined(X)`, `__has_include(…)` and the other `__has_…(…)` by numbers. */
  private decideDefined(tokens: Token[]): Token[] {
    if (!tokens.some((t) => t.text === 'defined' || t.text.startsWith('__has_'))) return tokens;
    const output: Token[] = [];
    for (let at = 0; at < tokens.length; at++) {
      const token = tokens[at];
      const paren = tokens[at + 1]?.text === '(';
      if (token.text === 'defined') {
        const operand = tokens[at + (paren ? 2 : 1)];
        if (operand?.kind === 'identifier' && (!paren || tokens[at + 3]?.text === ')')) {
          output.push(number(token, this.table.find(operand.text, this.table.version) !== undefined));
          at += paren ? 3 : 1;
          continue;
        }
      } else if (token.text.startsWith('__has_') && paren) {
        const close = closing(tokens, at + 1);
        const include = token.text.startsWith('__has_include') ? includeName(tokens, at + 2, close) : undefined;
        output.push(number(token, include !== undefined && this.headers.has(include)));
        at = close;
        continue;
      }
      output.push(token);
    }
    return output;
  }

  /** `NAME ( … )` where NAME is no macro, most likely one of a header we do not have: 0, and said so. */
  private unknownCalls(tokens: Token[]): Token[] {
    const output: Token[] = [];
    for (let at = 0; at < tokens.length; at++) {
      const token = tokens[at];
      if (token.kind === 'identifier' && token.text !== 'defined' && tokens[at + 1]?.text === '(') {
        this.complain(token, `\`${token.text}\` is not defined here, so this condition takes it as 0.`, 'information');
        output.push(number(token, false));
        at = closing(tokens, at + 1);
      } else output.push(token);
    }
    return output;
  }

  private include(directive: Token, tokens: Token[], from: number, to: number, path: string, depth: number): void {
    let line = tokens.slice(from, to);
    if (line.length > 0 && line[0].kind === 'identifier')
      line = this.expander.expand(line, this.table.version, this.problems);
    const name = includeName(line, 0, line.length);
    if (name === undefined && from < to && tokens[from].kind === 'identifier') {
      // A name that a macro of some unknown header makes.
      this.unknownIncludes.push({
        name: spelling(tokens, from, to),
        origin: { file: directive.file, start: tokens[from].start, end: tokens[to - 1].end },
      });
      return;
    }
    if (name === undefined) {
      this.complain(directive, '`#include` needs a name in `"…"` or `<…>`.');
      return;
    }
    const next = directive.text === 'include_next' ? directive.file : -1;
    const found = this.resolve(name, line[0].kind === 'string', path, next);
    if (found === undefined) {
      const last = tokens[to - 1];
      this.unknownIncludes.push({ name, origin: { file: last.file, start: tokens[from].start, end: last.end } });
      return;
    }
    if (depth >= INCLUDE_DEPTH) {
      this.complain(
        directive,
        `Headers include each other more than ${INCLUDE_DEPTH} deep here; does \`${name}\` lack an include guard?`,
      );
      return;
    }
    if (++this.includes > INCLUDES || this.total > TOKENS) {
      if (this.includes === INCLUDES + 1)
        this.complain(
          directive,
          `More than ${INCLUDES} headers are included; the rest is left out. Does \`${name}\` lack an include guard?`,
        );
      return;
    }
    const fragment = this.fragment;
    this.fragment = undefined;
    this.enter(found.source, found.name, depth + 1);
    this.fragment = fragment;
  }

  private enter(header: CSource, name: string, depth: number): void {
    const file = this.files.add(header);
    if (!this.once.has(file)) this.process(tokensOf(this.files, file), name, depth);
  }

  /** A quoted name is looked for beside the includer first; `#include_next` passes over the file it stands in. */
  private resolve(
    name: string,
    quoted: boolean,
    path: string,
    not: number,
  ): { source: CSource; name: string } | undefined {
    const names = quoted && path.includes('/') ? [join(path.slice(0, path.lastIndexOf('/')), name), name] : [name];
    for (const candidate of names) {
      const source = this.headers.get(candidate);
      if (source !== undefined && this.files.list[not] !== source) return { source, name: candidate };
    }
    return undefined;
  }

  /** An error, unless headers we do not have may have decided otherwise. */
  private doubtful(at: Token, message: string): void {
    const known = this.unknownIncludes.length === 0;
    if (known) this.complain(at, message);
    else
      this.complain(
        at,
        `${message} (This may be because headers of this file are not known here, such as \`${this.unknownIncludes[0].name}\`.)`,
        'information',
      );
  }

  private complain(at: Token, message: string, severity?: UnitProblem['severity']): void {
    const problem: CProblem = { origin: { file: at.file, start: at.start, end: at.end }, rule: 'C-SYNTAX', message };
    this.report(severity === undefined ? problem : { ...problem, severity });
  }
}

function number(at: Token, value: boolean): Token {
  const { file, start, end, spaceBefore } = at;
  return { kind: 'number', text: value ? '1' : '0', file, start, end, spaceBefore, lineStart: false };
}

/** Index of the `)` for the `(` at `open`; the last index if there is none. */
function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    if (tokens[at].text === '(') depth++;
    else if (tokens[at].text === ')' && --depth === 0) return at;
  }
  return tokens.length - 1;
}

/** `"name"` or `< … >` put together again from its tokens. */
function includeName(line: readonly Token[], from: number, to: number): string | undefined {
  const first = from < to ? line[from] : undefined;
  if (first?.kind === 'string') return first.text.replace(/^"|"$/g, '') || undefined;
  if (first?.text !== '<') return undefined;
  let name = '';
  for (let at = from + 1; at < to; at++) {
    if (line[at].text === '>') return name || undefined;
    name += (line[at].spaceBefore && name !== '' ? ' ' : '') + line[at].text;
  }
  return undefined;
}

function join(folder: string, name: string): string {
  const parts = folder.split('/');
  for (const part of name.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** Text of a line for a message. */
function spelling(tokens: readonly Token[], from: number, to: number): string {
  let text = '';
  for (let at = from; at < to; at++) text += (at > from && tokens[at].spaceBefore ? ' ' : '') + tokens[at].text;
  return text;
}
