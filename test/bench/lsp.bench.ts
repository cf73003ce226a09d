// What a user waits for: from a keystroke to the verdict on it, over real stdio with the server as it is packaged, and from the start of the
// server to its first verdict. An edit changes a character or a word at a random place and is then taken back; both are keystrokes.
import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { Client } from '../lsp/client.ts';
import { type BenchRow, main, median } from './report.ts';

export const name = 'lsp';

const built = 'dist/server/main.js';
const server = existsSync(join(import.meta.dirname, '../..', built)) ? built : 'server/node/main.ts';

const uri = 'file:///bench/keystrokes.snpscenario';

/** Edits measured for each document; before them some that are not, while the server warms up. */
const EDITS = 150;
const WARM_UP = 20;
const STARTS = 7;

const head = `use kernel "kvm-rfc-v8"

host {
  memory 4G
  cpus 4
}

guest g {
  asid 1
  slot 0 gpa 0..1G private folio 2M pfn 0x40000
}
`;

/** A scenario of so many lines, one step on each but the first and last: a 2M region after another is converted, used and shared in part. */
function scenario(number: number, lines: number): string[] {
  const text = [`scenario "number ${number}" {`];
  for (let region = 0; text.length < lines - 1; region++) {
    const [start, end] = [`${region * 2}M`, `${region * 2 + 2}M`];
    const page = `${region * 2}M + 64K`;
    const steps = [
      `  vmm.set_memory_attributes(g, ${start}..${end}, PRIVATE)`,
      `  g.pvalidate(${start}, 2M)`,
      `  g.read(${page})`,
      `  vmm.set_memory_attributes(g, ${page} .. ${page} + 4K, SHARED)`,
      `  expect rmp(g, ${page}) is shared`,
      `  expect rmp(g, ${start}) is { guest g, 4K, validated }`,
      `  host.write(pfn(g, ${page}))`,
      `  vmm.set_memory_attributes(g, ${page} .. ${page} + 4K, PRIVATE)`,
      `  g.pvalidate(${page}, 4K)`,
      `  g.write(${page})`,
    ];
    text.push(...steps.slice(0, lines - 1 - text.length));
  }
  text.push('}');
  return text;
}

/** @param shape lines of each scenario */
export function document(shape: number[]): string[] {
  return [...head.split('\n'), ...shape.flatMap((lines, number) => ['', ...scenario(number, lines - 1)])];
}

interface Edit {
  line: number;
  from: number;
  to: number;
  text: string;
}

/** Numbers from 0 to `below`; the same in every run. */
export function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function randomEdit(lines: string[], pick: (below: number) => number): Edit {
  for (;;) {
    const line = pick(lines.length);
    const text = lines[line];
    if (text.trim().length < 2) continue;
    const kind = pick(3);
    const from = pick(text.length);
    if (kind === 0) return { line, from, to: from, text: '0123456789aKM, )'[pick(16)] };
    if (kind === 1) return { line, from, to: from + 1, text: '' };
    const words = [...text.matchAll(/\w+/g)];
    const word = words[pick(words.length)];
    return { line, from: word.index, to: word.index + word[0].length, text: ['8K', '64K', 'SHARED', 'x'][pick(4)] };
  }
}

const inverse = (edit: Edit, lines: string[]): Edit => ({
  line: edit.line,
  from: edit.from,
  to: edit.from + edit.text.length,
  text: lines[edit.line].slice(edit.from, edit.to),
});

class Session {
  readonly client: Client;
  version = 1;
  constructor(client: Client) {
    this.client = client;
  }

  /** Milliseconds from the edit to its verdict. */
  async keystroke({ line, from, to, text }: Edit): Promise<number> {
    const version = ++this.version;
    const verdict = this.client.diagnostics(uri, version);
    const start = performance.now();
    this.client.edit(uri, version, line, from, to, text);
    await verdict;
    return performance.now() - start;
  }
}

async function keystrokes(what: string, lines: string[], budget: number): Promise<BenchRow[]> {
  const client = new Client([server]);
  try {
    await client.initialize();
    const first = client.diagnostics(uri, 1);
    const start = performance.now();
    client.open(uri, lines.join('\n'));
    const opened = await first;
    const opening = performance.now() - start;
    const errors = opened.filter(({ severity }) => severity === 1);
    if (errors.length) throw new Error(`${what}: the document should be right: ${errors[0].message}`);

    const session = new Session(client);
    const pick = random(48);
    const times: number[] = [];
    for (let count = 0; count < WARM_UP + EDITS; count++) {
      const edit = randomEdit(lines, pick);
      const both = [await session.keystroke(edit), await session.keystroke(inverse(edit, lines))];
      if (count >= WARM_UP) times.push(...both);
    }
    // Ten keys a second, whether the verdict is there or not.
    const lags: Promise<number>[] = [];
    for (let count = 0; count < 30; count++) {
      const edit = randomEdit(lines, pick);
      await new Promise((resolve) => setTimeout(resolve, 100));
      lags.push(session.keystroke(edit));
      await new Promise((resolve) => setTimeout(resolve, 100));
      lags.push(session.keystroke(inverse(edit, lines)));
    }
    const behind = await Promise.race([
      Promise.all(lags),
      new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 2000)),
    ]);
    const note = `median ${median(times).toFixed(1)} ms, opened in ${opening.toFixed(0)} ms`;
    return [
      { what: `keystroke to verdict, ${what}, p95`, value: percentile(times, 0.95), unit: 'ms', budget, note },
      {
        what: `the same at ten keys a second, slowest`,
        value: behind ? Math.max(...behind) : Number.POSITIVE_INFINITY,
        unit: 'ms',
        ...(behind ? {} : { note: 'some keystrokes were overtaken before their verdict' }),
      },
    ];
  } finally {
    await client.kill();
  }
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

async function firstVerdict(): Promise<BenchRow> {
  const text = document([30]).join('\n');
  const times: number[] = [];
  for (let turn = 0; turn < STARTS; turn++) {
    const start = performance.now();
    const client = new Client([server]);
    await client.initialize();
    client.open(uri, text);
    await client.diagnostics(uri, 1);
    times.push(performance.now() - start);
    await client.kill();
  }
  return {
    what: 'server start to first verdict, median',
    value: median(times),
    unit: 'ms',
    budget: 300,
    note: `slowest ${Math.max(...times).toFixed(0)} ms`,
  };
}

export async function run(): Promise<BenchRow[]> {
  const load = loadavg()[0];
  if (load > 1) console.log(`  the machine is busy (load average ${load.toFixed(1)}): the figures are too high`);
  if (server !== built) console.log(`  ${built} is missing: measuring ${server}`);
  return [
    await firstVerdict(),
    ...(await keystrokes('2,000 steps in one scenario', document([2003]), 50)),
    ...(await keystrokes('2,000 steps in 20 scenarios', document(Array(20).fill(103)), 50)),
    ...(await keystrokes('20,000 lines in 200 scenarios', document(Array(200).fill(100)), 100)),
  ];
}

await main(import.meta, run);
