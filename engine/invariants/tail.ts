/** TAIL: the 511 tail entries of an assigned 2M entry read Assigned, with no owner of their own; everything else is read through the head. */
import { formatRuns } from '../base/text.ts';
import type { Finding, Invariant } from './invariant.ts';
import { newlyViolatingIn, type StepView } from './step-view.ts';

export const tail: Invariant = {
  id: 'TAIL',
  spec: 'I-TAIL',
  severity: 'error',
  statement: 'Under an assigned 2M entry all 511 tail entries are assigned, with ASID 0 and not immutable.',
  source: 'AMD-ASPFW snp_mcmd_page_unsmash; RFC v8 17/56',
  explanation: `Under an assigned 2M entry the other 511 entries only say that they are assigned: owner, GPA and Validated are the head's. The instructions keep it so; this rule catches raw writes.`,
  check(step: StepView): Finding[] {
    const isBad = (pfn: number): boolean => {
      const raw = step.rawEntry(pfn);
      return !raw.assigned || raw.immutable || raw.asid !== 0;
    };
    const suspicious = (frame: number): boolean => {
      const head = step.head(frame);
      return head.assigned && head.large && (!step.tailsAlike(frame) || isBad(frame * 512 + 1));
    };
    const runs = newlyViolatingIn(
      step.violating('TAIL', 0),
      step.rmpTouched,
      suspicious,
      (pfn) => pfn % 512 !== 0 && isBad(pfn),
    );
    return runs.length === 0
      ? []
      : [
          {
            message: `Tail entries under an assigned 2M entry do not read as such (${formatRuns('pfn', runs)}): snp_lookup_rmpentry() takes "assigned" from the tail and the level from the head, and would be told two different things.`,
            pages: runs,
          },
        ];
  },
};
