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
  ASID_SHIFT,
  ASSIGNED,
  ASSIGNED_2M,
  asidOf,
  COUNT_MASK,
  GFN_HIGH_MASK,
  GFN_LOW_MASK,
  GFN_LOW_SHIFT,
  GFN_LOW_SIZE,
  GPA_LIMIT,
  IMMUTABLE,
  LOCK,
  PAGE_SIZE_2M,
  VALIDATED,
  VMSA,
} from './rmp-entry.ts';
import { ENTRY_WORDS, FULL_EVENTS, FULL_LENGTH, FULL_WORDS } from './rmp-table.ts';

const bit = (check: Check): number => 1 << check;
const NOT_COVERED = bit(Check.NotCovered);
const LOCKED = bit(Check.Locked);
const LOCKED_TAIL = bit(Check.LockedTail);
const LOCKED_HEAD = bit(Check.LockedHead);
const IS_IMMUTABLE = bit(Check.Immutable);
const IMMUTABLE_TAIL = bit(Check.ImmutableTail);
const UNDER_LARGE = bit(Check.UnderLarge);
const OVER_SMALL = bit(Check.OverSmall);

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
  const rmp = hw.rmp;
  let failing = 0;
  // Everything that only malformed operands reach is judged apart.
  if (
    ((spa & 0xfff) | (gpa & 0xfff) | ((assigned | immutable) >>> 1) | pagesize | reserved | context | (asid >>> 10)) !==
      0 ||
    gpa >= GPA_LIMIT ||
    (assigned === 0 && (immutable | asid) !== 0)
  ) {
    failing = operandChecks(hw, spa, gpa, assigned, pagesize, immutable, asid, context, reserved);
    if (!hw.options.rmpupdateStrictInput) {
      assigned &= 1;
      pagesize &= 1;
      immutable &= 1;
      asid &= 0x3ff;
      const align = pagesize === 1 ? 0x200000 : 0x1000;
      spa -= spa % align;
      gpa = (gpa % GPA_LIMIT) - (gpa % align);
      if (assigned === 0) {
        immutable = 0;
        asid = 0;
      }
    }
  }
  const offset = spa & 0xfff;
  const pfn = (spa - offset) / 4096;
  const index = pfn & 511;
  const frame = (pfn - index) / 512;
  if (pfn + (pagesize === 0 ? 0 : 511) >= rmp.coveredPages) {
    return failed(hw, pfn, gpa, assigned, pagesize, immutable, asid, failing | NOT_COVERED);
  }

  const present = rmp.chunk(frame);
  const isFull = present.length === FULL_LENGTH;
  const at = isFull ? index * ENTRY_WORDS : index === 0 ? 0 : ENTRY_WORDS;
  const old0 = present[at];
  const old1 = present[at + 1];
  const head0 = present[0];
  if ((old1 & LOCK) !== 0) failing |= LOCKED;
  if ((old0 & IMMUTABLE) !== 0) failing |= IS_IMMUTABLE;

  if (pagesize === 0) {
    if ((head0 & ASSIGNED_2M) === ASSIGNED_2M) failing |= UNDER_LARGE;
    if (index !== 0 && (present[1] & LOCK) !== 0 && (old0 & ASSIGNED) !== assigned) {
      if (failing === 0) hw.reliedOn |= Relied.lockedHeadFailsInuse;
      if (hw.options.lockedHeadFailsInuse) failing |= LOCKED_HEAD;
    }
    if ((failing | hw.contention.active) !== 0) {
      if (failing === 0) failing = contended(hw, frame, pfn);
      if (failing !== 0) return failed(hw, pfn, gpa, assigned, 0, immutable, asid, failing);
    }
    const chunk = isFull ? present : rmp.fullChunk(frame);
    const to = index * ENTRY_WORDS;
    let new0 = 0;
    let new1 = 0;
    let new2 = 0;
    let new3 = 0;
    if (assigned !== 0) {
      const gfn = gpa / 4096;
      const gfnLow = gfn & GFN_LOW_MASK;
      new0 = ASSIGNED | (immutable << 2) | (gfnLow << GFN_LOW_SHIFT);
      new1 = ((gfn - gfnLow) / GFN_LOW_SIZE) | (asid << ASID_SHIFT);
      new2 = hw.fullVmplMask;
      if (isRepeat(old0, old1, new0, new1) && asid !== 0) {
        const kept = keptWord1(hw, old1, chunk[to + 2], chunk[to + 3]);
        if (kept >= 0) {
          new1 |= kept;
          new2 = chunk[to + 2];
          new3 = chunk[to + 3];
        }
      }
    }
    if (index === 0) new0 |= old0 & COUNT_MASK;
    const event = hw.trace.record(
      EventKind.Rmpupdate,
      0,
      pfn,
      0,
      assigned | (immutable << 2) | (asid << 3),
      gpa,
      chunk[FULL_EVENTS + index] | 0,
    );
    rmp.journalEntry(chunk, index, pfn, true, event);
    chunk[to] = new0;
    chunk[to + 1] = new1;
    chunk[to + 2] = new2;
    chunk[to + 3] = new3;
    rmp.recount(chunk, index, old0, old1, new0, new1);
    return RmpCode.Success;
  }

  // ---- 2M -----------------------------------------------------------------------------------------------------------------------
  let headOnly = false;
  if ((head0 & COUNT_MASK) !== 0) {
    if (assigned === 0) {
      if (failing === 0) hw.reliedOn |= Relied.rmpupdateUnassign2mOver4k;
      headOnly = hw.options.rmpupdateUnassign2mOver4k === 'head-only';
    }
    if (!headOnly) failing |= OVER_SMALL;
  }
  const wasLarge = (head0 & ASSIGNED_2M) === ASSIGNED_2M;
  // A 2M request to unassign a region of 4K entries changes its first page only.
  if (assigned === 0 && !wasLarge) headOnly = true;
  if (isFull && !headOnly && !wasLarge) failing |= tailChecks(hw, present, failing);
  if ((failing | hw.contention.active) !== 0) {
    if (failing === 0) failing = contended(hw, frame, pfn);
    if (failing !== 0) return failed(hw, pfn, gpa, assigned, 1, immutable, asid, failing);
  }
  const event = hw.trace.record(
    EventKind.Rmpupdate,
    0,
    pfn,
    0,
    assigned | 2 | (immutable << 2) | (asid << 3),
    gpa,
    rmp.lastChange(pfn),
  );
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
  const gfn = gpa / 4096;
  const gfnLow = gfn & GFN_LOW_MASK;
  const new0 = ASSIGNED_2M | (immutable << 2) | (gfnLow << GFN_LOW_SHIFT);
  let new1 = ((gfn - gfnLow) / GFN_LOW_SIZE) | (asid << ASID_SHIFT);
  let new2 = hw.fullVmplMask;
  let new3 = 0;
  if (isRepeat(old0, old1, new0, new1) && asid !== 0) {
    const kept = keptWord1(hw, old1, present[2], present[3]);
    if (kept >= 0) {
      new1 |= kept;
      new2 = present[2];
      new3 = present[3];
    }
  }
  let next: Uint32Array;
  if (isFull && hw.options.rmpupdate2mTails === 'keep-fields') {
    next = rmp.blankFullChunk(event);
    next.set(present.subarray(0, FULL_WORDS));
    next[0] = new0;
    next[1] = new1;
    next[2] = new2;
    next[3] = new3;
    for (let tail = ENTRY_WORDS; tail < FULL_WORDS; tail += ENTRY_WORDS) {
      next[tail] = (next[tail] & ~IMMUTABLE) | ASSIGNED;
      next[tail + 1] &= ~(0x3ff << ASID_SHIFT) & ~LOCK;
    }
  } else {
    next = rmp.compactChunk(new0, new1, new2, new3, ASSIGNED, event);
  }
  rmp.replaceRegion(frame, next, oldAsid, oldPages, asid, 512);
  return RmpCode.Success;
}

