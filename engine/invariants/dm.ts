/**
 * DM: the kernel's direct map is kept in step with the RMP, in the way that the kernel has chosen.
 *
 * RFC v8 means to unmap what it assigns. Later kernels leave it mapped but split the mapping to 4K around each 4K entry.
 */
import type { Run } from '../base/runs.ts';
import { countPages } from '../base/runs.ts';
import { agree, formatRuns } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import { operandIsAssigned, operandIsLarge } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import { newlyViolating, type StepView } from './step-view.ts';

export const dm: Invariant = {
  id: 'DM',
  spec: 'I-DM',
  severity: 'error',
  statement:
    'What the kernel assigns is absent from its direct map (RFC v8), or at least mapped as 4K where the RMP entry is 4K (later kernels).',
  source: 'invalidate_direct_map (RFC v8 15/56); adjust_direct_map (arch/x86/virt/svm/sev.c)',
  explanation: `A host write to an assigned page takes an RMP #PF that the kernel cannot handle. RFC v8 keeps such pages out of the direct map, so that a stray access is an ordinary not-present fault that names its culprit; there the rule is a warning. Later kernels split the direct map to 4K before they use a 4K entry, so that no write to a neighbour can meet it; there it is an error.

Judged on pages that the kernel's C assigned in this step. What PSMASH makes of a 2M entry is assigned as a whole, and no neighbour can be met. RFC v8 as posted breaks the rule everywhere: invalidate_direct_map() falls through to its error path and maps all pages again (found by Tom Dohrmann on the list). That is a known defect of the bundled model and not repeated on every conversion; the rule speaks as soon as your own rmpupdate() or invalidate_direct_map() takes the place of the bundled one.`,
  repeats: ['HOSTW'],
  check(step: StepView): Finding[] {
    if (step.isKnownDefect('DM')) return [];
    const assigned = assignedByKernel(step, step.eagerRmp);
    if (assigned.length === 0) return [];
    const bad = step.eagerRmp
      ? (pfn: number): boolean => step.isAssigned(pfn) && step.directMapPresent(pfn)
      : (pfn: number): boolean =>
          step.isAssigned(pfn) && !step.entry(pfn).large && step.directMapPresent(pfn) && step.directMapLevel(pfn) > 1;
    const runs = newlyViolating(step.violating('DM', 0), assigned, bad);
    if (runs.length === 0) return [];
    const n = countPages(runs);
    const which = formatRuns('pfn', runs);
    const event = step.rmpEvent(runs[0].start);
    return [
      {
        message: step.eagerRmp
          ? `${which} ${agree(n, 'is', 'are')} assigned to a guest and still in the direct map: a stray host write takes #PF(RMP), which the kernel does not survive, instead of a not-present fault. Unmap before RMPUPDATE, and do not map again on success.`
          : `${which} ${agree(n, 'is', 'are')} assigned as 4K under a ${step.directMapLevel(runs[0].start) === 2 ? '2M' : '1G'} mapping of the direct map. Split it (set_memory_4k) before RMPUPDATE.`,
        pages: runs,
        ...(event >= step.from ? { event } : {}),
        ...(step.eagerRmp ? { severity: 'warning' as const } : {}),
      },
    ];
  },
};

/** What the kernel's C assigned in this step; 2M entries too if `large`. */
function assignedByKernel(step: StepView, large: boolean): Run[] {
  const { trace } = step;
  const runs: Run[] = [];
  for (let e = step.from; e < step.to; e++) {
    if (trace.kind[e] !== EventKind.Rmpupdate || trace.code[e] !== 0 || trace.site[e] === 0) continue;
    if (!operandIsAssigned(trace.a[e]) || (!large && operandIsLarge(trace.a[e]))) continue;
    const start = trace.page[e];
    const end = start + (operandIsLarge(trace.a[e]) ? 512 : 1);
    const last = runs[runs.length - 1];
    if (last !== undefined && last.end === start) last.end = end;
    else runs.push({ start, end });
  }
  return runs;
}
