/**
 * The lanes of a machine: host memory, each guest's physical memory, the direct map; and the cells that their pages have while nobody has touched
 * them, as a few runs however large they are.
 */
import type { Machine, MachineGuest } from '../run/machine.ts';
import { directMapCellOf, hostCellOf } from './cells.ts';
import { guestCell, type MapLane } from './story.ts';

/** Pages of a lane at most: 1 TiB. What lies beyond is not drawn. */
export const MAX_LANE_PAGES = 2 ** 28;

/** A run of pages with one cell. */
export interface CellRun {
  start: number;
  end: number;
  cell: number;
}

export interface Lane {
  readonly shown: MapLane;
  /** Of a guest's lane. */
  readonly guest: MachineGuest | undefined;
  /** The cells of pages that nobody has touched; in order, pages in none of them have cell 0. */
  readonly untouched: readonly CellRun[];
}

/** The machine's lanes: the host's, the guests' in their order, the direct map's. */
export function lanesOf(machine: Machine): Lane[] {
  return [hostLane(machine), ...machine.guests.map((guest) => guestLane(machine, guest)), directMapLane(machine)];
}

/** Whether memory or a guest reaches beyond what is drawn. */
export function reachesBeyond(machine: Machine): boolean {
  return (
    machine.hardware.memoryPages > MAX_LANE_PAGES ||
    machine.guests.some((guest) => guest.config.slots.some((slot) => slot.gpaEnd / 4096 > MAX_LANE_PAGES))
  );
}

const drawn = (page: number): number => Math.min(page, MAX_LANE_PAGES);

function hostLane(machine: Machine): Lane {
  const pages = drawn(machine.hardware.memoryPages);
  const { rmp } = machine.hardware;
  // Where coverage changes, it does so between 2M regions, or at the end.
  const untouched: CellRun[] = [];
  const covered = Math.min(pages, rmp.coveredPages);
  const add = (start: number, end: number, cell: number): void => {
    if (end > start) untouched.push({ start, end, cell });
  };
  let from = 0;
  for (const hole of rmp.uncovered) {
    add(from, Math.min(hole.start, covered), UNTOUCHED_HOST);
    add(Math.min(hole.start, covered), Math.min(hole.end, covered), NOT_COVERED);
    from = Math.min(hole.end, covered);
  }
  add(from, covered, UNTOUCHED_HOST);
  add(covered, pages, NOT_COVERED);
  return {
    shown: {
      kind: 'host',
      name: 'Host physical memory',
      pages,
      extents: [[0, pages]],
      backing: [],
      folios: foliosOf(machine, undefined),
    },
    guest: undefined,
    untouched,
  };
}

const UNTOUCHED_HOST = hostCellOf('HYPERVISOR', 0, 0, 0, 0);
const NOT_COVERED = hostCellOf('DEFAULT', 0, 0, 0, 0);

function guestLane(machine: Machine, guest: MachineGuest): Lane {
  const slots = [...guest.config.slots]
    .map((slot) => ({
      slot,
      start: drawn(slot.gpaStart / 4096),
      end: drawn(slot.gpaEnd / 4096),
    }))
    .filter(({ start, end }) => end > start)
    .sort((a, b) => a.start - b.start);
  const extents: [number, number][] = [];
  for (const { start, end } of slots) {
    const last = extents[extents.length - 1];
    if (last !== undefined && last[1] >= start) last[1] = Math.max(last[1], end);
    else extents.push([start, end]);
  }
  return {
    shown: {
      kind: 'guest',
      name: guest.name,
      asid: guest.asid,
      pages: Math.max(1, ...slots.map(({ end }) => end)),
      extents,
      backing: slots
        .filter(({ slot }) => slot.private)
        .map(({ slot, start, end }) => ({
          slot: slot.id,
          gfn: start,
          pages: end - start,
          pfn: slot.pfn + slot.fileOffset,
        })),
      folios: foliosOf(machine, guest),
    },
    guest,
    untouched: extents.map(([start, end]) => ({ start, end, cell: 1 << guestCell.attribute[0] })),
  };
}

function directMapLane(machine: Machine): Lane {
  const pages = drawn(machine.hardware.memoryPages);
  return {
    shown: { kind: 'direct-map', name: 'Direct map', pages, extents: [[0, pages]], backing: [], folios: [] },
    guest: undefined,
    untouched: [{ start: 0, end: pages, cell: directMapCellOf(machine.kernel.config.directMapLevel, true) }],
  };
}

/** Folios as frames, or as the pages of a guest that they back. Whole ones that are drawn. */
function foliosOf(machine: Machine, of: MachineGuest | undefined): [number, number, number][] {
  const found: [number, number, number][] = [];
  for (const guest of of === undefined ? machine.guests : [of]) {
    for (const slot of guest.config.slots) {
      if (!slot.private) continue;
      const size = 2 ** slot.folioOrder;
      const pages = (slot.gpaEnd - slot.gpaStart) / 4096;
      // The file begins with a folio; the slot may begin in the middle of one.
      const inFile =
        of === undefined
          ? { from: 0, to: slot.fileOffset + pages }
          : { from: slot.fileOffset, to: slot.fileOffset + pages };
      const from = of === undefined ? 0 : Math.ceil(inFile.from / size) * size;
      const to = of === undefined ? Math.ceil(inFile.to / size) * size : Math.floor(inFile.to / size) * size;
      const first = of === undefined ? slot.pfn + from : slot.gpaStart / 4096 + (from - slot.fileOffset);
      const count = Math.floor((drawn(first + to - from) - first) / size) * size;
      if (count > 0) found.push([first, count, slot.folioOrder]);
    }
  }
  return found.sort((a, b) => a[0] - b[0]);
}
