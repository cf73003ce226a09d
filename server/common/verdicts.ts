// When what is checked. Every open scenario has a verdict on the text it has now: a change of the document, of a file it uses (in the
// editor or on disk) or of nothing but its place in the queue leads there. An edit drops the check of the text before it; the first
// check starts at once, and only when edits come faster than checks finish do they wait for a pause.

import type { Diagnostic as EngineDiagnostic } from '../../engine/base/diagnostic.ts';
import type { Check, Checker, CheckResult } from '../../engine/check.ts';
import type { DocumentView } from '../../engine/view.ts';
import type { CheckQueue } from './check-queue.ts';
import type { DocumentEvents, Documents } from './documents.ts';
import type { FileStore } from './file-store.ts';
import type { Engine, Platform } from './platform.ts';
import type { Publisher } from './publisher.ts';
import { canonicalUri, isInFolder } from './uri.ts';

/** The pause that edits which overtake checks have to make, ms. */
const pause = 10;

/** UTF-16 code units. A longer document is not checked. */
const longestDocument = 32 * 1024 * 1024;

interface Scenario {
  readonly uri: string;
  /** Of the last finished check. */
  result: CheckResult | undefined;
  /** Canonical URIs of the files it uses, found or not. */
  uses: Set<string>;
  isChecking: boolean;
  /** Version of the document that the last verdict was on. */
  judged: number | undefined;
  cancelPause: (() => void) | undefined;
  /** Called when there is a verdict on the current text, or the document is closed. */
  waiting: (() => void)[];
}

/** A verdict on an open document, as whoever wants to hear of every one gets it. */
export interface Verdict {
  /** Canonical. */
  readonly uri: string;
  readonly version: number;
  readonly text: string;
  readonly result: CheckResult;
  /** That the engine worked on it. */
  readonly milliseconds: number;
  /** The document is as it was at the verdict before: what changed is a file that it uses. */
  readonly isAgain: boolean;
}

export interface VerdictEvents {
  /** The set of files in use may have changed. */
  usesChanged(): void;
  failed(uri: string, error: unknown): void;
}

export class Verdicts implements DocumentEvents {
  readonly #documents: Documents;
  readonly #files: FileStore;
  readonly #publisher: Publisher;
  readonly #engine: Engine;
  readonly #platform: Platform;
  readonly #events: VerdictEvents;
  readonly #queue: CheckQueue;
  readonly #scenarios = new Map<string, Scenario>();
  /** Every file that a check has asked for: the checker may remember what it said. */
  readonly #everUsed = new Set<string>();
  readonly #listeners: ((verdict: Verdict) => void)[] = [];
  readonly #settledListeners: ((uri: string) => void)[] = [];
  #checker: Checker;

  constructor(
    documents: Documents,
    files: FileStore,
    publisher: Publisher,
    engine: Engine,
    platform: Platform,
    queue: CheckQueue,
    events: VerdictEvents,
  ) {
    this.#documents = documents;
    this.#files = files;
    this.#publisher = publisher;
    this.#engine = engine;
    this.#platform = platform;
    this.#events = events;
    this.#queue = queue;
    this.#checker = engine.createChecker(files);
  }

