/**
 * The SNP hardware of one host: RMP, guests' nested page tables, instructions, firmware. Everything that can change is journalled; nothing
 * here knows a kernel. Results are numbers, and what does not fit a number stands in fields of this object until the next operation.
 */
import type { Journal } from '../base/journal.ts';
import type { Run } from '../base/runs.ts';
import type { Pfn, PgLevel } from '../base/units.ts';
import { EventKind, type Trace } from '../trace/trace.ts';
import { type Access, hostAccess } from './access.ts';
import { Contention } from './contention.ts';
import { Fault } from './fault-codes.ts';
import type { RmpPageSize } from './firmware.ts';
import { snpLaunchUpdate } from './firmware-launch-update.ts';
import { snpPageReclaim } from './firmware-page-state.ts';
import { FirmwareState } from './firmware-state.ts';
import { guestAccess } from './guest-access.ts';
import { GuestTlb } from './guest-tlb.ts';
import { type CheckRow, psmashChecks, rmpupdateChecks } from './instruction-checks.ts';
import { dma, type IommuEvent } from './iommu.ts';
import { NestedPageTable } from './nested-page-table.ts';
import { defaultHardwareOptions, type HardwareOptions } from './options.ts';
import { psmash } from './psmash.ts';
import { pvalidate } from './pvalidate.ts';
import type { Refusal } from './refusal.ts';
import { LOCK } from './rmp-entry.ts';
import {
  coveredFrames,
  geometryProblem,
  ownFrames,
  type RmpGeometry,
  reservedFrames,
  uncoveredHoles,
} from './rmp-geometry.ts';
import { layOut } from './rmp-layout.ts';
import { RmpTable } from './rmp-table.ts';
import { rmpadjust } from './rmpadjust.ts';
import { type RmpqueryResult, rmpquery } from './rmpquery.ts';
import { type RmpreadEntry, rmpread } from './rmpread.ts';
import { rmpupdate } from './rmpupdate.ts';
import { type VmrunPages, vmexit, vmrun, vmsave } from './vmrun.ts';

export interface HardwareConfig {
  /** System memory from address 0, in bytes. */
  memoryBytes: number;
  cpus: number;
  /** Memory that the RMP covers, if not all of it. */
  coveredBytes?: number;
  /**
   * Where the RMP lies, which also says what it covers; see {@link geometryProblem}. Its own pages are then the firmware's. Without it the RMP
   * lies outside of the memory that is modelled.
   */
  geometry?: RmpGeometry;
  /** Frames that SNP_INIT made HV_FIXED: the host's list and what is no memory. */
  fixed?: readonly Run[];
  options?: Partial<HardwareOptions>;
}

export interface GuestContext {
  readonly asid: number;
  readonly npt: NestedPageTable;
  /** Runs with SNP. Others are checked as the second row of the APM's access table says. */
  readonly snpActive: boolean;
}

export class Hardware {
  readonly journal: Journal;
  readonly trace: Trace;
  readonly options: HardwareOptions;
  readonly memoryPages: number;
  readonly cpus: number;
  readonly rmp: RmpTable;
  /** Where the RMP lies, if the host models that. */
  readonly geometry: RmpGeometry | undefined;
  /** Frames that software leaves alone: see {@link reservedFrames}. */
  readonly reserved: readonly Run[];
  readonly contention: Contention;
  readonly tlb: GuestTlb;
  readonly firmware: FirmwareState;
  readonly guests = new Map<number, GuestContext>();

  /** Order tables and masks that the options decide. */
  readonly rmpupdateOrder: readonly CheckRow[];
  readonly psmashOrder: readonly CheckRow[];
  readonly fullVmplMask: number;

  /** Options on which results depended since this was last set to 0: bits of `Relied`. */
  reliedOn = 0;
  /** Of the last access or guest instruction: its fault, the fault's error code, the page reached (-1 if none), the carry flag. */
  fault: Fault = Fault.None;
  faultCode = 0;
  accessPfn = -1;
  carry = 0;
  /** Why a guest instruction, VMRUN, RMPREAD or firmware command was refused: the last that was. RMPUPDATE and PSMASH have it in their event. */
  refusal: Refusal | undefined;
  /** What the last RMPQUERY and the last RMPREAD answered; undefined if they did not succeed. */
  rmpqueryResult: RmpqueryResult | undefined;
  rmpreadEntry: RmpreadEntry | undefined;

