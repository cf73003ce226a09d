/**
 * A debugging session: one scenario, its run as a timeline, the breakpoints, and where it stands. Everything an adapter needs, without an editor, a
 * protocol or a clock: motions are advanced in slices by whoever owns the session.
 */
import type { Location } from '../base/diagnostic.ts';
import type { CheckerOptions, FileHost } from '../check.ts';
import { ruleInfo } from '../invariants/catalogue.ts';
import { MODEL_SCHEME } from '../models/model.ts';
import { type Environment, EnvironmentCache } from '../run/environment.ts';
import type { Machine } from '../run/machine.ts';
import { resolveLines, resolveSteps } from '../run/mention.ts';
import { formatOutcome } from '../run/outcome.ts';
import { Placer } from '../run/report.ts';
import { type RunFinding, ScenarioRun } from '../run/run.ts';
import { type Analysis, analyze } from '../scenario/analyze.ts';
import type { Instruction, ScenarioProgram, ScenarioUnit } from '../scenario/program.ts';
import { lineRow } from '../vm/line-table.ts';
import { type FrameView, unwind } from '../vm/unwind.ts';
import { Breakpoints, consult } from './breakpoints.ts';
import { evaluateC } from './c-expression.ts';
import { formatC, peek, scalarOf } from './c-values.ts';
import { CPlaces, type ScenarioPlace, scenarioPlaces, shown } from './code-places.ts';
import { WATCHED_KINDS } from './data-watch.ts';
import { describeEvent } from './event-text.ts';
import { exceptionFilters, filterOfEvent } from './exceptions.ts';
import type { LaunchOptions } from './launch-options.ts';
import {
  BackwardMotion,
  ForwardMotion,
  type Interests,
  type Motion,
  type MotionKind,
  RunToMotion,
  type Stop,
} from './motion.ts';
import { viaOf } from './places.ts';
import { ScenarioExpressions } from './scenario-expression.ts';
import { decide, type Hit, onCondition } from './strategy.ts';
import { Timeline, type Wanted } from './timeline.ts';

export interface SessionTarget {
  path: string;
  text: string;
  /** Name of the scenario; the first one without it. */
  scenario?: string;
  host: FileHost;
  options?: CheckerOptions;
  /** Options of the host, over those that the file sets. */
  hostOptions?: LaunchOptions;
}

/** One row of a stack. */
export type Frame =
  | { kind: 'c'; name: string; location: Location | undefined; override: boolean; view: FrameView }
  | { kind: 'scenario'; name: string; location: Location; instruction: number };

/** What a session tells while it runs. */
export interface SessionEvents {
  /** A breakpoint that only says something. */
  log(text: string): void;
  /** The kernel printed a line. */
  printk(text: string, location: Location | undefined): void;
  finding(finding: RunFinding, severity: string, text: string, location: Location | undefined): void;
}

/** What went wrong before anything could run, one message a line. */
export interface CannotRun {
  error: string;
}

export function openSession(target: SessionTarget, events: SessionEvents): DebugSession | CannotRun {
  const { path, text, host } = target;
  const analysis = analyze(path, text, host);
  const { program } = analysis;
  const placer = new Placer(path, text, program);
  const wrong = program.problems.find((problem) => problem.severity === 'error');
  if (wrong !== undefined)
    return { error: `Line ${placer.span(wrong.span, 0).range.start.line + 1}: ${wrong.message}` };
  // Later ones hold.
  for (const { name, value } of target.hostOptions ?? [])
    program.host.options.push({ name, value, span: { start: 0, end: 0 } });
  const { environment, problems } = new EnvironmentCache().get(path, program, host, target.options ?? {});
  if (problems.length > 0) return { error: problems.map(({ message }) => message).join('\n') };
  const index = target.scenario === undefined ? 0 : program.scenarios.findIndex(({ name }) => name === target.scenario);
  const unit = program.scenarios[index];
  if (unit === undefined) {
    const known = program.scenarios.map(({ name }) => JSON.stringify(name)).join(', ');
    return {
      error:
        target.scenario === undefined
          ? 'There is no scenario in this file.'
          : `There is no scenario ${JSON.stringify(target.scenario)} in this file.${known === '' ? '' : ` It has ${known}.`}`,
    };
  }
  const broken = unit.problems.find((problem) => problem.severity === 'error');
  if (broken !== undefined)
    return { error: `Line ${placer.span(broken.span, unit.start).range.start.line + 1}: ${broken.message}` };
  return new DebugSession(target, analysis, index, environment, events);
}

