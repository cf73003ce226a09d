/**
 * ATTR-RMP: the attribute xarray and the RMP tell the same story about every page.
 *
 * A page with KVM_MEMORY_ATTRIBUTE_PRIVATE is mapped into the guest from its private file; if the RMP does not agree, every access faults with
 * #NPF(RMP). A shared page must never be mapped from an assigned frame (V8-2-MR: split brain).
 *
 * In an eager kernel (RFC v8) the ioctl itself changes the RMP, so after it the entry must be assigned. In a lazy one (guest_memfd) a page that
 * is not prepared yet is unassigned, and that is fine.
 */

import { errnoName } from '../base/errno.ts';
import { countPages, type Run } from '../base/runs.ts';
import { agree, formatRuns, hex, plural } from '../base/text.ts';
import { failedResults, whyLeftAlone } from './conduct.ts';
import type { Finding, Invariant } from './invariant.ts';
import { type GuestView, newlyViolating, type StepView } from './step-view.ts';

export const attrRmp: Invariant = {
  id: 'ATTR-RMP',
  spec: 'I-ATTR-RMP',
  severity: 'error',
  statement:
    'A private page is assigned to its guest at its GPA in the RMP; a shared page is never mapped from an assigned frame.',
  source: 'KVM_SET_MEMORY_ATTRIBUTES (RFC v8 02/56, 06/56); APM vol. 2, 15.36.10',
  repeats: ['BOUND', 'COVER'],
  explanation: `A page with KVM_MEMORY_ATTRIBUTE_PRIVATE is mapped from its private file. When the RMP does not say that it is this guest's, at this GPA, every private access faults with #NPF(RMP|ENC); when a shared gfn still maps an assigned frame, guest and VMM each look at a page of their own without any fault.

Judged when a step has come to rest, on the gfns it touched. A kernel that changes the RMP in the ioctl (RFC v8) must have the entry in place by then. A lazy one (guest_memfd) prepares pages at the first fault: an unassigned page is fine there. A range conversion that failed is PARTIAL's to report.`,
  check,
};

function check(step: StepView): Finding[] {
  const findings: Finding[] = [];
  for (const guest of step.guests) {
    const set = step.violating('ATTR-RMP', guest.asid);
    const runs = newlyViolating(
      set,
      step.gfnsTouched(guest),
      (gfn) => disagrees(step, guest, gfn),
      (frame) => step.privateAlike(guest, frame) && !disagrees(step, guest, frame * 512),
    );
    // A range conversion that failed half-way is PARTIAL's to report, once.
    const request = step.request;
    const failedRange = request !== undefined && request.guest === guest && failedResults(step).length > 0;
    for (const group of alike(step, guest, runs)) {
      const rest = failedRange ? outside(group.runs, request.startGfn, request.endGfn) : group.runs;
      if (rest.length > 0)
        findings.push({ ...describe(step, guest, rest, group.private), pages: step.framesBehind(guest, rest) });
    }
  }
  return findings;
}

/** Whether attribute and RMP contradict each other at this frame. */
export function disagrees(step: StepView, guest: GuestView, gfn: number): boolean {
  if (!step.inPrivateSlot(guest, gfn)) return false;
  const pfn = step.backing(guest, gfn);
  if (step.isPrivate(guest, gfn)) {
    if (pfn === undefined) return step.eagerRmp;
    const entry = step.entry(pfn);
    if (!entry.assigned) return step.eagerRmp;
    return entry.asid !== guest.asid || entry.gfn !== gfn;
  }
  const mapped = step.mapped(guest, gfn);
  if (mapped !== undefined && step.entry(mapped).assigned) return true;
  if (!step.eagerRmp || pfn === undefined) return false;
  const entry = step.entry(pfn);
  return entry.assigned && entry.asid === guest.asid && entry.gfn === gfn && !entry.immutable;
}

interface Group {
  private: boolean;
  backed: boolean;
  runs: Run[];
}

/** One finding for each: runs of one attribute, with a page behind them or without. */
function alike(step: StepView, guest: GuestView, runs: readonly Run[]): Group[] {
  const groups: Group[] = [];
  for (const run of runs) {
    for (const part of byBacking(step, guest, run)) {
      const isPrivate = step.isPrivate(guest, part.start);
      const backed = step.backing(guest, part.start) !== undefined;
      const group = groups.find((g) => g.private === isPrivate && g.backed === backed);
      if (group === undefined) groups.push({ private: isPrivate, backed, runs: [part] });
      else group.runs.push(part);
    }
  }
  return groups;
}

