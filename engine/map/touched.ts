/**
 * Which pages of each lane a stretch of the trace may have changed: what a story has to look at after a step. More pages than changed are no error,
 * fewer are. Costs what the step did, however large memory is.
 */
import { type Run, Runs } from '../base/runs.ts';
import { FwCommand, FwStatus, pagesOfCommand } from '../hardware/firmware.ts';
import { operandIsLarge } from '../invariants/conduct.ts';
import type { Machine } from '../run/machine.ts';
import { EventKind } from '../trace/trace.ts';
import type { Lane } from './lanes.ts';
import type { Shadow } from './shadow.ts';
import { cellField, guestCell, hostCell } from './story.ts';

const FRAME = 512;
const FRAME_1G = FRAME * FRAME;

const down = (page: number, to: number): number => page - (page % to);
const up = (page: number, to: number): number => down(page + to - 1, to);

/** What the story knew of the machine before the stretch. */
export interface Before {
  readonly shadows: readonly Shadow[];
  /** Length of the list of leaked pages. */
  readonly leaked: number;
}

/** Runs of pages for each lane, in order. Events [from, to); the machine stands behind them. */
export function touchedPages(
  machine: Machine,
  lanes: readonly Lane[],
  before: Before,
  from: number,
  to: number,
  marked: readonly Run[] = [],
): readonly (readonly Run[])[] {
  const touched = new Touched(machine, lanes, before);
  for (let e = from; e < to; e++) touched.event(e);
  const { list } = machine.kernel.leaked;
  for (let i = before.leaked; i < list.length; i++) touched.everywhere(list[i], list[i] + 1);
  for (const run of marked) touched.everywhere(run.start, run.end);
  return touched.done();
}

class Touched {
  private readonly machine: Machine;
  private readonly lanes: readonly Lane[];
  private readonly before: Before;
  private readonly runs: readonly Runs[];
  private readonly host: Runs;
  private readonly directMap: Runs;
  private readonly guestLanes = new Map<number, number>();

  constructor(machine: Machine, lanes: readonly Lane[], before: Before) {
    this.machine = machine;
    this.lanes = lanes;
    this.before = before;
    this.runs = lanes.map(() => new Runs());
    this.host = this.runs[0];
    this.directMap = this.runs[lanes.length - 1];
    for (const [i, lane] of lanes.entries()) if (lane.shown.asid !== undefined) this.guestLanes.set(lane.shown.asid, i);
  }

  /** Frames, and with them whatever is drawn of them in other lanes. */
  everywhere(start: number, end: number): void {
    this.host.add(start, end);
    this.directMap.add(start, end);
  }

  event(e: number): void {
    const { trace, hardware } = this.machine;
    const page = trace.page[e];
    switch (trace.kind[e]) {
      case EventKind.Rmpupdate:
        if (trace.code[e] === 0) this.updated(page, operandIsLarge(trace.a[e]));
        break;
      case EventKind.Psmash:
        if (trace.code[e] === 0) this.frames(down(page, FRAME), FRAME);
        break;
      case EventKind.Pvalidate:
      case EventKind.Rmpadjust:
        // The head of a 2M entry speaks for all of its pages.
        if (page >= 0 && trace.code[e] === 0) this.governed(page);
        break;
      case EventKind.Firmware:
        this.command(e);
        break;
      case EventKind.RmpWrite:
        if (hardware.rmp.covers(page)) this.frames(page, page % FRAME === 0 ? FRAME : 1);
        break;
      case EventKind.Attribute:
        this.gfns(trace.space[e], page, page + trace.code[e]);
        break;
      case EventKind.Npt:
        if (trace.a[e] >= 0) this.mapped(trace.space[e], page, trace.b[e]);
        else this.zapped(trace.space[e], page, page + trace.code[e]);
        break;
      case EventKind.DirectMap:
        this.directMapChanged(page, page + trace.code[e], Math.floor(trace.a[e] / 2));
        break;
    }
  }

  private frames(start: number, pages: number): void {
    this.host.add(start, start + pages);
  }

