/** `expect`: which query, of what, and what its fields are to be. */
import * as t from '../generated/scenario-parser-terms.ts';
import { coerce, describeKind, expression } from './analyze-expression.ts';
import { matchArguments, operandValue, wordValue } from './arguments.ts';
import { type Context, quoted, suggestion } from './context.ts';
import { Constant, Unknown } from './expression.ts';
import { isRangeKind, rangeOf } from './numbers.ts';
import type { Operand, QueryField, QuerySpec } from './operation-table.ts';
import { signature } from './operations.ts';
import type { Expect, Expr, FieldPattern, Span } from './program.ts';
import { formatQuantity, parseNumber } from './quantity.ts';
import { queriesNamed, queryNames } from './queries.ts';
import { child, isFlaw, oneLine, type SyntaxNode, stringValue } from './syntax.ts';

/** The expectation, or undefined if something is wrong with it; that has been reported. */
export function lowerExpect(ctx: Context, node: SyntaxNode, via: Span[]): Expect | undefined {
  const query = child(node, t.Query);
  const condition = child(node, t.Condition);
  if (query === undefined || condition === undefined) return undefined;
  const nameNode = query.children[0];
  const name = ctx.source(nameNode);
  const specs = queriesNamed(name);
  if (specs.length === 0) {
    const { text, fixes } = suggestion(name, queryNames, 'Queries');
    return ctx.problem(
      'NAME',
      nameNode,
      `There is no query \`${name}\`.${text || ` Queries: ${queryNames.join(', ')}.`}`,
      fixes,
    );
  }
  ctx.use(nameNode, { is: 'query', name });
  const list = child(query, t.Arguments)?.children.filter((c) => !isFlaw(c)) ?? [];
  const allClause = child(node, t.AllClause);
  const over = allClause && pages(ctx, allClause, specs, list.length, name);
  if (allClause !== undefined && over === undefined) return undefined;
  const spec = over?.spec ?? specs.find((s) => s.operands.length === list.length) ?? specs[0];
  const operands = over === undefined ? spec.operands : spec.operands.filter((_, i) => i !== over.operand);
  const args = matchArguments(ctx, name, operands, list, query);
  if (args === undefined) return undefined;
  if (over !== undefined) args.splice(over.operand, 0, undefined);

  const end = child(node, t.AllowClause)?.from ?? node.to;
  const text = oneLine(ctx.source({ from: node.from, to: end }).trimEnd());
  const base = {
    kind: 'expect' as const,
    span: ctx.span(node),
    query: spec.key,
    args,
    all: over && { range: over.range, operand: over.operand },
    text,
    via,
  };

  if (child(condition, t.kwContains) !== undefined) {
    if (name !== 'log')
      return ctx.problem(
        'ARGUMENT',
        condition,
        `Only \`log\` has a text to contain; \`${name}\` is compared with \`is\`: \`${spec.example}\`.`,
      );
    const textNode = child(condition, t.String);
    const contains = textNode && stringValue(ctx.source(textNode));
    if (contains === undefined)
      return ctx.problem('SYNTAX', textNode ?? condition, 'Expected a text in quotes after `contains`.');
    return { ...base, patterns: [], negated: child(condition, t.kwNot) !== undefined, contains };
  }
  if (name === 'log') return ctx.problem('ARGUMENT', condition, 'The log is asked with `contains "…"`.');

  const patterns: FieldPattern[] = [];
  let negated = child(condition, t.kwNot) !== undefined;
  const list2 = child(condition, t.Pattern);
  let ok = true;
  if (list2 !== undefined) {
    const tests = list2.children.filter((c) => c.type === t.FieldTest);
    if (tests.length === 0)
      return ctx.problem(
        'ARGUMENT',
        list2,
        `The braces are empty. Fields of \`${name}\`: ${spec.fields.map((f) => f.name).join(', ')}.`,
      );
    for (const test of tests)
      if (!fieldTest(ctx, spec, args, test, child(test, t.kwNot) !== undefined, patterns)) ok = false;
  } else {
    const test = child(condition, t.FieldTest);
    if (test === undefined) return undefined;
    negated = child(test, t.kwNot) !== undefined;
    ok = fieldTest(ctx, spec, args, test, false, patterns);
  }
  if (!ok) return undefined;
  const unknown = (e: Expr | undefined): boolean => e instanceof Unknown;
  if (
    args.some(unknown) ||
    (over !== undefined && unknown(over.range)) ||
    patterns.some((p) => p.test === 'equals' && unknown(p.value))
  )
    return undefined;
  return { ...base, patterns, negated, contains: undefined };
}

