/**
 * VALID: a page that the guest has validated stays validated until the guest gives it up or it is converted.
 *
 * What the guest believes is kept beside the RMP: set by its own PVALIDATE and by launch, cleared when it rescinds or when the gfn becomes shared.
 */

import type { PageSet } from '../base/page-set.ts';
import { countPages } from '../base/runs.ts';
import { agree, formatRuns, plural } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import { PVALIDATE_2M, PVALIDATE_VALIDATE, SNP_LAUNCH_UPDATE } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import { framesOf, type GuestView, newlyViolating, type StepView } from './step-view.ts';

export const valid: Invariant = {
  id: 'VALID',
  spec: 'I-VALID',
  severity: 'error',
  statement: 'What a guest has validated and still uses as private is Validated in the RMP.',
  source: 'APM vol. 2, 15.36.6 and 15.36.11',
  explanation: `The processor clears Validated whenever a page is unassigned, reassigned, remapped or resized. If the host does that behind the guest's back, the guest's next private access is #VC 0x404, which a guest must take for an attack: it terminates.

The guest's own view is followed: PVALIDATE and launch set it, PVALIDATE with EDX=0 clears it. So does making the gfn shared, which the guest has to ask for, and discarding the page, which is the VMM's to answer for. A page that comes back after a round trip over shared has to be validated again and is not reported.`,
  repeats: ['ATTR-RMP', 'PARTIAL', 'IDEMP'],
  check(step: StepView): Finding[] {
    return step.guests.flatMap((guest) => checkGuest(step, guest));
  },
};

function checkGuest(step: StepView, guest: GuestView): Finding[] {
  const believed = step.violating('VALID believed', guest.asid);
  follow(step, guest, believed);
  const touched = step.gfnsTouched(guest);
  // A frame that is private and one 2M entry throughout: its first page speaks for all.
  const isWhole = (frame: number): boolean => step.privateAlike(guest, frame) && isValid(step, guest, frame * 512);
  for (const run of touched) {
    for (const frame of framesOf([run])) {
      if (!believed.mayHaveIn(frame) || isWhole(frame)) continue;
      forget(step, guest, believed, Math.max(run.start, frame * 512), Math.min(run.end, frame * 512 + 512));
    }
  }
  const runs = newlyViolating(
    step.violating('VALID', guest.asid),
    touched,
    (gfn) => believed.has(gfn) && !isValid(step, guest, gfn),
    (frame) => !believed.mayHaveIn(frame) || isWhole(frame),
  );
  if (runs.length === 0) return [];
  const n = countPages(runs);
  const first = step.backing(guest, runs[0].start);
  const assigned = first !== undefined && step.isAssigned(first);
  const event = first === undefined ? -1 : step.rmpEvent(first);
  const now = assigned
    ? 'the RMP says not validated'
    : `${agree(n, 'the page is', 'the pages are')} not assigned any more`;
  const validation =
    first === undefined ? undefined : step.validatedHistory(first).find((e) => e < step.from && validates(step, e));
  const since = validation === undefined ? '' : ` since ${step.describeStep(validation)}`;
  return [
    {
      message: `${plural(n, 'page')} of guest ${guest.name} (${formatRuns('gfn', runs)}) ${agree(n, 'is', 'are')} private and validated${since}, as the guest knows ${agree(n, 'it', 'them')}, but ${now}. Its next private access ends in #VC(0x404) or a fault, which it has to take for an attack. Nothing may unassign, remap or resize a validated page without the guest's asking.`,
      pages: step.framesBehind(guest, runs),
      ...(event >= step.from ? { event } : {}),
      ...(validation === undefined ? {} : { since: validation }),
      ...(step.actor === undefined ? {} : { explainsOutcome: true }),
    },
  ];
}

const validates = (step: StepView, e: number): boolean =>
  step.trace.kind[e] === EventKind.Firmware ||
  (step.trace.kind[e] === EventKind.Pvalidate && (step.trace.a[e] & PVALIDATE_VALIDATE) !== 0);

/** What the guest and the firmware did to Validated in this step. */
function follow(step: StepView, guest: GuestView, believed: PageSet): void {
  const { trace } = step;
  for (let e = step.from; e < step.to; e++) {
    if (trace.code[e] !== 0) continue;
    if (trace.kind[e] === EventKind.Pvalidate && trace.space[e] === guest.asid) {
      const operand = trace.a[e] % 8;
      const gfn = Math.floor(trace.b[e] / 4096);
      const pages = (operand & PVALIDATE_2M) === 0 ? 1 : 512;
      believed.setRange(gfn, gfn + pages, (operand & PVALIDATE_VALIDATE) !== 0);
    } else if (trace.kind[e] === EventKind.Firmware && trace.a[e] === SNP_LAUNCH_UPDATE) {
      const entry = step.entry(trace.page[e]);
      if (entry.assigned && entry.asid === guest.asid && entry.validated && !step.marks(trace.page[e]).vmsa)
        believed.set(entry.gfn, true);
    }
  }
}

/** Pages that were made shared, that the VMM discarded, or that the scenario itself took away by a raw instruction: nothing to believe any more. */
function forget(step: StepView, guest: GuestView, believed: PageSet, start: number, end: number): void {
  for (let gfn = start; gfn < end; gfn++) {
    if (!believed.has(gfn)) continue;
    const pfn = step.backing(guest, gfn);
    if (!step.isPrivate(guest, gfn) || pfn === undefined) believed.set(gfn, false);
    else if (!isValid(step, guest, gfn) && byScenario(step, pfn)) believed.set(gfn, false);
  }
}

function byScenario(step: StepView, pfn: number): boolean {
  const event = step.rmpEvent(pfn);
  return event >= 0 && step.trace.site[event] === 0;
}

function isValid(step: StepView, guest: GuestView, gfn: number): boolean {
  const pfn = step.backing(guest, gfn);
  if (pfn === undefined) return false;
  const entry = step.entry(pfn);
  return entry.assigned && entry.validated && entry.asid === guest.asid && entry.gfn === gfn;
}
