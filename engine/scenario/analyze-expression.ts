/** From the syntax of an expression to an {@link Expr}: names resolved, kinds checked, constants folded. Problems are reported once, where they are. */
import * as t from '../generated/scenario-parser-terms.ts';
import type { Context, Fix } from './context.ts';
import { quoted, suggestion } from './context.ts';
import {
  Backing,
  Binary,
  Bound,
  binary,
  Constant,
  Converted,
  converted,
  makeRange,
  RangeOf,
  Shared,
  Unknown,
  Variable,
} from './expression.ts';
import { functionNamed, functionNames } from './functions.ts';
import {
  elementOf,
  isNumberKind,
  isRangeKind,
  type NumberKind,
  type NumberValue,
  numberValue,
  type Operator,
  type RangeKind,
  rangeOf,
  resultKind,
} from './numbers.ts';
import { operandWords } from './operations.ts';
import type { Expr, ValueKind } from './program.ts';
import { formatQuantity, parseNumber } from './quantity.ts';
import type { Binding } from './scope.ts';
import { child, isFlaw, type SyntaxNode, stringValue } from './syntax.ts';

/** What a bare name may be besides a name that is declared. */
export type WordRule =
  /** Nothing. */
  | 'none'
  /** A word that some operand takes, or a constant in capitals: for `let` and the arguments of sequences. */
  | 'known'
  /** Any: the kernel's C knows its constants. */
  | 'any';

/** The expression, or undefined when a problem has been reported. */
export function expression(ctx: Context, node: SyntaxNode, words: WordRule = 'none'): Expr | undefined {
  switch (node.type) {
    case t.Number:
      return numberLiteral(ctx, node);
    case t.String: {
      const text = stringValue(ctx.source(node));
      if (text === undefined) return ctx.problem('SYNTAX', node, 'The text has no closing quote.');
      return new Constant({ kind: 'string', text }, ctx.span(node));
    }
    case t.Name:
      return named(ctx, node, words);
    case t.Call:
      return call(ctx, node);
    case t.Parenthesized: {
      const inner = node.children.find((c) => c.type !== t.ParenOpen && !isFlaw(c));
      return inner && expression(ctx, inner, words);
    }
    case t.Negative:
      return unary(ctx, node, '-');
    case t.Complement:
      return unary(ctx, node, '~');
    case t.Binary:
      return arithmetic(ctx, node);
    case t.Range:
      return range(ctx, node, false);
    case t.LengthRange:
      return range(ctx, node, true);
    case t.NamedArgument:
      return ctx.problem('ARGUMENT', node, `${quoted(ctx, node)} names an operand; here a value is expected.`);
    default:
      return undefined;
  }
}

function numberLiteral(ctx: Context, node: SyntaxNode): Expr | undefined {
  const parsed = parseNumber(ctx.source(node));
  if ('error' in parsed) return ctx.problem('VALUE', node, `${parsed.error}.`);
  const value = numberValue('int', parsed.value);
  if ('problem' in value) return ctx.problem('VALUE', node, `${value.problem}.`);
  return new Constant(value, ctx.span(node), parsed.suffixed);
}

const CAPITALS = /^[A-Z][A-Z0-9_]*$/;

function named(ctx: Context, node: SyntaxNode, words: WordRule): Expr | undefined {
  const name = ctx.source(node);
  const binding = ctx.scope.find(name);
  if (binding !== undefined) {
    ctx.use(node, binding);
    return reference(ctx, node, binding);
  }
  if (words === 'any' || (words === 'known' && (operandWords.has(name) || CAPITALS.test(name)))) {
    return new Constant({ kind: 'word', word: name }, ctx.span(node));
  }
  return unknownName(ctx, node, name, []);
}

export function unknownName(ctx: Context, node: SyntaxNode, name: string, more: readonly string[]): undefined {
  const known = [...new Set([...more, ...[...ctx.scope.all()].map((b) => b.name)])];
  if (functionNamed(name) !== undefined) {
    return ctx.problem('NAME', node, `\`${name}\` is a function: ${functionNamed(name)?.signatures.join(', ')}.`);
  }
  const { text, fixes } = suggestion(name, known, 'Known here');
  return ctx.problem('NAME', node, `Nothing is called \`${name}\` here.${text}`, fixes);
}

function reference(ctx: Context, node: SyntaxNode, binding: Binding): Expr {
  const span = ctx.span(node);
  switch (binding.is) {
    case 'guest':
      return new Constant({ kind: 'guest', guest: binding.guest }, span);
    case 'value':
      return new Constant(binding.value, span);
    case 'variable':
      return new Variable(binding.kind, binding.slot, span);
    case 'shared':
      return binding.expr instanceof Constant ? new Constant(binding.expr.value, span) : new Shared(binding.expr, span);
    case 'unknown':
      return new Unknown(span);
  }
}