export class DebugSession {
  readonly path: string;
  readonly text: string;
  readonly program: ScenarioProgram;
  readonly analysis: Analysis;
  /** As the file has it; a what-if may put another in the run's place, with other constants and the same instructions. */
  readonly unit: ScenarioUnit;
  readonly run: ScenarioRun;
  readonly machine: Machine;
  readonly timeline: Timeline;
  readonly breakpoints = new Breakpoints();
  readonly codePlaces: CPlaces;
  readonly expressions: ScenarioExpressions;
  /** Exception filters that are on, each with its condition. */
  readonly filters = new Map<string, string | undefined>();
  private readonly events: SessionEvents;
  private readonly placer: Placer;
  private readonly places: ScenarioPlace[];
  private motion: Motion | undefined;
  /** Findings and log lines that have been told. */
  private told = { findings: 0, lines: 0 };
  /** The instance that the last stop is about, when it is not the one that comes next. */
  private shownInstance: number | undefined;

  constructor(
    target: SessionTarget,
    analysis: Analysis,
    index: number,
    environment: Environment,
    events: SessionEvents,
  ) {
    this.path = target.path;
    this.text = target.text;
    const { program } = analysis;
    this.program = program;
    this.analysis = analysis;
    this.unit = program.scenarios[index];
    this.machine = environment.takeMachine();
    this.run = new ScenarioRun(this.machine, this.unit);
    this.timeline = new Timeline(this.run);
    this.codePlaces = new CPlaces(this.machine.program);
    this.expressions = new ScenarioExpressions(target.path, target.text, target.host, program, index);
    this.events = events;
    this.placer = new Placer(target.path, target.text, program);
    this.places = scenarioPlaces(target.path, target.text, program, this.unit);
    this.told.lines = this.machine.kernel.log.lines.length;
    for (const filter of exceptionFilters) if (filter.initially) this.filters.set(filter.id, undefined);
    this.timeline.wants = (event) => this.wants(event);
  }

  dispose(): void {
    this.timeline.dispose();
  }

  get isOver(): boolean {
    return this.timeline.isOver;
  }

  // ---------------------------------------------------------------- moving

  start(kind: MotionKind): void {
    this.begin();
    this.motion = new ForwardMotion(this.timeline, this.interests, kind);
  }

  startBack(kind: 'continue' | 'over'): void {
    this.begin();
    this.motion = new BackwardMotion(this.timeline, this.interests, kind);
  }

  /** Back to where the function of a C frame was entered. */
  startBackToEntry(frame: FrameView): void {
    this.begin();
    const { run, machine } = this;
    const { thread } = machine;
    const isEntry = (): boolean =>
      run.isInCall &&
      thread.depth === frame.depth &&
      thread.pcs[frame.depth] === 0 &&
      thread.functions[frame.depth] === frame.function;
    const interests: Interests = {
      singly: false,
      arm: (breaks) => breaks.add(frame.function, 0),
      before: () => (isEntry() ? { reason: 'goto', breakpoints: [] } : undefined),
      after: () => undefined,
      remember: () => {},
    };
    // From the next instruction on, so that the one at hand counts.
    if (isEntry()) this.timeline.goTo(this.timeline.now + 1);
    this.motion = new BackwardMotion(this.timeline, interests, 'continue');
  }

  /** Run, without stopping for anything else, until this instruction of the scenario comes next. If it never does, stay. */
  startTo(instruction: number): void {
    this.begin();
    this.motion = new RunToMotion(this.timeline, instruction);
  }

  private begin(): void {
    this.shownInstance = undefined;
  }

  get isMoving(): boolean {
    return this.motion !== undefined;
  }

  /** Go on with the motion for about so many ticks. The stop, once it has come to one. */
  advance(ticks: number): Stop | undefined {
    const { motion } = this;
    if (motion === undefined) throw new Error('nothing moves');
    const stop = motion.advance(ticks);
    if (!(motion instanceof BackwardMotion)) this.tell();
    if (stop === undefined) return undefined;
    this.motion = undefined;
    this.shownInstance = stop.instance;
    return stop;
  }

