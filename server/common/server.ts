// The language server, wired together: one connection, one engine, one file per feature. Free of platform.
// Requests: initialize, initialized; what the features name.

import { type Connection, type InitializeResult, TextDocumentSyncKind } from 'vscode-languageserver';
import { CheckQueue } from './check-queue.ts';
import { type ClientFeatures, clientFeatures } from './client-features.ts';
import { ClientFiles } from './client-files.ts';
import { Documents } from './documents.ts';
import * as features from './features/index.ts';
import { FileStore } from './file-store.ts';
import * as modelSource from './model-source.ts';
import type { Engine, Platform, ServerInfo } from './platform.ts';
import { modelScheme } from './protocol.ts';
import { Publisher } from './publisher.ts';
import * as pullDiagnostics from './pull-diagnostics.ts';
import { SettingsStore } from './settings.ts';
import { Verdicts } from './verdicts.ts';
import { WatchedFiles } from './watched-files.ts';

/** Serves the connection until the client ends it. Call once; the connection must not be listening yet. */
export function startServer(connection: Connection, engine: Engine, platform: Platform, info: ServerInfo): void {
  let client: ClientFeatures = clientFeatures({ processId: null, rootUri: null, capabilities: {} });
  const documents = new Documents();
  const clientFiles = new ClientFiles(
    connection,
    platform,
    () => client,
    (uri) => verdicts.fileArrived(uri),
  );
  const files = new FileStore(documents, platform, clientFiles);
  const settings = new SettingsStore();
  const publisher = new Publisher(connection, documents, settings, () => client, platform.docs);
  settings.onChange(() => publisher.publishAll());
  const watched = new WatchedFiles();
  const checks = new CheckQueue(platform);
  const verdicts = new Verdicts(documents, files, publisher, engine, platform, checks, {
    usesChanged: () => watched.use(verdicts.uses()),
    failed: (uri, error) => connection.console.error(`Checking ${uri} failed: ${describe(error)}`),
  });

  connection.onInitialize((params): InitializeResult => {
    client = clientFeatures(params);
    settings.initialize(client);
    const offered = features.capabilities(client);
    const result: InitializeResult = {
      serverInfo: info,
      capabilities: {
        ...offered,
        textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
      },
    };
    if (!client.push) {
      result.capabilities.diagnosticProvider = {
        identifier: 'snp',
        interFileDependencies: true,
        workspaceDiagnostics: false,
      };
    }
    if (client.textDocumentContent) {
      result.capabilities.workspace = { ...offered.workspace, textDocumentContent: { schemes: [modelScheme] } };
    }
    return result;
  });
  connection.onInitialized(() => {
    void settings.initialized(connection, client);
    watched.initialized(connection, client);
    watched.use(verdicts.uses());
  });

  documents.listen(connection, verdicts);
  settings.listen(connection);
  watched.listen(connection, (uri) => verdicts.changedOnDisk(uri));
  pullDiagnostics.listen(connection, documents, verdicts, publisher, () => client);
  modelSource.listen(connection, engine);
  features.listen({ connection, documents, files, verdicts, checks, settings, engine, platform, client: () => client });
  connection.listen();
}

/** An error with its stack, for a log. */
export function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
