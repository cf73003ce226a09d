/**
 * RMPADJUST (F3 0F 01 FE): a guest gives permissions on a page to a less privileged VMPL, and at VMPL0 makes the page a VMSA or takes that
 * back (APM vol. 2, 15.36.7 and table 15-36; return codes as in the rmpadjust intrinsic).
 *
 * Which of its last checks counts first no public text says: they are found together and `rmpadjust-check-order` decides.
 */
import { EventKind } from '../trace/trace.ts';
import { Fault, PAGE_NOT_VALIDATED } from './fault-codes.ts';
import {
  begin,
  isInUse,
  raise,
  raiseSizem,
  reachPage,
  recordInstruction,
  Sizes,
  sizesOf,
} from './guest-instruction.ts';
import { FAULTED, RmpCode } from './instruction-checks.ts';
import type { GuestContext, Hardware } from './machine.ts';
import { Relied } from './options.ts';
import { refuse } from './refusal.ts';
import { formatVmplMask, VALIDATED, VMSA } from './rmp-entry.ts';

/** RDX: target VMPL in 7:0, its permission mask in 15:8, VMSA in 16. Everything above is reserved. */
export const RMPADJUST_VMSA = 1 << 16;
const RDX_LIMIT = 1 << 17;
/** Bits of a permission mask that have no meaning (APM vol. 2, table 15-36). */
const MASK_RESERVED = 0xe0;
export const VMPL_MAX = 3;

/** RDX of an RMPADJUST. */
export const rmpadjustOperand = (target: number, mask: number, vmsa: boolean): number =>
  target | (mask << 8) | (vmsa ? RMPADJUST_VMSA : 0);

/**
 * Leaves one event: `a` has bit 0 the page size, from bit 1 on RDX; page and `b` as with PVALIDATE.
 *
 * @param gpa       RAX: the page's address, 4K- or 2M-aligned as `pagesize` says
 * @param pagesize  RCX: 0 = 4K, 1 = 2M
 * @param rdx       target VMPL, mask and VMSA, see {@link rmpadjustOperand}
 * @param vmpl      the VMPL that executes the instruction
 * @returns EAX; or FAULTED with `hw.fault` and `hw.faultCode`
 */
export function rmpadjust(
  hw: Hardware,
  guest: GuestContext,
  gpa: number,
  pagesize: number,
  rdx: number,
  vmpl: number,
  vcpu: number,
): number {
  const code = begin(hw, guest) ? check(hw, guest, gpa, pagesize, rdx, vmpl) : FAULTED;
  const operand = (pagesize & 1) | ((rdx & (RDX_LIMIT - 1)) << 1);
  const event = recordInstruction(hw, guest, EventKind.Rmpadjust, gpa, operand, code);
  if (code !== RmpCode.Success) return code;

  hw.tlb.flushFrames(guest.asid, gpa / 4096, pagesize === 1 ? 512 : 1, vcpu);
  const { rmp } = hw;
  const from = rmp.governing(hw.accessPfn);
  const shift = (rdx & 0xff) * 8;
  const masks = (rmp.word(from, 2) & ~(0xff << shift)) | (((rdx >>> 8) & 0xff) << shift);
  let w1 = rmp.word(from, 1);
  // Outside VMPL0 the VMSA operand is ignored.
  if (vmpl === 0) w1 = (rdx & RMPADJUST_VMSA) !== 0 ? w1 | VMSA : w1 & ~VMSA;
  rmp.setEntry(from, rmp.word(from, 0), w1 >>> 0, masks >>> 0, rmp.word(from, 3), event);
  return code;
}

function check(hw: Hardware, guest: GuestContext, gpa: number, pagesize: number, rdx: number, vmpl: number): number {
  const target = rdx & 0xff;
  const mask = (rdx >>> 8) & 0xff;
  const size = pagesize === 1 ? '2M' : '4K';
  if ((pagesize & ~1) !== 0) return refuse(hw, RmpCode.FailInput, 'the page size in RCX is neither 0 nor 1');
  if (gpa % (pagesize === 1 ? 0x200000 : 0x1000) !== 0)
    return refuse(hw, RmpCode.FailInput, `the address is not ${size}-aligned`);
  if (target > VMPL_MAX) return refuse(hw, RmpCode.FailInput, `there is no VMPL${target}`);
  if (rdx >= RDX_LIMIT || (mask & MASK_RESERVED) !== 0)
    return refuse(hw, RmpCode.FailInput, 'RDX has reserved bits set');
  if (target <= vmpl)
    return refuse(
      hw,
      RmpCode.FailPermission,
      `VMPL${vmpl} may change less privileged VMPLs only, and not VMPL${target}`,
    );

  const from = reachPage(hw, guest, gpa);
  if (from < 0) return FAULTED;
  const sizes = sizesOf(hw, guest, from);
  if (pagesize === 0 && sizes !== Sizes.Small) return raiseSizem(hw);
  if (isInUse(hw, from)) return refuse(hw, RmpCode.FailInuse, 'a running vCPU has the page in use', from);

  const own = (hw.rmp.word(from, 2) >>> (vmpl * 8)) & 0xff;
  const failing: Record<string, boolean> = {
    validated: (hw.rmp.word(from, 1) & VALIDATED) === 0,
    size: pagesize === 1 && sizes !== Sizes.Large,
    permission: (mask & ~own) !== 0,
  };
  const inOrder = hw.options.rmpadjustCheckOrder.split('-').filter((name) => failing[name]);
  if (inOrder.length > 1) hw.reliedOn |= Relied.rmpadjustCheckOrder;
  switch (inOrder[0]) {
    case 'validated':
      return refuse(hw, raise(hw, Fault.VC, PAGE_NOT_VALIDATED), 'the page is not validated', from);
    case 'size':
      return refuse(hw, RmpCode.FailSizemismatch, 'the page is 4K in the RMP or in the NPT', from);
    case 'permission':
      return refuse(
        hw,
        RmpCode.FailPermission,
        `VMPL${vmpl} has ${formatVmplMask(own)} itself and cannot give ${formatVmplMask(mask)}`,
        from,
      );
    default:
      return RmpCode.Success;
  }
}