const article = (kind: string): string => (/^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`);

function unary(ctx: Context, node: SyntaxNode, operator: '-' | '~'): Expr | undefined {
  const inner = node.children.find((c) => c.type !== t.Minus && !isFlaw(c));
  const of = inner && expression(ctx, inner);
  if (of === undefined || of instanceof Unknown) return of;
  if (of.kind !== 'int' && of.kind !== 'size') {
    return ctx.problem(
      'KIND',
      node,
      `\`${operator}\` applies to plain numbers; ${quoted(ctx, node)} applies it to ${article(of.kind)}.`,
    );
  }
  // ~x is -1 - x in two's complement of any width.
  const left = new Constant({ kind: 'int', value: operator === '-' ? 0 : -1 }, of.span);
  return folded(ctx, node, 'int', '-', left, of);
}

function arithmetic(ctx: Context, node: SyntaxNode): Expr | undefined {
  const [left, sign, right] = node.children;
  if (right === undefined) return undefined;
  const operator = ctx.source(sign) as Operator;
  const l = expression(ctx, left);
  const r = expression(ctx, right);
  if (l === undefined || r === undefined) return undefined;
  if (l instanceof Unknown) return l;
  if (r instanceof Unknown) return r;
  for (const [operand, side] of [
    [l, left],
    [r, right],
  ] as const) {
    if (isNumberKind(operand.kind)) continue;
    const hint =
      operand.kind.endsWith('-range') && sign.type === t.Plus ? ' `a +len` is a range; for a sum write `a + len`.' : '';
    return ctx.problem(
      'KIND',
      side,
      `\`${operator}\` takes quantities, and ${quoted(ctx, side)} is ${article(operand.kind)}.${hint}`,
    );
  }
  const kind = resultKind(operator, l.kind as NumberKind, r.kind as NumberKind);
  if (kind === undefined) return mixed(ctx, node, operator, l, r, left, right);
  return folded(ctx, node, kind, operator, l, r);
}

function mixed(
  ctx: Context,
  node: SyntaxNode,
  operator: Operator,
  l: Expr,
  r: Expr,
  left: SyntaxNode,
  right: SyntaxNode,
): undefined {
  const message = `\`${operator}\` mixes ${article(l.kind)} and ${article(r.kind)} in ${quoted(ctx, node)}.`;
  if (l.kind === r.kind || operator === '*')
    return ctx.problem(
      'KIND',
      node,
      `${message} ${l.kind === r.kind ? 'Two addresses can only be subtracted.' : 'Addresses are not multiplied.'}`,
    );
  const fixed = conversionText(ctx, right, r, l.kind as NumberKind);
  if (fixed === undefined) return ctx.problem('KIND', node, `${message} There is no conversion between them.`);
  const replacement = `${ctx.source(left)} ${operator} ${fixed}`;
  return ctx.problem('KIND', node, `${message} Convert one: \`${replacement}\`.`, [
    { title: `Convert to ${l.kind}`, replacement },
  ]);
}

function folded(
  ctx: Context,
  node: SyntaxNode,
  kind: NumberKind,
  operator: Operator,
  l: Expr,
  r: Expr,
): Expr | undefined {
  const span = ctx.span(node);
  if (l instanceof Constant && r instanceof Constant) {
    const value = binary(kind, operator, l.value as NumberValue, r.value as NumberValue);
    if ('problem' in value) return ctx.problem('VALUE', node, `${quoted(ctx, node)}: ${value.problem}.`);
    return new Constant(value, span, l.suffixed || r.suffixed);
  }
  return new Binary(kind, operator, l, r, span);
}

