/**
 * PSMASH-ZAP: after the kernel has split a 2M entry, the 2M mapping of the region is gone before the guest runs again.
 *
 * PSMASH changes neither the nested page table nor the TLB, so the two sizes disagree from then on.
 */
import { hex } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { GuestView, StepView } from './step-view.ts';

export const psmashZap: Invariant = {
  id: 'PSMASH-ZAP',
  spec: 'I-PSMASH-ZAP',
  severity: 'error',
  statement: 'A 2M mapping over a region that the kernel has PSMASHed is zapped before the guest runs again.',
  source: 'handle_rmp_page_fault (RFC v8 44/56); APM vol. 2, 15.36.11',
  explanation: `Every private access through the old mapping fails the Page-Size check, and whether the fault gets the guest any further is up to paths that were not made for it: fast_page_fault() takes a write to a mapping that is writable already for spurious.

The kernel has until the guest runs again. So nothing is said when the call that split the entry returns, but on the first step in which the guest runs with the mapping still in place. PSMASH as a raw instruction of the scenario is not the kernel's.`,
  check(step: StepView): Finding[] {
    const findings: Finding[] = [];
    for (const guest of step.guests) {
      // What was pending before this step: a guest that runs now runs into it.
      if (step.actor === guest) findings.push(...report(step, guest));
      update(step, guest);
    }
    return findings;
  },
};

/** By the mapping's first gfn: the PSMASH that it has outlived. */
const pendingOf = (step: StepView, guest: GuestView) => step.memory('PSMASH-ZAP', guest.asid);

function report(step: StepView, guest: GuestView): Finding[] {
  const pending = pendingOf(step, guest);
  if (pending.isEmpty) return [];
  const findings = pending.pages().map((gfn): Finding => {
    const event = pending.get(gfn) as number;
    const pfn = step.trace.page[event];
    return {
      message: `Guest ${guest.name} runs with a 2M mapping at gfn ${hex(gfn)} over pfn ${hex(pfn)}, whose RMP entry was split into 4K in ${step.describeStep(event)}: private accesses through it fail the Page-Size check. Zap the region (kvm_zap_gfn_range) together with the PSMASH.`,
      event,
      since: event,
      pages: [{ start: pfn, end: pfn + 512 }],
    };
  });
  for (const gfn of pending.pages()) pending.set(gfn, undefined);
  return findings;
}

function update(step: StepView, guest: GuestView): void {
  const { trace } = step;
  const pending = pendingOf(step, guest);
  for (const gfn of pending.isEmpty ? [] : pending.pages()) {
    const mapping = step.mapping(guest, gfn);
    const pfn = trace.page[pending.get(gfn) as number];
    if (mapping === undefined || !covers(mapping, pfn) || step.entry(pfn).large) pending.set(gfn, undefined);
  }
  for (let e = step.from; e < step.to; e++) {
    if (trace.kind[e] !== EventKind.Psmash || trace.code[e] !== 0 || trace.site[e] === 0) continue;
    const pfn = trace.page[e];
    for (const gfns of step.gfnsBackedBy(guest, [{ start: pfn, end: pfn + 512 }])) {
      const mapping = step.mappingsIn(guest, [gfns]).find((m) => covers(m, pfn));
      if (mapping !== undefined) pending.set(mapping.gfn, e);
    }
  }
}

const covers = (mapping: { pfn: number; level: number; pages: number }, pfn: number): boolean =>
  mapping.level > 1 && mapping.pfn <= pfn && pfn < mapping.pfn + mapping.pages;
