/**
 * What the guest's RMP instructions (PVALIDATE, RMPADJUST, RMPQUERY) have in common: the way from an address to a page that is the guest's, the
 * faults on that way (APM vol. 2, 15.36.6 and 15.36.7; table 15-40), and the one trace event that each of them leaves.
 */
import type { EventKind } from '../trace/trace.ts';
import { isBoundTo } from './access.ts';
import { Fault, FaultBit } from './fault-codes.ts';
import { walkNested } from './guest-access.ts';
import { FAULTED } from './instruction-checks.ts';
import type { GuestContext, Hardware } from './machine.ts';
import { Relied } from './options.ts';
import { refuse } from './refusal.ts';
import { ASSIGNED_2M, LOCK } from './rmp-entry.ts';

const OPERAND_UNIT = 2 ** 32;
/** Error code of an instruction's own access: a user access to the nested table, private whatever the guest's page table says. */
const BASE = FaultBit.U + FaultBit.GUEST_FINAL + FaultBit.ENC;
const RMP_FAULT = BASE + FaultBit.P + FaultBit.RMP;

/** Clear what the instruction before left. Returns whether the instruction exists for this guest: outside SNP it is #UD. */
export function begin(hw: Hardware, guest: GuestContext): boolean {
  hw.carry = 0;
  hw.fault = Fault.None;
  hw.faultCode = 0;
  hw.accessPfn = -1;
  if (!guest.snpActive) refuse(hw, raise(hw, Fault.UD, 0), 'it exists in SNP guests only');
  return guest.snpActive;
}

/** The instruction ends in a fault. Returns what takes EAX's place. */
export function raise(hw: Hardware, fault: Fault, code: number): typeof FAULTED {
  hw.fault = fault;
  hw.faultCode = code;
  return FAULTED;
}

/**
 * Translate the address and check that the page is bound to the guest there: Covered, Guest-Owned, Reverse-Map, Mutable.
 * @returns the page whose entry speaks for it (also `hw.accessPfn` has the page itself), or FAULTED
 */
export function reachPage(hw: Hardware, guest: GuestContext, gpa: number): number {
  const gfn = Math.floor(gpa / 4096);
  const pfn = walkNested(hw, guest, gfn, false, BASE);
  if (pfn < 0) return raise(hw, Fault.NPF, hw.faultCode);
  if (!isBoundTo(hw, guest.asid, pfn, gfn)) return raise(hw, Fault.NPF, RMP_FAULT);
  return hw.rmp.governing(pfn);
}

/** Whether both the RMP entry and the nested mapping that {@link reachPage} has just walked are large, or both small. */
export const Sizes = { Small: 0, Large: 1, Mixed: 2 } as const;
export type Sizes = (typeof Sizes)[keyof typeof Sizes];

export function sizesOf(hw: Hardware, guest: GuestContext, from: number): Sizes {
  const large = (hw.rmp.word(from, 0) & ASSIGNED_2M) === ASSIGNED_2M;
  const nptLarge = guest.npt.level > 1;
  if (large !== nptLarge) return Sizes.Mixed;
  return large ? Sizes.Large : Sizes.Small;
}

/** A 4K request meets something large: the one fault that has SIZEM by the APM. */
export const raiseSizem = (hw: Hardware): typeof FAULTED => raise(hw, Fault.NPF, RMP_FAULT + FaultBit.SIZEM);
/** A page-size mismatch of an instruction without a size of its own. */
export const raiseRmp = (hw: Hardware): typeof FAULTED => raise(hw, Fault.NPF, RMP_FAULT);

/** Whether the page is a running vCPU's and the instruction therefore returns FAIL_INUSE. */
export function isInUse(hw: Hardware, from: number): boolean {
  if ((hw.rmp.word(from, 1) & LOCK) === 0) return false;
  hw.reliedOn |= Relied.inUseFailsGuestInstructions;
  return hw.options.inUseFailsGuestInstructions;
}

/**
 * The event of a guest instruction: page reached (-1 if none), EAX or -1, the operand, and above its 32 bits those of a fault's error code from
 * bit 31 on; the GPA; what changed the page, or the mapping if there is no page.
 */
export function recordInstruction(
  hw: Hardware,
  guest: GuestContext,
  kind: EventKind,
  gpa: number,
  operand: number,
  code: number,
): number {
  const pfn = hw.accessPfn;
  const snpBits = hw.fault === Fault.NPF ? Math.floor(hw.faultCode / FaultBit.RMP) : 0;
  const cause = pfn >= 0 ? hw.rmp.lastChange(pfn) : guest.npt.lastChange(Math.floor(gpa / 4096));
  return hw.trace.record(kind, guest.asid, pfn, code, operand + snpBits * OPERAND_UNIT, gpa, cause);
}
