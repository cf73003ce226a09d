/**
 * The whole machine of one run: hardware, kernel objects, the VM that runs the kernel's C, guests. It is what operations act on and what
 * invariants and queries look at; nothing above it touches the parts directly.
 *
 * All shared state lies behind one journal, so a mark of the machine is a few numbers and going back to it is exact. While no C runs, threads
 * hold nothing, so marks taken between steps need no copy of them.
 */
import type { Location } from '../base/diagnostic.ts';
import { Journal } from '../base/journal.ts';
import type { Runs } from '../base/runs.ts';
import type { Asid, Pfn } from '../base/units.ts';
import type { CFunction, CProgram } from '../c/program.ts';
import { type GuestContext, Hardware } from '../hardware/machine.ts';
import type { HardwareOptions } from '../hardware/options.ts';
import {
  ASSIGNED,
  ASSIGNED_2M,
  asidOf,
  formatEntry,
  gfnOf,
  IMMUTABLE,
  PAGE_SIZE_2M,
  VALIDATED,
} from '../hardware/rmp-entry.ts';
import { pagesOfAsid } from '../hardware/rmp-table.ts';
import type { EntryView, StepView } from '../invariants/step-view.ts';
import { KernelState } from '../kernel/kernel-state.ts';
import { kernelNatives } from '../kernel/natives.ts';
import type { KernelModel } from '../models/model.ts';
import type { Actor, GuestConfig, HostConfig, MachineView, UserInvariant } from '../scenario/program.ts';
import { EventKind, type Now, Trace } from '../trace/trace.ts';
import { NoteKind } from '../vm/bytecode.ts';
import type { Thread, ThreadSnapshot } from '../vm/thread.ts';
import { Vm } from '../vm/vm.ts';
import { RuleMemory } from './rule-memory.ts';
import { type CTrap, describeTrap } from './trap.ts';

export interface MachineGuest {
  name: string;
  asid: number;
  config: GuestConfig;
  /** Pointer to its struct kvm. */
  kvm: number;
  /** Pointers to its struct kvm_vcpu by number. */
  vcpus: number[];
  /** Pointers to its struct kvm_memory_slot by slot id. */
  slots: Map<number, number>;
}

/** A position to go back to; only while no C runs. */
export interface MachineMark {
  journal: number;
  trace: number;
  lastStep: { from: number; to: number };
}

/** A position to go back to, also while C runs: with a copy of what is not journalled. */
export interface MachineSnapshot {
  readonly mark: MachineMark;
  readonly stepStart: number;
  readonly now: Readonly<Now>;
  readonly thread: ThreadSnapshot | undefined;
  readonly callee: CFunction | undefined;
  /** What the last access left behind. */
  readonly access: Readonly<Pick<Hardware, (typeof ACCESS_RESULTS)[number]>>;
}

const ACCESS_RESULTS = ['reliedOn', 'fault', 'faultCode', 'accessPfn', 'carry', 'refusal'] as const;

/** One frame of a C stack. */
export interface CFrame {
  function: string;
  location: Location;
  /** In the user's own patch or source. */
  override: boolean;
}

export interface MachineConfig {
  host: HostConfig;
  guests: readonly GuestConfig[];
  options: HardwareOptions;
  /** Options of the kernel model by name. */
  kernelOptions: ReadonlyMap<string, number>;
  program: CProgram;
  model: KernelModel;
  loopBudget: number | undefined;
  /** The user's own rules. */
  invariants?: readonly UserInvariant[];
}

export class Machine implements MachineView {
  readonly journal = new Journal();
  readonly trace = new Trace();
  readonly hardware: Hardware;
  readonly kernel: KernelState;
  readonly vm: Vm;
  readonly program: CProgram;
  readonly model: KernelModel;
  readonly guests: MachineGuest[] = [];
  readonly invariants: readonly UserInvariant[];
  /** First trace event of the step under way. */
  stepStart = 0;
  /** Trace events of the last step that finished. */
  private lastStep = { from: 0, to: 0 };

  /** The thread that C runs on; idle between calls. */
  readonly thread: Thread;
  /** What rules remember from step to step. */
  readonly ruleMemory = new RuleMemory(this.journal);
  private callee: CFunction | undefined;
  private readonly budget = { instructions: 0 };

