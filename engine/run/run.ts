/**
 * A run of one scenario: its program counter, its variables, what happened so far. A run works in slices, can be continued at any
 * instruction, and can be taken back to any instruction it has executed: an edited scenario resumes where its text first differs.
 *
 * "Instance" is one execution of one instruction; a loop makes many of one instruction.
 */
import type { Severity } from '../base/diagnostic.ts';
import type { Run } from '../base/runs.ts';
import { ruleInfo } from '../invariants/catalogue.ts';
import type { Allow, Expect, Instruction, ScenarioUnit, Span, Step, Value } from '../scenario/program.ts';
import { EventKind } from '../trace/trace.ts';
import { evaluateExpect } from './expectation.ts';
import { explain } from './explain.ts';
import { lastFailure } from './failure.ts';
import { judge } from './judge.ts';
import type { Machine, MachineMark, MachineSnapshot } from './machine.ts';
import { mentionStep } from './mention.ts';
import type { Action, OperationState, StepArguments } from './operation.ts';
import { operations } from './operations/index.ts';
import { formatOutcome, matches, type Outcome } from './outcome.ts';
import { relianceNote } from './reliance.ts';
import type { CTrap } from './trap.ts';

/** Something to tell about an instance. */
export interface RunFinding {
  instance: number;
  rule: string;
  message: string;
  /** Event whose C site shares the blame. */
  event?: number;
  site?: { site: number; stack: number };
  /** Which of the user's own invariants it violates. */
  invariant?: number;
  /** Events this follows from, for "since line". */
  since?: number;
  /** System frames that it is about. */
  pages?: readonly Run[];
  /** Narrower place within the instruction, relative to its start. */
  span?: Span;
  /** Where it is not the rule's own. */
  severity?: Severity;
  /** A place in C that is no site (a construct that cannot run). */
  location?: CTrap['location'];
  data?: unknown;
}

interface Instance {
  pc: number;
  mark: MachineMark;
  variables: Value[];
  /** Length of `findings` before it. */
  findings: number;
  /** allow numbers in force before it. */
  allows: readonly number[];
  allowsUsed: number;
  /** Steps completed before it. */
  steps: number;
}

/** A run at any place, also within a call into C; shares nothing that changes. */
export interface RunSnapshot {
  readonly machine: MachineSnapshot;
  /** A debugger may have put another in its place, see {@link ScenarioRun.assume}. */
  readonly unit: ScenarioUnit;
  readonly pc: number;
  readonly executed: number;
  readonly variables: Value[];
  readonly findings: number;
  readonly allows: readonly number[];
  readonly allowsUsed: number;
  readonly steps: number;
  readonly state: RunState;
  readonly args: StepArguments | undefined;
  readonly operationState: readonly number[];
  readonly inCall: boolean;
  /** Of the instance under way: what has been noted of the others stands. */
  readonly outcome: Outcome | undefined;
}

/** Steps in one scenario that are too many to be meant. */
const INSTANCE_LIMIT = 2_000_000;

export type RunState = 'running' | 'finished' | 'stopped';

export class ScenarioRun {
  readonly machine: Machine;
  unit: ScenarioUnit;
  readonly findings: RunFinding[] = [];
  state: RunState = 'running';
  /** Steps (not expects) completed. */
  steps = 0;
  /** Anything that makes the scenario fail rather than pass. */
  private readonly instances: Instance[] = [];
  private pc = 0;
  private variables: Value[];
  private allows: readonly number[] = [];
  /** Allows that silenced something, in the order they did. */
  private readonly allowsUsed: number[] = [];
  private readonly outcomes: (Outcome | undefined)[] = [];
  /** Options that each step's results depended on, bits of `Relied`; written when a step is complete, meaningful for those. */
  private readonly relied: number[] = [];
  private readonly base: MachineMark;
  // The step under way.
  private args: StepArguments | undefined;
  private operationState: OperationState = [];
  private inCall = false;

  constructor(machine: Machine, unit: ScenarioUnit) {
    this.machine = machine;
    this.unit = unit;
    this.variables = new Array<Value>(unit.variables);
    this.base = machine.mark();
    machine.describeStep = (event) => {
      const instance = machine.instanceOfEvent(event);
      return instance === undefined ? 'the beginning' : mentionStep(instance);
    };
  }

