/**
 * Tells the story of a scenario ({@link MapStory}): goes through a run step by step, and notes what each step changed.
 *
 * It works in slices, and on a run that may have been moved in between: before each step it goes to where it was. After an edit it keeps what it has told of
 * the steps before the first difference.
 */
import { LineIndex } from '../base/line-index.ts';
import { type Run, Runs } from '../base/runs.ts';
import { resolveLines, resolveSteps } from '../run/mention.ts';
import { formatOutcome } from '../run/outcome.ts';
import type { Replay } from '../run/replay.ts';
import { outermost } from '../run/report.ts';
import type { RunFinding } from '../run/run.ts';
import { sameInstruction } from '../run/same-instruction.ts';
import type { ScenarioUnit } from '../scenario/program.ts';
import { CellReader } from './cells.ts';
import { collectChanges } from './changes.ts';
import { type Lane, lanesOf, reachesBeyond } from './lanes.ts';
import { Marks, placeOf } from './marks.ts';
import { RunColumns } from './run-columns.ts';
import { Shadow } from './shadow.ts';
import type { MapRuns, MapStep, MapStory, MapStoryUpdate, MapViolation } from './story.ts';
import { touchedPages } from './touched.ts';

/** A story is told up to here: what is more cannot be scrubbed through, nor drawn in time. */
export const STEP_LIMIT = 50_000;
export const CHANGE_LIMIT = 1_500_000;
/** Places of violations that are listed one by one; the pages of all are marked. */
export const VIOLATION_LIMIT = 10_000;
/** Of one finding. */
const PLACES_PER_FINDING = 32;

/** One told step. */
interface ToldStep {
  instance: number;
  pc: number;
  text: string;
  outcome: string;
  failed: boolean;
  rules: string[];
  /** Lengths of the list of leaked pages and of the trace behind it. */
  leaked: number;
  events: number;
  /** Violations told before it. */
  violations: number;
}

interface ToldViolation extends Omit<MapViolation, 'message'> {
  /** With mentions of steps and lines. */
  message: string;
}

/** The document that a unit stands in. */
export interface StoryDocument {
  uri: string;
  text: string;
  scenarios: readonly string[];
}

/** Pages that are looked at without a look at the clock. */
const PIECE = 4096;
/** What a look at a page costs, and the rest of an instance, in instructions of C. */
const LOOK_COST = 4;
const INSTANCE_COST = 200;

/** Where a piece of a run that begins at `at` ends: pieces end with 2M frames. */
const pieceEnd = (at: number, end: number): number => Math.min(end, at - (at % PIECE) + PIECE);

const NO_FLAGS = { mayBeIn: () => false, isMarked: () => false };

export class StoryTeller {
  readonly replay: Replay;
  readonly lanes: readonly Lane[];
  private unit: ScenarioUnit;
  private document: StoryDocument;
  private lineIndex: LineIndex;
  private readonly reader: CellReader;
  private readonly marks: Marks;
  private readonly shadows: readonly Shadow[];
  private readonly base: MapRuns;
  private readonly baseLeaked: number;
  private readonly baseEvents: number;
  private readonly changes = new RunColumns();
  private readonly changesFrom: number[] = [0];
  /** Of the last step, which is among {@link steps} already: what is still to be looked at, last first. */
  private readonly untold: { lane: number; run: Run }[] = [];
  private readonly steps: ToldStep[] = [];
  private readonly violations: ToldViolation[] = [];
  /** Instances that have been gone through, steps or not, with the numbers of their instructions. */
  private told = 0;
  private readonly pcs: number[] = [];
  private isAtEnd = false;
  /** The run stopped at its last instance; known once it got there. */
  private hasStopped = false;
  private cut: string | undefined;

  /** Goes to the beginning of the run. */
  constructor(replay: Replay, document: StoryDocument) {
    this.replay = replay;
    this.unit = replay.unit;
    this.document = document;
    this.lineIndex = new LineIndex(document.text);
    replay.goTo(0);
    const { machine } = replay;
    this.lanes = lanesOf(machine);
    this.reader = new CellReader(machine, this.lanes);
    this.marks = new Marks(machine, this.lanes);
    this.shadows = this.lanes.map((lane) => new Shadow(lane.untouched));
    this.baseLeaked = machine.kernel.leaked.list.length;
    this.baseEvents = machine.trace.length;
    this.base = this.tellBase();
  }

