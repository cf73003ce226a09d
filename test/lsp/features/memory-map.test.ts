// The memory map's requests, over stdio: stories, updates after edits, details, lines, and clients that send anything.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { decodeStory, decodeUpdate } from '../../../server/common/map-codec.ts';
import type { MapStory } from '../../../server/common/map-protocol.ts';
import { tell } from '../../engine/map/kit.ts';
import { type Client, type Json, killLeftovers } from '../client.ts';
import { openMarked, startServer } from './kit.ts';

const head = `host {
  memory 1G
}
guest g {
  asid 1
  slot 0 gpa 0..8M private folio 2M pfn 0x1000
}
`;
const steps = [
  'vmm.set_memory_attributes(g, 0..4M, PRIVATE)',
  'g.pvalidate(0, 2M)',
  'vmm.set_memory_attributes(g, 64K..68K, SHARED)',
];
const scenario = (name: string, lines: readonly string[]): string =>
  `scenario "${name}" {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;

let client: Client;
before(async () => {
  client = await startServer();
});
after(killLeftovers);

const storyOf = (uri: string, more: Json = {}): Promise<Json> =>
  client.request('snpScenario/map/story', { uri, ...more });
const changed = (uri: string) =>
  client.next((message) => message.method === 'snpScenario/map/changed' && message.params?.uri === uri, 'map/changed');

/** What a client has once it has applied an update. */
function applied(before: MapStory, encoded: Json): Pick<MapStory, 'steps' | 'changes' | 'changesFrom' | 'violations'> {
  const update = decodeUpdate(encoded);
  const { firstStep } = update;
  const at = before.changesFrom[firstStep];
  const changes = { ...before.changes };
  for (const name of ['lane', 'start', 'count', 'before', 'after'] as const)
    changes[name] = (name === 'lane' ? Uint8Array : Uint32Array).from([
      ...before.changes[name].slice(0, at),
      ...update.changes[name],
    ]) as Uint8Array<ArrayBuffer> & Uint32Array<ArrayBuffer>;
  return {
    steps: [
      ...before.steps.slice(0, firstStep).map((step, i) => ({ ...step, line: update.lines?.[i] ?? step.line })),
      ...update.steps,
    ],
    violations: [...before.violations.filter(({ step }) => step < firstStep), ...update.violations],
    changes,
    changesFrom: Uint32Array.from([
      ...before.changesFrom.slice(0, firstStep),
      ...update.changesFrom.map((n) => n + at),
    ]),
  };
}

test('a story is the one that the engine tells', async () => {
  const text = head + scenario('one', steps);
  const { uri } = await openMarked(client, text);
  const answer = await storyOf(uri);
  assert.deepEqual(decodeStory(answer.story), tell(text, {}, 'one', uri).story);
});

test('a scenario is chosen by name', async () => {
  const { uri } = await openMarked(client, head + scenario('one', steps) + scenario('two', steps.slice(0, 1)));
  const { story } = await storyOf(uri, { scenario: 'two' });
  assert.equal(story.scenario, 'two');
  assert.deepEqual(story.scenarios, ['one', 'two']);
  assert.equal(story.steps.length, 1);
  assert.equal((await storyOf(uri, { scenario: 'none of that name' })).story.scenario, 'one');
});

test('after an edit the client is told once, and gets what is new of the story', async () => {
  const text = head + scenario('one', steps);
  const { uri } = await openMarked(client, text);
  const { story: encoded, id, version } = await storyOf(uri);
  const known = { id, version };
  const story = decodeStory(encoded);

  const edited =
    head + scenario('one', [...steps.slice(0, 2), 'vmm.set_memory_attributes(g, 72K..80K, SHARED)', 'g.read(0)']);
  const notice = changed(uri);
  client.replace(uri, 2, edited);
  await notice;
  const second = await storyOf(uri, { scenario: 'one', known });
  assert.equal(second.id, id);
  assert.equal(decodeUpdate(second.update).firstStep, 2);
  const whole = tell(edited, {}, 'one', uri).story;
  const { lanes: _l, base: _b, uri: _u, scenario: _s, scenarios: _a, incomplete: _i, ...rest } = whole;
  assert.deepEqual(applied(story, second.update), rest);

  // Lines above move, and nothing else.
  const again = changed(uri);
  client.replace(uri, 3, `// a line more\n${edited}`);
  await again;
  const third = await storyOf(uri, { scenario: 'one', known: { id: second.id, version: second.version } });
  assert.equal(third.update.steps.length, 0);
  assert.deepEqual(
    [...(decodeUpdate(third.update).lines ?? [])],
    whole.steps.map(({ line }) => line + 1),
  );

  // Somebody who is two edits behind gets both at once.
  const both = await storyOf(uri, { scenario: 'one', known });
  assert.deepEqual(
    applied(story, both.update).steps,
    whole.steps.map((step) => ({ ...step, line: step.line + 1 })),
  );
});

test('what an update cannot say is told anew: other lanes, other names, an unknown version', async () => {
  const text = head + scenario('one', steps);
  const { uri } = await openMarked(client, text);
  const { id, version } = await storyOf(uri);
  client.replace(uri, 2, text.replace('8M', '16M'));
  const other = await storyOf(uri, { scenario: 'one', known: { id, version } });
  assert.equal(other.story.lanes[1].pages, 4096);
  client.replace(uri, 3, text.replace('8M', '16M').replace('"one"', '"renamed"'));
  const renamed = await storyOf(uri, { scenario: 'one', known: { id: other.id, version: other.version } });
  assert.equal(renamed.story.scenario, 'renamed');
  const made = await storyOf(uri, { scenario: 'renamed', known: { id: renamed.id, version: 99 } });
  assert.ok(made.story);
});

