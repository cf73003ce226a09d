// Time travel: what it costs to be anywhere in a run of a million instructions, forwards and backwards, and what is kept for it.

import { Timeline } from '../../engine/debug/timeline.ts';
import { EnvironmentCache } from '../../engine/run/environment.ts';
import { ScenarioRun } from '../../engine/run/run.ts';
import { analyze } from '../../engine/scenario/analyze.ts';
import { type BenchRow, main, median } from './report.ts';

export const name = 'debug';

const TICKS = 1_000_000;
const JUMPS = 60;
/** Ways there and back that are measured, after as many that are not. */
const TRIPS = 9;

const TEXT = `use kernel "kvm-rfc-v8"
host {
  memory 8G
}
guest g {
  asid 1
  slot 0 gpa 0..2G private folio 4K pfn 0x80000
}
scenario "s" {
  vmm.set_memory_attributes(g, 0..128M, PRIVATE)
}
`;

/** Places all over the run, the same every time. */
const places = Array.from({ length: JUMPS }, (_, i) =>
  Math.floor((((i * 104_729 + i * i * 7919) % 1000) / 1000) * TICKS),
);

export async function run(): Promise<BenchRow[]> {
  const host = { resolve: (_from: string, relative: string) => relative, read: () => ({ error: 'no file' }) };
  const { program } = analyze('a', TEXT, host);
  const { environment } = new EnvironmentCache().get('a', program, host, {});
  const timeline = new Timeline(new ScenarioRun(environment.takeMachine(), program.scenarios[0]));
  const time = (work: () => unknown): number => {
    const start = performance.now();
    work();
    return performance.now() - start;
  };
  const first = time(() => timeline.goTo(TICKS));
  if (timeline.now !== TICKS) throw new Error(`the run has ${timeline.now} instructions only`);
  timeline.goTo(0);
  const there: number[] = [];
  const back: number[] = [];
  for (let i = 0; i < 2 * TRIPS; i++) {
    const [forth, home] = [time(() => timeline.goTo(TICKS)), time(() => timeline.goTo(0))];
    // The first half of them is what V8 needs to know the code.
    if (i < TRIPS) continue;
    there.push(forth);
    back.push(home);
  }
  const jumps = places.map((tick) => time(() => timeline.goTo(tick)));
  timeline.goTo(TICKS);
  const one = Array.from({ length: JUMPS }, () => time(() => timeline.goTo(timeline.now - 1)));
  return [
    { what: `to instruction ${TICKS}: the first time`, value: first, unit: 'ms', note: 'with compiling' },
    { what: `from the beginning to instruction ${TICKS}: median`, value: median(there), unit: 'ms', budget: 20 },
    { what: 'all the way back: median', value: median(back), unit: 'ms', budget: 20 },
    { what: `${JUMPS} jumps anywhere: median`, value: median(jumps), unit: 'ms', budget: 20 },
    { what: `${JUMPS} jumps anywhere: slowest`, value: Math.max(...jumps), unit: 'ms', budget: 20 },
    { what: 'one instruction back: median', value: median(one), unit: 'ms', budget: 2 },
    { what: 'states kept in full', value: timeline.anchorCount, unit: 'states', budget: 4096 },
  ];
}

await main(import.meta, run);
