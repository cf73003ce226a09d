/** REF: the page reference that get_pfn takes is dropped exactly once on every path. */
import { hex, plural } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import type { Finding, Invariant } from './invariant.ts';
import { newlyViolating, type StepView } from './step-view.ts';

export const ref: Invariant = {
  id: 'REF',
  spec: 'I-REF',
  severity: 'error',
  statement: 'Every page reference taken during a call is dropped exactly once before it returns.',
  source: 'kvm_restrictedmem_get_pfn, put_page; snp_launch_update_gfn_handler (RFC v8 35/56)',
  explanation: `get_pfn takes a reference that keeps the page from being freed. One dropped too few pins the page for ever, one too many frees it under its users.

Judged when the call has returned, when no reference may be left of those it took.`,
  check(step: StepView): Finding[] {
    const findings: Finding[] = [];
    const set = step.violating('REF', 0);
    for (const run of newlyViolating(
      set,
      step.refsTouched,
      (pfn) => step.refcount(pfn) !== step.restingRefcount(pfn),
    )) {
      const pfn = run.start;
      const over = step.refcount(pfn) - step.restingRefcount(pfn);
      const pages = run.end - run.start > 1 ? ` and ${plural(run.end - run.start - 1, 'more page')}` : '';
      const event = lastRefEvent(step, pfn, over > 0 ? 1 : -1);
      findings.push({
        message:
          over > 0
            ? `pfn ${hex(pfn)}${pages}: ${plural(over, 'reference')} taken by get_pfn and never dropped; the page can no longer be freed. Every path after a successful get_pfn needs its put_page().`
            : `pfn ${hex(pfn)}${pages}: put_page() without a reference to drop (count ${step.refcount(pfn)}, ${step.restingRefcount(pfn)} belong to the file): the page can be freed while it is in use.`,
        ...(event === undefined ? {} : { event }),
      });
    }
    return findings;
  },
};

function lastRefEvent(step: StepView, pfn: number, delta: number): number | undefined {
  for (let e = step.to - 1; e >= step.from; e--) {
    if (step.trace.kind[e] === EventKind.PageRef && step.trace.page[e] === pfn && step.trace.a[e] === delta) return e;
  }
  return undefined;
}
