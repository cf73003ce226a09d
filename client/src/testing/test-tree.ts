// The tree of the Test Explorer: folders, files, scenarios. It holds what it is told and asks nobody.

import { Range, type TestController, type TestItem, type TestItemCollection, Uri, workspace } from 'vscode';
import type { ProtocolRange, ScenarioItem } from '../../../server/common/protocol.ts';

/** What an item of the tree stands for. */
export type ItemData =
  | { kind: 'folder' }
  | { kind: 'file'; uri: Uri }
  | { kind: 'scenario'; uri: Uri; id: string; name: string };

export const toRange = ({ start, end }: ProtocolRange): Range =>
  new Range(start.line, start.character, end.line, end.character);

export class TestTree {
  readonly #controller: TestController;
  readonly #data = new WeakMap<TestItem, ItemData>();
  /** By URI. */
  readonly #files = new Map<string, TestItem>();

  constructor(controller: TestController) {
    this.#controller = controller;
  }

  /** Files in the tree. */
  files(): Uri[] {
    return [...this.#files.values()].map((item) => item.uri as Uri);
  }

  has(uri: Uri): boolean {
    return this.#files.has(uri.toString());
  }

  file(uri: Uri): TestItem | undefined {
    return this.#files.get(uri.toString());
  }

  scenario(uri: Uri, id: string): TestItem | undefined {
    return this.file(uri)?.children.get(scenarioId(uri, id));
  }

  dataOf(item: TestItem): ItemData | undefined {
    return this.#data.get(item);
  }

  /** The scenarios at and below an item, in the tree's order. */
  *scenarios(item: TestItem): Iterable<TestItem> {
    if (this.#data.get(item)?.kind === 'scenario') yield item;
    else for (const child of sorted(item.children)) yield* this.scenarios(child);
  }

  /** Everything at the top, in the tree's order. */
  roots(): TestItem[] {
    return sorted(this.#controller.items);
  }

  /** Puts a file into the tree, or brings what is there up to date. @param error why it cannot be read */
  setFile(uri: Uri, scenarios: readonly ScenarioItem[], error?: string): void {
    // A file with nothing to run is no test.
    if (scenarios.length === 0 && error === undefined) {
      this.removeFile(uri);
      return;
    }
    const file = this.file(uri) ?? this.#addFile(uri);
    file.error = error;
    const gone = new Set([...file.children].map(([id]) => id));
    scenarios.forEach((scenario, index) => {
      const id = scenarioId(uri, scenario.id);
      gone.delete(id);
      const label = scenario.name.trim() || '(no name)';
      let item = file.children.get(id);
      if (item === undefined) {
        item = this.#controller.createTestItem(id, label, uri);
        this.#data.set(item, { kind: 'scenario', uri, id: scenario.id, name: scenario.name });
        file.children.add(item);
      }
      item.label = label;
      item.range = toRange(scenario.range);
      item.description = scenario.doc.split('\n')[0] ?? '';
      item.sortText = String(index).padStart(6, '0');
    });
    for (const id of gone) file.children.delete(id);
  }

  removeFile(uri: Uri): void {
    const file = this.file(uri);
    if (file === undefined) return;
    this.#files.delete(uri.toString());
    let { parent } = file;
    (parent?.children ?? this.#controller.items).delete(file.id);
    while (parent !== undefined && parent.children.size === 0) {
      const above: TestItem | undefined = parent.parent;
      (above?.children ?? this.#controller.items).delete(parent.id);
      parent = above;
    }
  }

  #addFile(uri: Uri): TestItem {
    const { folders, name, place } = placeOf(uri);
    let items = this.#controller.items;
    for (const folder of folders) items = this.#folder(items, folder).children;
    const item = this.#controller.createTestItem(uri.toString(), name, uri);
    // A letter: VS Code reads digits at the beginning as a number, and 12m.snpscenario would come after 1z.snpscenario.
    item.sortText = `b${name}`;
    item.description = place;
    this.#data.set(item, { kind: 'file', uri });
    items.add(item);
    this.#files.set(uri.toString(), item);
    return item;
  }

  #folder(items: TestItemCollection, { uri, name }: { uri: Uri; name: string }): TestItem {
    const id = `${uri.toString()}/`;
    let item = items.get(id);
    if (item === undefined) {
      item = this.#controller.createTestItem(id, name, uri);
      item.sortText = `a${name}`;
      this.#data.set(item, { kind: 'folder' });
      items.add(item);
    }
    return item;
  }
}

const scenarioId = (uri: Uri, id: string): string => `${uri.toString()}#${id}`;

const sorted = (items: TestItemCollection): TestItem[] =>
  [...items].map(([, item]) => item).sort((a, b) => ((a.sortText ?? '') < (b.sortText ?? '') ? -1 : 1));

/** The folders that a file is shown in: below its workspace folder, which is shown itself if there are several. Others stand at the top. */
function placeOf(uri: Uri): { folders: { uri: Uri; name: string }[]; name: string; place: string } {
  const segments = uri.path.split('/');
  const name = segments.pop() || uri.path;
  const workspaceFolder = workspace.getWorkspaceFolder(uri);
  if (workspaceFolder === undefined) {
    return { folders: [], name, place: uri.scheme === 'untitled' ? '' : segments.join('/') };
  }
  const several = (workspace.workspaceFolders?.length ?? 0) > 1;
  const folders = several ? [{ uri: workspaceFolder.uri, name: workspaceFolder.name }] : [];
  const below = uri.path.slice(workspaceFolder.uri.path.replace(/\/$/, '').length + 1).split('/');
  below.pop();
  let at = workspaceFolder.uri;
  for (const segment of below) {
    at = Uri.joinPath(at, segment);
    folders.push({ uri: at, name: segment });
  }
  return { folders, name, place: '' };
}
