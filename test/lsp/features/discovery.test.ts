// Scenarios of a workspace are listed without being opened or run: snpScenario/discover.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Client, fakeServer, fullCapabilities, killLeftovers, realServer } from '../client.ts';

let folder: string;
const uri = (name: string) => pathToFileURL(join(folder, name)).href;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'snp-discovery-'));
  writeFileSync(
    join(folder, 'two.snpscenario'),
    '/// The first.\n/// Two lines.\nscenario "one" {\n}\nscenario "two" {\n  not a step\n}\nscenario "one" {}\n',
  );
  writeFileSync(join(folder, 'empty.snpscenario'), '');
  for (let i = 0; i < 1000; i++)
    writeFileSync(join(folder, `${i}.snpscenario`), `scenario "number ${i}" {\n}\n`.repeat(20));
});
afterEach(killLeftovers);
after(() => rmSync(folder, { recursive: true }));

async function start(server = realServer): Promise<Client> {
  const client = new Client(server);
  await client.initialize(fullCapabilities, { initializationOptions: {} });
  return client;
}

test('names, comments and places, of files that nobody opened', async () => {
  const client = await start();
  const { files } = await client.request('snpScenario/discover', {
    uris: [uri('two.snpscenario'), uri('empty.snpscenario'), uri('none.snpscenario'), 'memfs:/a.snpscenario'],
  });
  const place = (a: number, b: number, c: number, d: number) => ({
    start: { line: a, character: b },
    end: { line: c, character: d },
  });
  assert.deepEqual(files, [
    {
      uri: uri('two.snpscenario'),
      scenarios: [
        { id: 'one', name: 'one', doc: 'The first.\nTwo lines.', range: place(2, 0, 3, 1) },
        { id: 'two', name: 'two', doc: '', range: place(4, 0, 6, 1) },
        { id: 'one (2)', name: 'one', doc: '', range: place(7, 0, 7, 17) },
      ],
    },
    { uri: uri('empty.snpscenario'), scenarios: [] },
    { uri: uri('none.snpscenario'), scenarios: [], error: 'no such file' },
    {
      uri: 'memfs:/a.snpscenario',
      scenarios: [],
      error: 'memfs: only files on disk and documents open in the editor can be read',
    },
  ]);
});

test('what the editor has wins over the disk, under the spelling of the request', async () => {
  const client = await start();
  client.open(uri('two.snpscenario'), 'scenario "typed" {}');
  const other = uri('two.snpscenario').replace('two', '%74wo');
  const { files } = await client.request('snpScenario/discover', { uris: [other] });
  assert.equal(files[0].uri, other);
  assert.deepEqual(
    files[0].scenarios.map(({ name }: { name: string }) => name),
    ['typed'],
  );
});

test('a thousand files come in batches, and requests in between are answered', async () => {
  const client = await start();
  const uris = Array.from({ length: 1000 }, (_, i) => uri(`${i}.snpscenario`));
  const found = client.request('snpScenario/discover', { uris, partialResultToken: 'all' });
  await client.next(({ method }) => method === '$/progress');
  await client.roundTrip();
  const answered = client.received.length;
  assert.deepEqual(await found, { files: [] });
  const batches = client.received.filter(({ method }) => method === '$/progress').map(({ params }) => params);
  assert.ok(batches.every(({ token, value }) => token === 'all' && value.files.length > 0 && value.files.length <= 50));
  const files = batches.flatMap(({ value }) => value.files);
  assert.deepEqual(
    files.map((file: { uri: string }) => file.uri),
    uris,
  );
  assert.ok(files.every((file: { scenarios: object[] }) => file.scenarios.length === 20));
  assert.ok(answered < client.received.length - 1, 'the answer came only after everything else');
});

test('ends when it is cancelled', async () => {
  const client = await start();
  const uris = Array.from({ length: 1000 }, (_, i) => uri(`${i}.snpscenario`));
  client.send({ id: 'discovery', method: 'snpScenario/discover', params: { uris, partialResultToken: 1 } });
  const end = client.next(({ id }) => id === 'discovery');
  await client.next(({ method }) => method === '$/progress');
  client.notify('$/cancelRequest', { id: 'discovery' });
  assert.equal((await end).error?.code, -32800);
  const read = client.received.flatMap(({ method, params }) => (method === '$/progress' ? params.value.files : []));
  assert.ok(read.length < 1000);
});

test('refuses what is no list of URIs', async () => {
  const client = await start(fakeServer);
  for (const params of [{}, { uris: 'file:///a' }, { uris: [1] }, { uris: null }]) {
    assert.equal((await client.ask('snpScenario/discover', params)).error?.code, -32602);
  }
  const { files } = await client.request('snpScenario/discover', {
    uris: ['', 'no uri', 'file:'],
    partialResultToken: {},
  });
  assert.equal(files.length, 3);
});