  constructor(config: HardwareConfig, journal: Journal, trace: Trace) {
    this.journal = journal;
    this.trace = trace;
    this.options = { ...defaultHardwareOptions(), ...config.options };
    this.memoryPages = Math.floor(config.memoryBytes / 4096);
    this.cpus = config.cpus;
    const { geometry } = config;
    this.geometry = geometry;
    if (geometry === undefined) {
      this.rmp = new RmpTable(config.coveredBytes ?? config.memoryBytes, journal);
    } else {
      const problem = geometryProblem(geometry);
      if (problem !== undefined) throw new Error(`RMP geometry: ${problem}`);
      const covered = coveredFrames(geometry);
      this.rmp = new RmpTable((covered.at(-1)?.end ?? 0) * 4096, journal, uncoveredHoles(covered));
    }
    layOut(this.rmp, geometry === undefined ? [] : ownFrames(geometry), config.fixed ?? []);
    this.reserved = reservedFrames(geometry, config.fixed);
    this.contention = new Contention(journal);
    this.tlb = new GuestTlb(journal);
    this.firmware = new FirmwareState(this, journal);
    const malformed = this.options.rmpupdateMalformedUnassign === 'fail-input' ? 1 : 2;
    this.rmpupdateOrder = rmpupdateChecks(this.options.rmpupdateCheckOrder, malformed);
    this.psmashOrder = psmashChecks(this.options.psmashBadaddrCode);
    this.fullVmplMask = this.options.vmplSss ? 0x1f : 0x0f;
  }

  /** Set up a guest before the run begins; not journalled. */
  addGuest(asid: number, snpActive = true): GuestContext {
    const guest = { asid, snpActive, npt: new NestedPageTable(asid, this.journal, this.trace) };
    this.guests.set(asid, guest);
    return guest;
  }

  // ---- host instructions ---------------------------------------------------------------------------------------------------------

  /** RMPUPDATE; addresses in bytes, flags 0 or 1. Returns EAX. */
  rmpupdate(
    spa: number,
    gpa: number,
    assigned: number,
    pagesize: number,
    immutable: number,
    asid: number,
    context = 0,
    reserved = 0,
  ): number {
    return rmpupdate(this, spa, gpa, assigned, pagesize, immutable, asid, context, reserved);
  }

  /** PSMASH; address in bytes. Returns EAX. */
  psmash(spa: number, context = 0): number {
    return psmash(this, spa, context);
  }

  /** RMPREAD; address in bytes. Returns EAX, the entry in `rmpreadEntry`. */
  rmpread(spa: number, context = 0): number {
    return rmpread(this, spa, context);
  }

  // ---- guest instructions --------------------------------------------------------------------------------------------------------

  /** PVALIDATE. Returns EAX with `carry`, or FAULTED (-1) with `fault` and `faultCode`. */
  pvalidate(guest: GuestContext, gpa: number, pagesize: number, validate: number, vmpl = 0, vcpu = 0): number {
    return pvalidate(this, guest, gpa, pagesize, validate, vmpl, vcpu);
  }

  /** RMPADJUST; `rdx` as {@link rmpadjustOperand} makes it. Returns EAX, or FAULTED (-1) with `fault` and `faultCode`. */
  rmpadjust(guest: GuestContext, gpa: number, pagesize: number, rdx: number, vmpl = 0, vcpu = 0): number {
    return rmpadjust(this, guest, gpa, pagesize, rdx, vmpl, vcpu);
  }

  /** RMPQUERY about VMPL `target`. Returns EAX with `rmpqueryResult`, or FAULTED (-1) with `fault` and `faultCode`. */
  rmpquery(guest: GuestContext, gpa: number, target: number, vmpl = 0): number {
    return rmpquery(this, guest, gpa, target, vmpl);
  }

  // ---- entering a guest ----------------------------------------------------------------------------------------------------------