  /** All steps are told, or as many as are told at all. */
  get isOver(): boolean {
    return this.isAtEnd && this.untold.length === 0;
  }

  /** Steps told so far, to the last page. */
  get length(): number {
    return this.changesFrom.length - 1;
  }

  /** The instance that the machine stands before in a state. */
  instanceOfState(state: number): number {
    if (state <= 0) return 0;
    const step = this.steps[Math.min(state, this.steps.length) - 1];
    return step === undefined ? 0 : step.instance + 1;
  }

  /** How long the trace is in a state: what comes after belongs to the next. */
  eventsAt(state: number): number {
    return state <= 0 ? this.baseEvents : this.steps[Math.min(state, this.steps.length) - 1].events;
  }

  /** The state in which the machine stands before an instance: that after the last step before it. */
  stateOfInstance(instance: number): number {
    let low = 0;
    let high = this.steps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.steps[middle].instance < instance) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The step that an instance is, or undefined. */
  stepOfInstance(instance: number): number | undefined {
    const state = this.stateOfInstance(instance);
    return this.steps[state]?.instance === instance ? state : undefined;
  }

  /** The line of a step in the document. */
  lineOf(step: number): number {
    return this.lineOfPc(this.steps[step].pc);
  }

  /**
   * The state to show for a line of the document: that after the last step which begins on it or, in the order of the text, before it. Of a line in a
   * loop, after the last turn.
   */
  stateAtLine(line: number): number {
    let best = 0;
    let bestLine = -1;
    for (const [i, { pc }] of this.steps.entries()) {
      const at = this.lineOfPc(pc);
      if (at <= line && at >= bestLine) {
        best = i + 1;
        bestLine = at;
      }
    }
    return best;
  }

  // ---------------------------------------------------------------- telling

  /** Go on for about `ticks` (instructions of C, pages looked at); true when the story is told. */
  advance(ticks: number): boolean {
    for (let left = ticks; left > 0; ) {
      if (this.untold.length > 0) {
        left -= this.tellMore(left);
        continue;
      }
      if (this.isAtEnd) break;
      const { replay } = this;
      const landed = replay.goTo(this.told + 1, left);
      if (landed <= this.told) {
        this.isAtEnd = replay.isOver && !replay.run.isInCall;
        if (!this.isAtEnd) return false;
        this.hasStopped = replay.run.state === 'stopped';
        break;
      }
      this.tellInstance(this.told);
      left -= INSTANCE_COST;
    }
    return this.isAtEnd && this.untold.length === 0;
  }

  private tellBase(): MapRuns {
    const { machine } = this.replay;
    const regions = new Runs();
    machine.hardware.rmp.forEachTouchedRegion((frame) => regions.add(frame * 512, frame * 512 + 512));
    const before = { shadows: this.shadows, leaked: 0 };
    const touched = touchedPages(machine, this.lanes, before, 0, machine.trace.length, regions.merged());
    const scratch = new RunColumns();
    this.reader.refresh();
    for (const [i, runs] of touched.entries()) collectChanges(this.reader, this.shadows[i], NO_FLAGS, i, runs, scratch);
    const base = new RunColumns();
    for (const [i, lane] of this.lanes.entries())
      this.shadows[i].forEachRun(lane.shown.pages, (start, count, cell) => base.add(i, start, count, 0, cell));
    return base.slice();
  }

  private tellInstance(instance: number): void {
    const { run, machine } = this.replay;
    const pc = run.positionOf(instance);
    const instruction = this.unit.code[pc];
    const findings = findingsOf(run.findings, instance);
    this.told++;
    this.pcs.push(pc);
    if (instruction.kind !== 'step' && findings.length === 0) return;
    if (this.steps.length >= STEP_LIMIT || this.changes.length >= CHANGE_LIMIT) {
      this.told--;
      this.pcs.pop();
      this.isAtEnd = true;
      this.cut = `only the first ${this.steps.length.toLocaleString('en')} steps are drawn`;
      return;
    }
    const outcome = run.outcome(instance);
    this.steps.push({
      instance,
      pc,
      text: 'text' in instruction ? instruction.text : instruction.kind,
      outcome: outcome === undefined ? '' : formatOutcome(outcome),
      failed: outcome === undefined ? findings.length > 0 : !outcome.ok || outcome.fault !== undefined,
      rules: [...new Set(findings.map(({ rule }) => rule))],
      leaked: machine.kernel.leaked.list.length,
      events: machine.trace.length,
      violations: this.violations.length,
    });
    this.tellFindings(findings);
    this.tellChanges(run.markBefore(instance).trace);
  }