/** `all <range>`: the range takes the place of the operand that says which page. */
function pages(
  ctx: Context,
  clause: SyntaxNode,
  specs: readonly QuerySpec[],
  given: number,
  name: string,
): { spec: QuerySpec; range: Expr; operand: number } | undefined {
  const node = clause.children.find((c) => c.type !== t.kwAll && !isFlaw(c));
  const expr = node && expression(ctx, node);
  if (node === undefined || expr === undefined) return undefined;
  const pageOperand = (spec: QuerySpec): number =>
    spec.operands.findIndex((operand) => operand.kind === 'gpa' || operand.kind === 'pfn');
  const candidates = specs.filter((spec) => pageOperand(spec) >= 0);
  if (candidates.length === 0)
    return ctx.problem('ARGUMENT', clause, `\`${name}\` is not about a page; \`all\` does not apply to it.`);
  const spec = candidates.find((s) => s.operands.length - 1 === given);
  if (spec === undefined) {
    const forms = candidates.map(
      (s) =>
        `\`expect all ${s.operands[pageOperand(s)].kind === 'gpa' ? '0..2M' : 'pfn(0x40000)..pfn(0x40200)'} ${signature(
          name,
          s.operands.filter((_, i) => i !== pageOperand(s)),
        )} …\``,
    );
    return ctx.problem(
      'ARGUMENT',
      clause,
      `With \`all\` the range says which pages, so \`${name}\` is asked without one: ${forms.join(' or ')}.`,
    );
  }
  const operand = pageOperand(spec);
  const wanted = rangeOf(spec.operands[operand].kind as 'gpa' | 'pfn');
  if (wanted === undefined) return undefined;
  const range = coerce(ctx, node, expr, wanted, `\`all\` with \`${name}\``);
  return range && { spec, range, operand };
}

/** One test as patterns; false after a problem. */
function fieldTest(
  ctx: Context,
  spec: QuerySpec,
  args: readonly (Expr | undefined)[],
  test: SyntaxNode,
  negated: boolean,
  into: FieldPattern[],
): boolean {
  const node = test.children.find((c) => c.type !== t.kwNot && !isFlaw(c));
  if (node === undefined) return false;
  const span = ctx.span(test);
  if (node.type === t.NamedArgument) {
    const [nameNode, valueNode] = node.children;
    const fieldName = ctx.source(nameNode);
    const field = spec.fields.find((f) => f.name === fieldName);
    if (field === undefined) return unknownField(ctx, spec, nameNode, fieldName);
    if (negated)
      return no(
        ctx,
        test,
        `Inside braces \`not\` applies to yes-or-no fields; \`${fieldName}\` is ${describeKind(field.kind)}. Write \`is not { … }\` for the whole, or a separate expect.`,
      );
    return equals(ctx, field, valueNode, span, into);
  }
  if (node.type === t.Name && ctx.scope.find(ctx.source(node))?.is === 'unknown') {
    into.push({ field: spec.fields[0].name, test: 'equals', value: new Unknown(span), span });
    return true;
  }
  const word = wordText(ctx, node);
  if (word !== undefined) {
    const meaning = spec.words[word];
    if (meaning !== undefined) return expand(ctx, spec, args, meaning, negated, test, into);
    const flag = spec.fields.find((f) => f.name === word && f.kind === 'bool');
    if (flag !== undefined) {
      into.push({ field: word, test: 'flag', value: !negated, span });
      return true;
    }
  }
  if (spec.fields.length === 1) {
    if (negated) return no(ctx, test, 'Inside braces `not` applies to yes-or-no fields. Write `is not …`.');
    return equals(ctx, spec.fields[0], node, span, into);
  }
  if (word !== undefined && node.type === t.Name && ctx.scope.find(word) === undefined) {
    const field = spec.fields.find((f) => f.name === word);
    if (field !== undefined)
      return no(ctx, node, `\`${word}\` is ${describeKind(field.kind)}: write \`${word}\` and what it is to be.`);
    return unknownField(ctx, spec, node, word);
  }
  return no(
    ctx,
    node,
    `${quoted(ctx, node)} alone does not say which field of \`${spec.key}\` it is: write \`field ${ctx.source(node)}\`. Fields: ${spec.fields.map((f) => f.name).join(', ')}.`,
  );
}