  /** VMRUN with these pages: Fault.None, and they are in use; Fault.GP or Fault.VmexitInvalid, and nothing has changed. */
  enter(guest: GuestContext, pages: VmrunPages): Fault {
    return vmrun(this, guest.asid, guest.snpActive, pages);
  }

  /** #VMEXIT of the vCPU that runs with these pages. */
  exit(pages: VmrunPages): void {
    vmexit(this, pages);
  }

  /** VMRUN with that VMSA page (-1: none), the other pages being in order: whether it succeeds. */
  vmrun(asid: number, vmsa: number): boolean {
    return vmrun(this, asid, this.guests.get(asid)?.snpActive ?? true, { vmsa }) === Fault.None;
  }

  /** #VMEXIT of the vCPU that runs from that VMSA page. */
  vmexit(vmsa: number): void {
    vmexit(this, { vmsa });
  }

  /** VMSAVE to that page: Fault.None or Fault.GP. */
  vmsave(pfn: number): Fault {
    return vmsave(this, pfn);
  }

  // ---- accesses ------------------------------------------------------------------------------------------------------------------

  /** A host access through a present mapping of that level. Returns the fault (0 = none), its code in `faultCode`. */
  hostAccess(pfn: number, access: Access, level: PgLevel, user = false): Fault {
    this.fault = hostAccess(this, pfn, access, level, user);
    return this.fault;
  }

  /** A guest access. Returns the fault (0 = none), its code in `faultCode`; the page reached in `accessPfn`. */
  guestAccess(guest: GuestContext, gpa: number, access: Access, cbit: number, vmpl = 0, user = false, vcpu = 0): Fault {
    this.fault = guestAccess(this, guest, gpa, access, cbit, vmpl, user, vcpu);
    return this.fault;
  }

  /** Flush what all TLBs hold of a guest; ASID 0 flushes everything. */
  flushTlb(asid: number): void {
    this.tlb.flush(asid);
    this.trace.record(EventKind.TlbFlush, asid, -1, 0, 0, 0, -1);
  }

  /** A device's transfer to or from a system address in bytes: undefined, or the event that the IOMMU logs instead. */
  dma(address: number, write: boolean): IommuEvent | undefined {
    return dma(this, address, write);
  }

  // ---- firmware ------------------------------------------------------------------------------------------------------------------

  // The commands are functions of firmware-*.ts; these two take what KVM has at hand.

  /** SNP_LAUNCH_UPDATE for the guest that the host knows by this ASID. */
  snpLaunchUpdate(
    asid: number,
    pfn: number,
    pageType: number,
    pageSize: RmpPageSize = 0,
    masks: readonly [number, number, number] = [0, 0, 0],
    cpuidValid = true,
  ): number {
    return snpLaunchUpdate(this, this.firmware.contextPage(asid), pfn, pageType, pageSize, masks, cpuidValid);
  }

  snpPageReclaim(pfn: number, pageSize: RmpPageSize = 0): number {
    return snpPageReclaim(this, pfn, pageSize);
  }

  // ---- outside the architecture --------------------------------------------------------------------------------------------------

  /**
   * Write a raw entry, as a reset or a what-if would: no checks, and neither subpage count nor ASID counters follow.
   * Words 0 to 3, see rmp-entry.ts. The page must be covered.
   */
  writeRaw(pfn: Pfn, w0: number, w1: number, w2: number, w3: number): void {
    const rmp = this.rmp;
    const event = this.trace.record(EventKind.RmpWrite, 0, pfn, 0, w0 >>> 0, w1 >>> 0, rmp.lastChange(pfn));
    rmp.setEntry(pfn, w0 >>> 0, w1 >>> 0, w2 >>> 0, w3 >>> 0, event);
  }

  /** Set or clear VMRUN's in-use mark of a page. Pages that the RMP does not cover have none. */
  setInUse(pfn: Pfn, inUse: boolean): void {
    const rmp = this.rmp;
    if (!rmp.covers(pfn)) return;
    const w1 = rmp.word(pfn, 1);
    this.writeRaw(pfn, rmp.word(pfn, 0), inUse ? w1 | LOCK : w1 & ~LOCK, rmp.word(pfn, 2), rmp.word(pfn, 3));
  }
}
