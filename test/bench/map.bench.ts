// The memory map's page at 1 TiB with a million touched pages, each a run of its own: the first picture, frames while panning, zooming, scrubbing and
// playing, and memory. In a headless Chromium without a GPU. A frame is what the page does in one animation frame; an interval is the time from one
// to the next, with all that the browser does, on a display of 60 Hz.

import type { CDPSession, Page } from 'playwright-core';
import { startKit } from '../map/browser.ts';
import { type BenchRow, main } from './report.ts';

export const name = 'map';

/** Runs in the page, before its script: notes how long each animation frame's callbacks took, and when it was. */
const measureFrames = `
  window.frames_ = [];
  const request = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (callback) => request((time) => {
    const began = performance.now();
    callback(time);
    window.frames_.push([time, performance.now() - began]);
  });
`;

/** Runs in the page: a story too large to be sent there as text. A million pages, a run each, in 500 steps. */
const makeStory = `(() => {
  const lanes = [
    { kind: 'host', name: 'Host physical memory', pages: 2 ** 28, extents: [[0, 2 ** 28]], backing: [], folios: [[0, 2 ** 28, 9]] },
    { kind: 'guest', name: 'g', asid: 1, pages: 2 ** 26, extents: [[0, 2 ** 26]], backing: [{ slot: 0, gfn: 0, pages: 2 ** 26, pfn: 2 ** 26 }], folios: [] },
    { kind: 'direct-map', name: 'Direct map', pages: 2 ** 28, extents: [[0, 2 ** 28]], backing: [], folios: [] },
  ];
  const steps = 500, total = 2 ** 20, host = 768 * 1024;
  const runs = (n) => ({ lane: new Uint8Array(n), start: new Uint32Array(n), count: new Uint32Array(n).fill(1), before: new Uint32Array(n), after: new Uint32Array(n) });
  const base = runs(3);
  base.lane.set([0, 1, 2]); base.count.set([2 ** 28, 2 ** 26, 2 ** 28]); base.after.set([1, 1, 7]);
  const changes = runs(total), changesFrom = new Uint32Array(steps + 1), list = [], violations = [];
  let at = 0;
  for (let step = 0; step < steps; step++) {
    changesFrom[step] = at;
    // Step s touches each page that is s modulo the number of steps: all over the lanes.
    for (let i = step; i < host; i += steps) {
      changes.start[at] = i * Math.floor(2 ** 28 / host); changes.before[at] = 1; changes.after[at] = i % 3 ? 11 | 1 << 6 | 1 << 10 : 10 | 1 << 10; at++;
    }
    for (let i = step; i < total - host; i += steps) {
      changes.lane[at] = 1; changes.start[at] = i * Math.floor(2 ** 26 / (total - host)); changes.before[at] = 1; changes.after[at] = 2 | 1 << 2 | 1 << 5 | 1 << 6; at++;
    }
    list.push({ line: step, text: 'step ' + step, outcome: '0', failed: step % 97 === 0, rules: [] });
  }
  changesFrom[steps] = at;
  changes.after[1000] = (changes.after[1000] | 1 << 30) >>> 0;
  return { uri: 'file:///bench', scenario: 'bench', scenarios: ['bench'], lanes, steps: list, violations, base, changes, changesFrom };
})()`;

