/**
 * The statements of a block to instructions. A statement with a problem is left out, the rest still runs. Sequences are inlined: their steps stand in the
 * scenario's code, know the calls they came through, and keep the place where they are written.
 */
import * as t from '../generated/scenario-parser-terms.ts';
import { allowableRules } from '../invariants/catalogue.ts';
import { coerce, describeKind, expression } from './analyze-expression.ts';
import { Context, quoted, suggestion } from './context.ts';
import { Constant, Unknown } from './expression.ts';
import { lowerExpect } from './lower-expect.ts';
import { lowerStep } from './lower-step.ts';
import { elementOf, isRangeKind, type RangeValue } from './numbers.ts';
import { operations } from './operations.ts';
import type { Expr, Instruction, Problem, Span } from './program.ts';
import { type Binding, Scope, type Sequence } from './scope.ts';
import { child, ERROR, isBlock, isFlaw, type SyntaxNode, stringValue, TOO_DEEP } from './syntax.ts';
import { lastWord, reportFlaw, reportJunk } from './syntax-problems.ts';
import { INLINE_LIMIT, type UnitBuilder } from './unit-builder.ts';

/** Calls of sequences within sequences. */
const CALL_DEPTH = 64;
/** Turns of one loop that are too many to be meant. */
const TURNS = 1_000_000;

interface AllowText {
  rule: string;
  reason: string;
  span: Span;
}

/** What a statement of the document may be told apart by: problems that a sequence has by itself, said once and not again at every call. */
export type KnownProblems = ReadonlySet<string>;
export const problemKey = (p: Problem): string => `${p.span.file ?? ''}:${p.span.start}:${p.rule}:${p.message}`;

export class BlockLowering {
  private readonly builder: UnitBuilder;
  private readonly known: KnownProblems;
  private readonly via: Span[];
  private readonly active: readonly Sequence[];
  /** Checked for its problems only: a sequence by itself. Calls are not followed. */
  private readonly checking: boolean;

  constructor(
    builder: UnitBuilder,
    known: KnownProblems,
    checking = false,
    via: Span[] = [],
    active: readonly Sequence[] = [],
  ) {
    this.builder = builder;
    this.known = known;
    this.checking = checking;
    this.via = via;
    this.active = active;
  }

  /**
   * `nodes`: everything between the braces, in order. `complete` is told after each statement how many nodes are done with, unless an `allow` still waits
   * for the statement that follows.
   */
  lines(ctx: Context, nodes: readonly SyntaxNode[], complete?: (nodes: number) => void): void {
    let pending: AllowText[] = [];
    for (let i = 0; i < nodes.length && !this.builder.full; i++) {
      const node = nodes[i];
      if (isFlaw(node)) {
        if (node.type === ERROR) ctx.problem('SYNTAX', node, `${quoted(ctx, node)} does not belong here.`);
        if (node.type === TOO_DEEP) ctx.problem('SYNTAX', node, 'These blocks are nested too deep.');
        continue;
      }
      if (node.type === t.Junk || node.type === t.StrayBlock) {
        if (node.type === t.Junk) reportJunk(ctx, node, undefined);
        else ctx.problem('SYNTAX', { from: node.from, to: node.from + 1 }, 'A block belongs to `for` or `allow`.');
        while (this.continues(ctx, node, nodes[i + 1])) i++;
        if (pending.length === 0) complete?.(i + 1);
        continue;
      }
      const hasBlock = node.children.some(isBlock);
      let broken = false;
      while (this.continues(ctx, nodes[i], nodes[i + 1])) {
        i++;
        if (!broken) this.trailing(ctx, node, nodes[i], hasBlock);
        broken = true;
      }
      if (broken && !hasBlock) {
        pending = [];
        complete?.(i + 1);
        continue;
      }
      if (node.type === t.AllowStatement && child(node, t.Block) === undefined) {
        const allow = this.allowText(ctx, node);
        if (allow !== undefined) pending.push(allow);
        continue;
      }
      this.guarded(pending, () => this.statement(ctx, node));
      pending = [];
      complete?.(i + 1);
    }
    for (const allow of pending)
      ctx.report('ARGUMENT', allow.span, 'No step follows that this `allow` could apply to.', 'error');
  }

