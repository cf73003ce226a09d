// Every text the server knows, by canonical URI: the documents open in the editor win over the disk. This is the FileHost that the engine
// reads the C, patches and imports of a scenario through. Notes who read what, so that a change finds the scenarios it concerns.
// Files with another scheme than `file` are the client's to read, see client-files.ts.

import type { FileHost } from '../../engine/check.ts';
import type { ClientFiles, ReadResult } from './client-files.ts';
import type { Documents } from './documents.ts';
import type { FileStamp, Platform } from './platform.ts';
import { resolveUri, schemeOf } from './uri.ts';

export class FileStore implements FileHost {
  readonly #documents: Documents;
  readonly #platform: Platform;
  readonly #clientFiles: ClientFiles;
  readonly #cache = new Map<string, { stamp: FileStamp; result: ReadResult }>();
  /** URIs read since `watchReads`. */
  #reads = new Set<string>();

  constructor(documents: Documents, platform: Platform, clientFiles: ClientFiles) {
    this.#documents = documents;
    this.#platform = platform;
    this.#clientFiles = clientFiles;
  }

  resolve(from: string, relative: string): string {
    return resolveUri(from, relative) ?? `unsaved:${relative}`;
  }

  read(uri: string): ReadResult {
    this.#reads.add(uri);
    const document = this.#documents.get(uri);
    if (document) return { text: document.getText() };
    return this.#onDisk(uri);
  }

  /** The same for a file that is looked at once, a scenario of the workspace say: nothing is remembered, and the client has its time to answer. */
  async load(uri: string): Promise<ReadResult> {
    const document = this.#documents.get(uri);
    if (document) return { text: document.getText() };
    return this.#isOnDisk(uri) ? this.#platform.readFile(uri) : this.#clientFiles.ask(uri);
  }

  /** Whether what `read` said about the file is only that its text has not come yet. */
  isPending(uri: string): boolean {
    return !this.#documents.get(uri) && this.#clientFiles.isPending(uri);
  }

  /** Resolves when no file of these is pending. */
  async arrived(uris: Iterable<string>): Promise<void> {
    await Promise.all([...uris].map((uri) => (this.isPending(uri) ? this.#clientFiles.arrived(uri) : undefined)));
  }

  /** Runs `work` and adds what it reads to `reads`. */
  recording<T>(reads: Set<string>, work: () => T): T {
    const before = this.#reads;
    this.#reads = reads;
    try {
      return work();
    } finally {
      this.#reads = before;
    }
  }

  /** Whether the text on disk is no longer the one read last; forgets it if so. */
  hasChangedOnDisk(uri: string): boolean {
    const known = this.#cache.get(uri);
    if (!known || this.#documents.get(uri)) return false;
    if (this.#platform.stamp(uri) === known.stamp) return false;
    this.#cache.delete(uri);
    return true;
  }

  /** Whether the open document says what the disk said when it was last read. */
  isAsOnDisk(uri: string): boolean {
    const known = this.#cache.get(uri);
    return known !== undefined && 'text' in known.result && known.result.text === this.#documents.get(uri)?.getText();
  }

  /** The file may have changed although its stamp has not. */
  invalidate(uri: string): void {
    this.#cache.delete(uri);
    this.#clientFiles.invalidate(uri);
  }

  #isOnDisk(uri: string): boolean {
    return this.#platform.hasDisk && schemeOf(uri) === 'file';
  }

  #onDisk(uri: string): ReadResult {
    const scheme = schemeOf(uri);
    if (scheme === 'unsaved')
      return { error: 'this document is in no folder yet: save it, or name the file by its whole path' };
    if (!this.#isOnDisk(uri)) return this.#clientFiles.read(uri);
    const stamp = this.#platform.stamp(uri);
    const known = this.#cache.get(uri);
    if (known && known.stamp === stamp) return known.result;
    const result = this.#platform.readFile(uri);
    this.#cache.set(uri, { stamp, result });
    return result;
  }
}
