/**
 * PARTIAL: a range conversion that fails leaves attributes and RMP consistent for every page of the range.
 *
 * RFC v8 stores the attributes of the whole range first and then converts page by page until the first error; nothing rolls back.
 */
import { countPages, type Run } from '../base/runs.ts';
import { agree, formatRuns, plural } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import { disagrees } from './attr-rmp.ts';
import { failedResults } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { StepView } from './step-view.ts';

export const partial: Invariant = {
  id: 'PARTIAL',
  spec: 'I-PARTIAL',
  severity: 'error',
  statement: 'A failed range conversion leaves attribute and RMP consistent for every page of the range.',
  source: 'sev_update_mem_attr (RFC v8 48/56), kvm_vm_set_region_attr (RFC v8 06/56)',
  explanation: `The attributes of the whole range are stored first and pages are converted one by one until the first error. What was not reached has an attribute that the RMP does not know, and userspace cannot tell how far the kernel got.

Judged once for the request, instead of page by page.`,
  check,
};

function check(step: StepView): Finding[] {
  const { request } = step;
  const failed = failedResults(step);
  if (request === undefined || failed.length === 0) return [];
  const left: Run[] = [];
  for (let gfn = request.startGfn; gfn < request.endGfn; gfn++) {
    if (!disagrees(step, request.guest, gfn)) continue;
    const last = left[left.length - 1];
    if (last !== undefined && last.end === gfn) last.end++;
    else left.push({ start: gfn, end: gfn + 1 });
  }
  if (left.length === 0) return [];
  const total = request.endGfn - request.startGfn;
  const bad = countPages(left);
  const to = request.toPrivate ? 'PRIVATE' : 'SHARED';
  // Show the failing call in the conversion itself: the deepest frame that was handed the failure.
  const { trace } = step;
  const deepest = failed.reduce((best, e) => (trace.a[e] > trace.a[best] ? e : best));
  const where = formatRuns('gfn', left);
  const state = `${agree(bad, 'has', 'have')} attribute ${to} but ${agree(bad, 'its RMP entry was', 'their RMP entries were')} never changed`;
  const told =
    total === 1
      ? `The conversion failed: the page (${where}) ${state}`
      : changedAny(step)
        ? `The conversion stopped half-way: ${bad} of ${plural(total, 'page')} (${where}) ${state}`
        : `The conversion stopped at its first page: ${bad === total ? `all ${plural(total, 'page')}` : `${bad} of ${plural(total, 'page')}`} (${where}) ${state}`;
  return [
    {
      message: `${told}, and nothing rolls back. Convert before storing the attributes, or take them back for what failed.`,
      event: deepest,
      pages: step.framesBehind(request.guest, left),
    },
  ];
}

/** Whether the step changed any RMP entry. */
function changedAny(step: StepView): boolean {
  const { trace } = step;
  for (let e = step.from; e < step.to; e++)
    if (trace.kind[e] === EventKind.Rmpupdate && trace.code[e] === 0) return true;
  return false;
}