/** A run where it changes from backed to not backed. */
function byBacking(step: StepView, guest: GuestView, run: Run): Run[] {
  const parts: Run[] = [];
  let start = run.start;
  let backed = step.backing(guest, start) !== undefined;
  for (let gfn = run.start + 1; gfn < run.end; gfn++) {
    const now = step.backing(guest, gfn) !== undefined;
    if (now === backed) continue;
    parts.push({ start, end: gfn });
    start = gfn;
    backed = now;
  }
  parts.push({ start, end: run.end });
  return parts;
}

function outside(runs: readonly Run[], start: number, end: number): Run[] {
  const out: Run[] = [];
  for (const run of runs) {
    if (run.start < start) out.push({ start: run.start, end: Math.min(run.end, start) });
    if (run.end > end) out.push({ start: Math.max(run.start, end), end: run.end });
  }
  return out;
}

function describe(step: StepView, guest: GuestView, runs: readonly Run[], isPrivate: boolean): Finding {
  const first = runs[0].start;
  const where = formatRuns('gfn', runs);
  const n = countPages(runs);
  const whose = `${plural(n, 'page')} of guest ${guest.name} (${where}) ${agree(n, 'has', 'have')} attribute`;
  const pfn = step.backing(guest, first);
  if (!isPrivate) {
    const mapped = step.mapped(guest, first);
    const head = `${whose} SHARED, but `;
    if (mapped !== undefined && step.entry(mapped).assigned) {
      return {
        message: `${head}the NPT still maps assigned pfn ${hex(mapped)} there: a C=0 access reaches the private page without a fault while the VMM uses the other one. Zap the range (kvm_unmap_gfn_range) before the attribute changes hands.`,
      };
    }
    const why = whyLeftAlone(step, first);
    return {
      message: `${head}pfn ${hex(pfn ?? 0)} is still assigned to ASID ${guest.asid} in the RMP: a host write to it takes #PF(RMP). Make the page shared (PSMASH if it lies in a 2M entry, then RMPUPDATE) before reporting success.`,
      ...(why.event === undefined ? {} : { event: why.event }),
    };
  }
  const state =
    pfn === undefined ? `no private page backs ${agree(n, 'it', 'them')}` : describeEntry(step, pfn, first, n);
  // Only a conversion has a loop that should have reached the page; a hole took it, and was to.
  const why = step.request === undefined && pfn === undefined ? undefined : whyLeftAlone(step, first);
  const head = `${whose} PRIVATE, but ${state}`;
  const effect = `A private access faults with #NPF(RMP|ENC) and nothing later converts ${agree(n, 'it', 'them')}.`;
  switch (why?.kind) {
    case undefined:
      return { message: `${head} any more. ${effect} Take the attribute back along with the pages.` };
    case 'advanced':
      // A loop that updated every page it passed skipped none: it is what it made of them that is wrong.
      if (why.advanced === why.updated) return { message: `${head}. ${effect}`, event: why.event };
      return {
        message: `${head}. The loop went on by ${plural(why.advanced, 'page')} from gfn ${hex(why.first)} after updating ${plural(why.updated, 'RMP entry', 'RMP entries')}. ${effect}`,
        event: why.event,
      };
    case 'no-page':
      return {
        message: `${head}: get_pfn failed with -${errnoName(-step.trace.code[why.getPfn])} and the loop went on. ${effect} Report the error to the caller, or take the attribute back.`,
        event: why.event,
      };
    case 'stopped':
      return { message: `${head}. ${effect}`, ...(why.event === undefined ? {} : { event: why.event }) };
  }
}

function describeEntry(step: StepView, pfn: number, gfn: number, n: number): string {
  const entry = step.entry(pfn);
  if (!entry.assigned)
    return n === 1
      ? `its RMP entry is unassigned (pfn ${hex(pfn)})`
      : `their RMP entries are unassigned (pfn ${hex(pfn)} on)`;
  if (entry.gfn !== gfn)
    return `pfn ${hex(pfn)} is assigned to ASID ${entry.asid} at GPA ${hex(entry.gfn * 4096)} instead of ${hex(gfn * 4096)}`;
  return `pfn ${hex(pfn)} is assigned to ASID ${entry.asid}`;
}
