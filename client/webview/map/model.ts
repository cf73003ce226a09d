// What the page shows: the story, the state it stands at, and how one looks at it. Every part of the page reads it and is told when it changes;
// only the methods here change it.

import type { MapPosition, MapRuns, MapStory, MapStoryUpdate } from '../../../server/common/map-protocol.ts';
import { clampView, type View, wholeView } from './axis.ts';
import type { Filter } from './bands.ts';
import { Difference } from './difference.ts';
import { linkedPage } from './links.ts';
import type { Place } from './scene.ts';
import { type LaneState, StoryState } from './story-state.ts';
import { viewsOfTouched } from './touched.ts';

/** What has changed: the story itself, the state shown, what is seen of the lanes, the selection, the filter, the pinned state, the words on it. */
export type Topic = 'story' | 'state' | 'view' | 'selection' | 'filter' | 'pin' | 'follow';

/** How long a slice of a long way through the states may take, in ms: a quarter of a frame, for it has to be drawn too. */
const slice = 4;
/** On a long way, what is passed is shown this often, in ms. */
const glimpse = 100;

export class MapModel {
  /** Undefined: there is nothing to show, because of {@link nothing}. */
  story: StoryState | undefined;
  nothing = '';
  /** The state that is wanted; {@link shown} gets there. */
  target = 0;
  /** The state that is shown. */
  shown = 0;
  /** The step whose changes are marked: the last one gone over. */
  lastStep: number | undefined;
  /** Whose position the page shows; undefined: the user's own. */
  following: MapPosition['by'] | undefined;
  views: View[] = [];
  /** Lanes keep pages above their frames. */
  linked = true;
  selection: Place | undefined;
  filter: Filter = new Set();
  difference: Difference | undefined;
  /** In CSS pixels, of a lane. */
  width = 600;
  /** Says that the user went to a state. */
  onUserState: (state: number) => void = () => {};
  #position: MapPosition | undefined;
  readonly #listeners = new Map<Topic, (() => void)[]>();
  #moving = false;
  #glimpsed = 0;
  /** The view is the one to begin with: it may be chosen again for another width. */
  #untouchedView = false;

  on(topics: readonly Topic[], listener: () => void): void {
    for (const topic of topics) this.#listeners.set(topic, [...(this.#listeners.get(topic) ?? []), listener]);
  }

