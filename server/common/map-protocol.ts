// What the memory map's page and whoever holds the machine (the language server, or the debug adapter while debugging) say to each other. The
// extension carries the messages between them and adds nothing. Imports the story's data (engine/map/story.ts), which imports nothing: page, client,
// server and adapter all read it.
//
// The page gets the whole story of a scenario once, as runs of equal pages: the state before the first step, and what each step changed. So it goes
// to any step by itself, without asking. What it needs to know of one page it asks for.

import type { MapDetails, MapPosition, MapStory, MapStoryUpdate } from '../../engine/map/story.ts';

export * from '../../engine/map/story.ts';

/** From the extension to the page. */
export type ToPage =
  | { type: 'story'; story: MapStory; position?: MapPosition }
  | { type: 'update'; update: MapStoryUpdate }
  | { type: 'position'; position: MapPosition }
  | { type: 'details'; id: number; details: MapDetails | null }
  /** There is nothing to show, and why (the file does not parse; no scenario). */
  | { type: 'nothing'; message: string };

/** From the page to the extension. */
export type FromPage =
  /** The page is there (again) and has nothing yet. */
  | { type: 'ready' }
  | { type: 'details'; id: number; lane: number; page: number; state: number }
  /** The user went to a state: the editor's cursor, and the debugger if it stands in this scenario, follow. */
  | { type: 'position'; state: number }
  | { type: 'reveal'; uri: string; line: number }
  | { type: 'scenario'; name: string }
  /** `svg`: text; `png`: base64. */
  | { type: 'export'; format: 'svg' | 'png'; content: string };

/** What the page gives its host to save (`setState`) has these, besides whatever the page wants: after a reload the extension finds the scenario by them. */
export interface SavedState {
  uri: string;
  scenario: string;
}
