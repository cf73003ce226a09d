// What is shown on each file: the union of what all open scenarios say about it. A scenario that closes, or no longer uses a file, takes
// its part away. Nothing is sent twice: a file's diagnostics go out when they change, and the scenario's own with every verdict.

import type { Connection, Diagnostic } from 'vscode-languageserver';
import type { Diagnostic as EngineDiagnostic } from '../../engine/base/diagnostic.ts';
import type { ClientFeatures } from './client-features.ts';
import { capped, toProtocol } from './diagnostics.ts';
import type { Documents } from './documents.ts';
import type { SettingsStore } from './settings.ts';
import { canonicalUri, uriOfPath } from './uri.ts';

export class Publisher {
  readonly #connection: Connection;
  readonly #documents: Documents;
  readonly #settings: SettingsStore;
  readonly #features: () => ClientFeatures;
  /** By scenario, then by the file that is spoken of; canonical URIs. */
  readonly #said = new Map<string, Map<string, EngineDiagnostic[]>>();
  /** What the client shows, as JSON, by file. Files without diagnostics are absent. */
  readonly #shown = new Map<string, string>();
  readonly #docs: string | undefined;

  constructor(
    connection: Connection,
    documents: Documents,
    settings: SettingsStore,
    features: () => ClientFeatures,
    docs: string | undefined,
  ) {
    this.#docs = docs;
    this.#connection = connection;
    this.#documents = documents;
    this.#settings = settings;
    this.#features = features;
  }

  /** The verdict on a scenario's document at `version` replaces what was said on behalf of it. */
  set(scenario: string, version: number, diagnostics: readonly EngineDiagnostic[]): void {
    const files = new Map<string, EngineDiagnostic[]>([[scenario, []]]);
    for (const diagnostic of diagnostics) {
      const file = canonicalUri(uriOfPath(diagnostic.location.path));
      const list = files.get(file);
      if (list) list.push(diagnostic);
      else files.set(file, [diagnostic]);
    }
    const before = this.#said.get(scenario);
    this.#said.set(scenario, files);
    this.#publish(scenario, version);
    for (const file of new Set([...files.keys(), ...(before?.keys() ?? [])])) {
      if (file !== scenario) this.#publish(file);
    }
  }

  /** The scenario's document was closed. */
  remove(scenario: string): void {
    const files = this.#said.get(scenario);
    this.#said.delete(scenario);
    for (const file of files?.keys() ?? []) this.#publish(file);
  }

  /** The client shows other things now than it did: settings changed. */
  publishAll(): void {
    for (const file of this.#files()) this.#publish(file);
  }

  /** What is shown on a file. */
  of(file: string): Diagnostic[] {
    const seen = new Set<string>();
    const union: Diagnostic[] = [];
    const features = this.#features();
    const spelling = (uri: string) => this.#documents.spelling(canonicalUri(uri));
    for (const files of this.#said.values()) {
      for (const diagnostic of files.get(file) ?? []) {
        const converted = toProtocol(diagnostic, features, spelling, this.#docs);
        if (this.#said.size > 1) {
          const key = JSON.stringify([converted.range, converted.code, converted.message]);
          if (seen.has(key)) continue;
          seen.add(key);
        }
        union.push(converted);
      }
    }
    return capped(union, this.#settings.current.maxDiagnostics);
  }

  /** The other files that a scenario speaks of. */
  othersOf(scenario: string): string[] {
    return [...(this.#said.get(scenario)?.keys() ?? [])].filter((file) => file !== scenario);
  }

  #files(): Set<string> {
    return new Set([...this.#said.values()].flatMap((files) => [...files.keys()]));
  }

  /** @param version of the document, if this is the verdict on it */
  #publish(file: string, version?: number): void {
    if (!this.#features().push) return;
    const diagnostics = this.of(file);
    const text = diagnostics.length ? JSON.stringify(diagnostics) : '';
    if (version === undefined && text === (this.#shown.get(file) ?? '')) return;
    if (text) this.#shown.set(file, text);
    else this.#shown.delete(file);
    const params = { uri: this.#documents.spelling(file), diagnostics };
    this.#connection.sendDiagnostics(version === undefined ? params : { ...params, version }).catch(() => {
      // The client is gone; the process ends when it notices.
    });
  }
}
