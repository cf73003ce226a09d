/**
 * What every executed instruction of a scenario came to, kept: the facts behind hints and hovers, so that looking at a line twice does not run the
 * scenario twice. Notes are taken while a {@link Replay} goes forward, from the first instruction on and without gaps; an edit keeps those in front
 * of the first difference.
 *
 * Everything here is bounded by ticks (instructions of the scenario and of C) that the caller allows; nobody waits for a long scenario.
 */
import { explain } from '../run/explain.ts';
import { lastFailure } from '../run/failure.ts';
import type { Machine } from '../run/machine.ts';
import type { Outcome } from '../run/outcome.ts';
import { matches } from '../run/outcome.ts';
import type { Replay } from '../run/replay.ts';
import type { RunFinding, ScenarioRun } from '../run/run.ts';
import { sameInstruction } from '../run/same-instruction.ts';
import type { ScenarioUnit, Value } from '../scenario/program.ts';
import type { DocumentView } from '../view.ts';
import { Effects } from './effects.ts';

/** What one execution of a step came to. */
export interface StepNote {
  instance: number;
  outcome: Outcome;
  /** Whether it is what the step states. */
  expected: boolean;
  effects: Effects;
  /** Functions of the C program that ran, as far as they did anything that the trace tells of; numbers of the program's functions. */
  functions: readonly number[];
  /** Bits of options that the result depended on. */
  reliedOn: number;
  findings: readonly RunFinding[];
  /** What the kernel printed. */
  log: readonly string[];
  /** Why it is no success, as {@link explain} says it; empty for a success. */
  why: string;
  /** The scenario's variables. */
  values: readonly Value[];
}

/** Executed instructions that are noted; of a longer run the rest is not. */
const NOTE_LIMIT = 20_000;
const LOG_LIMIT = 5;

/** Ticks that the caller has left. */
export interface Budget {
  ticks: number;
}

export class StepNotes {
  unit: ScenarioUnit;
  /** Instances noted: all below. */
  noted = 0;
  /** The run came to its end, and everything up to there is noted. */
  isComplete = false;
  private readonly byPc = new Map<number, StepNote[]>();
  private readonly positions: number[] = [];
  /** The instruction that comes after those noted. */
  private next = 0;

  constructor(unit: ScenarioUnit) {
    this.unit = unit;
  }

  /** The notes of an instruction, in the order it was executed. */
  of(pc: number): readonly StepNote[] {
    return this.byPc.get(pc) ?? [];
  }

  /** The number of the instruction that a noted instance executed. */
  pcOf(instance: number): number | undefined {
    return this.positions[instance];
  }

  /** The first instance of an instruction; undefined if none has been noted. */
  firstOf(pc: number): number | undefined {
    const known = this.byPc.get(pc);
    if (known !== undefined && known.length > 0) return known[0].instance;
    const at = this.positions.indexOf(pc);
    return at < 0 ? undefined : at;
  }

  get isFull(): boolean {
    return this.noted >= NOTE_LIMIT;
  }

  /** Whether nothing more will be noted of the instructions up to `last`, which is no part of a loop that goes on: see {@link lastOf}. */
  isSettled(last: number): boolean {
    return this.isComplete || this.isFull || this.next > last;
  }

  /**
   * Take notes up to and with instruction `last`, as far as the budget goes; whether that far. The replay stands behind the last noted instance then,
   * or is under way to it.
   */
  advance(replay: Replay, last: number, budget: Budget): boolean {
    const { run } = replay;
    while (!this.isSettled(last)) {
      if (budget.ticks <= 0) return false;
      const begun = run.executed === this.noted + 1 && run.isInCall;
      if (!begun && run.executed > this.noted) {
        replay.goTo(this.noted);
      } else if (!begun && (run.executed < this.noted || run.isInCall)) {
        replay.goTo(this.noted, budget.ticks);
        budget.ticks -= Math.max(1, replay.used);
        continue;
      }
      budget.ticks -= Math.max(1, run.tick(budget.ticks));
      if (run.executed === this.noted + 1 && !run.isInCall) this.take(run);
      if (run.state !== 'running' && run.executed === this.noted) this.isComplete = true;
    }
    return true;
  }

  private take(run: ScenarioRun): void {
    const instance = this.noted++;
    const pc = run.positionOf(instance);
    this.positions.push(pc);
    this.next = run.position;
    const instruction = run.instructionOf(instance);
    const findings: RunFinding[] = [];
    for (let i = run.findings.length - 1; i >= 0 && run.findings[i].instance === instance; i--)
      findings.unshift(run.findings[i]);
    const outcome = run.outcome(instance);
    if (instruction.kind !== 'step' || outcome === undefined) {
      if (instruction.kind === 'expect' || findings.length > 0) this.push(pc, plainNote(run, instance, findings));
      return;
    }
    const { machine } = run;
    const from = run.markBefore(instance).trace;
    this.push(pc, {
      instance,
      outcome,
      expected: matches(instruction.expected, outcome),
      effects: Effects.of(machine, from, machine.trace.length),
      functions: functionsIn(machine, from, machine.trace.length),
      reliedOn: machine.hardware.reliedOn,
      findings,
      log: logIn(machine, from),
      why: reasonOf(machine, outcome),
      values: run.values,
    });
  }

