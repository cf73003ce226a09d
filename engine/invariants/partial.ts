/**
 * PARTIAL: a range conversion that fails leaves attributes and RMP consistent for every page of the range.
 *
 * RFC v8 stores the attributes of the whole range first and then converts page by page until the first error; nothing rolls back.
 */
import { countPages, type Run } from '../base/runs.ts';
import { formatRuns, plural } from '../base/text.ts';
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
  return [
    {
      message: `The conversion stopped half-way: ${plural(bad, 'page')} of ${total} (${formatRuns('gfn', left)}) have attribute ${to} but their RMP entries were never changed, and nothing rolls back. Convert before storing the attributes, or take them back for what failed.`,
      event: deepest,
    },
  ];
}
