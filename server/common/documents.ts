// The documents open in the editor, kept in step by incremental edits. What a client sends is checked before anything is changed: a
// message of a wrong shape leaves the document as it was and an edit out of range is moved to the nearest place in the document.

import {
  type Connection,
  type Position,
  type TextDocumentContentChangeEvent,
  TextDocuments,
} from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { isObject, member } from './client-features.ts';
import { canonicalUri, pathOf } from './uri.ts';

export interface DocumentEvents {
  /** Opened, or opened anew with another text. */
  opened(uri: string): void;
  changed(uri: string): void;
  closed(uri: string): void;
}

/** Open documents by canonical URI. */
export class Documents {
  readonly #open = new Map<string, TextDocument>();

  get(uri: string): TextDocument | undefined {
    return this.#open.get(uri);
  }

  uris(): string[] {
    return [...this.#open.keys()];
  }

  /** The client's spelling of a canonical URI. */
  spelling(uri: string): string {
    return this.#open.get(uri)?.uri ?? uri;
  }

  isScenario(uri: string): boolean {
    const document = this.#open.get(uri);
    return document !== undefined && (document.languageId === 'snpscenario' || pathOf(uri).endsWith('.snpscenario'));
  }

  listen(connection: Connection, events: DocumentEvents): void {
    const synced = new TextDocuments({ create, update });
    let isOpening = false;
    synced.onDidOpen(({ document }) => {
      const uri = canonicalUri(document.uri);
      this.#open.set(uri, document);
      isOpening = true; // the library fires a change after it
      events.opened(uri);
    });
    synced.onDidChangeContent(({ document }) => {
      if (!isOpening) events.changed(canonicalUri(document.uri));
      isOpening = false;
    });
    synced.onDidClose(({ document }) => {
      const uri = canonicalUri(document.uri);
      if (this.#open.get(uri) !== document) return;
      this.#open.delete(uri);
      events.closed(uri);
    });
    synced.listen(connection);
  }
}

function create(uri: unknown, languageId: unknown, version: unknown, text: unknown): TextDocument {
  if (typeof uri !== 'string') throw new TypeError('the document has no URI');
  if (typeof text !== 'string') throw new TypeError('the document has no text');
  const language = typeof languageId === 'string' ? languageId : '';
  return TextDocument.create(uri, language, typeof version === 'number' ? version : 0, text);
}

function update(document: TextDocument, changes: unknown, version: unknown): TextDocument {
  if (!Array.isArray(changes)) throw new TypeError('contentChanges is no array');
  const checked = changes.map(checkedChange);
  const next = typeof version === 'number' ? version : document.version + 1;
  // One by one: the range of each means the text that those before it have left.
  for (const change of checked) TextDocument.update(document, [withinDocument(document, change)], next);
  return document;
}

type Change = { text: string; range?: { start: Position; end: Position } };

function checkedChange(change: unknown): Change {
  const text = member(change, 'text');
  if (typeof text !== 'string') throw new TypeError('a change has no text');
  const range = member(change, 'range');
  if (range === undefined || range === null) return { text };
  return {
    text,
    range: { start: checkedPosition(member(range, 'start')), end: checkedPosition(member(range, 'end')) },
  };
}

function checkedPosition(position: unknown): Position {
  const line = member(position, 'line');
  const character = member(position, 'character');
  if (!isObject(position) || !isCount(line) || !isCount(character))
    throw new TypeError('a position has no line and character');
  return { line: Math.max(0, Math.floor(line)), character: Math.max(0, Math.floor(character)) };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && !Number.isNaN(value);
}

function withinDocument(document: TextDocument, change: Change): TextDocumentContentChangeEvent {
  if (!change.range) return change;
  const place = (position: Position) => document.positionAt(document.offsetAt(position));
  const [start, end] = [place(change.range.start), place(change.range.end)];
  const isReversed = start.line > end.line || (start.line === end.line && start.character > end.character);
  return { text: change.text, range: isReversed ? { start: end, end: start } : { start, end } };
}
