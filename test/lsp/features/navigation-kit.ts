// Places as tests of navigation show them: `file:line:column text`, lines and columns from 1 as editors count them.

import type { Position, Range } from 'vscode-languageserver';
import { modelText } from '../../../engine/models/model.ts';
import type { Client, Json } from '../client.ts';

/** Texts of the files of a test, by URI. */
export type Texts = Map<string, string>;

export function shown(texts: Texts, uri: string, range: Range): string {
  const text = texts.get(uri) ?? modelText(`model:${uri.replace(/^snp-model:\//, '')}`) ?? '';
  const lines = text.split(/\r\n|\r|\n/);
  const { start, end } = range;
  const line = lines[start.line] ?? '';
  const word = start.line === end.line ? line.slice(start.character, end.character) : `${line.slice(start.character)}…`;
  return `${uri.replace(/^file:\/\/\/nav\//, '')}:${start.line + 1}:${start.character + 1} ${word}`.trimEnd();
}

/** What `definition`, `references` and the like answer; sorted. */
export async function places(
  client: Client,
  texts: Texts,
  method: string,
  uri: string,
  position: Position | undefined,
  more: Json = {},
): Promise<string[] | null> {
  const result: Json = await client.request(`textDocument/${method}`, { textDocument: { uri }, position, ...more });
  if (result === null) return null;
  return (result as Json[])
    .map((one) => shown(texts, one.targetUri ?? one.uri ?? uri, one.targetSelectionRange ?? one.range))
    .sort();
}

/** The texts after a workspace edit, only those that it changes. */
export function edited(texts: Texts, edit: Json): Record<string, string> {
  const files: [string, Json[]][] = edit.documentChanges
    ? edit.documentChanges.map((one: Json) => [one.textDocument.uri, one.edits])
    : Object.entries(edit.changes);
  return Object.fromEntries(
    files.map(([uri, edits]) => {
      const lines = (texts.get(uri) ?? '').split('\n');
      for (const { range, newText } of [...edits].reverse()) {
        const line = lines[range.start.line];
        lines[range.start.line] = line.slice(0, range.start.character) + newText + line.slice(range.end.character);
      }
      return [uri.replace(/^file:\/\/\/nav\//, ''), lines.join('\n')];
    }),
  );
}
