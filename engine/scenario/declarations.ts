/**
 * Everything in a file but its scenarios: what is used, the host, the guests, `let`s and sequences. All of it makes the environment that scenarios run
 * in.
 */
import * as t from '../generated/scenario-parser-terms.ts';
import { coerce, expression } from './analyze-expression.ts';
import { Context, quoted, suggestion } from './context.ts';
import { Constant, Unknown } from './expression.ts';
import { alreadyDeclared, BlockLowering, blockLines, letValue, problemKey } from './lower-block.ts';
import { lowerInvariant } from './lower-invariant.ts';
import type { GuestConfig, HostConfig, Problem, ScenarioProgram, Span, UserInvariant, UseSource } from './program.ts';
import { type Binding, type Home, Scope, type Sequence } from './scope.ts';
import { DEFAULT_HOST, guestSettings, hostSettings, placeGuests } from './settings.ts';
import { child, isFlaw, type SyntaxNode, stringValue } from './syntax.ts';
import { reportFlaw } from './syntax-problems.ts';
import { PROBLEM_LIMIT, UnitBuilder } from './unit-builder.ts';
import { ACTORS } from './words.ts';

/** ASIDs that a guest can have. */
const MAX_GUESTS = 1022;

export const DEFAULT_KERNEL = 'kvm-rfc-v8';

/** Finds the file that an `import` names, for its `let`s and sequences; `undefined` after reporting why not. */
export type Importer = (ctx: Context, node: SyntaxNode, path: string) => Home | undefined;

export interface Declarations {
  kernel: ScenarioProgram['kernel'];
  uses: UseSource[];
  stubs: ScenarioProgram['stubs'];
  host: HostConfig;
  guests: GuestConfig[];
  invariants: UserInvariant[];
  home: Home;
  /** Absolute in the file. */
  problems: Problem[];
  /** Keys of the problems that its sequences have by themselves. */
  known: ReadonlySet<string>;
}

/** Kinds of nodes that {@link declare} looks at. */
export const isDeclaration = (type: number): boolean =>
  type === t.UseDeclaration ||
  type === t.ImportDeclaration ||
  type === t.HostDeclaration ||
  type === t.GuestDeclaration ||
  type === t.StubDeclaration ||
  type === t.SequenceDeclaration ||
  type === t.InvariantDeclaration ||
  type === t.LetStatement;

export interface FileText {
  path: string;
  text: string;
  /** Its index among the program's files. */
  file: number;
}

/** `lending`: only what an import lends is wanted; the host and guests of an imported file are its own affair. */
export function declare(
  source: FileText,
  nodes: readonly SyntaxNode[],
  importer: Importer,
  lending: boolean,
  names?: Context['names'],
): Declarations {
  const problems: Problem[] = [];
  const known = new Set<string>();
  const guests: GuestConfig[] = [];
  const imported = new Scope();
  const scope = new Scope(imported);
  const sequences = new Map<string, Sequence>();
  const home: Home = { text: source.text, path: source.path, file: source.file, scope, sequences };
  // Places in a declaration are seen from scenarios too: they name the file. Problems about the file itself do not.
  const sink = (problem: Problem): void => {
    if (problems.length < PROBLEM_LIMIT) problems.push(lending ? problem : local(problem, source.file));
  };
  const ctx = new Context({ text: source.text, base: 0, file: source.file, scope, home, guests, sink, names });
  const here = lending ? ctx : new Context({ ...ctx, file: undefined });
  const result: Declarations = {
    kernel: { name: DEFAULT_KERNEL, span: undefined },
    uses: [],
    stubs: [],
    host: { ...DEFAULT_HOST, options: [] },
    guests,
    invariants: [],
    home,
    problems,
    known,
  };

  for (const node of nodes)
    if (node.type === t.ImportDeclaration) importFile(here, node, importer, imported, sequences, source.file);
  const guestNodes = lending ? [] : declareGuestNames(here, nodes, guests, source.file);
  const seen: Seen = { stubs: new Map() };
  for (const node of nodes) {
    switch (node.type) {
      case t.LetStatement:
        sharedLet(ctx, node);
        break;
      case t.SequenceDeclaration:
        declareSequence(ctx, node, home, sequences);
        break;
      case t.GuestDeclaration: {
        const at = guestNodes.find((g) => g.node === node);
        if (at !== undefined) {
          reportFlaw(here, node);
          Object.assign(
            guests[at.index],
            guestSettings(here, guests[at.index].name, child(node, t.Settings), at.nameNode),
          );
        }
        break;
      }
      case t.HostDeclaration:
        if (!lending) declareHost(here, node, result, seen);
        break;
      case t.UseDeclaration:
        if (!lending) use(here, node, result, seen);
        break;
      case t.StubDeclaration:
        if (!lending) stub(here, node, result, seen);
        break;
    }
  }
  if (!lending) placeGuests(here, guests, result.host);
  if (!lending) declareInvariants(here, nodes, result.invariants);
  checkSequences(ctx, sequences, known);
  return result;
}

