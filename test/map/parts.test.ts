// The map's parts that need no browser: runs against an array of pages, the axis, the search grammar, the palette.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Axis, clampView, wholeView, widestPage, zoomed } from '../../client/webview/map/axis.ts';
import { heightsOf } from '../../client/webview/map/bands.ts';
import { Mixture } from '../../client/webview/map/mixture.ts';
import {
  contrast,
  inkOf,
  luminance,
  patterns,
  type Rgb,
  type ThemeKind,
  textOn,
} from '../../client/webview/map/palette.ts';
import { parseNumber, parseQuery } from '../../client/webview/map/query.ts';
import { RunList } from '../../client/webview/map/run-list.ts';
import { StoryState } from '../../client/webview/map/story-state.ts';
import { tracksOf } from '../../client/webview/map/tracks.ts';
import { recording } from './probe.ts';
import { conversion } from './synthetic.ts';

/** The same numbers every time. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('a run list says of every page, mixture and search what an array of pages says', () => {
  for (let round = 0; round < 12; round++) {
    const below = random(round + 1);
    const pages = 2000;
    const list = new RunList(pages);
    const array = new Uint32Array(pages);
    for (let i = 0; i < 1200; i++) {
      const start = below(pages);
      const end = start + 1 + below(i % 12 === 0 ? pages : 5);
      const id = below(round % 2 ? 3 : 14);
      list.set(start, end, id);
      array.fill(id, start, Math.min(end, pages));
      if (i % 60 !== 0) continue;
      const from = below(pages);
      const to = from + 1 + below(pages - from);
      const counts = new Map<number, number>();
      for (const one of array.subarray(from, to)) counts.set(one, (counts.get(one) ?? 0) + 1);
      const mixture = new Mixture();
      list.mix(from, Math.min(to, pages), mixture);
      assert.deepEqual(
        new Map(mixture.ids.map((one) => [one, mixture.count(one)])),
        new Map([...counts].sort((a, b) => mixture.ids.indexOf(a[0]) - mixture.ids.indexOf(b[0]))),
      );
      const next = array.indexOf(id, from);
      assert.equal(list.find(from, true, (one) => one === id)?.start ?? -1, next);
      const before = from === 0 ? -1 : array.lastIndexOf(id, from - 1);
      assert.equal((list.find(from, false, (one) => one === id)?.end ?? 0) - 1, before);
    }
    for (let page = 0; page < pages; page++) assert.equal(list.at(page), array[page]);
    for (let id = 0; id < 14; id++) assert.equal(list.total(id), array.filter((one) => one === id).length);
    let runs = 0;
    list.forEach(0, pages, () => {
      runs++;
      return true;
    });
    assert.equal(runs, 1 + array.subarray(1).reduce((sum, one, i) => sum + (one !== array[i] ? 1 : 0), 0));
  }
});

test('ids beyond 16 bits are told apart', () => {
  const list = new RunList(100);
  list.set(3, 5, 70_000);
  list.set(4, 5, 70_000 - 65_536);
  assert.deepEqual([list.at(3), list.at(4)], [70_000, 4464]);
});

test('going to any state and back gives the same pages, whichever way', () => {
  for (const story of [conversion(), recording('leaks-and-violations'), recording('unshare-one-page')]) {
    const there = new StoryState(story);
    const pictures: string[] = [];
    const picture = () =>
      JSON.stringify(
        there.lanes.map((lane) => {
          const runs: number[][] = [];
          lane.runs.forEach(0, lane.lane.pages, (start, end, id) => {
            runs.push([start, end, lane.cells[id]]);
            return true;
          });
          return runs;
        }),
      );
    for (let state = 0; state <= there.lastState; state++) {
      there.advance(state);
      pictures.push(picture());
    }
    assert.ok(new Set(pictures).size > 1, 'the story changes something');
    const below = random(7);
    for (let i = 0; i < 40; i++) {
      const state = below(there.lastState + 1);
      there.advance(state);
      assert.equal(picture(), pictures[state]);
    }
  }
});

test('an axis leaves out what is not there, and loses no page', () => {
  const axis = new Axis([
    [100, 200],
    [0, 50],
    [150, 300],
  ]);
  assert.equal(axis.length, 250);
  assert.deepEqual([axis.page(0), axis.page(49), axis.page(50), axis.page(249)], [0, 49, 100, 299]);
  for (let offset = 0; offset < axis.length; offset++) assert.equal(axis.offset(axis.page(offset)), offset);
  assert.deepEqual([axis.has(49), axis.has(50), axis.has(299), axis.has(300)], [true, false, true, false]);
  const seen: number[][] = [];
  axis.pagesBetween(40, 60, (start, end) => seen.push([start, end]));
  assert.deepEqual(seen, [
    [40, 50],
    [100, 110],
  ]);
});

test('zooming keeps what is under the pointer, and ends at one page and at the whole lane', () => {
  const axis = new Axis([[0, 2 ** 28]]);
  let view = wholeView(axis, 800);
  const at = 200_000_000;
  for (let i = 0; i < 80; i++) view = zoomed(axis, 800, view, 0.7, (at + 0.5 - view.left) / view.scale);
  assert.equal(view.scale, 1 / widestPage);
  const x = (at + 0.5 - view.left) / view.scale;
  assert.ok(x >= 0 && x <= 800, 'the page is in sight');
  for (let i = 0; i < 80; i++) view = zoomed(axis, 800, view, 1.5, x);
  assert.deepEqual(view, wholeView(axis, 800));
  assert.deepEqual(clampView(axis, 800, { left: -5, scale: 1 }), { left: 0, scale: 1 });
});

test('the parts of a mixture add up to the height, and one page in a terabyte has a pixel', () => {
  const [category] = [tracksOf('host')[0].category(0)];
  const layer = (pages: number) => ({ category, dimmed: false, pages });
  assert.deepEqual(heightsOf([layer(2 ** 28 - 1), layer(1)], 32), [31, 1]);
  assert.deepEqual(heightsOf([layer(1), layer(1)], 32), [16, 16]);
  assert.deepEqual(heightsOf([layer(3), layer(1)], 32), [24, 8]);
  const below = random(3);
  for (let i = 0; i < 300; i++) {
    const layers = Array.from({ length: 1 + below(9) }, () => layer(1 + below(10 ** (1 + below(6)))));
    const height = 1 + below(40);
    const heights = heightsOf(layers, height);
    assert.equal(
      heights.reduce((sum, one) => sum + one, 0),
      height,
    );
    if (layers.length <= height) assert.ok(heights.every((one) => one > 0));
  }
});

test('numbers are hex or decimal, with binary multiples', () => {
  const known: [string, number | undefined][] = [
    ['0x1000', 4096],
    ['0x4000_0000', 2 ** 30],
    ['2M', 2 ** 21],
    ['1G+2M', 2 ** 30 + 2 ** 21],
    ['512', 512],
    ['1GiB', 2 ** 30],
    ['0x', undefined],
    ['-1', undefined],
    ['1.5G', undefined],
    ['99999999999999999999', undefined],
    ['', undefined],
  ];
  for (const [text, value] of known) assert.equal(parseNumber(text), value, text);
});

test('a query is understood, or it is said why not', () => {
  const parsed = (text: string) => parseQuery(text);
  assert.deepEqual(parsed('pfn 0x40000'), { query: { kind: 'pages', space: 'host', start: 0x40000, end: 0x40001 } });
  assert.deepEqual(parsed(' GPA 2M..4M g '), {
    query: { kind: 'pages', space: 'guest', guest: 'g', start: 512, end: 1024 },
  });
  assert.deepEqual(parsed('spa 1G'), { query: { kind: 'pages', space: 'host', start: 2 ** 18, end: 2 ** 18 + 1 } });
  assert.deepEqual(parsed('0x1234'), { query: { kind: 'pages', space: 'any', start: 1, end: 2 } });
  assert.deepEqual(parsed('asid 3'), { query: { kind: 'asid', asid: 3 } });
  assert.deepEqual(parsed('rule'), { query: { kind: 'rule', rule: '' } });
  assert.deepEqual(parsed('is 2M entry'), { query: { kind: 'is', word: '2M entry' } });
  const errors: [string, RegExp][] = [
    ['', /Type what to look for/],
    ['pfm 3', /“pfm” is nothing to look for/],
    ['pfn', /pfn takes a page frame number/],
    ['gpa zero', /“zero” is not a guest address/],
    ['pfn 4..2', /empty/],
    ['pfn 1 2', /one word too many/],
    ['asid x', /asid takes a number/],
    ['is', /is takes a word/],
  ];
  for (const [text, error] of errors) {
    const answer = parsed(text);
    assert.ok('error' in answer && error.test(answer.error), `${text}: ${JSON.stringify(answer)}`);
  }
});

const backgrounds: Record<ThemeKind, Rgb> = {
  dark: [31, 31, 31],
  light: [255, 255, 255],
  'hc-dark': [0, 0, 0],
  'hc-light': [255, 255, 255],
};
const inks = ['slate', 'blue', 'sky', 'green', 'yellow', 'orange', 'pink', 'purple', 'red'] as const;

test('every colour stands out from the background by 3:1, and every label from its colour by 4.5:1', () => {
  assert.equal(luminance([255, 255, 255]), 1);
  for (const theme of Object.keys(backgrounds) as ThemeKind[]) {
    for (const ink of inks) {
      const color = inkOf(theme, ink);
      assert.ok(
        contrast(color, backgrounds[theme]) >= 3,
        `${theme} ${ink}: ${contrast(color, backgrounds[theme]).toFixed(2)}`,
      );
      assert.ok(contrast(textOn(color), color) >= 4.5, `${theme} ${ink}: text`);
    }
  }
});

test('no two categories of a track look alike, even without colour', () => {
  for (const kind of ['host', 'guest', 'direct-map'] as const) {
    const story = conversion();
    const lanes = new StoryState(story).lanes.filter(({ lane }) => lane.kind === kind);
    for (const [at, track] of tracksOf(kind).entries()) {
      const looks = new Map<string, string>();
      const cells =
        kind === 'host' && at === 0
          ? Array.from({ length: 14 }, (_, state) => state)
          : lanes.flatMap(({ cells: known }) => known);
      for (const cell of cells) {
        const { key, ink, pattern } = track.category(cell);
        if (!ink) continue;
        assert.ok(patterns.includes(pattern));
        for (const theme of Object.keys(backgrounds) as ThemeKind[]) {
          // Pattern, or at least a clear difference of lightness.
          for (const [otherKey, look] of looks) {
            const [otherInk, otherPattern] = look.split(' ') as [(typeof inks)[number], string];
            if (otherKey === key || otherPattern !== pattern) continue;
            const apart = contrast(inkOf(theme, ink), inkOf(theme, otherInk));
            assert.ok(apart >= 1.15, `${theme}: ${key} and ${otherKey} (${apart.toFixed(2)})`);
          }
        }
        looks.set(key, `${ink} ${pattern}`);
      }
    }
  }
});
