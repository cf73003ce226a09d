// When checks run: in slices, in turns, dropped by a newer text, put off while edits overtake them.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { Client, fakeServer, killLeftovers } from './client.ts';

let client: Client;
const uri = (name: string) => `file:///turns/${name}.snpscenario`;
const a = uri('a');

beforeEach(async () => {
  client = new Client(fakeServer);
  await client.initialize();
});
afterEach(killLeftovers);

test('a request is answered while a check that never ends is running', async () => {
  client.open(a, 'forever');
  for (let turn = 0; turn < 20; turn++) await client.roundTrip();
});

test('a newer text drops the check of the older one', async () => {
  client.open(a, 'forever');
  client.replace(a, 2, 'forever');
  client.replace(a, 3, 'problem A three');
  assert.equal((await client.diagnostics(a, 3))[0]!.message, 'three');
  assert.deepEqual(
    client.published(a).map(({ version }) => version),
    [3],
  );
});

test('one document does not starve another', async () => {
  client.open(uri('endless'), 'forever');
  client.open(uri('endless too'), 'forever');
  client.open(a, 'work 5000000\nproblem A done'); // 100 ms of its own
  assert.equal((await client.diagnostics(a, 1))[0]!.message, 'done');
  for (let version = 2; version < 12; version++) {
    client.replace(uri('endless'), version, 'forever');
    client.replace(a, version, `problem A ${version}`);
    assert.equal((await client.diagnostics(a, version))[0]!.message, `${version}`);
  }
});

test('edits that come one by one have a verdict each', async () => {
  client.open(a, 'problem A 1');
  await client.diagnostics(a, 1);
  for (let version = 2; version < 30; version++) {
    client.replace(a, version, `problem A ${version}`);
    await client.diagnostics(a, version);
  }
  assert.equal(client.published(a).length, 29);
});

test('edits that come faster than checks finish are checked once they pause', async () => {
  client.open(a, 'work 2000000\nproblem A 1');
  for (let version = 2; version <= 300; version++) client.edit(a, version, 1, 10, 11, String(version % 10));
  assert.equal((await client.diagnostics(a, 300))[0]!.message, '0');
  const checked = client.published(a).length;
  assert.ok(checked < 30, `${checked} of 300 versions were checked`);
});

test('verdicts of a C file that is edited fast come for the last text', async () => {
  const c = 'file:///turns/sev.c';
  client.open(c, '0', 'c');
  client.open(a, 'work 100000\nuse sev.c');
  for (let version = 2; version <= 100; version++) client.replace(c, version, String(version));
  const last = client.next(({ params }) => params?.uri === a && params.diagnostics[0]?.message === '100');
  await last;
  await client.roundTrip();
  assert.equal(client.published(a).at(-1)!.diagnostics[0]!.message, '100');
});
