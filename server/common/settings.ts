// The client's settings: from initializationOptions, from workspace/didChangeConfiguration, or asked for with workspace/configuration,
// whichever the client has. Values of a wrong type or out of range leave the setting as it was.

import { type Connection, DidChangeConfigurationNotification } from 'vscode-languageserver';
import { type ClientFeatures, member } from './client-features.ts';
import { configurationSection, type InlayHintDetail, inlayHintDetails, type Settings } from './protocol.ts';

const defaults: Settings = { maxDiagnostics: 500, inlayHints: 'changes', codeLens: true };

/** What a setting can be. */
const valid: { readonly [Key in keyof Settings]: (value: unknown) => value is Settings[Key] } = {
  maxDiagnostics: (value): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 1,
  inlayHints: (value): value is InlayHintDetail => (inlayHintDetails as readonly unknown[]).includes(value),
  codeLens: (value): value is boolean => typeof value === 'boolean',
};

type Listener = (now: Readonly<Settings>, before: Readonly<Settings>) => void;

export class SettingsStore {
  #settings: Settings = { ...defaults };
  readonly #listeners: Listener[] = [];
  #canPull = false;

  get current(): Readonly<Settings> {
    return this.#settings;
  }

  /** Calls back after every change from now on. */
  onChange(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Takes the `snpScenario` section; tells whoever uses them if anything changed. */
  take(section: unknown): void {
    const before = this.#settings;
    const now: Record<string, unknown> = { ...before };
    for (const key of Object.keys(defaults) as (keyof Settings)[]) {
      const value = member(section, key);
      if (valid[key](value)) now[key] = value;
    }
    if (Object.keys(defaults).every((key) => now[key] === before[key as keyof Settings])) return;
    this.#settings = now as unknown as Settings;
    for (const listener of this.#listeners) listener(this.#settings, before);
  }

  /** Before `initialized`: what the client sent along. */
  initialize(features: ClientFeatures): void {
    this.take(features.initializationOptions);
  }

  listen(connection: Connection): void {
    connection.onDidChangeConfiguration((params) => {
      const section = member(member(params, 'settings'), configurationSection);
      if (section !== undefined && section !== null) this.take(section);
      else void this.#pull(connection);
    });
  }

  /** After `initialized`: asks what can be asked for. */
  async initialized(connection: Connection, features: ClientFeatures): Promise<void> {
    this.#canPull = features.configuration;
    if (features.registerConfiguration) {
      connection.client
        .register(DidChangeConfigurationNotification.type, { section: configurationSection })
        .catch(() => {});
    }
    await this.#pull(connection);
  }

  async #pull(connection: Connection): Promise<void> {
    if (!this.#canPull) return;
    try {
      this.take(await connection.workspace.getConfiguration(configurationSection));
    } catch {
      // The client keeps its settings to itself: those we have stay.
    }
  }
}
