/**
 * RMPUPDATE (F2 0F 01 FE): the hypervisor changes the owner, the GPA and the size of a page. APM vol. 2, 15.36.5 and 15.36.11; operand
 * layout `struct rmp_state` of arch/x86/include/asm/sev.h; subpage count and tail entries as in the Genoa firmware's sev_rmp.c.
 *
 * This is the hot path of every conversion: no allocation for a 4K change, one compact chunk for a 2M one, one trace event.
 */
import { EventKind } from '../trace/trace.ts';
import { Check, decidingCheck, orderMatters, RmpCode, withCheck } from './instruction-checks.ts';
import type { Hardware } from './machine.ts';
import { Relied } from './options.ts';
import {
  ASID_MASK,
  ASID_SHIFT,
  ASSIGNED,
  ASSIGNED_2M,
  asidOf,
  COUNT_MASK,
  COUNT_ONE,
  GFN_HIGH_MASK,
  GFN_LOW_SHIFT,
  GPA_LIMIT,
  IMMUTABLE,
  LOCK,
  VALIDATED,
  VMSA,
} from './rmp-entry.ts';
import { ENTRY_COUNTED, ENTRY_WORDS, EVENT, FULL_LENGTH } from './rmp-table.ts';

const bit = (check: Check): number => 1 << check;
const NOT_COVERED = bit(Check.NotCovered);
const LOCKED = bit(Check.Locked);
const LOCKED_TAIL = bit(Check.LockedTail);
const LOCKED_HEAD = bit(Check.LockedHead);
const IS_IMMUTABLE = bit(Check.Immutable);
const IMMUTABLE_TAIL = bit(Check.ImmutableTail);
const UNDER_LARGE = bit(Check.UnderLarge);
const OVER_SMALL = bit(Check.OverSmall);

// Multiplied with, not divided by: V8 makes an integer division of a quotient that it has only seen as an integer.
const PER_PAGE = 1 / 0x1000;
const PER_REGION = 1 / 512;
const PER_4G = 1 / 2 ** 32;

/** The new state in one number, as the trace has it too: bit 0 Assigned, 1 Page_Size, 2 Immutable, from 3 on the ASID. */
const OPERAND_ASSIGNED = 1;
const OPERAND_2M = 2;
const OPERAND_IMMUTABLE = 4;
const OPERAND_ASID_SHIFT = 3;

/**
 * @param spa       RAX: system physical address
 * @param gpa       guest physical address, bytes
 * @param assigned  0 or 1, as are pagesize (1 = 2M) and immutable; other bits are reserved
 * @param context   ASID of the context that executes the instruction; 0 is the host
 * @param reserved  the operand's reserved byte
 * @returns EAX
 */
export function rmpupdate(
  hw: Hardware,
  spa: number,
  gpa: number,
  assigned: number,
  pagesize: number,
  immutable: number,
  asid: number,
  context: number,
  reserved: number,
): number {
  const operand = assigned | (immutable << 2) | (asid << OPERAND_ASID_SHIFT);
  if (
    (((assigned | immutable) >>> 1) | pagesize | (asid >>> 10) | context | reserved | ((spa | gpa) & 0xfff)) !== 0 ||
    gpa >= GPA_LIMIT ||
    (assigned === 0 && operand !== 0)
  ) {
    return updateUnusual(hw, spa, gpa, assigned, pagesize, immutable, asid, context, reserved);
  }
  const code = update4k(hw, spa * PER_PAGE, gpa, operand);
  if (hw.options.guestTlb && code === RmpCode.Success) flushTlb(hw, spa * PER_PAGE, gpa, operand);
  return code;
}

/** TLB entries for the GPAs at hand go: those that lead to the pages, and those of the GPAs that the pages get (where the processor does that). */
function flushTlb(hw: Hardware, pfn: number, gpa: number, operand: number): void {
  if (hw.tlb.size === 0) return;
  const pages = (operand & OPERAND_2M) !== 0 ? 512 : 1;
  const asid = operand >>> OPERAND_ASID_SHIFT;
  hw.reliedOn |= Relied.rmpupdateFlushesGuestTlb;
  if (!hw.options.rmpupdateFlushesGuestTlb) return;
  hw.tlb.flushSystem(pfn, pages);
  if (asid !== 0) hw.tlb.flushFrames(asid, gpa * PER_PAGE, pages);
}

