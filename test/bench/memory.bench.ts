// What a day of typing costs: the server's resident memory after 5,000 and after 10,000 edits of one document, with hovers in between, and after a
// thousand documents were opened and closed. It should stay where it was.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '../lsp/client.ts';
import { type BenchRow, main } from './report.ts';

export const name = 'memory';

const built = 'dist/server/main.js';
const server = existsSync(join(import.meta.dirname, '../..', built)) ? built : 'server/node/main.ts';

const uri = 'file:///bench/memory.snpscenario';
const EDITS = 10_000;
/** By then the collector has come to rest: it lets the heap grow before it works harder. */
const EARLY = 5_000;
const DOCUMENTS = 1_000;
const STEPS = 60;

const text = `use kernel "kvm-rfc-v8"

host {
  memory 4G
  cpus 4
}

guest g {
  asid 1
  slot 0 gpa 0..1G private folio 2M pfn 0x40000
}

scenario "long" {
${Array.from({ length: STEPS }, (_, n) => `  vmm.set_memory_attributes(g, ${2 * n}M +2M, ${n % 3 === 2 ? 'SHARED' : 'PRIVATE'})`).join('\n')}
}
`;
const FIRST_STEP = text.split('\n').findIndex((line) => line.includes('vmm.'));

/** Resident memory of a process, MiB. */
function resident(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) / 1024;
}

export async function run(): Promise<BenchRow[]> {
  if (process.platform !== 'linux') return [];
  const client = new Client([server]);
  try {
    await client.initialize();
    const pid = client.process.pid as number;
    let version = 1;
    const first = client.diagnostics(uri, version);
    client.open(uri, text);
    await first;
    const settled = async (line: number, from: number, to: number, replacement: string) => {
      const verdict = client.diagnostics(uri, ++version);
      client.edit(uri, version, line, from, to, replacement);
      await verdict;
    };
    let early = 0;
    for (let edit = 0; edit < EDITS; edit += 2) {
      const line = FIRST_STEP + ((edit * 7) % STEPS);
      if (edit === EARLY) early = resident(pid);
      // A comment at the end of a step, and one that takes the step away: text alone, and another run.
      const at = edit % 4 === 0 ? 2 : (text.split('\n')[line]?.length ?? 0);
      await settled(line, at, at, '// ');
      if (edit % 20 === 0)
        await client.ask('textDocument/hover', { textDocument: { uri }, position: { line, character: 8 } });
      await settled(line, at, at + 3, '');
    }
    const late = resident(pid);
    for (let n = 0; n < DOCUMENTS; n++) {
      const other = `file:///bench/other-${n}.snpscenario`;
      const verdict = client.diagnostics(other, 1);
      client.open(other, text);
      if (n % 10 === 0) await verdict;
      else verdict.catch(() => {});
      client.close(other);
    }
    await settled(0, 0, 0, ' ');
    const closed = resident(pid);
    return [
      { what: 'resident memory after 5,000 edits', value: early, unit: 'MiB', budget: 300 },
      { what: 'after 10,000 edits, against that', value: late / early, unit: 'x', budget: 1.25 },
      { what: 'after 1,000 documents opened and closed, against that', value: closed / early, unit: 'x', budget: 1.5 },
    ];
  } finally {
    await client.kill();
  }
}

await main(import.meta, run);
