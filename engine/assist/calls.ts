/** Who calls what in a scenario file: its scenarios and sequences call sequences, and C functions through operations and `kernel.<function>(…)`. */
import { entryFunctions } from '../run/operations/entries.ts';
import type { Analysis } from '../scenario/analyze.ts';
import { allNames } from '../scenario/names.ts';
import { type OutlineItem, outline } from './outline.ts';
import { type Place, referentOf } from './referent.ts';

/** A scenario or a sequence. */
export type Caller = OutlineItem & { kind: 'scenario' | 'sequence' };

export type Callee =
  /** `declared`: the place of its name in the file at `path`. */
  { is: 'sequence'; name: string; path: string; declared: Place } | { is: 'function'; name: string };

export interface CallSite {
  caller: Caller;
  callee: Callee;
  at: Place;
}

export function callers(analysis: Analysis): Caller[] {
  return outline(analysis.text, analysis.tree).filter(
    (item): item is Caller => item.kind === 'scenario' || item.kind === 'sequence',
  );
}

/** The scenario or sequence around a place. */
export function callerAt(all: readonly Caller[], offset: number): Caller | undefined {
  let low = 0;
  let high = all.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (all[middle].end < offset) low = middle + 1;
    else high = middle;
  }
  return all[low] !== undefined && all[low].start <= offset ? all[low] : undefined;
}

/** Every call of the file, in the order of the text. */
export function calls(analysis: Analysis): CallSite[] {
  const found: CallSite[] = [];
  const all = callers(analysis);
  for (const name of allNames(analysis)) {
    if (name.declares || (name.kind !== 'sequence' && name.kind !== 'operation')) continue;
    const caller = callerAt(all, name.start);
    if (caller === undefined) continue;
    const at = { start: name.start, end: name.end };
    const referent = referentOf(analysis, name);
    if (referent.is === 'declared') {
      const { path, declared } = referent;
      found.push({ caller, callee: { is: 'sequence', name: name.name, path, declared }, at });
    } else if (referent.is === 'c-function') {
      found.push({ caller, callee: { is: 'function', name: referent.name }, at });
    } else if (referent.is === 'language') {
      for (const entry of entryFunctions[name.name] ?? [])
        found.push({ caller, callee: { is: 'function', name: entry }, at });
    }
  }
  return found;
}
