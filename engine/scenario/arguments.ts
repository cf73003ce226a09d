/** Arguments to operands: which argument fills which operand, and whether it is of the right kind. */
import * as t from '../generated/scenario-parser-terms.ts';
import { coerce, expression, unknownName } from './analyze-expression.ts';
import { type Context, quoted, suggestion } from './context.ts';
import { Constant, Unknown } from './expression.ts';
import type { Operand } from './operation-table.ts';
import { signature } from './operations.ts';
import type { Expr, Span } from './program.ts';
import { parseNumber } from './quantity.ts';
import { isFlaw, type SyntaxNode } from './syntax.ts';

/**
 * One expression for each operand, in the table's order, with defaults filled in; undefined in place of an optional one that was left out.
 * The result is undefined if something is wrong, which has then been reported. `name` is the operation or query, `whole` its place.
 */
export function matchArguments(
  ctx: Context,
  name: string,
  operands: readonly Operand[],
  list: readonly SyntaxNode[],
  whole: SyntaxNode,
): (Expr | undefined)[] | undefined {
  const values: (Expr | undefined)[] = new Array(operands.length).fill(undefined);
  const given: boolean[] = new Array(operands.length).fill(false);
  let ok = true;
  const fail = (): void => {
    ok = false;
  };
  for (const node of list) {
    if (isFlaw(node)) continue;
    if (node.type === t.NamedArgument) {
      if (!matchNamed(ctx, name, operands, node, values, given)) fail();
      continue;
    }
    const index = placeFor(ctx, operands, node, given);
    if (index === undefined) {
      if (node.type === t.Name && ctx.scope.find(ctx.source(node))?.is === 'unknown') {
        // It may well be a flag.
        values.push(new Unknown(ctx.span(node)));
        continue;
      }
      surplus(ctx, name, operands, node);
      fail();
      continue;
    }
    given[index] = true;
    values[index] = operandValue(ctx, operands[index], node, `\`${name}\``);
    if (values[index] === undefined) fail();
  }
  const missing: Operand[] = [];
  operands.forEach((operand, index) => {
    if (given[index]) return;
    if (operand.default !== undefined) values[index] = defaultValue(operand, ctx.span(whole));
    else if (operand.form === 'flag') values[index] = new Constant({ kind: 'bool', value: false }, ctx.span(whole));
    else if (operand.optional !== true) missing.push(operand);
  });
  if (missing.length > 0 && ok) {
    const names = missing.map((operand) => `\`${operand.name}\``).join(' and ');
    return ctx.problem(
      'ARGUMENT',
      whole,
      `${names} ${missing.length === 1 ? 'is' : 'are'} missing: \`${signature(name, operands)}\`.`,
    );
  }
  return ok ? values : undefined;
}

function matchNamed(
  ctx: Context,
  name: string,
  operands: readonly Operand[],
  node: SyntaxNode,
  values: (Expr | undefined)[],
  given: boolean[],
): boolean {
  const [nameNode, valueNode] = node.children;
  const wanted = ctx.source(nameNode);
  const index = operands.findIndex((operand) => operand.name === wanted && operand.form !== 'flag');
  if (index < 0) {
    const known = operands.filter((operand) => operand.form !== 'flag').map((operand) => operand.name);
    const { text } = suggestion(wanted, known, 'Operands');
    ctx.problem(
      'ARGUMENT',
      node,
      `\`${name}\` has no operand \`${wanted}\` with a value.${text || ` It is written \`${signature(name, operands)}\`.`} Arguments are separated by commas.`,
    );
    return false;
  }
  if (given[index]) {
    ctx.problem('ARGUMENT', node, `\`${wanted}\` is given twice.`);
    return false;
  }
  given[index] = true;
  values[index] = operandValue(ctx, operands[index], valueNode, `\`${wanted}\``);
  return values[index] !== undefined;
}

/** Index of the operand that an unnamed argument fills. */
function placeFor(
  ctx: Context,
  operands: readonly Operand[],
  node: SyntaxNode,
  given: readonly boolean[],
): number | undefined {
  const word = wordOf(ctx, node);
  if (word !== undefined) {
    const flag = operands.findIndex(
      (operand, i) => !given[i] && operand.form === 'flag' && (operand.words ?? [operand.name]).includes(word),
    );
    if (flag >= 0) return flag;
  }
  let first: number | undefined;
  for (let i = 0; i < operands.length; i++) {
    const operand = operands[i];
    if (given[i] || operand.form !== 'positional') continue;
    first ??= i;
    // A word that only a later operand knows is that one's: what it passes over has a default, or is missing.
    if (word !== undefined && operand.words?.includes(word)) return i;
    // `2M` where an address belongs is an address, also under the name of a parameter.
    if (isQuantity(ctx, node) && operand.default === undefined && operand.optional !== true) break;
  }
  return first;
}

