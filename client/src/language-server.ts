// The language server as the client sees it: one process, started, stopped and restarted, with an observable state.
// Requests: initialize, shutdown, exit; document synchronisation and everything the server offers come from vscode-languageclient.

import { type Event, EventEmitter, type ExtensionContext, type LogOutputChannel, window, workspace } from 'vscode';
import {
  LanguageClient,
  type LanguageClientOptions,
  type ServerOptions,
  State,
  TransportKind,
} from 'vscode-languageclient/node';
import { documentSelector, watchedFiles } from './documents.ts';

export type ServerState = 'stopped' | 'starting' | 'running' | 'failed';

export class LanguageServer {
  readonly output: LogOutputChannel;
  readonly onDidChangeState: Event<ServerState>;
  readonly #client: LanguageClient;
  readonly #changed = new EventEmitter<ServerState>();
  #state: ServerState = 'stopped';
  /** Whether it should be running: if it ends all the same, it failed. */
  #wanted = false;
  /** Starts and stops run one after the other, in the order they were asked for. */
  #queue: Promise<void> = Promise.resolve();

  constructor(context: ExtensionContext) {
    this.output = window.createOutputChannel('SNP Scenario', { log: true });
    this.onDidChangeState = this.#changed.event;
    this.#client = new LanguageClient(
      'snpScenario',
      'SNP Scenario',
      serverOptions(context),
      clientOptions(this.output),
    );
    context.subscriptions.push(
      this.output,
      this.#changed,
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

  /** Ends the process if there is one and starts another; open documents are sent to it again. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
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

function serverOptions(context: ExtensionContext): ServerOptions {
  const module = context.asAbsolutePath('dist/server/main.js');
  return {
    run: { module, transport: TransportKind.ipc },
    debug: { module, transport: TransportKind.ipc, options: { execArgv: ['--nolazy', '--inspect=6009'] } },
  };
}

function clientOptions(output: LogOutputChannel): LanguageClientOptions {
  return {
    documentSelector,
    outputChannel: output,
    traceOutputChannel: output,
    initializationOptions: () => ({
      maxDiagnostics: workspace.getConfiguration('snpScenario').get<number>('maxDiagnostics'),
    }),
    // Settings the server asks for, and registers for their changes, itself.
    synchronize: {
      fileEvents: workspace.createFileSystemWatcher(watchedFiles),
    },
    diagnosticCollectionName: 'snpScenario',
  };
}