  /** Something after a statement on its line. What is wrong with the statement itself explains it better. */
  private trailing(ctx: Context, node: SyntaxNode, rest: SyntaxNode, hasBlock: boolean): void {
    if (!hasBlock && reportFlaw(ctx, node)) return;
    const call = node.type === t.SequenceCall ? ctx.source(node.children[0]) : undefined;
    if (rest.type === t.Junk) reportJunk(ctx, rest, node);
    else if (call !== undefined && !ctx.home.sequences.has(call)) unknownSequence(ctx, node.children[0], call);
    else ctx.problem('SYNTAX', { from: rest.from, to: rest.from + 1 }, 'A block belongs to `for` or `allow`.');
  }

  /** Whether `next` is the rest of the line of `node`. */
  private continues(ctx: Context, node: SyntaxNode, next: SyntaxNode | undefined): next is SyntaxNode {
    return (
      next !== undefined &&
      (next.type === t.Junk || next.type === t.StrayBlock) &&
      !/[\n\r]/.test(ctx.text.slice(node.to, next.from))
    );
  }

  /** What `body` adds, with the rules named allowed meanwhile. */
  private guarded(allows: readonly AllowText[], body: () => void): void {
    if (allows.length === 0) {
      body();
      return;
    }
    const { code } = this.builder;
    const start = code.length;
    const opened: Instruction[] = allows.map((allow) => ({
      kind: 'allow',
      allow: this.builder.allow(allow.rule, allow.reason, allow.span),
      span: allow.span,
    }));
    code.push(...opened);
    body();
    if (code.length === start + opened.length) {
      // Nothing was added, because it is broken: an allow around nothing would be blamed for silencing nothing.
      code.length = start;
      this.builder.allows.length -= allows.length;
      return;
    }
    for (const instruction of opened.reverse()) code.push({ ...instruction, kind: 'allow-end' } as Instruction);
  }

  private statement(ctx: Context, node: SyntaxNode): void {
    const flawed = reportFlaw(ctx, node);
    switch (node.type) {
      case t.Step:
        if (!flawed) this.guarded(this.allowClauses(ctx, node), () => this.add(lowerStep(ctx, node, this.via)));
        break;
      case t.ExpectStatement:
        if (!flawed) this.guarded(this.allowClauses(ctx, node), () => this.add(lowerExpect(ctx, node, this.via)));
        break;
      case t.LetStatement:
        this.let(ctx, node, flawed);
        break;
      case t.ForStatement:
        this.for(ctx, node, flawed);
        break;
      case t.AllowStatement:
        this.allowBlock(ctx, node, flawed);
        break;
      case t.SequenceCall:
        if (!flawed) this.guarded(this.allowClauses(ctx, node), () => this.call(ctx, node));
        break;
      case t.Reserved:
        reportReserved(ctx, node);
        break;
    }
  }

  private add(instruction: Instruction | undefined): void {
    if (instruction !== undefined) this.builder.code.push(instruction);
  }

  // ---------------------------------------------------------------- let, for, allow

  private let(ctx: Context, node: SyntaxNode, flawed: boolean): void {
    const nameNode = child(node, t.Name);
    if (nameNode === undefined || nameNode !== node.children[1]) return;
    const name = ctx.source(nameNode);
    const before = ctx.scope.own(name);
    if (before !== undefined) {
      alreadyDeclared(ctx, nameNode, name, before);
      return;
    }
    const declared = ctx.span(nameNode);
    const written = flawed ? undefined : letValue(ctx, node);
    if (written === undefined || written instanceof Unknown) {
      this.bind(ctx, nameNode, { name, declared, is: 'unknown' });
      return;
    }
    const slot = this.builder.variable(name);
    const assumed = this.builder.assumed?.get(slot);
    // What is no constant is looked up when it is used; only constants are put into the code.
    const value = assumed !== undefined && written instanceof Constant ? new Constant(assumed, written.span) : written;
    this.builder.code.push({ kind: 'let', variable: slot, value, span: ctx.span(node), via: this.via });
    this.bind(
      ctx,
      nameNode,
      value instanceof Constant
        ? { name, declared, is: 'value', value: value.value, slot }
        : { name, declared, is: 'variable', slot, kind: value.kind },
    );
  }

  private bind(ctx: Context, node: SyntaxNode, binding: Binding): void {
    ctx.scope.bind(binding);
    if (ctx.scope === this.builder.scope) this.builder.bindings.push(binding);
    ctx.use(node, binding);
  }

