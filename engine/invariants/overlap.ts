/**
 * OVERLAP: 4K and 2M entries never overlap, and the kernel does not try to make them.
 *
 * The state half cannot be reached through the instructions (RMPUPDATE refuses with FAIL_OVERLAP); it catches raw writes. The behaviour half
 * catches the kernel asking for it: a FAIL_OVERLAP that no retry gets past is permanent, because an assigned page of the other size is in the way.
 */
import { agree, hex, plural } from '../base/text.ts';
import { Check, checkOf } from '../hardware/instruction-checks.ts';
import { EventKind } from '../trace/trace.ts';
import { attempts, FAIL_OVERLAP, lastingFailures, operandIsLarge } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import { newlyViolatingIn, type StepView } from './step-view.ts';

export const overlap: Invariant = {
  id: 'OVERLAP',
  spec: 'I-OVERLAP',
  severity: 'error',
  statement:
    'No 4K entry is assigned under an assigned 2M entry, no 2M entry covers assigned 4K entries, and no conversion asks for either.',
  source: 'APM vol. 3, RMPUPDATE; rmpupdate() (RFC v8 14/56)',
  explanation: `A region is one 2M entry or 4K entries, never both. RMPUPDATE refuses the other size with FAIL_OVERLAP, and while that can also mean that another CPU is at work on the region, an assigned page of the other size does not go away by itself.

Judged on failures of the kernel's own instructions that no later attempt in the step got past. A conversion that only had to wait for another CPU is not reported.`,
  check,
};

function check(step: StepView): Finding[] {
  const findings: Finding[] = [];
  for (const e of lastingFailures(step)) {
    if (step.trace.kind[e] !== EventKind.Rmpupdate || step.trace.code[e] !== FAIL_OVERLAP) continue;
    // Another CPU was at work on the region for longer than the kernel tried: nothing is in the way.
    if (checkOf(step.trace.a[e]) === Check.ContendedOther) continue;
    findings.push(describe(step, e));
  }
  const isBad = (pfn: number): boolean => {
    const raw = step.rawEntry(pfn);
    return raw.assigned && raw.asid !== 0;
  };
  const suspicious = (frame: number): boolean => {
    const head = step.head(frame);
    return head.assigned && head.large && (!step.tailsAlike(frame) || isBad(frame * 512 + 1));
  };
  const runs = newlyViolatingIn(
    step.violating('OVERLAP', 0),
    step.rmpTouched,
    suspicious,
    (pfn) => pfn % 512 !== 0 && isBad(pfn),
  );
  for (const run of runs) {
    findings.push({
      message: `pfn ${hex(run.start)}${run.end - run.start > 1 ? `..${hex(run.end)}` : ''} is assigned to an ASID of its own under the 2M entry at pfn ${hex(run.start - (run.start % 512))}: every reader resolves it through the head, so its own owner is never seen.`,
      pages: [run],
    });
  }
  return findings;
}

function describe(step: StepView, e: number): Finding {
  const { trace } = step;
  const pfn = trace.page[e];
  const n = attempts(step, e);
  const retried = n > 1 ? ` after ${plural(n, 'attempt')}` : '';
  if (operandIsLarge(trace.a[e])) {
    const head = step.head(Math.floor(pfn / 512));
    const inTheWay = trace.cause[e];
    const since = inTheWay >= 0 && inTheWay < step.from ? ` since ${step.describeStep(inTheWay)}` : '';
    return {
      message: `RMPUPDATE 2M at pfn ${hex(pfn)}: FAIL_OVERLAP${retried}. ${plural(head.subpageCount, 'page')} of the region ${agree(head.subpageCount, 'is', 'are')} assigned as 4K (subpage count ${head.subpageCount})${since}; retrying cannot help, and PSMASH cannot be undone by the host. Convert page by page, or make the region shared first.`,
      event: e,
      pages: [{ start: pfn, end: pfn + 512 }],
      ...(since === '' ? {} : { since: inTheWay }),
    };
  }
  return {
    message: `RMPUPDATE 4K at pfn ${hex(pfn)}: FAIL_OVERLAP${retried}. The page lies in an assigned 2M entry at pfn ${hex(pfn - (pfn % 512))}; PSMASH that entry first.`,
    event: e,
    pages: [{ start: pfn, end: pfn + 1 }],
  };
}
