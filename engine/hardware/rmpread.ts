/**
 * RMPREAD (F2 0F 01 FD): the hypervisor reads an entry in a format that stays the same from one processor to the next (the rmpread intrinsic;
 * Linux's struct rmpread in arch/x86/virt/svm/sev.c). Validated, VMSA and permissions are not in it. Where the instruction is missing Linux
 * makes the same from the raw entry, but for the region status.
 *
 * The entry is the page's own: under a 2M entry it says Assigned and nothing else, and whoever wants the size asks for the 2M-aligned page.
 */
import { EventKind } from '../trace/trace.ts';
import { RmpCode } from './instruction-checks.ts';
import type { Hardware } from './machine.ts';
import { refuse } from './refusal.ts';
import { decodeQwords } from './rmp-entry.ts';

export interface RmpreadEntry {
  /** Guest physical address in bytes. */
  gpa: number;
  assigned: boolean;
  /** 0 = 4K, 1 = 2M. */
  pagesize: 0 | 1;
  /** Of a 2M-aligned page: any other page of the 2M region is assigned. */
  hpageRegionStatus: boolean;
  immutable: boolean;
  asid: number;
}

/**
 * Leaves one event: `a` is bit 0 Assigned, 1 Page_Size, 2 Immutable, from 3 on the ASID, as RMPUPDATE's; `b` the GPA.
 *
 * @param spa      RAX: system physical address, in the page
 * @param context  ASID of the context that executes the instruction; 0 is the host
 * @returns EAX, with the entry in `hw.rmpreadEntry`
 */
export function rmpread(hw: Hardware, spa: number, context: number): number {
  const pfn = Math.floor(spa / 4096);
  hw.rmpreadEntry = undefined;
  const code = check(hw, pfn, context);
  let operand = 0;
  let gpa = 0;
  if (code === RmpCode.Success) {
    const entry = rmpreadFromRaw(hw.rmp.rawLow(pfn as never), hw.rmp.rawHigh(pfn as never));
    entry.hpageRegionStatus = pfn % 512 === 0 && hw.rmp.assignedTails(pfn / 512) > 0;
    hw.rmpreadEntry = entry;
    operand =
      (entry.assigned ? 1 : 0) | (entry.pagesize << 1) | (entry.immutable ? 4 : 0) | (entry.asid << ASID_IN_OPERAND);
    gpa = entry.gpa;
  }
  hw.trace.record(EventKind.Rmpread, 0, pfn, code, operand, gpa, hw.rmp.lastChange(pfn));
  return code;
}

const ASID_IN_OPERAND = 3;

function check(hw: Hardware, pfn: number, context: number): number {
  if (context !== 0) return refuse(hw, RmpCode.FailPermission, 'the instruction ran in the context of a guest');
  if (!hw.rmp.covers(pfn)) return refuse(hw, RmpCode.FailInput, 'the RMP does not cover the page');
  return RmpCode.Success;
}

/** The architectural entry from the raw one, as software makes it. The raw entry does not say the region status: it is left 0. */
export function rmpreadFromRaw(low: bigint, high: bigint): RmpreadEntry {
  const { gpa, assigned, pageSize, immutable, asid } = decodeQwords(low, high);
  return { gpa, assigned, pagesize: pageSize === '2M' ? 1 : 0, hpageRegionStatus: false, immutable, asid };
}

/** The 16 bytes that the instruction stores, as two little-endian quadwords: the GPA; then Assigned, sizes, Immutable, reserved, ASID. */
export function rmpreadQwords(entry: RmpreadEntry): { low: bigint; high: bigint } {
  const bytes =
    (entry.assigned ? 1 : 0) |
    ((entry.pagesize | (entry.hpageRegionStatus ? 2 : 0)) << 8) |
    (entry.immutable ? 1 << 16 : 0);
  return { low: BigInt(entry.gpa), high: BigInt(bytes) | (BigInt(entry.asid) << 32n) };
}
