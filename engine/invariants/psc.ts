/** PSC: a guest that asks for a page state change is told what became of it. */
import { plural } from '../base/text.ts';
import { failedResults, isUnfulfilled, resultText, shallowest } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { StepView } from './step-view.ts';

export const psc: Invariant = {
  id: 'PSC',
  spec: 'I-PSC',
  severity: 'error',
  statement: 'The result of a page state change that the guest is given is the result that the host had.',
  source: 'GHCB specification, SNP Page State Change; snp_complete_psc (RFC v8 41/56, 42/56)',
  explanation: `After a successful page state change the guest goes on: to PVALIDATE what became private, to share data in what became shared. If the host failed and says nothing, PVALIDATE faults and is resolved into the same failure again, or the guest writes its data where nobody reads it. Told of the failure, it can stop.

RFC v8 completes both protocols with success, whatever became of the VMM's ioctl.`,
  check(step: StepView): Finding[] {
    const { request } = step;
    if (step.operation !== 'guest.psc' || request === undefined) return [];
    const failed = failedResults(step);
    let unfulfilled = 0;
    for (let gfn = request.startGfn; gfn < request.endGfn; gfn++) if (isUnfulfilled(step, gfn)) unfulfilled++;
    const to = request.toPrivate ? 'private' : 'shared';
    if (step.succeeded && failed.length > 0 && unfulfilled > 0) {
      const lost = shallowest(step, failed);
      return [
        {
          message: `The host failed to make ${plural(unfulfilled, 'page')} ${to} (${resultText(step.trace.code[failed[0]])}), and guest ${request.guest.name} is told that all went well. ${request.toPrivate ? 'Its PVALIDATE will fault on pages that were never assigned' : 'It will use memory as shared that is still private'}; answer the request with the error.`,
          event: lost,
        },
      ];
    }
    if (!step.succeeded && failed.length === 0 && unfulfilled === 0) {
      return [
        {
          message: `Guest ${request.guest.name} is told that the page state change failed, but every page of it is ${to} now.`,
        },
      ];
    }
    return [];
  },
};