  private for(ctx: Context, node: SyntaxNode, flawed: boolean): void {
    const block = child(node, t.Block);
    const nameNode = node.children[1]?.type === t.Name ? node.children[1] : undefined;
    const rangeNode = node.children.find((c, i) => i > 2 && c.type !== t.StepClause && !isBlock(c) && !isFlaw(c));
    const inner = ctx.in(new Scope(ctx.scope));
    const loop =
      flawed || nameNode === undefined || rangeNode === undefined ? undefined : this.loopHead(ctx, node, rangeNode);
    const lines = block === undefined ? [] : blockLines(ctx, block);
    if (loop === undefined || nameNode === undefined) {
      // The body is still looked at, but cannot run.
      if (nameNode !== undefined)
        this.bind(inner, nameNode, { name: ctx.source(nameNode), declared: ctx.span(nameNode), is: 'unknown' });
      this.aside().lines(inner, lines);
      return;
    }
    const name = ctx.source(nameNode);
    const slot = this.builder.variable(name);
    this.bind(inner, nameNode, { name, declared: ctx.span(nameNode), is: 'variable', slot, kind: loop.kind });
    const { code } = this.builder;
    const head = code.length;
    const span = ctx.span({ from: node.from, to: block?.from ?? node.to });
    const { via } = this;
    const instruction = {
      kind: 'for' as const,
      variable: slot,
      range: loop.range,
      step: loop.step,
      exit: 0,
      span,
      via,
    };
    code.push(instruction);
    this.lines(inner, lines);
    if (code.length === head + 1) {
      // An empty body: nothing to repeat.
      code.length = head;
      return;
    }
    code.push({ kind: 'next', head, span, via });
    instruction.exit = code.length;
  }

  /** A lowering whose code goes nowhere: problems are found all the same. */
  private aside(): BlockLowering {
    return new BlockLowering(this.builder.aside(), this.known, true, this.via, this.active);
  }

  private loopHead(
    ctx: Context,
    node: SyntaxNode,
    rangeNode: SyntaxNode,
  ): { range: Expr; step: Expr | undefined; kind: ReturnType<typeof elementOf> } | undefined {
    const range = expression(ctx, rangeNode);
    const clause = child(node, t.StepClause);
    const stepNode = clause?.children.find((c) => c.type !== t.kwStep && !isFlaw(c));
    const given = stepNode && expression(ctx, stepNode);
    if (range === undefined || (stepNode !== undefined && given === undefined)) return undefined;
    if (range instanceof Unknown || given instanceof Unknown) return undefined;
    if (!isRangeKind(range.kind)) {
      const replacement = `0..${ctx.source(rangeNode)}`;
      return ctx.problem(
        'KIND',
        rangeNode,
        `A loop runs over a range, and ${quoted(ctx, rangeNode)} is ${describeKind(range.kind)}.`,
        range.kind === 'int' ? [{ title: `Loop over ${replacement}`, replacement }] : [],
      );
    }
    const step = given && stepNode && coerce(ctx, stepNode, given, 'int', '`step`');
    if (given !== undefined && step === undefined) return undefined;
    if (step instanceof Constant && step.value.kind === 'int' && step.value.value <= 0) {
      return ctx.problem('VALUE', stepNode as SyntaxNode, 'A loop goes forward: its step is greater than 0.');
    }
    if (range instanceof Constant && (step === undefined || step instanceof Constant)) {
      const { start, end } = range.value as RangeValue;
      const by =
        step instanceof Constant && step.value.kind === 'int'
          ? step.value.value
          : range.kind === 'gpa-range'
            ? 4096
            : 1;
      const turns = Math.ceil((end - start) / by);
      if (turns > TURNS) {
        const hint = stepNode === undefined && range.kind === 'int-range' ? ' Steps over bytes need `step 4K`.' : '';
        return ctx.problem(
          'VALUE',
          rangeNode,
          `This loop would turn ${turns.toLocaleString('en')} times; ${TURNS.toLocaleString('en')} is the most.${hint}`,
        );
      }
    }
    return { range, step, kind: elementOf(range.kind) };
  }

  private allowBlock(ctx: Context, node: SyntaxNode, flawed: boolean): void {
    const block = child(node, t.Block) as SyntaxNode;
    const allow = flawed ? undefined : this.allowText(ctx, node, false);
    const inner = ctx.in(new Scope(ctx.scope));
    this.guarded(allow === undefined ? [] : [allow], () => this.lines(inner, blockLines(ctx, block)));
  }

  private allowClauses(ctx: Context, node: SyntaxNode): AllowText[] {
    return node.children.filter((c) => c.type === t.AllowClause).flatMap((c) => this.allowText(ctx, c, false) ?? []);
  }

