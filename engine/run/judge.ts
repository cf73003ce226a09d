/**
 * Judge a finished step: gather what it touched, and ask every invariant.
 */

import type { PageMap } from '../base/page-map.ts';
import type { PageSet } from '../base/page-set.ts';
import { type Run, Runs } from '../base/runs.ts';
import { type Gpa, gpaToGfn, type Pfn, pagesPerLevel } from '../base/units.ts';
import { pagesOfCommand } from '../hardware/firmware.ts';
import { gfnsOfEvent, type NestedPageTable } from '../hardware/nested-page-table.ts';
import { invariants } from '../invariants/catalogue.ts';
import { operandIsLarge } from '../invariants/conduct.ts';
import type { Finding } from '../invariants/invariant.ts';
import type {
  ConversionRequest,
  EntryView,
  GuestRange,
  GuestView,
  MappingView,
  OutcomeView,
  StepView,
} from '../invariants/step-view.ts';
import type { Step } from '../scenario/program.ts';
import { EventKind, type Trace } from '../trace/trace.ts';
import type { Machine, MachineGuest } from './machine.ts';
import { guestIndex, range, type StepArguments, word } from './operation.ts';
import type { Outcome } from './outcome.ts';
import { judgeUserInvariants } from './user-invariants.ts';
import { eventsOf } from './why.ts';

export interface RuleFinding extends Finding {
  rule: string;
  /** Which of the user's own invariants. */
  invariant?: number;
}

export function judge(machine: Machine, step: Step, args: StepArguments, outcome: Outcome): RuleFinding[] {
  if (outcome.trap !== undefined) return [];
  const view = new FinishedStep(machine, step, args, outcome);
  const found: RuleFinding[] = [];
  for (const rule of invariants) for (const finding of rule.check(view)) found.push({ rule: rule.id, ...finding });
  found.push(...judgeUserInvariants(machine, machine.stepStart));
  return found.length < 2 ? found : found.filter((finding) => !isRepetition(finding, found));
}

/** Whether another rule has said it already: of the same event, or of all the pages that this finding is about. */
function isRepetition(finding: RuleFinding, found: readonly RuleFinding[]): boolean {
  const repeats = invariants.find((rule) => rule.id === finding.rule)?.repeats;
  if (repeats === undefined) return false;
  return found.some(
    (other) =>
      repeats.includes(other.rule) &&
      ((finding.event !== undefined && finding.event === other.event) ||
        (finding.pages !== undefined && other.pages !== undefined && covers(other.pages, finding.pages))),
  );
}

function covers(outer: readonly Run[], inner: readonly Run[]): boolean {
  return inner.every((run) => outer.some((other) => other.start <= run.start && other.end >= run.end));
}

/** Operations that hand a range of a guest's memory to the kernel. */
function rangeOf(machine: Machine, step: Step, args: StepArguments): GuestRange | undefined {
  let guest: MachineGuest;
  let bytes: { start: number; end: number };
  switch (step.operation) {
    case 'vmm.set_memory_attributes':
    case 'vmm.launch_update':
    case 'vmm.punch_hole':
      guest = machine.guests[guestIndex(args.values[0])];
      bytes = range(args.values[1]);
      break;
    case 'guest.psc':
      guest = machine.guests[args.actor.guest as number];
      bytes = range(args.values[0]);
      break;
    default:
      return undefined;
  }
  return { guest, startGfn: gpaToGfn(bytes.start as Gpa), endGfn: Math.ceil(bytes.end / 4096) };
}

/** Of these, the ones that ask for a conversion. */
function requestOf(step: Step, args: StepArguments, of: GuestRange | undefined): ConversionRequest | undefined {
  const operand = step.operation === 'vmm.set_memory_attributes' ? 2 : step.operation === 'guest.psc' ? 1 : undefined;
  if (of === undefined || operand === undefined) return undefined;
  return { ...of, toPrivate: word(args.values[operand]) === 'PRIVATE' };
}

/** More vCPUs than a guest here has. */
const VCPUS = 1024;

/** What the events of a step touched. */
interface Touched {
  /** What changed hands or state, PSMASH left out. */
  owned: Runs;
  rmp: Runs;
  byKernel: Runs;
  marked: Runs;
  refs: Runs;
  freed: Runs;
  gfns: Map<number, Runs>;
}

/** Rules that are judged on the pages of a guest. */
const GUEST_PAGE_RULES = ['ATTR-RMP', 'VALID'];

