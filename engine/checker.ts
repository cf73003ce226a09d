/**
 * The engine's front door: {@link createChecker}. Text in, verdicts out.
 *
 * What is kept between checks of a document, each under a key that says exactly when it may be used again:
 *  - the analysis (the scenario language's own incremental parse),
 *  - compiled C, by kernel, overrides and stubs,
 *  - the result of every scenario whose text and surroundings have not changed,
 *  - the run of the scenario edited last, which resumes at the first instruction that differs.
 */
import type { Diagnostic } from './base/diagnostic.ts';
import type { Check, Checker, CheckerOptions, CheckResult, FileHost, ScenarioVerdict } from './check.ts';
import { ruleInfo } from './invariants/catalogue.ts';
import { type Environment, EnvironmentCache, type EnvironmentProblem } from './run/environment.ts';
import { Replay } from './run/replay.ts';
import { fromProblem, mergeInC, notRun, Placer, type UnitResult, unitResult } from './run/report.ts';
import { ScenarioRun } from './run/run.ts';
import { sameInstruction } from './run/same-instruction.ts';
import { type Analysis, analyze } from './scenario/analyze.ts';
import { isLibraryPath } from './scenario/library.ts';
import type { ScenarioProgram, ScenarioUnit } from './scenario/program.ts';
import type { DocumentView } from './view.ts';

export function createChecker(host: FileHost): Checker {
  return new DocumentChecker(host);
}

interface DocumentState {
  analysis: Analysis | undefined;
  /** A file that it imports may have changed since. */
  isStale: boolean;
  environment: Environment | undefined;
  results: WeakMap<ScenarioUnit, UnitResult>;
  /** The run of the scenario that was edited last, and the unit it stands for by position. */
  live: { run: ScenarioRun; index: number } | undefined;
  /** Runs for looking at, the one used last at the end. */
  replays: { replay: Replay; index: number }[];
}

/** Runs for looking at that are kept for a document. Each holds a machine. */
const REPLAYS = 2;

class DocumentChecker implements Checker {
  private readonly host: FileHost;
  private readonly documents = new Map<string, DocumentState>();
  private readonly environments = new EnvironmentCache();

  constructor(host: FileHost) {
    this.host = host;
  }

  start(path: string, text: string, options: CheckerOptions = {}): Check {
    return new RunningCheck(this.host, this.environments, this.state(path), path, text, options);
  }

  view(path: string, text: string, options: CheckerOptions = {}): DocumentView {
    const state = this.state(path);
    if (state.analysis?.text !== text || state.isStale) {
      state.analysis = analyze(path, text, this.host, state.analysis);
      state.isStale = false;
    }
    const { analysis } = state;
    const environment = () => {
      const { environment, problems } = this.environments.get(path, analysis.program, this.host, options);
      enter(state, environment);
      return problems.length === 0 ? environment : undefined;
    };
    return {
      analysis,
      environment,
      result: (unit) => state.results.get(unit),
      replay: (unit) => {
        const at = environment();
        return at === undefined ? undefined : replayOf(state, at, unit, analysis.program.scenarios.indexOf(unit));
      },
    };
  }

  forget(path: string): void {
    const state = this.documents.get(path);
    if (state === undefined) return;
    leave(state);
    this.documents.delete(path);
  }

  private state(path: string): DocumentState {
    let state = this.documents.get(path);
    if (state === undefined) {
      state = {
        analysis: undefined,
        isStale: false,
        environment: undefined,
        results: new WeakMap(),
        live: undefined,
        replays: [],
      };
      this.documents.set(path, state);
    }
    return state;
  }

  fileChanged(_path: string): void {
    // Environments are keyed by the texts they were made from: a changed file gives another key. What a document imports is part of its analysis.
    for (const state of this.documents.values()) state.isStale = true;
  }
}

/** Results and runs belong to the environment that they were made in. */
function enter(state: DocumentState, environment: Environment): void {
  if (state.environment === environment) return;
  leave(state);
  state.environment = environment;
  state.results = new WeakMap();
}

function leave(state: DocumentState): void {
  const runs = state.replays.map(({ replay }) => replay.run);
  if (state.live !== undefined) runs.push(state.live.run);
  for (const run of runs) {
    run.release();
    state.environment?.giveBack(run.machine);
  }
  state.live = undefined;
  state.replays = [];
}

function replayOf(state: DocumentState, environment: Environment, unit: ScenarioUnit, index: number): Replay {
  const { replays } = state;
  let at = replays.findIndex((one) => one.replay.unit === unit);
  if (at < 0) at = replays.findIndex((one) => one.index === index);
  const kept = at < 0 ? undefined : replays.splice(at, 1)[0];
  kept?.replay.adopt(unit);
  const replay = kept?.replay ?? new Replay(environment.takeMachine(), unit);
  replays.push({ replay, index });
  if (replays.length > REPLAYS) {
    const oldest = replays.shift() as { replay: Replay };
    oldest.replay.run.release();
    environment.giveBack(oldest.replay.machine);
  }
  return replay;
}

