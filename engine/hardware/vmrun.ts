/**
 * What VMRUN asks of an SNP guest's VMSA page, and the in-use mark (APM vol. 2, 15.36.12 and table 15-41): while the vCPU is in the guest, RMP
 * instructions on the page return FAIL_INUSE. The page is taken for one of 4K. The Reverse-Map check of the table has nothing to compare with
 * here: no translation leads to the page.
 */
import type { Pfn } from '../base/units.ts';
import type { Hardware } from './machine.ts';

/** VMRUN: whether the guest is entered; if not, the exit code is VMEXIT_INVALID. -1 stands for a VMCB that names no VMSA page. */
export function vmrun(hw: Hardware, asid: number, vmsa: number): boolean {
  if (vmsa < 0 || !hw.rmp.covers(vmsa)) return false;
  const entry = hw.rmp.resolve(vmsa as Pfn);
  const usable = entry.assigned && entry.asid === asid && !entry.immutable && entry.vmsa && entry.pageSize === '4K';
  // Another CPU runs it already.
  if (!usable || entry.lock) return false;
  hw.setInUse(vmsa as Pfn, true);
  return true;
}

/** #VMEXIT: the page is not in use any more. */
export function vmexit(hw: Hardware, vmsa: number): void {
  if (vmsa >= 0 && hw.rmp.covers(vmsa)) hw.setInUse(vmsa as Pfn, false);
}