  /** Outcome of an instance, for hints and hovers. */
  outcome(instance: number): Outcome | undefined {
    return this.outcomes[instance];
  }

  get executed(): number {
    return this.instances.length;
  }

  instructionOf(instance: number): Instruction {
    return this.unit.code[this.instances[instance].pc];
  }

  /** The number of the instruction that an instance executed. */
  positionOf(instance: number): number {
    return this.instances[instance].pc;
  }

  /** First instance executed at or after each step boundary: the journal mark before instance `i`. */
  markBefore(instance: number): MachineMark {
    return this.instances[instance].mark;
  }

  /** Variables of the scenario, by slot, as they were before an instance. */
  variablesBefore(instance: number): readonly Value[] {
    return this.instances[instance].variables;
  }

  /** Whether C runs: then the machine's thread says where. */
  get isInCall(): boolean {
    return this.inCall;
  }

  /** The scenario instruction under way in C, or the one that comes next; the length of the code at its end. */
  get position(): number {
    return this.pc;
  }

  get values(): readonly Value[] {
    return this.variables;
  }

  /** The operands of the step under way. */
  get stepArguments(): StepArguments | undefined {
    return this.args;
  }

  /** Put the machine back as it was before the scenario began. */
  release(): void {
    this.machine.abandonCall();
    this.machine.undoTo(this.base);
  }

  /** Work for about `units`; returns the units used. `state` tells whether it is finished. */
  advance(units: number): number {
    let used = 0;
    while (this.state === 'running' && used < units) {
      used += this.inCall ? this.continueCall(units - used) : this.next();
    }
    return used;
  }

  /**
   * Go on by one tick: one instruction of the scenario, or one of C; in C by at most `limit` of them. Returns how many it were. Ticks count the same
   * however they are sliced, so a tick's number names a state.
   */
  tick(limit = 1): number {
    if (this.state !== 'running') return 0;
    if (!this.inCall) {
      this.next();
      return 1;
    }
    const { used, state } = this.machine.continueCall(limit);
    if (state !== 'running') this.endCall(state);
    return used;
  }

  snapshot(): RunSnapshot {
    return {
      machine: this.machine.snapshot(),
      unit: this.unit,
      pc: this.pc,
      executed: this.instances.length,
      variables: this.variables,
      findings: this.findings.length,
      allows: this.allows,
      allowsUsed: this.allowsUsed.length,
      steps: this.steps,
      state: this.state,
      args: this.args,
      operationState: this.operationState.slice(),
      inCall: this.inCall,
      outcome: this.outcomes[this.instances.length - 1],
    };
  }

  /** Go back to a snapshot of this run that lies behind it, on the way that led here. */
  restore(to: RunSnapshot): void {
    this.machine.restore(to.machine);
    this.unit = to.unit;
    this.pc = to.pc;
    this.instances.length = to.executed;
    this.outcomes.length = to.executed;
    if (to.executed > 0) this.outcomes[to.executed - 1] = to.outcome;
    this.variables = to.variables;
    this.findings.length = to.findings;
    this.allows = to.allows;
    this.allowsUsed.length = to.allowsUsed;
    this.steps = to.steps;
    this.state = to.state;
    this.args = to.args;
    this.operationState = to.operationState.slice();
    this.inCall = to.inCall;
  }

  /**
   * Continue with an edited unit: keep what ran before the first instruction that differs, undo the rest.
   * `same(i)` tells whether instruction `i` of the old and the new unit mean the same.
   */
  adopt(unit: ScenarioUnit, same: (index: number) => boolean): void {
    const limit = Math.min(unit.code.length, this.unit.code.length);
    let firstDifferent = 0;
    while (firstDifferent < limit && same(firstDifferent)) firstDifferent++;
    this.machine.abandonCall();
    this.inCall = false;
    let keep = this.instances.findIndex((instance) => instance.pc >= firstDifferent);
    if (keep < 0 && this.state === 'running') keep = this.instances.length - (this.args === undefined ? 0 : 1);
    this.args = undefined;
    const old = this.unit;
    this.unit = unit;
    if (keep < 0) {
      // Everything that ran is unchanged; it stopped or finished there.
      if (this.state === 'stopped') return;
      this.pc = Math.min(this.pc, unit.code.length);
      this.state = 'running';
      if (old.variables !== unit.variables) this.variables.length = unit.variables;
      return;
    }
    this.backTo(keep);
  }

