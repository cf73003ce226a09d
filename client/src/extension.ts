// The extension: starts the language server and the features around it, each in a file of its own.
// VS Code activates it when the first .snpscenario file is opened, and for nothing else.

import type { ExtensionContext } from 'vscode';
import * as debug from './debug.ts';
import { LanguageServer } from './language-server.ts';
import * as serverCommands from './server-commands.ts';
import * as serverStatus from './server-status.ts';

let server: LanguageServer | undefined;

/** Resolves as soon as the features are registered; the server goes on starting, so that opening a file waits for nothing. */
export function activate(context: ExtensionContext): void {
  server = new LanguageServer(context);
  serverStatus.activate(context, server);
  serverCommands.activate(context, server);
  debug.activate(context);
  void server.start();
}

/** VS Code waits for this before it ends the extension host, so that the server is told and does not outlive it. */
export function deactivate(): Promise<void> | undefined {
  return server?.stop();
}
