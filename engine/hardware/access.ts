/**
 * RMP access checks: who may touch a page that an address translation has led to (APM vol. 2, 15.36.10, table 15-39). They come after, and
 * count less than, the checks of the page tables themselves. What the table does not list is not checked: host reads (which see ciphertext)
 * and an SNP guest's reads with C=0.
 */
import { PAGES_PER_2M, type PgLevel } from '../base/units.ts';
import { EventKind } from '../trace/trace.ts';
import { Fault, FaultBit, PAGE_NOT_VALIDATED } from './fault-codes.ts';
import type { Hardware } from './machine.ts';
import { Relied } from './options.ts';
import { refuse } from './refusal.ts';
import {
  ASSIGNED,
  ASSIGNED_2M,
  asidOf,
  gfnOf,
  IMMUTABLE,
  LOCK,
  VALIDATED,
  VMPL_EXECUTE_SUPERVISOR,
  VMPL_EXECUTE_USER,
  VMPL_READ,
  VMPL_SSS,
  VMPL_WRITE,
} from './rmp-entry.ts';

/** Kinds of access, as the trace's `Access` events carry them. */
export const Access = {
  Read: 0,
  Write: 1,
  Fetch: 2,
  /** A walk of the accessor's own page tables, reading them. */
  PageTable: 3,
  /** The same, setting an Accessed or Dirty bit: a write of 4K size. */
  PageTableWrite: 4,
  /** Shadow stack accesses, by CALL, RET and the like. */
  ShadowStack: 5,
  ShadowStackWrite: 6,
} as const;
export type Access = (typeof Access)[keyof typeof Access];

export const isWrite = (access: Access): boolean =>
  access === Access.Write || access === Access.PageTableWrite || access === Access.ShadowStackWrite;
export const isPageTable = (access: Access): boolean => access === Access.PageTable || access === Access.PageTableWrite;
const isShadowStack = (access: Access): boolean => access === Access.ShadowStack || access === Access.ShadowStackWrite;

/**
 * Hypervisor-Owned: not covered or not assigned. Through a large mapping all 512 entries of the 2M region must be so; 1G mappings are
 * checked as 2M, because only 2M translations are cached for them. A page in use by VMRUN is not writable either, though Assigned is 0.
 */
export function isHypervisorOwned(hw: Hardware, pfn: number, level: PgLevel): boolean {
  const rmp = hw.rmp;
  const frame = Math.floor(pfn / PAGES_PER_2M);
  if (level === 1 ? rmp.isAssigned(pfn) : !rmp.isRegionUnassigned(frame)) return false;
  if ((rmp.word(pfn, 1) & LOCK) !== 0 && !hw.options.hvInUseWrAllowed) return false;
  if (level !== 1 && pfn % PAGES_PER_2M !== 0 && (rmp.word(frame * PAGES_PER_2M, 1) & LOCK) !== 0) {
    hw.reliedOn |= Relied.inUse2mErratum;
    if (hw.options.inUse2mErratum) return false;
  }
  return true;
}

/**
 * Whether another CPU holds the entry for the moment, and the access therefore faults for no reason of its own (APM vol. 2, 15.36.10): software does it
 * again. For accesses that nothing else stands in the way of; the conflict has then met one more.
 */
export function meetsContention(hw: Hardware, pfn: number): boolean {
  if (hw.contention.active === 0) return false;
  const frame = Math.floor(pfn / PAGES_PER_2M);
  if (hw.contention.peek(frame) < 0) return false;
  hw.reliedOn |= Relied.contendedAccessFaults;
  if (!hw.options.contendedAccessFaults) return false;
  hw.contention.consume(frame);
  refuse(hw, Fault.None, 'another CPU holds the 2M region for the moment: retry');
  return true;
}

/**
 * A host access through a present, writable mapping of the given level. Leaves one trace event.
 * @returns Fault.None, or Fault.PF with the error code in `hw.faultCode`
 */
export function hostAccess(hw: Hardware, pfn: number, access: Access, level: PgLevel, user: boolean): Fault {
  hw.accessPfn = pfn;
  hw.faultCode = 0;
  const owned = !isWrite(access) || isHypervisorOwned(hw, pfn, access === Access.PageTableWrite ? 1 : level);
  if (!owned || (isWrite(access) && meetsContention(hw, pfn))) {
    hw.faultCode = FaultBit.RMP + FaultBit.P + FaultBit.W + (user ? FaultBit.U : 0);
    hw.trace.record(EventKind.Fault, 0, pfn, 0, Fault.PF, hw.faultCode, hostFaultCause(hw, pfn, level));
    return Fault.PF;
  }
  hw.trace.record(EventKind.Access, 0, pfn, 0, access, pfn * 4096, -1);
  return Fault.None;
}

