/**
 * The cell of a page (story.ts) as the machine stands now: one page at a time, or a run of pages, where a 2M frame of which one look tells all costs
 * one look. What only a story knows of a page (violations) is not in it.
 */
import {
  ASSIGNED,
  asidOf,
  IMMUTABLE,
  LOCK,
  type PageState,
  pageStateOf,
  VALIDATED,
  VMSA,
} from '../hardware/rmp-entry.ts';
import type { Machine } from '../run/machine.ts';
import type { Lane } from './lanes.ts';
import { anyCell, type CellField, directMapCell, guestCell, hostCell, pageStates } from './story.ts';

const FRAME = 512;

const put = (value: number, [shift, width]: CellField): number => (value & ((1 << width) - 1)) << shift;

/** The place of each of the engine's page states in {@link pageStates}. */
const stateNumber: Readonly<Record<PageState, number>> = {
  HYPERVISOR: pageStates.indexOf('Hypervisor'),
  HV_FIXED: pageStates.indexOf('HV-Fixed'),
  DEFAULT: pageStates.indexOf('Default'),
  FIRMWARE: pageStates.indexOf('Firmware'),
  FIRMWARE_IOMMU: pageStates.indexOf('Firmware-IOMMU'),
  CONTEXT: pageStates.indexOf('Context'),
  METADATA: pageStates.indexOf('Metadata'),
  RECLAIM: pageStates.indexOf('Reclaim'),
  PRE_GUEST: pageStates.indexOf('Pre-Guest'),
  PRE_SWAP: pageStates.indexOf('Pre-Swap'),
  GUEST_INVALID: pageStates.indexOf('Guest-Invalid'),
  GUEST_VALID: pageStates.indexOf('Guest-Valid'),
  INVALID: pageStates.indexOf('Invalid'),
};

/** @param size 0: 4K, 1: the head of a 2M entry, 2: another page of it; `w0`, `w1`: the words of the entry that speaks for the page */
export function hostCellOf(state: PageState, size: number, w0: number, w1: number, assigned: number): number {
  return (
    put(stateNumber[state], hostCell.state) |
    put(size, hostCell.size) |
    put((w1 & VALIDATED) !== 0 ? 1 : 0, hostCell.validated) |
    put((w0 & IMMUTABLE) !== 0 ? 1 : 0, hostCell.immutable) |
    put((w1 & VMSA) !== 0 ? 1 : 0, hostCell.vmsa) |
    put((w1 & LOCK) !== 0 ? 1 : 0, hostCell.locked) |
    put(assigned !== 0 ? asidOf(w1) : 0, hostCell.asid)
  );
}

export function directMapCellOf(level: number, present: boolean): number {
  const bit = present ? 1 : 0;
  return put(level, directMapCell.level) | put(bit, directMapCell.present) | put(bit, directMapCell.writable);
}

/** The leaked frames as a set: kept as long as the list only grows. */
class LeakedFrames {
  private readonly machine: Machine;
  private list: readonly number[] = [];
  private readonly frames = new Set<number>();
  private readonly regions = new Set<number>();

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** Call before looking, when the machine has moved. */
  refresh(): void {
    const { list } = this.machine.kernel.leaked;
    if (this.list.some((pfn, i) => list[i] !== pfn)) {
      this.frames.clear();
      this.regions.clear();
      this.list = [];
    }
    for (const pfn of list.slice(this.list.length)) {
      this.frames.add(pfn);
      this.regions.add(Math.floor(pfn / FRAME));
    }
    this.list = list.slice();
  }

  get isEmpty(): boolean {
    return this.frames.size === 0;
  }

  has(pfn: number): boolean {
    return this.frames.has(pfn);
  }

  /** Whether any page that overlaps the 512 from `pfn` on may be leaked. */
  mayHaveIn(pfn: number): boolean {
    return this.regions.has(Math.floor(pfn / FRAME)) || this.regions.has(Math.floor((pfn + FRAME - 1) / FRAME));
  }
}

export class CellReader {
  private readonly machine: Machine;
  private readonly lanes: readonly Lane[];
  private readonly leaked: LeakedFrames;

  constructor(machine: Machine, lanes: readonly Lane[]) {
    this.machine = machine;
    this.lanes = lanes;
    this.leaked = new LeakedFrames(machine);
  }

  /** The machine has moved. */
  refresh(): void {
    this.leaked.refresh();
  }

  /** The cell of a page of a lane. */
  cell(lane: number, page: number): number {
    const of = this.lanes[lane];
    if (page >= of.shown.pages) return 0;
    switch (of.shown.kind) {
      case 'host':
        return this.host(page) | this.leakedBit(page);
      case 'guest':
        return this.guest(of, page);
      case 'direct-map':
        return this.directMap(page) | this.leakedBit(page);
    }
  }

  private leakedBit(pfn: number): number {
    return !this.leaked.isEmpty && this.leaked.has(pfn) ? put(1, anyCell.leaked) : 0;
  }

  /**
   * The cells of a 2M frame where they are few: `[head, others]`; undefined where every page has to be looked at. All of the frame is in the lane.
   */
  frame(lane: number, frame: number): readonly [number, number] | undefined {
    const of = this.lanes[lane];
    const first = frame * FRAME;
    switch (of.shown.kind) {
      case 'host': {
        const { rmp } = this.machine.hardware;
        if (this.leaked.mayHaveIn(first) || !rmp.isCompact(frame) || !this.isCoveredAlike(first)) return undefined;
        return [this.host(first), this.host(first + 1)];
      }
      case 'guest': {
        if (!this.isGuestFrameAlike(of, frame)) return undefined;
        const cell = this.guest(of, first);
        return [cell, cell];
      }
      case 'direct-map': {
        if (this.leaked.mayHaveIn(first) || this.machine.kernel.directMap.level(first) === 1) return undefined;
        const cell = this.directMap(first);
        return [cell, cell];
      }
    }
  }

