/**
 * SIZE: nested page table and RMP agree on the size of a private page, or the kernel makes them agree when the guest runs into it.
 *
 * A mismatch as such is ordinary: KVM repairs it on the next fault. What is wrong is a guest that took that fault and is no further.
 */
import { hex } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { GuestView, StepView } from './step-view.ts';

export const size: Invariant = {
  id: 'SIZE',
  spec: 'I-SIZE',
  severity: 'error',
  statement:
    'A private page is mapped at the size of its RMP entry; a mismatch that the guest runs into is resolved by the fault.',
  source: 'APM vol. 2, table 15-39 (Page-Size check); sev_adjust_mapping_level (RFC v8 37/56)',
  explanation: `The Page-Size check wants 4K with 4K and 2M (or 1G) with 2M; otherwise every private access takes #NPF(RMP|ENC). SIZEM is not set for it: by the APM that bit is PVALIDATE's and RMPADJUST's only.

Sizes may differ for a while: after PSMASH, or after the kernel has mapped a page before its entry was made. KVM repairs this lazily, so nothing is reported then. The rule looks at steps of a guest that faulted with an RMP violation, after all the kernel's handlers have run: a mapping whose size still differs will fault again, the same way, for ever.

Resolve it in the RMP fault handler: PSMASH an entry that is too large, and zap a mapping that is.`,
  repeats: ['PSMASH-ZAP'],
  check(step: StepView): Finding[] {
    const { trace, actor } = step;
    if (actor === undefined || !(step.outcome.livelock || step.outcome.faulted)) return [];
    const gfn = lastRmpFault(step, actor);
    if (gfn === undefined) return [];
    const mapping = step.mapping(actor, gfn);
    if (mapping === undefined) return [];
    const pfn = mapping.pfn + (gfn - mapping.gfn);
    const entry = step.entry(pfn);
    if (!entry.assigned || entry.asid !== actor.asid || entry.gfn !== gfn || entry.large === mapping.level > 1)
      return [];
    const changed = step.rmpEvent(entry.large ? pfn - (pfn % 512) : pfn);
    const since = changed >= 0 && changed < step.from ? ` since ${step.describeStep(changed)}` : '';
    const handler = lastInC(step);
    const { start, end } = { start: pfn - (pfn % 512), end: pfn - (pfn % 512) + 512 };
    return [
      {
        message: `The nested page table maps gfn ${hex(gfn)} as ${levelName(mapping.level)}, its RMP entry is ${entry.large ? '2M' : '4K'}${since}: the Page-Size check fails each time, and the fault handler changed neither. ${entry.large ? 'PSMASH the entry and zap the mapping.' : 'Zap the mapping, so that it is made again at 4K.'}`,
        pages: [{ start, end }],
        explainsOutcome: true,
        ...(handler === undefined ? {} : { event: handler }),
        ...(since === '' ? {} : { since: changed }),
      },
    ];

    /** The last thing the kernel left in the trace: where a handler gave up. */
    function lastInC({ from, to }: StepView): number | undefined {
      for (let e = to - 1; e >= from; e--) if (trace.site[e] !== 0) return e;
      return undefined;
    }
  },
};

/** PFERR_GUEST_RMP_MASK. */
const RMP_BIT = 2 ** 31;
const NPF = 0x400;

/** The gfn of the guest's last #NPF with the RMP bit in this step. */
function lastRmpFault(step: StepView, guest: GuestView): number | undefined {
  const { trace } = step;
  for (let e = step.to - 1; e >= step.from; e--) {
    if (trace.space[e] !== guest.asid) continue;
    if (trace.kind[e] === EventKind.Fault) {
      return trace.a[e] === NPF && Math.floor(trace.b[e] / RMP_BIT) % 2 === 1 ? trace.page[e] : undefined;
    }
    // A PVALIDATE that faulted carries its GPA.
    if (trace.kind[e] === EventKind.Pvalidate && trace.code[e] === -1) return Math.floor(trace.b[e] / 4096);
  }
  return undefined;
}

const levelName = (level: number): string => ['', '4K', '2M', '1G'][level];