/** The checks that need no entry. Only called for operands that are unusual. */
function operandChecks(
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
  let failing = 0;
  let strict = 0;
  if (context !== 0) failing |= bit(Check.ContextAsid);
  if ((spa & 0xfff) !== 0) {
    if (hw.options.rmpupdateLowBits === 'fail-input') failing |= bit(Check.AddressLowBits);
    hw.reliedOn |= Relied.rmpupdateLowBits;
  }
  const large = (pagesize & 1) !== 0;
  if (((assigned | pagesize | immutable) & ~1) !== 0 || reserved !== 0) strict |= bit(Check.ReservedBits);
  if (large && spa % 0x200000 >= 0x1000) strict |= bit(Check.Unaligned);
  if ((assigned & 1) !== 0) {
    if (gpa % (large ? 0x200000 : 0x1000) !== 0) strict |= bit(Check.GpaUnaligned);
    if (gpa >= GPA_LIMIT) strict |= bit(Check.GpaWidth);
  }
  if (asid > 0x3ff) strict |= bit(Check.AsidWidth);
  if ((assigned & 1) === 0 && ((immutable & 1) !== 0 || asid !== 0)) {
    strict |= bit(Check.MalformedUnassign);
    if (hw.options.rmpupdateStrictInput) hw.reliedOn |= Relied.rmpupdateMalformedUnassign;
  }
  if (strict !== 0) {
    hw.reliedOn |= Relied.rmpupdateStrictInput;
    if (hw.options.rmpupdateStrictInput) failing |= strict;
  }
  return failing;
}

