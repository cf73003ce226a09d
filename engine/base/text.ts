/** Numbers and ranges as the people who read them write them. */
import type { Run } from './runs.ts';

export const hex = (n: number | bigint): string => `0x${n.toString(16)}`;

/** `1 page`, `15 pages`; nouns whose plural is not made with s say it. */
export const plural = (n: number, noun: string, many = `${noun}s`): string => `${n} ${n === 1 ? noun : many}`;

/** The form of a word that goes with the number before it: `agree(n, 'has', 'have')`. */
export const agree = (n: number, one: string, many: string): string => (n === 1 ? one : many);

/** `gfn 0x1`, `gfn 0x1..0x10` (half-open, as in the language), with the rest counted when there are many runs. */
export function formatRuns(unit: string, runs: readonly Run[], shown = 3): string {
  const parts = runs
    .slice(0, shown)
    .map((run) => (run.end - run.start === 1 ? hex(run.start) : `${hex(run.start)}..${hex(run.end)}`));
  const more = runs.length - shown;
  return `${unit} ${parts.join(', ')}${more > 0 ? ` and ${plural(more, 'more range')}` : ''}`;
}
