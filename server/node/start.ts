// Starts the language server in a Node process: over stdio, or over the channel, pipe or socket that the command line names. The process
// ends with the client: 0 after `shutdown` and `exit`, 1 when `exit` comes without it or the client is gone.

import { type Connection, createConnection, ProposedFeatures, type WatchDog } from 'vscode-languageserver';
import {
  createProtocolConnection,
  createServerPipeTransport,
  createServerSocketTransport,
  IPCMessageReader,
  IPCMessageWriter,
  type MessageReader,
  type MessageWriter,
} from 'vscode-languageserver/node';
import { isObject } from '../common/client-features.ts';
import { guarded } from '../common/guarded-reader.ts';
import { parseError } from '../common/message-guard.ts';
import type { Engine, Platform } from '../common/platform.ts';
import { describe, startServer } from '../common/server.ts';
import { listUri, readUri, stampOfUri } from './disk.ts';
import { docsUri } from './docs.ts';
import { FrameReader, FrameWriter } from './frames.ts';
import { version } from './version.ts';

/** How often to look whether the client's process is still there, ms. */
const watchParentEvery = 3000;

const platform: Platform = {
  now: () => performance.now(),
  soon: (callback) => {
    setImmediate(callback);
  },
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  hasDisk: true,
  readFile: readUri,
  stamp: stampOfUri,
  list: listUri,
  docs: docsUri(),
};

/** @param args of the command line: `--stdio` (the default), `--node-ipc`, `--pipe=NAME`, `--socket=PORT` */
export function startNodeServer(engine: Engine, args: readonly string[]): void {
  let isShutDown = false;
  const end = (): never => process.exit(isShutDown ? 0 : 1);
  const [reader, writer] = transport(args, end);
  const log = (text: string) => process.stderr.write(`${text}\n`);

  const watchDog: WatchDog = {
    get shutdownReceived() {
      return isShutDown;
    },
    set shutdownReceived(value) {
      isShutDown = value;
    },
    initialize: ({ processId }) => {
      if (typeof processId === 'number' && Number.isInteger(processId) && processId > 0) watchParent(processId, end);
    },
    exit: (code) => process.exit(code),
  };
  const connection = createConnection(
    (logger) => {
      const protocol = createProtocolConnection(guarded(reader, writer, log), writer, logger);
      protocol.onError(([error]) => log(error.message));
      protocol.onClose(end);
      return protocol;
    },
    watchDog,
    ProposedFeatures.all,
  );
  survive(connection, log);
  startServer(connection, engine, platform, { name: 'SNP Scenario', version });
}

function transport(args: readonly string[], end: () => never): [MessageReader, MessageWriter] {
  const option = (name: string): string | undefined => {
    const index = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`));
    if (index < 0) return undefined;
    return args[index]!.includes('=') ? args[index]!.slice(name.length + 1) : args[index + 1];
  };
  if (args.includes('--node-ipc')) {
    process.on('disconnect', end);
    return [new IPCMessageReader(process), new IPCMessageWriter(process)];
  }
  const pipe = option('--pipe');
  if (pipe) return createServerPipeTransport(pipe);
  const socket = Number(option('--socket'));
  if (socket) return createServerSocketTransport(socket);
  return stdio(end);
}

function stdio(end: () => never): [MessageReader, MessageWriter] {
  const write = process.stdout.write.bind(process.stdout);
  // stdout is the protocol's: whatever else writes there means stderr.
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
  for (const name of ['log', 'info', 'debug', 'dir', 'table', 'group'] as const) console[name] = console.error;
  process.stdout.on('error', end);
  process.stdin.on('end', end);
  process.stdin.on('error', end);
  const writer = new FrameWriter((text, done) => write(text, done));
  const malformed = (what: string) => {
    writer.write(parseError(what)).catch(() => {});
  };
  return [new FrameReader(process.stdin, malformed), writer];
}

/** Ends the process when its parent has: an editor that crashed closes no streams on some systems. */
function watchParent(pid: number, end: () => never): void {
  setInterval(() => {
    try {
      process.kill(pid, 0);
    } catch (error) {
      // EPERM: it is there, and another user's.
      if (isObject(error) && error.code === 'ESRCH') end();
    }
  }, watchParentEvery).unref();
}

/** An error that nobody caught is a bug of ours; it is logged, and the user goes on working. */
function survive(connection: Connection, log: (text: string) => void): void {
  const report = (error: unknown) => {
    const text = `Internal error: ${describe(error)}`;
    log(text);
    connection.console.error(text);
  };
  process.on('uncaughtException', report);
  process.on('unhandledRejection', report);
}
