// The map's page in a real browser, alone: what it draws of each lane, and what one can do with it. Pictures go to out/.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { FromPage, MapStory } from '../../server/common/map-protocol.ts';
import { type Kit, type MapPage, startKit } from './browser.ts';
import { Probe, recording } from './probe.ts';
import { conversion, host, runs, Teller } from './synthetic.ts';

const out = join(import.meta.dirname, 'out');
const pfn = 0x40000;
let kit: Kit;

before(async () => {
  mkdirSync(out, { recursive: true });
  kit = await startKit();
});
after(() => kit.close());

async function shown(story: MapStory, state: number, options: Parameters<Kit['open']>[0] = {}): Promise<Probe> {
  const map = await kit.open(options);
  await map.tell({ type: 'story', story, position: { state, by: 'editor' } });
  return new Probe(map, story);
}

const last = <T extends FromPage['type']>(
  said: readonly FromPage[],
  type: T,
): Extract<FromPage, { type: T }> | undefined =>
  said.findLast((one): one is Extract<FromPage, { type: T }> => one.type === type);

const picture = (map: MapPage, name: string) => map.page.screenshot({ path: join(out, `${name}.png`) });

test('the host’s frames have the colours of their state, owner, entry and direct map', async () => {
  const probe = await shown(conversion(), 8);
  await probe.shows(0, 'state', pfn + 100, 'green');
  await probe.shows(0, 'state', pfn + 3000, 'slate');
  await probe.shows(0, 'owner', pfn + 100, 'blue');
  await probe.showsNot(0, 'owner', pfn + 3000, 'blue');
  await probe.shows(0, 'entry', pfn + 100, 'sky');
  await probe.shows(0, 'entry', pfn + 700, 'slate');
  await probe.shows(2, 'direct', pfn + 100, 'pink');
  await probe.shows(2, 'direct', pfn + 3000, 'slate');
  // Guest-Invalid is the same green, hatched.
  assert.ok((await probe.colors(0, 'state', pfn + 1800)).size > (await probe.colors(0, 'state', pfn + 1400)).size);
  await picture(probe.map, 'lanes');
});

test('a guest’s pages have the colours of attribute, mapping, RMP entry and permissions', async () => {
  const probe = await shown(conversion(), 8);
  await probe.shows(1, 'attribute', 100, 'blue');
  await probe.shows(1, 'attribute', 2500, 'orange');
  await probe.shows(1, 'npt', 100, 'blue');
  await probe.showsNot(1, 'npt', 2500, 'blue');
  await probe.shows(1, 'rmp', 100, 'green');
  await probe.shows(1, 'vmpl0', 100, 'purple');
  await probe.shows(1, 'vmpl1', 100, 'sky');
  await probe.showsNot(1, 'vmpl1', 2500, 'sky');
});

test('one page in violation in a terabyte is seen from afar, and n goes to it', async () => {
  const pages = 2 ** 28;
  const bad = 0xabcd123;
  const teller = new Teller(
    [{ kind: 'host', name: 'Host physical memory', pages, extents: [[0, pages]], backing: [], folios: [] }],
    [{ lane: 0, start: 0, count: pages, before: 0, after: host({ state: 'Hypervisor' }) }],
  );
  teller.step(
    { text: 'rmpupdate' },
    [[0, bad, 1, host({ state: 'Guest-Valid', asid: 1, violation: true })]],
    [{ lane: 0, start: bad, count: 1, rule: 'ATTR-RMP', message: 'not as it should be' }],
  );
  const probe = await shown(teller.end(), 1);
  await probe.press('0');
  await probe.shows(0, 'state', bad, 'red');
  await picture(probe.map, 'terabyte');
  await probe.press('n');
  const { selection, views } = await probe.saved();
  assert.deepEqual(selection, { lane: 0, page: bad, pages: 1 });
  assert.ok(views[0].scale < 1, 'near enough to see the page');
  await probe.shows(0, 'state', bad, 'green');
  // There is no other: it stays where it is.
  await probe.press('n', 'Shift+N');
  assert.deepEqual((await probe.saved()).selection, selection);
});

test('a column shows all that is in it, in proportion', async () => {
  const probe = await shown(conversion(), 8);
  await probe.press('0');
  // 2 MiB of eight in a pixel or so: validated and not validated, and hypervisor's.
  const colors = await probe.colors(0, 'state', pfn + 1200, 3);
  assert.ok(colors.size >= 2, [...colors].join(', '));
});

