/**
 * VMRUN and the pages that it works with: what each must be (APM vol. 2, 15.36.12 and table 15-41), and the in-use mark. While the vCPU is in
 * the guest the VMCB, the AVIC backing page and the VMSA are marked in the RMP: instructions on them return FAIL_INUSE, writes by the host fault.
 * That is so for every guest, SNP or not; pages that the RMP does not cover have no entry and no mark.
 *
 * The VMSA is taken for a page of 4K. Its Reverse-Map check needs the GPA that the guest gave it, which no translation tells here: whoever
 * knows it passes it.
 */
import { hex } from '../base/text.ts';
import type { Pfn } from '../base/units.ts';
import { EventKind } from '../trace/trace.ts';
import { Fault } from './fault-codes.ts';
import type { Hardware } from './machine.ts';
import { refuse } from './refusal.ts';
import { LOCK } from './rmp-entry.ts';

/** The pages that a VMCB names, and its own. What is left out is not checked; a VMSA of -1 is one that the VMCB does not name. */
export interface VmrunPages {
  vmcb?: number;
  /** Of SEV-ES and SNP guests. */
  vmsa?: number;
  /** The GPA of the VMSA, in frames. */
  vmsaGfn?: number;
  /** AVIC backing page. */
  avic?: number;
  /** VM_HSAVE_PA: where VMRUN saves the host's state. */
  hsave?: number;
}

/**
 * VMRUN of a vCPU. Its pages are in use when it succeeds; otherwise nothing changes and one event tells the fault and the page that caused it (-1 if
 * the VMCB names none).
 * @returns Fault.None, Fault.GP (VMCB, VM_HSAVE_PA), or Fault.VmexitInvalid (AVIC backing page, VMSA)
 */
export function vmrun(hw: Hardware, asid: number, snpActive: boolean, pages: VmrunPages): Fault {
  const { vmcb, vmsa, avic, hsave } = pages;
  if (vmcb !== undefined && !isFreeHostPage(hw, vmcb)) return notFree(hw, vmcb, Fault.GP, 'VMCB');
  if (hsave !== undefined && !isHostPage(hw, hsave)) return notFree(hw, hsave, Fault.GP, 'VM_HSAVE_PA');
  if (avic !== undefined && !isFreeHostPage(hw, avic))
    return notFree(hw, avic, Fault.VmexitInvalid, 'AVIC backing page');
  if (snpActive) {
    const problem = vmsaProblem(hw, asid, vmsa ?? -1, pages.vmsaGfn);
    if (problem !== undefined) return stop(hw, vmsa ?? -1, Fault.VmexitInvalid, problem);
  } else if (vmsa !== undefined && vmsa >= 0 && !isFreeHostPage(hw, vmsa)) {
    return notFree(hw, vmsa, Fault.VmexitInvalid, 'VMSA');
  }
  mark(hw, pages, true);
  return Fault.None;
}

/** #VMEXIT: the pages are not in use any more. */
export function vmexit(hw: Hardware, pages: VmrunPages): void {
  mark(hw, pages, false);
}

/** VMSAVE to a page, which must be hypervisor-owned: Fault.None or Fault.GP. */
export function vmsave(hw: Hardware, pfn: number): Fault {
  return isHostPage(hw, pfn) ? Fault.None : notFree(hw, pfn, Fault.GP, 'target of VMSAVE');
}

function mark(hw: Hardware, { vmcb, vmsa, avic }: VmrunPages, inUse: boolean): void {
  for (const page of [vmcb, vmsa, avic]) if (page !== undefined && page >= 0) hw.setInUse(page as Pfn, inUse);
}

const isLocked = (hw: Hardware, pfn: number): boolean => (hw.rmp.word(pfn, 1) & LOCK) !== 0;
const isHostPage = (hw: Hardware, pfn: number): boolean => !hw.rmp.isAssigned(pfn);
/** Hypervisor-owned, and no other vCPU is running with it. */
const isFreeHostPage = (hw: Hardware, pfn: number): boolean => isHostPage(hw, pfn) && !isLocked(hw, pfn);

/**
 * Covered, Guest-Owned, Mutable, VMSA=1, 4K, Reverse-Map if the GPA is known; and no other CPU runs it already.
 * @returns what is wrong; undefined if nothing is
 */
function vmsaProblem(hw: Hardware, asid: number, pfn: number, gfn: number | undefined): string | undefined {
  if (pfn < 0) return 'the VMCB names no VMSA page';
  const page = `the VMSA page, pfn ${hex(pfn)},`;
  if (!hw.rmp.covers(pfn)) return `${page} is not covered by the RMP`;
  const entry = hw.rmp.resolve(pfn as Pfn);
  if (!entry.assigned) return `${page} is the hypervisor's`;
  if (entry.asid !== asid) return `${page} belongs to ASID ${entry.asid} and not to ${asid}`;
  if (entry.immutable) return `${page} is immutable`;
  if (!entry.vmsa) return `${page} is no VMSA (RMPADJUST or SNP_LAUNCH_UPDATE makes it one)`;
  if (entry.pageSize !== '4K') return `${page} lies in a 2M entry`;
  if (gfn !== undefined && entry.gpa !== gfn * 4096) return `${page} is bound to GPA ${hex(entry.gpa)}`;
  return entry.lock ? `${page} is in use by another vCPU` : undefined;
}

function notFree(hw: Hardware, pfn: number, fault: Fault, what: string): Fault {
  const why = isHostPage(hw, pfn) ? 'in use by another vCPU' : "assigned, and it has to be the hypervisor's";
  return stop(hw, pfn, fault, `the ${what}, pfn ${hex(pfn)}, is ${why}`);
}

function stop(hw: Hardware, pfn: number, fault: Fault, reason: string): Fault {
  hw.fault = fault;
  hw.faultCode = 0;
  hw.accessPfn = pfn;
  refuse(hw, fault, reason, pfn);
  hw.trace.record(EventKind.Fault, 0, pfn, 0, fault, 0, pfn < 0 ? -1 : hw.rmp.lastChange(pfn));
  return fault;
}