  private allowText(ctx: Context, node: SyntaxNode, checkFlaw = true): AllowText | undefined {
    if (checkFlaw && reportFlaw(ctx, node)) return undefined;
    const ruleNode = child(node, t.RuleName);
    const reasonNode = child(node, t.String);
    if (ruleNode === undefined) return undefined;
    const rule = ctx.source(ruleNode);
    if (reasonNode === undefined)
      return ctx.problem('SYNTAX', node.children[2] ?? ruleNode, 'The reason for an `allow` stands in quotes.');
    const reason = stringValue(ctx.source(reasonNode));
    if (reason === undefined) return ctx.problem('SYNTAX', reasonNode, 'The text has no closing quote.');
    if (reason.trim() === '') return ctx.problem('ARGUMENT', reasonNode, 'An `allow` says why: its reason is empty.');
    if (!allowableRules.includes(rule)) {
      const { text, fixes } = suggestion(rule, allowableRules, 'Rules');
      return ctx.problem(
        'NAME',
        ruleNode,
        `There is no rule \`${rule}\` to allow.${text || ` Rules: ${allowableRules.join(', ')}.`}`,
        fixes,
      );
    }
    return { rule, reason, span: ctx.span({ from: node.from, to: reasonNode.to }) };
  }

  // ---------------------------------------------------------------- sequences

  private call(ctx: Context, node: SyntaxNode): void {
    const nameNode = node.children[0];
    const name = ctx.source(nameNode);
    const sequence = ctx.home.sequences.get(name);
    if (sequence === undefined) {
      unknownSequence(ctx, nameNode, name);
      return;
    }
    ctx.use(nameNode, { is: 'sequence', name, declared: sequence.declared });
    const outcome = child(node, t.OutcomeClause);
    if (outcome !== undefined)
      ctx.problem('OUTCOME-PATTERN', outcome, 'A sequence has no outcome of its own: state it at the steps inside.');
    const list = child(node, t.Arguments)?.children.filter((c) => !isFlaw(c)) ?? [];
    const args: (Expr | undefined)[] = list.map((arg) => expression(ctx, arg, 'known'));
    if (list.length !== sequence.parameters.length) {
      const wanted = sequence.parameters.map((p) => p.name).join(', ');
      ctx.problem(
        'ARGUMENT',
        child(node, t.Arguments) ?? node,
        `\`${name}(${wanted})\` takes ${sequence.parameters.length} argument${sequence.parameters.length === 1 ? '' : 's'}, and ${list.length} ${list.length === 1 ? 'is' : 'are'} given.`,
      );
      return;
    }
    if (args.includes(undefined) || this.checking) return;
    this.inline(ctx, node, sequence, args as Expr[]);
  }

  private inline(ctx: Context, node: SyntaxNode, sequence: Sequence, args: readonly Expr[]): void {
    const { builder } = this;
    const active = [...this.active, sequence];
    if (this.active.includes(sequence)) {
      const names = active.slice(this.active.indexOf(sequence)).map((s) => s.name);
      ctx.problem(
        'OPERATION',
        node,
        `Sequence \`${sequence.name}\` calls itself (${names.join(' → ')}); sequences are written out where they are called and cannot recur. For repetition use \`for\`.`,
      );
      return;
    }
    if (active.length > CALL_DEPTH) {
      ctx.problem('OPERATION', node, `Sequences are nested more than ${CALL_DEPTH} deep here.`);
      return;
    }
    if (builder.inlined > INLINE_LIMIT) return;
    builder.inlined += 1 + sequence.lines.length;
    if (builder.inlined > INLINE_LIMIT) {
      const at = this.via[0] ?? ctx.span(node);
      builder.report({
        rule: 'OPERATION',
        severity: 'error',
        span: at,
        message: `The sequences called here come to more than ${INLINE_LIMIT.toLocaleString('en')} steps when written out. Use \`for\`.`,
      });
      return;
    }
    const { home } = sequence;
    const scope = new Scope(home.scope);
    const callSpan = ctx.span(node);
    sequence.parameters.forEach((parameter, i) => {
      const declared = { start: parameter.from, end: parameter.to, file: home.file };
      const arg = args[i];
      const { name } = parameter;
      if (arg instanceof Unknown) scope.bind({ name, declared, is: 'unknown' });
      else if (arg instanceof Constant) {
        scope.bind(
          arg.value.kind === 'guest'
            ? { name, declared, is: 'guest', guest: arg.value.guest }
            : { name, declared, is: 'value', value: arg.value },
        );
      } else {
        // Evaluated once, at the call: steps of the sequence may change what it depends on.
        const slot = builder.variable(name);
        builder.code.push({ kind: 'let', variable: slot, value: arg, span: callSpan, via: this.via });
        scope.bind({ name, declared, is: 'variable', slot, kind: arg.kind });
      }
    });
    const via = [...this.via, callSpan];
    builder.refersOutside = true;
    const within = new Context({
      text: home.text,
      base: 0,
      file: home.file,
      scope,
      home,
      guests: ctx.guests,
      sink: (problem) => this.inSequence(problem, sequence, via[0]),
      names: undefined,
    });
    new BlockLowering(builder, this.known, false, via, active).lines(within, sequence.lines);
  }

