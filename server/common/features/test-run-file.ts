// The run of one file's scenarios: a check of its own, in the background, whose scenarios are reported one by one as the engine finishes them.

import type { CancellationToken } from 'vscode-languageserver';
import type { Check, Checker, CheckResult } from '../../../engine/check.ts';
import { Placer } from '../../../engine/run/report.ts';
import { scenarioIds } from '../../../engine/scenario/outline.ts';
import type { ScenarioProblem, ScenarioStatus, TestEvent } from '../protocol.ts';
import { canonicalUri } from '../uri.ts';
import type { FeatureContext } from './feature.ts';
import { groupProblems, toProblem } from './scenario-problems.ts';

/** Characters. What is longer is not checked in the editor either. */
const longest = 32 * 1024 * 1024;
/** How often a check may find that one more file has to be fetched first: imports that import. */
const mostFetches = 100;

/** What a run has found in one scenario. */
interface Found {
  status: ScenarioStatus;
  steps: number;
  problems: ScenarioProblem[];
  milliseconds: number;
}

export class TestFile {
  /** The engine threw: its checker must not be used again. */
  hasCrashed = false;
  readonly #context: FeatureContext;
  readonly #checker: Checker;
  /** As the client spelled it. */
  readonly #uri: string;
  /** Canonical. */
  readonly #path: string;
  readonly #wanted: ReadonlySet<string> | undefined;
  readonly #tell: (event: TestEvent) => void;
  /** What has been reported, in the order of the text. */
  #told: Found[] = [];
  #placer: Placer | undefined;

  constructor(
    context: FeatureContext,
    checker: Checker,
    uri: string,
    wanted: ReadonlySet<string> | undefined,
    tell: (event: TestEvent) => void,
  ) {
    this.#context = context;
    this.#checker = checker;
    this.#uri = uri;
    this.#path = canonicalUri(uri);
    this.#wanted = wanted;
    this.#tell = tell;
  }

  /** Resolves when the file is done, or the run cancelled. Never rejects. */
  async run(token: CancellationToken): Promise<void> {
    const uses = new Set<string>();
    const end = (missing: string[], error?: string) => {
      uses.delete(this.#path);
      const spelled = [...uses].map((file) => this.#context.documents.spelling(file));
      const event = { kind: 'file-ended', uri: this.#uri, uses: spelled, missing } as const;
      this.#tell(error === undefined ? event : { ...event, error });
    };
    this.#tell({ kind: 'file-started', uri: this.#uri });
    const read = await this.#context.files.load(this.#path);
    if (token.isCancellationRequested) return;
    if ('error' in read) return end([...(this.#wanted ?? [])], `The file cannot be read: ${read.error}.`);
    const { text } = read;
    if (text.length > longest) return end([], 'The file is too long to be checked.');
    try {
      const result = await this.#check(text, uses, token);
      if (result === undefined) return;
      const ids = this.#report(result);
      for (const file of result.dependencies) uses.add(canonicalUri(file));
      end([...(this.#wanted ?? [])].filter((id) => !ids.includes(id)));
    } catch (error) {
      this.hasCrashed = true;
      const what = error instanceof Error ? error.message : String(error);
      this.#context.connection.console.error(
        `Running ${this.#uri} failed: ${error instanceof Error ? error.stack : what}`,
      );
      end([], `The checker failed on this file: ${what}. This is a bug of SNP Scenario; its log has the details.`);
    } finally {
      if (!this.hasCrashed) this.#checker.forget(this.#path);
    }
  }

  /** The result; undefined if the run was cancelled. Rejects with what the engine throws. */
  async #check(text: string, uses: Set<string>, token: CancellationToken): Promise<CheckResult | undefined> {
    const { files } = this.#context;
    for (let fetches = 0; ; fetches++) {
      const reads = new Set<string>();
      const result = await this.#checkOnce(text, reads, token);
      for (const file of reads) uses.add(file);
      if (result === undefined) return undefined;
      const isComplete = ![...reads].some((file) => files.isPending(file));
      if (isComplete || fetches === mostFetches) return result;
      await files.arrived(reads);
      for (const file of reads) this.#checker.fileChanged(file);
    }
  }

  #checkOnce(text: string, reads: Set<string>, token: CancellationToken): Promise<CheckResult | undefined> {
    const { checks, files } = this.#context;
    const key = `run ${this.#path}`;
    return new Promise((resolve, reject) => {
      const cancelling = token.onCancellationRequested(() => {
        checks.dropBackground(key);
        settle(() => resolve(undefined));
      });
      const settle = (then: () => void) => {
        cancelling.dispose();
        then();
      };
      if (token.isCancellationRequested) return settle(() => resolve(undefined));
      checks.addBackground(key, {
        start: () => this.#checker.start(this.#path, text),
        within: (work) => files.recording(reads, work),
        advanced: (milliseconds) => {
          if (![...reads].some((file) => files.isPending(file))) this.#reportFinished(text, milliseconds);
        },
        finished: (check: Check) => settle(() => resolve(check.result())),
        failed: (error) => settle(() => reject(error)),
      });
    });
  }

  /** Tells of the scenarios that the engine has finished since it was asked last. @param milliseconds that it worked since */
  #reportFinished(text: string, milliseconds: number): void {
    const view = this.#checker.view(this.#path, text);
    const units = view.analysis.program.scenarios;
    const fresh: Found[] = [];
    for (let i = this.#told.length; i < units.length; i++) {
      const result = view.result(units[i]);
      if (result === undefined) break;
      this.#placer ??= new Placer(this.#path, text, view.analysis.program);
      const placer = this.#placer;
      const problems = result.diagnostics
        .slice(0, 50)
        .map((diagnostic) => toProblem(placer.place(diagnostic, units[i].start), this.#spelling));
      fresh.push({ status: result.status, steps: result.steps, problems, milliseconds: 0 });
    }
    // What one call of the engine did is shared out by steps: it has no clock.
    const steps = fresh.reduce((sum, one) => sum + one.steps + 1, 0);
    const ids = fresh.length > 0 ? scenarioIds(units.map(({ name }) => name)) : [];
    for (const found of fresh) {
      found.milliseconds = this.#spent + (milliseconds * (found.steps + 1)) / steps;
      this.#spent = 0;
      this.#tellOf(ids[this.#told.length], found);
      this.#told.push(found);
    }
    if (fresh.length === 0) this.#spent += milliseconds;
  }

  /** ms of work on a scenario that has not finished. */
  #spent = 0;

  /** Tells what has not been told, or was told otherwise. Returns the ids of all scenarios. */
  #report(result: CheckResult): string[] {
    const ids = scenarioIds(result.scenarios.map(({ name }) => name));
    const { scenarios: problems } = groupProblems(result, this.#spelling);
    result.scenarios.forEach(({ status, steps }, i) => {
      const told = this.#told[i];
      if (told?.status === status) return;
      this.#tellOf(ids[i], { status, steps, problems: problems[i], milliseconds: told?.milliseconds ?? 0 });
    });
    return ids;
  }

  #tellOf(id: string, found: Found): void {
    if (this.#wanted !== undefined && !this.#wanted.has(id)) return;
    this.#tell({ kind: 'scenario', uri: this.#uri, id, ...found });
  }

  readonly #spelling = (uri: string): string => this.#context.documents.spelling(uri);
}
