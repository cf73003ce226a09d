/** A step: who does what, with which operands, and what it is to come to. */
import * as t from '../generated/scenario-parser-terms.ts';
import { coerce, describeKind, expression, unknownName } from './analyze-expression.ts';
import { matchArguments } from './arguments.ts';
import { type Context, quoted, suggestion } from './context.ts';
import { Constant, Unknown } from './expression.ts';
import { operation, operations, operationsOf, signature } from './operations.ts';
import { outcomePattern } from './outcomes.ts';
import type { Actor, ActorKind, Expr, OutcomePattern, Span, Step } from './program.ts';
import { child, isFlaw, oneLine, type SyntaxNode } from './syntax.ts';
import { ACTORS, type ActorWord } from './words.ts';

/** The step, or undefined if something is wrong with it; that has been reported. */
export function lowerStep(ctx: Context, node: SyntaxNode, via: Span[]): Step | undefined {
  const nameNode = node.children[0];
  const parts = node.children.filter((c) => c.type === t.CallPart);
  const clause = child(node, t.OutcomeClause);
  let expected: OutcomePattern | undefined;
  let ok = true;
  if (clause !== undefined) {
    const outcome = child(clause, t.Outcome);
    expected = outcome && outcomePattern(ctx, outcome);
    ok = expected !== undefined;
  }
  const actor = actorOf(ctx, nameNode, parts);
  if (actor === undefined) return undefined;
  const last = parts.at(-1);
  if (last === undefined) return undefined;
  const call = { from: nameNode.from, to: last.to };
  const operationNode = child(last, t.Name);
  const list = child(last, t.Arguments);
  if (operationNode === undefined) {
    const known = operationsOf(actor.kind).map((o) => o.name);
    return ctx.problem(
      'OPERATION',
      call,
      `An operation is missing after the dot.${actor.kind === 'kernel' ? ' Name a C function.' : ` Operations: ${known.join(', ')}.`}`,
    );
  }
  const name = ctx.source(operationNode);
  const spec = operation(actor.kind === 'kernel' ? 'kernel.call' : `${actor.kind}.${name}`);
  if (spec === undefined) return unknownOperation(ctx, nameNode, operationNode, actor.kind, name);
  ctx.use(operationNode, { is: 'operation', name: spec.key });
  if (list === undefined) {
    const written = actor.kind === 'kernel' ? `${name}()` : signature(name, spec.operands);
    return ctx.problem('ARGUMENT', call, `Its arguments are missing: \`${ctx.source(nameNode)}.${written}\`.`);
  }
  const args = spec.variadic ? anyArguments(ctx, list) : matchArguments(ctx, name, spec.operands, list.children, list);
  if (args === undefined || !ok) return undefined;
  // Something it depends on is broken or not known yet; that is said elsewhere.
  if (actor.guest === -1 || args.some((arg) => arg instanceof Unknown)) return undefined;
  return {
    kind: 'step',
    span: ctx.span(node),
    callSpan: ctx.span(call),
    operation: spec.key,
    actor,
    args,
    ...(spec.variadic ? { callee: name } : {}),
    expected,
    text: oneLine(ctx.source(call)),
    via,
  };
}

/** Arguments of a C function: quantities, guests, slots, vCPUs, constants by name. */
function anyArguments(ctx: Context, list: SyntaxNode): Expr[] | undefined {
  const args: Expr[] = [];
  let ok = true;
  for (const node of list.children) {
    if (isFlaw(node)) continue;
    const expr = expression(ctx, node, 'any');
    if (expr === undefined) ok = false;
    else if (expr.kind.endsWith('-range') || expr.kind === 'string') {
      ctx.problem(
        'ARGUMENT',
        node,
        `${quoted(ctx, node)} is ${describeKind(expr.kind)}, which C cannot take; pass its parts, \`start(…)\` and \`end(…)\`.`,
      );
      ok = false;
    } else args.push(expr);
  }
  return ok ? args : undefined;
}

// ---------------------------------------------------------------- actors

