// The extension in Node: the language server is a process of its own, the debug adapter a bundle that is loaded with the first session.
// VS Code activates it in a workspace that holds scenarios, for the Test Explorer, and when a .snpscenario file is opened. The server is another matter:
// it starts when a scenario is open or somebody looks at the tests.

import { createRequire } from 'node:module';
import type { ExtensionContext } from 'vscode';
import { LanguageClient, type ServerOptions, TransportKind } from 'vscode-languageclient/node';
import { activateFeatures, type ForTests } from './features.ts';

export { deactivate, type ForTests } from './features.ts';

export function activate(context: ExtensionContext): ForTests {
  return activateFeatures(context, {
    createClient: (_context, options) =>
      new LanguageClient('snpScenario', 'SNP Scenario', serverOptions(context), options),
    loadAdapter: async () => {
      const bundle = context.asAbsolutePath('dist/debug/adapter.js');
      return createRequire(bundle)(bundle);
    },
  });
}

function serverOptions(context: ExtensionContext): ServerOptions {
  const module = context.asAbsolutePath('dist/server/main.js');
  return {
    run: { module, transport: TransportKind.ipc },
    debug: { module, transport: TransportKind.ipc, options: { execArgv: ['--nolazy', '--inspect=6009'] } },
  };
}
