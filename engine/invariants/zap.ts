/**
 * ZAP: a page is out of the nested page table, and out of the TLBs, before it stops being the guest's.
 *
 * Otherwise a C=0 access goes on hitting the private page without any fault while the VMM uses another one.
 */
import type { Run } from '../base/runs.ts';
import { hex } from '../base/text.ts';
import { gfnsOfEvent } from '../hardware/nested-page-table.ts';
import { EventKind } from '../trace/trace.ts';
import { operandIsAssigned, operandIsLarge } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { GuestView, StepView } from './step-view.ts';

export const zap: Invariant = {
  id: 'ZAP',
  spec: 'I-ZAP',
  severity: 'error',
  statement:
    'Before the kernel takes a page from a guest (RMPUPDATE to shared, or freeing it), its mapping is zapped and the TLB flushed.',
  source: 'kvm_unmap_gfn_range; review of RFC v8 02/56 by Michael Roth; guest_memfd PUNCH_HOLE',
  explanation: `The RMP is not consulted for a shared (C=0) read. As long as the nested page table leads to the old page, the guest reads it without a fault, while the VMM reads and writes the new one: two memories behind one GPA. A TLB flush alone does not help, the entry is walked again.

Judged on what the kernel does, in the order in which it does it: each page that it makes hypervisor-owned or frees must by then be absent from the table, and what was zapped must have been flushed. Raw instructions of the scenario are not judged.`,
  repeats: ['ATTR-RMP', 'VALID', 'BOUND'],
  check(step: StepView): Finding[] {
    return step.guests.flatMap((guest) => checkGuest(step, guest));
  },
};

interface Taken {
  /** Of its first page. */
  event: number;
  /** Of its last page. */
  last: number;
  pages: Run;
}

function checkGuest(step: StepView, guest: GuestView): Finding[] {
  const taken = takenFrom(step);
  if (taken.length === 0) return [];
  const zaps = zapsOf(step, guest);
  for (const take of taken) {
    const gfns = step.gfnsBackedBy(guest, [take.pages]);
    if (gfns.length === 0) continue;
    const still = step.mappingsIn(guest, gfns).find((m) => leadsTo(m, take.pages));
    const late = zaps.find((z) => z.event > take.event && overlaps(z.gfns, gfns));
    if (still !== undefined || late !== undefined) {
      const when =
        late === undefined
          ? 'is still there when the call returns'
          : `is zapped only afterwards${step.describeSite(step.trace.site[late.event]) === '' ? '' : ` (${step.describeSite(step.trace.site[late.event])})`}`;
      // Of a run of pages that was taken, only some may be mapped: the first of these is named.
      const pages = still === undefined || late !== undefined ? take.pages : common(still, take.pages);
      const [at] = still === undefined ? gfns : step.gfnsBackedBy(guest, [pages]);
      return [
        {
          message: `pfn ${hex(pages.start)} is ${how(step, take)} while guest ${guest.name} maps it at gfn ${hex((at ?? gfns[0]).start)}; the mapping ${when}. A C=0 access reaches the old page without a fault. Zap the range and flush before the page changes hands.`,
          event: takenAt(step, take, pages.start),
          pages: [pages],
        },
      ];
    }
    const before = zaps.findLast((z) => z.event < take.event && overlaps(z.gfns, gfns));
    if (before !== undefined && !flushedBetween(step, guest, before.event, take.event)) {
      return [
        {
          message: `pfn ${hex(take.pages.start)} is ${how(step, take)} after its mapping in guest ${guest.name} was zapped, but no TLB flush stands between: a vCPU may still use the old translation. kvm_flush_remote_tlbs() belongs before the page changes hands.`,
          event: take.event,
          pages: [take.pages],
        },
      ];
    }
  }
  return [];
}

/** Event that took a page of the run. */
function takenAt(step: StepView, take: Taken, pfn: number): number {
  const { trace } = step;
  for (let e = take.event; e <= take.last; e++) {
    if (trace.kind[e] !== trace.kind[take.event] || trace.site[e] === 0 || pfn < trace.page[e]) continue;
    const large = trace.kind[e] === EventKind.Rmpupdate && operandIsLarge(trace.a[e]);
    const pages = trace.kind[e] === EventKind.PageFree ? trace.code[e] : large ? 512 : 1;
    if (pfn < trace.page[e] + pages) return e;
  }
  return take.event;
}

const how = (step: StepView, take: Taken): string =>
  step.trace.kind[take.event] === EventKind.PageFree ? 'freed' : 'made shared in the RMP';

/** Pages that the kernel's C took back in this step, runs of single pages joined at their first event. */
function takenFrom(step: StepView): Taken[] {
  const { trace } = step;
  const found: Taken[] = [];
  for (let e = step.from; e < step.to; e++) {
    if (trace.site[e] === 0) continue;
    const page = trace.page[e];
    let pages = 0;
    if (trace.kind[e] === EventKind.PageFree) pages = trace.code[e];
    else if (trace.kind[e] === EventKind.Rmpupdate && trace.code[e] === 0 && !operandIsAssigned(trace.a[e]))
      pages = operandIsLarge(trace.a[e]) ? 512 : 1;
    if (pages === 0) continue;
    const run = found[found.length - 1];
    // Nothing was zapped or flushed since: the same verdict will do.
    if (run !== undefined && run.pages.end === page && !changesMappings(step, run.last, e)) {
      run.pages.end += pages;
      run.last = e;
    } else {
      found.push({ event: e, last: e, pages: { start: page, end: page + pages } });
    }
  }
  return found;
}

function changesMappings(step: StepView, from: number, to: number): boolean {
  const { trace } = step;
  for (let e = from + 1; e < to; e++)
    if (trace.kind[e] === EventKind.Npt || trace.kind[e] === EventKind.TlbFlush) return true;
  return false;
}

function zapsOf(step: StepView, guest: GuestView): { event: number; gfns: Run }[] {
  const { trace } = step;
  const found: { event: number; gfns: Run }[] = [];
  for (let e = step.from; e < step.to; e++) {
    if (trace.kind[e] !== EventKind.Npt || trace.space[e] !== guest.asid || trace.a[e] >= 0) continue;
    found.push({ event: e, gfns: gfnsOfEvent(trace, e, false) });
  }
  return found;
}

function flushedBetween(step: StepView, guest: GuestView, from: number, to: number): boolean {
  const { trace } = step;
  for (let e = from; e < to; e++)
    if (trace.kind[e] === EventKind.TlbFlush && (trace.space[e] === 0 || trace.space[e] === guest.asid)) return true;
  return false;
}

/** The part of a run that a mapping leads to. */
const common = (m: { pfn: number; pages: number }, pages: Run): Run => ({
  start: Math.max(m.pfn, pages.start),
  end: Math.min(m.pfn + m.pages, pages.end),
});

const leadsTo = (m: { pfn: number; pages: number }, pages: Run): boolean =>
  m.pfn < pages.end && m.pfn + m.pages > pages.start;

const overlaps = (a: Run, runs: readonly Run[]): boolean => runs.some((run) => a.start < run.end && a.end > run.start);
