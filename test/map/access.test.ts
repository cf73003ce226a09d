// The map for everybody: in all themes, by keyboard alone, for a screen reader, narrow and enlarged.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { inkOf, type ThemeKind } from '../../client/webview/map/palette.ts';
import { root } from '../../scripts/lib/toolchain.mjs';
import { type BodyClass, type Kit, startKit } from './browser.ts';
import { name, Probe } from './probe.ts';
import { conversion } from './synthetic.ts';

const out = join(import.meta.dirname, 'out');
const pfn = 0x40000;
const themes: readonly [BodyClass, ThemeKind][] = [
  ['vscode-dark', 'dark'],
  ['vscode-light', 'light'],
  ['vscode-high-contrast', 'hc-dark'],
  ['vscode-high-contrast vscode-high-contrast-light', 'hc-light'],
];
let kit: Kit;

before(async () => {
  mkdirSync(out, { recursive: true });
  kit = await startKit();
});
after(() => kit.close());

const axe = readFileSync(join(root, 'node_modules/axe-core/axe.min.js'), 'utf8');

/** What axe finds, in a line each. */
async function offences({ map }: Probe): Promise<string[]> {
  if (!(await map.page.evaluate('typeof axe !== "undefined"'))) await map.page.evaluate(axe);
  const { violations } = (await map.page.evaluate('axe.run(document)')) as {
    violations: { id: string; nodes: { target: unknown[]; failureSummary: string }[] }[];
  };
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(
      ({ target, failureSummary }) => `${id}: ${JSON.stringify(target)} ${failureSummary.replaceAll('\n', ' ')}`,
    ),
  );
}

for (const [theme, kind] of themes) {
  test(`${kind}: the lanes have its colours and axe finds nothing, whatever is open`, async () => {
    const map = await kit.open({ theme });
    const story = conversion();
    await map.tell({ type: 'story', story, position: { state: 8, by: 'editor' } });
    const probe = new Probe(map, story);
    await probe.shows(0, 'state', pfn + 100, 'green', kind);
    await probe.shows(1, 'attribute', 2500, 'orange', kind);
    await probe.press('p', '[', '[', 'n', ']', ']', 'n');
    await probe.saved();
    const question = async () => (await map.said()).findLast((one) => one.type === 'details');
    await probe.until(async () => (await question())?.state === 8, 'the details are asked for');
    await map.tell({
      type: 'details',
      id: (await question())?.id ?? 0,
      details: {
        title: 'SPA 0x40210000',
        sections: [{ heading: 'RMP entry', facts: [{ label: 'Assigned', value: 'yes', note: 'to ASID 1' }] }],
        raw: Array.from({ length: 16 }, (_, i) => i),
        history: [{ step: 7, what: 'RMPUPDATE', frames: [{ function: 'f', uri: 'file:///a.c', line: 1 }] }],
        links: [{ lane: 1, page: 528, label: 'guest g' }],
      },
    });
    assert.ok(((await map.page.locator('#panel-page').textContent()) ?? '').includes('+0x8'));
    await map.page.screenshot({ path: join(out, `theme-${kind}.png`) });
    assert.deepEqual(await offences(probe), [], 'the page');
    await map.page.locator('vscode-textfield input').fill('asid 1');
    await map.page.locator('vscode-textfield input').press('Enter');
    assert.deepEqual(await offences(probe), [], 'search results');
    await map.page.locator('#tab-view').click();
    assert.deepEqual(await offences(probe), [], 'the table');
    await map.page.locator('[data-key="state:Guest-Valid"]').click();
    await probe.press('?');
    await map.page.screenshot({ path: join(out, `help-${kind}.png`) });
    assert.deepEqual(await offences(probe), [], 'help and a filter');
    assert.deepEqual(await map.offences(), []);
  });
}

test('another theme is taken over at once', async () => {
  const map = await kit.open({ theme: 'vscode-dark' });
  const story = conversion();
  await map.tell({ type: 'story', story, position: { state: 8, by: 'editor' } });
  const probe = new Probe(map, story);
  await probe.shows(0, 'state', pfn + 100, 'green', 'dark');
  await map.page.evaluate(`document.body.className = 'vscode-light'`);
  await probe.shows(0, 'state', pfn + 100, 'green', 'light');
});

test('the lanes are gone over by keys alone, and each page is told', async () => {
  const map = await kit.open();
  const story = conversion();
  await map.tell({ type: 'story', story, position: { state: 8, by: 'editor' } });
  const probe = new Probe(map, story);
  const told = async () => {
    await map.page.waitForTimeout(150);
    return (await map.page.locator('#map-spoken').textContent()) ?? '';
  };
  await probe.press('t', 'ArrowRight', '1', 'Home');
  const first = (await probe.saved()).selection;
  assert.deepEqual(first, { lane: 0, page: 0, pages: 1 });
  assert.match(await told(), /^SPA 0x0\. pfn 0x0 · Host physical memory\. Page state Hypervisor/);
  await probe.press('ArrowRight', 'ArrowRight', 'Shift+ArrowRight', 'ArrowLeft');
  assert.equal((await probe.saved()).selection?.page, 17);
  await probe.press('n');
  assert.match(await told(), /violation ATTR-RMP the attribute says shared/);
  await probe.press('ArrowDown');
  assert.deepEqual((await probe.saved()).selection, { lane: 1, page: 528, pages: 1 });
  assert.match(await told(), /^GPA 0x210000\. .*Attribute shared.*RMP assigned/);
  await probe.press('ArrowUp', 'ArrowLeft');
  assert.deepEqual((await probe.saved()).selection, { lane: 0, page: pfn + 527, pages: 1 });
  await probe.press('3');
  await probe.press('ArrowRight');
  assert.match(await told(), /SPA 0x[0-9a-f]+\.\.0x[0-9a-f]+\. .*pages/);
  await probe.press('Enter', 'Enter');
  await probe.press('Escape');
  assert.equal((await probe.saved()).selection, undefined);
});