  private updated(pfn: number, isLarge: boolean): void {
    // The head of a 2M entry takes its other pages with it, however it is changed.
    const isHead = pfn % FRAME === 0 && cellField(this.before.shadows[0].cell(pfn), hostCell.size) !== 0;
    this.frames(pfn, isLarge || isHead ? FRAME : 1);
  }

  private governed(pfn: number): void {
    this.frames(down(pfn, FRAME), FRAME);
  }

  private command(e: number): void {
    const { trace } = this.machine;
    const page = trace.page[e];
    if (trace.code[e] !== FwStatus.Success) return;
    if (trace.a[e] === FwCommand.SnpInit && page < 0) {
      // The RMP is written anew wherever anything stood in it.
      this.machine.hardware.rmp.forEachTouchedRegion((frame) => this.frames(frame * FRAME, FRAME));
      return;
    }
    const pages = pagesOfCommand(trace, e);
    if (pages > 0) this.host.add(down(page, FRAME), up(page + pages, FRAME));
  }

  private directMapChanged(start: number, end: number, levelBefore: number): void {
    // Splitting a large mapping changes the level of all that it covered.
    const size = levelBefore === 3 ? FRAME_1G : levelBefore === 2 ? FRAME : 1;
    this.directMap.add(down(start, size), up(end, size));
  }

  // ---------------------------------------------------------------- guests

  private gfns(asid: number, start: number, end: number): void {
    const lane = this.guestLanes.get(asid);
    if (lane !== undefined) this.runs[lane].add(start, end);
  }

  private mapped(asid: number, gfn: number, level: number): void {
    const pages = level >= 3 ? FRAME_1G : level === 2 ? FRAME : 1;
    const size = Math.max(pages, this.mappedBy(asid, gfn));
    const first = down(gfn, size);
    if (size < FRAME_1G) this.gfns(asid, first, first + size);
    else this.known(asid, first, first + size, pages === FRAME_1G);
  }

  /** Pages that the mapping of a gfn covered before: a large one goes as a whole. */
  private mappedBy(asid: number, gfn: number): number {
    const lane = this.guestLanes.get(asid);
    if (lane === undefined) return 1;
    const level = cellField(this.before.shadows[lane].cell(gfn), guestCell.npt);
    return level === 3 ? FRAME_1G : level === 2 ? FRAME : 1;
  }

  private zapped(asid: number, start: number, end: number): void {
    if (end <= start) return;
    const from = down(start, this.mappedBy(asid, start));
    const to = up(end, this.mappedBy(asid, end - 1));
    this.known(asid, from, to, false);
  }

  /**
   * A range of gfns that may be large: `all` of it, or only where something is drawn that was not there from the beginning; what this step has
   * put there says so itself.
   */
  private known(asid: number, start: number, end: number, all: boolean): void {
    const lane = this.guestLanes.get(asid);
    if (lane === undefined) return;
    const { frames } = this.before.shadows[lane];
    if (all || (end - start) / FRAME <= frames.size) {
      this.runs[lane].add(start, end);
      return;
    }
    const from = Math.floor(start / FRAME);
    const to = Math.ceil(end / FRAME);
    for (const frame of [...frames.keys()].filter((f) => f >= from && f < to).sort((a, b) => a - b))
      this.runs[lane].add(frame * FRAME, (frame + 1) * FRAME);
  }

  // ---------------------------------------------------------------- the end

  /** All runs, cut to what is drawn; a frame takes the gfns that it backs with it. */
  done(): readonly (readonly Run[])[] {
    const host = this.host.merged();
    for (const [i, lane] of this.lanes.entries()) {
      if (lane.guest === undefined) continue;
      for (const run of host) this.machine.gfnsBackedBy(lane.guest, run.start, run.end, this.runs[i]);
    }
    return this.runs.map((runs, i) => cut(runs.merged(), this.lanes[i].shown.pages));
  }
}

function cut(runs: readonly Run[], pages: number): readonly Run[] {
  const last = runs[runs.length - 1];
  if (last === undefined || last.end <= pages) return runs;
  return runs.filter(({ start }) => start < pages).map(({ start, end }) => ({ start, end: Math.min(end, pages) }));
}
