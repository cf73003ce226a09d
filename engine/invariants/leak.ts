/** LEAK: a page that cannot be taken back is given up, once, and for good. */

import { countPages, type Run } from '../base/runs.ts';
import { agree, formatRuns, hex } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import { failName, lastingFailures, operandIsAssigned, operandIsLarge } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import { newlyViolating, type StepView } from './step-view.ts';

export const leak: Invariant = {
  id: 'LEAK',
  spec: 'I-LEAK',
  severity: 'error',
  statement:
    'A page that could not be made shared is kept on the list of leaked pages: it is on it once, never freed and never assigned again.',
  source: 'snp_mark_pages_offline (RFC v8 23/56), review by Vlastimil Babka; snp_leak_pages (arch/x86/virt/svm/sev.c)',
  explanation: `A page that RMPUPDATE would not give back still belongs to a guest or to firmware. Returned to the allocator, it kills whoever gets it at the first write. So it is given up: put on a list and never touched again.

A page's place on the list is part of its struct page. Adding the same page twice ties the list into a loop: patch 23 of RFC v8 does so for every range of more than one page, because the pointer that it adds never advances.`,
  check(step: StepView): Finding[] {
    return [...twice(step), ...usedAgain(step), ...released(step)];
  },
};

function twice(step: StepView): Finding[] {
  if (step.leaked.length < 2) return [];
  const known = step.violating('LEAK', 0);
  const seen = new Set<number>();
  const findings: Finding[] = [];
  for (const pfn of step.leaked) {
    if (seen.has(pfn) && known.set(pfn, true)) {
      findings.push({
        message: `pfn ${hex(pfn)} is added to the list of leaked pages a second time: its list entry now points to itself, and whoever walks the list never comes back. Advance the page with the pfn.`,
        pages: [{ start: pfn, end: pfn + 1 }],
      });
    }
    seen.add(pfn);
  }
  return findings;
}

/** Leaked pages that this step assigned or freed. */
function usedAgain(step: StepView): Finding[] {
  const { trace } = step;
  // Those that were on the list before this step.
  const memory = step.memory('LEAK known', 0);
  const before = memory.get(0) ?? 0;
  memory.set(0, step.leaked.length);
  if (before === 0) return [];
  const leaked = new Set(step.leaked.slice(0, before));
  for (let e = step.from; e < step.to; e++) {
    const page = trace.page[e];
    const kind = trace.kind[e];
    const assigns = kind === EventKind.Rmpupdate && trace.code[e] === 0 && operandIsAssigned(trace.a[e]);
    if (!assigns && kind !== EventKind.PageFree) continue;
    const pages = kind === EventKind.PageFree ? trace.code[e] : operandIsLarge(trace.a[e]) ? 512 : 1;
    for (let pfn = page; pfn < page + pages; pfn++) {
      if (!leaked.has(pfn)) continue;
      return [
        {
          message: `pfn ${hex(pfn)} was given up as leaked and is ${assigns ? 'assigned again' : 'freed'} now: it still has the state that could not be cleared. Pages on the list are never used again.`,
          event: e,
          pages: [{ start: page, end: page + pages }],
        },
      ];
    }
  }
  return [];
}

/** Pages that could not be made shared in this step and are free all the same. */
function released(step: StepView): Finding[] {
  const { trace } = step;
  const bad: Run[] = [];
  let event: number | undefined;
  for (const e of lastingFailures(step)) {
    if (trace.kind[e] !== EventKind.Rmpupdate || operandIsAssigned(trace.a[e])) continue;
    const start = trace.page[e];
    const runs = newlyViolating(
      step.violating('LEAK', 0),
      [{ start, end: start + (operandIsLarge(trace.a[e]) ? 512 : 1) }],
      (pfn) => step.isAssigned(pfn) && step.isFree(pfn) && !step.leaked.includes(pfn),
    );
    if (runs.length === 0) continue;
    event ??= e;
    for (const run of runs) {
      const last = bad[bad.length - 1];
      if (last !== undefined && last.end === run.start) last.end = run.end;
      else bad.push(run);
    }
  }
  if (event === undefined) return [];
  const n = countPages(bad);
  return [
    {
      message: `${formatRuns('pfn', bad)} could not be made shared (${failName(trace.code[event], false)}) and ${agree(n, 'goes', 'go')} back to the allocator: ${agree(n, 'its', 'their')} next owner takes #PF(RMP) on the first write. Give ${agree(n, 'it', 'them')} up instead (snp_leak_pages).`,
      event,
      pages: bad,
    },
  ];
}
