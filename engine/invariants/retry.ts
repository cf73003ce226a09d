/** RETRY: what passes by itself is tried again, what does not is not. */
import { hex, plural } from '../base/text.ts';
import { Check, checkOf } from '../hardware/instruction-checks.ts';
import { EventKind } from '../trace/trace.ts';
import { attempts, FAIL_INUSE, failName, lastingFailures } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { StepView } from './step-view.ts';

export const retry: Invariant = {
  id: 'RETRY',
  spec: 'I-RETRY',
  severity: 'error',
  statement:
    'FAIL_INUSE and the FAIL_OVERLAP of a contended region are retried, a bounded number of times; other codes are not.',
  source: 'rmpupdate(), psmash() (RFC v8 14/56); snp_rmptable_psmash() (arch/x86/kvm/svm/sev.c)',
  explanation: `The processor locks the 2M region of a page while it works on it; another CPU that comes then gets FAIL_INUSE or FAIL_OVERLAP, and a moment later would not. Giving up at once turns that moment into a failed conversion. Trying again what an immutable entry, a wrong operand or an assigned page of the other size refuses only takes time.

Judged on instructions of the kernel that failed for good. A retry that never ends is TERM's. Where another rule says why the instruction can never succeed, this one adds nothing.`,
  repeats: ['OVERLAP', 'IMM', 'ALIGN', 'COVER', 'INUSE'],
  check(step: StepView): Finding[] {
    const { trace } = step;
    return lastingFailures(step).flatMap((e): Finding[] => {
      const psmash = trace.kind[e] === EventKind.Psmash;
      const what = `${psmash ? 'PSMASH' : 'RMPUPDATE'} at pfn ${hex(trace.page[e])}: ${failName(trace.code[e], psmash)}`;
      const check = checkOf(trace.a[e]);
      const transient = trace.code[e] === FAIL_INUSE || check === Check.ContendedSame || check === Check.ContendedOther;
      const n = attempts(step, e);
      // A function that the scenario calls by name hands the code to its caller, which may well try again.
      if (transient && n === 1 && step.operation !== 'kernel.call') {
        return [
          {
            message: `${what}, and nobody tries again. Another CPU was at work on the region; a second attempt would have succeeded. Retry, with a bound.`,
            event: e,
          },
        ];
      }
      if (!transient && n > 1) {
        return [
          {
            message: `${what}, tried ${plural(n, 'time')} with the same operands: no retry changes this code. Retry FAIL_INUSE and contended regions only.`,
            event: e,
          },
        ];
      }
      return [];
    });
  },
};
