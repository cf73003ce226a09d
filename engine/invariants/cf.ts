/** CF: PVALIDATE changes something. CF=1 says that the guest has lost track of a page, or that somebody plays with it. */
import { hex } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import { PVALIDATE_CF, PVALIDATE_VALIDATE } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { StepView } from './step-view.ts';

export const cf: Invariant = {
  id: 'CF',
  spec: 'I-CF',
  severity: 'warning',
  statement: 'A guest never executes a PVALIDATE that changes nothing (CF=1).',
  source: 'APM vol. 2, 15.36.6; COCONUT-SVSM pvalidate(); Linux PVALIDATE_FAIL_NOUPDATE',
  explanation: `A guest that validates a GPA twice cannot tell a page of its own from one that the hypervisor has put in its place; Linux terminates on CF=1, COCONUT-SVSM returns an error.

A step that states \`=> CF=1\` is about just this and not reported. A step that states nothing is expected to succeed: there OUTCOME reports it, with this rule's explanation.`,
  check(step: StepView): Finding[] {
    if (step.outcome.cf !== 1 || step.stated === 'cf') return [];
    const { trace } = step;
    for (let e = step.to - 1; e >= step.from; e--) {
      if (trace.kind[e] !== EventKind.Pvalidate || trace.code[e] !== 0) continue;
      const operand = trace.a[e] % 8;
      if ((operand & PVALIDATE_CF) === 0) continue;
      const already = (operand & PVALIDATE_VALIDATE) !== 0 ? 'validated already' : 'not validated';
      const cause = trace.cause[e];
      const since = cause >= 0 && cause < step.from ? ` since ${step.describeStep(cause)}` : '';
      return [
        {
          message: `PVALIDATE at GPA ${hex(trace.b[e])} changes nothing (CF=1): the page is ${already}${since}. A guest has to take that for an attack, or it has lost track of what it validated.`,
          explainsOutcome: true,
          ...(since === '' ? {} : { since: cause }),
        },
      ];
    }
    return [];
  },
};