/** What made a host write fault: the change of the page, or of the page in its 2M region that is in the way. */
function hostFaultCause(hw: Hardware, pfn: number, level: PgLevel): number {
  const own = hw.rmp.lastChange(pfn);
  if (level === 1 || own >= 0) return own;
  const frame = Math.floor(pfn / PAGES_PER_2M);
  return Math.max(hw.rmp.lastChange(frame * PAGES_PER_2M), hw.rmp.lastTailChange(frame));
}

/** The groups of checks of a private access, in the order in which they count. */
export const PrivateCheck = { Ok: 0, Rmp: 1, Sizem: 2, NotValidated: 3, Vmpl: 4 } as const;
export type PrivateCheck = (typeof PrivateCheck)[keyof typeof PrivateCheck];

/**
 * Covered, Guest-Owned, Reverse-Map and Mutable: the checks that PVALIDATE, RMPADJUST and plain private accesses share.
 * Under a 2M entry its head answers, with the page's offset added to the GPA.
 */
export function isBoundTo(hw: Hardware, asid: number, pfn: number, gfn: number): boolean {
  const rmp = hw.rmp;
  if (!rmp.covers(pfn)) return false;
  const from = rmp.governing(pfn);
  const w0 = rmp.word(from, 0);
  const w1 = rmp.word(from, 1);
  return (w0 & ASSIGNED) !== 0 && asidOf(w1) === asid && gfnOf(w0, w1) + (pfn - from) === gfn && (w0 & IMMUTABLE) === 0;
}

/** Checks of a guest's private access (effective C=1) to a page that its NPT maps at `level`. */
export function checkPrivate(
  hw: Hardware,
  asid: number,
  pfn: number,
  gfn: number,
  level: PgLevel,
  access: Access,
  vmpl: number,
  user: boolean,
): PrivateCheck {
  if (!isBoundTo(hw, asid, pfn, gfn)) return PrivateCheck.Rmp;
  const rmp = hw.rmp;
  const from = rmp.governing(pfn);
  const large = (rmp.word(from, 0) & ASSIGNED_2M) === ASSIGNED_2M;
  if (large !== level > 1) {
    hw.reliedOn |= Relied.sizemOnPlainAccess;
    return hw.options.sizemOnPlainAccess ? PrivateCheck.Sizem : PrivateCheck.Rmp;
  }
  if ((rmp.word(from, 1) & VALIDATED) === 0) return PrivateCheck.NotValidated;
  const mask = (rmp.word(from, 2) >>> (vmpl * 8)) & 0xff;
  return isPermitted(mask, access, user, hw.options.vmplSss) ? PrivateCheck.Ok : PrivateCheck.Vmpl;
}

/**
 * Write permission without read permission is not a legal mask: every data access then fails. With VMPL-SSS, a supervisor's shadow stack is
 * only where its bit is set; a user's shadow stack is data like any other.
 */
function isPermitted(mask: number, access: Access, user: boolean, sss: boolean): boolean {
  if (access === Access.Fetch) return (mask & (user ? VMPL_EXECUTE_USER : VMPL_EXECUTE_SUPERVISOR)) !== 0;
  let needed = isWrite(access) ? VMPL_READ | VMPL_WRITE : VMPL_READ;
  if (sss && !user && isShadowStack(access)) needed |= VMPL_SSS;
  return (mask & needed) === needed;
}

/** The fault that a failed private check raises; its code goes to `hw.faultCode`. `base` holds the ordinary bits and ENC. */
export function privateFault(hw: Hardware, check: PrivateCheck, base: number, pfn: number, vmpl: number): Fault {
  if (check === PrivateCheck.NotValidated) {
    hw.faultCode = PAGE_NOT_VALIDATED;
    return Fault.VC;
  }
  let code = base + FaultBit.P + FaultBit.RMP;
  if (check === PrivateCheck.Sizem) code += FaultBit.SIZEM;
  if (check === PrivateCheck.Vmpl) {
    code += FaultBit.VMPL;
    const mask = hw.rmp.word(hw.rmp.governing(pfn), 2) >>> (vmpl * 8);
    if (hw.options.vmplSss && (mask & VMPL_SSS) !== 0) code += FaultBit.SSS;
  }
  hw.faultCode = code;
  return Fault.NPF;
}
