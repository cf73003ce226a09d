// Runs scenarios from their files, opened or not: one run after the other, one file after the other, each in slices that wait for everything an editor
// shows. What happens is told as it happens; cancelling the request ends the run between two slices.
// Requests: snpScenario/runTests.

import {
  type CancellationToken,
  LSPErrorCodes,
  ProgressType,
  type RequestHandler,
  ResponseError,
} from 'vscode-languageserver';
import { member } from '../client-features.ts';
import {
  type RunTestsParams,
  type RunTestsResult,
  runTestsRequest,
  type TestEvent,
  type TestEvents,
} from '../protocol.ts';
import { partialResults } from './discovery.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { TestFile } from './test-run-file.ts';

/** Events are collected for this long before they are sent, ms: a run of thousands must not drown the client. */
const collect = 30;

const partial = new ProgressType<TestEvents>();

export const testRun: Feature = {
  capabilities: () => ({}),
  listen: (context) => {
    let last: Promise<unknown> = Promise.resolve();
    const handler: RequestHandler<RunTestsParams, RunTestsResult, void> = (params, token) => {
      const files = checkedFiles(params);
      const asked = context.platform.now();
      const run = last.then(() => runFiles(context, files, params, token, asked));
      last = run.catch(() => {});
      return run;
    };
    context.connection.onRequest(runTestsRequest, handler);
  },
};

interface Wanted {
  uri: string;
  /** Ids; all if undefined. */
  scenarios: ReadonlySet<string> | undefined;
}

function checkedFiles(params: unknown): Wanted[] {
  const files = member(params, 'files');
  if (!Array.isArray(files)) throw new ResponseError(-32602, 'files is no array');
  return files.map((file) => {
    const uri = member(file, 'uri');
    const scenarios = member(file, 'scenarios') ?? undefined;
    if (typeof uri !== 'string') throw new ResponseError(-32602, 'a file has no URI');
    if (scenarios !== undefined && !(Array.isArray(scenarios) && scenarios.every((id) => typeof id === 'string')))
      throw new ResponseError(-32602, 'scenarios is no array of strings');
    return { uri, scenarios: scenarios && new Set(scenarios) };
  });
}

async function runFiles(
  context: FeatureContext,
  files: readonly Wanted[],
  params: unknown,
  token: CancellationToken,
  asked: number,
): Promise<RunTestsResult> {
  const { platform, engine } = context;
  const send = partialResults(context, params, partial);
  const statuses = new Map<string, 'passed' | 'failed' | 'error'>();
  let events: TestEvent[] = [];
  let stopTimer: (() => void) | undefined;
  const flush = () => {
    stopTimer?.();
    stopTimer = undefined;
    if (send === undefined || events.length === 0) return;
    send({ events });
    events = [];
  };
  const tell = (event: TestEvent) => {
    if (event.kind === 'scenario') statuses.set(`${event.uri}\n${event.id}`, event.status);
    events.push(event);
    if (send !== undefined) stopTimer ??= platform.after(collect, flush);
  };
  // Compiled C is shared by the files of a run, and by nothing else: a run starts from what is on the disk now.
  let checker = engine.createChecker(context.files);
  for (const { uri, scenarios } of files) {
    if (token.isCancellationRequested) break;
    const file = new TestFile(context, checker, uri, scenarios, tell);
    await file.run(token);
    if (file.hasCrashed) checker = engine.createChecker(context.files);
  }
  flush();
  if (token.isCancellationRequested) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
  const count = (status: string) => [...statuses.values()].filter((one) => one === status).length;
  return {
    events,
    passed: count('passed'),
    failed: count('failed'),
    errors: count('error'),
    milliseconds: platform.now() - asked,
  };
}
