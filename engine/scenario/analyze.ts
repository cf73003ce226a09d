/**
 * Text to program: the one entry to this folder.
 *
 * Incremental by units. A scenario whose text, and whose surroundings in meaning, are those of the previous analysis is the very same
 * {@link ScenarioUnit} object again, moved if need be (`start`, `end` and `doc` are brought up to date in place): whoever keeps results by unit keeps
 * them across edits elsewhere. An edited scenario is a new unit that shares the instructions in front of the edit, and often those behind it.
 */
import type { Tree } from '@lezer/common';
import type { FileHost } from '../check.ts';
import * as t from '../generated/scenario-parser-terms.ts';
import { Context, type NameListener, quoted } from './context.ts';
import { type Declarations, declare, isDeclaration } from './declarations.ts';
import { fingerprint } from './fingerprint.ts';
import { DOCUMENT, Imports, readImport } from './imports.ts';
import { MAX_TEXT } from './limits.ts';
import { reportReserved } from './lower-block.ts';
import { type Earlier, lowerScenario, type UnitRecord } from './lower-scenario.ts';
import { type Change, changeBetween, type Parsed, parse } from './parse.ts';
import type { Problem, ScenarioProgram, ScenarioUnit } from './program.ts';
import { docAbove, ERROR, type SyntaxNode, syntaxNode } from './syntax.ts';
import { reportFlaw, reportJunk } from './syntax-problems.ts';
import { PROBLEM_LIMIT } from './unit-builder.ts';

export interface Analysis {
  readonly path: string;
  readonly text: string;
  readonly program: ScenarioProgram;
  /** The document's syntax; nodes are named in scenario.grammar. */
  readonly tree: Tree;
  /** What the document's scenarios refer to: guests, `let`s, sequences. For editor features; see names.ts. */
  readonly declarations: Declarations;
  /** What the next analysis builds on. */
  readonly state: AnalysisState;
}

interface AnalysisState {
  parsed: Parsed;
  environment: Environment;
  records: WeakMap<ScenarioUnit, UnitRecord>;
  /** A later analysis has taken over units of this one, and moved them: nothing can be built on this one any more. */
  superseded: boolean;
}

/** Everything that is not a scenario. */
interface Environment {
  declarations: Declarations;
  imports: Imports;
  key: string;
  /** Places of the declarations: while these and the text at them stay, the environment does. */
  places: readonly number[];
}

/** Never throws: whatever the text is, there is a program and there are problems. */
export function analyze(path: string, text: string, host: FileHost, previous?: Analysis): Analysis {
  const whole = text;
  const tooLong = text.length > MAX_TEXT;
  if (tooLong) text = '';
  const before =
    previous?.path === path && previous.text.length <= MAX_TEXT && !previous.state.superseded ? previous : undefined;
  if (before !== undefined) before.state.superseded = true;
  const change = before && changeBetween(before.state.parsed.text, text);
  const parsed = parse(text, before?.state.parsed, change);
  const outline = outlineOf(parsed);
  const environment = environmentOf(path, text, host, parsed, outline, before, change);
  const { declarations, imports, key } = environment;
  const problems = [...declarations.problems];
  const ctx = documentContext(text, declarations, (problem) => {
    if (problems.length < 2 * PROBLEM_LIMIT) problems.push(problem);
  });
  if (tooLong) {
    ctx.report(
      'SYNTAX',
      { start: 0, end: 0 },
      `This file has more than ${MAX_TEXT.toLocaleString('en')} characters; it is not looked at. Split it.`,
      'error',
    );
  }
  strays(ctx, parsed, outline);

  const records = before?.state.records ?? new WeakMap<ScenarioUnit, UnitRecord>();
  const scenarios: ScenarioUnit[] = [];
  const reuse =
    before !== undefined && change !== undefined && before.program.environmentKey === key
      ? new Reuse(before, change, environment)
      : undefined;
  for (const { from, to } of outline.scenarios) {
    let unit = reuse?.take(from, to);
    if (unit === undefined) {
      const made = lowerScenario(text, parsed.tree, from, declarations, reuse?.earlier(from));
      unit = made.unit;
      records.set(unit, made.record);
    }
    unit.start = from;
    unit.end = to;
    unit.doc = docAbove(text, from);
    scenarios.push(unit);
  }
  uniqueNames(ctx, scenarios);
  problems.sort((a, b) => a.span.start - b.span.start);

  const program: ScenarioProgram = {
    kernel: declarations.kernel,
    uses: declarations.uses,
    stubs: declarations.stubs,
    host: declarations.host,
    guests: declarations.guests,
    invariants: declarations.invariants,
    scenarios,
    imports: declarations.home.sequences.size > 0 || imports.files.length > 0 ? [{ path, text }, ...imports.files] : [],
    problems,
    environmentKey: key,
  };
  return {
    path,
    text: whole,
    program,
    tree: parsed.tree,
    declarations,
    state: { parsed, environment, records, superseded: false },
  };
}