  /** Stop a motion where it is; backwards, where it began. */
  pause(): Stop {
    this.motion?.cancel();
    this.motion = undefined;
    return { reason: 'pause', breakpoints: [] };
  }

  /** Land on a tick at once. */
  goTo(tick: number): Stop {
    this.shownInstance = undefined;
    this.timeline.goTo(tick);
    return { reason: 'goto', breakpoints: [] };
  }

  /** One instruction back. */
  backOne(): Stop {
    if (this.timeline.now === 0) return { reason: 'entry', text: 'The beginning of the scenario', breakpoints: [] };
    this.goTo(this.timeline.now - 1);
    return { reason: 'step', breakpoints: [] };
  }

  /** Change the machine from outside; it stays changed as long as nobody goes back before this place. */
  whatIf(change: () => void): void {
    this.timeline.whatIf(change);
    this.told.findings = Math.min(this.told.findings, this.run.findings.length);
    this.told.lines = Math.min(this.told.lines, this.machine.kernel.log.lines.length);
  }

  // ---------------------------------------------------------------- what it stops at

  private readonly interests: Interests = this.makeInterests();

  private makeInterests(): Interests {
    const session = this;
    return {
      get singly() {
        return session.breakpoints.watchesVariables;
      },
      arm: (breaks) => session.breakpoints.arm(breaks),
      before: (forward) => session.before(forward),
      after: (forward) => session.after(forward),
      remember: () => session.breakpoints.remember(session.machine),
    };
  }

  private wants(event: number): Wanted | undefined {
    const { machine } = this;
    const kind = machine.trace.kind[event];
    const found = filterOfEvent(machine, event);
    const filter = found !== undefined && this.filters.has(found) ? found : undefined;
    const breakpoints =
      WATCHED_KINDS.has(kind) && this.breakpoints.watchesPages ? this.breakpoints.atEvent(machine, event) : [];
    return filter === undefined && breakpoints.length === 0 ? undefined : { event, filter, breakpoints };
  }

  /** Whether to stop where the run stands, before anything has moved. */
  stopHere(): Stop | undefined {
    return this.before(true);
  }

  private before(forward: boolean): Stop | undefined {
    const { run, machine, breakpoints } = this;
    const { thread } = machine;
    const here = run.isInCall
      ? breakpoints.atCode(thread.functions[thread.depth], thread.pcs[thread.depth])
      : run.state === 'running'
        ? breakpoints.atScenario(run.position)
        : [];
    return here.length === 0 ? undefined : this.consult(here, 'breakpoint', forward, this.timeline.now);
  }

  private after(forward: boolean): Stop | undefined {
    const { machine, breakpoints, timeline } = this;
    const settled = this.afterStep();
    // A step that is no call into C is over with its first instruction: it is the one to show.
    const shown = this.run.isInCall ? {} : { instance: this.run.executed - 1 };
    const touched = timeline.events.flatMap((one) => one.breakpoints);
    if (breakpoints.watchesVariables) touched.push(...breakpoints.changed(machine));
    const watched =
      touched.length === 0 ? undefined : this.consult([...new Set(touched)], 'data', forward, timeline.now - 1);
    if (watched !== undefined) {
      const change = timeline.events.find((one) => one.breakpoints.some(({ id }) => watched.breakpoints.includes(id)));
      // What is wrong with a condition comes first.
      const text = watched.text ?? (change === undefined ? undefined : describeEvent(machine, change.event));
      return { ...watched, ...(text === undefined ? {} : { text }), ...shown };
    }
    for (const { event, filter } of timeline.events) {
      if (filter === undefined) continue;
      const text = this.stopsAt(filter, () => describeEvent(machine, event));
      if (text !== undefined) return { reason: 'exception', filter, event, text, breakpoints: [], ...shown };
    }
    return settled;
  }