  private push(pc: number, note: StepNote): void {
    const notes = this.byPc.get(pc);
    if (notes === undefined) this.byPc.set(pc, [note]);
    else notes.push(note);
  }

  /** Go on with an edited scenario: what was noted in front of the first difference stands. */
  adopt(unit: ScenarioUnit): void {
    const old = this.unit;
    if (old === unit) return;
    this.unit = unit;
    this.isComplete = false;
    const limit = Math.min(old.code.length, unit.code.length);
    let different = 0;
    while (different < limit && sameInstruction(old.code[different], old, unit.code[different], unit)) different++;
    const kept = this.positions.findIndex((pc) => pc >= different);
    while (kept >= 0 && this.noted > kept) {
      this.noted--;
      const pc = this.positions.pop() as number;
      const notes = this.byPc.get(pc);
      if (notes?.at(-1)?.instance === this.noted) notes.pop();
      this.next = pc;
    }
    // Behind the last instruction comes now what has been added there.
    this.next = Math.min(this.next, unit.code.length);
  }
}

/** Why it is no success; empty where nothing is known beyond the outcome itself. */
function reasonOf(machine: Machine, outcome: Outcome): string {
  if (outcome.ok) return '';
  const reason = explain(machine, outcome, lastFailure(machine));
  return reason === explain(machine, outcome, undefined) ? '' : reason;
}

const plainNote = (run: ScenarioRun, instance: number, findings: readonly RunFinding[]): StepNote => ({
  instance,
  outcome: { ok: findings.length === 0 },
  expected: findings.length === 0,
  effects: new Effects(),
  functions: [],
  reliedOn: 0,
  findings,
  log: [],
  why: '',
  values: run.values,
});

/** The last instruction of the outermost loop around an instruction: behind it, the instruction is not executed again. */
export function lastOf(unit: ScenarioUnit, pc: number): number {
  let last = pc;
  for (let i = pc; i < unit.code.length; i++) {
    const instruction = unit.code[i];
    if (instruction.kind === 'next' && instruction.head <= last) last = i;
  }
  return last;
}

/** Functions on the stacks of the events [from, to), callers first. */
function functionsIn(machine: Machine, from: number, to: number): number[] {
  const { trace, program } = machine;
  const found = new Set<number>();
  const seen = new Set<number>();
  const outer = (node: number): void => {
    if (node === 0 || seen.has(node)) return;
    seen.add(node);
    outer(trace.calls.parent(node));
    const at = program.site(trace.calls.site(node));
    if (at !== undefined) found.add(at.function);
  };
  let last = 0;
  for (let e = from; e < to; e++) {
    if (trace.site[e] === 0 || trace.site[e] === last) continue;
    last = trace.site[e];
    outer(trace.stack[e]);
    const at = program.site(last);
    if (at !== undefined) found.add(at.function);
  }
  return [...found];
}

function logIn(machine: Machine, from: number): string[] {
  const { lines } = machine.kernel.log;
  const printed: string[] = [];
  for (let i = lines.length - 1; i >= 0 && lines[i].event >= from && printed.length < LOG_LIMIT; i--)
    printed.unshift(lines[i].text.trimEnd());
  return printed;
}

// ---------------------------------------------------------------- keeping them

/** Of a replay, which goes on with edited scenarios. */
const ofReplay = new WeakMap<Replay, StepNotes>();
/** Of scenarios that have been noted to their end: no machine is needed any more. The key of the environment tells whether they are still true. */
const finished = new WeakMap<ScenarioUnit, { environment: object; notes: StepNotes }>();

export interface Notebook {
  readonly notes: StepNotes;
  /** The run to look at, standing wherever it was left. */
  replay(): Replay | undefined;
}

/** A scenario's notes; undefined if nothing can run. */
export function notesOf(view: DocumentView, unit: ScenarioUnit): Notebook | undefined {
  const environment = view.environment();
  if (environment === undefined) return undefined;
  const known = finished.get(unit);
  if (known?.environment === environment && known.notes.unit === unit)
    return { notes: known.notes, replay: () => view.replay(unit) };
  const replay = view.replay(unit);
  if (replay === undefined) return undefined;
  let notes = ofReplay.get(replay);
  if (notes === undefined) {
    notes = new StepNotes(unit);
    ofReplay.set(replay, notes);
  }
  notes.adopt(unit);
  if (notes.isComplete) finished.set(unit, { environment, notes });
  return { notes, replay: () => replay };
}
