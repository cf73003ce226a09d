/**
 * Judge a finished step: gather what it touched, and ask every invariant.
 */

import type { PageSet } from '../base/page-set.ts';
import { type Run, Runs } from '../base/runs.ts';
import { type Gpa, gpaToGfn } from '../base/units.ts';
import { invariants } from '../invariants/catalogue.ts';
import { operandIsLarge } from '../invariants/conduct.ts';
import type { Finding } from '../invariants/invariant.ts';
import type { ConversionRequest, EntryView, GuestView, StepView } from '../invariants/step-view.ts';
import type { Step } from '../scenario/program.ts';
import { EventKind, type Trace } from '../trace/trace.ts';
import type { Machine, MachineGuest } from './machine.ts';
import { guestIndex, range, type StepArguments, word } from './operation.ts';
import type { Outcome } from './outcome.ts';

export interface RuleFinding extends Finding {
  rule: string;
}

export function judge(machine: Machine, step: Step, args: StepArguments, outcome: Outcome): RuleFinding[] {
  if (outcome.trap !== undefined) return [];
  const view = new FinishedStep(machine, requestOf(machine, step, args), outcome);
  const out: RuleFinding[] = [];
  for (const rule of invariants) for (const finding of rule.check(view)) out.push({ rule: rule.id, ...finding });
  return out;
}

/** Operations that ask the kernel to convert a range. */
function requestOf(machine: Machine, step: Step, args: StepArguments): ConversionRequest | undefined {
  let guest: MachineGuest;
  let bytes: { start: number; end: number };
  let to: string;
  if (step.operation === 'vmm.set_memory_attributes') {
    guest = machine.guests[guestIndex(args.values[0])];
    bytes = range(args.values[1]);
    to = word(args.values[2]);
  } else if (step.operation === 'guest.psc') {
    guest = machine.guests[args.actor.guest as number];
    bytes = range(args.values[0]);
    to = word(args.values[1]);
  } else {
    return undefined;
  }
  return {
    guest,
    startGfn: gpaToGfn(bytes.start as Gpa),
    endGfn: Math.ceil(bytes.end / 4096),
    toPrivate: to === 'PRIVATE',
  };
}

class FinishedStep implements StepView {
  readonly trace: Trace;
  readonly from: number;
  readonly to: number;
  readonly succeeded: boolean;
  readonly request: ConversionRequest | undefined;
  readonly guests: readonly GuestView[];
  readonly eagerRmp: boolean;
  readonly rmpTouched: readonly Run[];
  readonly refsTouched: readonly Run[];
  private readonly gfns = new Map<number, readonly Run[]>();
  private readonly machine: Machine;

  constructor(machine: Machine, request: ConversionRequest | undefined, outcome: Outcome) {
    this.machine = machine;
    this.trace = machine.trace;
    this.from = machine.stepStart;
    this.to = machine.trace.length;
    this.succeeded = outcome.ok;
    this.request = request;
    this.guests = machine.guests;
    this.eagerRmp = machine.model.eagerRmp;

    const rmp = new Runs();
    const refs = new Runs();
    const gfns = new Map<number, Runs>(machine.guests.map((guest) => [guest.asid, new Runs()]));
    this.gather(rmp, refs, gfns);
    this.rmpTouched = rmp.merged();
    this.refsTouched = refs.merged();
    for (const guest of machine.guests) {
      const runs = gfns.get(guest.asid) as Runs;
      for (const run of this.rmpTouched) machine.gfnsBackedBy(guest, run.start, run.end, runs);
      this.gfns.set(guest.asid, runs.merged());
    }
  }

  private gather(rmp: Runs, refs: Runs, gfns: Map<number, Runs>): void {
    const { trace } = this;
    for (let e = this.from; e < this.to; e++) {
      const page = trace.page[e];
      switch (trace.kind[e]) {
        case EventKind.Rmpupdate:
          if (trace.code[e] === 0) rmp.add(page, page + (operandIsLarge(trace.a[e]) ? 512 : 1));
          break;
        case EventKind.Psmash:
          if (trace.code[e] === 0) rmp.add(page, page + 512);
          break;
        case EventKind.Pvalidate:
        case EventKind.Rmpadjust:
          if (page >= 0) rmp.add(page, page + 1);
          break;
        case EventKind.Firmware:
        case EventKind.RmpWrite:
          if (page >= 0) rmp.add(page, page + 1);
          break;
        case EventKind.Attribute:
          gfns.get(trace.space[e])?.add(page, page + trace.code[e]);
          break;
        case EventKind.Npt:
          gfns.get(trace.space[e])?.add(page, page + this.nptPages(e));
          break;
        case EventKind.PageRef:
          refs.add(page, page + 1);
          break;
      }
    }
  }

  private nptPages(e: number): number {
    const { trace } = this;
    if (trace.a[e] < 0) return Math.min(trace.b[e], 512 * 512);
    const level = trace.b[e];
    return level >= 3 ? 512 * 512 : level === 2 ? 512 : 1;
  }

  gfnsTouched(guest: GuestView): readonly Run[] {
    return this.gfns.get(guest.asid) ?? [];
  }

  entry(pfn: number): EntryView {
    return this.machine.entry(pfn);
  }
  head(frame: number): ReturnType<StepView['head']> {
    return this.machine.head(frame);
  }
  rawEntry(pfn: number): ReturnType<StepView['rawEntry']> {
    return this.machine.rawEntry(pfn);
  }
  isPrivate(guest: GuestView, gfn: number): boolean {
    return this.machine.isPrivate(guest.asid, gfn);
  }
  inPrivateSlot(guest: GuestView, gfn: number): boolean {
    return this.machine.inPrivateSlot(guest.asid, gfn);
  }
  backing(guest: GuestView, gfn: number): number | undefined {
    return this.machine.allocatedBacking(guest.asid, gfn);
  }
  mapped(guest: GuestView, gfn: number): number | undefined {
    return this.machine.mappedPfn(guest.asid, gfn);
  }
  refcount(pfn: number): number {
    return this.machine.refcount(pfn);
  }
  restingRefcount(pfn: number): number {
    return this.machine.restingRefcount(pfn);
  }
  get unbalancedLocks(): StepView['unbalancedLocks'] {
    return this.machine.unbalancedLocks();
  }
  violating(rule: string, space: number): PageSet {
    return this.machine.violating(rule, space);
  }
  functionAt(site: number): string | undefined {
    return this.machine.functionAt(site);
  }
  describeSite(site: number): string {
    return this.machine.describeSite(site);
  }
  describeStep(event: number): string {
    return this.machine.describeStep(event);
  }
}
