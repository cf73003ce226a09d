// Changes on disk. Asks a client that can to watch what scenarios use: everything in the workspace that looks like a scenario, C or a
// patch, and the folders of files in use that this does not cover. Whoever cannot watch loses nothing but promptness: before each check
// the files in use are looked at again.
// Requests: workspace/didChangeWatchedFiles, client/registerCapability.

import { type Connection, DidChangeWatchedFilesNotification, type Disposable } from 'vscode-languageserver';
import { type ClientFeatures, member } from './client-features.ts';
import { canonicalUri, folderOf, isInFolder, pathOf, schemeOf } from './uri.ts';

const pattern = '**/*.{snpscenario,c,h,patch,diff,mbox,mbox.txt}';
const covered = /\.(snpscenario|c|h|patch|diff|mbox|mbox\.txt)$/;

export class WatchedFiles {
  #connection: Connection | undefined;
  #features: ClientFeatures | undefined;
  /** Folders watched beyond the workspace. */
  #folders: string[] = [];
  #registered: Promise<Disposable | undefined> = Promise.resolve(undefined);

  listen(connection: Connection, changedOnDisk: (uri: string) => void): void {
    connection.onDidChangeWatchedFiles((params) => {
      const changes = member(params, 'changes');
      if (!Array.isArray(changes)) return;
      const uris = changes.map((change) => member(change, 'uri')).filter((uri) => typeof uri === 'string');
      for (const uri of new Set(uris.map(canonicalUri))) changedOnDisk(uri);
    });
  }

  initialized(connection: Connection, features: ClientFeatures): void {
    this.#connection = connection;
    this.#features = features;
    if (features.watchFiles) void this.#register([{ globPattern: pattern }]);
  }

  /** The files that open scenarios use now. */
  use(files: ReadonlySet<string>): void {
    const features = this.#features;
    if (!features?.watchFiles || !features.watchFolders) return;
    const isWatched = (file: string) =>
      covered.test(pathOf(file)) && features.folders.some((folder) => isInFolder(file, folder));
    const canChange = (file: string) =>
      schemeOf(file) === 'file' || (features.readFile && schemeOf(file) !== 'unsaved');
    const missing = [...files].filter((file) => canChange(file) && !isWatched(file));
    const folders = [...new Set(missing.map(folderOf))].sort();
    if (folders.join('\n') === this.#folders.join('\n')) return;
    this.#folders = folders;
    const before = this.#registered;
    this.#registered = before.then(async (registration) => {
      registration?.dispose();
      if (!folders.length || folders !== this.#folders) return undefined;
      return this.#register(folders.map((baseUri) => ({ globPattern: { baseUri, pattern: '*' } })));
    });
  }

  async #register(watchers: { globPattern: string | { baseUri: string; pattern: string } }[]) {
    try {
      return await this.#connection?.client.register(DidChangeWatchedFilesNotification.type, { watchers });
    } catch {
      return undefined; // the client changed its mind
    }
  }
}
