/**
 * A guest's memory access, whole: nested page walk, then the RMP checks that the kind of access calls for (APM vol. 2, 15.25 and 15.36.10).
 * Guest-virtual addresses are taken as equal to guest-physical ones; the C-bit comes with the access, and instruction fetches and walks of
 * the guest's page tables have it set whatever the mapping says.
 */
import { EventKind } from '../trace/trace.ts';
import {
  Access,
  checkPrivate,
  isHypervisorOwned,
  isPageTable,
  isWrite,
  meetsContention,
  PrivateCheck,
  privateFault,
} from './access.ts';
import { Fault, FaultBit } from './fault-codes.ts';
import type { GuestContext, Hardware } from './machine.ts';
import { Relied } from './options.ts';

/**
 * Attempt one access. On success `hw.accessPfn` is the page reached; otherwise `hw.faultCode` is the error code. Leaves one trace event.
 *
 * @param cbit  1 = private, 0 = shared, as the guest's own page table says
 * @param user  the guest runs at CPL 3, which matters to fetches and shadow stacks
 * @param vcpu  whose TLB it is, with option guest-tlb
 * @returns the fault: None, NPF, or VC
 */
export function guestAccess(
  hw: Hardware,
  guest: GuestContext,
  gpa: number,
  access: Access,
  cbit: number,
  vmpl: number,
  user: boolean,
  vcpu: number,
): Fault {
  const gfn = Math.floor(gpa / 4096);
  const encrypted = guest.snpActive && (cbit !== 0 || access === Access.Fetch || isPageTable(access));
  let fault = attempt(hw, guest, gfn, access, encrypted, vmpl, user);
  const context = hw.options.guestTlb
    ? { asid: guest.asid, vcpu, encrypted, vmpl, user, kinds: 1 << access, gfn }
    : undefined;
  const cached = context === undefined ? -1 : hw.tlb.lookup(context);
  if (cached >= 0) {
    // What the TLB holds counts, stale or not; the walk only tells whether it is.
    if (fault !== Fault.None || cached !== hw.accessPfn) hw.reliedOn |= Relied.guestTlb;
    hw.accessPfn = cached;
    fault = Fault.None;
  } else if (fault === Fault.None) {
    if (isChecked(guest, access, encrypted) && meetsContention(hw, hw.accessPfn)) {
      fault = privateFault(hw, PrivateCheck.Rmp, ordinaryBits(access, encrypted), hw.accessPfn, vmpl);
    } else if (context !== undefined) {
      const pages = guest.npt.level === 1 ? 1 : 512;
      const offset = gfn % pages;
      // What may be written may be read.
      const kinds = context.kinds | (access === Access.Write ? 1 << Access.Read : 0);
      hw.tlb.fill({ ...context, kinds, gfn: gfn - offset, pfn: hw.accessPfn - offset, pages });
    }
  }
  if (fault === Fault.None) {
    hw.faultCode = 0;
    hw.trace.record(EventKind.Access, guest.asid, gfn, 0, access, gpa, -1);
    return fault;
  }
  const cause = hw.accessPfn < 0 ? guest.npt.lastChange(gfn) : hw.rmp.lastChange(hw.accessPfn);
  hw.trace.record(EventKind.Fault, guest.asid, gfn, 0, fault, hw.faultCode, cause);
  return fault;
}

/** Whether the APM's table has a check for the access at all. */
function isChecked(guest: GuestContext, access: Access, encrypted: boolean): boolean {
  return encrypted || isWrite(access) || (!guest.snpActive && access === Access.PageTable);
}

/** The bits of EXITINFO1 that do not depend on what is found. A guest's accesses are user accesses to the nested table. */
function ordinaryBits(access: Access, encrypted: boolean): number {
  let code: number = FaultBit.U;
  if (isWrite(access)) code += FaultBit.W;
  if (access === Access.Fetch) code += FaultBit.ID;
  code += isPageTable(access) ? FaultBit.GUEST_PAGE : FaultBit.GUEST_FINAL;
  if (encrypted) code += FaultBit.ENC;
  return code;
}

function attempt(
  hw: Hardware,
  guest: GuestContext,
  gfn: number,
  access: Access,
  encrypted: boolean,
  vmpl: number,
  user: boolean,
): Fault {
  const base = ordinaryBits(access, encrypted);
  const pfn = walkNested(hw, guest, gfn, isWrite(access), base);
  if (pfn < 0) return Fault.NPF;
  const level = guest.npt.level;
  if (encrypted) {
    const check = checkPrivate(hw, guest.asid, pfn, gfn, level, access, vmpl, user);
    return check === PrivateCheck.Ok ? Fault.None : privateFault(hw, check, base, pfn, vmpl);
  }
  // An update of an A or D bit is a write of 4K size, but the translation that led to it is as large as it is.
  if (isChecked(guest, access, encrypted) && !isHypervisorOwned(hw, pfn, level)) {
    hw.faultCode = base + FaultBit.P + FaultBit.RMP;
    return Fault.NPF;
  }
  return Fault.None;
}

/**
 * Walk the nested page table. Returns the system frame and leaves it in `hw.accessPfn`, or -1 with the NPF's code in `hw.faultCode`:
 * not present, not writable, or reserved bits (a large entry with a misaligned frame).
 */
export function walkNested(hw: Hardware, guest: GuestContext, gfn: number, write: boolean, base: number): number {
  const npt = guest.npt;
  const pfn = npt.walk(gfn);
  hw.accessPfn = pfn;
  if (pfn < 0) {
    hw.faultCode = base;
    return -1;
  }
  if (!npt.aligned) {
    hw.faultCode = base + FaultBit.P + FaultBit.RSVD;
    return -1;
  }
  if (write && !npt.writable) {
    hw.faultCode = base + FaultBit.P;
    return -1;
  }
  return pfn;
}
