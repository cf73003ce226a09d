// The extension: starts the language server and the features around it, each in a file of its own.
// VS Code activates it in a workspace that holds scenarios, for the Test Explorer, and when a .snpscenario file is opened. The server is another matter:
// it starts when a scenario is open or somebody looks at the tests.

import { type ExtensionContext, type TextDocument, workspace } from 'vscode';
import * as debug from './debug.ts';
import * as documentation from './documentation.ts';
import { LanguageServer } from './language-server.ts';
import * as memoryMap from './map/memory-map.ts';
import * as newScenario from './new-scenario.ts';
import * as serverCommands from './server-commands.ts';
import * as status from './status.ts';
import * as testing from './testing/index.ts';

let server: LanguageServer | undefined;

/** What the extension's own tests look into; nothing to build upon. */
export interface ForTests {
  readonly maps: memoryMap.MapsForTests;
}

/** Resolves as soon as the features are registered; the server goes on starting, so that opening a file waits for nothing. */
export function activate(context: ExtensionContext): ForTests {
  server = new LanguageServer(context);
  status.activate(context, server);
  serverCommands.activate(context, server);
  testing.activate(context, server);
  debug.activate(context, server);
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
