// Debug in the Test Explorer: a debug session for each scenario, one after the other, and the scenario's verdict when its session has ended.

import {
  type CancellationToken,
  commands,
  type DebugSession,
  debug,
  type TestController,
  type TestItem,
  TestMessage,
  type TestRun,
  type TestRunRequest,
} from 'vscode';
import { type RunTestsResult, runTestsRequest, type TestEvents } from '../../../server/common/protocol.ts';
import type { LanguageServer } from '../language-server.ts';
import { show } from './test-results.ts';
import { either, type TestRunner } from './test-runner.ts';
import type { ItemData, TestTree } from './test-tree.ts';

type Scenario = Extract<ItemData, { kind: 'scenario' }>;

export async function debugItems(
  controller: TestController,
  server: LanguageServer,
  tree: TestTree,
  runner: TestRunner,
  request: TestRunRequest,
  cancellation: CancellationToken,
): Promise<void> {
  const run = controller.createTestRun(request);
  const cancelled = either(cancellation, run.token);
  const { token } = cancelled;
  const items = runner.itemsOf(request);
  for (const item of items) run.enqueued(item);
  try {
    for (const item of items) {
      if (token.isCancellationRequested) break;
      const data = tree.dataOf(item);
      if (data?.kind !== 'scenario') continue;
      run.started(item);
      if (await debugged(data, token)) await verdict(server, run, item, data, token);
      else run.errored(item, new TestMessage('The debugger did not start.'));
    }
  } finally {
    run.end();
    cancelled.dispose();
  }
}

/** Resolves when the session has ended; to false if there was none. */
async function debugged({ uri, name }: Scenario, token: CancellationToken): Promise<boolean> {
  let session: DebugSession | undefined;
  let ended = () => {};
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const listening = [
    debug.onDidStartDebugSession((started) => {
      if (started.type === 'snpscenario' && started.configuration.scenario === name) session ??= started;
    }),
    debug.onDidTerminateDebugSession((terminated) => {
      if (terminated.id === session?.id) ended();
    }),
    token.onCancellationRequested(() => {
      if (session !== undefined) void debug.stopDebugging(session);
    }),
  ];
  try {
    if ((await commands.executeCommand('snpScenario.debugScenario', uri, name)) !== true) return false;
    if (session !== undefined) await end;
    return true;
  } finally {
    for (const one of listening) one.dispose();
  }
}

/** A session shows how, and need not go to the end: what the scenario's verdict is, the server says. */
async function verdict(
  server: LanguageServer,
  run: TestRun,
  item: TestItem,
  { uri, id }: Scenario,
  token: CancellationToken,
): Promise<void> {
  const files = [{ uri: uri.toString(), scenarios: [id] }];
  const take = ({ events }: TestEvents) => {
    for (const event of events)
      if (event.kind === 'scenario' && event.id === id) show(run, item, event, event.milliseconds);
  };
  try {
    await server.stream<TestEvents, RunTestsResult>(runTestsRequest, { files }, take, token);
  } catch {
    // Cancelled, or the server is gone: no verdict.
    run.skipped(item);
  }
}
