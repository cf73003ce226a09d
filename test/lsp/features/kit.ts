// Tests of language features: a document with markers in it, and a server that it is opened in. A marker is `‸`, or `‸name‸` where a test needs more
// than one; `«` and `»` enclose a range.

import assert from 'node:assert/strict';
import type { Position, Range } from 'vscode-languageserver';
import { Client, fullCapabilities, type Json, realServer } from '../client.ts';

export interface Marked {
  text: string;
  /** By name; the one without a name is ''. */
  at: Record<string, Position>;
  /** In the order they begin. */
  ranges: Range[];
}

/** Takes the markers out of a text. */
export function marked(source: string): Marked {
  const at: Record<string, Position> = {};
  const ranges: Range[] = [];
  const open: Range[] = [];
  let text = '';
  let position: Position = { line: 0, character: 0 };
  const pattern = /‸(?:(\w+)‸)?|«|»|[^‸«»]+/gu;
  for (const [piece, name] of source.matchAll(pattern)) {
    if (piece.startsWith('‸')) at[name ?? ''] = position;
    else if (piece === '«') {
      const range = { start: position, end: position };
      ranges.push(range);
      open.push(range);
    } else if (piece === '»') {
      const range = open.pop();
      assert.ok(range, 'a » without a «');
      range.end = position;
    } else {
      text += piece;
      const lines = piece.split('\n');
      const last = lines.at(-1) ?? '';
      position =
        lines.length > 1
          ? { line: position.line + lines.length - 1, character: last.length }
          : { line: position.line, character: position.character + last.length };
    }
  }
  assert.equal(open.length, 0, 'a « without a »');
  return { text, at, ranges };
}

let started = 0;

/** A real server, initialized with these capabilities beyond {@link fullCapabilities}. `after(killLeftovers)` ends it. */
export async function startServer(capabilities: Json = {}, more: Json = {}): Promise<Client> {
  const client = new Client(realServer);
  await client.initialize(
    {
      ...fullCapabilities,
      ...capabilities,
      textDocument: { ...fullCapabilities.textDocument, ...capabilities.textDocument },
    },
    more,
  );
  return client;
}

/** Opens a text with markers, and waits for its first verdict. */
export async function openMarked(client: Client, source: string, uri?: string): Promise<Marked & { uri: string }> {
  const document = marked(source);
  const name = uri ?? `file:///features/${started++}.snpscenario`;
  const verdict = client.diagnostics(name, 1);
  client.open(name, document.text);
  await verdict;
  return { ...document, uri: name };
}