class FinishedStep implements StepView {
  readonly trace: Trace;
  readonly from: number;
  readonly to: number;
  readonly succeeded: boolean;
  readonly request: ConversionRequest | undefined;
  readonly range: GuestRange | undefined;
  readonly guests: readonly GuestView[];
  readonly operation: string;
  readonly callee: string | undefined;
  readonly subject: GuestView | undefined;
  readonly actor: GuestView | undefined;
  readonly thread: number;
  readonly outcome: OutcomeView;
  readonly stated: string | undefined;
  readonly eagerRmp: boolean;
  readonly rmpTouched: readonly Run[];
  readonly refsTouched: readonly Run[];
  readonly rmpByKernel: readonly Run[];
  readonly rmpMarked: readonly Run[];
  readonly freed: readonly Run[];
  private readonly gfns = new Map<number, readonly Run[]>();
  private readonly machine: Machine;

  constructor(machine: Machine, step: Step, args: StepArguments, outcome: Outcome) {
    this.machine = machine;
    this.trace = machine.trace;
    this.from = machine.stepStart;
    this.to = machine.trace.length;
    this.succeeded = outcome.ok;
    this.range = rangeOf(machine, step, args);
    this.request = requestOf(step, args, this.range);
    this.guests = machine.guests;
    this.operation = step.operation;
    this.callee = args.callee;
    const named = args.values.find((value) => value?.kind === 'guest');
    this.subject = named?.kind === 'guest' ? machine.guests[named.guest] : undefined;
    this.actor = args.actor.kind === 'guest' ? machine.guests[args.actor.guest as number] : undefined;
    this.thread = this.actor === undefined ? 0 : 1 + this.actor.asid * VCPUS + args.actor.vcpu;
    this.outcome = {
      livelock: outcome.livelock === true,
      faulted: outcome.fault !== undefined,
      cf: outcome.cf,
    };
    this.stated = step.expected?.form;
    this.eagerRmp = machine.model.eagerRmp;

    const touched: Touched = {
      rmp: new Runs(),
      owned: new Runs(),
      byKernel: new Runs(),
      marked: new Runs(),
      refs: new Runs(),
      freed: new Runs(),
      gfns: new Map(machine.guests.map((guest) => [guest.asid, new Runs()])),
    };
    this.gather(touched);
    this.rmpTouched = touched.rmp.merged();
    this.rmpByKernel = touched.byKernel.merged();
    this.rmpMarked = touched.marked.merged();
    this.refsTouched = touched.refs.merged();
    this.freed = touched.freed.merged();
    for (const guest of machine.guests) {
      const runs = touched.gfns.get(guest.asid) as Runs;
      for (const run of touched.owned.merged()) machine.gfnsBackedBy(guest, run.start, run.end, runs);
      for (const run of this.freed) machine.gfnsBackedBy(guest, run.start, run.end, runs);
      this.gfns.set(guest.asid, runs.merged());
    }
  }

  private gather(touched: Touched): void {
    const { trace } = this;
    for (let e = this.from; e < this.to; e++) {
      const page = trace.page[e];
      switch (trace.kind[e]) {
        case EventKind.Rmpupdate:
          if (trace.code[e] === 0) this.touch(touched, e, page + (operandIsLarge(trace.a[e]) ? 512 : 1));
          break;
        case EventKind.Psmash:
          if (trace.code[e] === 0) this.touch(touched, e, page + 512);
          break;
        case EventKind.Pvalidate:
          if (page >= 0) {
            // A 2M PVALIDATE is told at the page that its GPA names; its entry speaks for all 512.
            this.touch(touched, e, page + 1);
            touched.marked.add(page, page + (trace.code[e] === 0 && (trace.a[e] & 1) !== 0 ? 512 : 1));
          }
          break;
        case EventKind.Firmware:
          if (page >= 0) {
            const end = page + pagesOfCommand(trace, e);
            if (end === page) break;
            this.touch(touched, e, end);
            touched.marked.add(page, end);
          }
          break;
        case EventKind.Rmpadjust:
        case EventKind.RmpWrite:
          if (page >= 0) {
            this.touch(touched, e, page + 1);
            touched.marked.add(page, page + 1);
          }
          break;
        case EventKind.Attribute:
          touched.gfns.get(trace.space[e])?.add(page, page + trace.code[e]);
          break;
        case EventKind.Npt:
          // A zap takes violations away and makes none.
          if (trace.a[e] >= 0 || this.machine.ruleMemory.hasViolations(GUEST_PAGE_RULES, trace.space[e]))
            this.remapped(touched, e);
          break;
        case EventKind.PageRef:
          touched.refs.add(page, page + 1);
          break;
        case EventKind.PageFree:
          touched.freed.add(page, page + trace.code[e]);
          break;
      }
    }
  }