  /** Undo instance `instance` and everything after it; the run can go on from there. */
  backTo(instance: number): void {
    this.machine.abandonCall();
    this.inCall = false;
    this.args = undefined;
    const at = this.instances[instance];
    if (at === undefined) return;
    this.machine.undoTo(at.mark);
    this.pc = at.pc;
    this.variables = at.variables.slice();
    this.findings.length = at.findings;
    this.allows = at.allows;
    this.allowsUsed.length = at.allowsUsed;
    this.steps = at.steps;
    this.instances.length = instance;
    this.outcomes.length = instance;
    this.state = 'running';
  }

  /** Allows that silenced nothing; meaningful once finished. */
  unusedAllows(): Allow[] {
    if (this.state !== 'finished') return [];
    const used = new Set(this.allowsUsed);
    return this.unit.allows.filter((_, index) => !used.has(index));
  }

  /** Instructions never executed; meaningful once the run is over. */
  unreached(): Instruction[] {
    if (this.state !== 'stopped') return [];
    const reached = new Set(this.instances.map((instance) => instance.pc));
    return this.unit.code.filter(
      (instruction, pc) => (instruction.kind === 'step' || instruction.kind === 'expect') && !reached.has(pc),
    );
  }

  // ---------------------------------------------------------------- one instruction

  private next(): number {
    if (this.pc >= this.unit.code.length) {
      this.state = 'finished';
      return 1;
    }
    const instruction = this.unit.code[this.pc];
    if (this.instances.length >= INSTANCE_LIMIT) {
      this.report({
        rule: 'TERM',
        message: `The scenario has run ${INSTANCE_LIMIT.toLocaleString('en')} instructions and is stopped here; shorten its loops.`,
      });
      this.state = 'stopped';
      return 1;
    }
    this.instances.push({
      pc: this.pc,
      mark: this.machine.mark(),
      variables: this.variables,
      findings: this.findings.length,
      allows: this.allows,
      allowsUsed: this.allowsUsed.length,
      steps: this.steps,
    });
    this.outcomes.push(undefined);
    this.machine.beginStep(this.instances.length - 1);
    switch (instruction.kind) {
      case 'step':
        return this.begin(instruction);
      case 'expect':
        this.expect(instruction);
        this.pc++;
        return 20;
      case 'let':
        this.assign(instruction.variable, instruction.value, instruction.span);
        this.pc++;
        return 5;
      case 'for':
        this.enterLoop(instruction);
        return 5;
      case 'next':
        this.pc = instruction.head;
        this.stepLoop(this.unit.code[instruction.head]);
        return 5;
      case 'allow':
        this.allows = [...this.allows, instruction.allow];
        this.pc++;
        return 1;
      case 'allow-end':
        this.allows = this.allows.filter((allow) => allow !== instruction.allow);
        this.pc++;
        return 1;
    }
  }

  /** From here on a variable has another value, and constants in the code that came of it too: `unit` is the same code but for those. */
  assume(slot: number, value: Value, unit: ScenarioUnit): void {
    this.unit = unit;
    this.setVariable(slot, value);
  }

  private setVariable(slot: number, value: Value): void {
    // Earlier instances share the array: copy on write.
    this.variables = this.variables.slice();
    this.variables[slot] = value;
  }

  private assign(slot: number, expr: Extract<Instruction, { kind: 'let' }>['value'], span: Span): void {
    const value = expr.evaluate(this.variables, this.machine);
    if ('error' in value) {
      this.report({ rule: 'VALUE', message: value.error, span: value.span ?? span });
      this.state = 'stopped';
      return;
    }
    this.setVariable(slot, value);
  }

  private enterLoop(loop: Extract<Instruction, { kind: 'for' }>): void {
    const bounds = this.loopBounds(loop);
    if (bounds === undefined) return;
    if (bounds.start >= bounds.end) {
      this.pc = loop.exit;
      return;
    }
    this.setVariable(loop.variable, bounds.at(bounds.start));
    this.pc++;
  }

