// The memory map of the scenario that is debugged: the requests of map-requests.ts, answered with a second run of the same scenario that tells the story,
// and the session's own machine for where it rests. Costs nothing until a story is asked for.
// Requests: snpScenario/map/story, …/details, …/goto, …/close; events: snpScenario/map/position, …/changed.

import type { DebugSession } from '../../../engine/debug/session.ts';
import { detailsOf } from '../../../engine/map/details.ts';
import { StoryCursor } from '../../../engine/map/position.ts';
import type { MapPosition } from '../../../engine/map/story.ts';
import { StoryTeller } from '../../../engine/map/teller.ts';
import { Replay } from '../../../engine/run/replay.ts';
import { encodePosition, encodeStory } from '../../common/map-codec.ts';
import {
  type MapChangedParams,
  type MapDetailsResult,
  type MapPositionBody,
  type MapStoryResult,
  mapChangedNotification,
  mapPositionEvent,
} from '../../common/map-requests.ts';
import { inSlices } from '../../common/slices.ts';
import { shownDetails } from '../../common/told-scenario.ts';
import type { Client } from './client.ts';
import type { Moved } from './debuggee.ts';
import type { DebugPlatform } from './platform.ts';
import { RequestError } from './requests.ts';

interface Told {
  readonly session: DebugSession;
  readonly teller: StoryTeller;
  /** Once the story is told. */
  cursor: StoryCursor | undefined;
  /** The first event of the session's trace that the story may not have: from a what-if on, it goes its own way. */
  ownWayFrom: number;
}

export class DebuggedMap {
  readonly #client: Client;
  readonly #platform: DebugPlatform;
  #told: Told | undefined;
  /** A client shows a map; after a restart it will want to know. */
  #isShown = false;
  #stories = 0;
  #isResting = false;

  constructor(client: Client, platform: DebugPlatform) {
    this.#client = client;
    this.#platform = platform;
  }

  async story(session: DebugSession): Promise<MapStoryResult> {
    this.#isShown = true;
    const told = this.#tell(session);
    await inSlices(this.#platform, (units) => this.#told !== told || told.teller.advance(units));
    if (this.#told !== told) throw new RequestError('The session has gone on without its map.');
    const story = told.teller.story();
    told.cursor ??= new StoryCursor(story, told.teller.lanes);
    if (this.#isResting) this.#client.afterwards(() => this.#tellPosition());
    return { id: 1, version: ++this.#stories, story: encodeStory(story) };
  }

  #tell(session: DebugSession): Told {
    if (this.#told?.session === session) return this.#told;
    this.#release();
    const document = {
      uri: session.path,
      text: session.text,
      scenarios: session.program.scenarios.map(({ name }) => name),
    };
    const teller = new StoryTeller(new Replay(session.environment.takeMachine(), session.unit), document);
    this.#told = { session, teller, cursor: undefined, ownWayFrom: Number.POSITIVE_INFINITY };
    return this.#told;
  }

  details(session: DebugSession, lane: number, page: number, state: number): MapDetailsResult {
    const told = this.#told;
    if (told?.session !== session || told.cursor === undefined) return null;
    const { teller } = told;
    if (!Number.isInteger(state) || state < 0 || state > teller.length) return null;
    const stepOf = (instance: number) => teller.stepOfInstance(instance);
    // Where the session rests, its own machine knows more: what the step under way and what-ifs have changed.
    if (state === this.#stateOf(told))
      return shownDetails(detailsOf(session.machine, teller.lanes, lane, page, stepOf));
    teller.replay.goTo(teller.instanceOfState(state));
    return shownDetails(detailsOf(teller.replay.machine, teller.lanes, lane, page, stepOf));
  }

  /** How many instructions of the scenario have been executed in a state. Throws RequestError where there is no such state. */
  instanceOf(state: number): number {
    const teller = this.#told?.teller;
    if (teller === undefined || !Number.isInteger(state) || state < 0 || state > teller.length)
      throw new RequestError(`There is no state ${state} in the map.`);
    return teller.instanceOfState(state);
  }

  close(): void {
    this.#isShown = false;
    this.#release();
  }

  moved(session: DebugSession, moved: Moved): void {
    if (moved === 'ended') {
      this.#isResting = false;
      this.#release();
      return;
    }
    this.#isResting = true;
    if (!this.#isShown) return;
    if (this.#told === undefined) {
      // A restart: another run, another story.
      const params: MapChangedParams = { uri: session.path };
      this.#client.event(mapChangedNotification, params);
      return;
    }
    if (moved === 'memory')
      this.#told.ownWayFrom = Math.min(this.#told.ownWayFrom, this.#told.teller.eventsAt(this.#stateOf(this.#told)));
    this.#tellPosition();
  }

  #stateOf({ session: { run }, teller }: Told): number {
    return teller.stateOfInstance(run.isInCall ? run.executed - 1 : run.executed);
  }

  #tellPosition(): void {
    const told = this.#told;
    if (told?.cursor === undefined) return;
    const { cursor, session, teller } = told;
    const state = this.#stateOf(told);
    cursor.goTo(state);
    const partial = cursor.changedBy(session.machine, Math.min(told.ownWayFrom, teller.eventsAt(state)));
    const position: MapPosition = { state, by: 'debugger', ...(partial.lane.length === 0 ? {} : { partial }) };
    const body: MapPositionBody = { position: encodePosition(position) };
    this.#client.event(mapPositionEvent, body);
  }

  #release(): void {
    const told = this.#told;
    this.#told = undefined;
    if (told === undefined) return;
    told.teller.replay.run.release();
    told.session.environment.giveBack(told.teller.replay.machine);
  }
}