  /** Whether all of the frame is covered by the RMP, or nothing of it. */
  private isCoveredAlike(first: number): boolean {
    const { rmp } = this.machine.hardware;
    return rmp.covers(first) === rmp.covers(first + FRAME - 1);
  }

  private host(pfn: number): number {
    const { rmp } = this.machine.hardware;
    if (!rmp.covers(pfn)) return hostCellOf('DEFAULT', 0, 0, 0, 0);
    const from = rmp.governing(pfn);
    const w0 = rmp.word(from, 0);
    const w1 = rmp.word(from, 1);
    const size = from !== pfn ? 2 : rmp.isLarge(pfn) ? 1 : 0;
    return hostCellOf(this.stateOf(pfn, w0, w1), size, w0, w1, w0 & ASSIGNED);
  }

  private stateOf(pfn: number, w0: number, w1: number): PageState {
    // The common cases without decoding an entry.
    if ((w0 & ASSIGNED) !== 0 && asidOf(w1) !== 0) {
      const isValid = (w1 & VALIDATED) !== 0;
      if ((w0 & IMMUTABLE) !== 0) return isValid ? 'PRE_SWAP' : 'PRE_GUEST';
      return isValid ? 'GUEST_VALID' : 'GUEST_INVALID';
    }
    return pageStateOf(this.machine.hardware.rmp.resolve(pfn as never));
  }

  private directMap(pfn: number): number {
    const { directMap } = this.machine.kernel;
    return directMapCellOf(directMap.level(pfn), directMap.present(pfn));
  }

  // ---------------------------------------------------------------- guests

  private guest(lane: Lane, gfn: number): number {
    const { hardware, kernel } = this.machine;
    const asid = lane.shown.asid as number;
    const backing = backingOf(lane, gfn);
    let cell = 0;
    if (kernel.attributes.attribute(asid, gfn) !== 0) cell |= put(2, guestCell.attribute);
    else if (isInMemory(lane, gfn)) cell |= put(1, guestCell.attribute);

    const npt = hardware.guests.get(asid)?.npt;
    const mapped = npt?.walk(gfn) ?? -1;
    if (npt !== undefined && mapped >= 0) {
      cell |= put(npt.level, guestCell.npt) | put(npt.writable ? 1 : 0, guestCell.writable);
      if (mapped === backing) cell |= put(1, guestCell.nptPrivate);
    }

    if (backing < 0) return cell;
    cell |= this.leakedBit(backing);
    const { rmp } = hardware;
    if (!rmp.covers(backing)) return cell;
    const from = rmp.governing(backing);
    const w1 = rmp.word(from, 1);
    if ((rmp.word(from, 0) & ASSIGNED) === 0 || asidOf(w1) !== asid || rmp.boundGfn(backing) !== gfn) return cell;
    cell |= put(1, guestCell.assigned) | put((w1 & VALIDATED) !== 0 ? 1 : 0, guestCell.validated);
    const masks = rmp.word(from, 2);
    return (
      cell |
      put(masks, guestCell.vmpl0) |
      put(masks >>> 8, guestCell.vmpl1) |
      put(masks >>> 16, guestCell.vmpl2) |
      put(masks >>> 24, guestCell.vmpl3)
    );
  }

  /** Whether one page tells all of a guest's 2M frame: attribute, mapping, backing and RMP are alike throughout. */
  private isGuestFrameAlike(lane: Lane, frame: number): boolean {
    const { hardware, kernel } = this.machine;
    const asid = lane.shown.asid as number;
    const first = frame * FRAME;
    const last = first + FRAME - 1;
    if (!lane.shown.extents.some(([start, end]) => first >= start && last < end)) return false;
    if (!kernel.attributes.isUniformFrame(asid, frame)) return false;
    const npt = hardware.guests.get(asid)?.npt;
    if (npt !== undefined && !npt.isUniform(frame)) return false;
    const slots = lane.shown.backing.filter(({ gfn, pages }) => gfn <= last && gfn + pages > first);
    if (slots.length === 0) return true;
    if (slots.length > 1 || slots[0].gfn > first || slots[0].gfn + slots[0].pages <= last) return false;
    const backing = backingOf(lane, first);
    if (backing % FRAME !== 0) return false;
    const { rmp } = hardware;
    if (this.leaked.mayHaveIn(backing) || !this.isCoveredAlike(backing)) return false;
    // A 2M entry speaks for all; entries without one are alike only if none is bound to a gfn.
    return rmp.isCompact(backing / FRAME) && (rmp.isLarge(backing) || rmp.isRegionUnassigned(backing / FRAME));
  }
}

/** The private frame behind a gfn, allocated or as it would be; -1 if there is none. */
export function backingOf(lane: Lane, gfn: number): number {
  for (const { gfn: first, pages, pfn } of lane.shown.backing)
    if (gfn >= first && gfn < first + pages) return pfn + (gfn - first);
  return -1;
}

const isInMemory = (lane: Lane, gfn: number): boolean =>
  lane.shown.extents.some(([start, end]) => gfn >= start && gfn < end);