function range(ctx: Context, node: SyntaxNode, isLength: boolean): Expr | undefined {
  const parts = node.children.filter((c) => !isFlaw(c));
  if (parts.length < 2) return undefined;
  const [first, last] = parts;
  let start = expression(ctx, first);
  let second = expression(ctx, last);
  if (start === undefined || second === undefined) return undefined;
  if (start instanceof Unknown) return start;
  if (second instanceof Unknown) return second;
  for (const [bound, side] of [
    [start, first],
    [second, last],
  ] as const) {
    if (!isNumberKind(bound.kind))
      return ctx.problem(
        'KIND',
        side,
        `A range is made of quantities, and ${quoted(ctx, side)} is ${article(bound.kind)}.`,
      );
  }
  let kind = start.kind as NumberKind;
  const other = second.kind as NumberKind;
  if (isLength) {
    if (other !== 'int' && other !== 'size') {
      return ctx.problem(
        'KIND',
        last,
        `The length of a range is a plain number, and ${quoted(ctx, last)} is ${article(other)}. For a range that ends there, write \`${ctx.source(first)}..${ctx.source(last)}\`.`,
      );
    }
  } else if (kind !== other) {
    // A plain number takes the kind of the other bound.
    if (kind === 'int') {
      const adapted = adapt(ctx, first, start, other);
      if (adapted === undefined) return undefined;
      start = adapted;
      kind = other;
    } else if (other === 'int') {
      const adapted = adapt(ctx, last, second, kind);
      if (adapted === undefined) return undefined;
      second = adapted;
    } else {
      const fixed = conversionText(ctx, last, second, kind);
      const replacement = fixed && `${ctx.source(first)}..${fixed}`;
      return ctx.problem(
        'KIND',
        node,
        `${quoted(ctx, node)} runs from ${article(kind)} to ${article(other)}.${replacement === undefined ? '' : ` Write \`${replacement}\`.`}`,
        replacement === undefined ? [] : [{ title: `Convert to ${kind}`, replacement }],
      );
    }
  }
  const ranges = rangeOf(kind);
  if (ranges === undefined)
    return ctx.problem(
      'KIND',
      node,
      `There are no ranges of ${kind === 'spa' ? 'system physical addresses; use frames' : 'sizes'}.`,
    );
  if (start instanceof Constant && second instanceof Constant) {
    const value = makeRange(ranges, start.value as NumberValue, second.value as NumberValue, isLength);
    if ('problem' in value) return ctx.problem('VALUE', node, `${quoted(ctx, node)}: ${value.problem}.`);
    return new Constant(value, ctx.span(node), start.suffixed || second.suffixed);
  }
  return new RangeOf(ranges, start, second, isLength, ctx.span(node));
}

/** A plain number as the kind that is wanted. */
function adapt(ctx: Context, node: SyntaxNode, expr: Expr, to: NumberKind | RangeKind): Expr | undefined {
  if (expr instanceof Constant) {
    const value = converted(expr.value, to);
    if ('problem' in value) return ctx.problem('VALUE', node, `${quoted(ctx, node)}: ${value.problem}.`);
    return new Constant(value, expr.span, expr.suffixed);
  }
  return new Converted(to, expr, expr.span);
}

// ---------------------------------------------------------------- coercion

/** How to write an expression of one kind as another: `gpa(gfn(0x10))`. */
export function conversionText(ctx: Context, node: SyntaxNode, expr: Expr, to: ValueKind): string | undefined {
  const source = ctx.source(node).replace(/\s+/g, ' ').trim();
  const from = expr.kind;
  const element = isRangeKind(to) ? elementOf(to) : to;
  const given = isRangeKind(from) ? elementOf(from) : from;
  if (isRangeKind(to) !== isRangeKind(from)) return undefined;
  const pairs: Readonly<Record<string, string>> = {
    'gfn gpa': 'gpa',
    'gpa gfn': 'gfn',
    'pfn spa': 'spa',
    'spa pfn': 'pfn',
  };
  const by = pairs[`${given} ${element}`];
  if (by !== undefined) return `${by}(${source})`;
  if (isRangeKind(to) || element !== 'pfn' || ctx.guests.length === 0) return undefined;
  const guest = ctx.guests[0].name;
  if (given === 'gpa') return `pfn(${guest}, ${source})`;
  return given === 'gfn' ? `pfn(${guest}, gpa(${source}))` : undefined;
}

/** An expression in the kind that its place wants. `what` names the place, for messages. */
export function coerce(ctx: Context, node: SyntaxNode, expr: Expr, to: ValueKind, what: string): Expr | undefined {
  const from = expr.kind;
  if (from === to || expr instanceof Unknown) return expr;
  if (
    isNumberKind(to) &&
    (from === 'int' || from === 'size' || ((to === 'int' || to === 'size') && isNumberKind(from) && to === 'size'))
  ) {
    return adapt(ctx, node, expr, to);
  }
  if (isRangeKind(to) && from === 'int-range') return adapt(ctx, node, expr, to);
  const wanted = describeKind(to);
  const found = `${quoted(ctx, node)} is ${describeKind(from)}`;
  const fixed = conversionText(ctx, node, expr, to);
  if (fixed !== undefined) {
    return ctx.problem('KIND', node, `${found}, and ${what} takes ${wanted}. Write \`${fixed}\`.`, [
      { title: `Convert: ${fixed}`, replacement: fixed },
    ]);
  }
  const fixes: Fix[] = [];
  let advice = '';
  if (isRangeKind(to) && isNumberKind(from)) {
    const bytes = to === 'gpa-range' || to === 'int-range';
    const replacement = `${ctx.source(node)} +${bytes ? '4K' : '1'}`;
    advice = ` For the one page, write \`${replacement}\`.`;
    fixes.push({ title: `Make it a range: ${replacement}`, replacement });
  } else if (isNumberKind(to) && isRangeKind(from) && node.type === t.LengthRange) {
    const [a, b] = node.children.filter((c) => !isFlaw(c));
    const replacement = `${ctx.source(a)} + ${ctx.source(b)}`;
    advice = ` \`a +len\` is a range; for the sum, write \`${replacement}\`.`;
    fixes.push({ title: `Make it a sum: ${replacement}`, replacement });
  } else if (to === 'guest') {
    const names = ctx.guests.map((guest) => guest.name);
    advice = names.length === 0 ? ' No guest is declared in this file.' : ` Guests: ${names.join(', ')}.`;
  } else if (to === 'gpa' && (from === 'pfn' || from === 'spa')) {
    advice = ' No function leads from a frame back to a GPA: several GPAs can share it.';
  }
  return ctx.problem(
    from === 'word' || to === 'word' ? 'ARGUMENT' : 'KIND',
    node,
    `${found}, and ${what} takes ${wanted}.${advice}`,
    fixes,
  );
}