/** A 4K request whose operands are well-formed. */
function update4k(hw: Hardware, pfn: number, gpa: number, operand: number): number {
  const rmp = hw.rmp;
  if (pfn >= rmp.coveredPages) return failed(hw, pfn, gpa, operand, NOT_COVERED);
  const index = pfn & 511;
  const frame = (pfn * PER_REGION) | 0;
  let chunk = rmp.chunk(frame);
  if (chunk.length !== FULL_LENGTH) {
    // A hole has no entries, so its chunk never becomes full.
    if (!rmp.covers(pfn)) return failed(hw, pfn, gpa, operand, NOT_COVERED);
    // Of the compact regions, one under a 2M entry is not to be made full: the request fails.
    if ((chunk[0] & ASSIGNED_2M) === ASSIGNED_2M) {
      return failed(hw, pfn, gpa, operand, entryChecks4k(hw, pfn, operand));
    }
    chunk = rmp.fullChunk(frame);
  }
  const at = index * ENTRY_WORDS;
  const old0 = chunk[at] | 0;
  const old1 = chunk[at + 1] | 0;
  const head0 = chunk[0] | 0;
  if (
    (old1 & LOCK) !== 0 ||
    (old0 & IMMUTABLE) !== 0 ||
    (head0 & ASSIGNED_2M) === ASSIGNED_2M ||
    (chunk[1] & LOCK) !== 0 ||
    hw.contention.active !== 0
  ) {
    const failing = entryChecks4k(hw, pfn, operand);
    if (failing !== 0) return failed(hw, pfn, gpa, operand, failing);
  }

  const old2 = chunk[at + 2] | 0;
  const old3 = chunk[at + 3] | 0;
  let new0 = 0;
  let new1 = 0;
  let new2 = 0;
  let new3 = 0;
  if (operand !== 0) {
    new0 = ASSIGNED | (operand & OPERAND_IMMUTABLE) | ((gpa * PER_PAGE) << GFN_LOW_SHIFT);
    new1 = ((gpa * PER_4G) & GFN_HIGH_MASK) | ((operand >>> OPERAND_ASID_SHIFT) << ASID_SHIFT);
    new2 = hw.fullVmplMask | 0;
    if ((old0 & ASSIGNED) !== 0 && isRepeat(old0, old1, new0, new1) && keepsDerived(hw, old1, old2, old3)) {
      new1 |= old1 & DERIVED;
      new2 = old2;
      new3 = old3;
    }
  }
  const last = chunk[at + EVENT] | 0;
  const event = hw.trace.record(EventKind.Rmpupdate, 0, pfn, 0, operand, gpa, last);
  // What RmpTable.journalEntry does, by hand: it is a fifth of the instruction's time.
  if (old3 !== 0) rmp.journalWord3(pfn, old3);
  hw.journal.write5(rmp.owner, pfn * 8 + ENTRY_COUNTED, old0, old1, old2, last);
  chunk[at + EVENT] = event;
  if (index === 0) {
    new0 |= old0 & COUNT_MASK;
  } else {
    // The count is 9 bits wide and wraps within them, like the hardware's.
    const counted = head0 + ((new0 & ASSIGNED) - (old0 & ASSIGNED)) * COUNT_ONE;
    chunk[0] = (head0 & ~COUNT_MASK) | (counted & COUNT_MASK);
  }
  chunk[at] = new0;
  chunk[at + 1] = new1;
  chunk[at + 2] = new2;
  chunk[at + 3] = new3;
  if ((old0 & ASSIGNED) !== 0) rmp.asidPages[(old1 >>> ASID_SHIFT) & ASID_MASK]--;
  if (operand !== 0) rmp.asidPages[operand >>> OPERAND_ASID_SHIFT]++;
  return RmpCode.Success;
}

