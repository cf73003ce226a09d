// Files that only the client can read: those of a workspace that is no folder on disk (vscode-vfs:, memfs:, …). The engine reads at once or not at
// all, so a file that is not here yet is an error to it, and the check is made again when the text has come (see Verdicts).
// Requests to the client: snpScenario/readFile.

import type { Connection } from 'vscode-languageserver';
import type { ClientFeatures } from './client-features.ts';
import { member } from './client-features.ts';
import type { Platform } from './platform.ts';
import { type ReadFileParams, readFileRequest } from './protocol.ts';
import { schemeOf } from './uri.ts';

export type ReadResult = { text: string } | { error: string };

/** How long the client may take, ms. Behind it may be a network. */
const patience = 30_000;

interface Known {
  /** undefined: asked for. */
  result: ReadResult | undefined;
  arrived: Promise<void>;
}

export class ClientFiles {
  readonly #connection: Connection;
  readonly #platform: Platform;
  readonly #client: () => ClientFeatures;
  readonly #changed: (uri: string) => void;
  /** By canonical URI. */
  readonly #known = new Map<string, Known>();

  /** @param changed called with a URI whose text has come, after `read` said that it was pending */
  constructor(
    connection: Connection,
    platform: Platform,
    client: () => ClientFeatures,
    changed: (uri: string) => void,
  ) {
    this.#connection = connection;
    this.#platform = platform;
    this.#client = client;
    this.#changed = changed;
  }

  /** The text if it is here; otherwise it is asked for. */
  read(uri: string): ReadResult {
    if (!this.#client().readFile) return { error: unreadable(uri) };
    let known = this.#known.get(uri);
    if (known === undefined) {
      known = { result: undefined, arrived: Promise.resolve() };
      this.#known.set(uri, known);
      known.arrived = this.#fetch(uri, known);
    }
    return known.result ?? { error: 'its text has not come yet' };
  }

  isPending(uri: string): boolean {
    const known = this.#known.get(uri);
    return known !== undefined && known.result === undefined;
  }

  /** Resolves when the file is no longer pending. */
  async arrived(uri: string): Promise<void> {
    await this.#known.get(uri)?.arrived;
  }

  /** The text may be another now. */
  invalidate(uri: string): void {
    this.#known.delete(uri);
  }

  /** Asks the client, without remembering the answer. Never rejects. */
  async ask(uri: string): Promise<ReadResult> {
    if (!this.#client().readFile) return { error: unreadable(uri) };
    let stop = () => {};
    const late = new Promise<ReadResult>((resolve) => {
      stop = this.#platform.after(patience, () => resolve({ error: 'the editor has not answered' }));
    });
    const params: ReadFileParams = { uri };
    const answer = this.#connection.sendRequest(readFileRequest, params).then(checked, (error) => ({
      error: error instanceof Error ? error.message : String(error),
    }));
    try {
      return await Promise.race([answer, late]);
    } finally {
      stop();
    }
  }

  async #fetch(uri: string, known: Known): Promise<void> {
    known.result = await this.ask(uri);
    // Invalidated meanwhile: somebody else asks again.
    if (this.#known.get(uri) === known) this.#changed(uri);
  }
}

const unreadable = (uri: string): string =>
  `${schemeOf(uri) || uri}: only files on disk and documents open in the editor can be read`;

function checked(answer: unknown): ReadResult {
  const text = member(answer, 'text');
  if (typeof text === 'string') return { text };
  const error = member(answer, 'error');
  return { error: typeof error === 'string' ? error : 'the editor gave no text' };
}
