// What is asked about the memory map beyond the Language Server and Debug Adapter protocols. The language server tells the story of any scenario that
// is open; while a scenario is debugged, its adapter tells it, under the same names: the story of the run that is debugged, with its options.
// Imported by both sides.

import type { MapDetails } from '../../engine/map/story.ts';
import type { Encoded, EncodedStory, EncodedUpdate } from './map-codec.ts';
import type { MapPosition } from './map-protocol.ts';

/** Names a story that somebody has, as it was at some time. */
export interface MapVersion {
  id: number;
  version: number;
}

/**
 * Request: the story of a scenario, or what has changed of one that the client has. From then on the client is told when there is more to ask
 * (`mapChangedNotification`), until it says `mapCloseNotification`. To the debug adapter: no `uri` and no `scenario`, it has one.
 */
export const mapStoryRequest = 'snpScenario/map/story';
export interface MapStoryParams {
  uri: string;
  /** The first of the document without it, or if there is none of that name. */
  scenario?: string;
  /** What the client has: it gets an update, if that will do. */
  known?: MapVersion;
}
export type MapStoryResult =
  | (MapVersion & { story: EncodedStory })
  /** To be applied to the story that is `known`. */
  | (MapVersion & { update: EncodedUpdate })
  /** There is none, and why: a sentence. */
  | { nothing: string };

/** Request: all about one page at a state of a story that was asked for; null if there is no such page, or no such story any more. */
export const mapDetailsRequest = 'snpScenario/map/details';
export interface MapDetailsParams {
  uri: string;
  scenario: string;
  lane: number;
  page: number;
  state: number;
}
export type MapDetailsResult = MapDetails | null;

/** Request: the state to show for a line of the document; null outside of the scenario, or if its story was not asked for. */
export const mapStateAtRequest = 'snpScenario/map/stateAt';
export interface MapStateAtParams {
  uri: string;
  scenario: string;
  /** From 0. */
  line: number;
}
export type MapStateAtResult = { state: number } | null;

/** Notification from the server: there is a new verdict on a document of which the client has stories; or the document is closed. */
export const mapChangedNotification = 'snpScenario/map/changed';
export interface MapChangedParams {
  uri: string;
}

/** Notification from the client: it does not show the story any more. */
export const mapCloseNotification = 'snpScenario/map/close';
export interface MapCloseParams {
  uri: string;
  /** All of the document without it. */
  scenario?: string;
}

/** Request to the debug adapter: go to a state, backwards or forwards. The client is told where it stopped as ever. */
export const mapGotoRequest = 'snpScenario/map/goto';
export interface MapGotoParams {
  state: number;
}

/** Event of the debug adapter, once the story was asked for: where the session rests. */
export const mapPositionEvent = 'snpScenario/map/position';
export interface MapPositionBody {
  position: Encoded<MapPosition>;
}