/** A problem about the document itself: places in it are not named by file. */
function local(problem: Problem, file: number): Problem {
  const strip = (span: Span): Span => (span.file === file ? { start: span.start, end: span.end } : span);
  return {
    ...problem,
    span: strip(problem.span),
    ...(problem.related === undefined
      ? {}
      : { related: problem.related.map((r) => ({ message: r.message, span: strip(r.span) })) }),
  };
}

/** What may be declared once. */
interface Seen {
  host?: SyntaxNode;
  kernel?: SyntaxNode;
  stubs: Map<string, SyntaxNode>;
}

// ---------------------------------------------------------------- names

function importFile(
  ctx: Context,
  node: SyntaxNode,
  importer: Importer,
  into: Scope,
  sequences: Map<string, Sequence>,
  own: number,
): void {
  if (reportFlaw(ctx, node)) return;
  const pathNode = node.children[1];
  const path = text(ctx, pathNode, 'The path of a file');
  if (path === undefined) return;
  const home = importer(ctx, pathNode, path);
  if (home === undefined || home.file === own) return;
  for (const [name, sequence] of home.sequences) {
    // Only what the file declares itself: what it imports in turn stays its own.
    if (sequence.home !== home) continue;
    const before = sequences.get(name);
    if (before !== undefined && before !== sequence) {
      ctx.problem(
        'DUPLICATE',
        pathNode,
        `Sequence \`${name}\` of this file is already imported from ${before.home.path}.`,
        [],
        [{ message: 'declared here', span: before.declared }],
      );
    } else sequences.set(name, sequence);
  }
  for (const binding of home.scope.ownBindings()) {
    const before = into.own(binding.name);
    if (before !== undefined && before !== binding) {
      ctx.problem(
        'DUPLICATE',
        pathNode,
        `\`${binding.name}\` of this file is already imported from elsewhere.`,
        [],
        [{ message: 'declared here', span: before.declared }],
      );
    } else into.bind(binding);
  }
}

/** Guests exist for every declaration, whatever the order. */
function declareGuestNames(
  ctx: Context,
  nodes: readonly SyntaxNode[],
  guests: GuestConfig[],
  file: number,
): { node: SyntaxNode; nameNode: SyntaxNode; index: number }[] {
  const declared: { node: SyntaxNode; nameNode: SyntaxNode; index: number }[] = [];
  for (const node of nodes) {
    if (node.type !== t.GuestDeclaration) continue;
    const nameNode = child(node, t.Name);
    if (nameNode === undefined) {
      reportFlaw(ctx, node);
      continue;
    }
    const name = ctx.source(nameNode);
    if ((ACTORS as readonly string[]).includes(name)) {
      ctx.problem('DUPLICATE', nameNode, `\`${name}\` is an actor of the language; a guest needs another name.`);
      continue;
    }
    const before = ctx.scope.own(name);
    if (before !== undefined) {
      ctx.problem(
        'DUPLICATE',
        nameNode,
        `There is a guest \`${name}\` already.`,
        [],
        [{ message: 'declared here', span: before.declared }],
      );
      continue;
    }
    if (guests.length === MAX_GUESTS) {
      ctx.problem('VALUE', nameNode, `There are ${MAX_GUESTS} guests at most, one to an ASID.`);
      break;
    }
    const index = guests.length;
    guests.push({ name, asid: 0, snp: true, vcpus: 1, slots: [], span: ctx.span(nameNode) });
    const binding: Binding = { name, declared: { ...ctx.span(nameNode), file }, is: 'guest', guest: index };
    ctx.scope.bind(binding);
    ctx.use(nameNode, binding);
    declared.push({ node, nameNode, index });
  }
  return declared;
}

