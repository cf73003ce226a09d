/** COUNT: the head entry's subpage count is the number of assigned 4K entries among the other 511 pages of its 2M region; 0 for a 2M entry. */
import { hex } from '../base/text.ts';
import type { Finding, Invariant } from './invariant.ts';
import { newlyViolating, type StepView } from './step-view.ts';

export const count: Invariant = {
  id: 'COUNT',
  spec: 'I-COUNT',
  severity: 'error',
  statement:
    'The subpage count of a 2M region equals the assigned 4K pages among its last 511; it is 0 while the region is one 2M entry.',
  source: 'AMD-ASPFW sev_rmp.c (rmp_entry_write, subpage_count)',
  explanation: `The head entry of a 2M region counts the assigned 4K pages among the other 511; RMPUPDATE refuses a 2M entry while it is not 0. The instructions keep it, so this rule catches raw writes (a dump replayed, a what-if) and errors of the simulator itself.`,
  check(step: StepView): Finding[] {
    const frames = step.rmpTouched.map((run) => ({
      start: Math.floor(run.start / 512),
      end: Math.floor((run.end - 1) / 512) + 1,
    }));
    const runs = newlyViolating(
      step.violating('COUNT', 0),
      frames,
      (frame) => step.head(frame).subpageCount !== expected(step, frame),
    );
    return runs.flatMap((run) => {
      const findings: Finding[] = [];
      for (let frame = run.start; frame < run.end; frame++) {
        const stored = step.head(frame).subpageCount;
        findings.push({
          message: `The head entry at pfn ${hex(frame * 512)} says ${stored} assigned subpages, the region has ${expected(step, frame)}: RMPUPDATE will ${stored === 0 ? 'let a 2M entry cover assigned 4K pages' : 'refuse a 2M entry with FAIL_OVERLAP'}.`,
          pages: [{ start: frame * 512, end: frame * 512 + 512 }],
        });
      }
      return findings;
    });
  },
};

function expected(step: StepView, frame: number): number {
  const head = step.head(frame);
  if (head.assigned && head.large) return 0;
  return step.assignedTails(frame);
}
