/** HEADONLY: nobody reads owner, GPA or Validated from an entry under a 2M entry. */
import { hex } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { StepView } from './step-view.ts';

export const headonly: Invariant = {
  id: 'HEADONLY',
  spec: 'I-HEADONLY',
  severity: 'warning',
  statement: 'The fields of a page under a 2M entry are read from the head of its region.',
  source: 'snp_lookup_rmpentry, sev_dump_rmpentry (RFC v8 12/56, 13/56); AMD-ASPFW snp_mcmd_page_unsmash',
  explanation: `Of the 511 entries under a 2M entry only Assigned means anything. The rest reads as ASID 0, GPA 0, not validated: taken by itself, a page that firmware may reclaim. A dump that prints it sends whoever reads the log after the wrong owner.

Judged on the dumps of single entries that the kernel prints. Which fields a function looks at does not show otherwise.`,
  repeats: ['OVERLAP'],
  check(step: StepView): Finding[] {
    const { trace } = step;
    const findings: Finding[] = [];
    const told = new Set<number>();
    for (let e = step.from; e < step.to; e++) {
      if (trace.kind[e] !== EventKind.Log || trace.site[e] === 0) continue;
      const pfn = dumped(step.logLine(trace.a[e]));
      if (pfn === undefined || pfn % 512 === 0 || !step.covers(pfn) || !step.entry(pfn).large || told.has(pfn))
        continue;
      told.add(pfn);
      const entry = step.entry(pfn);
      findings.push({
        message: `The kernel prints the entry of pfn ${hex(pfn)}, which lies under the 2M entry at pfn ${hex(pfn - (pfn % 512))} and says nothing by itself. The page belongs to ASID ${entry.asid} at GPA ${hex(entry.gfn * 4096)}${entry.validated ? ', validated' : ''}: read the head.`,
        event: e,
        pages: [{ start: pfn, end: pfn + 1 }],
      });
    }
    return findings;
  },
};

/** The pfn of a dump of one entry, in the words of RFC v8 or of later kernels. */
function dumped(line: string): number | undefined {
  const v8 = /RMPEntry paddr 0x([0-9a-f]+) \[assigned=1/.exec(line);
  if (v8 !== null) return Number.parseInt(v8[1], 16) / 4096;
  const later = /PFN 0x([0-9a-f]+), RMP entry: \[/.exec(line);
  return later === null ? undefined : Number.parseInt(later[1], 16);
}
