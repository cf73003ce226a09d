/**
 * LOCK: updates of one 2M region by different threads hold a lock in common.
 *
 * Which locks were held is read off the trace, so a race is found without it happening: two threads that update a region under no common lock can do
 * so at the same time.
 */
import { hex } from '../base/text.ts';
import { EventKind } from '../trace/trace.ts';
import type { Finding, Invariant } from './invariant.ts';
import type { StepView } from './step-view.ts';

export const lock: Invariant = {
  id: 'LOCK',
  spec: 'I-LOCK',
  severity: 'warning',
  statement: 'RMPUPDATEs of one 2M region by different threads are serialised by a lock.',
  source: 'comment above rmpupdate() in arch/x86/virt/svm/sev.c; folio lock in kvm_gmem_prepare_folio()',
  explanation: `Entries of one 2M region share the subpage count in the head entry, so two CPUs that update different pages of it get in each other's way: FAIL_OVERLAP or FAIL_INUSE, and a retry. guest_memfd holds the folio lock around it.

Judged by the locks held at each RMPUPDATE of the kernel, compared with those of the last one that another thread (the VMM, or a vCPU) executed on the region. Pages that are being freed have no other user and are left out, and so are functions that the scenario calls by name, without the locks of their callers. PSMASH is not judged: a second one finds the entry split and is told so.`,
  check(step: StepView): Finding[] {
    if (step.operation === 'kernel.call') return [];
    const { trace } = step;
    const locks = step.memory('LOCK held', 0);
    const threads = step.memory('LOCK thread', 0);
    const events = step.memory('LOCK event', 0);
    const findings: Finding[] = [];
    let held = 0;
    let lastFrame = -1;
    let lastHeld = -1;
    for (let e = step.from; e < step.to; e++) {
      const kind = trace.kind[e];
      if (kind === EventKind.Lock) {
        // Locks beyond the 30th are not told apart from none; kernels of this size have a handful.
        if (trace.a[e] < 30) held = trace.b[e] > 0 ? held | (1 << trace.a[e]) : held & ~(1 << trace.a[e]);
        continue;
      }
      if (kind !== EventKind.Rmpupdate || trace.code[e] !== 0 || trace.site[e] === 0) continue;
      const frame = Math.floor(trace.page[e] / 512);
      if (frame === lastFrame && held === lastHeld) continue;
      if (step.freed.some((run) => run.start <= trace.page[e] && trace.page[e] < run.end)) continue;
      lastFrame = frame;
      lastHeld = held;
      const before = events.get(frame);
      const raced =
        before !== undefined && threads.get(frame) !== step.thread && ((locks.get(frame) ?? 0) & held) === 0;
      if (raced && step.violating('LOCK', 0).set(frame, true))
        findings.push(describe(step, frame, before, e, locks.get(frame) ?? 0, held));
      locks.set(frame, held);
      threads.set(frame, step.thread);
      events.set(frame, e);
    }
    return findings;
  },
};

function describe(step: StepView, frame: number, before: number, now: number, then: number, held: number): Finding {
  const names = (mask: number): string => {
    const found: string[] = [];
    for (let id = 0; id < 30; id++) if ((mask & (1 << id)) !== 0) found.push(step.lockName(id));
    return found.length === 0 ? 'no lock' : found.join(' and ');
  };
  const first = step.describeSite(step.trace.site[before]);
  return {
    message: `RMPUPDATE in the 2M region at pfn ${hex(frame * 512)} holds ${names(held)}; another thread updated the region under ${names(then)}${first === '' ? '' : ` (${first})`} in ${step.describeStep(before)}. They can run at the same time: one of them gets FAIL_OVERLAP or FAIL_INUSE.`,
    event: now,
    since: before,
    pages: [{ start: frame * 512, end: frame * 512 + 512 }],
  };
}
