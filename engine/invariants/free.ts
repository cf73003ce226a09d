/** FREE: a page that goes back to the allocator is the hypervisor's, and the kernel can reach it. */
import { countPages } from '../base/runs.ts';
import { agree, formatRuns } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import type { Finding, Invariant } from './invariant.ts';
import { newlyViolating, type StepView } from './step-view.ts';

export const free: Invariant = {
  id: 'FREE',
  spec: 'I-FREE',
  severity: 'error',
  statement: 'A page that is freed is unassigned in the RMP and present in the direct map.',
  source: 'sev_invalidate_private_range (RFC v8 50/56); sev_gmem_invalidate (arch/x86/kvm/svm/sev.c)',
  explanation: `The allocator gives the page to anyone in the host, who writes to it through the direct map: #PF(RMP) if it is still assigned, a not-present fault if it was unmapped and not restored. Either is an oops far from its cause.

Judged when the step that frees pages has come to rest: whether the RMP is cleared just before or just after does not matter here (ZAP looks at the order).`,
  repeats: ['LEAK'],
  check(step: StepView): Finding[] {
    if (step.freed.length === 0) return [];
    const assigned = (pfn: number): boolean => step.isAssigned(pfn);
    const runs = newlyViolating(
      step.violating('FREE', 0),
      step.freed,
      (pfn) => step.isFree(pfn) && (assigned(pfn) || !step.directMapPresent(pfn)),
    );
    if (runs.length === 0) return [];
    const n = countPages(runs);
    const which = `${formatRuns('pfn', runs)} ${agree(n, 'is', 'are')} freed`;
    const event = freeingEvent(step, runs[0].start);
    return [
      {
        message: assigned(runs[0].start)
          ? `${which} while assigned to ASID ${step.entry(runs[0].start).asid}: the next owner takes #PF(RMP) on its first write. Make ${agree(n, 'it', 'them')} shared first, and leak what cannot be.`
          : `${which} while absent from the direct map: the next owner's first access oopses. Restore the mapping when the page is made shared, on error paths too.`,
        pages: runs,
        ...(event === undefined ? {} : { event }),
      },
    ];
  },
};

function freeingEvent(step: StepView, pfn: number): number | undefined {
  const { trace } = step;
  for (let e = step.from; e < step.to; e++)
    if (trace.kind[e] === EventKind.PageFree && pfn >= trace.page[e] && pfn < trace.page[e] + trace.code[e]) return e;
  return undefined;
}
