/**
 * VMRUN and the pages that it works with: what each must be (APM vol. 2, 15.36.12 and table 15-41), and the in-use mark. While the vCPU is in
 * the guest the VMCB, the AVIC backing page and the VMSA are marked in the RMP: instructions on them return FAIL_INUSE, writes by the host fault.
 * That is so for every guest, SNP or not; pages that the RMP does not cover have no entry and no mark.
 *
 * The VMSA is taken for a page of 4K. Its Reverse-Map check needs the GPA that the guest gave it, which no translation tells here: whoever
 * knows it passes it.
 */
import type { Pfn } from '../base/units.ts';
import { EventKind } from '../trace/trace.ts';
import { Fault } from './fault-codes.ts';
import type { Hardware } from './machine.ts';
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
 * VMRUN of a vCPU. Its pages are in use when it succeeds; otherwise nothing changes and one event tells the fault and the page that caused it, if
 * there is one.
 * @returns Fault.None, Fault.GP (VMCB, VM_HSAVE_PA), or Fault.VmexitInvalid (AVIC backing page, VMSA)
 */
export function vmrun(hw: Hardware, asid: number, snpActive: boolean, pages: VmrunPages): Fault {
  const { vmcb, vmsa, avic, hsave } = pages;
  if (vmcb !== undefined && !isFreeHostPage(hw, vmcb)) return refuse(hw, vmcb, Fault.GP);
  if (hsave !== undefined && !isHostPage(hw, hsave)) return refuse(hw, hsave, Fault.GP);
  if (avic !== undefined && !isFreeHostPage(hw, avic)) return refuse(hw, avic, Fault.VmexitInvalid);
  if (snpActive) {
    if (vmsa === undefined || !isVmsaOf(hw, asid, vmsa, pages.vmsaGfn))
      return refuse(hw, vmsa ?? -1, Fault.VmexitInvalid);
  } else if (vmsa !== undefined && vmsa >= 0 && !isFreeHostPage(hw, vmsa)) {
    return refuse(hw, vmsa, Fault.VmexitInvalid);
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
  return isHostPage(hw, pfn) ? Fault.None : refuse(hw, pfn, Fault.GP);
}

function mark(hw: Hardware, { vmcb, vmsa, avic }: VmrunPages, inUse: boolean): void {
  for (const page of [vmcb, vmsa, avic]) if (page !== undefined && page >= 0) hw.setInUse(page as Pfn, inUse);
}

const isLocked = (hw: Hardware, pfn: number): boolean => (hw.rmp.word(pfn, 1) & LOCK) !== 0;
const isHostPage = (hw: Hardware, pfn: number): boolean => !hw.rmp.isAssigned(pfn);
/** Hypervisor-owned, and no other vCPU is running with it. */
const isFreeHostPage = (hw: Hardware, pfn: number): boolean => isHostPage(hw, pfn) && !isLocked(hw, pfn);

/** Covered, Guest-Owned, Mutable, VMSA=1, 4K, Reverse-Map if the GPA is known; and no other CPU runs it already. */
function isVmsaOf(hw: Hardware, asid: number, pfn: number, gfn: number | undefined): boolean {
  if (pfn < 0 || !hw.rmp.covers(pfn)) return false;
  const entry = hw.rmp.resolve(pfn as Pfn);
  if (!entry.assigned || entry.asid !== asid || entry.immutable || !entry.vmsa || entry.pageSize !== '4K') return false;
  return (gfn === undefined || entry.gpa === gfn * 4096) && !entry.lock;
}

function refuse(hw: Hardware, pfn: number, fault: Fault): Fault {
  hw.fault = fault;
  hw.faultCode = 0;
  hw.accessPfn = pfn;
  if (pfn >= 0) hw.trace.record(EventKind.Fault, 0, pfn, 0, fault, 0, hw.rmp.lastChange(pfn));
  return fault;
}
