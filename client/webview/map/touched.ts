// The part of each lane in which the scenario does something. A terabyte of which a few megabytes change is best begun there.

import { around, type View, wholeView } from './axis.ts';
import { pagesOf2M } from './format.ts';
import { linkedPage } from './links.ts';
import type { StoryState } from './story-state.ts';

/** By lane: `[start, end)` over all that its steps change, to the 2M; undefined where nothing changes. */
function touchedPages({ story, lanes }: StoryState): ([number, number] | undefined)[] {
  const touched: ([number, number] | undefined)[] = lanes.map(() => undefined);
  const add = (lane: number, start: number, end: number) => {
    const known = touched[lane];
    touched[lane] = known ? [Math.min(known[0], start), Math.max(known[1], end)] : [start, end];
  };
  const { changes, violations } = story;
  for (let i = 0; i < changes.start.length; i++) {
    if (lanes[changes.lane[i]]) add(changes.lane[i], changes.start[i], changes.start[i] + changes.count[i]);
  }
  for (const { lane, start, count } of violations) if (lanes[lane]) add(lane, start, start + count);
  return touched.map((range, index) => {
    if (!range) return undefined;
    const { pages } = lanes[index].lane;
    const [start, end] = range;
    return [
      Math.max(0, Math.floor(start / pagesOf2M) * pagesOf2M),
      Math.min(pages, Math.max(1, Math.ceil(end / pagesOf2M)) * pagesOf2M),
    ];
  });
}

/**
 * Views of what is touched, with the lanes tied together at the first guest in which something happens.
 * @param width of a lane, in CSS pixels
 */
export function viewsOfTouched(story: StoryState, width: number): View[] {
  const touched = touchedPages(story);
  const views = story.lanes.map((lane, index) => {
    const range = touched[index];
    return range ? around(lane.axis, width, range[0], range[1], 0) : wholeView(lane.axis, width);
  });
  const guest = story.lanes.findIndex(({ lane }, index) => lane.kind === 'guest' && touched[index] !== undefined);
  const lead = guest >= 0 ? guest : touched.findIndex((range) => range !== undefined);
  if (lead < 0) return views;
  const axis = story.lanes[lead].axis;
  const [start] = touched[lead]!;
  const x = (axis.offset(start) - views[lead].left) / views[lead].scale;
  for (const [index, lane] of story.lanes.entries()) {
    const partner = linkedPage(story.story.lanes, { lane: lead, page: start }, index);
    const range = touched[index];
    if (partner === undefined || index === lead) continue;
    const scale = views[lead].scale;
    const tied = { left: lane.axis.offset(partner) - x * scale, scale };
    // Only if what the lane itself does is then in sight.
    const inSight =
      !range ||
      (lane.axis.offset(range[0]) >= tied.left - 1 && lane.axis.offset(range[1]) <= tied.left + width * scale + 1);
    // The direct map is looked at for its frames: what is split around them may be far wider.
    if ((inSight || lane.lane.kind === 'direct-map') && scale * width <= lane.axis.length) {
      views[index] = { left: Math.min(Math.max(0, tied.left), lane.axis.length - scale * width), scale };
    }
  }
  return views;
}
