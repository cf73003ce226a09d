// Files that only the client can read: a workspace that is no folder on disk. snpScenario/readFile.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Client, fakeServer, fullCapabilities, type Json, killLeftovers, realServer } from '../client.ts';

const scheme = 'memfs:/project';
const a = `${scheme}/a.snpscenario`;

/** A client with these files, whose answers the test may change. */
async function start(files: Record<string, string>, server = fakeServer): Promise<Client> {
  const client = new Client(server);
  client.answers['snpScenario/readFile'] = ({ uri }: Json) =>
    Object.hasOwn(files, uri) ? { text: files[uri] } : { error: 'no such file' };
  await client.initialize(fullCapabilities, { initializationOptions: { readFile: true } });
  return client;
}

const asked = (client: Client): string[] =>
  client.received.filter(({ method }) => method === 'snpScenario/readFile').map(({ params }) => params.uri);

afterEach(killLeftovers);

test('a file in use is fetched, and the first verdict already knows it', async () => {
  const client = await start({ [`${scheme}/sev.c`]: 'int there;' });
  client.open(a, 'use sev.c\nuse none.c');
  const messages = (await client.diagnostics(a, 1)).map(({ message }) => message);
  assert.deepEqual(messages, ['int there;', 'error: no such file']);
  assert.equal(client.published(a).length, 1);
  assert.deepEqual(asked(client), [`${scheme}/sev.c`, `${scheme}/none.c`]);
  client.edit(a, 2, 1, 4, 8, 'nope');
  await client.diagnostics(a, 2);
  assert.deepEqual(asked(client).slice(2), [`${scheme}/nope.c`], 'what is known is not asked for again');
});

test('a change that the client tells about is fetched anew', async () => {
  const files = { [`${scheme}/sev.c`]: 'before' };
  const client = await start(files);
  client.open(a, 'use sev.c');
  assert.equal((await client.diagnostics(a, 1))[0]?.message, 'before');
  files[`${scheme}/sev.c`] = 'after';
  client.notify('workspace/didChangeWatchedFiles', { changes: [{ uri: `${scheme}/sev.c`, type: 2 }] });
  assert.equal((await client.diagnostics(a, 1))[0]?.message, 'after');
});

test('an open document wins, and needs no fetching', async () => {
  const client = await start({});
  client.open(`${scheme}/sev.c`, 'typed', 'c');
  client.open(a, 'use sev.c');
  assert.equal((await client.diagnostics(a, 1))[0]?.message, 'typed');
  assert.deepEqual(asked(client), []);
});

test('a client that answers nonsense, or with an error, gets a verdict that says so', async () => {
  const client = await start({});
  client.answers['snpScenario/readFile'] = () => 42;
  client.open(a, 'use sev.c');
  assert.equal((await client.diagnostics(a, 1))[0]?.message, 'error: the editor gave no text');
});

test('scenarios are discovered and run there, imports of imports included', async () => {
  const files = {
    [a]: 'import "lib/one.snpscenario"\nscenario "virtual" {\n  first()\n}\n',
    [`${scheme}/lib/one.snpscenario`]: 'import "two.snpscenario"\nsequence first() {\n  second()\n}\n',
    [`${scheme}/lib/two.snpscenario`]: 'sequence second() {\n  let x = 1\n}\n',
  };
  const client = await start(files, realServer);
  const { files: found } = await client.request('snpScenario/discover', { uris: [a, `${scheme}/none.snpscenario`] });
  assert.deepEqual(
    found.map(({ scenarios, error }: Json) => [scenarios.map(({ name }: Json) => name), error]),
    [
      [['virtual'], undefined],
      [[], 'no such file'],
    ],
  );
  const { events } = await client.request('snpScenario/runTests', { files: [{ uri: a }] });
  const result = events.find(({ kind }: Json) => kind === 'scenario');
  assert.equal(result.status, 'passed', JSON.stringify(result.problems));
  assert.deepEqual(events.at(-1).uses, [`${scheme}/lib/one.snpscenario`, `${scheme}/lib/two.snpscenario`]);
});

test('a client that does not offer it is never asked', async () => {
  const client = new Client(fakeServer);
  await client.initialize();
  client.open(a, 'use sev.c');
  assert.match(
    (await client.diagnostics(a, 1))[0]?.message ?? '',
    /only files on disk and documents open in the editor/,
  );
  assert.deepEqual(asked(client), []);
});
