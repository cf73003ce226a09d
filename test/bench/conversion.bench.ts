// 1 GiB of 4K pages becomes private: 262,144 turns of sev_update_mem_attr()'s loop, the whole KVM_SET_MEMORY_ATTRIBUTES around it. With
// SNP_PATCH_DIR, through the function as it was mailed; without, through the bundled model's.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckerOptions, FileHost } from '../../engine/check.ts';
import { createChecker } from '../../engine/checker.ts';
import { type Environment, EnvironmentCache } from '../../engine/run/environment.ts';
import { analyze } from '../../engine/scenario/analyze.ts';
import { type BenchRow, main, median } from './report.ts';

export const name = 'conversion';

const PAGES = 262_144;
const RUNS = 5;

const scenario = (folio: string, step: string): string => `use kernel "kvm-rfc-v8"
host {
  memory 8G
}
guest g {
  asid 1
  slot 0 gpa 0..2G private folio ${folio} pfn 0x80000
}
scenario "s" {
  ${step}
}
`;

function patch(): { options: CheckerOptions; host: FileHost } {
  const folder = process.env.SNP_PATCH_DIR;
  const file = folder === undefined ? undefined : readdirSync(folder).find((entry) => entry.startsWith('0048'));
  const text = folder === undefined || file === undefined ? '' : readFileSync(join(folder, file), 'utf8');
  const host: FileHost = { resolve: (_from, relative) => relative, read: () => ({ text }) };
  return { host, options: file === undefined ? {} : { overrides: [{ kind: 'patch', path: file }] } };
}

/** The ioctl alone, on a machine that is set up: milliseconds. */
function ioctl(environment: Environment): number {
  const machine = environment.takeMachine();
  const mark = machine.mark();
  machine.beginStep(0);
  const start = performance.now();
  const problem = machine.beginCall('scenario_set_memory_attributes', [machine.guests[0].kvm, 0, PAGES * 4096, 8]);
  if (problem !== undefined) throw new Error(problem);
  while (machine.continueCall(1e8).state === 'running');
  const elapsed = performance.now() - start;
  if (machine.asidCounter(1) !== PAGES) throw new Error(`converted ${machine.asidCounter(1)} pages`);
  machine.undoTo(mark);
  return elapsed;
}

export async function run(): Promise<BenchRow[]> {
  const { host, options } = patch();
  const which = options.overrides === undefined ? 'model' : 'mailed patch';
  const text = scenario('4K', 'vmm.set_memory_attributes(g, 0..1G, PRIVATE)');
  const { program } = analyze('a', text, host);
  const { environment } = new EnvironmentCache().get('a', program, host, options);
  const times = Array.from({ length: RUNS }, () => ioctl(environment));

  // The whole check, rules and all, as a user meets it.
  const start = performance.now();
  const check = createChecker(host).start('a', text, options);
  while (!check.advance(1e7));
  const whole = performance.now() - start;
  if (check.result().scenarios[0].status !== 'passed') throw new Error('the scenario does not hold');
  return [
    { what: `${PAGES} 4K pages, ${which}: first run`, value: times[0], unit: 'ms', budget: 1000 },
    { what: `${PAGES} 4K pages, ${which}: median of ${RUNS}`, value: median(times), unit: 'ms', budget: 1000 },
    { what: 'the same as a scenario, analysis, invariants and report included', value: whole, unit: 'ms' },
  ];
}

await main(import.meta, run);