// ---------------------------------------------------------------- outline

interface Outline {
  /** Type, from, to of each declaration that is no scenario, one after the other. */
  declarations: number[];
  scenarios: { from: number; to: number }[];
  /** The same of everything that does not belong on the top level. */
  strays: number[];
}

function outlineOf(parsed: Parsed): Outline {
  const outline: Outline = { declarations: [], scenarios: [], strays: [] };
  const cursor = parsed.tree.cursor();
  if (!cursor.firstChild()) return outline;
  do {
    const { id } = cursor.type;
    if (id === t.ScenarioDeclaration) outline.scenarios.push({ from: cursor.from, to: cursor.to });
    else if (isDeclaration(id)) outline.declarations.push(id, cursor.from, cursor.to);
    else if (id !== t.LineComment && id !== t.DocComment) outline.strays.push(id, cursor.from, cursor.to);
  } while (cursor.nextSibling());
  return outline;
}

/** The children of the document with these starts, as nodes. */
function* nodesAt(parsed: Parsed, places: readonly number[]): Iterable<SyntaxNode> {
  const cursor = parsed.tree.cursor();
  if (!cursor.firstChild()) return;
  let i = 0;
  do {
    if (i >= places.length) return;
    if (
      cursor.from === places[i + 1] &&
      cursor.to === places[i + 2] &&
      (cursor.type.isError ? ERROR : cursor.type.id) === places[i]
    ) {
      yield syntaxNode(cursor);
      i += 3;
    }
  } while (cursor.nextSibling());
}

// ---------------------------------------------------------------- environment

function environmentOf(
  path: string,
  text: string,
  host: FileHost,
  parsed: Parsed,
  outline: Outline,
  before: Analysis | undefined,
  change: Change | undefined,
): Environment {
  const places = outline.declarations;
  const last = before?.state.environment;
  if (
    last !== undefined &&
    change !== undefined &&
    untouched(places, last.places, change) &&
    sameImports(last.imports, host)
  ) {
    return last;
  }
  const imports = new Imports(host, path);
  const nodes = [...nodesAt(parsed, places)];
  const declarations = declare(
    { path, text, file: DOCUMENT },
    nodes,
    (ctx, node, relative) => imports.follow(path, ctx, node, relative),
    false,
  );
  const parts = [path];
  for (let i = 0; i < places.length; i += 3) parts.push(text.slice(places[i + 1], places[i + 2]));
  for (const file of imports.files) parts.push(file.path, file.text);
  return { declarations, imports, key: fingerprint(parts), places };
}

/** Every declaration is where it was, with the text it had. */
function untouched(places: readonly number[], before: readonly number[], change: Change): boolean {
  if (places.length !== before.length) return false;
  const moved = change.newEnd !== change.oldEnd;
  for (let i = 0; i < places.length; i += 3) {
    if (places[i] !== before[i] || places[i + 1] !== before[i + 1] || places[i + 2] !== before[i + 2]) return false;
    const inFront = places[i + 2] <= change.prefix;
    const behind = !moved && places[i + 1] >= change.newEnd;
    if (!inFront && !behind) return false;
  }
  return true;
}

function sameImports(imports: Imports, host: FileHost): boolean {
  return (
    imports.complete &&
    imports.files.every((file) => {
      const read = readImport(host, file.path);
      return 'text' in read && read.text === file.text;
    })
  );
}

/** The declarations of an analysed document once more, with an ear for names. */
export function declareAgain({ path, text, state }: Analysis, names: NameListener): void {
  const { parsed, environment } = state;
  const nodes = [...nodesAt(parsed, environment.places)];
  declare(
    { path, text, file: DOCUMENT },
    nodes,
    (_ctx, _node, relative) => environment.imports.lent(path, relative),
    false,
    names,
  );
}

function documentContext(text: string, declarations: Declarations, sink: (problem: Problem) => void): Context {
  const { home, guests } = declarations;
  return new Context({ text, base: 0, file: undefined, scope: home.scope, home, guests, sink, names: undefined });
}

// ---------------------------------------------------------------- scenarios

/** Finds the unit of the previous analysis that stands where a scenario stands now. */
class Reuse {
  private readonly units = new Map<number, ScenarioUnit>();
  private readonly change: Change;
  private readonly before: Analysis;
  private readonly unmoved: boolean;

  constructor(before: Analysis, change: Change, environment: Environment) {
    this.before = before;
    this.change = change;
    this.unmoved = before.state.environment === environment;
    for (const unit of before.program.scenarios) this.units.set(unit.start, unit);
  }

