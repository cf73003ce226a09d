// A debugging client of the tests' own: it spawns the command, speaks DAP over its stdio byte by byte, and keeps everything that is said. It knows
// nothing of the adapter and can be as rude as a test wants.

import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

// biome-ignore lint/suspicious/noExplicitAny: whatever comes over the wire
export type Json = any;

export interface WireMessage {
  seq: number;
  type: 'request' | 'response' | 'event';
  command?: string;
  event?: string;
  arguments?: Json;
  body?: Json;
  request_seq?: number;
  success?: boolean;
  message?: string;
}

export const root = join(import.meta.dirname, '..', '..');
/** How long to wait for a message before the test fails, ms: generous, the machine may be busy. */
const patience = 20_000;
const running = new Set<DebugClient>();

/** For `afterEach`: a test that failed leaves no process behind. */
export async function killLeftovers(): Promise<void> {
  await Promise.all([...running].map((client) => client.kill()));
}

export class DebugClient {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly received: WireMessage[] = [];
  /** What both said, for golden transcripts. */
  readonly transcript: WireMessage[] = [];
  readonly exited: Promise<number | null>;
  stderr = '';
  #buffer = Buffer.alloc(0);
  #seq = 1;
  #waiting: { matches: (message: WireMessage) => boolean; resolve: (message: WireMessage) => void }[] = [];
  /** The thread that stopped last. */
  thread = 1;
  /** Events that nobody has waited for yet. */
  #events: WireMessage[] = [];

  constructor() {
    this.process = spawn(process.execPath, ['server/node/cli.ts', 'dap'], {
      cwd: root,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    running.add(this);
    this.exited = new Promise((resolve) =>
      this.process.on('close', (code) => {
        running.delete(this);
        resolve(code);
      }),
    );
    this.process.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    this.process.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.process.stdin.on('error', () => {}); // an adapter that is gone is what some tests are about
  }

  // ------------------------------------------------------------ what a client does

  /** The body; fails the test if the request is refused. */
  async request(command: string, args?: Json): Promise<Json> {
    const answer = await this.ask(command, args);
    assert.ok(answer.success, `${command}: ${answer.message}`);
    return answer.body;
  }

  /** The message of a refusal; fails the test if the request is granted. */
  async refusal(command: string, args?: Json): Promise<string> {
    const answer = await this.ask(command, args);
    assert.equal(answer.success, false, `${command} is granted`);
    return answer.message ?? '';
  }

  ask(command: string, args?: Json): Promise<WireMessage> {
    const seq = this.send(command, args);
    return this.#next(
      (message) => message.type === 'response' && message.request_seq === seq,
      `the answer to ${command}`,
    );
  }

  send(command: string, args?: Json): number {
    const message: WireMessage = {
      seq: this.#seq++,
      type: 'request',
      command,
      ...(args === undefined ? {} : { arguments: args }),
    };
    this.transcript.push(message);
    const body = JSON.stringify(message);
    this.raw(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    return message.seq;
  }

  raw(bytes: string): void {
    this.process.stdin.write(bytes);
  }

  /** The next event of this name that has not been waited for. */
  async event(name: string): Promise<Json> {
    const index = this.#events.findIndex(({ event }) => event === name);
    if (index >= 0) return this.#events.splice(index, 1)[0].body;
    const message = await this.#next(({ type, event }) => type === 'event' && event === name, `the event ${name}`);
    this.#events = this.#events.filter((one) => one !== message);
    return message.body;
  }

  stopped(): Promise<Json> {
    return this.event('stopped');
  }

  /** initialize and launch, up to where breakpoints are set. */
  async launch(args: Json, client: Json = {}): Promise<Json> {
    const capabilities = await this.request('initialize', {
      adapterID: 'snp-scenario',
      linesStartAt1: true,
      columnsStartAt1: true,
      pathFormat: 'path',
      ...client,
    });
    await this.request('launch', args);
    await this.event('initialized');
    return capabilities;
  }

  async start(): Promise<Json> {
    await this.request('configurationDone');
    return this.stopped();
  }

  /** A motion, and where it stopped. */
  async move(command: string, args: Json = {}): Promise<Json> {
    const [, stop] = await Promise.all([this.request(command, { threadId: this.thread, ...args }), this.stopped()]);
    return stop;
  }

  async stack(threadId = this.thread): Promise<Json[]> {
    return (await this.request('stackTrace', { threadId })).stackFrames;
  }

  /** The innermost frame as `name file:line`. */
  async where(threadId = this.thread): Promise<string> {
    const [top] = await this.stack(threadId);
    return `${top.name} ${top.source?.name}:${top.line}`;
  }

  async evaluate(expression: string, frameId?: number, context = 'watch'): Promise<string> {
    const frame = frameId === undefined ? {} : { frameId };
    return (await this.request('evaluate', { expression, context, ...frame })).result;
  }

  /** The rows of a scope of a frame, by name. */
  async scope(name: string, frameId = 1): Promise<Json[]> {
    const { scopes } = await this.request('scopes', { frameId });
    const { variablesReference } = scopes.find((scope: Json) => scope.name === name);
    return (await this.request('variables', { variablesReference })).variables;
  }

  async disconnect(): Promise<number | null> {
    await this.request('disconnect', {});
    return this.exited;
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.exited;
  }

  // ------------------------------------------------------------ the wire

  #next(matches: (message: WireMessage) => boolean, what: string): Promise<WireMessage> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${why}\nstderr: ${this.stderr}`));
      const timer = setTimeout(() => fail(`no sign of ${what} in ${patience} ms`), patience);
      this.#waiting.push({
        matches,
        resolve: (message) => {
          clearTimeout(timer);
          resolve(message);
        },
      });
      void this.exited.then((code) => {
        clearTimeout(timer);
        fail(`the adapter ended with ${code} before ${what}`);
      });
    });
  }

  #read(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const end = this.#buffer.indexOf('\r\n\r\n');
      if (end < 0) return;
      const header = this.#buffer.subarray(0, end).toString();
      const length = /^Content-Length: (\d+)$/.exec(header)?.[1];
      assert.ok(length, `something else than a header on stdout: ${JSON.stringify(header)}`);
      const from = end + 4;
      if (this.#buffer.length < from + Number(length)) return;
      const message: WireMessage = JSON.parse(this.#buffer.subarray(from, from + Number(length)).toString());
      this.#buffer = this.#buffer.subarray(from + Number(length));
      this.#take(message);
    }
  }

  #take(message: WireMessage): void {
    this.received.push(message);
    this.transcript.push(message);
    if (message.type === 'event') this.#events.push(message);
    if (message.event === 'stopped') this.thread = message.body.threadId;
    const taken = this.#waiting.filter(({ matches }) => matches(message));
    this.#waiting = this.#waiting.filter((waiter) => !taken.includes(waiter));
    for (const { resolve } of taken) resolve(message);
  }
}
