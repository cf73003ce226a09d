/**
 * What the kernel's C did with the RMP during a step, read off the trace: which instructions failed for good, what a loop over guest frames
 * skipped, which results were handed up. Several behavioural rules look at the same facts; they are gathered here.
 */
import { errnoName } from '../base/errno.ts';
import { FwCommand } from '../hardware/firmware.ts';
import { RmpCode, rmpCodeName } from '../hardware/instruction-checks.ts';
import { EventKind } from '../trace/trace.ts';
import type { StepView } from './step-view.ts';

/** RMPUPDATE operand flags as the trace packs them (EventKind.Rmpupdate, column a). */
export const operandIsLarge = (flags: number): boolean => (flags & 2) !== 0;
export const operandIsAssigned = (flags: number): boolean => (flags & 1) !== 0;

export const operandIsImmutable = (flags: number): boolean => (flags & 4) !== 0;

/** PVALIDATE's operands as the trace packs them (EventKind.Pvalidate, column a). */
export const PVALIDATE_2M = 1;
export const PVALIDATE_VALIDATE = 2;
export const PVALIDATE_CF = 4;

/** Firmware command ids (SNP firmware ABI; include/linux/psp-sev.h). */
export const SNP_ACTIVATE = FwCommand.SnpActivate;
export const SNP_ACTIVATE_EX = 0x95;
export const SNP_LAUNCH_UPDATE = FwCommand.SnpLaunchUpdate;
export const SNP_LAUNCH_FINISH = FwCommand.SnpLaunchFinish;

/** Instruction result codes (RMPUPDATE and PSMASH share them), APM vol. 3. */
export const FAIL_INPUT = RmpCode.FailInput;
export const FAIL_PERMISSION = RmpCode.FailPermission;
export const FAIL_INUSE = RmpCode.FailInuse;
export const FAIL_OVERLAP = RmpCode.FailOverlap;

/** RMPUPDATE / PSMASH events issued by C whose last attempt on that page in this step failed, in order. */
export function lastingFailures(step: StepView): readonly number[] {
  let found = failuresOf.get(step);
  if (found === undefined) {
    found = findLastingFailures(step);
    failuresOf.set(step, found);
  }
  return found;
}

/** Several rules ask; a step is gone through once. */
const failuresOf = new WeakMap<StepView, readonly number[]>();

function findLastingFailures(step: StepView): number[] {
  const { trace } = step;
  let pending: Map<number, number> | undefined;
  for (let e = step.from; e < step.to; e++) {
    const kind = trace.kind[e];
    if ((kind !== EventKind.Rmpupdate && kind !== EventKind.Psmash) || trace.site[e] === 0) continue;
    const key = trace.page[e] * 2 + (kind === EventKind.Psmash ? 1 : 0);
    if (trace.code[e] !== 0) {
      pending ??= new Map();
      pending.delete(key);
      pending.set(key, e);
    } else if (pending !== undefined) {
      pending.delete(key);
    }
  }
  return pending === undefined ? [] : [...pending.values()];
}

/** Attempts in this step of the same instruction on the same page with the same operands and code as event `e`. */
export function attempts(step: StepView, e: number): number {
  const { trace } = step;
  let n = 0;
  for (let i = step.from; i < step.to; i++) {
    if (
      trace.kind[i] === trace.kind[e] &&
      trace.page[i] === trace.page[e] &&
      trace.code[i] === trace.code[e] &&
      trace.a[i] === trace.a[e] &&
      trace.b[i] === trace.b[e]
    )
      n++;
  }
  return n;
}

/** FailedResult events: results that must reach the caller and were not zero. */
export function failedResults(step: StepView): number[] {
  const out: number[] = [];
  for (let e = step.from; e < step.to; e++) if (step.trace.kind[e] === EventKind.FailedResult) out.push(e);
  return out;
}

/** Of failed results, the one that was handed up farthest: whoever got it did not hand it on. */
export const shallowest = (step: StepView, failed: readonly number[]): number =>
  failed.reduce((best, e) => (step.trace.a[e] <= step.trace.a[best] ? e : best));

/** `-EINVAL`, or `code 3` for what is no errno. */
export const resultText = (code: number): string => (code < 0 ? `-${errnoName(-code)}` : `code ${code}`);

/** Name of a failed RMPUPDATE's or PSMASH's code. */
export const failName = (code: number, psmash: boolean): string => rmpCodeName(code, psmash ? 'psmash' : 'rmpupdate');

/** Why a loop over guest frames left a frame alone. */
export type SkipReason =
  /** The loop advanced over it after updating only `updated` of `advanced` pages. */
  | { kind: 'advanced'; event: number; advanced: number; updated: number; first: number }
  /** get_pfn failed for it and the loop went on. */
  | { kind: 'no-page'; event: number; getPfn: number }
  /** The loop never got that far. */
  | { kind: 'stopped'; event: number | undefined };

/**
 * Find why frame `gfn` was not converted: the loop advance that passed over it, if there is one.
 */
export function whyLeftAlone(step: StepView, gfn: number): SkipReason {
  const { trace } = step;
  let updated = 0;
  let updatedBefore = 0;
  let lastGetPfn = -1;
  for (let e = step.from; e < step.to; e++) {
    const kind = trace.kind[e];
    if (kind === EventKind.Rmpupdate && trace.code[e] === 0) {
      updated += operandIsLarge(trace.a[e]) ? 512 : 1;
    } else if (kind === EventKind.GetPfn) {
      lastGetPfn = e;
    } else if (kind === EventKind.Progress) {
      const first = trace.b[e] - trace.a[e];
      // A loop that never looks for a page (storing attributes, say) does not decide about the RMP.
      if (lastGetPfn >= 0 && gfn >= first && gfn < trace.b[e]) {
        if (trace.code[lastGetPfn] !== 0) return { kind: 'no-page', event: e, getPfn: lastGetPfn };
        return { kind: 'advanced', event: e, advanced: trace.a[e], updated: updated - updatedBefore, first };
      }
      updatedBefore = updated;
      lastGetPfn = -1;
    }
  }
  const failed = failedResults(step);
  return { kind: 'stopped', event: failed[0] ?? lastingFailures(step)[0] };
}

/** Frames of the request whose RMP entry is not what the request asked for. */
export function isUnfulfilled(step: StepView, gfn: number): boolean {
  const request = step.request;
  if (request === undefined) return false;
  const pfn = step.backing(request.guest, gfn);
  if (!request.toPrivate) {
    if (pfn === undefined) return false;
    const entry = step.entry(pfn);
    return entry.assigned && entry.asid === request.guest.asid;
  }
  if (pfn === undefined) return true;
  const entry = step.entry(pfn);
  return !(entry.assigned && entry.asid === request.guest.asid && entry.gfn === gfn);
}