test('nothing to show says why', async () => {
  assert.match((await storyOf('file:///not/open.snpscenario')).nothing, /not open/);
  const { uri } = await openMarked(client, head);
  assert.match((await storyOf(uri)).nothing, /no scenario/i);
  const broken = await openMarked(client, `use patch "none.patch"\n${head}${scenario('one', steps)}`);
  assert.match((await storyOf(broken.uri)).nothing, /problems of this file/);
});

test('details of a page at a state, with files that the client can open', async () => {
  const { uri } = await openMarked(client, head + scenario('one', steps));
  await storyOf(uri);
  const ask = (page: number, state: number): Promise<Json> =>
    client.request('snpScenario/map/details', { uri, scenario: 'one', lane: 0, page, state });
  const details = await ask(0x1010, 3);
  assert.equal(details.title, 'pfn 0x1010');
  assert.equal(details.history[0].step, 2);
  assert.match(details.history[0].frames[0].uri, /^snp-model:\/kvm-/);
  assert.deepEqual((await ask(0x1010, 0)).history, []);
  for (const [page, state] of [
    [-1, 0],
    [0x1010, 4],
    [0x1010, -1],
    [0.5, 1],
    [2 ** 40, 1],
  ])
    assert.equal(await ask(page, state), null);
});

test('the state for a line', async () => {
  const { uri, at } = await openMarked(
    client,
    `${head}‸top‸${scenario('one', [`‸a‸${steps[0]}`, `‸b‸${steps[1]}`])}${scenario('two', [`‸c‸${steps[0]}`])}`,
  );
  const ask = async (name: string): Promise<number | undefined> =>
    (await client.request('snpScenario/map/stateAt', { uri, scenario: 'one', line: at[name].line }))?.state;
  assert.equal(await ask('a'), undefined, 'nobody asked for the story');
  await storyOf(uri);
  assert.deepEqual([await ask('top'), await ask('a'), await ask('b'), await ask('c')], [0, 1, 2, undefined]);
});

test('a document of which no story is shown costs nothing: no notice', async () => {
  const { uri } = await openMarked(client, head + scenario('one', steps));
  await storyOf(uri);
  client.notify('snpScenario/map/close', { uri, scenario: 'one' });
  client.replace(uri, 2, head + scenario('one', steps.slice(0, 1)));
  await client.diagnostics(uri, 2);
  await client.roundTrip();
  const notices = client.transcript.filter(
    ({ message }) => message.method === 'snpScenario/map/changed' && message.params?.uri === uri,
  );
  assert.deepEqual(notices, []);
  assert.equal(
    await client.request('snpScenario/map/details', { uri, scenario: 'one', lane: 0, page: 0, state: 0 }),
    null,
  );
});

test('a closed document: the client is told, and there is nothing', async () => {
  const { uri } = await openMarked(client, head + scenario('one', steps));
  await storyOf(uri);
  const notice = changed(uri);
  client.close(uri);
  await notice;
  assert.match((await storyOf(uri)).nothing, /not open/);
});

test('the server answers others while it tells a long story, and drops it when it is cancelled', async () => {
  const long = `${head}${scenario('long', ['for i in 0..400 {', '  vmm.set_memory_attributes(g, 0..8M, PRIVATE) => any', '  vmm.set_memory_attributes(g, 0..8M, SHARED) => any', '}'])}`;
  const { uri } = await openMarked(client, head + scenario('one', steps));
  client.replace(uri, 2, long);
  const id = client.start('snpScenario/map/story', { uri });
  const answer = client.next((message) => message.id === id && message.method === undefined, 'the answer');
  await client.roundTrip();
  assert.equal(
    client.transcript.some(({ from, message }) => from === 'server' && message.id === id),
    false,
    'it takes a while',
  );
  client.notify('$/cancelRequest', { id });
  assert.equal((await answer).error?.code, -32800);
});

describe('hostile params', () => {
  for (const params of [{}, { uri: 7 }, { uri: 'file:///a', scenario: {} }, [], { uri: null }]) {
    test(`story of ${JSON.stringify(params)}`, async () => {
      const { error } = await client.ask('snpScenario/map/story', params);
      assert.equal(error?.code, -32602);
    });
  }
  test('details and lines of other types', async () => {
    const { uri } = await openMarked(client, head + scenario('one', steps));
    await storyOf(uri, { known: { id: 'x', version: [] } });
    const base = { uri, scenario: 'one', lane: 0, page: 0, state: 0 };
    for (const wrong of [{ lane: '0' }, { page: null }, { state: {} }])
      assert.equal((await client.ask('snpScenario/map/details', { ...base, ...wrong })).error?.code, -32602);
    assert.equal((await client.ask('snpScenario/map/stateAt', { uri, scenario: 'one' })).error?.code, -32602);
    assert.equal(await client.request('snpScenario/map/details', { ...base, lane: 99 }), null);
    client.notify('snpScenario/map/close', { uri: 7 });
    client.notify('snpScenario/map/close', { uri: 'file:///nowhere' });
    await client.roundTrip();
  });
});