  constructor(config: MachineConfig) {
    const { journal, trace } = this;
    this.program = config.program;
    this.model = config.model;
    this.invariants = config.invariants ?? [];
    this.hardware = new Hardware(
      {
        memoryBytes: config.host.memoryBytes,
        cpus: config.host.cpus,
        options: config.options,
        ...(config.host.coveredBytes === undefined ? {} : { coveredBytes: config.host.coveredBytes }),
        ...(config.host.rmp === undefined ? {} : { geometry: config.host.rmp }),
        ...(config.host.fixed === undefined ? {} : { fixed: config.host.fixed }),
      },
      journal,
      trace,
    );
    this.kernel = new KernelState(
      { memoryBytes: config.host.memoryBytes, cpus: config.host.cpus, options: config.kernelOptions },
      this.hardware,
      journal,
      trace,
    );
    this.vm = new Vm({
      program: config.program,
      natives: kernelNatives(this.kernel),
      journal,
      trace,
      observer: this,
      ...(config.loopBudget === undefined ? {} : { loopBudget: config.loopBudget }),
    });
    trace.locate = this.vm.locate;
    this.thread = this.vm.createThread();
    trace.now.step = -1;
    for (const guest of config.guests)
      this.guests.push({ name: guest.name, asid: guest.asid, config: guest, kvm: 0, vcpus: [], slots: new Map() });
  }

  /**
   * Create the guests by calling the model, as a VMM would: VM, memory slots, vCPUs. Run once before anything else.
   * Returns what went wrong, if anything.
   */
  boot(): CTrap | string | undefined {
    let shared = this.firstFreeFrame();
    for (const [index, guest] of this.guests.entries()) {
      const kvm = this.callNow('scenario_create_vm', [guest.asid, guest.config.snp ? 1 : 0]);
      if (typeof kvm !== 'number') return kvm;
      guest.kvm = kvm;
      for (const slot of guest.config.slots) {
        const pages = (slot.gpaEnd - slot.gpaStart) / 4096;
        const file = slot.private ? fileId(index, slot.id) : -1;
        if (slot.private) {
          const folio = 2 ** slot.folioOrder;
          const length = Math.ceil((slot.fileOffset + pages) / folio) * folio;
          const problem = this.kernel.restricted.createFile({
            id: file,
            extents: [{ index: 0, pages: length, pfn: slot.pfn as Pfn, order: slot.folioOrder }],
          });
          if (problem !== undefined) return problem;
        }
        shared = this.clearOfReserved(shared, pages);
        const added = this.callNow('scenario_add_slot', [
          kvm,
          slot.id,
          slot.gpaStart / 4096,
          pages,
          slot.private ? 1 : 0,
          file,
          slot.fileOffset,
          shared,
        ]);
        if (typeof added !== 'number') return added;
        if (added < 0) return `slot ${slot.id} of guest ${guest.name} cannot be added (${added})`;
        shared += Math.ceil(pages / 512) * 512;
        const pointer = this.callNow('scenario_slot', [kvm, slot.id]);
        if (typeof pointer !== 'number') return pointer;
        guest.slots.set(slot.id, pointer);
      }
      for (let id = 0; id < guest.config.vcpus; id++) {
        const vcpu = this.callNow('scenario_create_vcpu', [kvm, id]);
        if (typeof vcpu !== 'number') return vcpu;
        guest.vcpus.push(vcpu);
      }
    }
    return undefined;
  }

  private firstFreeFrame(): number {
    let top = 512;
    for (const guest of this.guests) {
      for (const slot of guest.config.slots)
        if (slot.private) top = Math.max(top, slot.pfn + slot.fileOffset + (slot.gpaEnd - slot.gpaStart) / 4096);
    }
    return Math.ceil(top / 512) * 512;
  }

  /** The first frame from `pfn` on where so many pages do not meet what is reserved. */
  private clearOfReserved(pfn: number, pages: number): number {
    let from = pfn;
    for (const { start, end } of this.hardware.reserved) if (from < end && start < from + pages) from = end;
    return from;
  }

  private callNow(name: string, args: readonly number[]): number | CTrap | string {
    const problem = this.beginCall(name, args);
    if (problem !== undefined) return problem;
    for (;;) {
      const { state } = this.continueCall(1e6);
      if (state === 'trapped') return this.takeTrap();
      if (state === 'done') return Number(this.takeResult());
    }
  }

  // ---------------------------------------------------------------- going back

  mark(): MachineMark {
    return { journal: this.journal.mark(), trace: this.trace.length, lastStep: this.lastStep };
  }

  undoTo(mark: MachineMark): void {
    this.journal.undoTo(mark.journal);
    this.trace.truncate(mark.trace);
    this.lastStep = mark.lastStep;
  }