const percentile = (values: readonly number[], part: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Number.NaN;

async function frames(
  page: Page,
  act: () => Promise<void>,
): Promise<{ frame: number; interval: number; count: number; worst: number }> {
  await page.waitForTimeout(400);
  await page.evaluate('frames_.length = 0');
  await act();
  const all = (await page.evaluate('frames_')) as [number, number][];
  // Callbacks of one animation frame have its time in common.
  const byTime = new Map<number, number>();
  for (const [time, took] of all) byTime.set(time, (byTime.get(time) ?? 0) + took);
  const times = [...byTime.keys()].sort((a, b) => a - b);
  const intervals = times.slice(1).map((time, i) => time - times[i]);
  const took = [...byTime.values()];
  return {
    frame: percentile(took, 0.95),
    worst: Math.max(...took),
    interval: percentile(intervals, 0.95),
    count: took.length,
  };
}

/** In the page: one act for each of its frames. */
const everyFrame = (count: number, act: string): string =>
  `new Promise((done) => { let n = 0; const next = () => { if (n === ${count}) return done(); ${act}; n++; requestAnimationFrame(next); }; next(); })`;

const wheel = (x: string, y: number, delta: string, shift = false): string =>
  `document.querySelector('.map-canvas').dispatchEvent(new WheelEvent('wheel', { clientX: rect.left + ${x}, clientY: rect.top + ${y}, deltaY: ${delta}, shiftKey: ${shift}, bubbles: true, cancelable: true }))`;
const withRect = (code: string): string =>
  `(() => { const rect = document.querySelector('.map-canvas').getBoundingClientRect(); return ${code}; })()`;

/** Processor time of the page's main thread so far, in ms: unlike the clock's, it does not depend on what else the machine does. */
async function threadTime(session: CDPSession): Promise<number> {
  const { metrics } = (await session.send('Performance.getMetrics')) as { metrics: { name: string; value: number }[] };
  return (metrics.find((one) => one.name === 'TaskDuration')?.value ?? Number.NaN) * 1000;
}

async function memory(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage');
  const usage = (await session.send('Runtime.getHeapUsage')) as { usedSize: number; backingStorageSize?: number };
  return (usage.usedSize + (usage.backingStorageSize ?? 0)) / 2 ** 20;
}

export async function run(): Promise<BenchRow[]> {
  const kit = await startKit();
  const rows: BenchRow[] = [];
  try {
    const { page } = await kit.open({ width: 1280, height: 860, reducedMotion: 'no-preference', init: measureFrames });
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    const empty = await memory(session);
    await page.evaluate(`window.bench = ${makeStory}`);
    const first = (await page.evaluate(`new Promise((done) => {
      const began = performance.now();
      dispatchEvent(new MessageEvent('message', { data: { type: 'story', story: window.bench, position: { state: 0, by: 'editor' } } }));
      requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
    })`)) as number;
    rows.push({
      what: 'first picture',
      value: first,
      unit: 'ms',
      budget: 300,
      note: 'from the story to the frame after it',
    });
    await page.evaluate(`delete window.bench`);

    const timed = async (what: string, code: string) => {
      let cpu = 0;
      const { frame, worst, interval, count } = await frames(page, async () => {
        const began = await threadTime(session);
        await page.evaluate(code);
        cpu = (await threadTime(session)) - began;
      });
      rows.push({
        what: `${what}: frame, p95`,
        value: frame,
        unit: 'ms',
        budget: 16,
        note: `worst ${worst.toFixed(1)} ms of ${count} frames`,
      });
      rows.push({
        what: `${what}: processor time of a frame`,
        value: cpu / count,
        unit: 'ms',
        budget: 16,
        note: 'mean, of the page’s thread',
      });
      rows.push({
        what: `${what}: interval, p95`,
        value: interval,
        unit: 'ms',
        note: 'with all that the browser does',
      });
    };
    const slider = `document.querySelector('.timeline-slider')`;
    const key = (name: string) =>
      `${slider}.dispatchEvent(new KeyboardEvent('keydown', { key: '${name}', bubbles: true, cancelable: true }))`;
    await timed(
      'from the first state to the last',
      `(${key('End')}, new Promise((done) => { const wait = () => setTimeout(() => document.querySelector('.state-count').textContent.startsWith('500') ? setTimeout(done, 900) : wait(), 50); wait(); }))`,
    );
    await timed(
      'zooming out to 1 TiB and in to a page',
      withRect(everyFrame(240, wheel('500', 100, `n < 100 ? 160 : -160`))),
    );
    await page.keyboard.press('0');
    await timed(
      'panning at half of 1 TiB',
      withRect(
        everyFrame(
          180,
          `${wheel('500', 100, 'n < 8 ? -30 : 0')}; ${wheel('500', 100, 'n % 120 < 60 ? 37 : -37', true)}`,
        ),
      ),
    );
    await page.evaluate(withRect(everyFrame(30, wheel('500', 100, '-160'))));
    await timed('panning at some GiB', withRect(everyFrame(180, wheel('500', 100, 'n % 120 < 60 ? 37 : -37', true))));
    await page.evaluate(`document.querySelector('[label="Whole lanes"]').click()`);
    await timed(
      'scrubbing 3 states a frame at 1 TiB',
      everyFrame(160, `${key('ArrowLeft')}; ${key('ArrowLeft')}; ${key('ArrowLeft')}`),
    );
    await timed(
      'dragging the scrubber over all states',
      `(() => { const box = ${slider}.getBoundingClientRect(); const at = (type, part) => new PointerEvent(type, { pointerId: 1, clientX: box.left + part * box.width, clientY: box.top + 10, bubbles: true }); ${slider}.setPointerCapture = () => {}; ${slider}.hasPointerCapture = () => true; ${slider}.dispatchEvent(at('pointerdown', 0.1)); return ${everyFrame(150, `${slider}.dispatchEvent(at('pointermove', 0.5 + 0.5 * Math.sin(n / 15)))`)}; })()`,
    );
    await page.evaluate(key('End'));
    await page.waitForTimeout(1500);
    const used = await memory(session);
    const canvas = (await page.evaluate(
      `[...document.querySelectorAll('canvas')].reduce((sum, { width, height }) => sum + width * height * 4, 0)`,
    )) as number;
    rows.push({
      what: 'memory, all states applied',
      value: used + canvas / 2 ** 20,
      unit: 'MiB',
      budget: 64,
      note: `heap and buffers ${used.toFixed(1)}, canvases ${(canvas / 2 ** 20).toFixed(1)}; the page empty: ${empty.toFixed(1)}`,
    });
  } finally {
    await kit.close();
  }
  return rows;
}

await main(import.meta, run);
