/** What the settings of a block have in common: values that are known before anything runs, within bounds, given once. */
import { coerce, expression } from './analyze-expression.ts';
import type { Context } from './context.ts';
import { Constant } from './expression.ts';
import type { ValueKind } from './program.ts';
import { formatQuantity } from './quantity.ts';
import type { SyntaxNode } from './syntax.ts';

/** What can stand in a block of settings, for messages, completion and the reference. */
export interface SettingSpec {
  name: string;
  written: string;
  doc: string;
}

/** A value that is known while analysing, in a kind, within bounds. */
export function settled(ctx: Context, node: SyntaxNode, kind: ValueKind, what: string): Constant['value'] | undefined {
  const expr = expression(ctx, node);
  const value = expr && coerce(ctx, node, expr, kind, what);
  if (value === undefined) return undefined;
  if (value instanceof Constant) return value.value;
  return ctx.problem('VALUE', node, `${what} must be known before anything runs.`);
}

export function integer(
  ctx: Context,
  node: SyntaxNode,
  what: string,
  min: number,
  max: number,
  kind: ValueKind = 'int',
): number | undefined {
  const value = settled(ctx, node, kind, what);
  if (value === undefined || !('value' in value) || typeof value.value !== 'number') return undefined;
  const show = (n: number): string => (kind === 'int' ? String(n) : formatQuantity(n));
  if (value.value < min || value.value > max) {
    return ctx.problem('VALUE', node, `${what} is ${show(min)} to ${show(max)}, and this is ${show(value.value)}.`);
  }
  return value.value;
}

/** `name value`: the value, if it is the one thing that follows. */
export function single(ctx: Context, line: SyntaxNode, spec: SettingSpec): SyntaxNode | undefined {
  const rest = line.children.slice(1);
  if (rest.length === 1) return rest[0];
  return ctx.problem('ARGUMENT', line, `\`${spec.name}\` takes one value: \`${spec.written}\`.`);
}

export function once(ctx: Context, seen: Map<string, SyntaxNode>, line: SyntaxNode, key: string): boolean {
  const before = seen.get(key);
  if (before === undefined) {
    seen.set(key, line);
    return true;
  }
  ctx.problem('DUPLICATE', line, `\`${key}\` is set already.`, [], [{ message: 'set here', span: ctx.span(before) }]);
  return false;
}
