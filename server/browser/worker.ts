// The language server in a browser's worker: messages are plain objects, posted to and from the page (or the worker) that made it. There is no
// disk: what a scenario uses, the client reads. The worker ends with `exit`.

import { type Connection, createConnection, ProposedFeatures, type WatchDog } from 'vscode-languageserver';
import { BrowserMessageReader, BrowserMessageWriter, createProtocolConnection } from 'vscode-languageserver/browser';
import packageJson from '../../package.json' with { type: 'json' };
import { engine } from '../common/bundled-engine.ts';
import { guarded } from '../common/guarded-reader.ts';
import type { Platform } from '../common/platform.ts';
import { describe, startServer } from '../common/server.ts';

/** A worker's global scope, as far as it is used: the types of a browser and of Node do not go together. */
interface WorkerScope {
  close(): void;
  addEventListener(type: string, listener: (event: { error?: unknown; reason?: unknown }) => void): void;
}
const scope = globalThis as unknown as WorkerScope;

const platform: Platform = {
  now: () => performance.now(),
  soon: whenIdle(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  hasDisk: false,
  readFile: () => ({ error: 'a browser has no disk' }),
  stamp: () => undefined,
  list: () => [],
  docs: undefined,
};

/** Calls back after the messages that are waiting. Not by a timer: nested ones are held back for four milliseconds each. */
function whenIdle(): (callback: () => void) => void {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.addEventListener('message', () => waiting.shift()?.());
  port1.start();
  return (callback) => {
    waiting.push(callback);
    port2.postMessage(undefined);
  };
}

/** Serves whoever made this worker. Call once. */
export function startWorkerServer(): void {
  const reader = new BrowserMessageReader(scope as never);
  const writer = new BrowserMessageWriter(scope as never);
  const log = (text: string) => console.error(text);

  const watchDog: WatchDog = {
    shutdownReceived: false,
    initialize: () => {},
    exit: () => scope.close(),
  };
  const connection: Connection = createConnection(
    (logger) => createProtocolConnection(guarded(reader, writer, log), writer, logger),
    watchDog,
    ProposedFeatures.all,
  );
  // An error that nobody caught is a bug of ours; it is logged, and the user goes on working.
  for (const [type, member] of [
    ['error', 'error'],
    ['unhandledrejection', 'reason'],
  ] as const) {
    scope.addEventListener(type, (event) => connection.console.error(`Internal error: ${describe(event[member])}`));
  }
  startServer(connection, engine, platform, { name: 'SNP Scenario', version: packageJson.version });
}
