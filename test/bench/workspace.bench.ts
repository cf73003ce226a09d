// A workspace of a thousand scenario files: how long until the Test Explorer knows them, how long a run of all of them takes, and what somebody who
// types meanwhile notices of it. Over real stdio with the server as it is packaged.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client, fullCapabilities } from '../lsp/client.ts';
import { type BenchRow, main } from './report.ts';

export const name = 'workspace';

const built = 'dist/server/main.js';
const server = existsSync(join(import.meta.dirname, '../..', built)) ? built : 'server/node/main.ts';

const FILES = 1000;
/** Keystrokes during the run. */
const KEYS = 60;

const text = (number: number): string => `use kernel "kvm-rfc-v8"

guest g {
  asid 1
  slot 0 gpa 0..1G private folio 2M pfn 0x40000
}

/// File ${number}.
scenario "to and fro" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  g.pvalidate(0, 2M)
  vmm.set_memory_attributes(g, ${number % 500}*4K +4K, SHARED)
  expect rmp(g, ${number % 500}*4K) is shared
}

scenario "a page at a time" {
  for page in 0..2M step 4K {
    cpu.rmpupdate(pfn(g, page), gpa page, asid 1, 4K, assigned)
  }
}
`;

const percentile = (values: readonly number[], part: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))];

export async function run(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'snp-workspace-'));
  const client = new Client([server]);
  try {
    const uris = Array.from({ length: FILES }, (_, i) => pathToFileURL(join(folder, `${i}.snpscenario`)).href);
    for (let i = 0; i < FILES; i++) writeFileSync(join(folder, `${i}.snpscenario`), text(i));
    await client.initialize(fullCapabilities);

    let start = performance.now();
    await client.request('snpScenario/discover', { uris, partialResultToken: 'discover' });
    const discovering = performance.now() - start;

    const alone = await type(client, 'file:///bench/alone.snpscenario', () => true);

    start = performance.now();
    let isRunning = true;
    const files = uris.map((uri) => ({ uri }));
    const running = client.request('snpScenario/runTests', { files, partialResultToken: 'run' }).finally(() => {
      isRunning = false;
    });
    await client.next(({ method, params }) => method === '$/progress' && params.token === 'run');
    const first = performance.now() - start;
    const meanwhile = await type(client, 'file:///bench/meanwhile.snpscenario', () => isRunning);
    const { passed } = await running;
    const all = performance.now() - start;
    if (passed !== 2 * FILES) throw new Error(`${passed} of ${2 * FILES} scenarios passed`);
    return [
      { what: `${FILES} files discovered`, value: discovering, unit: 'ms', budget: 2000 },
      { what: 'first result of a run of all', value: first, unit: 'ms', budget: 500 },
      { what: 'run of all', value: all, unit: 'ms', note: `${passed} scenarios` },
      { what: 'key to verdict, p95, nothing else going on', value: percentile(alone, 0.95), unit: 'ms' },
      {
        what: 'key to verdict, p95, during the run',
        value: percentile(meanwhile, 0.95),
        unit: 'ms',
        budget: 50,
        note: `${meanwhile.length} keys`,
      },
    ];
  } finally {
    await client.kill();
    rmSync(folder, { recursive: true });
  }
}

/** Types in a document of its own; ms from each key to its verdict. */
async function type(client: Client, uri: string, goesOn: () => boolean): Promise<number[]> {
  const opened = client.diagnostics(uri, 1);
  client.open(uri, text(0));
  await opened;
  const times: number[] = [];
  for (let version = 2; version < KEYS && goesOn(); version++) {
    const verdict = client.diagnostics(uri, version);
    const start = performance.now();
    client.edit(uri, version, 11, 31, 32, String(1 + (version % 9)));
    await verdict;
    times.push(performance.now() - start);
  }
  return times;
}

await main(import.meta, run);