class RunningCheck implements Check {
  private readonly host: FileHost;
  private readonly environments: EnvironmentCache;
  private readonly state: DocumentState;
  private readonly path: string;
  private readonly text: string;
  private readonly options: CheckerOptions;
  private analysis: Analysis | undefined;
  private environment: Environment | undefined;
  private environmentProblems: EnvironmentProblem[] = [];
  private next = 0;
  private run: ScenarioRun | undefined;
  private answer: CheckResult | undefined;

  constructor(
    host: FileHost,
    environments: EnvironmentCache,
    state: DocumentState,
    path: string,
    text: string,
    options: CheckerOptions,
  ) {
    this.host = host;
    this.environments = environments;
    this.state = state;
    this.path = path;
    this.text = text;
    this.options = options;
  }

  advance(units: number): boolean {
    if (this.answer !== undefined) return true;
    let left = units;
    if (this.analysis === undefined) {
      this.prepare();
      left -= Math.min(left, this.text.length / 20);
    }
    const { scenarios } = (this.analysis as Analysis).program;
    // In an environment that is wrong, verdicts would be about something else.
    while (this.next < scenarios.length && this.environmentProblems.length === 0) {
      if (left <= 0) return false;
      left -= this.runUnit(scenarios[this.next], left);
    }
    this.answer = this.conclude();
    return true;
  }

  result(): CheckResult {
    if (this.answer === undefined) throw new Error('the check has not finished');
    return this.answer;
  }

  private prepare(): void {
    const { state } = this;
    this.analysis = analyze(this.path, this.text, this.host, state.analysis);
    state.analysis = this.analysis;
    state.isStale = false;
    const { environment, problems } = this.environments.get(this.path, this.analysis.program, this.host, this.options);
    this.environment = environment;
    this.environmentProblems = problems;
    enter(state, environment);
  }

  /** Work on one unit; returns the units of work used. Moves on to the next unit when this one is finished. */
  private runUnit(unit: ScenarioUnit, left: number): number {
    const { state } = this;
    const environment = this.environment as Environment;
    if (state.results.has(unit)) {
      this.next++;
      return 1;
    }
    if (this.run === undefined) {
      const live = state.live;
      if (live !== undefined && live.index === this.next && live.run.unit === unit) {
        // An earlier check of the same text was dropped half-way: go on where it stopped.
        this.run = live.run;
      } else if (live !== undefined && live.index === this.next) {
        // The scenario at this place was edited: go on from the first difference.
        const old = live.run.unit;
        live.run.adopt(unit, (i) => sameInstruction(old.code[i], old, unit.code[i], unit));
        this.run = live.run;
      } else {
        if (live !== undefined) {
          live.run.release();
          environment.giveBack(live.run.machine);
        }
        this.run = new ScenarioRun(environment.takeMachine(), unit);
        state.live = { run: this.run, index: this.next };
      }
    }
    const used = this.run.advance(left);
    if (this.run.state !== 'running') {
      state.results.set(unit, unitResult(this.run));
      this.run = undefined;
      this.next++;
    }
    return Math.max(used, 1);
  }

  private conclude(): CheckResult {
    const { program } = this.analysis as Analysis;
    const environment = this.environment as Environment;
    const placer = new Placer(this.path, this.text, program);
    const diagnostics: Diagnostic[] = program.problems.map((problem) => placer.place(fromProblem(problem), 0));
    for (const { rule, message, span } of this.environmentProblems) {
      const problem = {
        rule,
        message,
        severity: ruleInfo(rule)?.severity ?? 'error',
        span: span ?? { start: 0, end: 0 },
      };
      diagnostics.push(placer.place(fromProblem(problem), 0));
    }
    diagnostics.push(...environment.cProblems);
    const broken =
      [...diagnostics].some((d) => d.severity === 'error' && d.location.path !== this.path) ||
      this.environmentProblems.length > 0;
    const inC: Diagnostic[] = [];
    const scenarios: ScenarioVerdict[] = [];
    for (const unit of program.scenarios) {
      const result = this.state.results.get(unit) ?? notRun(unit);
      for (const d of result.diagnostics) {
        diagnostics.push(placer.place(d, unit.start));
        inC.push(...placer.placeInC(d, unit.start, unit));
      }
      scenarios.push({
        name: unit.name,
        doc: unit.doc,
        status: broken ? 'error' : result.status,
        steps: result.steps,
        range: placer.range(unit.start, unit.end),
      });
    }
    diagnostics.push(...mergeInC(inC));
    return {
      path: this.path,
      diagnostics,
      scenarios,
      dependencies: [...new Set([...environment.files, ...onDisk(program)])],
    };
  }
}

/** Imported files that can change: bundled libraries cannot. */
const onDisk = (program: ScenarioProgram): string[] =>
  program.imports.map((file) => file.path).filter((path) => !isLibraryPath(path));
