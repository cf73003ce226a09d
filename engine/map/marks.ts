/**
 * Where a rule is violated, as far as a map shows it: the pages of a step's findings, each in the lane that the rule speaks of, and pages that a rule
 * holds to be in violation still. A page is marked from the step that was found to violate a rule until a later step touches it and the rule is
 * content.
 */

import type { PageSet } from '../base/page-set.ts';
import { type Run, Runs } from '../base/runs.ts';
import { operandIsLarge } from '../invariants/conduct.ts';
import type { Machine } from '../run/machine.ts';
import type { RunFinding } from '../run/run.ts';
import { EventKind } from '../trace/trace.ts';
import type { Lane } from './lanes.ts';

/** Rules about what a guest is told of its pages, and about the direct map; all others speak of frames. */
const OF_GUESTS: ReadonlySet<string> = new Set(['ATTR-RMP', 'VALID', 'PARTIAL']);
const OF_DIRECT_MAP: ReadonlySet<string> = new Set(['DM', 'HOSTW']);

/** Rules that look at every page a step touches, so that their sets of pages in violation are what is the case now. */
const STANDING_OF_GUESTS = ['ATTR-RMP', 'VALID'] as const;
const STANDING_OF_FRAMES = ['TAIL', 'OVERLAP'] as const;

const FRAME = 512;

/** Pages of a lane that a finding is about. */
export interface Place {
  lane: number;
  runs: readonly Run[];
}

/** Where a finding is shown; undefined if it is about no page. */
export function placeOf(machine: Machine, lanes: readonly Lane[], finding: RunFinding): Place | undefined {
  const { rule, pages, event } = finding;
  if (pages !== undefined && pages.length > 0) {
    if (OF_DIRECT_MAP.has(rule)) return { lane: lanes.length - 1, runs: pages };
    if (OF_GUESTS.has(rule)) return ofGuest(machine, lanes, pages) ?? { lane: 0, runs: pages };
    return { lane: 0, runs: pages };
  }
  return event === undefined ? undefined : placeOfEvent(machine, lanes, event);
}

function ofGuest(machine: Machine, lanes: readonly Lane[], frames: readonly Run[]): Place | undefined {
  for (const [i, lane] of lanes.entries()) {
    if (lane.guest === undefined) continue;
    const runs = new Runs();
    for (const run of frames) machine.gfnsBackedBy(lane.guest, run.start, run.end, runs);
    if (!runs.empty) return { lane: i, runs: runs.merged() };
  }
  return undefined;
}

function placeOfEvent(machine: Machine, lanes: readonly Lane[], e: number): Place | undefined {
  const { trace } = machine;
  const page = trace.page[e];
  const asid = trace.space[e];
  const lane = asid === 0 ? 0 : lanes.findIndex((one) => one.shown.asid === asid);
  if (lane < 0) return undefined;
  const at = (first: number, pages: number): Place | undefined =>
    first < 0 ? undefined : { lane, runs: [{ start: first, end: first + pages }] };
  switch (trace.kind[e]) {
    case EventKind.Rmpupdate:
      return at(page, operandIsLarge(trace.a[e]) ? FRAME : 1);
    case EventKind.Psmash:
      return at(page, FRAME);
    case EventKind.Pvalidate:
    case EventKind.Rmpadjust:
    case EventKind.Rmpquery:
      return at(Math.floor(trace.b[e] / 4096), (trace.a[e] & 1) !== 0 ? FRAME : 1);
    case EventKind.Attribute:
    case EventKind.DirectMap:
    case EventKind.PageFree:
      return at(page, trace.code[e]);
    case EventKind.Firmware:
    case EventKind.Rmpread:
    case EventKind.RmpWrite:
    case EventKind.Fault:
    case EventKind.Npt:
    case EventKind.PageRef:
    case EventKind.GetPfn:
      return at(page, 1);
    default:
      return undefined;
  }
}

/** What is marked at the present state of the machine, when a step has come to rest. */
export class Marks {
  private readonly lanes: readonly Lane[];
  private readonly standing: readonly (readonly PageSet[])[];
  private found: readonly (readonly Run[])[];

  constructor(machine: Machine, lanes: readonly Lane[]) {
    this.lanes = lanes;
    this.found = lanes.map(() => []);
    this.standing = lanes.map((lane, i) => {
      if (i === 0)
        return [
          ...STANDING_OF_FRAMES.map((rule) => machine.ruleMemory.violating(rule, 0)),
          ...userSets(machine, undefined),
        ];
      if (lane.guest === undefined) return [];
      const { asid } = lane.guest;
      return [
        ...STANDING_OF_GUESTS.map((rule) => machine.ruleMemory.violating(rule, asid)),
        ...userSets(machine, lane.guest.asid),
      ];
    });
  }

  /** The places of the findings of the step that has just come to rest. Findings about guests are marked on the frames as well. */
  setFound(places: readonly Place[], frames: readonly Run[]): void {
    const runs = this.lanes.map(() => new Runs());
    for (const place of places) for (const run of place.runs) runs[place.lane].add(run.start, run.end);
    for (const run of frames) runs[0].add(run.start, run.end);
    this.found = runs.map((lane) => lane.merged());
  }

  /** Runs of a lane that the last findings are about. */
  foundIn(lane: number): readonly Run[] {
    return this.found[lane];
  }

  /** Whether anything of [start, end) may be marked: false is certain. */
  mayBeIn(lane: number, start: number, end: number): boolean {
    if (overlaps(this.found[lane], start, end)) return true;
    for (const set of this.standing[lane]) {
      if (set.isEmpty) continue;
      for (let frame = Math.floor(start / FRAME); frame * FRAME < end; frame++) if (set.mayHaveIn(frame)) return true;
    }
    if (lane !== 0) return false;
    // A guest's page in violation marks the frame behind it.
    return this.lanes.some(
      (of, i) =>
        this.standing[i].some((set) => !set.isEmpty) &&
        i !== 0 &&
        of.shown.backing.some(({ gfn, pages, pfn }) => {
          const from = Math.max(start, pfn);
          const to = Math.min(end, pfn + pages);
          return from < to && this.mayBeIn(i, gfn + (from - pfn), gfn + (to - pfn));
        }),
    );
  }

  isMarked(lane: number, page: number): boolean {
    if (overlaps(this.found[lane], page, page + 1)) return true;
    if (this.standing[lane].some((set) => !set.isEmpty && set.has(page))) return true;
    if (lane !== 0) return false;
    return this.lanes.some(
      (of, i) =>
        i !== 0 &&
        this.standing[i].some((set) => !set.isEmpty) &&
        of.shown.backing.some(
          ({ gfn, pages, pfn }) =>
            page >= pfn && page < pfn + pages && this.standing[i].some((set) => set.has(gfn + (page - pfn))),
        ),
    );
  }
}

/** The sets of the user's own invariants about frames, or about a guest's pages. */
function userSets(machine: Machine, asid: number | undefined): PageSet[] {
  return machine.invariants.flatMap((invariant, index) =>
    invariant.foralls.flatMap((forall, n) => {
      const of = forall.guest === undefined ? undefined : machine.guests[forall.guest]?.asid;
      return of === asid ? [machine.ruleMemory.violating(`INVARIANT ${index}.${n}`, asid ?? 0)] : [];
    }),
  );
}

/** Binary search: runs are in order and disjoint. */
function overlaps(runs: readonly Run[], start: number, end: number): boolean {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (runs[middle].end <= start) low = middle + 1;
    else high = middle;
  }
  return low < runs.length && runs[low].start < end;
}
