// Golden transcripts: what client and server said, as text that reads well in a diff. UPDATE_EXPECT=1 writes them anew.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from './client.ts';

const folder = join(import.meta.dirname, 'golden');

/** Compares with test/lsp/golden/<name>.txt. */
export function expectGolden(name: string, actual: string): void {
  const path = join(folder, `${name}.txt`);
  if (process.env.UPDATE_EXPECT) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, actual);
    return;
  }
  assert.ok(existsSync(path), `${path} does not exist: run with UPDATE_EXPECT=1`);
  assert.equal(actual, readFileSync(path, 'utf8'), 'UPDATE_EXPECT=1 accepts the change');
}

/** @param replacements what differs from run to run, with what stands for it */
export function transcript(client: Client, replacements: Record<string, string> = {}): string {
  const lines = client.transcript.map(({ from, message }) => {
    const { id, method, params, result, error } = message;
    const arrow = from === 'client' ? '-->' : '<--';
    const what = method ?? (error ? 'error' : 'result');
    const body = error ?? (method === undefined ? result : params);
    const number = id === undefined ? '' : ` #${id}`;
    return `${arrow} ${what}${number}${body === undefined ? '' : ` ${pretty(body)}`}\n`;
  });
  let text = lines.join('');
  for (const [from, to] of Object.entries(replacements)) text = text.replaceAll(from, to);
  return text
    .replaceAll(String(process.pid), '<pid>')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>')
    .replace(/"version": "\d+\.\d+\.\d+[^"]*"/, '"version": "<version>"');
}

/** JSON with positions and ranges on a line each. */
function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2)
    .replace(/\{\s*"line": (\d+),\s*"character": (\d+)\s*\}/g, '{ "line": $1, "character": $2 }')
    .replace(/\{\s*"start": (\{[^}]*\}),\s*"end": (\{[^}]*\})\s*\}/g, '{ "start": $1, "end": $2 }');
}
