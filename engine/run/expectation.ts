/**
 * `expect`: read a query's fields off the machine and compare. A failure says what was found, what was expected and which step made it so.
 */
import { hex } from '../base/text.ts';
import type { Expect, Expr, FieldPattern, Span, Value } from '../scenario/program.ts';
import type { Machine } from './machine.ts';
import { type FieldValue, type Found, queries } from './queries.ts';

export interface ExpectFailure {
  message: string;
  span?: Span;
  /** Trace event that last changed what was read. */
  since?: number;
  event?: number;
  data?: unknown;
}

/** Pages of an `expect all` that are read at most; the rest of a larger range is refused. */
const PAGE_LIMIT = 1 << 22;

export function evaluateExpect(
  machine: Machine,
  expect: Expect,
  variables: readonly Value[],
): ExpectFailure | undefined {
  const args: (Value | undefined)[] = [];
  for (const expr of expect.args) {
    const value = expr?.evaluate(variables, machine);
    if (value !== undefined && 'error' in value) return { message: value.error, span: value.span };
    args.push(value);
  }
  if (expect.contains !== undefined) return logContains(machine, expect);
  if (expect.all === undefined) return one(machine, expect, args, variables);

  const bounds = expect.all.range.evaluate(variables, machine);
  if ('error' in bounds) return { message: bounds.error, span: bounds.span };
  if (!('start' in bounds)) return { message: '`expect all` needs a range.', span: expect.all.range.span };
  const bytes = bounds.kind === 'gpa-range' || bounds.kind === 'int-range';
  const step = bytes ? 4096 : 1;
  if ((bounds.end - bounds.start) / step > PAGE_LIMIT)
    return {
      message: `The range has ${(bounds.end - bounds.start) / step} pages; \`expect all\` looks at ${PAGE_LIMIT} at most.`,
      span: expect.all.range.span,
    };
  const kind = bounds.kind === 'gfn-range' ? 'gfn' : bounds.kind === 'pfn-range' ? 'pfn' : 'gpa';
  for (let at = bounds.start; at < bounds.end; at += step) {
    args[expect.all.operand] = { kind, value: at };
    const failure = one(machine, expect, args, variables);
    if (failure !== undefined) return { ...failure, message: `At ${kind} ${hex(at)}: ${failure.message}` };
  }
  return undefined;
}

/** What a condition on one page comes to; an error if it cannot be asked. */
export function evaluateClaim(
  machine: Machine,
  claim: Expect,
  variables: readonly Value[],
): { holds: boolean; found: Found } | { error: string } {
  const args: (Value | undefined)[] = [];
  for (const expr of claim.args) {
    const value = expr?.evaluate(variables, machine);
    if (value !== undefined && 'error' in value) return value;
    args.push(value);
  }
  const query = queries[claim.query];
  if (query === undefined) throw new Error(`query ${claim.query} stands in the table but nothing reads it`);
  const found = query(machine, args);
  if ('error' in found) return found;
  const matches = claim.patterns.every((pattern) => differs(machine, pattern, found, variables) === undefined);
  return { holds: matches !== claim.negated, found };
}

function one(
  machine: Machine,
  expect: Expect,
  args: readonly (Value | undefined)[],
  variables: readonly Value[],
): ExpectFailure | undefined {
  const query = queries[expect.query];
  if (query === undefined) throw new Error(`query ${expect.query} stands in the table but nothing reads it`);
  const result = query(machine, args);
  if ('error' in result) return { message: result.error };
  const wrong: string[] = [];
  let span: Span | undefined;
  for (const pattern of expect.patterns) {
    const problem = differs(machine, pattern, result, variables);
    if (problem === undefined) continue;
    wrong.push(problem);
    span ??= pattern.span;
  }
  const holds = wrong.length === 0;
  if (holds !== expect.negated) return undefined;
  if (expect.negated)
    return { message: `${expect.text}: found ${result.text}.${sinceText(machine, result)}`, ...since(result) };
  return {
    message: `${expect.text}: found ${result.text} (${wrong.join('; ')}).${sinceText(machine, result)}`,
    ...(span === undefined ? {} : { span }),
    ...since(result),
    data: { kind: 'expect-state', found: result.text, expected: expect.text },
  };
}

function since(result: Found): { since?: number; event?: number } {
  return result.since === undefined || result.since < 0 ? {} : { since: result.since, event: result.since };
}

function sinceText(machine: Machine, result: Found): string {
  if (result.since === undefined || result.since < 0) return '';
  return ` It is so since ${machine.describeStep(result.since)}.`;
}

function differs(
  machine: Machine,
  pattern: FieldPattern,
  result: Found,
  variables: readonly Value[],
): string | undefined {
  const found = result.fields[pattern.field];
  if (pattern.test === 'flag')
    return found === pattern.value ? undefined : `${pattern.field} is ${show(found)}, expected ${pattern.value}`;
  const expected = plain(machine, pattern.value, variables);
  if (expected !== undefined && typeof expected === 'object') return expected.error;
  if (found === expected) return undefined;
  if (
    typeof found !== 'string' &&
    typeof expected !== 'string' &&
    found !== undefined &&
    expected !== undefined &&
    BigInt(found) === BigInt(expected)
  )
    return undefined;
  return `${pattern.field} is ${show(found)}, expected ${show(expected)}`;
}

function plain(machine: Machine, expr: Expr, variables: readonly Value[]): FieldValue | { error: string } {
  const value = expr.evaluate(variables, machine);
  if ('error' in value) return { error: value.error };
  switch (value.kind) {
    case 'bool':
      return value.value;
    case 'word':
      return value.word;
    case 'string':
      return value.text;
    case 'guest':
      return machine.guests[value.guest].name;
    case 'int':
    case 'gpa':
    case 'gfn':
    case 'pfn':
    case 'spa':
    case 'size':
      return value.wide ?? value.value;
    default:
      return { error: `a ${value.kind} cannot be compared with a field` };
  }
}

function show(value: FieldValue): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number' && value > 9) return hex(value);
  if (typeof value === 'bigint') return hex(value);
  return String(value);
}

function logContains(machine: Machine, expect: Expect): ExpectFailure | undefined {
  const wanted = expect.contains as string;
  const lines = machine.logLines();
  const found = lines.some((line) => line.includes(wanted));
  if (found !== expect.negated) return undefined;
  const last = lines.slice(-3).map((line) => `  ${line.trimEnd()}`);
  const tail = last.length === 0 ? 'the kernel printed nothing' : `its last lines are\n${last.join('\n')}`;
  return { message: `The kernel log ${expect.negated ? 'contains' : 'does not contain'} "${wanted}"; ${tail}` };
}
