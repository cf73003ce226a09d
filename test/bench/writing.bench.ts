// What a user waits for while writing: from a key to the list that it opens, to the parameters of the call, to the fixes of a line. Over real stdio, in
// documents of 2,000 and 20,000 lines; each list is asked for right behind the keystroke, before there can be a verdict on it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type Json } from '../lsp/client.ts';
import { document, percentile, random } from './lsp.bench.ts';
import { type BenchRow, main, median } from './report.ts';

export const name = 'writing';

const built = 'dist/server/main.js';
const server = existsSync(join(import.meta.dirname, '../..', built)) ? built : 'server/node/main.ts';
const uri = 'file:///bench/writing.snpscenario';

const TURNS = 60;
const WARM_UP = 10;

const capabilities = {
  textDocument: {
    publishDiagnostics: { versionSupport: true },
    completion: {
      completionItem: {
        snippetSupport: true,
        labelDetailsSupport: true,
        documentationFormat: ['markdown'],
        resolveSupport: { properties: ['documentation'] },
      },
    },
    codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: [] } } },
  },
};

interface Place {
  what: string;
  method: string;
  /** A line that is put into a scenario; its last character is the keystroke. */
  typed: string;
  budget?: number;
}

const places: Place[] = [
  { what: 'operations', method: 'completion', typed: '  vmm.', budget: 20 },
  { what: 'operands', method: 'completion', typed: '  vmm.set_memory_attributes(g, ', budget: 20 },
  { what: 'outcomes, what happens first', method: 'completion', typed: '  g.read(64K) => ', budget: 20 },
  { what: 'fields', method: 'completion', typed: '  expect rmp(g, 64K) is { ', budget: 20 },
  { what: 'C functions', method: 'completion', typed: '  kernel.', budget: 20 },
  { what: 'signature', method: 'signatureHelp', typed: '  g.pvalidate(0, ', budget: 20 },
];

async function measure(shape: number[], what: string): Promise<BenchRow[]> {
  const lines = document(shape);
  const client = new Client([server]);
  const rows: BenchRow[] = [];
  try {
    await client.initialize(capabilities);
    const first = client.diagnostics(uri, 1);
    client.open(uri, lines.join('\n'));
    await first;
    let version = 1;
    const edit = (line: number, from: number, to: number, text: string): void =>
      client.edit(uri, ++version, line, from, to, text);
    const insertable = lines.flatMap((line, i) => (line.startsWith('  vmm.') || line.startsWith('  g.') ? [i] : []));
    for (const place of places) {
      const pick = random(7);
      const times: number[] = [];
      for (let turn = 0; turn < WARM_UP + TURNS; turn++) {
        const line = insertable[pick(insertable.length)];
        const before = place.typed.slice(0, -1);
        edit(line, 0, 0, `${before}\n`);
        await client.diagnostics(uri, version);
        const at = { line, character: place.typed.length };
        const start = performance.now();
        edit(line, before.length, before.length, place.typed.slice(-1));
        const answer: Json = await client.request(`textDocument/${place.method}`, {
          textDocument: { uri },
          position: at,
        });
        if (turn >= WARM_UP) times.push(performance.now() - start);
        if ((answer?.items ?? answer?.signatures ?? []).length === 0) throw new Error(`nothing at “${place.typed}”`);
        const settled = client.diagnostics(uri, version + 1);
        client.notify('textDocument/didChange', {
          textDocument: { uri, version: ++version },
          contentChanges: [
            { range: { start: { line, character: 0 }, end: { line: line + 1, character: 0 } }, text: '' },
          ],
        });
        await settled;
      }
      rows.push({
        what: `${place.method}, ${place.what}, ${what}, p95`,
        value: percentile(times, 0.95),
        unit: 'ms',
        ...(place.budget === undefined ? {} : { budget: place.budget }),
        note: `median ${median(times).toFixed(1)} ms`,
      });
    }
  } finally {
    await client.kill();
  }
  return rows;
}

export async function run(): Promise<BenchRow[]> {
  if (server !== built) console.log(`  ${built} is missing: measuring ${server}`);
  return [
    ...(await measure([2003], '2,000 lines in one scenario')),
    ...(await measure(Array(200).fill(100), '20,000 lines in 200 scenarios')),
  ];
}

await main(import.meta, run);
