// One scenario whose story is told, with a run of its own for it, kept while somebody shows it: through edits, of which it can say what they changed.

import { detailsOf } from '../../engine/map/details.ts';
import type { MapDetails, MapStory, MapStoryUpdate } from '../../engine/map/story.ts';
import { type StoryDocument, StoryTeller } from '../../engine/map/teller.ts';
import type { Environment } from '../../engine/run/environment.ts';
import { Replay } from '../../engine/run/replay.ts';
import type { ScenarioUnit } from '../../engine/scenario/program.ts';
import type { MapVersion } from './map-requests.ts';
import { uriOfPath } from './uri.ts';

/** Edits that an update can span; whoever has something older gets the story. */
const LOG_LENGTH = 64;

/** What an edit left of the story before it. */
interface Edit {
  kept: number;
  moved: boolean;
  /** Names changed: an update does not tell them. */
  renamed: boolean;
}

let lastId = 0;

export class ToldScenario {
  readonly id = ++lastId;
  readonly environment: Environment;
  readonly teller: StoryTeller;
  /** Of the scenario in its document. */
  readonly index: number;
  #unit: ScenarioUnit;
  #document: StoryDocument;
  #version = 0;
  /** What led to each of the last versions. */
  readonly #edits = new Map<number, Edit>();

  constructor(environment: Environment, unit: ScenarioUnit, index: number, document: StoryDocument) {
    this.environment = environment;
    this.index = index;
    this.#unit = unit;
    this.#document = document;
    this.teller = new StoryTeller(new Replay(environment.takeMachine(), unit), document);
  }

  get version(): MapVersion {
    return { id: this.id, version: this.#version };
  }

  get name(): string {
    return this.#unit.name;
  }

  /** The text that the story is about. */
  get text(): string {
    return this.#document.text;
  }

  /** Whether a line of the document lies in the scenario. */
  hasLine(line: number, lineOf: (offset: number) => number): boolean {
    return line >= lineOf(this.#unit.start) && line <= lineOf(this.#unit.end);
  }

  /** The document has another text, in which `unit` stands in the scenario's place, in the same environment. */
  adopt(unit: ScenarioUnit, document: StoryDocument): void {
    const renamed =
      unit.name !== this.#unit.name || document.scenarios.join('\n') !== this.#document.scenarios.join('\n');
    // What is not told yet is told anew anyway.
    const told = this.teller.length;
    const { kept, moved } = this.teller.adopt(unit, document);
    this.#unit = unit;
    this.#document = document;
    this.#version++;
    this.#edits.set(this.#version, { kept: Math.min(kept, told), moved, renamed });
    this.#edits.delete(this.#version - LOG_LENGTH);
  }

  /** For somebody who has `known`, or nothing. Once the story is told. */
  answer(known: MapVersion | undefined): { story: MapStory } | { update: MapStoryUpdate } {
    const changed = known?.id === this.id ? this.#since(known.version) : undefined;
    return changed === undefined
      ? { story: this.teller.story() }
      : { update: this.teller.update(changed.kept, changed.moved) };
  }

  #since(version: number): { kept: number; moved: boolean } | undefined {
    if (!Number.isInteger(version) || version > this.#version) return undefined;
    let kept = this.teller.length;
    let moved = false;
    for (let v = version + 1; v <= this.#version; v++) {
      const edit = this.#edits.get(v);
      if (edit === undefined || edit.renamed) return undefined;
      kept = Math.min(kept, edit.kept);
      moved ||= edit.moved;
    }
    return version < 0 ? undefined : { kept, moved };
  }

  /** All about a page at a state; null if there is none. */
  details(lane: number, page: number, state: number): MapDetails | null {
    const { teller } = this;
    if (!Number.isInteger(state) || state < 0 || state > teller.length) return null;
    teller.replay.goTo(teller.instanceOfState(state));
    return shownDetails(
      detailsOf(teller.replay.machine, teller.lanes, lane, page, (instance) => teller.stepOfInstance(instance)),
    );
  }

  /** Give the machine back. */
  release(): void {
    this.teller.replay.run.release();
    this.environment.giveBack(this.teller.replay.machine);
  }
}

/** With files as the client names them. */
export function shownDetails(details: MapDetails | null): MapDetails | null {
  if (details === null) return null;
  return {
    ...details,
    history: details.history.map((entry) => ({
      ...entry,
      frames: entry.frames.map((frame) => ({ ...frame, uri: uriOfPath(frame.uri) })),
    })),
  };
}
