// The extension in a browser (vscode.dev, code-server's web extension host): the language server is a worker, the debug adapter runs here. Both are one
// bundle (server/browser/main.ts), whose text is read like any file of the extension: where extensions come from another origin, a worker can be made of
// nothing else.

import { type ExtensionContext, Uri, workspace } from 'vscode';
import { BrowserMessageReader, BrowserMessageWriter, LanguageClient } from 'vscode-languageclient/browser';
import type { AdapterBundle } from './debug.ts';
import { activateFeatures, type ForTests } from './features.ts';

export { deactivate } from './features.ts';

/** The part of a browser that is used here: its types and Node's do not go together. */
declare const Worker: new (url: string) => object;
declare const Blob: new (parts: Uint8Array[], options: { type: string }) => object;
declare const URL: { createObjectURL(blob: object): string; revokeObjectURL(url: string): void };

export function activate(context: ExtensionContext): ForTests {
  const read = () => workspace.fs.readFile(Uri.joinPath(context.extensionUri, 'dist', 'web', 'server.js'));
  const startWorker = async () => {
    const url = URL.createObjectURL(new Blob([await read()], { type: 'text/javascript' }));
    const worker = new Worker(url);
    // The worker reads it in its own time.
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    // As a pair: the extension host has a Worker class of its own, which the client's own check does not take for one.
    return { reader: new BrowserMessageReader(worker as never), writer: new BrowserMessageWriter(worker as never) };
  };
  return activateFeatures(context, {
    createClient: (_context, options) => new LanguageClient('snpScenario', 'SNP Scenario', startWorker, options),
    loadAdapter: async () => {
      const exports = {};
      new Function('adapterExports', new TextDecoder().decode(await read()))(exports);
      return exports as AdapterBundle;
    },
  });
}
