// Who tells a map its story: the language server, or, while the scenario is debugged, the debug adapter. Both are asked the same
// (server/common/map-requests.ts).

import type { DebugSession } from 'vscode';
import { decodeStory, decodeUpdate } from '../../../server/common/map-codec.ts';
import type { MapDetails, MapStory, MapStoryUpdate } from '../../../server/common/map-protocol.ts';
import {
  type MapDetailsParams,
  type MapGotoParams,
  type MapStateAtParams,
  type MapStateAtResult,
  type MapStoryParams,
  type MapStoryResult,
  type MapVersion,
  mapCloseNotification,
  mapDetailsRequest,
  mapGotoRequest,
  mapStateAtRequest,
  mapStoryRequest,
} from '../../../server/common/map-requests.ts';
import type { LanguageServer } from '../language-server.ts';

export type Answer =
  | { version: MapVersion; story: MapStory }
  | { version: MapVersion; update: MapStoryUpdate }
  | { nothing: string };

export interface MapSource {
  story(uri: string, scenario: string | undefined, known: MapVersion | undefined): Promise<Answer>;
  details(params: MapDetailsParams): Promise<MapDetails | null>;
  /** Nobody shows the story any more. */
  close(uri: string, scenario: string | undefined): void;
}

function answerOf(result: MapStoryResult): Answer {
  if ('nothing' in result) return result;
  const version = { id: result.id, version: result.version };
  return 'story' in result
    ? { version, story: decodeStory(result.story) }
    : { version, update: decodeUpdate(result.update) };
}

export class ServerSource implements MapSource {
  readonly #server: LanguageServer;

  constructor(server: LanguageServer) {
    this.#server = server;
  }

  async story(uri: string, scenario: string | undefined, known: MapVersion | undefined): Promise<Answer> {
    const params: MapStoryParams = {
      uri,
      ...(scenario === undefined ? {} : { scenario }),
      ...(known === undefined ? {} : { known }),
    };
    return answerOf(await this.#server.request<MapStoryResult>(mapStoryRequest, params));
  }

  details(params: MapDetailsParams): Promise<MapDetails | null> {
    return this.#server.request(mapDetailsRequest, params);
  }

  /** The state to show for a line; undefined outside of the scenario. */
  async stateAt(params: MapStateAtParams): Promise<number | undefined> {
    const result = await this.#server.request<MapStateAtResult>(mapStateAtRequest, params);
    return result?.state;
  }

  close(uri: string, scenario: string | undefined): void {
    this.#server.notify(mapCloseNotification, { uri, ...(scenario === undefined ? {} : { scenario }) });
  }
}

export class DebugSource implements MapSource {
  readonly session: DebugSession;

  constructor(session: DebugSession) {
    this.session = session;
  }

  async story(): Promise<Answer> {
    return answerOf(await this.session.customRequest(mapStoryRequest, {}));
  }

  async details(params: MapDetailsParams): Promise<MapDetails | null> {
    return this.session.customRequest(mapDetailsRequest, params);
  }

  async goTo(state: number): Promise<void> {
    const params: MapGotoParams = { state };
    await this.session.customRequest(mapGotoRequest, params);
  }

  close(): void {
    void this.session.customRequest(mapCloseNotification, {}).then(undefined, () => {});
  }
}