test('wheel zooms where it points, shift and wheel move, a drag moves, shift and drag zooms to what is marked', async () => {
  const probe = await shown(conversion(), 8);
  const { page } = probe.map;
  await probe.press('0');
  const before = (await probe.saved()).views;
  const { x, y } = await probe.where(1, 'attribute', 100_000);
  const box = await page.locator('.map-canvas').boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + x, box.y + y + 4);
  await page.mouse.wheel(0, -240);
  await page.mouse.wheel(0, -240);
  const zoomed = await probe.saved();
  assert.ok(zoomed.views[1].scale < before[1].scale / 5);
  const there = await probe.where(1, 'attribute', 100_000);
  // The pointer's place is a whole number of pixels.
  assert.ok(Math.abs(there.x - x) < 5, 'the page stays under the pointer');
  // Linked: the frame is where its page is.
  assert.ok(Math.abs((await probe.where(0, 'state', pfn + 100_000)).x - there.x) < 1);
  await page.keyboard.down('Shift');
  await page.mouse.wheel(0, 100);
  await page.keyboard.up('Shift');
  const panned = await probe.saved();
  assert.ok(Math.abs((panned.views[1].left - zoomed.views[1].left) / panned.views[1].scale - 100) < 2);
  await page.mouse.down();
  await page.mouse.move(box.x + x + 60, box.y + y + 4, { steps: 3 });
  await page.mouse.up();
  const dragged = await probe.saved();
  assert.ok(Math.abs((dragged.views[1].left - panned.views[1].left) / dragged.views[1].scale + 60) < 2);
  await page.keyboard.down('Shift');
  await page.mouse.down();
  await page.mouse.move(box.x + x + 160, box.y + y + 4, { steps: 3 });
  await page.mouse.up();
  await page.keyboard.up('Shift');
  assert.ok((await probe.saved()).views[1].scale < dragged.views[1].scale / 5);
});

test('lanes that are not linked move each for itself', async () => {
  const probe = await shown(conversion(), 8);
  await probe.press('0', 'l');
  const before = (await probe.saved()).views;
  await probe.press('End', '+', '+');
  const { views, linked } = await probe.saved();
  assert.equal(linked, false);
  assert.notDeepEqual(views[0], before[0]);
  assert.deepEqual(views[1], before[1]);
});

test('a title of the legend stands on the line of what it is the title of', async () => {
  const { map } = await shown(conversion(), 8);
  await map.page.locator('.legend-first').first().waitFor();
  const lines = await map.page.locator('.legend-first').evaluateAll((firsts) =>
    firsts.map((first) =>
      ['.legend-title', '.chip'].map((selector) => {
        const range = first.ownerDocument.createRange();
        range.selectNodeContents(first.querySelector(selector)!.lastChild!);
        const { top, bottom } = range.getBoundingClientRect();
        return [Math.round(top), Math.round(bottom)];
      }),
    ),
  );
  assert.ok(lines.length > 3);
  for (const [title, chip] of lines) assert.deepEqual(title, chip);
});

test('what the legend switches off is dimmed, in all tracks of its pages', async () => {
  const probe = await shown(conversion(), 8);
  await probe.map.page.locator('[data-key="state:Guest-Valid"]').click();
  await probe.showsNot(0, 'state', pfn + 100, 'green');
  await probe.showsNot(0, 'owner', pfn + 100, 'blue');
  await probe.shows(0, 'state', pfn + 3000, 'slate');
  assert.equal(await probe.map.page.locator('[data-key="state:Guest-Valid"]').getAttribute('aria-pressed'), 'false');
  assert.deepEqual((await probe.saved()).filter, ['state:Guest-Valid']);
  await picture(probe.map, 'filtered');
  await probe.map.page.locator('.legend-all').click();
  await probe.shows(0, 'state', pfn + 100, 'green');
});