export function describeKind(kind: ValueKind): string {
  switch (kind) {
    case 'int':
      return 'a number';
    case 'bool':
      return 'true or false';
    case 'string':
      return 'a text in quotes';
    case 'gpa-range':
    case 'gfn-range':
    case 'pfn-range':
      return `a range of ${elementOf(kind)}s`;
    case 'int-range':
      return 'a range of numbers';
    default:
      return article(kind);
  }
}

// ---------------------------------------------------------------- functions

function call(ctx: Context, node: SyntaxNode): Expr | undefined {
  const nameNode = node.children[0];
  const name = ctx.source(nameNode);
  const spec = functionNamed(name);
  if (spec === undefined) {
    const { text, fixes } = suggestion(name, functionNames, 'Functions');
    if (ctx.home.sequences.has(name))
      return ctx.problem(
        'NAME',
        nameNode,
        `\`${name}\` is a sequence: it is called on a line of its own and has no value.`,
      );
    return ctx.problem('NAME', nameNode, `There is no function \`${name}\` in expressions.${text}`, fixes);
  }
  ctx.use(nameNode, { is: 'function', name });
  const list = child(node, t.Arguments)?.children.filter((c) => !isFlaw(c)) ?? [];
  const args: Expr[] = [];
  for (const arg of list) {
    const expr = expression(ctx, arg);
    if (expr === undefined) return undefined;
    args.push(expr);
  }
  const wrong = (): undefined =>
    ctx.problem('ARGUMENT', node, `\`${name}\` is written ${spec.signatures.map((s) => `\`${s}\``).join(' or ')}.`);
  const span = ctx.span(node);
  if (name === 'slot' || name === 'vcpu') {
    if (args.length !== 2) return wrong();
    return part(ctx, node, name, args, list);
  }
  if (name === 'pfn' && args.length === 2) {
    const guest = args[0];
    if (guest instanceof Unknown) return guest;
    const gpa = coerce(ctx, list[1], args[1], 'gpa', '`pfn(guest, gpa)`');
    const owner = coerce(ctx, list[0], guest, 'guest', '`pfn(guest, gpa)`');
    if (gpa === undefined || owner === undefined) return undefined;
    if (gpa instanceof Unknown) return gpa;
    const index = guestOf(ctx, list[0], owner);
    return index === undefined ? undefined : new Backing(index, ctx.guests[index]?.name ?? '', gpa, span);
  }
  if (args.length !== 1) return wrong();
  const [arg] = args;
  const [argNode] = list;
  if (arg instanceof Unknown) return arg;
  if (name === 'start' || name === 'end') {
    if (!isRangeKind(arg.kind))
      return ctx.problem(
        'KIND',
        argNode,
        `\`${name}\` takes a range, and ${quoted(ctx, argNode)} is ${describeKind(arg.kind)}.`,
      );
    const bound = new Bound(elementOf(arg.kind), arg, name === 'end', span);
    return arg instanceof Constant ? new Constant(bound.evaluate([], noMachine) as NumberValue, span) : bound;
  }
  return conversion(ctx, node, name as NumberKind, arg, argNode);
}

