// Which pages of other lanes a page has to do with: the frame behind a private gpa, the gpa of a frame, and a frame in the direct map.

import type { MapLane } from '../../../server/common/map-protocol.ts';

export interface PageRef {
  lane: number;
  page: number;
}

function backingFrame(lane: MapLane, gfn: number): number | undefined {
  for (const { gfn: first, pages, pfn } of lane.backing) {
    if (gfn >= first && gfn < first + pages) return pfn + (gfn - first);
  }
  return undefined;
}

/** The host frame that a page of any lane stands for. */
export function frameOf(lanes: readonly MapLane[], { lane, page }: PageRef): number | undefined {
  const of = lanes[lane];
  return of.kind === 'guest' ? backingFrame(of, page) : page;
}

/** The pages of all other lanes that share a page's frame, at most one in each lane. */
export function linkedPages(lanes: readonly MapLane[], of: PageRef): PageRef[] {
  const frame = frameOf(lanes, of);
  if (frame === undefined) return [];
  const linked: PageRef[] = [];
  for (const [index, lane] of lanes.entries()) {
    if (index === of.lane) continue;
    if (lane.kind !== 'guest') {
      if (frame < lane.pages) linked.push({ lane: index, page: frame });
      continue;
    }
    const slot = lane.backing.find(({ pfn, pages }) => frame >= pfn && frame < pfn + pages);
    if (slot) linked.push({ lane: index, page: slot.gfn + (frame - slot.pfn) });
  }
  return linked;
}

/** The page of one other lane that has to do with a page. */
export const linkedPage = (lanes: readonly MapLane[], of: PageRef, lane: number): number | undefined =>
  lane === of.lane ? of.page : linkedPages(lanes, of).find((ref) => ref.lane === lane)?.page;