function no(ctx: Context, node: SyntaxNode, message: string): false {
  ctx.problem('ARGUMENT', node, message);
  return false;
}

function unknownField(ctx: Context, spec: QuerySpec, node: SyntaxNode, name: string): false {
  const known = [...Object.keys(spec.words), ...spec.fields.map((f) => f.name)];
  const { text, fixes } = suggestion(name, known, `What \`${spec.key}\` can be`);
  ctx.problem(
    'NAME',
    node,
    `\`${spec.key}\` has no field and no word \`${name}\`.${text || ` Words: ${Object.keys(spec.words).join(', ')}. Fields: ${spec.fields.map((f) => f.name).join(', ')}.`}`,
    fixes,
  );
  return false;
}

/** A bare name or size literal as the word it is. */
function wordText(ctx: Context, node: SyntaxNode): string | undefined {
  if (node.type === t.Name) {
    const name = ctx.source(node);
    const binding = ctx.scope.find(name);
    return binding?.is === 'value' && binding.value.kind === 'word' ? binding.value.word : name;
  }
  if (node.type !== t.Number) return undefined;
  const parsed = parseNumber(ctx.source(node));
  if ('error' in parsed) return undefined;
  const text = formatQuantity(parsed.value);
  return text === '4K' || text === '2M' || text === '1G' ? text : undefined;
}

function equals(ctx: Context, field: QueryField, node: SyntaxNode, span: Span, into: FieldPattern[]): boolean {
  if (field.kind === 'bool') {
    const value = wordValue(ctx, ['true', 'false', 'on', 'off'], node, `\`${field.name}\``);
    if (value === undefined) return false;
    if (value instanceof Constant && value.value.kind === 'word') {
      into.push({
        field: field.name,
        test: 'flag',
        value: value.value.word === 'true' || value.value.word === 'on',
        span,
      });
    }
    return true;
  }
  const operand: Operand = {
    name: field.name,
    kind: field.kind,
    form: 'positional',
    doc: field.doc,
    ...(field.words === undefined ? {} : { words: field.words }),
  };
  const value = operandValue(ctx, operand, node, `\`${field.name}\``);
  if (value === undefined) return false;
  if (isRangeKind(value.kind))
    return no(ctx, node, `\`${field.name}\` is one value, and ${quoted(ctx, node)} is a range.`);
  into.push({ field: field.name, test: 'equals', value, span });
  return true;
}

/** A word as the fields that it stands for. */
function expand(
  ctx: Context,
  spec: QuerySpec,
  args: readonly (Expr | undefined)[],
  meaning: Readonly<Record<string, boolean | number | string>>,
  negated: boolean,
  test: SyntaxNode,
  into: FieldPattern[],
): boolean {
  const span = ctx.span(test);
  const entries = Object.entries(meaning);
  if (negated && (entries.length !== 1 || typeof entries[0][1] !== 'boolean')) {
    return no(
      ctx,
      test,
      `Inside braces \`not\` applies to yes-or-no fields, and ${quoted(ctx, test)} says more than one thing. Write \`is not …\` for the whole.`,
    );
  }
  for (const [name, value] of entries) {
    if (typeof value === 'boolean') into.push({ field: name, test: 'flag', value: value !== negated, span });
    else if (typeof value === 'number')
      into.push({ field: name, test: 'equals', value: new Constant({ kind: 'int', value }, span), span });
    else if (value.startsWith('@')) {
      const operand = args[spec.operands.findIndex((o) => o.name === value.slice(1))];
      if (operand !== undefined) into.push({ field: name, test: 'equals', value: operand, span });
    } else if (spec.fields.find((f) => f.name === name)?.kind === 'size') {
      const size = parseNumber(value);
      if (!('error' in size))
        into.push({
          field: name,
          test: 'equals',
          value: new Constant({ kind: 'size', value: Number(size.value) }, span),
          span,
        });
    } else into.push({ field: name, test: 'equals', value: new Constant({ kind: 'word', word: value }, span), span });
  }
  return true;
}
