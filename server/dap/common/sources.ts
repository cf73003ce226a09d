// Files as the client names them and as the engine does: paths or URIs, and the bundled models, which are in no folder.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { MODEL_SCHEME, modelText } from '../../../engine/models/model.ts';
import { modelScheme } from '../../common/protocol.ts';
import { canonicalUri, modelPathOf, uriOfPath } from '../../common/uri.ts';
import type { AdapterOptions, DebugPlatform } from './platform.ts';
import { isObject } from './requests.ts';

export class Sources {
  readonly #platform: DebugPlatform;
  readonly #options: AdapterOptions;
  /** Paths of model files by source reference - 1. */
  readonly #references: string[] = [];
  /** Whether the client names files by URI rather than by path. */
  byUri = false;

  constructor(platform: DebugPlatform, options: AdapterOptions) {
    this.#platform = platform;
    this.#options = options;
  }

  toClient(path: string): DebugProtocol.Source {
    const name = decodeURIComponent(path.split('/').pop() ?? path);
    if (!path.startsWith(MODEL_SCHEME)) return { name, path: this.byUri ? path : this.#platform.fileOfUri(path) };
    const origin = 'bundled kernel model, read-only';
    if (this.#options.modelSources === 'uri') return { name, path: uriOfPath(path), origin };
    return { name, path, sourceReference: this.#referenceOf(path), origin };
  }

  #referenceOf(path: string): number {
    let index = this.#references.indexOf(path);
    if (index < 0) index = this.#references.push(path) - 1;
    return index + 1;
  }

  /** The engine's name of a `Source`; undefined if it names nothing. */
  fromClient(source: unknown): string | undefined {
    if (!isObject(source)) return undefined;
    const { sourceReference, path } = source;
    if (typeof sourceReference === 'number' && sourceReference > 0) return this.#references[sourceReference - 1];
    if (typeof path !== 'string' || path === '') return undefined;
    if (path.startsWith(`${modelScheme}:`)) return MODEL_SCHEME + (modelPathOf(path) ?? '');
    if (path.startsWith(MODEL_SCHEME)) return path;
    return this.fileFromClient(path);
  }

  /** @param path also a URI (`untitled:…`, `vscode-vfs://…`): a drive has one letter, a scheme has more */
  fileFromClient(path: string): string {
    return canonicalUri(this.byUri || /^[a-z][a-z0-9+.-]+:/i.test(path) ? path : this.#platform.uriOfFile(path));
  }

  /** Text of a bundled model file. */
  text(source: unknown, reference: number): string | undefined {
    const path = this.#references[reference - 1] ?? this.fromClient(source);
    const text: unknown = path === undefined ? undefined : modelText(path);
    return typeof text === 'string' ? text : undefined;
  }
}
