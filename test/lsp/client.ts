// A language client of the tests' own: it spawns a server, speaks LSP over its stdio byte by byte, and keeps everything that is said. It
// knows nothing of the server and can be as rude as a test wants.

import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { InitializeResult, Diagnostic as LspDiagnostic } from 'vscode-languageserver';

// biome-ignore lint/suspicious/noExplicitAny: whatever comes over the wire
export type Json = any;

/** Messages are plain text: nothing here asks for Markdown. */
export type Diagnostic = LspDiagnostic & { message: string };

export interface PublishedDiagnostics {
  uri: string;
  version?: number;
  diagnostics: Diagnostic[];
}

export interface WireMessage {
  id?: number | string | null;
  method?: string;
  params?: Json;
  result?: Json;
  error?: { code: number; message: string };
}

const root = join(import.meta.dirname, '..', '..');

/** The real server as a source file, and one whose engine is the test's. */
export const realServer = ['server/node/main.ts'];
export const fakeServer = ['test/lsp/fake-server.ts'];

/** How long to wait for an answer before the test fails, ms: generous, the machine may be busy. */
const patience = 20_000;

export const fullCapabilities = {
  textDocument: {
    publishDiagnostics: {
      relatedInformation: true,
      versionSupport: true,
      codeDescriptionSupport: true,
      dataSupport: true,
      tagSupport: { valueSet: [1, 2] },
    },
  },
};

const running = new Set<Client>();

/** For `afterEach`: a test that failed leaves no server behind. */
export async function killLeftovers(): Promise<void> {
  await Promise.all([...running].map((client) => client.kill()));
}

export class Client {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Everything the server said, in order. */
  readonly received: WireMessage[] = [];
  /** What both said, for golden transcripts. */
  readonly transcript: { from: 'client' | 'server'; message: WireMessage }[] = [];
  stderr = '';
  /** Answers to the server's requests, by method; others get null. */
  readonly answers: Record<string, (params: Json) => Json> = {};
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  #buffer = Buffer.alloc(0);
  #nextId = 1;
  #isEnding = false;
  #waiting: { matches: (message: WireMessage) => boolean; resolve: (message: WireMessage) => void }[] = [];

  constructor(server: readonly string[], env: Record<string, string> = {}, args: readonly string[] = ['--stdio']) {
    this.process = spawn(process.execPath, [...server, ...args], {
      cwd: root,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    running.add(this);
    this.exited = new Promise((resolve) =>
      this.process.on('close', (code, signal) => {
        running.delete(this);
        resolve({ code, signal });
      }),
    );
    this.process.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    this.process.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.process.stdin.on('error', () => {}); // a server that is gone is what some tests are about
  }

  get isRunning(): boolean {
    return running.has(this) && !this.#isEnding;
  }

  // ------------------------------------------------------------ what a client does

  async initialize(capabilities: Json = fullCapabilities, more: Json = {}): Promise<InitializeResult> {
    const params = { processId: process.pid, rootUri: null, capabilities, ...more };
    const result = await this.request('initialize', params);
    this.notify('initialized', {});
    return result;
  }

  async shutdown(): Promise<number | null> {
    await this.request('shutdown');
    this.notify('exit');
    return (await this.exited).code;
  }

  /** The result; fails the test on an error. */
  async request(method: string, params?: Json): Promise<Json> {
    const { error, result } = await this.ask(method, params);
    assert.equal(error, undefined, `${method}: ${error?.message}`);
    return result;
  }

  /** The whole answer. */
  ask(method: string, params?: Json): Promise<WireMessage> {
    const id = this.#nextId++;
    const answer = this.next((message) => message.id === id && message.method === undefined, `the answer to ${method}`);
    this.send({ id, method, ...(params === undefined ? {} : { params }) });
    return answer;
  }

  /** The id of a request whose answer the caller will look for. */
  start(method: string, params?: Json): number {
    const id = this.#nextId++;
    this.send({ id, method, params });
    return id;
  }

  notify(method: string, params?: Json): void {
    this.send({ method, ...(params === undefined ? {} : { params }) });
  }

  open(uri: string, text: string, languageId = 'snpscenario', version = 1): void {
    this.notify('textDocument/didOpen', { textDocument: { uri, languageId, version, text } });
  }

  /** Replaces the whole text. */
  replace(uri: string, version: number, text: string): void {
    this.notify('textDocument/didChange', { textDocument: { uri, version }, contentChanges: [{ text }] });
  }

  edit(uri: string, version: number, line: number, from: number, to: number, text: string): void {
    const range = { start: { line, character: from }, end: { line, character: to } };
    this.notify('textDocument/didChange', { textDocument: { uri, version }, contentChanges: [{ range, text }] });
  }

  close(uri: string): void {
    this.notify('textDocument/didClose', { textDocument: { uri } });
  }

  // ------------------------------------------------------------ what a test waits for

  /** The next message that has not been received yet and matches. */
  next(matches: (message: WireMessage) => boolean, what = 'a message'): Promise<WireMessage> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no sign of ${what} in ${patience} ms\nstderr: ${this.stderr}`)),
        patience,
      );
      const done = (message: WireMessage) => {
        clearTimeout(timer);
        resolve(message);
      };
      this.#waiting.push({ matches, resolve: done });
      void this.exited.then(({ code }) => {
        clearTimeout(timer);
        reject(new Error(`the server ended with ${code} before ${what}\nstderr: ${this.stderr}`));
      });
    });
  }

  /** The next diagnostics published for a file (and, if given, a version of it). */
  async diagnostics(uri: string, version?: number): Promise<Diagnostic[]> {
    const message = await this.next(
      ({ method, params }) =>
        method === 'textDocument/publishDiagnostics' &&
        params.uri === uri &&
        (version === undefined || params.version === version),
      `diagnostics of ${uri}${version === undefined ? '' : ` version ${version}`}`,
    );
    return (message.params as PublishedDiagnostics).diagnostics;
  }

  /** All diagnostics published for a file so far. */
  published(uri: string): PublishedDiagnostics[] {
    return this.received
      .filter(({ method, params }) => method === 'textDocument/publishDiagnostics' && params.uri === uri)
      .map(({ params }) => params);
  }

  /** Resolves when everything sent so far has been taken up: the server answers in order. */
  async roundTrip(): Promise<void> {
    const { error } = await this.ask('snpScenario/noSuchMethod', {});
    assert.equal(error?.code, -32601);
  }

  // ------------------------------------------------------------ the wire

  send(message: WireMessage): void {
    this.transcript.push({ from: 'client', message });
    if (message.method === 'shutdown' || message.method === 'exit') this.#isEnding = true;
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.raw(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  raw(bytes: string | Buffer): void {
    this.process.stdin.write(bytes);
  }

  /** Ends the server whatever state it is in. */
  async kill(): Promise<void> {
    this.#isEnding = true;
    this.process.kill('SIGKILL');
    await this.exited;
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
    this.transcript.push({ from: 'server', message });
    if (message.method !== undefined && message.id !== undefined) {
      const result = this.answers[message.method]?.(message.params) ?? null;
      this.send({ id: message.id, result });
    }
    const taken = this.#waiting.filter(({ matches }) => matches(message));
    this.#waiting = this.#waiting.filter((waiter) => !taken.includes(waiter));
    for (const { resolve } of taken) resolve(message);
  }
}