  tell(topic: Topic): void {
    for (const listener of this.#listeners.get(topic) ?? []) listener();
  }

  get lanes(): readonly LaneState[] {
    return this.story?.lanes ?? [];
  }

  get lastState(): number {
    return this.story?.lastState ?? 0;
  }

  /** Shows a story from its first state on, or where somebody stands. A story of the same lanes keeps what is looked at. */
  load(story: MapStory, position?: MapPosition): void {
    const before = this.story?.story;
    const same =
      before !== undefined &&
      before.uri === story.uri &&
      before.scenario === story.scenario &&
      sameLanes(before, story);
    const state = same ? this.target : 0;
    this.story = new StoryState(story);
    this.nothing = '';
    this.difference = undefined;
    this.lastStep = undefined;
    this.following = undefined;
    this.#position = undefined;
    this.shown = 0;
    this.target = 0;
    if (!same) {
      this.selection = undefined;
      this.views = viewsOfTouched(this.story, this.width);
      this.#untouchedView = true;
    }
    this.tell('story');
    this.tell('view');
    this.tell('pin');
    this.tell('selection');
    if (position) this.follow(position);
    else this.#go(Math.min(state, story.steps.length));
  }

  showNothing(message: string): void {
    this.story = undefined;
    this.nothing = message;
    this.selection = undefined;
    this.difference = undefined;
    this.views = [];
    this.target = 0;
    this.shown = 0;
    this.tell('story');
    this.tell('pin');
    this.tell('selection');
  }

  update(update: MapStoryUpdate): void {
    const { story } = this;
    if (!story) return;
    story.update(update);
    this.#position = undefined;
    if (this.difference && this.difference.state > story.lastState) this.difference = undefined;
    this.shown = Math.min(this.shown, story.lastState);
    this.lastStep = undefined;
    this.tell('story');
    this.tell('pin');
    this.#go(Math.min(this.target, story.lastState));
  }

  /** The debugger or the editor stands somewhere. */
  follow(position: MapPosition): void {
    if (!this.story) return;
    this.following = position.by;
    this.#position = position;
    this.tell('follow');
    this.#go(clampState(position.state, this.lastState));
  }

  /** The user goes to a state. */
  goTo(state: number): void {
    if (!this.story) return;
    const wanted = clampState(state, this.lastState);
    this.following = undefined;
    this.#position = undefined;
    this.tell('follow');
    const moved = wanted !== this.target || this.story.partial !== undefined;
    this.#go(wanted);
    if (moved) this.onUserState(wanted);
  }

  /** Changes that are marked as new: those of the last step, or of the debugger's way into the next one. */
  get fresh(): { runs: MapRuns; from: number; to: number } | undefined {
    const { story } = this;
    if (!story) return undefined;
    if (story.partial) return { runs: story.partial, from: 0, to: story.partial.start.length };
    if (this.lastStep === undefined) return undefined;
    const { changes, changesFrom } = story.story;
    return { runs: changes, from: changesFrom[this.lastStep], to: changesFrom[this.lastStep + 1] };
  }

  #go(state: number): void {
    this.target = state;
    if (!this.#moving) this.#advance();
  }

  #advance = (): void => {
    this.#moving = false;
    const { story } = this;
    if (!story) return;
    const until = performance.now() + slice;
    const arrived = story.advance(this.target, () => performance.now() > until);
    if (!arrived) {
      this.#moving = true;
      this.shown = story.state;
      requestAnimationFrame(this.#advance);
      // Frames between glimpses belong to the way.
      if (until - this.#glimpsed > glimpse) {
        this.#glimpsed = until;
        this.tell('state');
      }
      return;
    }
    if (this.shown !== this.target) this.lastStep = this.target > 0 ? this.target - 1 : undefined;
    this.shown = this.target;
    if (this.#position?.state === this.target) story.showPartial(this.#position.partial);
    this.difference?.follow(story, this.shown);
    this.tell('state');
  };

  /** Compares with a state, or with none. */
  pin(state: number | undefined): void {
    const { story } = this;
    if (!story) return;
    this.difference = state === undefined ? undefined : new Difference(story, clampState(state, story.lastState));
    this.difference?.follow(story, this.shown);
    this.tell('pin');
  }

  /**
   * Looks at a part of a lane. Linked lanes go along, so that a page stays above its frame.
   * @param x of the lane, in CSS pixels: where the lanes are tied together
   */
  setView(lane: number, view: View, x = this.width / 2): void {
    const of = this.lanes[lane];
    if (!of) return;
    this.#untouchedView = false;
    const shown = clampView(of.axis, this.width, view);
    this.views[lane] = shown;
    if (this.linked) {
      for (const [index, other] of this.lanes.entries()) {
        if (index === lane) continue;
        const tied = this.#tied(lane, index, shown, x);
        if (tied) this.views[index] = clampView(other.axis, this.width, tied);
      }
    }
    this.tell('view');
  }

  #tied(lane: number, other: number, view: View, x: number): View | undefined {
    const { axis } = this.lanes[lane];
    // What is at the cursor, else what is in the middle.
    for (const at of [x, this.width / 2]) {
      const offset = Math.min(view.left + at * view.scale, axis.length - 1e-6);
      const page = axis.page(offset);
      const partner = linkedPage(this.story!.story.lanes, { lane, page }, other);
      if (partner === undefined) continue;
      const target = this.lanes[other].axis;
      const within = Math.max(0, offset - axis.offset(page));
      return { left: target.offset(partner) + Math.min(1, within) - at * view.scale, scale: view.scale };
    }
    return undefined;
  }

  /** Looks at a part of each lane. */
  setViews(views: readonly View[]): void {
    this.#untouchedView = false;
    this.views = this.lanes.map(({ axis }, index) =>
      clampView(axis, this.width, views[index] ?? wholeView(axis, this.width)),
    );
    this.tell('view');
  }

  /** Where the user stood before the page was made anew: nobody is told. */
  restoreState(state: number): void {
    this.#go(clampState(state, this.lastState));
  }

  setLinked(linked: boolean): void {
    this.linked = linked;
    this.tell('view');
  }

  select(place: Place | undefined): void {
    this.selection = place;
    this.tell('selection');
  }

  setFilter(filter: Filter): void {
    this.filter = filter;
    this.tell('filter');
  }

  /** The panel has another width. What was seen whole stays whole. */
  setWidth(width: number): void {
    if (width === this.width) return;
    for (const [index, { axis }] of this.lanes.entries()) {
      const view = this.views[index];
      const whole = view.scale * this.width >= axis.length - 1e-6;
      this.views[index] = whole ? wholeView(axis, width) : clampView(axis, width, view);
    }
    this.width = width;
    if (this.#untouchedView && this.story) this.views = viewsOfTouched(this.story, width);
    this.tell('view');
  }
}

const clampState = (state: number, last: number): number =>
  Number.isFinite(state) ? Math.min(Math.max(0, Math.trunc(state)), last) : 0;

const sameLanes = (a: MapStory, b: MapStory): boolean =>
  JSON.stringify(a.lanes.map(({ kind, name, pages, extents }) => [kind, name, pages, extents])) ===
  JSON.stringify(b.lanes.map(({ kind, name, pages, extents }) => [kind, name, pages, extents]));