/** guest -1: a parameter whose guest is not known. */
function actorOf(ctx: Context, nameNode: SyntaxNode, parts: readonly SyntaxNode[]): Actor | undefined {
  const name = ctx.source(nameNode);
  const binding = ctx.scope.find(name);
  const guest =
    binding?.is === 'guest'
      ? binding.guest
      : binding?.is === 'value' && binding.value.kind === 'guest'
        ? binding.value.guest
        : undefined;
  if (parts.length === 0) {
    const what =
      guest !== undefined
        ? `a guest: \`${name}.read(64K)\``
        : isActor(name)
          ? `an actor: \`${operationsOf(name as ActorKind)[0].example}\``
          : '';
    if (what !== '') return ctx.problem('SYNTAX', nameNode, `\`${name}\` alone is no step; it is ${what}.`);
    return ctx.problem(
      'SYNTAX',
      nameNode,
      `\`${name}\` is no statement. A step is written \`actor.operation(arguments)\`.`,
    );
  }
  if (guest !== undefined || binding?.is === 'unknown') {
    if (binding !== undefined) ctx.use(nameNode, binding);
    return select(ctx, parts, { kind: 'guest', guest: guest ?? -1, vcpu: 0, vmpl: 0 });
  }
  if (isActor(name)) {
    if (parts.length > 1)
      return ctx.problem(
        'OPERATION',
        parts[0],
        `Only a guest has vCPUs and VMPLs to choose from; \`${name}\` is followed by its operation.`,
      );
    return { kind: name, vcpu: 0, vmpl: 0 };
  }
  if (binding !== undefined) {
    ctx.use(nameNode, binding);
    return ctx.problem('KIND', nameNode, `\`${name}\` is no actor and no guest.`);
  }
  const known = [...ctx.guests.map((g) => g.name), ...ACTORS];
  if (name === 'guest' || name === 'vm') {
    const first = ctx.guests[0]?.name;
    return ctx.problem(
      'NAME',
      nameNode,
      `A guest acts by its name${first === undefined ? ', and none is declared' : `: \`${first}.${ctx.source(parts[0]).slice(1)}\``}.`,
      first === undefined ? [] : [{ title: `Change to ${first}`, replacement: first }],
    );
  }
  if (ctx.guests.length === 0) return unknownName(ctx, nameNode, name, [...ACTORS]);
  const { text, fixes } = suggestion(name, known, 'Actors');
  return ctx.problem(
    'NAME',
    nameNode,
    `No guest and no actor is called \`${name}\`.${text || ` Actors: ${known.join(', ')}.`}`,
    fixes,
  );
}

const isActor = (name: string): name is ActorWord => (ACTORS as readonly string[]).includes(name);

/** `.vcpu(1)` and `.vmpl(1)` between the guest and its operation. */
function select(ctx: Context, parts: readonly SyntaxNode[], actor: Actor): Actor | undefined {
  for (const part of parts.slice(0, -1)) {
    const nameNode = child(part, t.Name);
    const name = nameNode === undefined ? '' : ctx.source(nameNode);
    if (name !== 'vcpu' && name !== 'vmpl') {
      return ctx.problem(
        'OPERATION',
        part,
        `${quoted(ctx, part)}: between a guest and its operation stand only \`.vcpu(n)\` and \`.vmpl(n)\`.`,
      );
    }
    const list = child(part, t.Arguments)?.children.filter((c) => !isFlaw(c)) ?? [];
    if (list.length !== 1) return ctx.problem('ARGUMENT', part, `\`.${name}(n)\` takes one number.`);
    const expr = expression(ctx, list[0]);
    const plain = expr && coerce(ctx, list[0], expr, 'int', `\`.${name}(n)\``);
    if (plain === undefined) return undefined;
    if (plain instanceof Unknown) continue;
    if (!(plain instanceof Constant) || plain.value.kind !== 'int') {
      return ctx.problem('ARGUMENT', list[0], `\`.${name}(n)\` takes a number that does not change.`);
    }
    const n = plain.value.value;
    const config = ctx.guests[actor.guest ?? -1];
    const limit = name === 'vmpl' ? 4 : (config?.vcpus ?? Number.MAX_SAFE_INTEGER);
    if (n < 0 || n >= limit) {
      const have =
        name === 'vmpl'
          ? 'VMPLs are 0 to 3'
          : `guest ${config?.name} has ${limit} vCPU${limit === 1 ? '' : 's'}, numbered from 0; \`vcpus ${n + 1}\` in its declaration makes more`;
      return ctx.problem('VALUE', list[0], `There is no ${name} ${n}: ${have}.`);
    }
    if (name === 'vcpu') actor.vcpu = n;
    else actor.vmpl = n;
  }
  return actor;
}

function unknownOperation(
  ctx: Context,
  actorNode: SyntaxNode,
  node: SyntaxNode,
  kind: ActorKind,
  name: string,
): undefined {
  const who = kind === 'guest' ? 'A guest' : `\`${kind}\``;
  const known = operationsOf(kind).map((o) => o.name);
  if (name === 'vcpu' || name === 'vmpl') {
    return ctx.problem(
      'OPERATION',
      node,
      `\`${name}\` chooses who acts; an operation follows it: \`${ctx.source(actorNode)}.${name}(1).read(64K)\`.`,
    );
  }
  const elsewhere = operations.find((o) => o.name === name && o.actor !== 'kernel');
  if (elsewhere !== undefined) {
    const actor = elsewhere.actor === 'guest' ? (ctx.guests[0]?.name ?? 'a guest') : elsewhere.actor;
    return ctx.problem(
      'OPERATION',
      node,
      `${who} has no operation \`${name}\`; it is one of \`${actor}\`: \`${elsewhere.example}\`.`,
    );
  }
  const { text, fixes } = suggestion(name, known, 'Operations');
  return ctx.problem('OPERATION', node, `${who} has no operation \`${name}\`.${text}`, fixes);
}
