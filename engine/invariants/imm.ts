/** IMM: nobody changes an entry that the AMD-SP holds (Immutable, HV-Fixed). The instructions refuse with FAIL_PERMISSION; a kernel that asks has a bug. */
import { hex } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import { FAIL_PERMISSION, lastingFailures } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { StepView } from './step-view.ts';

export const imm: Invariant = {
  id: 'IMM',
  spec: 'I-IMM',
  severity: 'error',
  statement: 'RMPUPDATE and PSMASH are not used on immutable or HV-Fixed pages.',
  source: 'APM vol. 3, RMPUPDATE and PSMASH; APM vol. 2, table 15-34',
  explanation: `Firmware marks pages that it holds (Immutable) and pages that must stay the hypervisor's (HV_FIXED). RMPUPDATE and PSMASH refuse them with FAIL_PERMISSION; a kernel that asks either does not know what it has, or forgot SNP_PAGE_RECLAIM.`,
  check(step: StepView): Finding[] {
    const { trace } = step;
    const findings: Finding[] = [];
    for (const e of lastingFailures(step)) {
      const pfn = trace.page[e];
      if (trace.code[e] !== FAIL_PERMISSION || !step.rawEntry(pfn).immutable) continue;
      const entry = step.rawEntry(pfn);
      const what = entry.assigned
        ? entry.asid === 0
          ? 'a firmware page'
          : `held by the AMD-SP for ASID ${entry.asid}`
        : 'HV-Fixed';
      findings.push({
        message: `${trace.kind[e] === EventKind.Psmash ? 'PSMASH' : 'RMPUPDATE'} at pfn ${hex(pfn)}: FAIL_PERMISSION, the entry is immutable (${what}). Only firmware can release it (SNP_PAGE_RECLAIM); retrying cannot help.`,
        event: e,
        pages: [{ start: pfn, end: pfn + 1 }],
      });
    }
    return findings;
  },
};
