// Finds the scenarios of the workspace, opened or not, and keeps the tree up with the files on disk. The editor lists the files, so that it works in
// virtual workspaces too; the server says what is in them. Documents that are open are kept up by their verdicts, see index.ts.
// Requests to the server: snpScenario/discover.

import { type CancellationToken, type Disposable, type ExtensionContext, Uri, workspace } from 'vscode';
import { type DiscoveredFile, type DiscoverResult, discoverRequest } from '../../../server/common/protocol.ts';
import type { LanguageServer } from '../language-server.ts';
import { excludedFiles, onExcludedFilesChanged } from './exclude.ts';
import type { TestTree } from './test-tree.ts';

const scenarioFiles = '**/*.snpscenario';

/** Changes on disk are collected for this long, ms: a checkout changes many files at once. */
const collect = 200;

export class Discovery implements Disposable {
  readonly #server: LanguageServer;
  readonly #tree: TestTree;
  readonly #changedOnDisk: (uri: Uri) => void;
  /** Files of the workspace, by URI. */
  readonly #listed = new Set<string>();
  #listing: Promise<void> | undefined;
  #isStarted = false;
  readonly #touched = new Set<string>();
  #needsListing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param changedOnDisk called with a scenario file whose text may be another now */
  constructor(context: ExtensionContext, server: LanguageServer, tree: TestTree, changedOnDisk: (uri: Uri) => void) {
    this.#server = server;
    this.#tree = tree;
    this.#changedOnDisk = changedOnDisk;
    const watcher = workspace.createFileSystemWatcher(scenarioFiles);
    const relist = () => this.#later(undefined);
    context.subscriptions.push(
      this,
      watcher,
      watcher.onDidCreate(relist),
      watcher.onDidChange((uri) => this.#later(uri)),
      watcher.onDidDelete(relist),
      // A folder that goes takes its files with it, without a word about each on some systems.
      workspace.onDidDeleteFiles(relist),
      workspace.onDidRenameFiles(relist),
      workspace.onDidChangeWorkspaceFolders(relist),
      onExcludedFilesChanged(relist),
    );
  }

  /** Resolves when every file of the workspace has been looked at once. */
  start(): Promise<void> {
    this.#isStarted = true;
    this.#listing ??= this.refresh();
    return this.#listing;
  }

  /** Looks at everything anew. */
  async refresh(token?: CancellationToken): Promise<void> {
    const uris = await this.#list(token);
    await this.look(uris, token);
  }

  /** Whether a file is one of the workspace, rather than only open in the editor. */
  isListed(uri: Uri): boolean {
    return this.#listed.has(uri.toString());
  }

  /** Puts what stands in the files into the tree. */
  async look(uris: readonly Uri[], token?: CancellationToken): Promise<void> {
    if (uris.length === 0) return;
    const take = ({ uri, scenarios, error }: DiscoveredFile) => this.#tree.setFile(Uri.parse(uri), scenarios, error);
    await this.#server.stream<DiscoverResult, DiscoverResult>(
      discoverRequest,
      { uris: uris.map((uri) => uri.toString()) },
      ({ files }) => files.forEach(take),
      token,
    );
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }

  /** Lists the files of the workspace; those that are gone leave the tree. */
  async #list(token?: CancellationToken): Promise<Uri[]> {
    const uris = await workspace.findFiles(scenarioFiles, excludedFiles(), undefined, token);
    const now = new Set(uris.map((uri) => uri.toString()));
    for (const uri of this.#tree.files()) {
      if (now.has(uri.toString()) || !this.#listed.has(uri.toString())) continue;
      if (!isOpen(uri)) this.#tree.removeFile(uri);
    }
    this.#listed.clear();
    for (const uri of now) this.#listed.add(uri);
    return uris;
  }

  #later(changed: Uri | undefined): void {
    if (!this.#isStarted) return;
    if (changed === undefined) this.#needsListing = true;
    else this.#touched.add(changed.toString());
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#catchUp().catch((error) => this.#server.output.warn(`Scenarios on disk: ${String(error)}`));
    }, collect);
  }

  async #catchUp(): Promise<void> {
    const touched = [...this.#touched];
    this.#touched.clear();
    const before = new Set(this.#listed);
    const fresh: Uri[] = [];
    if (this.#needsListing) {
      this.#needsListing = false;
      fresh.push(...(await this.#list()).filter((uri) => !before.has(uri.toString())));
    }
    const changed = touched.map((uri) => Uri.parse(uri)).filter((uri) => this.isListed(uri));
    await this.look([...fresh, ...changed.filter((uri) => !isOpen(uri))]);
    for (const uri of [...fresh, ...changed]) this.#changedOnDisk(uri);
  }
}

export const isOpen = (uri: Uri): boolean =>
  workspace.textDocuments.some((document) => document.uri.toString() === uri.toString());