/** Constants never ask for the machine. */
const noMachine = { backingPfn: () => undefined };

function conversion(ctx: Context, node: SyntaxNode, to: NumberKind, arg: Expr, argNode: SyntaxNode): Expr | undefined {
  const span = ctx.span(node);
  const from = arg.kind;
  const isRange = isRangeKind(from);
  const element = isRange ? elementOf(from) : from;
  if (!isRange && !isNumberKind(from))
    return ctx.problem(
      'KIND',
      argNode,
      `\`${to}\` converts quantities, and ${quoted(ctx, argNode)} is ${describeKind(from)}.`,
    );
  const frames = to === 'gfn' || to === 'pfn';
  if (element === 'int' && frames && arg instanceof Constant && arg.suffixed && !isRange) {
    // `gfn(64K)`: the frame number 0x10000 or the frame of that address? Better asked than guessed.
    const address = to === 'gfn' ? `gfn(gpa(${ctx.source(argNode)}))` : `pfn(spa(${ctx.source(argNode)}))`;
    const number = `${to}(0x${(arg.value as NumberValue).value.toString(16)})`;
    return ctx.problem(
      'KIND',
      node,
      `${quoted(ctx, argNode)} is an amount of bytes, and \`${to}\` takes a frame number or an address. Write \`${address}\` for the frame of that address, \`${number}\` for the frame of that number.`,
      [
        { title: `The frame of that address: ${address}`, replacement: address },
        { title: `The frame of that number: ${number}`, replacement: number },
      ],
    );
  }
  const target = isRange ? rangeOf(to) : to;
  const fits =
    element === 'int' ||
    element === 'size' ||
    element === to ||
    ['gpa gfn', 'gfn gpa', 'spa pfn', 'pfn spa'].includes(`${element} ${to}`);
  if (!fits || target === undefined) {
    const text = !isRange && to === 'pfn' ? conversionText(ctx, argNode, arg, 'pfn') : undefined;
    return ctx.problem(
      'KIND',
      node,
      `No fixed rule leads from ${describeKind(from)} to ${describeKind(target ?? to)}.${text === undefined ? '' : ` For the frame that backs it, write \`${text}\`.`}`,
      text === undefined ? [] : [{ title: `Convert: ${text}`, replacement: text }],
    );
  }
  if (arg instanceof Constant) {
    const value = converted(arg.value, target);
    if ('problem' in value) return ctx.problem('VALUE', node, `${quoted(ctx, node)}: ${value.problem}.`);
    return new Constant(value, span);
  }
  return new Converted(target, arg, span);
}

/** Index of a guest that must be known while analysing. */
export function guestOf(ctx: Context, node: SyntaxNode, expr: Expr): number | undefined {
  if (expr instanceof Constant && expr.value.kind === 'guest') return expr.value.guest;
  if (expr instanceof Unknown) return 0;
  ctx.problem('KIND', node, `${quoted(ctx, node)} is ${describeKind(expr.kind)}, and here a guest is named.`);
  return undefined;
}

/** `slot(g, 0)`, `vcpu(g, 1)`. */
function part(
  ctx: Context,
  node: SyntaxNode,
  kind: 'slot' | 'vcpu',
  args: readonly Expr[],
  nodes: readonly SyntaxNode[],
): Expr | undefined {
  const [owner, id] = args;
  if (owner instanceof Unknown) return owner;
  if (id instanceof Unknown) return id;
  const guest = guestOf(ctx, nodes[0], owner);
  if (guest === undefined) return undefined;
  if (!(id instanceof Constant) || id.value.kind !== 'int') {
    return ctx.problem('ARGUMENT', nodes[1], `The id of a ${kind} is a number that does not change.`);
  }
  const n = id.value.value;
  const config = ctx.guests[guest];
  const exists = kind === 'slot' ? config.slots.some((slot) => slot.id === n) : n >= 0 && n < config.vcpus;
  if (!exists) {
    const have =
      kind === 'slot'
        ? `its slots are ${config.slots.map((slot) => slot.id).join(', ') || 'none'}`
        : `it has ${config.vcpus}, numbered from 0`;
    return ctx.problem('NAME', nodes[1], `Guest ${config.name} has no ${kind} ${formatQuantity(n)}; ${have}.`);
  }
  return new Constant(kind === 'slot' ? { kind, guest, slot: n } : { kind, guest, vcpu: n }, ctx.span(node));
}
