// What outlives the page: how one looked at which scenario. Kept by VS Code while the panel is hidden and over a reload of the window.

import type { View } from './axis.ts';
import type { Place } from './scene.ts';

export interface SavedState {
  uri: string;
  scenario: string;
  state: number;
  pinned?: number;
  views: View[];
  linked: boolean;
  selection?: Place;
  filter: string[];
  tab: string;
  query: string;
  scrollTop: number;
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isPlace = (value: unknown): value is Place => {
  const { lane, page, pages } = (value ?? {}) as Partial<Place>;
  return isNumber(lane) && isNumber(page) && isNumber(pages);
};

/** What an earlier version of the page has saved may look different: then nothing is restored. */
export function asSavedState(value: unknown): SavedState | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { uri, scenario, state, pinned, views, linked, selection, filter, tab, query, scrollTop } =
    value as Partial<SavedState>;
  if (typeof uri !== 'string' || typeof scenario !== 'string' || !isNumber(state) || !Array.isArray(views))
    return undefined;
  if (!views.every((view) => isNumber(view?.left) && isNumber(view?.scale) && view.scale > 0)) return undefined;
  return {
    uri,
    scenario,
    state,
    ...(isNumber(pinned) ? { pinned } : {}),
    views,
    linked: linked !== false,
    ...(isPlace(selection) ? { selection } : {}),
    filter: Array.isArray(filter) ? filter.filter((key) => typeof key === 'string') : [],
    tab: typeof tab === 'string' ? tab : '',
    query: typeof query === 'string' ? query : '',
    scrollTop: isNumber(scrollTop) ? scrollTop : 0,
  };
}
