/**
 * PSMASH (F3 0F 01 FF): the hypervisor splits a 2M entry into 512 4K entries with consecutive GPAs. Every other field, Validated among them,
 * is copied (APM vol. 2, 15.36.11). The nested page table is not touched: until the caller zaps its 2M entry, sizes disagree.
 */
import { EventKind } from '../trace/trace.ts';
import { Check, decidingCheck, orderMatters, RmpCode, withCheck } from './instruction-checks.ts';
import type { Hardware } from './machine.ts';
import { Relied } from './options.ts';
import { ASSIGNED_2M, COUNT_SHIFT, GFN_HIGH_MASK, gfnOf, IMMUTABLE, LOCK, PAGE_SIZE_2M } from './rmp-entry.ts';
import { ENTRY_WORDS, gfnWord0, gfnWord1 } from './rmp-table.ts';

const FLAGS_0 = ASSIGNED_2M | IMMUTABLE;

/**
 * @param spa      RAX: system physical address, 2M-aligned
 * @param context  ASID of the context that executes the instruction; 0 is the host
 * @returns EAX
 */
export function psmash(hw: Hardware, spa: number, context: number): number {
  const rmp = hw.rmp;
  let failing = 0;
  let pfn = (spa - (spa % 4096)) / 4096;
  if (spa % 0x200000 !== 0) {
    hw.reliedOn |= Relied.psmashUnaligned;
    if (hw.options.psmashUnaligned === 'fail-input') failing |= 1 << Check.Unaligned;
    else pfn -= pfn & 511;
  }
  if (context !== 0) failing |= 1 << Check.ContextAsid;
  const frame = (pfn - (pfn & 511)) / 512;
  if (!rmp.covers(pfn) || frame * 512 + 511 >= rmp.coveredPages)
    return failed(hw, pfn, failing | (1 << Check.NotCovered));

  const w0 = rmp.word(pfn, 0);
  const w1 = rmp.word(pfn, 1);
  if ((w1 & LOCK) !== 0) failing |= 1 << Check.Locked;
  if ((w0 & IMMUTABLE) !== 0) {
    if (failing === 0 && (w0 & ASSIGNED_2M) === ASSIGNED_2M) hw.reliedOn |= Relied.psmashImmutable;
    if (hw.options.psmashImmutable === 'fail-permission') failing |= 1 << Check.Immutable;
  }
  if ((w0 & ASSIGNED_2M) !== ASSIGNED_2M) failing |= 1 << Check.NotLarge;
  if (failing === 0 && hw.contention.active !== 0 && hw.contention.peek(frame) >= 0) {
    failing = 1 << Check.ContendedSame;
    hw.contention.consume(frame);
  }
  if (failing !== 0) return failed(hw, pfn, failing);

  const event = hw.trace.record(EventKind.Psmash, 0, pfn, RmpCode.Success, 0, 0, rmp.lastChange(pfn));
  const w2 = rmp.word(pfn, 2);
  const w3 = rmp.word(pfn, 3);
  const next = rmp.blankFullChunk(event);
  const flags0 = w0 & FLAGS_0 & ~PAGE_SIZE_2M;
  const flags1 = w1 & ~GFN_HIGH_MASK;
  const gfn = gfnOf(w0, w1);
  for (let i = 0; i < 512; i++) {
    const at = i * ENTRY_WORDS;
    next[at] = flags0 | gfnWord0(gfn + i);
    next[at + 1] = flags1 | gfnWord1(gfn + i);
    next[at + 2] = w2;
    next[at + 3] = w3;
  }
  next[0] |= 511 << COUNT_SHIFT;
  rmp.replaceRegion(frame, next, 0, 0, 0, 0);
  return RmpCode.Success;
}

function failed(hw: Hardware, pfn: number, failing: number): number {
  const order = hw.psmashOrder;
  const { check, code } = decidingCheck(order, failing);
  if (orderMatters(order, failing, code)) hw.reliedOn |= Relied.rmpupdateCheckOrder;
  if (check === Check.NotLarge) hw.reliedOn |= Relied.psmashBadaddrCode;
  hw.trace.record(EventKind.Psmash, 0, pfn, code, withCheck(0, check), 0, hw.rmp.lastChange(pfn));
  return code;
}
