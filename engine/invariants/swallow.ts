/**
 * SWALLOW: whoever asked for a conversion is told that it failed.
 *
 * In RFC v8 02/56 the result of `.update_mem_attr` only becomes a rate-limited warning; KVM_SET_MEMORY_ATTRIBUTES still returns 0.
 */
import { failedResults, isUnfulfilled, resultText, shallowest } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { StepView } from './step-view.ts';

export const swallow: Invariant = {
  id: 'SWALLOW',
  spec: 'I-SWALLOW',
  severity: 'error',
  statement: 'A non-zero RMP result reaches the caller that asked for the conversion.',
  source: 'kvm_post_mem_attrs_changed, kvm_arch_post_set_memory_attributes (RFC v8 02/56)',
  repeats: ['PSC'],
  explanation: `The one who asked for a conversion acts on the answer: the VMM discards the other backing, the guest goes on to PVALIDATE. A failure that becomes a line in the log instead leaves both convinced of something that is not so.

Judged on results that have to be handed up (RMPUPDATE's, and those of the functions that pass it on) and on the return value of the call.`,
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
  const lost = shallowest(step, failed);
  const origin = failed[0];
  const where = step.functionAt(trace.site[lost]);
  const from = step.functionAt(trace.site[origin]);
  const began = from !== undefined && origin !== lost ? ` (first ${resultText(trace.code[origin])} in ${from}())` : '';
  return [
    {
      message: `The conversion failed with ${resultText(trace.code[lost])}${began}, but the call returned 0: ${where === undefined ? 'the result is dropped' : `${where}() drops it`}. The VMM and the guest go on as if the pages were ${step.request.toPrivate ? 'private' : 'shared'}; return the error to the caller.`,
      event: lost,
    },
  ];
}
