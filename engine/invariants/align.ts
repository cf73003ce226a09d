/**
 * ALIGN: a 2M entry needs a 2M-aligned frame and a 2M-aligned GPA.
 *
 * Nothing in RFC v8 makes the restrictedmem offset, the GFN and the PFN congruent modulo 2M; sev_update_mem_attr() checks the GFN only.
 */
import { hex, plural } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import { attempts, lastingFailures, operandIsAssigned, operandIsLarge } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import { newlyViolating, type StepView } from './step-view.ts';

export const align: Invariant = {
  id: 'ALIGN',
  spec: 'I-ALIGN',
  severity: 'error',
  statement: 'A 2M RMP entry has a 2M-aligned system and guest physical address.',
  source: 'APM vol. 2, 15.36.3; review of RFC v8 48/56 by Dave Hansen',
  explanation: `Nothing makes a restrictedmem offset, the GFN and the PFN congruent modulo 2M, and a conversion loop that looks at one of them only will sooner or later ask for a 2M entry at an address that cannot have one. RMPUPDATE answers FAIL_INPUT, and no retry changes that.

Judged on what the kernel asks for, and on 2M entries that are bound to a GFN which is not 2M-aligned. Check all three numbers before choosing 2M, and fall back to 4K.`,
  check(step: StepView): Finding[] {
    const { trace } = step;
    const findings: Finding[] = [];
    for (const e of lastingFailures(step)) {
      if (trace.kind[e] !== EventKind.Rmpupdate || !operandIsLarge(trace.a[e])) continue;
      const pfn = trace.page[e];
      const gfn = trace.b[e] / 4096;
      const pfnOff = pfn % 512;
      const gfnOff = operandIsAssigned(trace.a[e]) ? gfn % 512 : 0;
      if (pfnOff === 0 && gfnOff === 0) continue;
      const which =
        pfnOff !== 0
          ? `pfn ${hex(pfn)} is ${plural(pfnOff, 'page')} past a 2M boundary`
          : `gfn ${hex(gfn)} is ${plural(gfnOff, 'page')} past a 2M boundary`;
      const n = attempts(step, e);
      findings.push({
        message: `RMPUPDATE 2M at pfn ${hex(pfn)}, gfn ${hex(gfn)}: refused${n > 1 ? ` ${n} times` : ''}, ${which}. GFN, file offset and PFN must be congruent modulo 2M before a 2M entry can be used; fall back to 4K otherwise.`,
        event: e,
      });
    }
    const frames = step.rmpTouched.map((run) => ({
      start: Math.floor(run.start / 512),
      end: Math.floor((run.end - 1) / 512) + 1,
    }));
    for (const run of newlyViolating(step.violating('ALIGN', 0), frames, (frame) => {
      const head = step.head(frame);
      return head.assigned && head.large && head.asid !== 0 && head.gfn % 512 !== 0;
    })) {
      findings.push({
        message: `The 2M entry at pfn ${hex(run.start * 512)} is bound to gfn ${hex(step.head(run.start).gfn)}, which is not 2M-aligned.`,
        pages: [{ start: run.start * 512, end: run.end * 512 }],
      });
    }
    return findings;
  },
};
