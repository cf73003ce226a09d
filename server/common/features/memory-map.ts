// The memory map of a scenario, for a client that shows one (map-requests.ts): its story, details of a page, the state for a line. Costs nothing until
// the first story is asked for; a story is kept while it is shown, and told in slices.
// Requests: snpScenario/map/story, …/details, …/stateAt; notifications: …/changed to the client, …/close from it.

import { type CancellationToken, ErrorCodes, LSPErrorCodes, ResponseError } from 'vscode-languageserver';
import { member } from '../client-features.ts';
import { encodeStory, encodeUpdate } from '../map-codec.ts';
import {
  type MapChangedParams,
  type MapDetailsResult,
  type MapStateAtResult,
  type MapStoryResult,
  type MapVersion,
  mapChangedNotification,
  mapCloseNotification,
  mapDetailsRequest,
  mapStateAtRequest,
  mapStoryRequest,
} from '../map-requests.ts';
import { inSlices } from '../slices.ts';
import { ToldScenario } from '../told-scenario.ts';
import { canonicalUri } from '../uri.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { openDocument } from './place.ts';

/** Stories that are kept. Each holds a machine; the one asked for longest ago goes first. */
const KEPT = 8;

export const memoryMap: Feature = {
  capabilities: () => ({}),
  listen(context) {
    const maps = new Maps(context);
    const { connection } = context;
    connection.onRequest<MapStoryResult, void>(mapStoryRequest, (params: unknown, token: CancellationToken) =>
      maps.story(uriOf(params), text(params, 'scenario'), versionOf(params), token),
    );
    connection.onRequest<MapDetailsResult, void>(mapDetailsRequest, (params: unknown) =>
      maps.details(
        uriOf(params),
        text(params, 'scenario'),
        [number(params, 'lane'), number(params, 'page')],
        number(params, 'state'),
      ),
    );
    connection.onRequest<MapStateAtResult, void>(mapStateAtRequest, (params: unknown) =>
      maps.stateAt(uriOf(params), text(params, 'scenario'), number(params, 'line')),
    );
    connection.onNotification(mapCloseNotification, (params: unknown) => {
      const uri = member(params, 'uri');
      if (typeof uri === 'string') maps.close(canonicalUri(uri), text(params, 'scenario'));
    });
    context.verdicts.onSettled((uri) => maps.settled(uri));
  },
};

class Maps {
  readonly #context: FeatureContext;
  /** By canonical URI and place in the document; the one asked for last at the end. */
  readonly #told = new Map<string, ToldScenario>();

  constructor(context: FeatureContext) {
    this.#context = context;
  }

  async story(
    uri: string,
    scenario: string | undefined,
    known: MapVersion | undefined,
    token: CancellationToken,
  ): Promise<MapStoryResult> {
    for (;;) {
      const begun = this.#begin(uri, scenario, known);
      if ('nothing' in begun) return begun;
      const { told, key } = begun;
      const isCurrent = (): boolean =>
        this.#told.get(key) === told && this.#context.documents.get(uri)?.getText() === told.text;
      try {
        await inSlices(
          this.#context.platform,
          (units) => token.isCancellationRequested || !isCurrent() || told.teller.advance(units),
        );
        if (token.isCancellationRequested) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
        // Edited meanwhile: the story of a text that is no more helps nobody.
        if (!isCurrent() || !told.teller.isOver) continue;
        const answer = told.answer(known);
        return 'story' in answer
          ? { ...told.version, story: encodeStory(answer.story) }
          : { ...told.version, update: encodeUpdate(answer.update) };
      } catch (error) {
        // Whatever the engine was at may be half done.
        if (!(error instanceof ResponseError)) this.#told.delete(key);
        throw error;
      }
    }
  }

