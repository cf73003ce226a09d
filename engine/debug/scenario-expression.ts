/**
 * Expressions of the scenario language over a stopped run: `x + 4K`, `pfn(g, 64K)`, `rmp(g, 64K)`, `rmp(g, 64K).asid`, `npt(g, 0) is absent`.
 *
 * The expression is put into the document, as a statement of its own in front of the line at which the run stands, and the whole is analysed as
 * ever: so it means what it would mean there, and every message is the language's own.
 */
import { hex } from '../base/text.ts';
import type { FileHost } from '../check.ts';
import { evaluateExpect } from '../run/expectation.ts';
import { resolveLines, resolveSteps } from '../run/mention.ts';
import { type FieldValue, queries } from '../run/queries.ts';
import type { ScenarioRun } from '../run/run.ts';
import { analyze } from '../scenario/analyze.ts';
import { lowerScenario } from '../scenario/lower-scenario.ts';
import type { Expect, Expr, Instruction, ScenarioProgram, ScenarioUnit, Value } from '../scenario/program.ts';
import { queriesNamed, queryNames } from '../scenario/queries.ts';
import { isLine, viaOf } from './places.ts';

export type ScenarioResult =
  | { value: Value; text: string }
  /** A query: what it found. */
  | { fields: Readonly<Record<string, FieldValue>>; text: string }
  /** A condition: whether it holds, and what was found if it does not. */
  | { holds: boolean; text: string }
  | { error: string };

type Lowered = { expect: Expect; field?: string; bare: boolean } | { expr: Expr } | { error: string };

/** A name that no scenario has. */
const TEMPORARY = 'value_that_the_debugger_asks_for';
/** Lowered expressions kept: a condition is evaluated at every hit. */
const KEPT = 200;

export class ScenarioExpressions {
  private readonly path: string;
  private readonly text: string;
  private readonly host: FileHost;
  private readonly program: ScenarioProgram;
  private readonly index: number;
  private readonly lowered = new Map<string, Lowered>();
  private readonly assumptions = new WeakMap<ScenarioUnit, ReadonlyMap<number, Value>>();
  private assumed: ReadonlyMap<number, Value> | undefined;

  /** @param index of the scenario that runs */
  constructor(path: string, text: string, host: FileHost, program: ScenarioProgram, index: number) {
    this.path = path;
    this.text = text;
    this.host = host;
    this.program = program;
    this.index = index;
  }

  /** Evaluate at a line of the scenario (an instruction's number), on the run's present state. */
  evaluate(run: ScenarioRun, text: string, at: number = run.position): ScenarioResult {
    this.use(run.unit);
    const lowered = this.lower(text.trim(), at);
    if ('error' in lowered) return lowered;
    const { machine } = run;
    if ('expr' in lowered) {
      const value = lowered.expr.evaluate(run.values, machine);
      return 'error' in value ? { error: value.error } : { value, text: formatValue(value, machine.guests) };
    }
    const { expect } = lowered;
    if (!lowered.bare) {
      const failure = evaluateExpect(machine, expect, run.values);
      return {
        holds: failure === undefined,
        text: failure === undefined ? 'true' : `false: ${this.plain(run, failure.message)}`,
      };
    }
    const args: (Value | undefined)[] = [];
    for (const expr of expect.args) {
      const value = expr?.evaluate(run.values, machine);
      if (value !== undefined && 'error' in value) return { error: value.error };
      args.push(value);
    }
    const found = queries[expect.query](machine, args);
    if ('error' in found) return found;
    if (lowered.field === undefined) return { fields: found.fields, text: this.valueOnly(found.fields) ?? found.text };
    if (!Object.hasOwn(found.fields, lowered.field))
      return { error: `${expect.query}() has no field ${lowered.field}: ${Object.keys(found.fields).join(', ')}.` };
    const field = found.fields[lowered.field];
    return { fields: {}, text: formatField(field) };
  }

  /** What variables are set to in a unit that a debugger has made, by slot: expressions there mean those values. */
  assume(unit: ScenarioUnit, assumed: ReadonlyMap<number, Value>): void {
    this.assumptions.set(unit, assumed);
  }

  private use(unit: ScenarioUnit): void {
    const assumed = this.assumptions.get(unit);
    if (assumed !== this.assumed) this.lowered.clear();
    this.assumed = assumed;
  }

  private valueOnly(fields: Readonly<Record<string, FieldValue>>): string | undefined {
    return Object.keys(fields).length === 1 && 'value' in fields ? formatField(fields.value) : undefined;
  }