  take(from: number, to: number): ScenarioUnit | undefined {
    const { prefix, oldEnd, newEnd } = this.change;
    const shift = to <= prefix ? 0 : from >= newEnd ? oldEnd - newEnd : undefined;
    if (shift === undefined) return undefined;
    const unit = this.units.get(from + shift);
    if (unit === undefined || unit.end !== to + shift) return undefined;
    if (!this.usable(unit)) return undefined;
    // Once: it is moved now, and another place must not find it.
    this.units.delete(from + shift);
    return unit;
  }

  /** The scenario that began here before it was edited. */
  earlier(from: number): Earlier | undefined {
    if (from >= this.change.prefix) return undefined;
    const unit = this.units.get(from);
    const record = unit && this.before.state.records.get(unit);
    if (unit === undefined || record === undefined || !this.usable(unit)) return undefined;
    this.units.delete(from);
    return { unit, record, change: this.change };
  }

  /** Steps of the document's own sequences name places in it, which must not have moved. */
  private usable(unit: ScenarioUnit): boolean {
    return this.unmoved || this.before.state.records.get(unit)?.refersOutside !== true;
  }
}

function uniqueNames(ctx: Context, scenarios: readonly ScenarioUnit[]): void {
  const seen = new Map<string, ScenarioUnit>();
  for (const unit of scenarios) {
    if (unit.name === '') continue;
    const before = seen.get(unit.name);
    if (before === undefined) {
      seen.set(unit.name, unit);
      continue;
    }
    const at = (u: ScenarioUnit) => ({ start: u.start + u.nameSpan.start, end: u.start + u.nameSpan.end });
    ctx.report(
      'DUPLICATE',
      at(unit),
      `There is a scenario "${unit.name}" already; reports tell scenarios apart by name.`,
      'error',
      [],
      [{ message: 'declared here', span: at(before) }],
    );
  }
}

// ---------------------------------------------------------------- what does not belong on the top level

function strays(ctx: Context, parsed: Parsed, outline: Outline): void {
  let reported = 0;
  let lineEnd = -1;
  for (const node of nodesAt(parsed, outline.strays)) {
    // One problem a line.
    if (node.from < lineEnd) continue;
    const newline = ctx.text.indexOf('\n', node.from);
    lineEnd = newline < 0 ? ctx.text.length : newline;
    if (++reported > PROBLEM_LIMIT) {
      ctx.problem('SYNTAX', node, `There are more than ${PROBLEM_LIMIT} problems; what follows is not looked at.`);
      return;
    }
    stray(ctx, node);
  }
}

function stray(ctx: Context, node: SyntaxNode): void {
  switch (node.type) {
    case t.Junk: {
      const upToHere = ctx.text.slice(ctx.text.lastIndexOf('\n', node.from - 1) + 1, node.from);
      if (/[^\s]/.test(upToHere)) ctx.problem('SYNTAX', node, `The declaration ends before ${quoted(ctx, node)}.`);
      else if (/^[a-z]/.test(ctx.source(node)) || /^["0-9]/.test(ctx.source(node))) {
        ctx.problem(
          'SYNTAX',
          node,
          `${quoted(ctx, node)} is no declaration. Here stand \`use\`, \`import\`, \`host\`, \`guest\`, \`stub\`, \`let\`, \`sequence\`, \`invariant\` and \`scenario\`.`,
        );
      } else reportJunk(ctx, node, undefined);
      break;
    }
    case t.StrayBrace:
      ctx.problem('SYNTAX', node, 'This `}` closes nothing: no block is open here.', [
        { title: 'Remove it', replacement: '' },
      ]);
      break;
    case t.StrayBlock:
      ctx.problem(
        'SYNTAX',
        { from: node.from, to: node.from + 1 },
        'A block belongs to a declaration: `scenario "…" { … }`.',
      );
      break;
    case t.Reserved:
      reportReserved(ctx, node);
      break;
    case t.Step:
    case t.SequenceCall:
    case t.ExpectStatement:
    case t.ForStatement:
    case t.AllowStatement:
      if (!reportFlaw(ctx, node)) {
        const words =
          node.type === t.Step && node.children.length === 1
            ? `${quoted(ctx, node)} is no declaration. Here stand \`use\`, \`import\`, \`host\`, \`guest\`, \`stub\`, \`let\`, \`sequence\`, \`invariant\` and \`scenario\`.`
            : 'Steps stand in a scenario or a sequence: `scenario "…" { … }`.';
        ctx.problem('SYNTAX', { from: node.from, to: Math.max(node.from + 1, firstLineEnd(ctx.text, node)) }, words);
      }
      break;
    default:
      ctx.problem('SYNTAX', node, `${quoted(ctx, node)} does not belong here.`);
  }
}

function firstLineEnd(text: string, node: SyntaxNode): number {
  for (let i = node.from; i < node.to; i++) if (text.charCodeAt(i) === 10 || text.charCodeAt(i) === 13) return i;
  return node.to;
}
