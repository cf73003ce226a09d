/**
 * Keystroke to program: how long the analysis of a scenario file takes when one character of it has changed, wherever that is, and how long the first
 * one takes. Edits go over the whole file, inserting and deleting in turn, each building on the one before.
 */
import type { FileHost } from '../../engine/check.ts';
import { type Analysis, analyze } from '../../engine/scenario/analyze.ts';
import { type BenchRow, main, median } from './report.ts';

export const name = 'Analysis';

const host: FileHost = { resolve: (_from, relative) => relative, read: () => ({ error: 'there are no other files' }) };

function document(scenarios: number, stepsEach: number): string {
  const parts = ['guest g {\n  asid 1\n  slot 0 gpa 0..1G private folio 2M pfn 0x40000\n}\n'];
  for (let s = 0; s < scenarios; s++) {
    parts.push(`scenario "s${s}" {\n`);
    for (let i = 0; i < stepsEach; i += 2) {
      const m = i % 100;
      parts.push(`  vmm.set_memory_attributes(g, ${m}M..${m + 2}M, PRIVATE) => ok\n`);
      parts.push('  expect rmp(g, 64K) is { guest g, 4K, validated }\n');
    }
    parts.push('}\n');
  }
  return parts.join('');
}

const EDITS = 100;

/** Milliseconds of each edit. */
function edits(text: string, from: Analysis): number[] {
  const times: number[] = [];
  let now = text;
  let analysis = from;
  for (let i = 0; i < EDITS; i++) {
    const near = Math.floor(now.length * (0.05 + (0.9 * ((i * 37) % EDITS)) / EDITS));
    const at = now.indexOf('K) is', near);
    now = i % 2 === 0 ? `${now.slice(0, at)}4${now.slice(at)}` : `${now.slice(0, at - 1)}${now.slice(at)}`;
    const start = performance.now();
    analysis = analyze('x', now, host, analysis);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}

export async function run(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const [scenarios, stepsEach, budget] of [
    [100, 20, 10],
    [1, 2000, 10],
    [1000, 18, 20],
    [1, 20_000, 20],
  ]) {
    const text = document(scenarios, stepsEach);
    const lines = text.split('\n').length;
    const what = `${lines.toLocaleString('en')} lines, ${scenarios === 1 ? 'one scenario' : `${scenarios} scenarios`}`;
    const firsts: number[] = [];
    let times: number[] = [];
    for (let round = 0; round < 3; round++) {
      const start = performance.now();
      const analysis = analyze('x', text, host);
      firsts.push(performance.now() - start);
      times = edits(text, analysis);
    }
    rows.push({ what: `${what}: first`, value: median(firsts), unit: 'ms' });
    rows.push({
      what: `${what}: an edit, p95`,
      value: times[Math.floor(times.length * 0.95)],
      unit: 'ms',
      budget,
      note: `median ${median(times).toFixed(2)} ms`,
    });
  }
  return rows;
}

await main(import.meta, run);
