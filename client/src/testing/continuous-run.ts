// Continuous runs: once turned on, what they cover is run, and run again whenever its text, or the text of a file that it uses, changes. Open documents
// need no run, saved or not: the server tells their verdicts as they are typed.

import {
  type CancellationToken,
  type Disposable,
  type TestController,
  type TestItem,
  TestRunRequest,
  type Uri,
} from 'vscode';
import type { VerdictParams } from '../../../server/common/protocol.ts';
import { show } from './test-results.ts';
import type { TestRunner } from './test-runner.ts';
import type { TestTree } from './test-tree.ts';

/** Verdicts of a document are shown when it has been left alone for this long, ms: a result for each key is nothing to look at. */
const quiet = 400;

interface Active {
  readonly request: TestRunRequest;
  readonly token: CancellationToken;
}

export class ContinuousRuns implements Disposable {
  readonly #controller: TestController;
  readonly #tree: TestTree;
  readonly #runner: TestRunner;
  readonly #active = new Set<Active>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(controller: TestController, tree: TestTree, runner: TestRunner) {
    this.#controller = controller;
    this.#tree = tree;
    this.#runner = runner;
  }

  /** Resolves when it is turned off. */
  async start(request: TestRunRequest, token: CancellationToken): Promise<void> {
    const active = { request, token };
    this.#active.add(active);
    const off = new Promise<void>((resolve) => token.onCancellationRequested(() => resolve()));
    await this.#runner.run(request, token);
    if (!token.isCancellationRequested) await off;
    this.#active.delete(active);
  }

  /** Scenario files changed on disk, or what they use did. */
  changedOnDisk(uris: readonly Uri[]): void {
    for (const { request, token } of this.#active) {
      const items = this.#covered(request, uris);
      if (items.length > 0) void this.#runner.run(again(request, items), token, items);
    }
  }

  /** A verdict on an open document. */
  verdict(uri: Uri, params: VerdictParams): void {
    if (this.#active.size === 0) return;
    const key = uri.toString();
    clearTimeout(this.#timers.get(key));
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      for (const { request } of this.#active) this.#showVerdict(request, uri, params);
    }, quiet);
    this.#timers.set(key, timer);
  }

  dispose(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #showVerdict(request: TestRunRequest, uri: Uri, { scenarios, milliseconds }: VerdictParams): void {
    const items = new Set(this.#covered(request, [uri]));
    if (items.size === 0) return;
    const run = this.#controller.createTestRun(again(request, [...items]));
    const steps = scenarios.reduce((sum, scenario) => sum + scenario.steps + 1, 0);
    for (const scenario of scenarios) {
      const item = this.#tree.scenario(uri, scenario.id);
      if (item !== undefined && items.has(item))
        show(run, item, scenario, (milliseconds * (scenario.steps + 1)) / steps);
    }
    run.end();
  }

  /** What a request covers of these files, as they are now: scenarios that were added belong to their file. */
  #covered(request: TestRunRequest, uris: readonly Uri[]): TestItem[] {
    const wanted = new Set(uris.map((uri) => uri.toString()));
    return this.#runner.itemsOf(request).filter((item) => wanted.has(item.uri?.toString() ?? ''));
  }
}

const again = (request: TestRunRequest, items: readonly TestItem[]): TestRunRequest =>
  new TestRunRequest(items, undefined, request.profile, true, true);