  snapshot(): MachineSnapshot {
    const { reliedOn, fault, faultCode, accessPfn, carry, refusal } = this.hardware;
    return {
      mark: this.mark(),
      stepStart: this.stepStart,
      now: { ...this.trace.now },
      // A thread that has ended still holds its result or its trap.
      thread: this.thread.status === 'idle' ? undefined : this.thread.snapshot(),
      callee: this.callee,
      access: { reliedOn, fault, faultCode, accessPfn, carry, refusal },
    };
  }

  /** Go back to a snapshot that lies behind, on the way that led here. */
  restore(to: MachineSnapshot): void {
    this.undoTo(to.mark);
    this.stepStart = to.stepStart;
    Object.assign(this.trace.now, to.now);
    Object.assign(this.hardware, to.access);
    this.callee = to.callee;
    if (to.thread === undefined) this.thread.status = 'idle';
    else this.thread.restore(to.thread);
  }

  // ---------------------------------------------------------------- steps

  beginStep(instance: number): void {
    this.trace.now.step = instance;
    this.trace.now.thread = 0;
    this.trace.now.site = 0;
    this.trace.now.stack = 0;
    this.stepStart = this.trace.length;
    this.hardware.reliedOn = 0;
    this.hardware.refusal = undefined;
  }

  enterActor(actor: Actor): void {
    this.trace.now.thread = actor.kind === 'guest' ? 1 + actor.vcpu : 0;
  }

  endStep(): void {
    this.lastStep = { from: this.stepStart, to: this.trace.length };
  }

  /** Instructions of a kind that the last finished step executed, whatever came of them. */
  countInLastStep(kind: number): number {
    let n = 0;
    for (let e = this.lastStep.from; e < this.lastStep.to; e++) if (this.trace.kind[e] === kind) n++;
    return n;
  }

  // ---------------------------------------------------------------- calls into C

  /** Start a call; returns why it cannot be made. */
  beginCall(name: string, args: readonly (number | bigint)[]): string | undefined {
    const callee = this.program.find(name);
    if (callee === undefined)
      return `Nothing defines ${name}(): neither the kernel model "${this.model.name}" nor a patch, source or stub. Add \`stub ${name} returns 0\` if its result does not matter.`;
    const slots = callee.parameters.reduce((sum, p) => sum + p.slots, 0);
    if (args.length !== slots)
      return `${name}() takes ${callee.parameters.length} arguments (${callee.parameters.map((p) => `${p.type} ${p.name}`).join(', ')}), ${args.length} given.`;
    this.callee = callee;
    this.vm.start(this.thread, callee.index, args);
    return undefined;
  }

  /** Run the call for about `units` instructions. */
  continueCall(units: number): { used: number; state: 'running' | 'done' | 'trapped' } {
    this.budget.instructions = Math.max(1, Math.floor(units));
    const before = this.budget.instructions;
    const result = this.vm.run(this.thread, this.budget);
    return { used: before - this.budget.instructions, state: result === 'paused' ? 'running' : result };
  }

  /** Forget a call under way; only together with undoing what it did. */
  abandonCall(): void {
    this.thread.status = 'idle';
    this.callee = undefined;
  }

  takeResult(): number | bigint {
    const callee = this.callee as CFunction;
    this.callee = undefined;
    if (callee.returns.kind === 'void') return 0;
    const value = this.thread.result();
    return typeof value === 'bigint' && !callee.returns.signed ? BigInt.asUintN(64, value) : value;
  }

  /** Why the call stopped. Only after `continueCall` said that it trapped. */
  takeTrap(): CTrap {
    return describeTrap(this);
  }

  /** The VM tells what C did that no native saw. */
  note(kind: number, value: number, other: number, thread: Thread): void {
    const { trace } = this;
    if (kind === NoteKind.Progress) {
      trace.record(EventKind.Progress, 0, -1, 0, value - other, value, -1);
    } else if (kind === NoteKind.MustPropagate && value !== 0) {
      trace.record(EventKind.FailedResult, 0, -1, value, thread.depth, 0, -1);
    }
  }

  // ---------------------------------------------------------------- what invariants and queries read

  // Read straight from the words: rules look at every page that a step touched.

