// The client's settings: from initializationOptions, from workspace/didChangeConfiguration, or asked for with workspace/configuration,
// whichever the client has. Values of a wrong type or out of range leave the setting as it was.

import { type Connection, DidChangeConfigurationNotification } from 'vscode-languageserver';
import { type ClientFeatures, member } from './client-features.ts';
import { configurationSection, type Settings } from './protocol.ts';

const defaults: Settings = { maxDiagnostics: 500 };

export class SettingsStore {
  #settings: Settings = { ...defaults };
  readonly #changed: () => void;
  #canPull = false;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get current(): Readonly<Settings> {
    return this.#settings;
  }

  /** Takes the `snpScenario` section; tells whoever uses them if anything changed. */
  take(section: unknown): void {
    const count = member(section, 'maxDiagnostics');
    if (typeof count !== 'number' || !Number.isInteger(count) || count < 1) return;
    if (count === this.#settings.maxDiagnostics) return;
    this.#settings = { ...this.#settings, maxDiagnostics: count };
    this.#changed();
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