test('tab goes through all controls in the order of reading, and letters in the search box are letters', async () => {
  const map = await kit.open();
  await map.tell({ type: 'story', story: conversion(), position: { state: 8, by: 'editor' } });
  const order: string[] = [];
  await map.page.locator('body').press('Tab');
  for (let i = 0; i < 60; i++) {
    const at = (await map.page.evaluate(
      `(() => { const { activeElement } = document; return activeElement === document.body ? '' : (activeElement.getAttribute('aria-label') ?? activeElement.label ?? activeElement.textContent).trim(); })()`,
    )) as string;
    if (at === '') break;
    order.push(at);
    await map.page.keyboard.press('Tab');
  }
  const wanted = [
    'Scenario',
    'Search the map',
    'Next violation',
    'Save as PNG',
    'Help',
    'Play',
    'State',
    'Memory map',
    'Guest-Valid',
    'Page',
  ];
  assert.deepEqual(
    wanted.filter((name) => order.includes(name)),
    wanted,
    order.join(' · '),
  );
  assert.deepEqual(
    [...wanted].sort((a, b) => order.indexOf(a) - order.indexOf(b)),
    wanted,
  );
  const field = map.page.locator('vscode-textfield input');
  await field.focus();
  await map.page.keyboard.type('n?p[');
  assert.equal(await field.inputValue(), 'n?p[');
  assert.equal(await map.page.locator('dialog').isVisible(), false);
  await map.page.keyboard.press('Escape');
  assert.equal(await map.page.evaluate('document.activeElement.className'), 'map-canvas');
});

test('the help lists every key and closes with Escape', async () => {
  const map = await kit.open();
  await map.tell({ type: 'story', story: conversion() });
  const probe = new Probe(map, conversion());
  await probe.press('?');
  const text = (await map.page.locator('dialog').textContent()) ?? '';
  for (const does of ['next page in violation', 'compare with this state', 'zoom where it points', 'A triangle'])
    assert.ok(text.includes(does), does);
  await map.page.keyboard.press('Escape');
  assert.equal(await map.page.locator('dialog').isVisible(), false);
});

test('the table says of every run in view what the picture shows', async () => {
  const map = await kit.open();
  const story = conversion();
  await map.tell({ type: 'story', story, position: { state: 8, by: 'editor' } });
  const probe = new Probe(map, story);
  await probe.press('v');
  const tables = map.page.locator('.runs table');
  assert.deepEqual(await tables.locator('caption').allTextContents(), [
    'Host physical memory: 9 runs in view',
    'Guest g: 9 runs in view',
    'Direct map: 4 runs in view',
  ]);
  const row = tables.nth(0).locator('tr.violated');
  assert.deepEqual(await row.locator('th, td').allTextContents(), [
    '0x40210000',
    '1',
    'Guest-Invalid',
    'ASID 1',
    '4K entry',
    '–',
    'violated',
  ]);
  await row.locator('button').click();
  assert.deepEqual((await probe.saved()).selection, { lane: 0, page: pfn + 528, pages: 1 });
});

test('a panel beside an editor is narrow: everything is there, nothing is cut off', async () => {
  const map = await kit.open({ theme: 'vscode-light', width: 620, height: 900, deviceScaleFactor: 2 });
  const story = conversion();
  await map.tell({ type: 'story', story, position: { state: 7, by: 'debugger' } });
  const probe = new Probe(map, story);
  await probe.shows(0, 'state', pfn + 100, 'green', 'light');
  await probe.press('n');
  await map.page.screenshot({ path: join(out, 'narrow.png') });
  const wide = (await map.page.evaluate('document.documentElement.scrollWidth')) as number;
  assert.ok(wide <= 620);
  for (const box of await map.page.locator('.tools vscode-toolbar-button').all()) {
    const place = await box.boundingBox();
    assert.ok(place && place.x >= 0 && place.x + place.width <= 620);
  }
});

test('a change is lit for a moment, unless the user wants no motion', async () => {
  for (const reducedMotion of ['no-preference', 'reduce'] as const) {
    const map = await kit.open({ reducedMotion });
    const story = conversion();
    await map.tell({ type: 'story', story, position: { state: 2, by: 'editor' } });
    const probe = new Probe(map, story);
    const { x, y, height } = await probe.where(0, 'state', pfn + 100);
    // What the pixel is in the frames after the change.
    const colors = (await map.page.evaluate(`new Promise((done) => {
      const canvas = document.querySelector('.map-canvas');
      const seen = [];
      const look = () => {
        seen.push(canvas.getContext('2d').getImageData(${Math.round(x)}, ${Math.round(y + height / 2 + 12)}, 1, 1).data.slice(0, 3).join(' '));
        if (seen.length < 5) requestAnimationFrame(look);
        else done(seen.slice(1));
      };
      document.querySelector('.timeline-slider').dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
      requestAnimationFrame(look);
    })`)) as string[];
    const calm = colors.every((color) => color === name(inkOf('dark', 'green')));
    assert.equal(calm, reducedMotion === 'reduce', `${reducedMotion}: ${colors.join(', ')}`);
  }
});