/** The checks of a 4K request against the entry and its region's head; only when one of them could fail. */
function entryChecks4k(hw: Hardware, pfn: number, operand: number): number {
  const rmp = hw.rmp;
  const head = pfn - (pfn & 511);
  const w0 = rmp.word(pfn, 0);
  let failing = 0;
  if ((rmp.word(pfn, 1) & LOCK) !== 0) failing |= LOCKED;
  if ((w0 & IMMUTABLE) !== 0) failing |= IS_IMMUTABLE;
  if ((rmp.word(head, 0) & ASSIGNED_2M) === ASSIGNED_2M) failing |= UNDER_LARGE;
  if (pfn !== head && (rmp.word(head, 1) & LOCK) !== 0 && (w0 & ASSIGNED) !== (operand & OPERAND_ASSIGNED)) {
    if (hw.options.lockedHeadFailsInuse) failing |= LOCKED_HEAD;
    else if (failing === 0) hw.reliedOn |= Relied.lockedHeadFailsInuse;
  }
  return failing !== 0 ? failing : contended(hw, pfn);
}

/** Every request that is not a well-formed 4K one: 2M, or operands that a check refuses or that an option lets pass. */
function updateUnusual(
  hw: Hardware,
  spa: number,
  gpa: number,
  assigned: number,
  pagesize: number,
  immutable: number,
  asid: number,
  context: number,
  reserved: number,
): number {
  const large = (pagesize & 1) !== 0;
  const align = large ? 0x200000 : 0x1000;
  let failing = 0;
  let loose = 0;
  if (context !== 0) failing |= bit(Check.ContextAsid);
  if ((spa & 0xfff) !== 0) {
    if (hw.options.rmpupdateLowBits === 'fail-input') failing |= bit(Check.AddressLowBits);
    else hw.reliedOn |= Relied.rmpupdateLowBits;
  }
  if (((assigned | pagesize | immutable) & ~1) !== 0 || reserved !== 0) loose |= bit(Check.ReservedBits);
  if (spa % align >= 0x1000) loose |= bit(Check.Unaligned);
  if ((assigned & 1) !== 0) {
    if (gpa % align !== 0) loose |= bit(Check.GpaUnaligned);
    if (gpa >= GPA_LIMIT) loose |= bit(Check.GpaWidth);
  }
  if (asid > ASID_MASK) loose |= bit(Check.AsidWidth);
  if ((assigned & 1) === 0 && ((immutable & 1) !== 0 || asid !== 0)) loose |= bit(Check.MalformedUnassign);
  if (hw.options.rmpupdateStrictInput) failing |= loose;
  else if (loose !== 0) hw.reliedOn |= Relied.rmpupdateStrictInput;

  const pfn = Math.floor((spa - (hw.options.rmpupdateStrictInput ? 0 : spa % align)) / 4096);
  let operand = (assigned & 1) | (large ? OPERAND_2M : 0) | ((immutable & 1) << 2);
  operand |= (asid & 0xffff) << OPERAND_ASID_SHIFT;
  if (!hw.rmp.covers(pfn)) failing |= NOT_COVERED;
  if (failing !== 0) return failed(hw, pfn, gpa, operand, failing);

  // From here on the operands are taken as the hardware would that ignores what is too much in them.
  operand &= (ASID_MASK << OPERAND_ASID_SHIFT) | 7;
  if ((operand & OPERAND_ASSIGNED) === 0) operand &= OPERAND_2M;
  const wellFormed = (operand & OPERAND_ASSIGNED) === 0 ? 0 : (gpa % GPA_LIMIT) - (gpa % align);
  const code = large ? update2m(hw, pfn, wellFormed, operand) : update4k(hw, pfn, wellFormed, operand);
  if (hw.options.guestTlb && code === RmpCode.Success) flushTlb(hw, pfn, wellFormed, operand);
  return code;
}

