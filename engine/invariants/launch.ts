/** LAUNCH: what has become part of a guest's measured initial memory stays, and nothing is left half-way when the launch is finished. */
import { hex, plural } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import { operandIsAssigned, operandIsImmutable, SNP_LAUNCH_FINISH, SNP_LAUNCH_UPDATE } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { GuestView, StepView } from './step-view.ts';

export const launch: Invariant = {
  id: 'LAUNCH',
  spec: 'I-LAUNCH',
  severity: 'warning',
  statement:
    'A launch update takes pages from PRE_GUEST to GUEST_VALID and no other way; after the launch has finished no page of the guest is immutable.',
  source: 'SNP firmware ABI, SNP_LAUNCH_UPDATE and SNP_LAUNCH_FINISH; snp_launch_update_gfn_handler (RFC v8 35/56)',
  explanation: `SNP_LAUNCH_UPDATE adds a page to the launch digest; nothing takes it out again. If an error path makes such a page shared, the guest starts with a measurement of memory that it does not have, and attestation fails far from the cause.

A page that is still immutable (PRE_GUEST) when the launch is finished was never encrypted: the guest cannot use it, and the host cannot take it back without SNP_PAGE_RECLAIM.`,
  check(step: StepView): Finding[] {
    return [...takenBack(step), ...leftImmutable(step)];
  },
};

/** Pages that firmware took over in this step and that the same call unassigned again. */
function takenBack(step: StepView): Finding[] {
  const { trace } = step;
  const measured = new Set<number>();
  let pages = 0;
  let event: number | undefined;
  for (let e = step.from; e < step.to; e++) {
    if (trace.code[e] !== 0) continue;
    if (trace.kind[e] === EventKind.Firmware && trace.a[e] === SNP_LAUNCH_UPDATE) measured.add(trace.page[e]);
    else if (
      trace.kind[e] === EventKind.Rmpupdate &&
      !operandIsAssigned(trace.a[e]) &&
      measured.delete(trace.page[e])
    ) {
      pages++;
      event ??= e;
    }
  }
  if (event === undefined) return [];
  return [
    {
      message: `${plural(pages, 'page')} from pfn ${hex(trace.page[event])} on ${pages === 1 ? 'was' : 'were'} measured by SNP_LAUNCH_UPDATE and made shared again by the same call: the launch digest keeps ${pages === 1 ? 'it' : 'them'}, the guest does not. After such a failure only a new launch gives a measurement that means something.`,
      event,
    },
  ];
}

/** After SNP_LAUNCH_FINISH: immutable pages of the guest. */
function leftImmutable(step: StepView): Finding[] {
  const { trace } = step;
  const finished = step.memory('LAUNCH finished', 0);
  for (let e = step.from; e < step.to; e++) {
    if (trace.code[e] !== 0) continue;
    if (trace.kind[e] === EventKind.Rmpupdate && operandIsImmutable(trace.a[e])) {
      step.memory('LAUNCH immutable', step.entry(trace.page[e]).asid).set(trace.page[e], e);
    } else if (trace.kind[e] === EventKind.Firmware && trace.a[e] === SNP_LAUNCH_FINISH) {
      finished.set(trace.space[e], e);
    }
  }
  for (const guest of finishedBy(step)) finished.set(guest.asid, step.from);
  if (finished.isEmpty) return [];
  return step.guests.flatMap((guest) => {
    if (finished.get(guest.asid) === undefined) return [];
    const immutable = step.memory('LAUNCH immutable', guest.asid);
    return immutable.pages().flatMap((pfn): Finding[] => {
      const event = immutable.get(pfn) as number;
      immutable.set(pfn, undefined);
      const entry = step.entry(pfn);
      if (!entry.assigned || !entry.immutable || entry.asid !== guest.asid) return [];
      const since = event < step.from ? ` since ${step.describeStep(event)}` : '';
      return [
        {
          message: `The launch of guest ${guest.name} is finished, and pfn ${hex(pfn)} is still immutable (PRE_GUEST)${since}: neither the guest nor the host can use it. Every page needs its SNP_LAUNCH_UPDATE before, or SNP_PAGE_RECLAIM.`,
          pages: [{ start: pfn, end: pfn + 1 }],
          ...(event >= step.from ? { event } : { since: event }),
        },
      ];
    });
  });
}

/** The guests whose launch this step finished, by the ioctl or the function behind it. */
function finishedBy(step: StepView): readonly GuestView[] {
  const called = step.callee?.endsWith('launch_finish') === true || step.operation === 'vmm.launch_finish';
  if (!called || !step.succeeded) return [];
  return step.subject === undefined ? step.guests : [step.subject];
}
