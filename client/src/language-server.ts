// The language server as the client sees it: one process, started, stopped and restarted, with an observable state.
// It is started by whoever needs it first: a scenario that is opened, or the Test Explorer.
// Requests: initialize, shutdown, exit; document synchronisation and everything the server offers come from vscode-languageclient.

import {
  type CancellationToken,
  type Disposable,
  type Event,
  EventEmitter,
  type ExtensionContext,
  type LogOutputChannel,
  window,
  workspace,
} from 'vscode';
import { type BaseLanguageClient, type LanguageClientOptions, ProgressType, State } from 'vscode-languageclient';
import {
  type InitializationOptions,
  type ReadFileParams,
  type ReadFileResult,
  readFileRequest,
  type VerdictParams,
  verdictNotification,
} from '../../server/common/protocol.ts';
import { documentSelector, watchedFiles } from './documents.ts';
import { readFile } from './read-file.ts';

export type ServerState = 'stopped' | 'starting' | 'running' | 'failed';

/** The client of a server that runs where the extension runs: a process beside Node, a worker in a browser. */
export type CreateClient = (context: ExtensionContext, options: LanguageClientOptions) => BaseLanguageClient;

export class LanguageServer {
  readonly output: LogOutputChannel;
  readonly onDidChangeState: Event<ServerState>;
  /** Verdicts on open documents. */
  readonly onVerdict: Event<VerdictParams>;
  readonly #client: BaseLanguageClient;
  readonly #changed = new EventEmitter<ServerState>();
  readonly #judged = new EventEmitter<VerdictParams>();
  #state: ServerState = 'stopped';
  #streams = 0;
  /** Whether it should be running: if it ends all the same, it failed. */
  #wanted = false;
  /** Starts and stops run one after the other, in the order they were asked for. */
  #queue: Promise<void> = Promise.resolve();

  constructor(context: ExtensionContext, createClient: CreateClient) {
    this.output = window.createOutputChannel('SNP Scenario', { log: true });
    this.onDidChangeState = this.#changed.event;
    this.onVerdict = this.#judged.event;
    this.#client = createClient(context, clientOptions(this.output));
    context.subscriptions.push(
      this.output,
      this.#changed,
      this.#judged,
      this.#client.onRequest<ReadFileResult, void>(
        readFileRequest,
        ({ uri }: ReadFileParams): Promise<ReadFileResult> => readFile(uri),
      ),
      this.#client.onNotification(verdictNotification, (params: VerdictParams) => this.#judged.fire(params)),
      this.#client.onDidChangeState(({ newState }) => {
        if (newState === State.Running) this.#set('running');
        else if (newState === State.Starting) this.#set('starting');
        else this.#set(this.#wanted ? 'failed' : 'stopped');
      }),
    );
  }

  get state(): ServerState {
    return this.#state;
  }

  /** Never rejects: a server that does not start is a state, and a line in the output. */
  start(): Promise<void> {
    return this.#enqueue(async () => {
      this.#wanted = true;
      if (this.#client.needsStart()) await this.#client.start();
    });
  }

  stop(): Promise<void> {
    return this.#enqueue(async () => {
      this.#wanted = false;
      if (this.#client.needsStop()) await this.#client.stop();
    });
  }

  /**
   * A request whose results come in parts. Starts the server if it is not running.
   * @returns what is left for the answer itself
   */
  async stream<Part, Result>(
    method: string,
    params: object,
    take: (part: Part) => void,
    token?: CancellationToken,
  ): Promise<Result> {
    await this.start();
    const partialResultToken = `snpScenario/${this.#streams++}`;
    const parts = this.#client.onProgress(new ProgressType<Part>(), partialResultToken, take);
    try {
      const all = { ...params, partialResultToken };
      // An argument too many would be one more parameter, even if it is undefined.
      return await (token === undefined
        ? this.#client.sendRequest<Result>(method, all)
        : this.#client.sendRequest<Result>(method, all, token));
    } finally {
      parts.dispose();
    }
  }

  /** Ends the process if there is one and starts another; open documents are sent to it again. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** A request of ours. Starts the server if it is not running. Rejects with what the server says. */
  async request<R>(method: string, params: object): Promise<R> {
    await this.start();
    return this.#client.sendRequest<R>(method, params);
  }

  /** A notification of ours, if there is a server to hear it. */
  notify(method: string, params: object): void {
    if (this.#client.isRunning()) void this.#client.sendNotification(method, params).catch(() => {});
  }

  onNotification<P>(method: string, handler: (params: P) => void): Disposable {
    return this.#client.onNotification(method, handler);
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(work).catch((error) => {
      this.output.error(error instanceof Error ? error : String(error));
      this.#set(this.#wanted ? 'failed' : 'stopped');
    });
    return this.#queue;
  }

  #set(state: ServerState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#changed.fire(state);
  }
}

function clientOptions(output: LogOutputChannel): LanguageClientOptions {
  return {
    documentSelector: documentSelector(),
    outputChannel: output,
    traceOutputChannel: output,
    initializationOptions: (): InitializationOptions => ({
      maxDiagnostics: workspace.getConfiguration('snpScenario').get<number>('maxDiagnostics', 500),
      verdicts: true,
      readFile: true,
      suggestCommand: true,
      commands: true,
    }),
    // Settings the server asks for, and registers for their changes, itself.
    synchronize: {
      fileEvents: workspace.createFileSystemWatcher(watchedFiles),
    },
    diagnosticCollectionName: 'snpScenario',
  };
}
