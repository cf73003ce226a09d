// What an editor asks for beside the verdict, over real stdio with the server as it is packaged: colours, outline, folding, definitions, references,
// formatting. Each is asked for right after a keystroke, as editors do, so nothing that was found before the edit is enough.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type Json } from '../lsp/client.ts';
import { document, percentile } from './lsp.bench.ts';
import { type BenchRow, main, median } from './report.ts';

export const name = 'navigation';

const built = 'dist/server/main.js';
const server = existsSync(join(import.meta.dirname, '../..', built)) ? built : 'server/node/main.ts';
const uri = 'file:///bench/navigation.snpscenario';

const TURNS = 40;
const WARM_UP = 5;

async function measure(what: string, shape: number[]): Promise<BenchRow[]> {
  const lines = document(shape);
  const client = new Client([server]);
  try {
    await client.initialize({
      textDocument: {
        publishDiagnostics: { versionSupport: true },
        semanticTokens: { augmentsSyntaxTokens: true },
        documentSymbol: { hierarchicalDocumentSymbolSupport: true },
      },
    });
    const verdict = client.diagnostics(uri, 1);
    client.open(uri, lines.join('\n'));
    await verdict;
    const textDocument = { uri };
    const step = lines.findIndex((line, i) => i > lines.length / 2 && line.includes('.pvalidate('));
    // The name of the guest, whether a space was put before it or not.
    const at = { line: step, character: 3 };
    const options = { tabSize: 2, insertSpaces: true };
    let resultId: string = (await client.request('textDocument/semanticTokens/full', { textDocument })).resultId;
    const window = { start: { line: step - 20, character: 0 }, end: { line: step + 60, character: 0 } };
    const asked: [string, number | undefined, () => Promise<Json>][] = [
      [
        'semantic tokens, what has changed',
        50,
        async () => {
          const answer = await client.request('textDocument/semanticTokens/full/delta', {
            textDocument,
            previousResultId: resultId,
          });
          resultId = answer.resultId;
        },
      ],
      ['semantic tokens, a window', 50, () => ask('semanticTokens/range', { range: window })],
      ['semantic tokens, all', 50, () => ask('semanticTokens/full')],
      ['definition', 20, () => ask('definition', { position: at })],
      ['highlights', 50, () => ask('documentHighlight', { position: at })],
      ['references', undefined, () => ask('references', { position: at, context: { includeDeclaration: true } })],
      ['outline', 50, () => ask('documentSymbol')],
      ['folding', 50, () => ask('foldingRange')],
      ['a newline formatted', 50, () => ask('onTypeFormatting', { position: at, ch: '\n', options })],
      ['all formatted', undefined, () => ask('formatting', { options })],
    ];
    const ask = (method: string, more: Json = {}): Promise<Json> =>
      client.request(`textDocument/${method}`, { textDocument, ...more });

    const rows: BenchRow[] = [];
    let version = 1;
    for (const [request, budget, run] of asked) {
      const times: number[] = [];
      for (let turn = 0; turn < WARM_UP + TURNS; turn++) {
        const isEven = turn % 2 === 0;
        const verdict = client.diagnostics(uri, ++version);
        client.edit(uri, version, step, 2, isEven ? 2 : 3, isEven ? ' ' : '');
        const start = performance.now();
        await run();
        if (turn >= WARM_UP) times.push(performance.now() - start);
        await verdict;
      }
      rows.push({
        what: `${request}, ${what}, p95`,
        value: percentile(times, 0.95),
        unit: 'ms',
        ...(budget === undefined ? {} : { budget }),
        note: `median ${median(times).toFixed(1)} ms`,
      });
    }
    return rows;
  } finally {
    await client.kill();
  }
}

export async function run(): Promise<BenchRow[]> {
  if (server !== built) console.log(`  ${built} is missing: measuring ${server}`);
  return [
    ...(await measure('2,000 steps in one scenario', [2003])),
    ...(await measure('20,000 lines in 200 scenarios', Array(200).fill(100))),
  ];
}

await main(import.meta, run);