  private tellFindings(findings: readonly RunFinding[]): void {
    const { machine } = this.replay;
    const step = this.steps.length - 1;
    const places = [];
    const frames = new Runs();
    for (const finding of findings) {
      for (const run of finding.pages ?? []) frames.add(run.start, run.end);
      const place = placeOf(machine, this.lanes, finding);
      if (place === undefined) continue;
      places.push(place);
      const { pages } = this.lanes[place.lane].shown;
      for (const { start, end } of place.runs.slice(0, PLACES_PER_FINDING)) {
        if (start >= pages || this.violations.length >= VIOLATION_LIMIT) continue;
        const { rule, message } = finding;
        this.violations.push({ step, lane: place.lane, start, count: Math.min(end, pages) - start, rule, message });
      }
    }
    this.marks.setFound(places, frames.merged());
  }

  private tellChanges(fromEvent: number): void {
    const { machine } = this.replay;
    const step = this.steps.length - 1;
    const before = { shadows: this.shadows, leaked: step === 0 ? this.baseLeaked : this.steps[step - 1].leaked };
    const touched = touchedPages(machine, this.lanes, before, fromEvent, machine.trace.length);
    this.reader.refresh();
    this.changes.seal();
    for (const [lane, runs] of touched.entries()) {
      for (const { start, end } of merge(runs, this.marks.foundIn(lane), this.lanes[lane].shown.pages))
        for (let at = start; at < end; at = pieceEnd(at, end))
          this.untold.push({ lane, run: { start: at, end: pieceEnd(at, end) } });
    }
    if (this.untold.length === 0) this.changesFrom.push(this.changes.length);
    else this.untold.reverse();
  }

  /** Look at more of the pages that the last step has touched; returns the ticks it cost. */
  private tellMore(ticks: number): number {
    // Somebody may have moved the machine since.
    this.replay.goTo(this.told);
    this.reader.refresh();
    let used = 0;
    while (used < ticks) {
      const piece = this.untold.pop();
      if (piece === undefined) break;
      const { lane, run } = piece;
      used += LOOK_COST * collectChanges(this.reader, this.shadows[lane], this.marks, lane, [run], this.changes);
    }
    if (this.untold.length === 0) this.changesFrom.push(this.changes.length);
    return used;
  }

  // ---------------------------------------------------------------- the story

  /** What is told so far. */
  story(): MapStory {
    const tail = this.tail(0);
    return {
      uri: this.document.uri,
      scenario: this.unit.name,
      scenarios: [...this.document.scenarios],
      lanes: this.lanes.map(({ shown }) => shown),
      base: this.base,
      ...tail,
    };
  }

  /** What is told from a step on, for somebody who has what came before. @param moved the lines of the steps before have moved */
  update(firstStep: number, moved: boolean): MapStoryUpdate {
    const lines = moved ? { lines: Uint32Array.from({ length: firstStep }, (_, i) => this.lineOf(i)) } : {};
    return { firstStep, ...this.tail(firstStep), ...lines };
  }

  private tail(from: number): Pick<MapStory, 'steps' | 'violations' | 'changes' | 'changesFrom' | 'incomplete'> {
    const incomplete = this.incomplete();
    const first = this.changesFrom[from];
    return {
      steps: this.steps.slice(from, this.length).map((told): MapStep => {
        const { text, outcome, failed, rules, pc } = told;
        return { line: this.lineOfPc(pc), text, outcome, failed, rules };
      }),
      violations: this.violations
        .slice(this.steps[from]?.violations ?? this.violations.length, this.steps[this.length]?.violations)
        .map((violation) => ({ ...violation, message: this.resolved(violation.message) })),
      changes: this.changes.slice(first, this.changesFrom[this.length]),
      changesFrom: Uint32Array.from(this.changesFrom.slice(from), (at) => at - first),
      ...(incomplete === undefined ? {} : { incomplete }),
    };
  }