  /** A problem that a sequence has only with the arguments of this call. */
  private inSequence(problem: Problem, sequence: Sequence, callSpan: Span): void {
    if (this.known.has(problemKey(problem))) return;
    this.builder.report({
      rule: problem.rule,
      severity: problem.severity,
      span: callSpan,
      message: `In sequence \`${sequence.name}\`, with these arguments: ${problem.message}`,
      related: [{ message: 'here', span: problem.span }, ...(problem.related ?? [])],
    });
  }
}

// ---------------------------------------------------------------- shared with declarations

/** The lines of a block. Braces that were never closed are reported here. */
export function blockLines(ctx: Context, block: SyntaxNode): readonly SyntaxNode[] {
  reportBraces(ctx, block.children, block.from);
  return block.children.filter(
    (c) => c.type !== t.BlockOpen && c.type !== t.BlockClose && (c.type === ERROR || c.type === TOO_DEEP || !isFlaw(c)),
  );
}

/** A brace that is missing at the beginning or at the end of a block. */
export function reportBraces(ctx: Context, children: readonly SyntaxNode[], from: number): void {
  const open = children.find((c) => c.type === t.BlockOpen);
  if (open === undefined) ctx.problem('SYNTAX', lastWord(ctx, from), 'Expected `{` here.');
  else if (children.at(-1)?.type === t.UnclosedBlock)
    ctx.problem('SYNTAX', open, 'This `{` is never closed: a `}` is missing.');
}

/** The value of a `let`. */
export function letValue(ctx: Context, node: SyntaxNode): Expr | undefined {
  const valueNode = node.children.find((c, i) => i > 1 && !isFlaw(c));
  return valueNode && expression(ctx, valueNode, 'known');
}

export function alreadyDeclared(ctx: Context, node: SyntaxNode, name: string, before: Binding): void {
  ctx.problem(
    'DUPLICATE',
    node,
    `\`${name}\` is declared already; a name has one meaning in a block.`,
    [],
    [{ message: 'declared here', span: before.declared }],
  );
}

export function reportReserved(ctx: Context, node: SyntaxNode): void {
  const word = /^[a-z]+/.exec(ctx.source(node))?.[0] ?? '';
  if (word === 'invariant') {
    ctx.problem(
      'SYNTAX',
      { from: node.from, to: node.from + word.length },
      'An invariant holds for every scenario of the file and stands outside of them, at the top. It is left out.',
    );
    return;
  }
  const what =
    word === 'parallel'
      ? '`parallel { … }` will explore the interleavings of threads'
      : '`matrix { … }` will run a scenario under every combination of settings';
  ctx.problem(
    'RESERVED',
    { from: node.from, to: node.from + word.length },
    `${what}; it is reserved and not supported yet. It is left out.`,
  );
}

function unknownSequence(ctx: Context, node: SyntaxNode, name: string): void {
  const spec = operations.find((o) => o.name === name && o.actor !== 'kernel');
  if (spec !== undefined) {
    const actor = spec.actor === 'guest' ? (ctx.guests[0]?.name ?? 'g') : spec.actor;
    ctx.problem('NAME', node, `An operation is written with its actor: \`${spec.example}\`.`, [
      { title: `Change to ${actor}.${name}`, replacement: `${actor}.${name}` },
    ]);
    return;
  }
  if (name === 'if' || name === 'while' || name === 'switch' || name === 'return') {
    ctx.problem(
      'NAME',
      node,
      `There is no \`${name}\` in scenarios: they say what happens, step by step. Logic belongs in C; \`for x in 0..4 { … }\` repeats steps.`,
    );
    return;
  }
  const { text, fixes } = suggestion(name, [...ctx.home.sequences.keys()], 'Sequences');
  ctx.problem(
    'NAME',
    node,
    `There is no sequence \`${name}\`.${text || ' A step is written `actor.operation(…)`.'}`,
    fixes,
  );
}