function sharedLet(ctx: Context, node: SyntaxNode): void {
  const flawed = reportFlaw(ctx, node);
  const nameNode = node.children[1];
  if (nameNode?.type !== t.Name) return;
  const name = ctx.source(nameNode);
  const before = ctx.scope.find(name);
  if (before !== undefined) {
    alreadyDeclared(ctx, nameNode, name, before);
    return;
  }
  const declared = ctx.span(nameNode);
  const expr = flawed ? undefined : letValue(ctx, node);
  const binding: Binding =
    expr === undefined || expr instanceof Unknown
      ? { name, declared, is: 'unknown' }
      : { name, declared, is: 'shared', expr };
  ctx.scope.bind(binding);
  ctx.use(nameNode, binding);
}

function declareSequence(ctx: Context, node: SyntaxNode, home: Home, sequences: Map<string, Sequence>): void {
  reportFlaw(ctx, node);
  const nameNode = node.children[1];
  const block = child(node, t.DeclarationBlock);
  if (nameNode?.type !== t.Name) return;
  const name = ctx.source(nameNode);
  const before = sequences.get(name);
  if (before !== undefined) {
    ctx.problem(
      'DUPLICATE',
      nameNode,
      `There is a sequence \`${name}\` already.`,
      [],
      [{ message: 'declared here', span: before.declared }],
    );
    return;
  }
  const parameters: { name: string; from: number; to: number }[] = [];
  for (const p of child(node, t.Parameters)?.children ?? []) {
    if (p.type !== t.Name) continue;
    const parameter = ctx.source(p);
    if (parameters.some((q) => q.name === parameter))
      ctx.problem('DUPLICATE', p, `There are two parameters \`${parameter}\`.`);
    else parameters.push({ name: parameter, from: p.from, to: p.to });
  }
  const sequence: Sequence = {
    name,
    declared: ctx.span(nameNode),
    parameters,
    lines: block === undefined ? [] : blockLines(ctx, block),
    home,
  };
  sequences.set(name, sequence);
  ctx.use(nameNode, { is: 'sequence', name, declared: sequence.declared });
}

function declareInvariants(ctx: Context, nodes: readonly SyntaxNode[], into: UserInvariant[]): void {
  for (const node of nodes) {
    if (node.type !== t.InvariantDeclaration) continue;
    const invariant = lowerInvariant(ctx, node);
    if (invariant === undefined) continue;
    const before = into.find((other) => other.name === invariant.name);
    if (before === undefined) into.push(invariant);
    else
      ctx.problem(
        'DUPLICATE',
        node.children[1],
        `There is an invariant "${invariant.name}" already; reports tell invariants apart by name.`,
        [],
        [{ message: 'declared here', span: before.nameSpan }],
      );
  }
}

/** Each sequence by itself, with parameters of which nothing is known: what is wrong with it whoever calls it is said once, here. */
function checkSequences(ctx: Context, sequences: ReadonlyMap<string, Sequence>, known: Set<string>): void {
  for (const sequence of sequences.values()) {
    if (sequence.home !== ctx.home) continue;
    const scope = new Scope(ctx.scope);
    for (const { name, from, to } of sequence.parameters) {
      const binding: Binding = { name, declared: ctx.span({ from, to }), is: 'unknown' };
      scope.bind(binding);
      ctx.use({ from, to }, binding);
    }
    const sink = (problem: Problem): void => {
      known.add(problemKey(problem));
      ctx.sink(problem);
    };
    new BlockLowering(new UnitBuilder(scope), new Set(), true).lines(
      new Context({ ...ctx, scope, sink }),
      sequence.lines,
    );
  }
  checkRecursion(ctx, sequences, known);
}

function checkRecursion(ctx: Context, sequences: ReadonlyMap<string, Sequence>, known: Set<string>): void {
  const state = new Map<Sequence, 'open' | 'done'>();
  const visit = (sequence: Sequence, path: Sequence[]): void => {
    if (state.get(sequence) === 'done' || path.length > 500) return;
    state.set(sequence, 'open');
    for (const { name, node } of callsIn(ctx, sequence.lines)) {
      const callee = sequences.get(name);
      if (callee === undefined || callee.home !== ctx.home) continue;
      const next = [...path, sequence];
      if (state.get(callee) === 'open') {
        const at = next.indexOf(callee);
        if (at < 0) continue;
        const circle = [...next.slice(at), callee].map((s) => s.name).join(' → ');
        const message = `Sequence \`${callee.name}\` calls itself (${circle}); sequences are written out where they are called and cannot recur. For repetition use \`for\`.`;
        known.add(problemKey({ rule: 'OPERATION', severity: 'error', span: ctx.span(node), message }));
        ctx.problem('OPERATION', node, message);
      } else visit(callee, next);
    }
    state.set(sequence, 'done');
  };
  for (const sequence of sequences.values()) if (sequence.home === ctx.home) visit(sequence, []);
}

