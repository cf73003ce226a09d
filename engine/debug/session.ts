/**
 * A debugging session: one scenario, its run as a timeline, the breakpoints, and where it stands. Everything an adapter needs, without an editor, a
 * protocol or a clock: motions are advanced in slices by whoever owns the session.
 */
import type { Location } from '../base/diagnostic.ts';
import { ruleInfo } from '../invariants/catalogue.ts';
import { MODEL_SCHEME } from '../models/model.ts';
import type { Environment } from '../run/environment.ts';
import type { Machine } from '../run/machine.ts';
import { resolveLines, resolveSteps } from '../run/mention.ts';
import { Placer } from '../run/report.ts';
import { type RunFinding, ScenarioRun } from '../run/run.ts';
import type { Analysis } from '../scenario/analyze.ts';
import type { Instruction, ScenarioProgram, ScenarioUnit } from '../scenario/program.ts';
import { type FrameView, unwind } from '../vm/unwind.ts';
import { Breakpoints } from './breakpoints.ts';
import { withValuesOfC } from './c-in-scenario.ts';
import { peek } from './c-values.ts';
import { CPlaces, type ScenarioPlace, scenarioPlaces, shown } from './code-places.ts';
import { exceptionFilters } from './exceptions.ts';
import { type Frame, framesOf } from './frames.ts';
import {
  Arrived,
  BackwardMotion,
  ForwardMotion,
  type Interests,
  type Motion,
  type MotionKind,
  RunToMotion,
  type Stop,
} from './motion.ts';
import type { SessionTarget } from './open-session.ts';
import { type PageAtHand, pageAtHand } from './page-at-hand.ts';
import { callsBegunAt } from './places.ts';
import { ScenarioExpressions, type ScenarioResult } from './scenario-expression.ts';
import { Stopping } from './stopping.ts';
import { Timeline } from './timeline.ts';

/** What a session tells while it runs. */
export interface SessionEvents {
  /** A breakpoint that only says something. */
  log(text: string): void;
  /** The kernel printed a line. */
  printk(text: string, location: Location | undefined): void;
  finding(finding: RunFinding, severity: string, text: string, location: Location | undefined): void;
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
  /** What the run's machine was made in, for more of its kind. */
  readonly environment: Environment;
  readonly timeline: Timeline;
  readonly breakpoints = new Breakpoints();
  readonly codePlaces: CPlaces;
  readonly expressions: ScenarioExpressions;
  /** Exception filters that are on, each with its condition. */
  readonly filters = new Map<string, string | undefined>();
  private readonly events: SessionEvents;
  private readonly stopping: Stopping;
  private readonly placer: Placer;
  private readonly places: ScenarioPlace[];
  private motion: Motion | undefined;
  /** Findings and log lines that have been told. */
  private told = { findings: 0, lines: 0 };
  /** The instance that the last stop is about, when it is not the one that comes next. */
  private shownInstance: number | undefined;
  /** Of the calls of sequences that begin where the run stands, how many are only about to be made: their lines are shown, not what they lead to. */
  pending = 0;

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
    this.environment = environment;
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
    this.stopping = new Stopping(this, (text) => events.log(text));
    this.timeline.wants = (event) => this.stopping.wants(event);
  }

  dispose(): void {
    this.timeline.dispose();
  }

  get isOver(): boolean {
    return this.timeline.isOver;
  }

  // ---------------------------------------------------------------- moving

  start(kind: MotionKind): void {
    const { pending } = this;
    if (kind === 'into' && pending > 0) {
      // Into the sequence whose call is shown: the run stands there already.
      this.begin();
      this.motion = new Arrived({ reason: 'step', breakpoints: [], pending: pending - 1 });
      return;
    }
    this.begin();
    this.motion = new ForwardMotion(this.timeline, this.stopping, kind, pending);
  }

  startBack(kind: 'continue' | 'over'): void {
    const { pending } = this;
    const begun =
      this.run.isInCall || this.shownInstance !== undefined ? 0 : callsBegunAt(this.unit.code, this.run.position);
    this.begin();
    if (kind === 'over' && pending < begun) {
      // Out to the line of the call that has led here.
      this.motion = new Arrived({ reason: 'step', breakpoints: [], pending: pending + 1 });
      return;
    }
    this.motion = new BackwardMotion(this.timeline, this.stopping, kind, pending);
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
  startTo(instruction: number, pending = 0): void {
    this.begin();
    const { run } = this;
    this.motion = new RunToMotion(
      this.timeline,
      () => run.state === 'running' && run.position === instruction,
      pending,
    );
  }

  /** Run, without stopping for anything else, until the first `instances` instructions have been executed; no further than the end. */
  startToInstance(instances: number): void {
    this.begin();
    const { run } = this;
    this.motion = new RunToMotion(this.timeline, () => run.executed >= instances || run.state !== 'running');
  }

  private begin(): void {
    this.shownInstance = undefined;
    this.pending = 0;
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
    this.pending = stop.pending ?? 0;
    return stop;
  }

  /** Stop a motion where it is; backwards, where it began. */
  pause(): Stop {
    this.motion?.cancel();
    this.motion = undefined;
    return { reason: 'pause', breakpoints: [] };
  }

  /** Land on a tick at once, in front of so many calls of sequences that begin there. */
  goTo(tick: number, pending = 0): Stop {
    this.begin();
    this.pending = pending;
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

  /** Whether to stop where the run stands, before anything has moved. */
  stopHere(): Stop | undefined {
    const stop = this.stopping.before(true);
    this.pending = stop?.pending ?? 0;
    return stop;
  }

  /**
   * Evaluate an expression of the scenario language.
   * @param view the C frame whose variables it may name
   * @param at the instruction of the scenario before which it would stand
   */
  evaluate(text: string, view: FrameView | undefined, at: number = this.run.position): ScenarioResult {
    const meant = view === undefined ? text : withValuesOfC(this.machine, view, text);
    return this.expressions.evaluate(this.run, meant, at);
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

  /** The page that the present place is about. Leaves no trace. */
  pageAtHand(view: FrameView | undefined): PageAtHand {
    return peek(this.machine, () => pageAtHand(this.run, view, this.shownInstruction));
  }

  /** The stack, innermost first: C, then the scenario's line, then the calls of sequences that led to it. */
  frames(): Frame[] {
    return framesOf(this, this.placer, this.pending);
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
