/** ASIDCNT: an ASID is given to a guest only when no page is assigned to it any more. */
import { plural } from '../base/text.ts';
import { FwStatus } from '../hardware/firmware.ts';
import { EventKind } from '../trace/trace.ts';
import { SNP_ACTIVATE, SNP_ACTIVATE_EX } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { StepView } from './step-view.ts';

export const asidcnt: Invariant = {
  id: 'ASIDCNT',
  spec: 'I-ASIDCNT',
  severity: 'error',
  statement: 'The RMP counts no page of an ASID when SNP_ACTIVATE binds a guest to it.',
  source: 'AMD-ASPFW check_rmp_for_asid; SNP firmware ABI, SNP_ACTIVATE',
  explanation: `Pages that a dead guest left assigned keep its ASID's counter above 0, and firmware refuses the ASID with INVALID_CONFIG: the leak of one guest shows when another starts. Make every page of a guest shared, or leak it knowingly and retire the ASID with it.`,
  check(step: StepView): Finding[] {
    const { trace } = step;
    const findings: Finding[] = [];
    for (let e = step.from; e < step.to; e++) {
      if (trace.kind[e] !== EventKind.Firmware) continue;
      if (trace.a[e] !== SNP_ACTIVATE && trace.a[e] !== SNP_ACTIVATE_EX) continue;
      // Refused for another reason: the ASID is not bound, or the guest has it already and these are its pages.
      if (trace.code[e] !== 0 && trace.code[e] !== FwStatus.InvalidConfig) continue;
      const asid = trace.space[e];
      const pages = step.asidCounter(asid);
      if (pages === 0) continue;
      findings.push({
        message: `SNP_ACTIVATE of ASID ${asid}: the RMP still counts ${plural(pages, 'page')} of it, left by the guest that had it before${trace.code[e] === 0 ? '' : '; firmware refuses'}. Give all pages back before the ASID is used again.`,
        event: e,
      });
    }
    return findings;
  },
};
