/**
 * HOSTW: a host write to a page of the host's own never meets a guest's page.
 *
 * Hardware checks a write through a large mapping against all 512 entries of the 2M region: one assigned page among them makes a write to any other
 * fault, and the kernel with it.
 */
import { hex, plural } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import type { Finding, Invariant } from './invariant.ts';
import { framesOf, type StepView } from './step-view.ts';

export const hostw: Invariant = {
  id: 'HOSTW',
  spec: 'I-HOSTW',
  severity: 'error',
  statement: 'No large mapping of the direct map covers assigned and hypervisor-owned pages of one 2M region at once.',
  source: 'APM vol. 2, 15.36.10 (Hypervisor-Owned); review of RFC v8 15/56 by Michael Roth',
  explanation: `A write by the host through a 2M or 1G mapping faults if any 4K page of the 2M region is assigned, whatever page it is for. The fault hits code that has nothing to do with SNP, at an address that is not a guest's.

Judged on the regions in which the kernel changed the RMP in this step. A region that is assigned as a whole is fine: nobody has business there. Raw instructions of the scenario are not judged.`,
  check(step: StepView): Finding[] {
    const findings: Finding[] = [];
    const seen = step.violating('HOSTW', 0);
    for (const frame of framesOf(step.rmpByKernel)) {
      const pfn = frame * 512;
      const bad = step.directMapLevel(pfn) > 1 && step.directMapPresent(pfn) && isMixed(step, frame);
      if (!seen.set(frame, bad) || !bad) continue;
      const head = step.head(frame);
      const assigned = head.subpageCount + (head.assigned ? 1 : 0);
      const event = firstChange(step, frame);
      findings.push({
        message: `The direct map covers pfn ${hex(pfn)}..${hex(pfn + 512)} with one ${step.directMapLevel(pfn) === 2 ? '2M' : '1G'} mapping, and ${plural(assigned, 'page')} of it ${assigned === 1 ? 'is' : 'are'} assigned: a host write to any of the other ${512 - assigned} takes #PF(RMP). Split the mapping to 4K first, or unmap what is assigned.`,
        pages: [{ start: pfn, end: pfn + 512 }],
        ...(event === undefined ? {} : { event }),
      });
    }
    return findings;
  },
};

/** Some pages of the region are assigned and some are not. */
function isMixed(step: StepView, frame: number): boolean {
  const head = step.head(frame);
  if (head.assigned && head.large) return false;
  const assigned = head.subpageCount + (head.assigned ? 1 : 0);
  return assigned > 0 && assigned < 512;
}

const isRmpChange = (kind: number): boolean => kind === EventKind.Rmpupdate || kind === EventKind.Psmash;

function firstChange(step: StepView, frame: number): number | undefined {
  const { trace } = step;
  for (let e = step.from; e < step.to; e++)
    if (
      trace.site[e] !== 0 &&
      trace.code[e] === 0 &&
      isRmpChange(trace.kind[e]) &&
      Math.floor(trace.page[e] / 512) === frame
    )
      return e;
  return undefined;
}