  entry(pfn: number): EntryView {
    const { rmp } = this.hardware;
    const from = rmp.governing(pfn);
    const w0 = rmp.word(from, 0);
    const w1 = rmp.word(from, 1);
    return {
      assigned: rmp.isAssigned(pfn),
      large: (w0 & ASSIGNED_2M) === ASSIGNED_2M,
      asid: asidOf(w1),
      gfn: gfnOf(w0, w1) + (pfn - from),
      immutable: (w0 & IMMUTABLE) !== 0,
      validated: (w1 & VALIDATED) !== 0,
    };
  }

  head(frame: number): ReturnType<StepView['head']> {
    const { rmp } = this.hardware;
    const pfn = frame * 512;
    const w0 = rmp.word(pfn, 0);
    const w1 = rmp.word(pfn, 1);
    return {
      assigned: (w0 & ASSIGNED) !== 0,
      large: (w0 & PAGE_SIZE_2M) !== 0,
      subpageCount: rmp.subpageCount(pfn),
      gfn: gfnOf(w0, w1),
      asid: asidOf(w1),
      immutable: (w0 & IMMUTABLE) !== 0,
    };
  }

  rawEntry(pfn: number): ReturnType<StepView['rawEntry']> {
    const { rmp } = this.hardware;
    const w0 = rmp.word(pfn, 0);
    return {
      assigned: (w0 & ASSIGNED) !== 0,
      large: (w0 & PAGE_SIZE_2M) !== 0,
      asid: asidOf(rmp.word(pfn, 1)),
      immutable: (w0 & IMMUTABLE) !== 0,
    };
  }

  tailsAlike(frame: number): boolean {
    return this.hardware.rmp.isCompact(frame);
  }

  privateAlike(asid: number, frame: number): boolean {
    const gfn = frame * 512;
    const slot = this.kernel.slots.find(asid, gfn);
    if (slot === undefined || !slot.private || gfn + 512 > slot.baseGfn + slot.pages) return false;
    const index = slot.index + (gfn - slot.baseGfn);
    const pfn = this.kernel.restricted.allocatedPfn(slot.file, index);
    if (pfn < 0 || pfn % 512 !== 0 || !this.hardware.rmp.isCompact(pfn / 512) || !this.hardware.rmp.isLarge(pfn))
      return false;
    const folio = this.kernel.restricted.folio(slot.file, index);
    return folio !== undefined && folio.order >= 9 && this.kernel.attributes.isWholeFramePrivate(asid, frame);
  }

  isPrivate(asid: number, gfn: number): boolean {
    return this.kernel.attributes.attribute(asid, gfn) !== 0;
  }

  inPrivateSlot(asid: number, gfn: number): boolean {
    return this.kernel.slots.find(asid, gfn)?.private === true;
  }

  /** pfn of the private page of a gfn, if one has been allocated. */
  allocatedBacking(asid: number, gfn: number): number | undefined {
    const slot = this.kernel.slots.find(asid, gfn);
    if (slot === undefined || !slot.private) return undefined;
    const pfn = this.kernel.restricted.allocatedPfn(slot.file, slot.index + (gfn - slot.baseGfn));
    return pfn < 0 ? undefined : pfn;
  }

  private pageOf(file: number, index: number): number | undefined {
    const folio = this.kernel.restricted.folio(file, index);
    return folio === undefined ? undefined : folio.pfn + (index - folio.index);
  }

  backingPfn(guest: number, gpa: number): number | undefined {
    const gfn = Math.floor(gpa / 4096);
    const slot = this.kernel.slots.find(this.guests[guest].asid, gfn);
    if (slot === undefined) return undefined;
    const offset = gfn - slot.baseGfn;
    return slot.private ? this.pageOf(slot.file, slot.index + offset) : slot.sharedPfn + offset;
  }

  /** Collect the gfns of a guest that frames [start, end) back privately. */
  gfnsBackedBy(guest: MachineGuest, start: number, end: number, into: Runs): void {
    for (const slot of guest.config.slots) {
      if (!slot.private) continue;
      const first = slot.pfn + slot.fileOffset;
      const gfn = slot.gpaStart / 4096;
      const pages = (slot.gpaEnd - slot.gpaStart) / 4096;
      const from = Math.max(start, first);
      const to = Math.min(end, first + pages);
      if (from < to) into.add(gfn + (from - first), gfn + (to - first));
    }
  }

  mappedPfn(asid: number, gfn: number): number | undefined {
    const pfn = this.hardware.guests.get(asid)?.npt.walk(gfn) ?? -1;
    return pfn < 0 ? undefined : pfn;
  }

  contextOf(guest: MachineGuest): GuestContext {
    return this.hardware.guests.get(guest.asid) as GuestContext;
  }

