// What the server needs of the place it runs in (Node, a browser's worker, a test), and of the engine. Everything else in this folder
// is free of platform.

import type { Checker, FileHost } from '../../engine/check.ts';

/** The state of a file on disk: changes when the text may have changed. undefined: there is no such file. */
export type FileStamp = string | undefined;

export interface Platform {
  /** Milliseconds from any origin; never goes backwards. */
  now(): number;
  /** Calls back after the events that are waiting have been served. */
  soon(callback: () => void): void;
  /** Calls back after `ms`; the result cancels. */
  after(ms: number, callback: () => void): () => void;
  /** Whether `file:` URIs are this machine's. Where there is no disk, the client reads them. */
  readonly hasDisk: boolean;
  /** Text of a `file:` URI, or why it cannot be had. Never throws. */
  readFile(uri: string): { text: string } | { error: string };
  /** Cheap; used to notice changes that no watcher told us about. Never throws. */
  stamp(uri: string): FileStamp;
  /** What is in the folder at a `file:` URI, in any order; nothing if it cannot be read. Never throws. */
  list(uri: string): readonly { name: string; isFolder: boolean }[];
  /** URI of the documentation's folder, ending in a slash; undefined if none came with the product. */
  readonly docs: string | undefined;
}

export interface Engine {
  createChecker(host: FileHost): Checker;
  /** Names of the bundled kernel models. */
  kernels: readonly string[];
  /** Text of a bundled model file, by its path below the models (`kvm-rfc-v8/sev.c`). */
  modelText(path: string): string | undefined;
}

export interface ServerInfo {
  name: string;
  version: string;
}