test('states are gone through by keys, slider and click, and the extension is told', async () => {
  const probe = await shown(conversion(), 0);
  const { page } = probe.map;
  const slider = page.locator('.timeline-slider');
  await probe.showsNot(0, 'state', pfn + 100, 'green');
  await probe.press(']', ']', ']');
  await probe.shows(0, 'state', pfn + 100, 'green');
  await probe.at(3);
  assert.match((await slider.getAttribute('aria-valuetext')) ?? '', /line 13: g\.pvalidate\(0, 2M\), outcome 0/);
  // Not every state on the way is told, but the last one is.
  await probe.until(async () => last(await probe.map.said(), 'position')?.state === 3, 'the extension is told');
  await slider.focus();
  await page.keyboard.press('End');
  await probe.at(9);
  await page.keyboard.press('Home');
  await probe.showsNot(0, 'state', pfn + 100, 'green');
  const box = await slider.boundingBox();
  assert.ok(box);
  await page.mouse.click(box.x + 9 + ((box.width - 18) * 5) / 9, box.y + 15);
  await probe.at(5);
  await probe.press('x');
  await probe.at(8);
  assert.match((await page.locator('.step').textContent()) ?? '', /g\.write\(2M\+64K\)→ #NPF\(RMP\)ATTR-RMP/);
  await page.locator('.step-line').click();
  assert.deepEqual(last(await probe.map.said(), 'reveal'), {
    type: 'reveal',
    uri: 'file:///examples/conversion.snpscenario',
    line: 17,
  });
});

test('playing goes through all states and stops at the end', async () => {
  const probe = await shown(conversion(), 7);
  await probe.press(' ');
  await probe.map.page.locator('.timeline-slider[aria-valuenow="9"]').waitFor({ timeout: 5000 });
  await probe.map.page.locator('vscode-toolbar-button[label="Play"]').waitFor({ timeout: 5000 });
});

test('the page follows debugger and editor without answering them, also within a step', async () => {
  const story = conversion();
  const probe = await shown(story, 1);
  await probe.map.tell({ type: 'position', position: { state: 3, by: 'editor' } });
  await probe.shows(0, 'state', pfn + 100, 'green');
  const partial = runs([
    {
      lane: 0,
      start: pfn + 512,
      count: 512,
      before: host({ state: 'Hypervisor' }),
      after: host({ state: 'Firmware' }),
    },
  ]);
  await probe.map.tell({ type: 'position', position: { state: 3, by: 'debugger', partial } });
  await probe.shows(0, 'state', pfn + 700, 'purple');
  assert.match((await probe.map.page.locator('.step').textContent()) ?? '', /within the next step.*at the debugger/);
  await probe.map.tell({ type: 'position', position: { state: 3, by: 'debugger' } });
  await probe.showsNot(0, 'state', pfn + 700, 'purple');
  assert.equal(last(await probe.map.said(), 'position'), undefined);
});

test('an update keeps what came before, and takes back what is told anew', async () => {
  const story = conversion();
  const probe = await shown(story, 9);
  await probe.map.tell({
    type: 'update',
    update: {
      firstStep: 2,
      steps: [{ line: 12, text: 'rmpupdate', outcome: '0', failed: false, rules: [] }],
      violations: [],
      changes: runs([
        {
          lane: 0,
          start: pfn + 1024,
          count: 512,
          before: host({ state: 'Hypervisor' }),
          after: host({ state: 'Firmware' }),
        },
      ]),
      changesFrom: Uint32Array.of(0, 1),
    },
  });
  await probe.at(3);
  assert.equal(await probe.map.page.locator('.state-count').textContent(), '3 / 3');
  await probe.shows(0, 'state', pfn + 1200, 'purple');
  await probe.shows(0, 'state', pfn + 700, 'slate');
  await probe.press('[', '[', '[');
  await probe.showsNot(0, 'state', pfn + 1200, 'purple');
});

test('two states are compared: what is different is outlined, and the tooltip says before and after', async () => {
  const probe = await shown(conversion(), 3);
  await probe.press('p', ']', ']');
  assert.equal((await probe.saved()).pinned, 3);
  await probe.at(5);
  assert.match((await probe.map.page.locator('.step').textContent()) ?? '', /compared with state 3/);
  const { x, y, height } = await probe.where(0, 'state', pfn + 700);
  await probe.map.page.locator('.map-canvas').hover({ position: { x, y: y + height / 2 } });
  assert.match(
    (await probe.map.page.locator('.tooltip').textContent()) ?? '',
    /Page stateHypervisor → Guest-Valid|2 MiB, 512 pages/,
  );
  await probe.press('1');
  await probe.map.page.locator('vscode-textfield input').fill('pfn 0x40200');
  await probe.map.page.locator('vscode-textfield input').press('Enter');
  const facts = await probe.map.page.locator('#panel-page .changed').allTextContents();
  assert.deepEqual(facts, ['Hypervisor → Guest-Valid', 'no guest → ASID 1', '4K entry → 2M entry']);
  await picture(probe.map, 'compared');
  await probe.press('p');
  assert.equal((await probe.saved()).pinned, undefined);
});

test('search finds pages, owners, rules and kinds, goes round its results, and says what it does not understand', async () => {
  const probe = await shown(conversion(), 9);
  const { page } = probe.map;
  const field = page.locator('vscode-textfield input');
  const ask = async (text: string) => {
    await field.fill(text);
    await field.press('Enter');
    return { status: await page.locator('.search-status').textContent(), selection: (await probe.saved()).selection };
  };
  assert.deepEqual(await ask('gpa 2M+16K g'), { status: '1 of 1', selection: { lane: 1, page: 516, pages: 1 } });
  assert.deepEqual((await ask('spa 0x40000000')).selection, { lane: 0, page: pfn, pages: 1 });
  assert.equal((await ask('asid 1')).status, '1 of 3');
  await field.press('Enter');
  assert.equal(await page.locator('.search-status').textContent(), '2 of 3');
  await field.press('Shift+Enter');
  await field.press('Shift+Enter');
  assert.equal(await page.locator('.search-status').textContent(), '3 of 3');
  assert.deepEqual((await ask('rule attr')).selection, { lane: 0, page: pfn + 528, pages: 1 });
  assert.deepEqual((await ask('is context')).selection, { lane: 0, page: 0x3f100, pages: 1 });
  for (const [text, error] of [
    ['pfx 3', /“pfx” is nothing to look for/],
    ['gpa 2M nobody', /There is no guest “nobody” here: g\./],
    ['pfn 0x7ffffff', /beyond the memory/],
    ['asid 9', /No frame belongs to ASID 9/],
    ['rule NONE', /“NONE” is not violated here. Violated: ATTR-RMP/],
  ] as const) {
    await ask(text);
    assert.match((await page.locator('.search-error').textContent()) ?? '', error);
  }
});

test('a page’s panel shows what the extension tells of it, and its history leads to steps and lines', async () => {
  const probe = await shown(conversion(), 8);
  const { page } = probe.map;
  await probe.press('1');
  await page.locator('vscode-textfield input').fill('gfn 528');
  await page.locator('vscode-textfield input').press('Enter');
  await probe.until(async () => last(await probe.map.said(), 'details')?.page === 528, 'the page is asked about');
  const asked = last(await probe.map.said(), 'details');
  assert.ok(asked);
  assert.deepEqual({ lane: asked.lane, page: asked.page, state: asked.state }, { lane: 1, page: 528, state: 8 });
  await probe.map.tell({ type: 'details', id: asked.id - 1, details: null });
  await probe.map.tell({
    type: 'details',
    id: asked.id,
    details: {
      title: 'GPA 0x210000 of guest g',
      sections: [{ heading: 'RMP entry', facts: [{ label: 'Assigned', value: 'yes', note: 'to ASID 1' }] }],
      raw: [1, 0, 0x21, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0xff],
      history: [
        {
          step: 7,
          what: 'RMPUPDATE 4K: assigned to guest g',
          frames: [{ function: 'rmp_make_private', uri: 'file:///src/sev.c', line: 41 }],
        },
        { step: -1, what: 'Hypervisor', frames: [] },
      ],
      links: [{ lane: 0, page: pfn + 528, label: 'frame' }],
    },
  });
  const panel = page.locator('#panel-page');
  await page.locator('#tab-page').click();
  assert.equal(await panel.locator('h2').textContent(), 'GPA 0x210000 of guest g');
  const text = (await panel.textContent()) ?? '';
  for (const part of [
    'ATTR-RMP',
    'Assignedyesto ASID 1',
    '+0x0 01 00 21 00',
    '+0x8 00 01',
    'RMPUPDATE 4K',
    'rmp_make_private() sev.c:42',
  ]) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
  await picture(probe.map, 'details');
  await panel.locator('.frame').click();
  assert.deepEqual(last(await probe.map.said(), 'reveal'), { type: 'reveal', uri: 'file:///src/sev.c', line: 41 });
  await panel.locator('.history .jump').nth(1).click();
  await probe.at(0);
  await page.keyboard.press('Escape');
  await page.locator('#panel-page .links .jump').first().click();
  assert.deepEqual((await probe.saved()).selection, { lane: 0, page: pfn + 528, pages: 1 });
});

test('what is shown is saved as SVG and as PNG', async () => {
  const probe = await shown(conversion(), 8);
  await probe.press('s', 'Shift+S');
  const said = await probe.map.said();
  const [svg, png] = said.filter((one) => one.type === 'export');
  assert.ok(svg?.format === 'svg' && png?.format === 'png');
  const parsed = (await probe.map.page.evaluate(`(() => {
    const document = new DOMParser().parseFromString(${JSON.stringify(svg.content)}, 'image/svg+xml');
    return { error: document.querySelector('parsererror')?.textContent ?? '', text: document.documentElement.textContent, rects: document.querySelectorAll('rect').length };
  })()`)) as { error: string; text: string; rects: number };
  assert.equal(parsed.error, '');
  for (const part of [
    'a 2M region becomes private',
    'g.write(2M+64K) → #NPF(RMP)',
    'Guest-Valid',
    '0x40200000',
    'Direct map',
  ]) {
    assert.ok(parsed.text.includes(part), part);
  }
  assert.ok(parsed.rects > 60);
  const bytes = Buffer.from(png.content, 'base64');
  assert.equal(bytes.subarray(1, 4).toString(), 'PNG');
  assert.ok(bytes.readUInt32BE(16) > 1000 && bytes.readUInt32BE(20) > 500, 'twice the pixels');
  const { writeFileSync } = await import('node:fs');
  writeFileSync(join(out, 'export.svg'), svg.content);
  writeFileSync(join(out, 'export.png'), bytes);
});

test('a page that is made anew looks as it did', async () => {
  const story = conversion();
  const probe = await shown(story, 0);
  await probe.press(']', ']', ']', 'p', ']', 't');
  await probe.click(1, 'attribute', 600);
  await probe.map.page.locator('[data-key="state:Guest-Valid"]').click();
  await probe.map.page.locator('#tab-view').click();
  const before = await probe.saved();
  await probe.map.page.reload();
  assert.deepEqual((await probe.map.said())[0], { type: 'ready' });
  await probe.map.tell({ type: 'story', story });
  const again = await probe.saved();
  assert.deepEqual(again, before);
  assert.equal(again.state, 4);
  assert.equal(await probe.map.page.locator('#tab-view').getAttribute('aria-selected'), 'true');
});

test('stories of real scenarios are drawn, each with its last state', async () => {
  for (const name of ['leaks-and-violations', 'unshare-one-page', 'order-10-folio', 'linux-guest-shares-a-page']) {
    const story = recording(name);
    const probe = await shown(story, story.steps.length);
    await probe.saved();
    assert.deepEqual(await probe.map.offences(), []);
    await picture(probe.map, `recorded-${name}`);
  }
});

test('with nothing to show it says why', async () => {
  const map = await kit.open();
  assert.match((await map.page.locator('.nothing').textContent()) ?? '', /Waiting/);
  await map.tell({ type: 'nothing', message: 'The file has no scenario yet.' });
  assert.equal(await map.page.locator('.nothing').textContent(), 'The file has no scenario yet.');
  await map.page.keyboard.press('n');
  await map.page.keyboard.press(']');
  await map.tell({ type: 'story', story: conversion() });
  assert.equal(await map.page.locator('.nothing').isVisible(), false);
  await map.tell({ type: 'nothing', message: 'Gone.' });
  assert.equal(await map.page.locator('.map-canvas').isVisible(), false);
  assert.deepEqual(await map.offences(), []);
});

test('a story that makes no sense breaks nothing, and its texts are texts', async () => {
  const story = conversion();
  const evil = '<img src=x onerror=alert(1)>"\u0000&';
  story.scenario = evil;
  story.scenarios = [evil, evil, ''];
  story.lanes[1].name = evil.repeat(20);
  story.lanes[1].extents = [
    [50, 10],
    [-5, 9],
    [0, 2 ** 40],
  ];
  story.lanes[1].backing = [{ slot: 0, gfn: 5, pages: -3, pfn: -1 }];
  story.lanes[1].folios = [
    [0, 100, 60],
    [0, -4, 3],
    [7, 9, -1],
  ];
  story.lanes.push({ kind: 'guest', name: '', pages: 0, extents: [], backing: [], folios: [] });
  story.steps[3].text = evil;
  story.steps[3].outcome = evil;
  story.violations.push({ step: 99, lane: 42, start: 2 ** 31, count: -1, rule: evil, message: evil });
  story.changes.lane[3] = 200;
  story.changes.count[5] = 0;
  story.changes.start[6] = 0xffffffff;
  const probe = await shown(story, 99);
  await probe.press(
    ']',
    '[',
    '[',
    'n',
    'n',
    '0',
    '1',
    'ArrowRight',
    'ArrowDown',
    'ArrowDown',
    'ArrowDown',
    'End',
    'p',
    '[',
    's',
    'v',
    '?',
  );
  await probe.map.page.keyboard.press('Escape');
  await probe.map.page.locator('vscode-textfield input').fill('rule');
  await probe.map.page.locator('vscode-textfield input').press('Enter');
  assert.equal(await probe.map.page.locator('img').count(), 0);
  assert.deepEqual(await probe.map.offences(), []);
  await probe.map.tell({ type: 'position', position: { state: Number.NaN, by: 'editor' } });
  await probe.map.tell({ type: 'position', position: { state: 4, by: 'debugger' } });
  await probe.until(
    async () => (await probe.map.page.locator('.step').textContent())?.includes(evil.slice(0, 20)) === true,
    'the step is told as text',
  );
});
