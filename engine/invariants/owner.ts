/** OWNER: an assigned page belongs to a guest that exists, and the processor's counter of that ASID knows of it. */

import { countPages } from '../base/runs.ts';
import { agree, formatRuns, hex } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import { operandIsAssigned } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import { newlyViolating, type StepView } from './step-view.ts';

/** The firmware's own: an entry that it holds while it writes it. */
const FIRMWARE_ASID = 0x3ff;

export const owner: Invariant = {
  id: 'OWNER',
  spec: 'I-OWNER',
  severity: 'error',
  statement: 'A page assigned to an ASID belongs to a guest that exists, and the ASID counter of the RMP counts it.',
  source: 'APM vol. 2, table 15-35; AMD-ASPFW check_rmp_for_asid',
  explanation: `A page with an ASID that no guest has cannot be used by anyone and cannot be given to the host by accident either: it stays away until somebody makes it shared, and a guest that is given the ASID later inherits it.

The processor counts the pages of every ASID in the first 16K of the RMP. An assigned page while the counter is 0 means that the counter was not kept; firmware would let the ASID be used again.

Judged on the pages that the kernel's C assigned in a step. ASID 0 is the AMD-SP's and not judged, nor are raw instructions of the scenario.`,
  repeats: ['ATTR-RMP'],
  check(step: StepView): Finding[] {
    const { trace } = step;
    const known = new Set(step.guests.map((guest) => guest.asid));
    const suspects: { start: number; end: number }[] = [];
    for (let e = step.from; e < step.to; e++) {
      if (trace.site[e] === 0) continue;
      if (trace.kind[e] === EventKind.Rmpupdate && trace.code[e] === 0 && operandIsAssigned(trace.a[e])) {
        // One glance at the operand settles the ordinary case.
        if (
          !known.has(Math.floor((trace.a[e] % 2 ** 32) / 8) % 1024) ||
          step.asidCounter(step.entry(trace.page[e]).asid) <= 0
        )
          suspects.push({ start: trace.page[e], end: trace.page[e] + ((trace.a[e] & 2) === 0 ? 1 : 512) });
      }
    }
    if (suspects.length === 0) return [];
    const nobody = (pfn: number): boolean => {
      const { assigned, asid } = step.entry(pfn);
      return assigned && asid !== 0 && asid !== FIRMWARE_ASID && !known.has(asid);
    };
    const uncounted = (pfn: number): boolean => {
      const { assigned, asid } = step.entry(pfn);
      return assigned && asid !== 0 && asid !== FIRMWARE_ASID && step.asidCounter(asid) <= 0;
    };
    return newlyViolating(step.violating('OWNER', 0), suspects, (pfn) => nobody(pfn) || uncounted(pfn)).map((run) => {
      const { asid } = step.entry(run.start);
      const n = countPages([run]);
      const which = `${formatRuns('pfn', [run])} ${agree(n, 'is', 'are')} assigned to ASID ${asid}`;
      const event = step.rmpEvent(run.start);
      return {
        message: nobody(run.start)
          ? `${which}, which no guest here has: nobody can use ${agree(n, 'the page', 'the pages')}, and a guest that gets the ASID later inherits ${agree(n, 'it', 'them')}.`
          : `${which}, but the RMP's counter of that ASID is ${hex(step.asidCounter(asid))}: SNP_ACTIVATE would take the ASID for free.`,
        pages: [run],
        ...(event >= step.from ? { event } : {}),
      };
    });
  },
};