  /** What a scenario instruction that is just done gives rise to. */
  private afterStep(): Stop | undefined {
    const { run } = this;
    if (run.isInCall) return undefined;
    const instance = run.executed - 1;
    let first = run.findings.length;
    while (first > 0 && run.findings[first - 1].instance === instance) first--;
    for (let i = first; i < run.findings.length; i++) {
      const finding = run.findings[i];
      const filter = `rule:${finding.rule}`;
      const text = this.stopsAt(filter, () => this.findingText(finding));
      if (text !== undefined)
        return { reason: 'exception', filter, finding: i, text, breakpoints: [], instance: finding.instance };
    }
    const outcome = instance < 0 ? undefined : run.outcome(instance);
    if (outcome !== undefined && !outcome.ok) {
      const instruction = run.instructionOf(instance);
      const step = 'text' in instruction ? instruction.text : 'The step';
      const text = this.stopsAt('failed', () => `${step}: ${formatOutcome(outcome)}`);
      if (text !== undefined) return { reason: 'exception', filter: 'failed', text, breakpoints: [], instance };
    }
    return undefined;
  }

  /** What to say if a filter is on and its condition holds; what is wrong with a condition that cannot be evaluated comes first. */
  private stopsAt(filter: string, describe: () => string): string | undefined {
    if (!this.filters.has(filter)) return undefined;
    const condition = this.filters.get(filter);
    const { stop, text } =
      condition === undefined
        ? { stop: true, text: undefined }
        : decide([onCondition(condition)], this.hit(this.timeline.now));
    if (!stop) return undefined;
    return text === undefined ? describe() : `${text}\n${describe()}`;
  }

  private consult(
    here: Parameters<typeof consult>[0],
    reason: 'breakpoint' | 'data',
    forward: boolean,
    tick: number,
  ): Stop | undefined {
    const { stopping, complaints, logs } = consult(here, this.hit(tick), decide);
    if (forward) for (const text of logs) this.events.log(text);
    if (stopping.length === 0) return undefined;
    return { reason, breakpoints: stopping, ...(complaints.length === 0 ? {} : { text: complaints.join('\n') }) };
  }

  private hit(tick: number): Hit {
    return {
      tick,
      test: (expression) => this.test(expression),
      fill: (message) => message.replace(/\{([^{}]+)\}/g, (_, expression: string) => this.valueText(expression)),
    };
  }

  private test(expression: string): boolean | { error: string } {
    const { machine } = this;
    return peek(machine, () => {
      const c = evaluateC(machine, this.innermost(), expression);
      if ('value' in c) {
        const number = scalarOf(machine, c.value);
        return number !== undefined && number !== 0;
      }
      const result = this.expressions.evaluate(this.run, expression);
      if ('holds' in result) return result.holds;
      if ('value' in result)
        return result.value.kind === 'bool'
          ? result.value.value
          : !('value' in result.value) || result.value.value !== 0;
      if ('fields' in result) return result.text !== 'false' && result.text !== '0' && result.text !== 'none';
      return { error: this.run.isInCall ? `${c.error} ${result.error}` : result.error };
    });
  }

  /** An expression's value as text, or what is wrong with it in angle brackets. */
  private valueText(expression: string): string {
    const { machine } = this;
    return peek(machine, () => {
      const c = evaluateC(machine, this.innermost(), expression);
      if ('value' in c) return formatC(machine, c.value, false);
      const result = this.expressions.evaluate(this.run, expression);
      return 'error' in result ? `<${this.run.isInCall ? c.error : result.error}>` : result.text;
    });
  }

  // ---------------------------------------------------------------- what it tells

  private tell(): void {
    const { run, machine } = this;
    const { lines } = machine.kernel.log;
    for (; this.told.lines < lines.length; this.told.lines++) {
      const line = lines[this.told.lines];
      this.events.printk(line.text, machine.framesOf(machine.siteOfEvent(line.event))[0]?.location);
    }
    for (; this.told.findings < run.findings.length; this.told.findings++) {
      const finding = run.findings[this.told.findings];
      this.events.finding(
        finding,
        ruleInfo(finding.rule)?.severity ?? 'error',
        this.findingText(finding),
        this.locationOf(run.instructionOf(finding.instance)),
      );
    }
  }

  /** A finding's message, with earlier steps by their lines. */
  findingText(finding: RunFinding): string {
    return this.plainText(finding.message);
  }

  plainText(message: string): string {
    const named = resolveSteps(message, (instance) => {
      const instruction = this.run.instructionOf(instance);
      const what = instruction.kind === 'step' ? ` (${instruction.text.replace(/\(.*$/s, '')})` : '';
      return `line ${this.locationOf(instruction).range.start.line + 1}${what}`;
    });
    return resolveLines(
      named,
      (offset) => `line ${this.placer.range(offset + this.unit.start, offset + this.unit.start).start.line + 1}`,
    );
  }

