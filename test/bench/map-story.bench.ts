// The memory map's story: what it costs to tell one beside running it, what is told of a step that touches a million pages, and what an edit costs.

import { createChecker } from '../../engine/checker.ts';
import { StoryTeller } from '../../engine/map/teller.ts';
import { Replay } from '../../engine/run/replay.ts';
import { encodeStory } from '../../server/common/map-codec.ts';
import { type BenchRow, main, median } from './report.ts';

export const name = 'map-story';

const host = { resolve: (_from: string, relative: string) => relative, read: () => ({ error: 'no file' }) };

const LARGE = (folio: string, steps: string): string => `use kernel "kvm-rfc-v8"
host {
  memory 1T
}
guest g {
  asid 1
  slot 0 gpa 0..16G private folio ${folio} pfn 0x400000
}
scenario "s" {
${steps}
}
`;

interface Opened {
  text: string;
  teller(): StoryTeller;
  runAlone(): void;
}

function open(text: string): Opened {
  const view = createChecker(host).view('a', text);
  const unit = view.analysis.program.scenarios[0];
  const environment = view.environment();
  if (unit === undefined || environment === undefined) throw new Error('the scenario cannot run');
  const use = <T>(work: (replay: Replay) => T): T => {
    const replay = new Replay(environment.takeMachine(), unit);
    return work(replay);
  };
  return {
    text,
    teller: () => use((replay) => new StoryTeller(replay, { uri: 'a', text, scenarios: [unit.name] })),
    runAlone: () =>
      use((replay) => {
        replay.toEnd();
        replay.run.release();
        environment.giveBack(replay.machine);
      }),
  };
}

const time = (work: () => unknown): number => {
  const start = performance.now();
  work();
  return performance.now() - start;
};

const tellAll = (teller: StoryTeller): void => {
  while (!teller.advance(1e6));
};

export async function run(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  const begin = open(LARGE('2M', '  vmm.set_memory_attributes(g, 0..2M, PRIVATE)'));
  begin.runAlone();
  rows.push({
    what: '1 TiB: lanes and state 0',
    value: median(Array.from({ length: 9 }, () => time(() => begin.teller()))),
    unit: 'ms',
    budget: 50,
  });
  for (const [what, folio, steps] of [
    ['4 GiB by 2M entries, a step', '2M', '  vmm.set_memory_attributes(g, 0..4G, PRIVATE)'],
    ['1 GiB by 4K entries, a step', '4K', '  vmm.set_memory_attributes(g, 0..1G, PRIVATE)'],
    [
      '2,000 steps of a page each',
      '4K',
      `  for i in 0..2000 {\n    vmm.set_memory_attributes(g, i * 4K +4K, PRIVATE)\n  }`,
    ],
  ] as const) {
    const opened = open(LARGE(folio, steps));
    opened.runAlone();
    const alone = median(Array.from({ length: 3 }, () => time(() => opened.runAlone())));
    let teller = opened.teller();
    const told = median(
      Array.from({ length: 3 }, () => {
        teller = opened.teller();
        return time(() => tellAll(teller));
      }),
    );
    const { steps: all, changes } = teller.story();
    rows.push({
      what: `${what}: to tell it`,
      value: told,
      unit: 'ms',
      note: `${alone.toFixed(0)} ms of them to run it; ${all.length} steps, ${changes.lane.length} runs`,
    });
    rows.push({
      what: `${what}: on the wire`,
      value: median(Array.from({ length: 5 }, () => time(() => JSON.stringify(encodeStory(teller.story()))))),
      unit: 'ms',
      note: `${(JSON.stringify(encodeStory(teller.story())).length / 1024).toFixed(0)} KiB`,
    });
  }
  return rows;
}

await main(import.meta, run);