/** An in-use or immutable page among the 511 others of a region that is to become one 2M entry. */
function tailChecks(hw: Hardware, chunk: Uint32Array, failing: number): number {
  let found = 0;
  for (let at = ENTRY_WORDS; at < FULL_WORDS; at += ENTRY_WORDS) {
    if ((chunk[at + 1] & LOCK) !== 0) found |= LOCKED_TAIL;
    if ((chunk[at] & IMMUTABLE) !== 0) found |= IMMUTABLE_TAIL;
  }
  if (found === 0) return 0;
  if (failing === 0) hw.reliedOn |= Relied.rmpupdate2mChecksTails;
  return hw.options.rmpupdate2mChecksTails ? found : 0;
}

const REPEAT_MASK_0 = ~(IMMUTABLE | COUNT_MASK);
const REPEAT_MASK_1 = GFN_HIGH_MASK | (0x3ff << ASID_SHIFT);

/** Same Assigned, Page_Size, GPA and ASID as the entry has already. */
function isRepeat(old0: number, old1: number, new0: number, new1: number): boolean {
  return ((old0 ^ new0) & REPEAT_MASK_0) === 0 && ((old1 ^ new1) & REPEAT_MASK_1) === 0;
}

/** The bits of word 1 that a repeated RMPUPDATE leaves, or -1 if it resets the entry. */
function keptWord1(hw: Hardware, old1: number, old2: number, old3: number): number {
  const derived = old1 & (VALIDATED | VMSA);
  if (derived !== 0 || old2 !== hw.fullVmplMask || old3 !== 0) {
    hw.reliedOn |= Relied.idempotentRmpupdateKeepsValidated;
  }
  return hw.options.idempotentRmpupdateKeepsValidated ? derived : -1;
}

/** The transient conflict of a region: met only if nothing else stands in the way. */
function contended(hw: Hardware, frame: number, pfn: number): number {
  const other = hw.contention.peek(frame);
  return other < 0 ? 0 : conflictBit(hw, other === pfn);
}

function conflictBit(hw: Hardware, sameEntry: boolean): number {
  const how = hw.options.transientConflict;
  const same = how === 'by-entry' ? sameEntry : how === 'inuse';
  return bit(same ? Check.ContendedSame : Check.ContendedOther);
}

function failed(
  hw: Hardware,
  pfn: number,
  gpa: number,
  assigned: number,
  pagesize: number,
  immutable: number,
  asid: number,
  failing: number,
): number {
  const order = hw.rmpupdateOrder;
  const { check, code } = decidingCheck(order, failing);
  if (orderMatters(order, failing, code)) hw.reliedOn |= Relied.rmpupdateCheckOrder;
  const rmp = hw.rmp;
  const frame = Math.floor(pfn / 512);
  if (check === Check.ContendedOther || check === Check.ContendedSame) {
    hw.contention.consume(frame);
    hw.reliedOn |= Relied.transientConflict;
  }
  // Why it failed: for an overlap, what put the other entries there.
  let cause = rmp.lastChange(pfn);
  if (check === Check.OverSmall) cause = rmp.lastTailChange(frame);
  else if (check === Check.UnderLarge || check === Check.LockedHead) cause = rmp.lastChange(frame * 512);
  const operand =
    (assigned & 1) | (pagesize !== 0 ? PAGE_SIZE_2M : 0) | ((immutable & 1) << 2) | ((asid & 0xffff) << 3);
  hw.trace.record(EventKind.Rmpupdate, 0, pfn, code, withCheck(operand, check), gpa, cause);
  return code;
}