function* callsIn(ctx: Context, lines: readonly SyntaxNode[]): Iterable<{ name: string; node: SyntaxNode }> {
  for (const node of lines) {
    if (node.type === t.SequenceCall) yield { name: ctx.source(node.children[0]), node };
    else if (node.type === t.ForStatement || node.type === t.AllowStatement) {
      const block = child(node, t.Block);
      if (block !== undefined) yield* callsIn(ctx, block.children);
    }
  }
}

// ---------------------------------------------------------------- the rest

/** A text in quotes. */
function text(ctx: Context, node: SyntaxNode | undefined, what: string): string | undefined {
  if (node === undefined || isFlaw(node)) return undefined;
  if (node.type !== t.String) {
    const replacement = JSON.stringify(ctx.source(node));
    return ctx.problem('SYNTAX', node, `${what} stands in quotes: ${replacement}.`, [
      { title: 'Put it in quotes', replacement },
    ]);
  }
  const value = stringValue(ctx.source(node));
  if (value === undefined) return ctx.problem('SYNTAX', node, 'The text has no closing quote.');
  if (value === '') return ctx.problem('VALUE', node, `${what} is empty.`);
  return value;
}

export { text as quotedText };

function declareHost(ctx: Context, node: SyntaxNode, result: Declarations, seen: Seen): void {
  reportFlaw(ctx, node);
  if (seen.host !== undefined) {
    ctx.problem(
      'DUPLICATE',
      node.children[0],
      'There is one host, and it is declared already.',
      [],
      [{ message: 'declared here', span: ctx.span(seen.host.children[0]) }],
    );
    return;
  }
  seen.host = node;
  result.host = hostSettings(ctx, child(node, t.Settings));
}

function use(ctx: Context, node: SyntaxNode, result: Declarations, seen: Seen): void {
  if (reportFlaw(ctx, node)) return;
  const [, whatNode, first, second] = node.children;
  const what = ctx.source(whatNode);
  if (what !== 'kernel' && what !== 'patch' && what !== 'source') {
    const { text: hint, fixes } = suggestion(what, ['kernel', 'patch', 'source'], 'What can be used');
    ctx.problem(
      'NAME',
      whatNode,
      `What is used is a \`kernel\`, a \`patch\` or a \`source\`, not ${quoted(ctx, whatNode)}.${hint}`,
      fixes,
    );
    return;
  }
  const name = text(ctx, first, what === 'kernel' ? 'The name of a kernel' : 'The path of a file');
  if (name === undefined) return;
  if (second !== undefined) {
    ctx.problem(
      'RESERVED',
      second,
      what === 'kernel'
        ? 'Running several kernels side by side is reserved and not supported yet; the first is used.'
        : 'One `use` names one file; write another line.',
    );
  }
  const span = ctx.span(first);
  if (what !== 'kernel') {
    result.uses.push({ kind: what, path: name, span });
    return;
  }
  if (seen.kernel !== undefined) {
    ctx.problem(
      'DUPLICATE',
      node,
      'There is one kernel, and it is chosen already.',
      [],
      [{ message: 'chosen here', span: ctx.span(seen.kernel) }],
    );
    return;
  }
  seen.kernel = node;
  result.kernel = { name, span };
}

function stub(ctx: Context, node: SyntaxNode, result: Declarations, seen: Seen): void {
  if (reportFlaw(ctx, node)) return;
  const nameNode = node.children[1];
  const valueNode = node.children.find((c, i) => i > 2 && !isFlaw(c));
  if (valueNode === undefined) return;
  const name = ctx.source(nameNode);
  const before = seen.stubs.get(name);
  if (before !== undefined) {
    ctx.problem(
      'DUPLICATE',
      nameNode,
      `\`${name}\` has a stub already.`,
      [],
      [{ message: 'here', span: ctx.span(before) }],
    );
    return;
  }
  seen.stubs.set(name, nameNode);
  const expr = expression(ctx, valueNode);
  const value = expr && coerce(ctx, valueNode, expr, 'int', '`returns`');
  if (value === undefined) return;
  if (!(value instanceof Constant) || value.value.kind !== 'int') {
    ctx.problem('VALUE', valueNode, 'What a stub returns is a number that is known before anything runs.');
    return;
  }
  if (value.value.wide !== undefined) {
    ctx.problem('VALUE', valueNode, 'What a stub returns lies between -2^53 and 2^53.');
    return;
  }
  result.stubs.push({ name, value: value.value.value, span: ctx.span(node) });
}
