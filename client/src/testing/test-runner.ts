// Runs what the Test Explorer asks for: one request to the server for all of it, whose results are shown as they come.
// Requests to the server: snpScenario/runTests.

import {
  type CancellationToken,
  CancellationTokenSource,
  type TestController,
  type TestItem,
  TestMessage,
  type TestRun,
  type TestRunRequest,
  Uri,
} from 'vscode';
import {
  type RunTestsResult,
  runTestsRequest,
  type TestEvent,
  type TestEvents,
} from '../../../server/common/protocol.ts';
import type { LanguageServer } from '../language-server.ts';
import { show } from './test-results.ts';
import type { TestTree } from './test-tree.ts';

/** How a run ended. */
export interface RunSummary {
  passed: number;
  failed: number;
  errors: number;
  skipped: number;
  isCancelled: boolean;
}

export class TestRunner {
  readonly #controller: TestController;
  readonly #server: LanguageServer;
  readonly #tree: TestTree;
  /** The files that scenario files were seen to use, by URI. */
  readonly #uses = new Map<string, ReadonlySet<string>>();

  constructor(controller: TestController, server: LanguageServer, tree: TestTree) {
    this.#controller = controller;
    this.#server = server;
    this.#tree = tree;
  }

  /** Scenario files whose verdicts depend on a file, as far as runs have shown. */
  dependents(uri: Uri): Uri[] {
    const wanted = uri.toString();
    return [...this.#uses].filter(([, uses]) => uses.has(wanted)).map(([file]) => Uri.parse(file));
  }

  /** The scenarios that a request means, in the tree's order. */
  itemsOf(request: TestRunRequest): TestItem[] {
    const excluded = new Set(request.exclude?.flatMap((item) => [...this.#tree.scenarios(item)]));
    const items = (request.include ?? this.#tree.roots()).flatMap((item) => [...this.#tree.scenarios(item)]);
    return [...new Set(items)].filter((item) => !excluded.has(item));
  }

  /** @param items what of the request is run; all of it if absent */
  async run(request: TestRunRequest, token: CancellationToken, items = this.itemsOf(request)): Promise<RunSummary> {
    const run = this.#controller.createTestRun(request);
    const cancelled = either(token, run.token);
    const counter = new Counter();
    const files = new Map<string, { uri: string; scenarios: string[] }>();
    for (const item of items) {
      const data = this.#tree.dataOf(item);
      if (data?.kind !== 'scenario') continue;
      run.enqueued(item);
      const uri = data.uri.toString();
      const file = files.get(uri);
      if (file) file.scenarios.push(data.id);
      else files.set(uri, { uri, scenarios: [data.id] });
    }
    unreadable(request, run, counter);
    try {
      const params = { files: [...files.values()] };
      const take = ({ events }: TestEvents) => {
        for (const event of events) this.#take(run, event, files.get(event.uri)?.scenarios ?? [], counter);
      };
      const result = await this.#server.stream<TestEvents, RunTestsResult>(
        runTestsRequest,
        params,
        take,
        cancelled.token,
      );
      const { passed, failed, errors, skipped } = counter.summary;
      const total = passed + failed + errors;
      const parts = [`${passed} passed`, `${failed} failed`, ...(errors ? [`${errors} errors`] : [])];
      if (skipped) parts.push(`${skipped} skipped`);
      run.appendOutput(
        `\r\n${total} scenario${total === 1 ? '' : 's'} of ${files.size} file${files.size === 1 ? '' : 's'}: ${parts.join(', ')} in ${result.milliseconds.toFixed(0)} ms\r\n`,
      );
    } catch (error) {
      if (cancelled.token.isCancellationRequested) counter.summary.isCancelled = true;
      else {
        const message = `The language server did not run this: ${error instanceof Error ? error.message : String(error)}`;
        for (const item of items) if (!counter.has(item)) run.errored(item, new TestMessage(message));
        this.#server.output.error(message);
      }
      if (counter.summary.isCancelled) run.appendOutput('\r\nCancelled.\r\n');
    } finally {
      run.end();
      cancelled.dispose();
    }
    return counter.summary;
  }

  /** @param wanted ids of the file's scenarios in this run */
  #take(run: TestRun, event: TestEvent, wanted: readonly string[], counter: Counter): void {
    const uri = Uri.parse(event.uri);
    switch (event.kind) {
      case 'file-started':
        for (const id of wanted) {
          const item = this.#tree.scenario(uri, id);
          if (item !== undefined) run.started(item);
        }
        break;
      case 'scenario': {
        const item = this.#tree.scenario(uri, event.id);
        if (item === undefined) break;
        show(run, item, event, event.milliseconds);
        counter.count(item, event.status);
        break;
      }
      case 'file-ended':
        this.#uses.set(uri.toString(), new Set(event.uses.map((file) => Uri.parse(file).toString())));
        for (const id of wanted) {
          const item = this.#tree.scenario(uri, id);
          if (item === undefined || counter.has(item)) continue;
          if (event.error !== undefined) {
            run.errored(item, new TestMessage(event.error));
            counter.count(item, 'error');
          } else {
            run.skipped(item);
            counter.count(item, 'skipped');
          }
        }
        break;
    }
  }
}

/** Cancelled when one of two tokens is: that of the request, and that of a run which somebody stops in the editor. */
export function either(a: CancellationToken, b: CancellationToken): CancellationTokenSource {
  const source = new CancellationTokenSource();
  for (const token of [a, b]) {
    if (token.isCancellationRequested) source.cancel();
    token.onCancellationRequested(() => source.cancel());
  }
  return source;
}

/** Files that were asked for by themselves, and in which nothing can be found. */
function unreadable(request: TestRunRequest, run: TestRun, counter: Counter): void {
  for (const item of request.include ?? []) {
    if (item.error === undefined || item.children.size > 0) continue;
    run.errored(
      item,
      new TestMessage(`The file cannot be read: ${typeof item.error === 'string' ? item.error : item.error.value}.`),
    );
    counter.count(item, 'error');
  }
}

type End = 'passed' | 'failed' | 'error' | 'skipped';

/** Counts each item once, by what was said of it last. */
class Counter {
  readonly summary: RunSummary = { passed: 0, failed: 0, errors: 0, skipped: 0, isCancelled: false };
  readonly #ends = new Map<TestItem, End>();

  has(item: TestItem): boolean {
    return this.#ends.has(item);
  }

  count(item: TestItem, end: End): void {
    const before = this.#ends.get(item);
    if (before !== undefined) this.summary[key(before)]--;
    this.#ends.set(item, end);
    this.summary[key(end)]++;
  }
}

const key = (end: End) => (end === 'error' ? 'errors' : end);
