// Golden transcripts: whole conversations as text that reads well in a diff. UPDATE_EXPECT=1 writes them anew.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DebugClient, Json, WireMessage } from './client.ts';

/** Compares with test/dap/<name>.txt. @param replacements what differs from machine to machine, with what stands for it */
export function expectGolden(name: string, client: DebugClient, replacements: Record<string, string> = {}): void {
  let actual = client.transcript.map(line).join('');
  for (const [from, to] of Object.entries(replacements)) actual = actual.replaceAll(from, to);
  const path = join(import.meta.dirname, `${name}.txt`);
  if (process.env.UPDATE_EXPECT) {
    writeFileSync(path, actual);
    return;
  }
  assert.ok(existsSync(path), `${path} does not exist: run with UPDATE_EXPECT=1`);
  assert.equal(actual, readFileSync(path, 'utf8'), 'UPDATE_EXPECT=1 accepts the change');
}

function line({ type, command, event, arguments: args, body, success, message }: WireMessage): string {
  const shown = JSON.parse(JSON.stringify(body ?? null), steady) ?? undefined;
  if (type === 'request') return `--> ${command}${args === undefined ? '' : ` ${JSON.stringify(args)}`}\n`;
  if (type === 'event') return `<-- ${event}${shown === undefined ? '' : ` ${JSON.stringify(shown)}`}\n`;
  if (success === false) return `<-- ${command} refused: ${message}\n`;
  return `<-- ${command} ok${shown === undefined ? '' : ` ${pretty(shown)}`}\n`;
}

/** What changes with the bundled models and the catalogue of rules is left out: lines of model files, addresses of code, and the list of filters. */
function steady(key: string, value: Json): Json {
  if (key === 'exceptionBreakpointFilters') return '…';
  if (key === 'instructionPointerReference') return undefined;
  if (typeof value?.source?.path !== 'string' || !value.source.path.startsWith('model:')) return value;
  const { line: _, column: __, endLine: ___, endColumn: ____, ...rest } = value;
  return rest;
}

/** One line for each element of a list. */
function pretty(body: Json): string {
  const parts = Object.entries(body).map(([key, value]) => {
    if (!Array.isArray(value) || value.length === 0 || typeof value[0] !== 'object')
      return `${key} ${JSON.stringify(value)}`;
    return `${key} [\n${value.map((one) => `      ${JSON.stringify(one)}\n`).join('')}    ]`;
  });
  return parts.join(' ');
}
