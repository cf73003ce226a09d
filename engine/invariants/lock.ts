/**
 * LOCK: updates of one RMP entry by different threads hold a lock in common.
 *
 * Which locks were held is read off the trace, so a race is found without it happening: two threads that update an entry under no common lock can do
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
  statement: 'RMPUPDATEs of one page, or of one 2M entry, by different threads are serialised by a lock.',
  source: 'comment above rmpupdate() in arch/x86/virt/svm/sev.c; folio lock in kvm_gmem_get_pfn()',
  explanation: `Two threads that look at an entry and then change it undo each other's work if nothing keeps them apart: one makes the page shared that the other has just found private. guest_memfd holds the folio lock around it, RFC v8 slots_lock in its ioctl.

Different pages of one 2M region share the subpage count in the head entry, but the processor keeps that right: one of two CPUs gets FAIL_OVERLAP or FAIL_INUSE and tries again (RETRY). So that is not reported.

Judged by the locks held at each RMPUPDATE of the kernel, compared with those of the last one on the same page by another thread (the VMM, or a vCPU). Pages that are being freed have no other user and are left out, and so are functions that the scenario calls by name, without the locks of their callers. PSMASH is not judged: a second one finds the entry split and is told so.`,
  check(step: StepView): Finding[] {
    if (step.operation === 'kernel.call') return [];
    const { trace } = step;
    const threads = step.memory('LOCK thread of step', 0);
    const findings: Finding[] = [];
    let updates = false;
    for (let e = step.from; e < step.to; e++) {
      if (trace.kind[e] !== EventKind.Rmpupdate || trace.code[e] !== 0 || trace.site[e] === 0) continue;
      updates = true;
      const before = lastByAnother(step, e, (event) => threads.get(trace.step[event]));
      if (before === undefined || isFreed(step, trace.page[e], e) || isFreed(step, trace.page[e], before)) continue;
      const then = heldAt(step, before);
      const now = heldAt(step, e);
      if ([...then].some((id) => now.has(id))) continue;
      if (step.violating('LOCK', 0).set(trace.page[e], true)) findings.push(describe(step, before, e, then, now));
    }
    if (updates) threads.set(trace.step[step.from], step.thread);
    return findings.slice(0, 1);
  },
};

/** The RMPUPDATE of the kernel that last changed the page of event `e`, if another thread executed it in an earlier step. */
function lastByAnother(step: StepView, e: number, threadOf: (event: number) => number | undefined): number | undefined {
  const { trace } = step;
  for (let c = trace.cause[e]; c >= 0; c = trace.cause[c]) {
    if (trace.kind[c] !== EventKind.Rmpupdate) continue;
    const thread = trace.site[c] === 0 || c >= step.from ? undefined : threadOf(c);
    return thread === undefined || thread === step.thread ? undefined : c;
  }
  return undefined;
}

/** Ids of the locks that the step of an event had taken when the event happened: a step begins without any. */
function heldAt(step: StepView, event: number): Set<number> {
  const { trace } = step;
  const depth = new Map<number, number>();
  for (let e = event - 1; e >= 0 && trace.step[e] === trace.step[event]; e--) {
    if (trace.kind[e] === EventKind.Lock) depth.set(trace.a[e], (depth.get(trace.a[e]) ?? 0) + trace.b[e]);
  }
  return new Set([...depth].filter(([, n]) => n > 0).map(([id]) => id));
}

/** Whether the step of an event also frees the page: then nobody else has it. */
function isFreed(step: StepView, pfn: number, event: number): boolean {
  const { trace } = step;
  const frees = (e: number): boolean =>
    trace.kind[e] === EventKind.PageFree && trace.page[e] <= pfn && pfn < trace.page[e] + trace.code[e];
  for (let e = event; e < step.to && trace.step[e] === trace.step[event]; e++) if (frees(e)) return true;
  for (let e = event; e >= 0 && trace.step[e] === trace.step[event]; e--) if (frees(e)) return true;
  return false;
}

function describe(step: StepView, before: number, e: number, then: Set<number>, now: Set<number>): Finding {
  const names = (ids: Set<number>): string =>
    ids.size === 0 ? 'no lock' : [...ids].map((id) => step.lockName(id)).join(' and ');
  const { trace } = step;
  return {
    message: `RMPUPDATE at pfn ${hex(trace.page[e])} holds ${names(now)}; another thread updated the same entry under ${names(then)} in ${step.describeStep(before)}. Both can run at the same time, and one undoes what the other has just looked at. Take the same lock around lookup and update.`,
    event: e,
    since: before,
    pages: [{ start: trace.page[e], end: trace.page[e] + 1 }],
  };
}
