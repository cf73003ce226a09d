/**
 * GPA-INJ: a guest has validated a GPA in one system page only.
 *
 * This is what PVALIDATE is for: a guest that validates every GPA once cannot be remapped to another page without noticing. The RMP itself does not
 * keep a host from binding two pages to one GPA; the guest keeps it by not validating the second.
 */
import type { PageMap } from '../base/page-map.ts';
import { hex } from '../base/text.ts';
import type { Finding, Invariant } from './invariant.ts';
import { newlyViolating, type StepView } from './step-view.ts';

export const gpaInj: Invariant = {
  id: 'GPA-INJ',
  spec: 'I-GPA-INJ',
  severity: 'error',
  statement: 'No two validated pages of one ASID are bound to the same GPA.',
  source: 'APM vol. 2, 15.36.6; VeriSMo, rmp_inv_sw',
  explanation: `If two pages are validated at one GPA, the hypervisor can show the guest either of them, or an old one again, by changing the nested page table: the replay that SNP is there to prevent.

A host that binds a second page to a GPA is not caught by the hardware. The guest is what prevents it, by never validating a GPA that it has validated already; CF alone does not tell, since the second page was never validated. So the finding stands on the step that validated the second page.

VMSA pages are left out: KVM gives all of them the same GPA, and no nested page table leads there.`,
  check(step: StepView): Finding[] {
    const findings: Finding[] = [];
    if (step.rmpMarked.length === 0) return findings;
    const seen = step.violating('GPA-INJ', 0);
    const places = new Map<number, Places>();
    const injected = newlyViolating(
      seen,
      step.rmpMarked,
      (pfn) => twin(step, places, pfn) !== undefined,
      (frame) => isAlone(step, places, frame),
    );
    for (const run of injected) {
      const pfn = run.start;
      const other = twin(step, places, pfn) as number;
      const { gfn, asid } = step.entry(pfn);
      const guest = step.guests.find((g) => g.asid === asid);
      const first = step.rmpEvent(other);
      const since = first >= 0 && first < step.from ? ` since ${step.describeStep(first)}` : '';
      findings.push({
        message: `pfn ${hex(pfn)} is validated at GPA ${hex(gfn * 4096)} of ${guest === undefined ? `ASID ${asid}` : `guest ${guest.name}`}, and so is pfn ${hex(other)}${since}: the hypervisor can switch between them without the guest noticing. A guest must not validate a GPA twice; clear the first (PVALIDATE, EDX=0) before the page is given away.`,
        pages: [run],
        ...(since === '' ? {} : { since: first }),
      });
    }
    return findings;
  },
};

/** Where the validated pages of an ASID were seen: entries by GFN, 2M entries by the GFN of their head. Checked against the RMP before it is believed. */
interface Places {
  small: PageMap;
  large: PageMap;
}

function placesOf(step: StepView, known: Map<number, Places>, asid: number): Places {
  let places = known.get(asid);
  if (places === undefined) {
    places = { small: step.memory('GPA-INJ 4K', asid), large: step.memory('GPA-INJ 2M', asid) };
    known.set(asid, places);
  }
  return places;
}

/** Another page that is validated at this page's GPA. Also notes where the GPA of a validated page is. */
function twin(step: StepView, known: Map<number, Places>, pfn: number): number | undefined {
  if (!isValidated(step, pfn)) return undefined;
  const { asid, gfn, large } = step.entry(pfn);
  const { small, large: big } = placesOf(step, known, asid);
  const boundTo = (at: number | undefined): number | undefined =>
    at !== undefined && at !== pfn && isValidated(step, at) && isBound(step, at, asid, gfn) ? at : undefined;
  const first = big.get(gfn - (gfn % 512));
  const found = boundTo(small.get(gfn)) ?? boundTo(first === undefined ? undefined : first + (gfn % 512));
  if (found === undefined) {
    if (!large) small.set(gfn, pfn);
    else if (gfn % 512 === 0) big.set(gfn, pfn);
  }
  return found;
}

/** Whether a frame is one 2M entry, and no other page is known at any of its 512 GPAs. Notes where they are, as {@link twin} does. */
function isAlone(step: StepView, known: Map<number, Places>, frame: number): boolean {
  const pfn = frame * 512;
  if (!step.tailsAlike(frame) || !isValidated(step, pfn)) return false;
  const { asid, gfn, large } = step.entry(pfn);
  if (!large || gfn % 512 !== 0) return false;
  const { small, large: big } = placesOf(step, known, asid);
  const other = big.get(gfn);
  if (small.hasIn(gfn / 512) || (other !== undefined && other !== pfn)) return false;
  big.set(gfn, pfn);
  return true;
}

const isValidated = (step: StepView, pfn: number): boolean => {
  const { assigned, validated, asid, large } = step.entry(pfn);
  return assigned && validated && asid !== 0 && !step.marks(large ? pfn - (pfn % 512) : pfn).vmsa;
};

const isBound = (step: StepView, pfn: number, asid: number, gfn: number): boolean => {
  const entry = step.entry(pfn);
  return entry.asid === asid && entry.gfn === gfn;
};
