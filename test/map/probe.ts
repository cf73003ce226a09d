// Looking at the page's canvas in a test: the pixels of a track at a page, wherever layout and zoom have put it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { View } from '../../client/webview/map/axis.ts';
import { gutter, layOut } from '../../client/webview/map/layout.ts';
import { type Ink, inkOf, type Rgb, type ThemeKind } from '../../client/webview/map/palette.ts';
import { StoryState } from '../../client/webview/map/story-state.ts';
import { decodeStory, type EncodedStory } from '../../server/common/map-codec.ts';
import type { MapStory } from '../../server/common/map-protocol.ts';
import type { MapPage } from './browser.ts';

/** What a real scenario yielded: see recordings/. */
export const recording = (name: string): MapStory =>
  decodeStory(
    JSON.parse(readFileSync(join(import.meta.dirname, 'recordings', `${name}.json`), 'utf8')) as EncodedStory,
  );

interface Saved {
  state: number;
  views: View[];
  selection?: { lane: number; page: number; pages: number };
  filter: string[];
  pinned?: number;
  linked: boolean;
  tab: string;
}

export class Probe {
  readonly map: MapPage;
  readonly #lanes: StoryState;

  constructor(map: MapPage, story: MapStory) {
    this.map = map;
    this.#lanes = new StoryState(story);
  }

  /** What the page has saved: how it is looked at. Waits until it has settled. */
  async saved(): Promise<Saved> {
    const state =
      await this.map.page.evaluate(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
      dispatchEvent(new Event('pagehide'));
      done(sessionStorage.getItem('state'));
    })))`);
    return JSON.parse(state as string) as Saved;
  }

  /** Where a page's middle is, in CSS pixels of the canvas; `track` by its key. */
  async where(lane: number, track: string, page: number): Promise<{ x: number; y: number; height: number }> {
    const { views } = await this.saved();
    const [height, top] = (await this.map.page.evaluate(
      `(() => { const { clientHeight, scrollTop } = document.querySelector('.map-scroller'); return [clientHeight, scrollTop]; })()`,
    )) as [number, number];
    const place = layOut(this.#lanes.lanes, height).places[lane];
    const found = place.tracks.find((one) => one.track.key === track);
    assert.ok(found, `a track ${track}`);
    const { left, scale } = views[lane];
    const x = gutter + (place.lane.axis.offset(page) + 0.5 - left) / scale;
    return { x, y: found.y - top, height: found.height };
  }

  /** All colours of the track's pixels at a page: `width` pixels around its middle. */
  async colors(lane: number, track: string, page: number, width = 7): Promise<Set<string>> {
    const { x, y, height } = await this.where(lane, track, page);
    const box = [Math.round(x - width / 2), Math.round(y + 1), width, Math.max(1, Math.min(7, height - 2))];
    const found = (await this.map.page.evaluate(`(() => {
      const canvas = document.querySelector('.map-canvas');
      const scale = canvas.width / canvas.clientWidth;
      const { data } = canvas.getContext('2d').getImageData(...${JSON.stringify(box)}.map((n) => n * scale));
      const colors = new Set();
      for (let i = 0; i < data.length; i += 4) colors.add(data.slice(i, i + 3).join(' '));
      return [...colors];
    })()`)) as string[];
    return new Set(found);
  }

  /** The track at a page has a category's ink. */
  async shows(lane: number, track: string, page: number, ink: Ink, theme: ThemeKind = 'dark'): Promise<void> {
    const colors = await this.colors(lane, track, page);
    assert.ok(colors.has(name(inkOf(theme, ink))), `${track} of page ${page} is ${ink}, not ${[...colors].join(', ')}`);
  }

  async showsNot(lane: number, track: string, page: number, ink: Ink, theme: ThemeKind = 'dark'): Promise<void> {
    const colors = await this.colors(lane, track, page);
    assert.ok(!colors.has(name(inkOf(theme, ink))), `${track} of page ${page} is not ${ink}`);
  }

  async click(lane: number, track: string, page: number): Promise<void> {
    const { x, y, height } = await this.where(lane, track, page);
    await this.map.page.locator('.map-canvas').click({ position: { x, y: y + height / 2 } });
  }

  /** Waits for something that comes by itself. */
  async until(holds: () => Promise<boolean>, what: string): Promise<void> {
    for (const end = Date.now() + 5000; !(await holds()); ) {
      if (Date.now() > end) assert.fail(`waited in vain: ${what}`);
      await this.map.page.waitForTimeout(30);
    }
  }

  /** Waits until a state is shown. */
  async at(state: number): Promise<void> {
    await this.map.page.locator(`.timeline-slider[aria-valuenow="${state}"]`).waitFor({ timeout: 5000 });
  }

  /** Gives the lanes the keyboard and presses keys. */
  async press(...keys: string[]): Promise<void> {
    await this.map.page.locator('.map-canvas').focus();
    for (const key of keys) await this.map.page.keyboard.press(key);
  }
}

export const name = (color: Rgb): string => color.join(' ');
