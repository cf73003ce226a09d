/**
 * Everything a scenario runs in: the kernel's C (model, patches, sources, stubs), the host, the guests. Two documents that say the same share one
 * environment, and one compiled program.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import { Journal } from '../base/journal.ts';
import { createCProgram } from '../c/c-program.ts';
import type { CFunction, CProgram, CSource } from '../c/program.ts';
import type { CheckerOptions, FileHost } from '../check.ts';
import { Hardware } from '../hardware/machine.ts';
import { defaultHardwareOptions, type HardwareOptions, setHardwareOption } from '../hardware/options.ts';
import { KernelState, kernelOptionTable } from '../kernel/kernel-state.ts';
import { kernelNatives } from '../kernel/natives.ts';
import { type KernelModel, kernelModels } from '../models/model.ts';
import type { ScenarioProgram, Span } from '../scenario/program.ts';
import { Trace } from '../trace/trace.ts';
import { Machine } from './machine.ts';

export interface EnvironmentProblem {
  rule: string;
  message: string;
  /** In the scenario file, absolute. */
  span: Span | undefined;
}

/** Typedefs whose loop variables count pages (see NoteKind.Progress). */
const PROGRESS_TYPES = ['gfn_t', 'kvm_pfn_t'];

export class Environment {
  /** Why the guests cannot be set up; then nothing can run. */
  readonly failure: string | undefined;
  /** Paths of patches and sources. */
  readonly files: readonly string[];
  /** The kernel's C, compiled as far as it has been called. */
  readonly program: CProgram;
  private readonly model: KernelModel;
  private readonly scenarioProgram: ScenarioProgram;
  private readonly loopBudget: number | undefined;
  private readonly idle: Machine[] = [];

  constructor(
    scenarioProgram: ScenarioProgram,
    model: KernelModel,
    program: CProgram,
    files: readonly string[],
    loopBudget: number | undefined,
  ) {
    this.scenarioProgram = scenarioProgram;
    this.model = model;
    this.program = program;
    this.files = files;
    this.loopBudget = loopBudget;
    const machine = this.newMachine();
    const trouble = machine.boot();
    if (trouble === undefined) this.idle.push(machine);
    else this.failure = `The guests cannot be set up: ${typeof trouble === 'string' ? trouble : trouble.message}`;
  }

  /** A machine with the guests set up and nothing else done. Give it back when its run is released. */
  takeMachine(): Machine {
    const idle = this.idle.pop();
    if (idle !== undefined) return idle;
    const machine = this.newMachine();
    machine.boot();
    return machine;
  }

  giveBack(machine: Machine): void {
    if (this.idle.length < 2) this.idle.push(machine);
  }

  /** Problems of the C files as such. */
  get cProblems(): readonly Diagnostic[] {
    return this.program.problems;
  }

  /** Every C function by name, whether it compiles or not. */
  functionNames(): Iterable<string> {
    return this.program.names();
  }

  /** A C function; undefined if nothing defines it. */
  functionNamed(name: string): CFunction | undefined {
    return this.program.find(name);
  }

  private newMachine(): Machine {
    return new Machine({
      host: this.scenarioProgram.host,
      guests: this.scenarioProgram.guests,
      options: hardwareOptions(this.scenarioProgram),
      kernelOptions: kernelOptions(this.scenarioProgram),
      program: this.program,
      model: this.model,
      loopBudget: this.loopBudget,
      invariants: this.scenarioProgram.invariants,
    });
  }
}

/** The options of the host; the analysis has checked names and values. */
function hardwareOptions(program: ScenarioProgram): HardwareOptions {
  const options = defaultHardwareOptions();
  for (const option of program.host.options) setHardwareOption(options, option.name, option.value);
  return options;
}

function kernelOptions(program: ScenarioProgram): Map<string, number> {
  const options = new Map<string, number>();
  for (const { name, value } of program.host.options) {
    if (kernelOptionTable.some((row) => row.name === name)) options.set(name, Number(value));
  }
  return options;
}

/** Programs and environments that were used lately. */
const KEPT = 4;

export class EnvironmentCache {
  private readonly environments = new Map<string, Environment>();
  private readonly programs = new Map<string, CProgram>();

  /** The environment of a program, and what is wrong with it; without an environment nothing can run. */
  get(
    path: string,
    program: ScenarioProgram,
    host: FileHost,
    options: CheckerOptions,
  ): { environment: Environment; problems: EnvironmentProblem[] } {
    const problems: EnvironmentProblem[] = [];
    const name = options.kernel ?? program.kernel.name;
    let model = kernelModels.find((candidate) => candidate.name === name);
    if (model === undefined) {
      const known = kernelModels.map((candidate) => `"${candidate.name}"`).join(', ');
      problems.push({
        rule: 'NAME',
        message: `There is no bundled kernel model "${name}". Bundled: ${known}.`,
        span: program.kernel.span,
      });
      model = kernelModels[0];
    }
    const { overrides, files } = readSources(path, program, host, options, problems);
    const stubs = program.stubs.map((stub) => ({ name: stub.name, value: stub.value }));
    const chosen = model;
    const codeKey = JSON.stringify([model.name, overrides, stubs]);
    const key = JSON.stringify([codeKey, program.environmentKey, options.loopBudget]);
    const environment = recall(this.environments, key, () => {
      const code = recall(this.programs, codeKey, () => compile(chosen, overrides, stubs));
      return new Environment(program, chosen, code, files, options.loopBudget);
    });
    if (environment.failure !== undefined)
      problems.push({ rule: 'TRAP', message: environment.failure, span: program.guests[0]?.span });
    return { environment, problems };
  }
}

type Override = { kind: 'source' | 'patch'; source: CSource };

function readSources(
  path: string,
  program: ScenarioProgram,
  host: FileHost,
  options: CheckerOptions,
  problems: EnvironmentProblem[],
): { overrides: Override[]; files: string[] } {
  const overrides: Override[] = [];
  const files: string[] = [];
  const wanted = [
    ...program.uses.map((use) => ({
      kind: use.kind,
      path: host.resolve(path, use.path),
      named: use.path,
      span: use.span as Span | undefined,
    })),
    ...(options.overrides ?? []).map((use) => ({ ...use, named: use.path, span: undefined })),
  ];
  for (const use of wanted) {
    files.push(use.path);
    const read = host.read(use.path);
    if ('error' in read)
      problems.push({ rule: 'FILE', message: `${use.named} cannot be read: ${read.error}`, span: use.span });
    else overrides.push({ kind: use.kind, source: { path: use.path, text: read.text } });
  }
  return { overrides, files };
}

function compile(model: KernelModel, overrides: Override[], stubs: { name: string; value: number }[]): CProgram {
  // The program needs the natives' prototypes only; every machine brings its own, acting on its own state.
  const journal = new Journal();
  const trace = new Trace();
  const hardware = new Hardware({ memoryBytes: 1 << 21, cpus: 1, options: defaultHardwareOptions() }, journal, trace);
  const natives = kernelNatives(new KernelState({ memoryBytes: 1 << 21, cpus: 1 }, hardware, journal, trace));
  return createCProgram({
    model: model.sources,
    headers: model.headers,
    overrides,
    stubs,
    natives,
    progressTypes: PROGRESS_TYPES,
  });
}

function recall<T>(cache: Map<string, T>, key: string, make: () => T): T {
  let value = cache.get(key);
  if (value === undefined) value = make();
  // Last used last, so that the oldest goes first.
  cache.delete(key);
  cache.set(key, value);
  for (const old of cache.keys()) {
    if (cache.size <= KEPT) break;
    cache.delete(old);
  }
  return value;
}
