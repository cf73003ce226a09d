/** COVER: memory that is to become a guest's is covered by the RMP and not fixed as the hypervisor's. */
import { hex, plural } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import { lastingFailures } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { StepView } from './step-view.ts';

export const cover: Invariant = {
  id: 'COVER',
  spec: 'I-COVER',
  severity: 'error',
  statement: 'A page that backs private memory is covered by the RMP and is not HV_FIXED.',
  source: 'APM vol. 2, 15.36.4; AMDESE/AMDSEV issue 245; Linux 88a921aa3c6b',
  explanation: `Pages beyond the RMP behave as the hypervisor's for ever, and so do those that firmware fixed at SNP_INIT: the RMP itself to the 2M boundary around it, reserved ranges, non-RAM. None of them can be assigned, and a guest that is given one takes #NPF(RMP|ENC) without end.

Judged on pages that the kernel gets for private gfns. Such memory has to be reserved before the allocator can hand it out.`,
  repeats: ['IMM'],
  check(step: StepView): Finding[] {
    const { trace } = step;
    const known = step.violating('COVER', 0);
    let first: number | undefined;
    let pages = 0;
    for (let e = step.from; e < step.to; e++) {
      if (trace.kind[e] !== EventKind.GetPfn || trace.code[e] !== 0) continue;
      const pfn = trace.page[e];
      const bad = isOutside(step, pfn) && isPrivate(step, pfn);
      if (!known.set(pfn, bad) || !bad) continue;
      first ??= pfn;
      pages++;
    }
    if (first === undefined) return [];
    const event = lastingFailures(step).find((e) => trace.page[e] === first);
    const more = pages > 1 ? ` and ${plural(pages - 1, 'more page')}` : '';
    const why = step.covers(first) ? 'HV_FIXED: firmware keeps it for the hypervisor' : 'not covered by the RMP';
    return [
      {
        message: `pfn ${hex(first)}${more} is to back private memory, but is ${why}. It can never be assigned; reserve such memory before the allocator hands it out.`,
        pages: [{ start: first, end: first + pages }],
        ...(event === undefined ? {} : { event }),
      },
    ];
  },
};

function isOutside(step: StepView, pfn: number): boolean {
  if (!step.covers(pfn)) return true;
  const entry = step.rawEntry(pfn);
  return entry.immutable && !entry.assigned;
}

const isPrivate = (step: StepView, pfn: number): boolean =>
  step.guests.some((guest) =>
    step.gfnsBackedBy(guest, [{ start: pfn, end: pfn + 1 }]).some((run) => step.isPrivate(guest, run.start)),
  );
