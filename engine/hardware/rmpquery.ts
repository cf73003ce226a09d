/**
 * RMPQUERY (F3 0F 01 FD): a guest reads a VMPL's permissions on a page, whether the page is a VMSA, and its size (APM vol. 2, 15.36.7; results
 * and return codes as in the rmpquery intrinsic). It changes nothing.
 */
import { EventKind } from '../trace/trace.ts';
import { Fault, PAGE_NOT_VALIDATED } from './fault-codes.ts';
import { begin, raise, raiseRmp, reachPage, recordInstruction, Sizes, sizesOf } from './guest-instruction.ts';
import { FAULTED, RmpCode } from './instruction-checks.ts';
import type { GuestContext, Hardware } from './machine.ts';
import { Relied } from './options.ts';
import { refuse } from './refusal.ts';
import { VALIDATED, VMSA } from './rmp-entry.ts';
import { VMPL_MAX } from './rmpadjust.ts';

/** What a successful RMPQUERY answers. */
export interface RmpqueryResult {
  /** Permission mask of the target VMPL. */
  mask: number;
  vmsa: boolean;
  /** 0 = 4K, 1 = 2M. */
  pagesize: 0 | 1;
}

/**
 * Leaves one event: `a` has the target VMPL in bits 1:0; of a success, the mask in 15:8, VMSA in 16 and the page size in 17.
 *
 * @param gpa     RAX: an address in the page
 * @param target  RDX[7:0]: the VMPL that is asked about
 * @param vmpl    the VMPL that executes the instruction
 * @returns EAX, with the answer in `hw.rmpqueryResult`; or FAULTED with `hw.fault` and `hw.faultCode`
 */
export function rmpquery(hw: Hardware, guest: GuestContext, gpa: number, target: number, vmpl: number): number {
  hw.rmpqueryResult = undefined;
  const code = begin(hw, guest) ? check(hw, guest, gpa, target, vmpl) : FAULTED;
  const found = hw.rmpqueryResult as RmpqueryResult | undefined;
  const answer = found === undefined ? 0 : (found.mask << 8) | (found.vmsa ? 1 << 16 : 0) | (found.pagesize << 17);
  recordInstruction(hw, guest, EventKind.Rmpquery, gpa, (target & 3) | answer, code);
  return code;
}

function check(hw: Hardware, guest: GuestContext, gpa: number, target: number, vmpl: number): number {
  // No code but FAIL_PERMISSION is documented: a VMPL that does not exist is one that may not be asked about.
  if (target > VMPL_MAX) return refuse(hw, RmpCode.FailPermission, `there is no VMPL${target}`);
  const reason = `VMPL${vmpl} may ask about less privileged VMPLs only, and not about VMPL${target}`;
  if (target < vmpl) return refuse(hw, RmpCode.FailPermission, reason);
  if (target === vmpl) {
    hw.reliedOn |= Relied.rmpqueryOwnVmpl;
    if (hw.options.rmpqueryOwnVmpl === 'fail-permission') return refuse(hw, RmpCode.FailPermission, reason);
  }
  const from = reachPage(hw, guest, gpa);
  if (from < 0) return FAULTED;
  const sizes = sizesOf(hw, guest, from);
  // It has no page size of its own that could mismatch, so this is the Page-Size check of any private access.
  if (sizes === Sizes.Mixed)
    return refuse(hw, raiseRmp(hw), 'the page has another size in the NPT than in the RMP', from);
  const w1 = hw.rmp.word(from, 1);
  if ((w1 & VALIDATED) === 0) {
    hw.reliedOn |= Relied.rmpqueryUnvalidated;
    if (hw.options.rmpqueryUnvalidated === 'vc')
      return refuse(hw, raise(hw, Fault.VC, PAGE_NOT_VALIDATED), 'the page is not validated', from);
  }
  hw.rmpqueryResult = {
    mask: (hw.rmp.word(from, 2) >>> (target * 8)) & 0xff,
    vmsa: (w1 & VMSA) !== 0,
    pagesize: sizes === Sizes.Large ? 1 : 0,
  };
  return RmpCode.Success;
}
