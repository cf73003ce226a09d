// What looks at the state of a scenario, over real stdio with the server as it is packaged: hovers at places all over a document, hovers and hints right
// after a keystroke at the same place, and how long other requests wait while a long scenario is being run for a hint.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Client, fullCapabilities, type Json } from '../lsp/client.ts';
import { document, percentile } from './lsp.bench.ts';
import { type BenchRow, main, median } from './report.ts';

export const name = 'state';

const built = 'dist/server/main.js';
const server = existsSync(join(import.meta.dirname, '../..', built)) ? built : 'server/node/main.ts';
const uri = 'file:///bench/state.snpscenario';

const TURNS = 80;
const WARM_UP = 10;
/** Lines that an editor shows. */
const WINDOW = 60;

async function started(lines: readonly string[]): Promise<Client> {
  const client = new Client([server]);
  await client.initialize({
    ...fullCapabilities,
    textDocument: {
      ...fullCapabilities.textDocument,
      hover: { contentFormat: ['markdown'] },
      inlayHint: { resolveSupport: { properties: ['tooltip'] } },
    },
  });
  const verdict = client.diagnostics(uri, 1);
  client.open(uri, lines.join('\n'));
  await verdict;
  return client;
}

async function measure(what: string, shape: number[]): Promise<BenchRow[]> {
  const lines = document(shape);
  const client = await started(lines);
  const timed = async (run: () => Promise<unknown>): Promise<number> => {
    const start = performance.now();
    await run();
    return performance.now() - start;
  };
  const hover = (line: number, character: number): Promise<Json> =>
    client.request('textDocument/hover', { textDocument: { uri }, position: { line, character } });
  const hints = (line: number): Promise<Json> => {
    const range = { start: { line: line - WINDOW / 2, character: 0 }, end: { line: line + WINDOW / 2, character: 0 } };
    return client.request('textDocument/inlayHint', { textDocument: { uri }, range });
  };
  try {
    const rows: BenchRow[] = [];
    const steps = [...lines.keys()].filter((n) => /^ {2}(vmm|g|host|expect)\b/.test(lines[n]));
    const last = steps.at(-1) as number;
    rows.push({
      what: `the first hover, on the last step, ${what}`,
      value: await timed(() => hover(last, 4)),
      unit: 'ms',
    });

    // Where a reader's eye wanders: forwards and backwards, within a screen and across the file.
    let at = Math.floor(steps.length / 2);
    for (const [places, next] of [
      ['near the last place', (turn: number) => at + ((turn * 7) % 21) - 10],
      ['anywhere', (turn: number) => (turn * 7919) % steps.length],
    ] as const) {
      const times: number[] = [];
      for (let turn = 0; turn < WARM_UP + TURNS; turn++) {
        at = Math.max(0, Math.min(steps.length - 1, next(turn)));
        const line = steps[at];
        const column = [4, lines[line].indexOf('(') + 2, lines[line].length - 1][turn % 3];
        const took = await timed(() => hover(line, column));
        if (turn >= WARM_UP) times.push(took);
        at = Math.floor(steps.length / 2);
      }
      rows.push(row(`hover ${places}, ${what}`, times, places === 'anywhere' ? undefined : 20));
    }

    const middle = steps[Math.floor(steps.length / 2)];
    let version = 1;
    for (const [request, budget, run] of [
      ['hover right after a keystroke', 20, () => hover(middle, 4)],
      ['hints of a window right after a keystroke', 50, () => hints(middle)],
      ['hints of a window, once more', 20, () => hints(middle)],
    ] as const) {
      const times: number[] = [];
      for (let turn = 0; turn < WARM_UP + TURNS; turn++) {
        const isAgain = request.endsWith('more');
        const verdict = isAgain ? undefined : client.diagnostics(uri, ++version);
        if (!isAgain) client.edit(uri, version, middle, 2, turn % 2 === 0 ? 2 : 3, turn % 2 === 0 ? ' ' : '');
        const took = await timed(run);
        if (turn >= WARM_UP) times.push(took);
        await verdict;
      }
      rows.push(row(`${request}, ${what}`, times, budget));
    }
    return rows;
  } finally {
    await client.kill();
  }
}

const row = (what: string, times: readonly number[], budget: number | undefined): BenchRow => ({
  what: `${what}, p95`,
  value: percentile(times, 0.95),
  unit: 'ms',
  ...(budget === undefined ? {} : { budget }),
  note: `median ${median(times).toFixed(1)} ms`,
});

/** While a scenario of many thousand conversions is run for its hints: how long does a word wait for its explanation? */
async function besideLongRun(): Promise<BenchRow> {
  const lines = document([20]);
  lines.push(
    'scenario "long" {',
    '  for a in 0..1000 {',
    '    vmm.set_memory_attributes(g, 4K..60M, PRIVATE) => any',
    '    vmm.set_memory_attributes(g, 4K..60M, SHARED) => any',
    '  }',
    '}',
  );
  const client = new Client([server]);
  try {
    await client.initialize();
    client.open(uri, lines.join('\n'));
    const range = { start: { line: lines.length - 6, character: 0 }, end: { line: lines.length, character: 0 } };
    void client.ask('textDocument/inlayHint', { textDocument: { uri }, range });
    const times: number[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      const start = performance.now();
      await client.request('textDocument/hover', { textDocument: { uri }, position: { line: 3, character: 3 } });
      times.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return row('hover over a word while a long scenario is run for hints and verdict', times, 50);
  } finally {
    await client.kill();
  }
}

export async function run(): Promise<BenchRow[]> {
  if (server !== built) console.log(`  ${built} is missing: measuring ${server}`);
  return [
    ...(await measure('2,000 steps in one scenario', [2003])),
    ...(await measure('20,000 lines in 200 scenarios', Array(200).fill(100))),
    await besideLongRun(),
  ];
}

await main(import.meta, run);