  private stepLoop(loop: Instruction): void {
    if (loop.kind !== 'for') throw new Error('back edge to something that is no loop');
    const bounds = this.loopBounds(loop);
    if (bounds === undefined) return;
    const current = this.variables[loop.variable];
    const now = 'value' in current ? Number(current.value) + bounds.step : bounds.end;
    if (now >= bounds.end) {
      this.pc = loop.exit;
      return;
    }
    this.setVariable(loop.variable, bounds.at(now));
    this.pc++;
  }

  private loopBounds(
    loop: Extract<Instruction, { kind: 'for' }>,
  ): { start: number; end: number; step: number; at(n: number): Value } | undefined {
    const value = loop.range.evaluate(this.variables, this.machine);
    const step = loop.step?.evaluate(this.variables, this.machine);
    const error = 'error' in value ? value : step !== undefined && 'error' in step ? step : undefined;
    if (error !== undefined || !('start' in value)) {
      this.report({
        rule: 'VALUE',
        message: error?.error ?? 'A loop runs over a range.',
        span: error?.span ?? loop.span,
      });
      this.state = 'stopped';
      return undefined;
    }
    const kind =
      value.kind === 'int-range'
        ? 'int'
        : value.kind === 'gpa-range'
          ? 'gpa'
          : value.kind === 'gfn-range'
            ? 'gfn'
            : 'pfn';
    const by = step !== undefined && 'value' in step ? Number(step.value) : kind === 'gpa' ? 4096 : 1;
    if (by <= 0) {
      this.report({ rule: 'VALUE', message: 'The step of a loop must be greater than 0.', span: loop.span });
      this.state = 'stopped';
      return undefined;
    }
    return { start: value.start, end: value.end, step: by, at: (n) => ({ kind, value: n }) };
  }

  // ---------------------------------------------------------------- steps

  private begin(step: Step): number {
    const values: (Value | undefined)[] = [];
    for (const expr of step.args) {
      if (expr === undefined) {
        values.push(undefined);
        continue;
      }
      const value = expr.evaluate(this.variables, this.machine);
      if ('error' in value) {
        this.report({ rule: 'VALUE', message: value.error, span: value.span });
        this.pc++;
        return 5;
      }
      values.push(value);
    }
    const operation = operations[step.operation];
    if (operation === undefined)
      throw new Error(`operation ${step.operation} stands in the table but nothing executes it`);
    this.args = { actor: step.actor, values, callee: step.callee };
    this.operationState = [];
    this.machine.enterActor(step.actor);
    return 10 + this.act(step, operation.start(this.machine, this.args, this.operationState));
  }

  private act(step: Step, action: Action): number {
    if (action.kind === 'done') {
      this.complete(step, action.outcome);
      return 10;
    }
    const problem = this.machine.beginCall(action.function, action.args);
    if (problem !== undefined) {
      this.report({ rule: 'C-UNDEFINED', message: problem });
      this.complete(step, { ok: false, trap: problem });
      return 10;
    }
    this.inCall = true;
    return 10;
  }

  private continueCall(units: number): number {
    const { used, state } = this.machine.continueCall(units);
    return Math.max(used, 1) + (state === 'running' ? 0 : this.endCall(state));
  }

  private endCall(state: 'done' | 'trapped'): number {
    const step = this.unit.code[this.pc] as Step;
    this.inCall = false;
    if (state === 'trapped') {
      const trap = this.machine.takeTrap();
      // A scenario may be about C that stops or never ends; what cannot be compiled is never meant.
      if ((trap.rule !== 'TRAP' && trap.rule !== 'TERM') || step.expected?.form !== 'trap')
        this.report({
          rule: trap.rule,
          message: trap.message,
          site: { site: trap.site, stack: trap.stack },
          location: trap.location,
          data: trap.data,
        });
      this.complete(step, { ok: false, trap: trap.message });
      return 0;
    }
    const operation = operations[step.operation];
    const result = this.machine.takeResult();
    const action = operation.resume?.(this.machine, this.args as StepArguments, this.operationState, result) ?? {
      kind: 'done',
      outcome: { ok: true },
    };
    return this.act(step, action);
  }

