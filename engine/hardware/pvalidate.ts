/**
 * PVALIDATE (F2 0F 01 FF): the guest accepts a page, or gives its acceptance back (APM vol. 2, 15.36.6; return codes as in the pvalidate
 * intrinsic and in Linux's arch/x86/include/asm/sev.h). It neither zeroes memory nor flushes other vCPUs' TLBs.
 */
import { EventKind } from '../trace/trace.ts';
import { isBoundTo } from './access.ts';
import { Fault, FaultBit } from './fault-codes.ts';
import { walkNested } from './guest-access.ts';
import { FAULTED, RmpCode } from './instruction-checks.ts';
import type { GuestContext, Hardware } from './machine.ts';
import { Relied } from './options.ts';
import { ASSIGNED_2M, VALIDATED } from './rmp-entry.ts';

const OPERAND_UNIT = 2 ** 32;

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
): number {
  hw.carry = 0;
  hw.fault = Fault.None;
  hw.faultCode = 0;
  hw.accessPfn = -1;
  const code = execute(hw, guest, gpa, pagesize, validate, vmpl);
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
    if (hw.options.pvalidateNonzeroVmpl === 'fail-permission') return RmpCode.FailPermission;
    return raise(hw, Fault.GP, 0);
  }
  if (((pagesize | validate) & ~1) !== 0 || gpa % (pagesize === 1 ? 0x200000 : 0x1000) !== 0) return RmpCode.FailInput;

  const gfn = gpa / 4096;
  const base = FaultBit.U + FaultBit.GUEST_FINAL + FaultBit.ENC;
  const pfn = walkNested(hw, guest, gfn, false, base);
  if (pfn < 0) return raise(hw, Fault.NPF, hw.faultCode);
  const nptLarge = guest.npt.level > 1;
  const rmpFault = base + FaultBit.P + FaultBit.RMP;
  if (!isBoundTo(hw, guest.asid, pfn, gfn)) return raise(hw, Fault.NPF, rmpFault);

  const rmp = hw.rmp;
  const from = rmp.governing(pfn);
  const w0 = rmp.word(from, 0);
  const large = (w0 & ASSIGNED_2M) === ASSIGNED_2M;
  if (pagesize === 0 && (large || nptLarge)) return raise(hw, Fault.NPF, rmpFault + FaultBit.SIZEM);
  if (pagesize === 1 && !(large && nptLarge)) return RmpCode.FailSizemismatch;

  const w1 = rmp.word(from, 1);
  const wanted = validate !== 0 ? VALIDATED : 0;
  if ((w1 & VALIDATED) === wanted) {
    hw.carry = 1;
    return RmpCode.Success;
  }
  const event = record(hw, guest, gpa, pagesize, validate, RmpCode.Success);
  rmp.setEntry(from, w0, (w1 & ~VALIDATED) | wanted, rmp.word(from, 2), rmp.word(from, 3), event);
  return RmpCode.Success;
}

function raise(hw: Hardware, fault: Fault, code: number): number {
  hw.fault = fault;
  hw.faultCode = code;
  return FAULTED;
}

/** The one event of the instruction. A fault's error code bits 31 to 37 go above the 32 bits of operands. */
function record(
  hw: Hardware,
  guest: GuestContext,
  gpa: number,
  pagesize: number,
  validate: number,
  code: number,
): number {
  const pfn = hw.accessPfn;
  const snpBits = hw.fault === Fault.NPF ? Math.floor(hw.faultCode / FaultBit.RMP) : 0;
  const operand = (pagesize & 1) | ((validate & 1) << 1) | (hw.carry << 2);
  const cause = pfn >= 0 ? hw.rmp.lastChange(pfn) : guest.npt.lastChange(Math.floor(gpa / 4096));
  return hw.trace.record(EventKind.Pvalidate, guest.asid, pfn, code, operand + snpBits * OPERAND_UNIT, gpa, cause);
}
