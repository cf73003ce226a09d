/**
 * The checks of RMPUPDATE, PSMASH and PVALIDATE: what each one is called, the code it gives, and the order in which they count.
 *
 * An instruction finds all failing checks at once, as a set of bits, and the first one in its order table decides. So the order, which no
 * public text gives, is data: to change it is to change a table. The sources of the codes are the return-code tables of the compiler
 * intrinsics (rmpupdate, psmash, pvalidate) and the comments of arch/x86/include/asm/sev*.h; those of the conditions are beside them.
 */
import type { CheckOrder } from './options.ts';

/** EAX of the RMP instructions. */
export const RmpCode = {
  Success: 0,
  FailInput: 1,
  FailPermission: 2,
  FailInuse: 3,
  FailOverlap: 4,
  FailSizemismatch: 6,
  FailBadaddr: 7,
} as const;

/** The instruction faulted instead of returning a code. */
export const FAULTED = -1;

const codeNames: Record<number, string> = {
  0: 'ok',
  1: 'FAIL_INPUT',
  2: 'FAIL_PERMISSION',
  3: 'FAIL_INUSE',
  4: 'FAIL_OVERLAP',
  6: 'FAIL_SIZEMISMATCH',
  7: 'FAIL_BADADDR',
};

/** Name of a return code. PSMASH's FAIL_BADADDR is 4 on processors with option psmash-badaddr-code = 4: pass the instruction to tell. */
export function rmpCodeName(code: number, instruction: 'rmpupdate' | 'psmash' | 'other' = 'other'): string {
  if (instruction === 'psmash' && code === 4) return 'FAIL_BADADDR';
  return codeNames[code] ?? String(code);
}

/** Every check of the host's instructions. The value is its bit in the set of failing checks. */
export const Check = {
  ContextAsid: 0,
  NotCovered: 1,
  AddressLowBits: 2,
  ReservedBits: 3,
  Unaligned: 4,
  GpaUnaligned: 5,
  GpaWidth: 6,
  AsidWidth: 7,
  MalformedUnassign: 8,
  Locked: 9,
  LockedTail: 10,
  Immutable: 11,
  ImmutableTail: 12,
  LockedHead: 13,
  UnderLarge: 14,
  OverSmall: 15,
  ContendedOther: 16,
  ContendedSame: 17,
  NotLarge: 18,
} as const;
export type Check = (typeof Check)[keyof typeof Check];

export interface CheckRow {
  check: Check;
  code: number;
  /** What is wrong, as the end of a sentence "FAIL_…: …". */
  doc: string;
}

const input: CheckRow[] = [
  { check: Check.NotCovered, code: 1, doc: 'the RMP does not cover the page' },
  { check: Check.AddressLowBits, code: 1, doc: 'RAX has bits 11:0 set' },
  { check: Check.ReservedBits, code: 1, doc: 'the new state has reserved bits set' },
  { check: Check.Unaligned, code: 1, doc: 'the size is 2M and the system address is not 2M-aligned' },
  { check: Check.GpaUnaligned, code: 1, doc: 'the GPA is not aligned to the page size' },
  { check: Check.GpaWidth, code: 1, doc: 'the GPA is wider than the field of the entry' },
  { check: Check.AsidWidth, code: 1, doc: 'the ASID is wider than the field of the entry' },
];

const groups: Record<string, CheckRow[]> = {
  inuse: [
    { check: Check.Locked, code: 3, doc: 'the entry is locked: in use by a running vCPU, or by the firmware' },
    { check: Check.LockedTail, code: 3, doc: 'an entry of the 2M region is locked' },
  ],
  permission: [
    { check: Check.Immutable, code: 2, doc: 'the entry is immutable' },
    { check: Check.ImmutableTail, code: 2, doc: 'an entry of the 2M region is immutable' },
  ],
  overlap: [
    { check: Check.UnderLarge, code: 4, doc: 'the page lies under a 2M entry' },
    { check: Check.OverSmall, code: 4, doc: 'other pages of the 2M region are assigned as 4K' },
    { check: Check.ContendedOther, code: 4, doc: 'another CPU was updating the same 2M region' },
    { check: Check.ContendedSame, code: 3, doc: 'another CPU was updating the same entry' },
  ],
};

/**
 * The order of RMPUPDATE's checks. An immutable entry in a region with a locked head gives FAIL_PERMISSION on hardware (an HV_FIXED page
 * beside the RMP's own pages, whose head is a locked firmware page), so the head's lock, needed for the count only, comes after both.
 */
export function rmpupdateChecks(order: CheckOrder, malformedUnassignCode: number): CheckRow[] {
  const rows: CheckRow[] = [
    { check: Check.ContextAsid, code: 2, doc: 'the instruction ran in the context of a guest' },
    ...input,
    { check: Check.MalformedUnassign, code: malformedUnassignCode, doc: 'Assigned is 0 with Immutable or an ASID set' },
  ];
  let head = 2;
  for (const group of order.split('-')) {
    rows.push(...groups[group]);
    if (group !== 'overlap' && --head === 0) {
      rows.push({ check: Check.LockedHead, code: 3, doc: 'the head of the region, which holds the count, is locked' });
    }
  }
  return rows;
}

/** The order of PSMASH's checks. */
export function psmashChecks(badaddrCode: number): CheckRow[] {
  return [
    { check: Check.Unaligned, code: 1, doc: 'the address is not 2M-aligned' },
    { check: Check.NotCovered, code: 1, doc: 'the RMP does not cover the page' },
    { check: Check.ContextAsid, code: 2, doc: 'the instruction ran in the context of a guest' },
    { check: Check.Immutable, code: 2, doc: 'the entry is immutable' },
    { check: Check.Locked, code: 3, doc: 'the entry is locked: in use by a running vCPU, or by the firmware' },
    { check: Check.ContendedSame, code: 3, doc: 'another CPU was updating the same 2M region' },
    { check: Check.NotLarge, code: badaddrCode, doc: 'the entry is not an assigned 2M entry' },
  ];
}

/** The first failing check in the order. `failing` is a non-empty set of check bits. */
export function decidingCheck(order: readonly CheckRow[], failing: number): CheckRow {
  for (const row of order) if ((failing & (1 << row.check)) !== 0) return row;
  throw new Error(`no check in the order for the set ${failing.toString(2)}`);
}

/** Whether another order of the same failing checks could have given another code. */
export function orderMatters(order: readonly CheckRow[], failing: number, code: number): boolean {
  return order.some((row) => (failing & (1 << row.check)) !== 0 && row.code !== code);
}

const CHECK_UNIT = 2 ** 32;

/** Trace operand `a` of a failed instruction carries the check that failed above its 32 bits of operands. */
export function withCheck(operand: number, check: Check): number {
  return operand + (check + 1) * CHECK_UNIT;
}

/** The check that a trace operand names; undefined if the instruction succeeded. */
export function checkOf(operand: number): Check | undefined {
  const n = Math.floor(operand / CHECK_UNIT);
  return n === 0 ? undefined : ((n - 1) as Check);
}

const docs = new Map<Check, string>();
for (const row of [...rmpupdateChecks('inuse-permission-overlap', 1), ...psmashChecks(7)]) docs.set(row.check, row.doc);

/** What a check says when it fails. */
export function checkDoc(check: Check): string {
  return docs.get(check) ?? '';
}