  private complete(step: Step, outcome: Outcome): void {
    const instance = this.instances.length - 1;
    this.outcomes[instance] = outcome;
    this.relied[instance] = this.machine.hardware.reliedOn;
    const unexpected = outcome.trap === undefined && !matches(step.expected, outcome);
    const because: string[] = [];
    for (const finding of judge(this.machine, step, this.args as StepArguments, outcome)) {
      const { rule, explainsOutcome, ...rest } = finding;
      if (this.isAllowed(rule)) continue;
      if (unexpected && explainsOutcome) because.push(rest.message);
      else this.report({ rule, ...rest, message: rest.message + this.relianceOf(rest.event) });
    }
    if (unexpected) this.reportOutcome(step, outcome, because);
    this.machine.endStep();
    this.args = undefined;
    this.steps++;
    this.pc++;
    // After a trap the kernel is in no state to go on from.
    if (outcome.trap !== undefined && step.expected?.form !== 'trap') this.state = 'stopped';
  }

  /** What is to be said when an event came out of an instruction that depended on an option. */
  private relianceOf(event: number | undefined): string {
    const instance = event === undefined ? undefined : this.machine.instanceOfEvent(event);
    if (event === undefined || instance === undefined || !isInstruction(this.machine.trace.kind[event])) return '';
    return relianceNote(this.relied[instance] ?? 0);
  }

  /** `because`: what rules know of the reason. */
  private reportOutcome(step: Step, outcome: Outcome, because: readonly string[]): void {
    const { expected } = step;
    const canonical = formatOutcome(outcome, expected?.form === 'value');
    // What failed on the way to a success was resolved, and explains nothing.
    const event = outcome.ok ? undefined : lastFailure(this.machine);
    const reasons = [...(outcome.ok ? [] : [explain(this.machine, outcome, event)]), ...because];
    const why = reasons.join(' ') + relianceNote(this.machine.hardware.reliedOn);
    const place = {
      span: expected?.span ?? step.callSpan,
      data: {
        kind: 'expect-outcome',
        outcome: canonical,
        ...(expected === undefined ? {} : { expected: expected.text }),
      },
      ...(event === undefined ? {} : { event, since: this.machine.trace.cause[event] }),
    };
    if (expected !== undefined) {
      const message = `Expected ${expected.text}, got ${canonical}. ${why.trimStart()}`.trimEnd();
      this.report({ rule: 'OUTCOME', message, ...place });
    } else if (outcome.livelock) {
      if (this.isAllowed('TERM')) return;
      this.report({
        rule: 'TERM',
        message: `This access can never complete. ${why} If that is meant: \`=> livelock\`.`,
        ...place,
      });
    } else {
      // An exit is the VMM's to handle; a fault that nobody handles is not.
      const rule = outcome.fault === undefined || outcome.exit !== undefined ? 'OUTCOME' : 'FAULT';
      this.report({ rule, message: `${why} If that is meant: \`=> ${canonical}\`.`, ...place });
    }
  }

  private expect(expect: Expect): void {
    const failure = evaluateExpect(this.machine, expect, this.variables);
    if (failure !== undefined)
      this.report({ rule: 'EXPECT', ...failure, message: failure.message + this.relianceOf(failure.since) });
  }

  private isAllowed(rule: string): boolean {
    const allow = this.allows.findLast((index) => this.unit.allows[index].rule === rule);
    if (allow === undefined) return false;
    this.allowsUsed.push(allow);
    return true;
  }

  private report(finding: Omit<RunFinding, 'instance'>): void {
    if (ruleInfo(finding.rule) === undefined) throw new Error(`rule ${finding.rule} is not in the catalogue`);
    const instance = this.instances.length - 1;
    // Relative to the instruction, so that a finding stays right when an edit elsewhere moves it.
    const span =
      finding.span === undefined ? undefined : shifted(finding.span, -this.instructionOf(instance).span.start);
    this.findings.push({ ...finding, instance, ...(span === undefined ? {} : { span }) });
  }
}

/** Events of instructions whose results options can decide. */
const isInstruction = (kind: number): boolean =>
  kind === EventKind.Rmpupdate ||
  kind === EventKind.Psmash ||
  kind === EventKind.Pvalidate ||
  kind === EventKind.Rmpadjust ||
  kind === EventKind.Rmpquery ||
  kind === EventKind.Fault;

/** A span moved by `by` characters; one in another file stays where it is. */
export function shifted(span: Span, by: number): Span {
  return span.file === undefined ? { start: span.start + by, end: span.end + by } : span;
}