  private plain(run: ScenarioRun, message: string): string {
    const named = resolveSteps(message, (instance) => {
      const instruction = run.instructionOf(instance);
      return 'text' in instruction ? instruction.text : instruction.kind;
    });
    return resolveLines(named, () => 'an earlier line');
  }

  private lower(text: string, at: number): Lowered {
    const key = `${at} ${text}`;
    const known = this.lowered.get(key);
    if (known !== undefined) return known;
    const lowered = this.analyse(text, at);
    if (this.lowered.size >= KEPT) this.lowered.clear();
    this.lowered.set(key, lowered);
    return lowered;
  }

  private analyse(text: string, at: number): Lowered {
    if (text === '') return { error: 'There is nothing to evaluate.' };
    if (/[\r\n{}]/.test(text.replace(/\{[^{}\r\n]*\}/g, ''))) return { error: 'An expression is one line.' };
    const query = /^([a-z_]+)\s*(?:\(|$|is\b|contains\b|not\b)/.exec(text)?.[1];
    const isQuery = query !== undefined && queryNames.includes(query);
    if (/^expect\b/.test(text)) return this.statement(text, at, false);
    if (/^all\b/.test(text) || (isQuery && /\)?\s*(?:\bis\b|\bcontains\b)/.test(text)))
      return this.statement(`expect ${text}`, at, false);
    if (isQuery && query !== 'log') {
      const member = /^(.*\))\s*\.\s*(\w+)$/s.exec(text);
      const word = Object.keys(queriesNamed(query).at(-1)?.words ?? {})[0] ?? '0';
      const lowered = this.statement(`expect ${member?.[1] ?? text} is ${word}`, at, true);
      return member !== null && 'expect' in lowered ? { ...lowered, field: member[2] } : lowered;
    }
    return this.statement(`let ${TEMPORARY} = ${text}`, at, true);
  }

  private statement(statement: string, at: number, bare: boolean): Lowered {
    const offset = this.offsetOf(at);
    const before = `${this.text.slice(0, offset)}\n`;
    const text = `${before}${statement}\n${this.text.slice(offset)}`;
    const { program, tree, declarations } = analyze(this.path, text, this.host);
    const written = program.scenarios[this.index];
    if (written === undefined) return { error: 'The scenario cannot be read.' };
    // Variables declared in front of the statement have the slots that they have without it.
    const unit =
      this.assumed === undefined
        ? written
        : lowerScenario(text, tree, written.start, declarations, undefined, undefined, this.assumed).unit;
    const start = before.length - unit.start;
    const end = start + statement.length;
    const problem = unit.problems.find(
      (p) => p.severity === 'error' && p.span.file === undefined && p.span.start >= start && p.span.start <= end,
    );
    if (problem !== undefined) return { error: problem.message };
    const found = unit.code.find(
      (instruction) => instruction.span.file === undefined && instruction.span.start === start,
    );
    if (found?.kind === 'let') return { expr: found.value };
    if (found?.kind === 'expect') return { expect: found, bare };
    return { error: 'This is no expression.' };
  }

  /** Where in the document a statement has to stand to mean what it means at this instruction. */
  private offsetOf(at: number): number {
    const unit = this.program.scenarios[this.index];
    for (let i = at; i < unit.code.length; i++) {
      const instruction: Instruction = unit.code[i];
      if (!isLine(instruction)) continue;
      const span = viaOf(instruction)[0] ?? instruction.span;
      if (span.file === undefined) return unit.start + span.start;
    }
    return unit.end - 1;
  }
}

export function formatValue(value: Value, guests: readonly { name: string }[]): string {
  switch (value.kind) {
    case 'bool':
      return String(value.value);
    case 'word':
      return value.word;
    case 'string':
      return JSON.stringify(value.text);
    case 'guest':
      return guests[value.guest]?.name ?? 'guest';
    case 'slot':
      return `slot ${value.slot} of ${guests[value.guest]?.name}`;
    case 'vcpu':
      return `vCPU ${value.vcpu} of ${guests[value.guest]?.name}`;
    case 'gpa-range':
    case 'gfn-range':
    case 'pfn-range':
    case 'int-range':
      return `${hex(value.start)}..${hex(value.end)}`;
    case 'int':
      return formatField(value.wide ?? value.value);
    default:
      return hex(value.wide ?? value.value);
  }
}

export function formatField(value: FieldValue): string {
  if (value === undefined) return 'none';
  if (typeof value === 'bigint' || (typeof value === 'number' && value > 9)) return hex(value);
  return String(value);
}