  // ---------------------------------------------------------------- where it stands

  locationOf(instruction: Instruction): Location {
    return this.placer.span(shown(instruction), this.unit.start);
  }

  /** The line after the last, where a run that is over stands. */
  private endLocation(): Location {
    return { path: this.path, range: this.placer.range(this.unit.end - 1, this.unit.end) };
  }

  /** The innermost frame of C, if C runs. */
  innermost(): FrameView | undefined {
    return this.run.isInCall ? unwind(this.machine.vm, this.machine.thread)[0] : undefined;
  }

  /** The state's name, see {@link Timeline}. */
  get tick(): number {
    return this.timeline.now;
  }

  /** The instance of a scenario instruction that is under way or comes next; `run.executed` at the end, and before one that has not begun. */
  get instance(): number {
    return this.shownInstance ?? (this.run.isInCall ? this.run.executed - 1 : this.run.executed);
  }

  /** The instruction of the scenario that is shown as the present one. */
  get shownInstruction(): number {
    if (this.shownInstance === undefined) return this.run.position;
    return this.run.positionOf(this.shownInstance);
  }

  /** The stack, innermost first: C, then the scenario's line, then the calls of sequences that led to it. */
  frames(): Frame[] {
    const { machine, run } = this;
    const frames: Frame[] = [];
    if (run.isInCall) {
      for (const view of unwind(machine.vm, machine.thread)) {
        const row = lineRow(view.code, view.pc);
        frames.push({
          kind: 'c',
          name: `${view.name}()`,
          location: machine.program.location(row?.origin ?? view.code.origin),
          override: machine.program.describe(view.function).override,
          view,
        });
      }
    }
    const number = this.shownInstruction;
    const instruction = this.unit.code[number];
    if (instruction === undefined) {
      frames.push({
        kind: 'scenario',
        name: `end of "${this.unit.name}"`,
        location: this.endLocation(),
        instruction: number,
      });
      return frames;
    }
    frames.push({
      kind: 'scenario',
      name: 'text' in instruction ? instruction.text : this.sourceOf(instruction),
      location: this.locationOf(instruction),
      instruction: number,
    });
    for (const span of [...viaOf(instruction)].reverse()) {
      const location = this.placer.span(span, this.unit.start);
      const source = span.file === undefined ? this.text : this.program.imports[span.file].text;
      const base = span.file === undefined ? this.unit.start : 0;
      const name = source.slice(base + span.start, base + span.end).replace(/\s+/g, ' ');
      frames.push({ kind: 'scenario', name, location, instruction: number });
    }
    return frames;
  }

  private sourceOf(instruction: Instruction): string {
    if (instruction.kind === 'for') return `for ${this.unit.variableNames[instruction.variable]}`;
    if (instruction.kind === 'let') return `let ${this.unit.variableNames[instruction.variable]}`;
    return instruction.kind;
  }

  /** Places of the running scenario at which one can stop. */
  get scenarioPlaces(): readonly ScenarioPlace[] {
    return this.places;
  }

  /** Files that are part of this run: the scenario's own, those it uses, then the bundled model's. */
  sources(): string[] {
    const own = [this.path, ...this.program.imports.map(({ path }) => path)];
    const c = this.codePlaces.paths();
    const isModel = (path: string): boolean => path.startsWith(MODEL_SCHEME);
    return [...new Set([...own, ...c.filter((path) => !isModel(path)), ...c.filter(isModel)])];
  }

  /** Actor of the step at hand: 0 for host and VMM, else 1 + the vCPUs before it. */
  get actorThread(): number {
    const instruction = this.unit.code[this.shownInstruction];
    if (instruction?.kind !== 'step' || instruction.actor.kind !== 'guest') return 0;
    const { guest, vcpu } = instruction.actor;
    let thread = 1;
    for (let i = 0; i < (guest ?? 0); i++) thread += this.machine.guests[i].config.vcpus;
    return thread + vcpu;
  }

  /** Names of the actors: the host, then every vCPU of every guest. */
  actors(): string[] {
    const vcpus = this.machine.guests.flatMap((guest) =>
      Array.from({ length: guest.config.vcpus }, (_, i) => `guest ${guest.name}, vCPU ${i}`),
    );
    return ['host and VMM', ...vcpus];
  }
}
