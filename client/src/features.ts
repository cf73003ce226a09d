// The features of the extension, each in a file of its own, around one language server. Where the server and the debug adapter run is the entry's
// business: extension.ts for Node, extension-web.ts for a browser.

import { type ExtensionContext, type TextDocument, workspace } from 'vscode';
import * as debug from './debug.ts';
import * as documentation from './documentation.ts';
import { type CreateClient, LanguageServer } from './language-server.ts';
import * as memoryMap from './map/memory-map.ts';
import * as newScenario from './new-scenario.ts';
import * as serverCommands from './server-commands.ts';
import * as status from './status.ts';
import * as testing from './testing/index.ts';

/** What an entry knows that nobody else does. */
export interface ClientPlatform {
  readonly createClient: CreateClient;
  readonly loadAdapter: debug.LoadAdapter;
}

/** What the extension's own tests look into; nothing to build upon. */
export interface ForTests {
  readonly maps: memoryMap.MapsForTests;
}

let server: LanguageServer | undefined;

/** Returns as soon as the features are registered; the server goes on starting, so that opening a file waits for nothing. */
export function activateFeatures(context: ExtensionContext, platform: ClientPlatform): ForTests {
  server = new LanguageServer(context, platform.createClient);
  status.activate(context, server);
  serverCommands.activate(context, server);
  testing.activate(context, server);
  debug.activate(context, server, platform.loadAdapter);
  newScenario.activate(context);
  documentation.activate(context);
  const maps = memoryMap.activate(context, server);
  startWithFirstScenario(context, server);
  return { maps };
}

function startWithFirstScenario(context: ExtensionContext, server: LanguageServer): void {
  const isScenario = ({ languageId }: TextDocument) => languageId === 'snpscenario';
  if (workspace.textDocuments.some(isScenario)) {
    void server.start();
    return;
  }
  const waiting = workspace.onDidOpenTextDocument((document) => {
    if (!isScenario(document)) return;
    waiting.dispose();
    void server.start();
  });
  context.subscriptions.push(waiting);
}

/** VS Code waits for this before it ends the extension host, so that the server is told and does not outlive it. */
export function deactivate(): Promise<void> | undefined {
  return server?.stop();
}