/** A 2M request whose operands are well-formed. */
function update2m(hw: Hardware, pfn: number, gpa: number, operand: number): number {
  const rmp = hw.rmp;
  let failing = 0;
  const assigned = operand & OPERAND_ASSIGNED;
  const asid = operand >>> OPERAND_ASID_SHIFT;
  if (!rmp.covers(pfn) || pfn + 511 >= rmp.coveredPages) return failed(hw, pfn, gpa, operand, NOT_COVERED);
  const frame = (pfn * PER_REGION) | 0;
  const present = rmp.chunk(frame);
  const isFull = present.length === FULL_LENGTH;
  const head0 = present[0];
  const old1 = present[1];
  if ((old1 & LOCK) !== 0) failing |= LOCKED;
  if ((head0 & IMMUTABLE) !== 0) failing |= IS_IMMUTABLE;
  let headOnly = false;
  if ((head0 & COUNT_MASK) !== 0) {
    if (assigned === 0) {
      headOnly = hw.options.rmpupdateUnassign2mOver4k === 'head-only';
      if (headOnly && failing === 0) hw.reliedOn |= Relied.rmpupdateUnassign2mOver4k;
    }
    if (!headOnly) failing |= OVER_SMALL;
  }
  const wasLarge = (head0 & ASSIGNED_2M) === ASSIGNED_2M;
  // A 2M request to unassign a region of 4K entries changes its first page only.
  if (assigned === 0 && !wasLarge) headOnly = true;
  if (isFull && !headOnly && !wasLarge) failing |= tailChecks(hw, present, failing);
  if (failing === 0) failing = contended(hw, pfn);
  if (failing !== 0) return failed(hw, pfn, gpa, operand, failing);
  const event = hw.trace.record(EventKind.Rmpupdate, 0, pfn, 0, operand, gpa, rmp.lastChange(pfn));
  if (headOnly) {
    rmp.setEntryCounted(pfn, head0 & COUNT_MASK, 0, 0, 0, event);
    return RmpCode.Success;
  }
  const wasAssigned = (head0 & ASSIGNED) !== 0;
  const oldAsid = wasAssigned ? asidOf(old1) : 0;
  const oldPages = wasLarge ? 512 : wasAssigned ? 1 : 0;
  if (assigned === 0) {
    rmp.replaceRegion(frame, rmp.compactChunk(0, 0, 0, 0, 0, event), oldAsid, oldPages, 0, 0);
    return RmpCode.Success;
  }
  const new0 = ASSIGNED_2M | (operand & OPERAND_IMMUTABLE) | ((gpa * PER_PAGE) << GFN_LOW_SHIFT);
  let new1 = ((gpa * PER_4G) & GFN_HIGH_MASK) | (asid << ASID_SHIFT);
  let new2 = hw.fullVmplMask;
  let new3 = 0;
  if (isRepeat(head0, old1, new0, new1) && keepsDerived(hw, old1, present[2], present[3])) {
    new1 |= old1 & DERIVED;
    new2 = present[2];
    new3 = present[3];
  }
  let next: Uint32Array;
  if (isFull && hw.options.rmpupdate2mTails === 'keep-fields') {
    next = rmp.copyOfFullChunk(present, event);
    next[0] = new0;
    next[1] = new1;
    next[2] = new2;
    next[3] = new3;
    for (let tail = ENTRY_WORDS; tail < FULL_LENGTH; tail += ENTRY_WORDS) {
      next[tail] = (next[tail] & ~IMMUTABLE) | ASSIGNED;
      next[tail + 1] &= ~(0x3ff << ASID_SHIFT) & ~LOCK;
    }
  } else {
    next = rmp.compactChunk(new0, new1, new2, new3, ASSIGNED, event);
  }
  rmp.replaceRegion(frame, next, oldAsid, oldPages, asid, 512);
  return RmpCode.Success;
}

/** An in-use or immutable page among the 511 others of a region that is to become one 2M entry. */
function tailChecks(hw: Hardware, chunk: Uint32Array, failing: number): number {
  let found = 0;
  for (let at = ENTRY_WORDS; at < FULL_LENGTH; at += ENTRY_WORDS) {
    if ((chunk[at + 1] & LOCK) !== 0) found |= LOCKED_TAIL;
    if ((chunk[at] & IMMUTABLE) !== 0) found |= IMMUTABLE_TAIL;
  }
  if (found === 0) return 0;
  if (hw.options.rmpupdate2mChecksTails) return found;
  if (failing === 0) hw.reliedOn |= Relied.rmpupdate2mChecksTails;
  return 0;
}