  slotPointer(guest: number, slot: number): number | undefined {
    return this.guests[guest].slots.get(slot);
  }

  /** From now on, getting the private backing of these gfns fails. */
  failBacking(guest: MachineGuest, startGfn: number, endGfn: number, errno: number): void {
    const { restricted } = this.kernel;
    this.onFiles(guest, startGfn, endGfn, (file, from, to) => restricted.setFailure(file, from, to, errno));
  }

  /** Split the folios that back these gfns into single pages. */
  splitFolios(guest: MachineGuest, startGfn: number, endGfn: number): void {
    this.onFiles(guest, startGfn, endGfn, (file, from, to) => this.kernel.restricted.split(file, from, to));
  }

  /** The private files behind a range of gfns, with the indexes that are meant. */
  private onFiles(
    guest: MachineGuest,
    startGfn: number,
    endGfn: number,
    run: (file: number, from: number, to: number) => void,
  ): void {
    for (const slot of this.kernel.slots.all) {
      if (slot.asid !== guest.asid || !slot.private) continue;
      const from = Math.max(startGfn, slot.baseGfn);
      const to = Math.min(endGfn, slot.baseGfn + slot.pages);
      if (from < to) run(slot.file, slot.index + from - slot.baseGfn, slot.index + to - slot.baseGfn);
    }
  }

  asidCounter(asid: number): number {
    return pagesOfAsid(this.hardware.rmp, asid as Asid);
  }

  /** `asid 1 · gpa 0x10000 · 4K · validated`, with the page's own GPA when it lies in a 2M entry. */
  describeEntry(pfn: number): string {
    const { rmp } = this.hardware;
    if (!rmp.covers(pfn)) return 'not covered by the RMP';
    const entry = rmp.resolve(pfn as Pfn);
    return formatEntry(entry.asid === 0 ? entry : { ...entry, gpa: (rmp.boundGfn(pfn) * 4096) as typeof entry.gpa });
  }

  refcount(pfn: number): number {
    return this.kernel.references.count(pfn);
  }

  /** References count what get_pfn takes and put_page drops; the file's own is not among them. */
  restingRefcount(_pfn: number): number {
    return 0;
  }

  unbalancedLocks(): { name: string; depth: number; event: number }[] {
    const held = this.kernel.locks.held();
    const wrong = this.kernel.locks.problems.filter((problem) => problem.event >= this.stepStart);
    return [...held, ...wrong.map((problem) => ({ name: problem.name, depth: 0, event: problem.event }))];
  }

  logLines(): string[] {
    return this.kernel.log.lines.map((line) => line.text);
  }

  // ---------------------------------------------------------------- places

  siteOfEvent(event: number): { site: number; stack: number } {
    return { site: this.trace.site[event], stack: this.trace.stack[event] };
  }

  instanceOfEvent(event: number): number | undefined {
    const step = this.trace.step[event];
    return step < 0 ? undefined : step;
  }

  functionAt(site: number): string | undefined {
    const at = site === 0 ? undefined : this.program.site(site);
    return at === undefined ? undefined : this.program.functionName(at.function);
  }

  /** The C stack of a site, innermost first. */
  framesOf(at: { site: number; stack: number }): CFrame[] {
    const frames: CFrame[] = [];
    let { site, stack } = at;
    while (site !== 0) {
      const frame = this.frameAt(site);
      if (frame !== undefined) frames.push(frame);
      if (stack === 0) break;
      site = this.trace.calls.site(stack);
      stack = this.trace.calls.parent(stack);
    }
    return frames;
  }

  private frameAt(site: number): CFrame | undefined {
    const at = this.program.site(site);
    if (at === undefined) return undefined;
    const code = this.program.functionCode(at.function);
    let row = code.lines[0];
    for (const line of code.lines) {
      if (line.pc > at.pc) break;
      row = line;
    }
    const { override, name } = this.program.describe(at.function);
    return { function: name, location: this.program.location(row?.origin ?? code.origin), override };
  }

  describeSite(site: number): string {
    const frame = site === 0 ? undefined : this.frameAt(site);
    if (frame === undefined) return '';
    return `${frame.location.path.split('/').pop()}:${frame.location.range.start.line + 1}`;
  }

  /** Where the step that recorded an event stands, for messages. Set by the run, which knows the scenario. */
  describeStep: (event: number) => string = () => 'an earlier step';
}

/** File number of a guest's slot. */
export const fileId = (guest: number, slot: number): number => guest * 1024 + slot;
