// What a feature of the language server is: a file in this folder that says what it offers and answers for it. index.ts lists them.

import type { Connection, ServerCapabilities } from 'vscode-languageserver';
import type { CheckQueue } from '../check-queue.ts';
import type { ClientFeatures } from '../client-features.ts';
import type { Documents } from '../documents.ts';
import type { FileStore } from '../file-store.ts';
import type { Engine, Platform } from '../platform.ts';
import type { SettingsStore } from '../settings.ts';
import type { Verdicts } from '../verdicts.ts';

/** What features work with. */
export interface FeatureContext {
  readonly connection: Connection;
  readonly documents: Documents;
  readonly files: FileStore;
  readonly verdicts: Verdicts;
  readonly checks: CheckQueue;
  readonly settings: SettingsStore;
  readonly engine: Engine;
  readonly platform: Platform;
  /** What the client can do; meaningful once it has sent `initialize`. */
  client(): ClientFeatures;
}

export interface Feature {
  /** What is told the client that asks. `workspace` is merged with that of other features, everything else belongs to one. */
  capabilities(client: ClientFeatures): ServerCapabilities;
  /** Answers requests from now on. Called once, before the connection listens. */
  listen(context: FeatureContext): void;
}
