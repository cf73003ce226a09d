/**
 * What an invariant sees of a finished step: the trace events of the step, the state after it, and which pages it touched.
 */
import type { PageSet } from '../base/page-set.ts';
import type { Run } from '../base/runs.ts';
import type { Trace } from '../trace/trace.ts';

export interface EntryView {
  assigned: boolean;
  /** The entry (or the head of its 2M region, when that is an assigned 2M entry) is 2M. */
  large: boolean;
  asid: number;
  /** Guest frame number bound to this very page (head's GFN + offset inside a 2M entry). */
  gfn: number;
  immutable: boolean;
  validated: boolean;
}

export interface GuestView {
  name: string;
  asid: number;
}

/** A range whose conversion the step asked for. */
export interface ConversionRequest {
  guest: GuestView;
  startGfn: number;
  endGfn: number;
  toPrivate: boolean;
}

export interface StepView {
  readonly trace: Trace;
  /** The step's events: [from, to). */
  readonly from: number;
  readonly to: number;
  /** The step's call came back with success. */
  readonly succeeded: boolean;
  /** The conversion it asked for, if it is one. */
  readonly request: ConversionRequest | undefined;
  readonly guests: readonly GuestView[];

  // ---- what the step touched
  /** pfns whose RMP entry the step may have changed. */
  readonly rmpTouched: readonly Run[];
  /** gfns of a guest whose attribute, NPT entry or backing entry it may have changed. */
  gfnsTouched(guest: GuestView): readonly Run[];
  /** pfns whose reference count changed. */
  readonly refsTouched: readonly Run[];

  // ---- state after the step
  /** The kernel changes the RMP when the attribute changes (RFC v8), not at the first fault (guest_memfd). */
  readonly eagerRmp: boolean;
  entry(pfn: number): EntryView;
  /** Raw head entry of the 2M frame. */
  head(frame: number): {
    assigned: boolean;
    large: boolean;
    subpageCount: number;
    gfn: number;
    asid: number;
    immutable: boolean;
  };
  /** Assigned / ASID / Immutable bits exactly as stored, without resolving through the head. */
  rawEntry(pfn: number): { assigned: boolean; large: boolean; asid: number; immutable: boolean };
  isPrivate(guest: GuestView, gfn: number): boolean;
  /** gfn lies in a slot that has private backing. */
  inPrivateSlot(guest: GuestView, gfn: number): boolean;
  /** pfn of the private page, if one has been allocated. */
  backing(guest: GuestView, gfn: number): number | undefined;
  /** pfn that the NPT maps at this gfn. */
  mapped(guest: GuestView, gfn: number): number | undefined;
  refcount(pfn: number): number;
  /** References that remain when no call is under way: the file's own. */
  restingRefcount(pfn: number): number;
  readonly unbalancedLocks: readonly { name: string; depth: number; event: number }[];

  /** Pages known to violate a rule (journalled); `space` is an ASID, 0 for host pages. */
  violating(rule: string, space: number): PageSet;
  /** `sev_update_mem_attr()`, for an event's or site's C function; undefined outside C. */
  functionAt(site: number): string | undefined;
  /** `0048-….mbox:4475`-like text of a C site. */
  describeSite(site: number): string;
  /** `line 14 (psmash)`: the scenario step that recorded this event. */
  describeStep(event: number): string;
}

/**
 * As {@link newlyViolating}, for rules that can tell from a 2M frame as a whole that none of its pages is bad: those frames cost nothing.
 * `runs` are pages; every page of a frame that they touch is looked at.
 */
export function newlyViolatingIn(
  set: PageSet,
  runs: readonly Run[],
  suspicious: (frame: number) => boolean,
  bad: (page: number) => boolean,
): Run[] {
  const frames: Run[] = [];
  for (const frame of framesOf(runs)) {
    if (set.mayHaveIn(frame) || suspicious(frame)) frames.push({ start: frame * 512, end: frame * 512 + 512 });
  }
  return frames.length === 0
    ? []
    : newlyViolating(set, frames, (page) => suspicious(Math.floor(page / 512)) && bad(page));
}

/** The 2M frames that runs of pages touch, each once. */
export function* framesOf(runs: readonly Run[]): Generator<number> {
  let next = -1;
  for (const run of runs) {
    for (let frame = Math.max(next, Math.floor(run.start / 512)); frame * 512 < run.end; frame++) {
      yield frame;
      next = frame + 1;
    }
  }
}

/** Put the pages that satisfy `bad` into the rule's set, and return those that were not there before. */
export function newlyViolating(set: PageSet, runs: readonly Run[], bad: (page: number) => boolean): Run[] {
  const out: Run[] = [];
  for (const run of runs) {
    for (let page = run.start; page < run.end; page++) {
      const now = bad(page);
      if (!set.set(page, now) || !now) continue;
      const last = out[out.length - 1];
      if (last !== undefined && last.end === page) last.end = page + 1;
      else out.push({ start: page, end: page + 1 });
    }
  }
  return out;
}
