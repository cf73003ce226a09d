/**
 * What rules remember from one step to the next: which pages are in violation already, and numbers about pages. Journalled, so that going back takes
 * what was found back too. `space` is an ASID, 0 for host pages.
 */
import type { Journal } from '../base/journal.ts';
import { PageMap } from '../base/page-map.ts';
import { PageSet } from '../base/page-set.ts';

export class RuleMemory {
  private readonly journal: Journal;
  private readonly sets = new Map<string, PageSet>();
  private readonly maps = new Map<string, PageMap>();

  constructor(journal: Journal) {
    this.journal = journal;
  }

  /** Pages known to violate a rule. */
  violating(rule: string, space: number): PageSet {
    return made(this.sets, `${rule} ${space}`, () => new PageSet(this.journal));
  }

  /** Whether one of these rules has found a page of this space in violation that still is. */
  hasViolations(rules: readonly string[], space: number): boolean {
    return rules.some((rule) => this.sets.get(`${rule} ${space}`)?.isEmpty === false);
  }

  /** Numbers that a rule keeps about pages. */
  numbers(rule: string, space: number): PageMap {
    return made(this.maps, `${rule} ${space}`, () => new PageMap(this.journal));
  }
}

function made<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
