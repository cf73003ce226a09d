// RMPUPDATE against the same semantics in C (gcc -O2), and the cost of a host that is only opened. Both sides make the same operations in
// the same order and must end with the same table, checked by a checksum over its bytes. They take turns, so that a busy machine is busy
// for both, and a figure is the median of the rounds' ratios. C has neither journal nor trace; the simulator has the journal always, and
// the trace where the figure says so.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { Journal } from '../../engine/base/journal.ts';
import { Hardware } from '../../engine/hardware/machine.ts';
import { Trace } from '../../engine/trace/trace.ts';
import { type BenchRow, main, median } from './report.ts';

export const name = 'hardware';

/**
 * Conversions go page by page. At random, both sides mostly wait for memory, and C's short instruction stream lets the processor wait for
 * several pages at once.
 */
const PATTERNS = ['4K, pages in turn', '4K, pages at random', '2M, regions in turn'] as const;
const ROUNDS = 7;
const REPEATS = 40;
const BUDGET = 2.5;
const PAGES = 262_144;

interface Run {
  nanoseconds: number;
  checksum: string;
}

/** One process of either side. The first quarter of its repeats is for warming up. */
function execute(command: string, args: readonly string[]): Run {
  const lines = execFileSync(command, args).toString().trim().split('\n');
  const checksum = lines.pop() as string;
  return { checksum, nanoseconds: median(lines.slice(lines.length / 4).map(Number)) };
}

function compare(): BenchRow[] {
  const folder = mkdtempSync(join(tmpdir(), 'rmpupdate-'));
  try {
    const c = join(folder, 'rmpupdate');
    const ours = join(folder, 'rmpupdate.cjs');
    try {
      execFileSync('gcc', ['-O2', '-o', c, join(import.meta.dirname, 'rmpupdate.c')], { stdio: 'inherit' });
    } catch {
      console.log('  RMPUPDATE against C: not measured, there is no gcc');
      return [];
    }
    buildSync({
      entryPoints: [join(import.meta.dirname, 'rmpupdate-run.ts')],
      outfile: ours,
      bundle: true,
      minify: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
    });
    return PATTERNS.flatMap((what, pattern) => [
      comparison(c, ours, `${what}, with journal`, [String(pattern), String(REPEATS)], BUDGET),
      comparison(c, ours, `${what}, with journal and trace`, [String(pattern), String(REPEATS), 'trace']),
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function comparison(c: string, ours: string, what: string, args: string[], budget?: number): BenchRow {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const theirs = execute(c, args.slice(0, 2));
    const simulator = execute(process.execPath, [ours, ...args]);
    if (simulator.checksum !== theirs.checksum) {
      throw new Error(`${what}: the tables differ, ${simulator.checksum} here and ${theirs.checksum} in C`);
    }
    return { slow: simulator.nanoseconds, quick: theirs.nanoseconds };
  });
  const slow = median(rounds.map((round) => round.slow));
  const quick = median(rounds.map((round) => round.quick));
  return {
    what: `RMPUPDATE ${what}, against C`,
    value: median(rounds.map((round) => round.slow / round.quick)),
    unit: '×',
    ...(budget === undefined ? {} : { budget }),
    note: `${slow.toFixed(1)} ns, C ${quick.toFixed(1)} ns`,
  };
}

function memory(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function openHost(): BenchRow[] {
  const before = memory();
  const hosts: Hardware[] = [];
  const times: number[] = [];
  for (let i = 0; i < 10; i++) {
    const start = process.hrtime.bigint();
    hosts.push(new Hardware({ memoryBytes: 2 ** 40, cpus: 64 }, new Journal(), new Trace()));
    times.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  const megabytes = (memory() - before) / hosts.length / 2 ** 20;
  const hw = hosts[0];
  hw.rmpupdate(0, 0, 1, 0, 0, 1);
  const untouched = memory() - hw.journal.length;
  for (let pfn = 0; pfn < PAGES; pfn++) hw.rmpupdate(pfn * 4096, pfn * 4096, 1, 0, 0, 1);
  hw.journal.forget();
  const traced = Object.values(hw.trace).reduce(
    (sum, column) => sum + (ArrayBuffer.isView(column) ? column.byteLength : 0),
    0,
  );
  const perPage = (memory() - untouched - traced) / PAGES;
  return [
    { what: 'open a 1 TiB host, slowest of 10', value: Math.max(...times), unit: 'ms', budget: 50 },
    { what: 'open a 1 TiB host', value: megabytes, unit: 'MB', budget: 64 },
    {
      what: 'memory of a touched 4K page',
      value: perPage,
      unit: 'bytes',
      note: '16 are the entry, 4 the index of the event that changed it last',
    },
  ];
}

export async function run(): Promise<BenchRow[]> {
  return [...compare(), ...openHost()];
}

await main(import.meta, run);