function isQuantity(ctx: Context, node: SyntaxNode): boolean {
  if (node.type !== t.Name) return node.type === t.Number;
  const binding = ctx.scope.find(ctx.source(node));
  return binding?.is === 'value' && binding.value.kind === 'int';
}

/** A bare name or size as a word; a parameter that stands for a word counts as that word. */
function wordOf(ctx: Context, node: SyntaxNode): string | undefined {
  if (node.type === t.Number) return sizeWord(ctx.source(node));
  if (node.type !== t.Name) return undefined;
  const name = ctx.source(node);
  const binding = ctx.scope.find(name);
  if (binding?.is === 'value') {
    if (binding.value.kind === 'word') return binding.value.word;
    return binding.value.kind === 'int' ? sizeWord(String(binding.value.value)) : undefined;
  }
  return binding === undefined ? name : undefined;
}

/** `4K`, `4096` and `0x1000` are the word 4K. */
function sizeWord(source: string): string | undefined {
  const parsed = parseNumber(source);
  if ('error' in parsed) return undefined;
  return parsed.value === 2 ** 12
    ? '4K'
    : parsed.value === 2 ** 21
      ? '2M'
      : parsed.value === 2 ** 30
        ? '1G'
        : undefined;
}

function surplus(ctx: Context, name: string, operands: readonly Operand[], node: SyntaxNode): void {
  const word = node.type === t.Name ? ctx.source(node) : undefined;
  if (word !== undefined && ctx.scope.find(word) === undefined) {
    const known = operands.flatMap((operand) => [
      ...(operand.words ?? []),
      ...(operand.form === 'flag' ? [operand.name] : []),
    ]);
    if (known.includes(word)) {
      ctx.problem('ARGUMENT', node, `\`${word}\` is too much: what it would say is said already.`);
      return;
    }
    const { text, fixes } = suggestion(word, known, 'Words it knows');
    ctx.problem('ARGUMENT', node, `\`${name}\` knows no \`${word}\`.${text}`, fixes);
    return;
  }
  const named = operands.filter((operand) => operand.form === 'named');
  const hint =
    named.length === 0
      ? ''
      : ` ${named.map((operand) => `\`${operand.name}\``).join(' and ')} ${named.length === 1 ? 'is' : 'are'} named: \`${named[0].name} ${ctx.source(node)}\`.`;
  ctx.problem(
    'ARGUMENT',
    node,
    `${quoted(ctx, node)} is one argument too many: \`${signature(name, operands)}\`.${hint}`,
  );
}

/** An argument in the place of an operand, or undefined after a problem. */
export function operandValue(ctx: Context, operand: Operand, node: SyntaxNode, what: string): Expr | undefined {
  if (operand.form === 'flag') {
    const word = wordOf(ctx, node);
    return new Constant(
      { kind: 'bool', value: operand.words === undefined || word === operand.words[0] },
      ctx.span(node),
    );
  }
  if (operand.kind === 'word') return wordValue(ctx, operand.words, node, what);
  if (node.type === t.Name && operand.words === undefined) {
    const name = ctx.source(node);
    if (ctx.scope.find(name) === undefined)
      return unknownName(ctx, node, name, operand.kind === 'guest' ? ctx.guests.map((guest) => guest.name) : []);
  }
  const expr = expression(ctx, node);
  return expr && coerce(ctx, node, expr, operand.kind, what);
}

/** A word out of a list. */
export function wordValue(
  ctx: Context,
  words: readonly string[] | undefined,
  node: SyntaxNode,
  what: string,
): Expr | undefined {
  if (node.type === t.Name) {
    const binding = ctx.scope.find(ctx.source(node));
    if (binding !== undefined) ctx.use(node, binding);
    if (binding?.is === 'unknown') return new Unknown(ctx.span(node));
  }
  const word = wordOf(ctx, node);
  if (word !== undefined && (words === undefined || words.includes(word)))
    return new Constant({ kind: 'word', word }, ctx.span(node));
  const known = words ?? [];
  const { text, fixes } = suggestion(ctx.source(node), known, 'It takes');
  const choice = known.length > 0 && known.length <= 12 ? known.join(', ') : 'a word';
  return ctx.problem(
    'ARGUMENT',
    node,
    `${what} takes ${choice} here, and ${quoted(ctx, node)} is none of it.${text.includes('Did you mean') ? text.replace(/ It takes:.*$/, '') : ''}`,
    fixes,
  );
}

function defaultValue(operand: Operand, span: Span): Expr {
  const text = operand.default as string;
  if (operand.kind === 'bool') return new Constant({ kind: 'bool', value: text === 'true' }, span);
  if (operand.kind === 'word') return new Constant({ kind: 'word', word: text }, span);
  const parsed = parseNumber(text);
  return new Constant({ kind: operand.kind as 'int', value: 'error' in parsed ? 0 : Number(parsed.value) }, span);
}
