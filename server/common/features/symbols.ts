// What files declare: the outline of a document (scenarios, and the functions of C and patches in use), and finding a declaration by name in all known
// files. Requests: textDocument/documentSymbol, workspace/symbol.

import { type DocumentSymbol, type SymbolInformation, SymbolKind, type WorkspaceSymbol } from 'vscode-languageserver';
import { type OutlineItem, type OutlineKind, outline } from '../../../engine/assist/outline.ts';
import type { Range } from '../../../engine/base/diagnostic.ts';
import { parse } from '../../../engine/scenario/parse.ts';
import { member } from '../client-features.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { scenarioFiles, textOf } from './known-files.ts';
import { openPrograms, pathOfUri, programsWith, rangeIn, uriOf } from './locations.ts';
import { documentOf, type OpenDocument, openDocument } from './place.ts';

const kinds: Record<OutlineKind, SymbolKind> = {
  use: SymbolKind.Module,
  import: SymbolKind.Module,
  stub: SymbolKind.Function,
  host: SymbolKind.Object,
  guest: SymbolKind.Class,
  slot: SymbolKind.Field,
  let: SymbolKind.Constant,
  sequence: SymbolKind.Function,
  invariant: SymbolKind.Property,
  scenario: SymbolKind.Event,
};

/** Answers to a workspace query; an editor shows a list that a person reads. */
const most = 500;

export const symbols: Feature = {
  capabilities: () => ({ documentSymbolProvider: true, workspaceSymbolProvider: true }),
  listen(context: FeatureContext): void {
    const { connection } = context;
    connection.onDocumentSymbol((params): DocumentSymbol[] | SymbolInformation[] | null => {
      const open = documentOf(context, params);
      if (open === undefined) return null;
      const found = open.isScenario ? ofScenario(open) : ofC(context, open);
      if (context.client().declares('textDocument', 'documentSymbol', 'hierarchicalDocumentSymbolSupport'))
        return found;
      return flat(found, open.document.uri);
    });
    connection.onWorkspaceSymbol((params): (SymbolInformation | WorkspaceSymbol)[] => {
      const query = member(params, 'query');
      return inWorkspace(context, typeof query === 'string' ? query : '');
    });
  },
};

function ofScenario(open: OpenDocument): DocumentSymbol[] {
  const { text, tree } = open.view().analysis;
  if (tree.length !== text.length) return [];
  const symbol = (item: OutlineItem): DocumentSymbol => ({
    name: item.name,
    ...(item.detail === '' ? {} : { detail: item.detail }),
    kind: kinds[item.kind],
    range: { start: open.document.positionAt(item.start), end: open.document.positionAt(item.end) },
    selectionRange: { start: open.document.positionAt(item.nameStart), end: open.document.positionAt(item.nameEnd) },
    ...(item.children.length === 0 ? {} : { children: item.children.map(symbol) }),
  });
  return outline(text, tree).map(symbol);
}

/** The functions that a C file or patch brings to open scenarios. */
function ofC(context: FeatureContext, open: OpenDocument): DocumentSymbol[] {
  const path = pathOfUri(open.uri);
  const [program] = programsWith(context, path);
  const found: DocumentSymbol[] = [];
  for (const { name, location, nameLocation, active } of program?.outline.functions ?? []) {
    if (location.path !== path || nameLocation.path !== path) continue;
    found.push({
      name,
      ...(active ? {} : { detail: 'replaced' }),
      kind: SymbolKind.Function,
      range: around(location.range, nameLocation.range),
      selectionRange: nameLocation.range,
    });
  }
  return found.sort((a, b) => a.range.start.line - b.range.start.line);
}

const isBefore = (a: Range['start'], b: Range['start']): boolean =>
  a.line < b.line || (a.line === b.line && a.character < b.character);

/** The range, and the other one if it should stick out. */
function around(range: Range, inner: Range): Range {
  return {
    start: isBefore(inner.start, range.start) ? inner.start : range.start,
    end: isBefore(range.end, inner.end) ? inner.end : range.end,
  };
}

function flat(found: readonly DocumentSymbol[], uri: string, containerName?: string): SymbolInformation[] {
  return found.flatMap(({ name, kind, range, children }) => [
    { name, kind, location: { uri, range }, ...(containerName === undefined ? {} : { containerName }) },
    ...flat(children ?? [], uri, name),
  ]);
}

// ---------------------------------------------------------------- workspace

interface FileOutline {
  text: string;
  items: OutlineItem[];
}
/** Of files that have been looked at, by URI: a query comes with every key. */
const outlines = new WeakMap<FeatureContext['files'], Map<string, FileOutline>>();

function outlineOf(context: FeatureContext, uri: string): FileOutline | undefined {
  let known = outlines.get(context.files);
  if (known === undefined) {
    known = new Map();
    outlines.set(context.files, known);
  }
  const text = textOf(context, uri);
  if (text === undefined) {
    known.delete(uri);
    return undefined;
  }
  const before = known.get(uri);
  if (before?.text === text) return before;
  const open = openDocument(context, uri);
  const tree = open?.isScenario ? open.view().analysis.tree : parse(text).tree;
  const now = { text, items: tree.length === text.length ? outline(text, tree) : [] };
  known.set(uri, now);
  return now;
}

/** Kinds that are looked for by name. */
const sought: ReadonlySet<OutlineKind> = new Set(['guest', 'let', 'sequence', 'invariant', 'scenario']);

function inWorkspace(context: FeatureContext, query: string): SymbolInformation[] {
  const found: SymbolInformation[] = [];
  for (const uri of scenarioFiles(context)) {
    for (const { kind, name, nameStart, nameEnd } of outlineOf(context, uri)?.items ?? []) {
      if (!sought.has(kind) || !matches(name, query)) continue;
      const location = { uri: uriOf(context, uri), range: rangeIn(context, uri, nameStart, nameEnd) };
      found.push({ name, kind: kinds[kind], location, containerName: uri.slice(uri.lastIndexOf('/') + 1) });
      if (found.length >= most) return found;
    }
  }
  const seen = new Set<string>();
  for (const { program } of openPrograms(context)) {
    for (const { name, override, nameLocation } of program.outline.functions) {
      // What the user's own C brings; the models are ours.
      const key = `${nameLocation.path} ${name}`;
      if (!override || seen.has(key) || !matches(name, query)) continue;
      seen.add(key);
      const { path, range } = nameLocation;
      const location = { uri: uriOf(context, path), range };
      found.push({
        name,
        kind: SymbolKind.Function,
        location,
        containerName: path.slice(path.lastIndexOf('/') + 1),
      });
      if (found.length >= most) return found;
    }
  }
  return found;
}

/** The letters of the query stand in the name in their order, as the protocol suggests. */
function matches(name: string, query: string): boolean {
  const text = name.toLowerCase();
  let at = 0;
  for (const letter of query.toLowerCase().replace(/\s+/g, '')) {
    at = text.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}
