/** VMPL: permission masks are what assignment, launch and RMPADJUST may make them. */
import { hex } from '../base/text.ts';
import { VMPL_READ, VMPL_WRITE } from '../hardware/rmp-entry.ts';
import { EventKind } from '../trace/trace.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { StepView } from './step-view.ts';

export const vmpl: Invariant = {
  id: 'VMPL',
  spec: 'I-VMPL',
  severity: 'error',
  statement:
    'VMPL0 has all permissions on an assigned page, a lower VMPL none that VMPL0 lacks, and no mask has write without read.',
  source: 'APM vol. 2, 15.36.7 and table 15-36',
  explanation: `Assignment gives VMPL0 everything and the others nothing; RMPADJUST hands down what the caller has, and SNP_LAUNCH_UPDATE sets VMPL1 to VMPL3 as the VMM says. A mask with write and without read is not legal: every data access under it is #NPF with the VMPL bit.

Judged on pages that RMPADJUST or firmware changed in this step. Raw writes are what-ifs.`,
  check(step: StepView): Finding[] {
    const { trace } = step;
    const findings: Finding[] = [];
    const known = step.violating('VMPL', 0);
    for (let e = step.from; e < step.to; e++) {
      const kind = trace.kind[e];
      if ((kind !== EventKind.Rmpadjust && kind !== EventKind.Firmware) || trace.code[e] !== 0 || trace.page[e] < 0)
        continue;
      const pfn = trace.page[e];
      if (!step.covers(pfn)) continue;
      const entry = step.entry(pfn);
      const guests = entry.assigned && entry.asid !== 0 && !entry.immutable;
      const wrong = guests ? problem(step.marks(entry.large ? pfn - (pfn % 512) : pfn).vmpl) : undefined;
      if (!known.set(pfn, wrong !== undefined) || wrong === undefined) continue;
      findings.push({ message: `pfn ${hex(pfn)}: ${wrong}`, event: e, pages: [{ start: pfn, end: pfn + 1 }] });
    }
    return findings;
  },
};

/** Read, write, and execution in both modes. */
const ALL = 0xf;

function problem(masks: readonly number[]): string | undefined {
  if ((masks[0] & ALL) !== ALL)
    return `VMPL0 has permissions ${hex(masks[0])} on an assigned page; nothing but the hypervisor's RMPUPDATE may set them, and that gives it all.`;
  for (let level = 1; level < masks.length; level++) {
    if ((masks[level] & VMPL_WRITE) !== 0 && (masks[level] & VMPL_READ) === 0)
      return `VMPL${level} may write but not read (mask ${hex(masks[level])}): not a legal mask, every data access takes #NPF(RMP|VMPL).`;
    if ((masks[level] & ~masks[0]) !== 0)
      return `VMPL${level} has permissions ${hex(masks[level])} that VMPL0 (${hex(masks[0])}) lacks: RMPADJUST never hands down more than the caller has.`;
  }
  return undefined;
}
