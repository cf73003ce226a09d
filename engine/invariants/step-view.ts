/**
 * What an invariant sees of a finished step: the trace events of the step, the state after it, and which pages it touched.
 */

import type { PageMap } from '../base/page-map.ts';
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

/** Guest frames that a call into the kernel is about, half-open. */
export interface GuestRange {
  guest: GuestView;
  startGfn: number;
  endGfn: number;
}

/** A range whose conversion the step asked for. */
export interface ConversionRequest extends GuestRange {
  toPrivate: boolean;
}

/** A leaf of the nested page table. */
export interface MappingView {
  /** First guest frame and first system frame of the entry. */
  gfn: number;
  pfn: number;
  /** PG_LEVEL_*: 1 is 4K, 2 is 2M, 3 is 1G. */
  level: number;
  pages: number;
}

/** What a step came to, as far as rules care. */
export interface OutcomeView {
  livelock: boolean;
  /** The access ended in a fault, resolved by nobody. */
  faulted: boolean;
  /** Carry flag of a PVALIDATE that completed. */
  cf: number | undefined;
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
  /** The guest frames that it hands to the kernel: a conversion, a launch update, a hole. */
  readonly range: GuestRange | undefined;
  readonly guests: readonly GuestView[];
  /** Key in the operations table. */
  readonly operation: string;
  /** The C function that a `kernel` step calls. */
  readonly callee: string | undefined;
  /** The guest that the step names as an operand. */
  readonly subject: GuestView | undefined;
  /** The guest that took the step; undefined if the host or the VMM did. */
  readonly actor: GuestView | undefined;
  /** Whose thread the step ran on: 0 is the host's or the VMM's, every vCPU has a number of its own. */
  readonly thread: number;
  readonly outcome: OutcomeView;
  /** The form of the outcome that the step states; undefined if it states none. */
  readonly stated: string | undefined;
  /** A defect that the bundled kernel has wherever it goes, in code that is still the bundled code. */
  isKnownDefect(rule: string): boolean;

  // ---- what the step touched
  /** pfns whose RMP entry the step may have changed. */
  readonly rmpTouched: readonly Run[];
  /** gfns of a guest whose attribute, NPT entry or backing entry it may have changed. */
  gfnsTouched(guest: GuestView): readonly Run[];
  /** pfns whose reference count changed. */
  readonly refsTouched: readonly Run[];
  /** Of `rmpTouched`, what the kernel's C changed. Raw instructions of the scenario are the scenario's own hand. */
  readonly rmpByKernel: readonly Run[];
  /** Of `rmpTouched`, what may have become validated or carries state that no RMPUPDATE makes: PVALIDATE, RMPADJUST, firmware, raw writes. */
  readonly rmpMarked: readonly Run[];
  /** pfns given back to the allocator. */
  readonly freed: readonly Run[];

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
  /** Entries with Assigned=1 among the last 511 of a 2M frame. */
  assignedTails(frame: number): number;
  /** The 511 tail entries of a 2M frame are all the same, so that the first speaks for them. */
  tailsAlike(frame: number): boolean;
  /** All 512 gfns of a 2M frame are private, allocated, and backed by a region of the RMP that is one 2M entry: the first speaks for them. */
  privateAlike(guest: GuestView, frame: number): boolean;
  isPrivate(guest: GuestView, gfn: number): boolean;
  /** gfn lies in a slot that has private backing. */
  inPrivateSlot(guest: GuestView, gfn: number): boolean;
  /** pfn of the private page, if one has been allocated. */
  backing(guest: GuestView, gfn: number): number | undefined;
  /** pfn that the NPT maps at this gfn. */
  mapped(guest: GuestView, gfn: number): number | undefined;
  /** The leaf of the nested page table that translates the gfn. */
  mapping(guest: GuestView, gfn: number): MappingView | undefined;
  /** All leaves that reach into the runs. */
  mappingsIn(guest: GuestView, runs: readonly Run[]): MappingView[];
  /** gfns of the guest that frames back privately. */
  gfnsBackedBy(guest: GuestView, pfns: readonly Run[]): readonly Run[];
  /** Frames that back gfns privately, allocated or as they would be. */
  framesBehind(guest: GuestView, gfns: readonly Run[]): readonly Run[];
  /** The RMP covers the page. */
  covers(pfn: number): boolean;
  /** Cheap forms of `entry()`. */
  isAssigned(pfn: number): boolean;
  /** Own entry of the page, as stored: Validated, VMSA, lock, permission masks of VMPL0 to VMPL3. */
  marks(pfn: number): { validated: boolean; vmsa: boolean; locked: boolean; vmpl: [number, number, number, number] };
  /** The processor's counter of pages assigned to the ASID. */
  asidCounter(asid: number): number;
  directMapPresent(pfn: number): boolean;
  /** PG_LEVEL_* of the direct map at the page. */
  directMapLevel(pfn: number): number;
  /** Event that last changed the gfn's attribute; -1 if none did. */
  attributeEvent(guest: GuestView, gfn: number): number;
  /** Event that last changed the page's RMP entry; -1 if none did. */
  rmpEvent(pfn: number): number;
  /** Changes of Validated of the page, newest first: events of PVALIDATE, of launch, and of what cleared it. */
  validatedHistory(pfn: number): readonly number[];
  /** pfns on the list of pages given up, in order; one that was added twice is there twice. */
  readonly leaked: readonly number[];
  /** A page is on the allocator's free side: of a file but not allocated, or freed. */
  isFree(pfn: number): boolean;
  /** The processor has the erratum about in-use pages at 2M boundaries. */
  readonly inUse2mErratum: boolean;
  /** Text of a line that the kernel logged. */
  logLine(index: number): string;
  lockName(id: number): string;
  refcount(pfn: number): number;
  /** References that remain when no call is under way: the file's own. */
  restingRefcount(pfn: number): number;
  readonly unbalancedLocks: readonly { name: string; depth: number; event: number }[];

  /** Pages known to violate a rule (journalled); `space` is an ASID, 0 for host pages. */
  violating(rule: string, space: number): PageSet;
  /** What a rule remembers about pages from step to step (journalled). */
  memory(rule: string, space: number): PageMap;
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

/**
 * Put the pages that satisfy `bad` into the rule's set, and return those that were not there before. `settled` may say of a 2M frame that none of
 * its pages is bad; whole frames of which it is true are passed over.
 */
export function newlyViolating(
  set: PageSet,
  runs: readonly Run[],
  bad: (page: number) => boolean,
  settled?: (frame: number) => boolean,
): Run[] {
  const out: Run[] = [];
  for (const run of runs) {
    for (let page = run.start; page < run.end; page++) {
      if (settled !== undefined && page % 512 === 0 && page + 512 <= run.end) {
        const frame = page / 512;
        if (!set.mayHaveIn(frame) && settled(frame)) {
          page += 511;
          continue;
        }
      }
      const now = bad(page);
      if (!set.set(page, now) || !now) continue;
      const last = out[out.length - 1];
      if (last !== undefined && last.end === page) last.end = page + 1;
      else out.push({ start: page, end: page + 1 });
    }
  }
  return out;
}