  /** The scenario as it stands in the document now, told as far as it was. */
  #begin(
    uri: string,
    scenario: string | undefined,
    known: MapVersion | undefined,
  ): { told: ToldScenario; key: string } | { nothing: string } {
    const open = openDocument(this.#context, uri);
    if (open === undefined) return { nothing: 'The file is not open.' };
    if (!open.isScenario) return { nothing: 'The file is no scenario.' };
    const view = open.view();
    const { scenarios } = view.analysis.program;
    if (scenarios.length === 0) {
      this.close(uri, undefined);
      return { nothing: 'There is no scenario in this file.' };
    }
    const environment = view.environment();
    if (environment === undefined) {
      this.close(uri, undefined);
      return { nothing: 'The scenario cannot run: see the problems of this file.' };
    }
    const index = this.#indexOf(
      uri,
      scenarios.map(({ name }) => name),
      scenario,
      known,
    );
    const unit = scenarios[index];
    const document = {
      uri: this.#context.documents.spelling(uri),
      text: open.text,
      scenarios: scenarios.map(({ name }) => name),
    };
    const key = `${uri}\n${index}`;
    let told = this.#told.get(key);
    if (told !== undefined && told.environment !== environment) {
      this.#drop(key);
      told = undefined;
    }
    if (told === undefined) told = new ToldScenario(environment, unit, index, document);
    else if (told.text !== open.text) told.adopt(unit, document);
    this.#told.delete(key);
    this.#told.set(key, told);
    for (const oldest of this.#told.keys()) {
      if (this.#told.size <= KEPT) break;
      this.#drop(oldest);
    }
    return { told, key };
  }

  /** By name; where the name is gone, the one that stands where the known one stood; or the first. */
  #indexOf(uri: string, names: readonly string[], wanted: string | undefined, known: MapVersion | undefined): number {
    const index = wanted === undefined ? 0 : names.indexOf(wanted);
    if (index >= 0) return index;
    const before = [...this.#told].find(([key, told]) => key.startsWith(`${uri}\n`) && told.id === known?.id)?.[1];
    return before !== undefined && before.index < names.length ? before.index : 0;
  }

  details(uri: string, scenario: string | undefined, [lane, page]: [number, number], state: number): MapDetailsResult {
    return this.#current(uri, scenario)?.details(lane, page, state) ?? null;
  }

  stateAt(uri: string, scenario: string | undefined, line: number): MapStateAtResult {
    const told = this.#current(uri, scenario);
    const document = this.#context.documents.get(uri);
    if (told === undefined || document === undefined) return null;
    if (!told.hasLine(line, (offset) => document.positionAt(offset).line)) return null;
    return { state: told.teller.stateAtLine(line) };
  }

  /** The story of that name, if it is one of the text that the document has. */
  #current(uri: string, scenario: string | undefined): ToldScenario | undefined {
    const text = this.#context.documents.get(uri)?.getText();
    for (const [key, told] of this.#told)
      if (key.startsWith(`${uri}\n`) && told.name === scenario && told.text === text) return told;
    return undefined;
  }

  close(uri: string, scenario: string | undefined): void {
    for (const [key, told] of this.#told)
      if (key.startsWith(`${uri}\n`) && (scenario === undefined || told.name === scenario)) this.#drop(key);
  }

  #drop(key: string): void {
    this.#told.get(key)?.release();
    this.#told.delete(key);
  }

  settled(uri: string): void {
    const keys = [...this.#told.keys()].filter((key) => key.startsWith(`${uri}\n`));
    if (keys.length === 0) return;
    const { connection, documents } = this.#context;
    const params: MapChangedParams = { uri: documents.spelling(uri) };
    if (documents.get(uri) === undefined) this.close(uri, undefined);
    void connection.sendNotification(mapChangedNotification, params);
  }
}

function uriOf(params: unknown): string {
  const uri = member(params, 'uri');
  if (typeof uri !== 'string') throw new ResponseError(ErrorCodes.InvalidParams, 'uri is missing');
  return canonicalUri(uri);
}

const text = (params: unknown, name: string): string | undefined => {
  const value = member(params, name);
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
  throw new ResponseError(ErrorCodes.InvalidParams, `${name} is no text`);
};

function number(params: unknown, name: string): number {
  const value = member(params, name);
  if (typeof value !== 'number') throw new ResponseError(ErrorCodes.InvalidParams, `${name} is no number`);
  return value;
}

function versionOf(params: unknown): MapVersion | undefined {
  const id = member(member(params, 'known'), 'id');
  const version = member(member(params, 'known'), 'version');
  return typeof id === 'number' && typeof version === 'number' ? { id, version } : undefined;
}
