/**
 * SWALLOW: whoever asked for a conversion is told that it failed.
 *
 * In RFC v8 02/56 the result of `.update_mem_attr` only becomes a rate-limited warning; KVM_SET_MEMORY_ATTRIBUTES still returns 0.
 */
import { errnoName } from '../base/errno.ts';
import { failedResults, isUnfulfilled } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { StepView } from './step-view.ts';

export const swallow: Invariant = {
  id: 'SWALLOW',
  spec: 'I-SWALLOW',
  severity: 'error',
  statement: 'A non-zero RMP result reaches the caller that asked for the conversion.',
  source: 'kvm_post_mem_attrs_changed, kvm_arch_post_set_memory_attributes (RFC v8 02/56)',
  check,
};

function check(step: StepView): Finding[] {
  if (!step.succeeded || step.request === undefined) return [];
  const failed = failedResults(step);
  if (failed.length === 0) return [];
  let unfulfilled = false;
  for (let gfn = step.request.startGfn; gfn < step.request.endGfn && !unfulfilled; gfn++)
    unfulfilled = isUnfulfilled(step, gfn);
  if (!unfulfilled) return [];

  // The shallowest frame that was handed a failure did not hand it on.
  const { trace } = step;
  const lost = failed.reduce((best, e) => (trace.a[e] <= trace.a[best] ? e : best));
  const origin = failed[0];
  const where = step.functionAt(trace.site[lost]);
  const from = step.functionAt(trace.site[origin]);
  const began = from !== undefined && origin !== lost ? ` (first ${value(trace.code[origin])} in ${from}())` : '';
  return [
    {
      message: `The conversion failed with ${value(trace.code[lost])}${began}, but the call returned 0: ${where === undefined ? 'the result is dropped' : `${where}() drops it`}. The VMM and the guest go on as if the pages were ${step.request.toPrivate ? 'private' : 'shared'}; return the error to the caller.`,
      event: lost,
    },
  ];
}

const value = (code: number): string => (code < 0 ? `-${errnoName(-code)}` : `code ${code}`);