const REPEAT_MASK_0 = ~(IMMUTABLE | COUNT_MASK);
const REPEAT_MASK_1 = GFN_HIGH_MASK | (ASID_MASK << ASID_SHIFT);
const DERIVED = VALIDATED | VMSA;

/** Same Assigned, Page_Size, GPA and ASID as the entry has already, and not the AMD-SP's. */
function isRepeat(old0: number, old1: number, new0: number, new1: number): boolean {
  return (
    ((old0 ^ new0) & REPEAT_MASK_0) === 0 &&
    ((old1 ^ new1) & REPEAT_MASK_1) === 0 &&
    (new1 & (ASID_MASK << ASID_SHIFT)) !== 0
  );
}

/** Whether a repeated RMPUPDATE leaves Validated, VMSA and the permissions as they are. */
function keepsDerived(hw: Hardware, old1: number, old2: number, old3: number): boolean {
  if ((old1 & DERIVED) !== 0 || old2 !== hw.fullVmplMask || old3 !== 0) {
    hw.reliedOn |= Relied.idempotentRmpupdateKeepsValidated;
  }
  return hw.options.idempotentRmpupdateKeepsValidated;
}

/** The transient conflict of a region, for a request that nothing else stands in the way of. */
function contended(hw: Hardware, pfn: number): number {
  if (hw.contention.active === 0) return 0;
  const other = hw.contention.peek(Math.floor(pfn / 512));
  if (other < 0) return 0;
  const how = hw.options.transientConflict;
  const same = how === 'by-entry' ? other === pfn : how === 'inuse';
  return bit(same ? Check.ContendedSame : Check.ContendedOther);
}

/** Checks whose order an option decides. */
const ORDERED = LOCKED | LOCKED_TAIL | LOCKED_HEAD | IS_IMMUTABLE | IMMUTABLE_TAIL | UNDER_LARGE | OVER_SMALL;

/** The options that a failing check stands for. */
function reliedOnBy(check: Check, assigned: boolean): number {
  switch (check) {
    case Check.AddressLowBits:
      return Relied.rmpupdateLowBits;
    case Check.ReservedBits:
    case Check.Unaligned:
    case Check.GpaUnaligned:
    case Check.GpaWidth:
    case Check.AsidWidth:
      return Relied.rmpupdateStrictInput;
    case Check.MalformedUnassign:
      return Relied.rmpupdateStrictInput | Relied.rmpupdateMalformedUnassign;
    case Check.LockedHead:
      return Relied.lockedHeadFailsInuse;
    case Check.LockedTail:
    case Check.ImmutableTail:
      return Relied.rmpupdate2mChecksTails;
    case Check.OverSmall:
      return assigned ? 0 : Relied.rmpupdateUnassign2mOver4k;
    case Check.ContendedOther:
    case Check.ContendedSame:
      return Relied.transientConflict;
    default:
      return 0;
  }
}

function failed(hw: Hardware, pfn: number, gpa: number, operand: number, failing: number): number {
  const order = hw.rmpupdateOrder;
  const { check, code } = decidingCheck(order, failing);
  hw.reliedOn |= reliedOnBy(check, (operand & OPERAND_ASSIGNED) !== 0);
  if ((failing & ~ORDERED) === 0 && orderMatters(order, failing, code)) hw.reliedOn |= Relied.rmpupdateCheckOrder;
  const rmp = hw.rmp;
  const frame = Math.floor(pfn / 512);
  if (check === Check.ContendedOther || check === Check.ContendedSame) hw.contention.consume(frame);
  // Why it failed: for an overlap, what put the other entries there.
  let cause = rmp.lastChange(pfn);
  if (check === Check.OverSmall) cause = rmp.lastTailChange(frame);
  else if (check === Check.UnderLarge || check === Check.LockedHead) cause = rmp.lastChange(frame * 512);
  hw.trace.record(EventKind.Rmpupdate, 0, pfn, code, withCheck(operand, check), gpa, cause);
  return code;
}