  private touch(touched: Touched, e: number, end: number): void {
    const start = this.trace.page[e];
    touched.rmp.add(start, end);
    // After PSMASH the 512 entries say of their pages what the one said: nothing changes for the guest.
    if (this.trace.kind[e] !== EventKind.Psmash) touched.owned.add(start, end);
    if (this.trace.site[e] !== 0) touched.byKernel.add(start, end);
  }

  private remapped(touched: Touched, e: number): void {
    const { start, end } = gfnsOfEvent(this.trace, e, true);
    touched.gfns.get(this.trace.space[e])?.add(start, end);
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
  assignedTails(frame: number): number {
    return this.machine.hardware.rmp.assignedTails(frame);
  }
  tailsAlike(frame: number): boolean {
    return this.machine.tailsAlike(frame);
  }
  privateAlike(guest: GuestView, frame: number): boolean {
    return this.machine.privateAlike(guest.asid, frame);
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
  mapping(guest: GuestView, gfn: number): MappingView | undefined {
    const entry = this.npt(guest)?.lookup(gfn);
    if (entry === undefined) return undefined;
    const pages = pagesPerLevel(entry.level);
    return { gfn: gfn - (gfn % pages), pfn: entry.pfn, level: entry.level, pages };
  }
  mappingsIn(guest: GuestView, runs: readonly Run[]): MappingView[] {
    const found: MappingView[] = [];
    for (const run of runs) {
      this.npt(guest)?.forEachIn(run.start, run.end, (gfn, { pfn, level }) => {
        found.push({ gfn, pfn, level, pages: pagesPerLevel(level) });
      });
    }
    return found;
  }
  private npt(guest: GuestView): NestedPageTable | undefined {
    return this.machine.hardware.guests.get(guest.asid)?.npt;
  }
  gfnsBackedBy(guest: GuestView, pfns: readonly Run[]): readonly Run[] {
    const runs = new Runs();
    for (const run of pfns) this.machine.gfnsBackedBy(guest as MachineGuest, run.start, run.end, runs);
    return runs.merged();
  }
  framesBehind(guest: GuestView, gfns: readonly Run[]): readonly Run[] {
    const runs = new Runs();
    for (const run of gfns) {
      for (let gfn = run.start; gfn < run.end; gfn++) {
        const backing = this.machine.kernel.privateBacking(guest.asid, gfn);
        if (backing !== undefined) runs.add(backing.pfn, backing.pfn + 1);
      }
    }
    return runs.merged();
  }
  covers(pfn: number): boolean {
    return this.machine.hardware.rmp.covers(pfn);
  }
  isAssigned(pfn: number): boolean {
    return this.machine.hardware.rmp.isAssigned(pfn);
  }
  marks(pfn: number): ReturnType<StepView['marks']> {
    const { validated, vmsa, lock, vmpl } = this.machine.hardware.rmp.entry(pfn as Pfn);
    return { validated, vmsa, locked: lock, vmpl };
  }
  asidCounter(asid: number): number {
    return this.machine.asidCounter(asid);
  }
  directMapPresent(pfn: number): boolean {
    return this.machine.kernel.directMap.present(pfn);
  }
  directMapLevel(pfn: number): number {
    return this.machine.kernel.directMap.level(pfn);
  }
  attributeEvent(guest: GuestView, gfn: number): number {
    return this.machine.kernel.attributes.lastEvent(guest.asid, gfn);
  }
  rmpEvent(pfn: number): number {
    return this.machine.hardware.rmp.lastChange(pfn);
  }
  validatedHistory(pfn: number): readonly number[] {
    return eventsOf(this.machine, { of: 'rmp', pfn, field: 'validated' });
  }
  get leaked(): readonly number[] {
    return this.machine.kernel.leaked.list;
  }
  isFree(pfn: number): boolean {
    const { restricted, pages } = this.machine.kernel;
    const owner = restricted.owning(pfn);
    return owner === undefined ? pages.freed.includes(pfn) : !restricted.isAllocated(owner.file, owner.index);
  }
  get inUse2mErratum(): boolean {
    return this.machine.hardware.options.inUse2mErratum;
  }
  logLine(index: number): string {
    return this.machine.kernel.log.lines[index]?.text ?? '';
  }
  lockName(id: number): string {
    return this.machine.kernel.locks.nameOf(id);
  }
  isKnownDefect(rule: string): boolean {
    const { program, model } = this.machine;
    return (model.knownDefects ?? []).some(
      (defect) => defect.rule === rule && defect.functions.every((name) => program.find(name)?.override !== true),
    );
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
    return this.machine.ruleMemory.violating(rule, space);
  }
  memory(rule: string, space: number): PageMap {
    return this.machine.ruleMemory.numbers(rule, space);
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