  private incomplete(): string | undefined {
    const last = this.steps[this.steps.length - 1];
    const reasons = [
      this.cut,
      this.isAtEnd && this.hasStopped && last !== undefined
        ? `the scenario stopped at line ${this.lineOfPc(last.pc) + 1}`
        : undefined,
      reachesBeyond(this.replay.machine) ? 'memory beyond 1 TiB is not drawn' : undefined,
    ].filter((reason) => reason !== undefined);
    return reasons.length === 0 ? undefined : reasons.join('; ');
  }

  private lineOfPc(pc: number): number {
    const instruction = this.unit.code[pc];
    const span = outermost(instruction);
    // A span in another file has no line in this one: the scenario's own stands for it.
    return this.lineIndex.position(this.unit.start + (span.file === undefined ? span.start : 0)).line;
  }

  /** A message with line numbers in place of mentions. */
  resolved(message: string): string {
    const line = (offset: number): string => `line ${this.lineIndex.position(offset).line + 1}`;
    const steps = resolveSteps(message, (instance) => {
      const pc = this.pcs[instance];
      return pc === undefined ? 'an earlier step' : `line ${this.lineOfPc(pc) + 1}`;
    });
    return resolveLines(steps, (offset) => line(offset + this.unit.start));
  }

  // ---------------------------------------------------------------- edits

  /**
   * The document was edited; `unit` stands in the scenario's place now, in the same environment. Returns the number of steps that stay as they
   * were told, and whether their lines have moved; the rest is to be told anew.
   */
  adopt(unit: ScenarioUnit, document: StoryDocument): { kept: number; moved: boolean } {
    const old = this.unit;
    // Half of a step is no step.
    if (this.untold.length > 0) this.rewind(this.told - 1);
    const lines = this.steps.map(({ pc }) => this.lineOfPc(pc));
    this.document = document;
    this.lineIndex = new LineIndex(document.text);
    this.unit = unit;
    this.replay.adopt(unit);
    if (old !== unit) {
      const keptInstances = firstDifferent(this.pcs, old, unit);
      if (keptInstances < this.pcs.length || unit.code.length !== old.code.length)
        this.isAtEnd = this.hasStopped = false;
      this.rewind(keptInstances);
    }
    return {
      kept: this.steps.length,
      moved: this.steps.some(({ pc }, i) => this.lineOfPc(pc) !== lines[i]),
    };
  }

  /** Take back what was told of instances from `instance` on. */
  private rewind(instance: number): void {
    if (instance >= this.told) return;
    const kept = this.stateOfInstance(instance);
    this.untold.length = 0;
    this.changes.truncate(this.changesFrom[kept], (lane, start, count, before) =>
      this.shadows[lane].setRun(start, count, before),
    );
    const firstDropped = this.steps[kept];
    if (firstDropped !== undefined) this.violations.length = firstDropped.violations;
    this.changesFrom.length = kept + 1;
    this.steps.length = kept;
    this.pcs.length = instance;
    this.told = instance;
    this.isAtEnd = false;
    this.hasStopped = false;
    this.cut = undefined;
  }
}

function findingsOf(findings: readonly RunFinding[], instance: number): readonly RunFinding[] {
  let from = findings.length;
  while (from > 0 && findings[from - 1].instance === instance) from--;
  return findings.slice(from);
}

/** Instances from the beginning that mean the same in both units. */
function firstDifferent(pcs: readonly number[], old: ScenarioUnit, unit: ScenarioUnit): number {
  const limit = Math.min(old.code.length, unit.code.length);
  let same = 0;
  while (same < limit && sameInstruction(old.code[same], old, unit.code[same], unit)) same++;
  const first = pcs.findIndex((pc) => pc >= same);
  return first < 0 ? pcs.length : first;
}

/** Two lists of runs as one, in order, cut to `pages`. */
function merge(a: readonly Run[], b: readonly Run[], pages: number): readonly Run[] {
  if (b.length === 0) return a;
  const runs = new Runs();
  for (const run of a) runs.add(run.start, run.end);
  for (const run of b) if (run.start < pages) runs.add(run.start, Math.min(run.end, pages));
  return runs.merged();
}