  opened(uri: string): void {
    if (!this.#files.isAsOnDisk(uri)) this.#fileChanged(uri);
    if (this.#documents.isScenario(uri)) this.#recheck(this.#scenario(uri));
    else this.#close(uri);
  }

  changed(uri: string): void {
    this.#fileChanged(uri);
    const scenario = this.#scenarios.get(uri);
    if (scenario) this.#recheck(scenario);
  }

  closed(uri: string): void {
    this.#close(uri);
    this.#fileChanged(uri);
  }

  /** A file or folder was created, changed or deleted on disk. */
  changedOnDisk(uri: string): void {
    for (const file of this.#everUsed) {
      if (file !== uri && !isInFolder(file, uri)) continue;
      if (this.#documents.get(file)) continue; // the editor's text is what counts
      this.#files.invalidate(file);
      this.#fileChanged(file);
    }
  }

  /** Calls back with every verdict from now on. */
  onVerdict(listener: (verdict: Verdict) => void): void {
    this.#listeners.push(listener);
  }

  /** A file that was pending when a check asked for it is there, or is known not to be. */
  fileArrived(uri: string): void {
    this.#fileChanged(uri);
  }

  /** The files that open scenarios use. */
  uses(): Set<string> {
    return new Set([...this.#scenarios.values()].flatMap(({ uses }) => [...uses]));
  }

  /** Resolves when the text of the document as it is now, or becomes meanwhile, has its verdict. */
  settled(uri: string): Promise<void> {
    const scenario = this.#scenarios.get(uri);
    if (!scenario?.isChecking) return Promise.resolve();
    return new Promise((resolve) => scenario.waiting.push(resolve));
  }

  /** The same for every scenario that uses a file, as far as is known. */
  async settledAbout(uri: string): Promise<void> {
    const users = [...this.#scenarios.values()].filter((scenario) => scenario.uri === uri || scenario.uses.has(uri));
    await Promise.all(users.map((scenario) => this.settled(scenario.uri)));
  }

  /** What can be asked about the scenario at a canonical URI, with the text it has now. */
  view(uri: string, text: string): DocumentView {
    const scenario = this.#scenarios.get(uri);
    for (const file of scenario?.uses ?? []) if (this.#files.hasChangedOnDisk(file)) this.#checker.fileChanged(file);
    return this.#checker.view(uri, text);
  }

  /** Calls back when a scenario's check is over, whatever came of it, and when it is closed: with its canonical URI. */
  onSettled(listener: (uri: string) => void): void {
    this.#settledListeners.push(listener);
  }

  /** The result of the last finished check, of an earlier text perhaps. */
  lastResult(uri: string): CheckResult | undefined {
    return this.#scenarios.get(uri)?.result;
  }

  #scenario(uri: string): Scenario {
    let scenario = this.#scenarios.get(uri);
    if (!scenario) {
      scenario = {
        uri,
        result: undefined,
        uses: new Set(),
        isChecking: false,
        judged: undefined,
        cancelPause: undefined,
        waiting: [],
      };
      this.#scenarios.set(uri, scenario);
    }
    return scenario;
  }

  #close(uri: string): void {
    const scenario = this.#scenarios.get(uri);
    if (!scenario) return;
    this.#scenarios.delete(uri);
    this.#drop(scenario);
    this.#checker.forget(uri);
    this.#publisher.remove(uri);
    this.#settle(scenario);
    this.#events.usesChanged();
  }

  /** Tells the checker, and checks the scenarios that use the file. */
  #fileChanged(uri: string): void {
    if (!this.#everUsed.has(uri)) return;
    this.#checker.fileChanged(uri);
    for (const scenario of this.#scenarios.values()) {
      if (scenario.uri !== uri && scenario.uses.has(uri)) this.#recheck(scenario);
    }
  }

  #recheck(scenario: Scenario): void {
    const hasOvertaken = this.#drop(scenario);
    scenario.isChecking = true;
    const start = () => {
      scenario.cancelPause = undefined;
      this.#start(scenario);
    };
    if (hasOvertaken) scenario.cancelPause = this.#platform.after(pause, start);
    else start();
  }

  /** Ends what goes on for the scenario; true if there was anything. */
  #drop(scenario: Scenario): boolean {
    const wasChecking = scenario.isChecking;
    scenario.cancelPause?.();
    scenario.cancelPause = undefined;
    this.#queue.drop(scenario.uri);
    scenario.isChecking = false;
    return wasChecking;
  }

  #start(scenario: Scenario): void {
    const document = this.#documents.get(scenario.uri);
    if (!document) return;
    const { uri } = scenario;
    const { version } = document;
    const text = document.getText();
    const reads = new Set<string>();
    const note = () => {
      for (const file of reads) {
        this.#everUsed.add(file);
        scenario.uses.add(file); // so that a change of it during the check is not missed
      }
    };
    if (text.length > longestDocument) {
      const result = withoutRun(uri, tooLong(uri, text.length));
      this.#finish(scenario, new Set(), { uri, version, text, result, milliseconds: 0 });
      return;
    }
    this.#queue.add(uri, {
      start: () => {
        for (const file of scenario.uses) if (this.#files.hasChangedOnDisk(file)) this.#checker.fileChanged(file);
        return this.#checker.start(uri, text);
      },
      within: (work) => {
        const result = this.#files.recording(reads, work);
        if (reads.size) note();
        return result;
      },
      finished: (check: Check, milliseconds: number) => {
        const result = check.result();
        for (const file of result.dependencies) reads.add(canonicalUri(file));
        note();
        // A verdict that a file is missing would be taken back at once: fileArrived checks again.
        if ([...reads].some((file) => this.#files.isPending(file))) return;
        scenario.result = result;
        this.#finish(scenario, reads, { uri, version, text, result, milliseconds });
      },
      failed: (error) => {
        // Whatever the checker remembers may be half done.
        this.#checker = this.#engine.createChecker(this.#files);
        this.#events.failed(uri, error);
        const result = withoutRun(uri, internalError(uri, error));
        const uses = new Set([...scenario.uses, ...reads]);
        this.#finish(scenario, uses, { uri, version, text, result, milliseconds: 0 });
      },
    });
  }

  #finish(scenario: Scenario, uses: Set<string>, verdict: Omit<Verdict, 'isAgain'>): void {
    scenario.isChecking = false;
    uses.delete(scenario.uri);
    scenario.uses = uses;
    this.#publisher.set(scenario.uri, verdict.version, verdict.result.diagnostics);
    this.#settle(scenario);
    this.#events.usesChanged();
    const isAgain = scenario.judged === verdict.version;
    scenario.judged = verdict.version;
    for (const listener of this.#listeners) listener({ ...verdict, isAgain });
  }

  #settle(scenario: Scenario): void {
    for (const resolve of scenario.waiting.splice(0)) resolve();
    for (const listener of this.#settledListeners) listener(scenario.uri);
  }
}

const beginning = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } };

/** The verdict on a document that the engine did not get through. */
const withoutRun = (path: string, diagnostic: EngineDiagnostic): CheckResult => ({
  path,
  diagnostics: [diagnostic],
  scenarios: [],
  dependencies: [],
});

function internalError(path: string, error: unknown): EngineDiagnostic {
  const what = error instanceof Error ? error.message : String(error);
  return {
    rule: 'INTERNAL',
    spec: '',
    severity: 'error',
    message: `The checker failed on this file: ${what}. This is a bug of SNP Scenario; its log has the details. Editing goes on.`,
    location: { path, range: beginning },
    related: [],
  };
}

function tooLong(path: string, length: number): EngineDiagnostic {
  return {
    rule: 'TOO-LONG',
    spec: '',
    severity: 'warning',
    message: `This document has ${length} characters; it is checked up to ${longestDocument}. Split it: every file is a test of its own.`,
    location: { path, range: beginning },
    related: [],
  };
}
