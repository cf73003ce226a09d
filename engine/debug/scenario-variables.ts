/**
 * The variables of a scenario (`let`, `for`) at the place where its run stands, and giving them other values from outside. The scenario file knows
 * nothing of that.
 */
import { lowerScenario } from '../scenario/lower-scenario.ts';
import type { ScenarioUnit, Value } from '../scenario/program.ts';
import { formatValue } from './scenario-expression.ts';
import type { DebugSession } from './session.ts';

export interface ScenarioVariable {
  name: string;
  slot: number;
  value: Value;
}

/** Those that have a value and are in scope, one for each name: the innermost hides the others. */
export function variablesOf(session: DebugSession): ScenarioVariable[] {
  const { run, unit } = session;
  const found = new Map<string, ScenarioVariable>();
  // Slots are numbered in the order of their declarations.
  for (const [slot, name] of unit.variableNames.entries()) {
    const value = run.values[slot];
    if (value !== undefined && isInScope(session, slot)) found.set(name, { name, slot, value });
  }
  return [...found.values()];
}

/** A loop's variable goes with its loop. */
function isInScope({ run, unit }: DebugSession, slot: number): boolean {
  const head = unit.code.findIndex((one) => one.kind === 'for' && one.variable === slot);
  const loop = unit.code[head];
  return loop?.kind !== 'for' || (run.position >= head && run.position < loop.exit);
}

/** Set a variable to what an expression of the language amounts to here, as a what-if; returns what is wrong, if anything. */
export function setScenarioVariable(
  session: DebugSession,
  variable: ScenarioVariable,
  text: string,
): string | undefined {
  const result = session.expressions.evaluate(session.run, text);
  if ('error' in result) return result.error;
  if (!('value' in result)) return `\`${text.trim()}\` is no value that a variable can have.`;
  const value = asKind(result.value, variable.value.kind);
  if (value === undefined)
    return `${variable.name} is of kind ${variable.value.kind}, and ${formatValue(result.value, session.machine.guests)} of kind ${result.value.kind}.`;
  const unit = unitAssuming(session, variable.slot, value);
  if ('error' in unit) return unit.error;
  session.whatIf(() => session.run.assume(variable.slot, value, unit.unit));
  return undefined;
}

/** The running scenario as it would be if this variable and all that have a value by now were constants of those values. */
function unitAssuming(session: DebugSession, slot: number, value: Value): { unit: ScenarioUnit } | { error: string } {
  const { run, unit: written, text, analysis, expressions } = session;
  const assumed = new Map<number, Value>();
  for (let i = 0; i < written.variables; i++) if (run.values[i] !== undefined) assumed.set(i, run.values[i]);
  assumed.set(slot, value);
  const { unit } = lowerScenario(
    text,
    analysis.tree,
    written.start,
    analysis.declarations,
    undefined,
    undefined,
    assumed,
  );
  const problem = unit.problems.find((one) => one.severity === 'error');
  if (problem !== undefined) return { error: problem.message };
  const isSame =
    unit.code.length === written.code.length && unit.code.every(({ kind }, i) => kind === written.code[i].kind);
  if (!isSame) return { error: 'With this value the scenario would have other steps; edit the file for that.' };
  const { start, end, doc, name } = written;
  const made = { ...unit, start, end, doc, name };
  expressions.assume(made, assumed);
  return { unit: made };
}

/** Kinds are checked before a run: a variable keeps its own. A plain number may stand for any quantity, as it is written. */
function asKind(value: Value, kind: Value['kind']): Value | undefined {
  if (value.kind === kind) return value;
  if (value.kind === 'int-range' && kind.endsWith('-range')) return { ...value, kind: kind as 'gpa-range' };
  const isQuantity = ['int', 'gpa', 'gfn', 'pfn', 'spa', 'size'].includes(kind);
  return value.kind === 'int' && isQuantity ? { ...value, kind: kind as 'gpa' } : undefined;
}
