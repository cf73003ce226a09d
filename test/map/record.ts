// Writes the recordings that the page's tests draw: real stories of the examples, as they travel to the page.
//   node test/map/record.ts
// test/map/recordings.test.ts holds them against what the engine tells now.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EncodedStory, encodeStory } from '../../server/common/map-codec.ts';
import { tell } from '../engine/map/kit.ts';

const root = join(import.meta.dirname, '../..');

/** A recording's name, the example and the scenario in it. */
export const recorded: readonly { name: string; file: string; scenario?: string }[] = [
  { name: 'unshare-one-page', file: 'examples/unshare-one-page.snpscenario' },
  { name: 'order-10-folio', file: 'examples/order-10-folio.snpscenario' },
  { name: 'contended-region', file: 'examples/contended-region.snpscenario' },
  { name: '2m-over-launch-pages', file: 'examples/2m-over-launch-pages.snpscenario' },
  { name: 'linux-guest-shares-a-page', file: 'examples/linux-guest-shares-a-page.snpscenario' },
  { name: 'leaks-and-violations', file: 'test/map/leaks-and-violations.snpscenario' },
];

export const recordingPath = (name: string): string => join(import.meta.dirname, 'recordings', `${name}.json`);

export function record({ file, scenario }: (typeof recorded)[number]): EncodedStory {
  const text = readFileSync(join(root, file), 'utf8');
  return encodeStory(tell(text, {}, scenario, `file:///${file}`).story);
}

if (import.meta.main) {
  for (const one of recorded) writeFileSync(recordingPath(one.name), `${JSON.stringify(record(one), null, 1)}\n`);
}
