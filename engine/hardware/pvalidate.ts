/**
 * PVALIDATE (F2 0F 01 FF): the guest accepts a page, or gives its acceptance back (APM vol. 2, 15.36.6; return codes as in the pvalidate
 * intrinsic and in Linux's arch/x86/include/asm/sev.h). It neither zeroes memory nor flushes other vCPUs' TLBs.
 */
import { EventKind } from '../trace/trace.ts';
import { Fault } from './fault-codes.ts';
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
import { VALIDATED } from './rmp-entry.ts';

/**
 * @param gpa       RAX: the page's address, 4K- or 2M-aligned as `pagesize` says
 * @param pagesize  ECX: 0 = 4K, 1 = 2M
 * @param validate  EDX: 1 or 0
 * @returns EAX, with the carry flag in `hw.carry` (1 = nothing changed); or FAULTED with `hw.fault` and `hw.faultCode`
 */
export function pvalidate(
  hw: Hardware,
  guest: GuestContext,
  gpa: number,
  pagesize: number,
  validate: number,
  vmpl: number,
  vcpu: number,
): number {
  const code = begin(hw, guest) ? execute(hw, guest, gpa, pagesize, validate, vmpl) : FAULTED;
  if (code === RmpCode.Success) hw.tlb.flushFrames(guest.asid, gpa / 4096, pagesize === 1 ? 512 : 1, vcpu);
  if (code === FAULTED || code !== RmpCode.Success || hw.carry === 1) record(hw, guest, gpa, pagesize, validate, code);
  return code;
}

function execute(
  hw: Hardware,
  guest: GuestContext,
  gpa: number,
  pagesize: number,
  validate: number,
  vmpl: number,
): number {
  if (vmpl !== 0) {
    hw.reliedOn |= Relied.pvalidateNonzeroVmpl;
    const reason = `only VMPL0 may execute it, and this is VMPL${vmpl}`;
    if (hw.options.pvalidateNonzeroVmpl === 'fail-permission') return refuse(hw, RmpCode.FailPermission, reason);
    return refuse(hw, raise(hw, Fault.GP, 0), reason);
  }
  if (((pagesize | validate) & ~1) !== 0) return refuse(hw, RmpCode.FailInput, 'ECX and EDX are 0 or 1');
  if (gpa % (pagesize === 1 ? 0x200000 : 0x1000) !== 0)
    return refuse(hw, RmpCode.FailInput, `the address is not ${pagesize === 1 ? '2M' : '4K'}-aligned`);

  const from = reachPage(hw, guest, gpa);
  if (from < 0) return FAULTED;
  const sizes = sizesOf(hw, guest, from);
  if (pagesize === 0 && sizes !== Sizes.Small) return raiseSizem(hw);
  if (isInUse(hw, from)) return refuse(hw, RmpCode.FailInuse, 'a running vCPU has the page in use', from);
  if (pagesize === 1 && sizes !== Sizes.Large)
    return refuse(hw, RmpCode.FailSizemismatch, 'the page is 4K in the RMP or in the NPT', from);

  const { rmp } = hw;
  const w1 = rmp.word(from, 1);
  const wanted = validate !== 0 ? VALIDATED : 0;
  if ((w1 & VALIDATED) === wanted) {
    hw.carry = 1;
    return RmpCode.Success;
  }
  const event = record(hw, guest, gpa, pagesize, validate, RmpCode.Success);
  rmp.setEntry(from, rmp.word(from, 0), (w1 & ~VALIDATED) | wanted, rmp.word(from, 2), rmp.word(from, 3), event);
  return RmpCode.Success;
}

function record(
  hw: Hardware,
  guest: GuestContext,
  gpa: number,
  pagesize: number,
  validate: number,
  code: number,
): number {
  const operand = (pagesize & 1) | ((validate & 1) << 1) | (hw.carry << 2);
  return recordInstruction(hw, guest, EventKind.Pvalidate, gpa, operand, code);
}
