// Scenarios are run from their files, as the Test Explorer does: snpScenario/runTests. And the verdicts on open documents are told: snpScenario/verdict.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { TestEvent, VerdictParams } from '../../../server/common/protocol.ts';
import { Client, fakeServer, fullCapabilities, type Json, killLeftovers, realServer } from '../client.ts';

let folder: string;
const uri = (name: string) => pathToFileURL(join(folder, name)).href;
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

const guest = 'guest g {\n  slot 0 gpa 0..1G private folio 2M pfn 0x40000\n}\n';

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'snp-run-'));
  write(
    'mixed.snpscenario',
    `${guest}scenario "holds" {
  cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 4K, assigned)
}
scenario "says something else" {
  cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 4K, assigned)  => FAIL_OVERLAP
  expect rmp(g, 0) is shared
}
scenario "cannot be read" {
  cpu.rmpupdat(1)
}
`,
  );
  write('uses.snpscenario', `use source "own.c"\n${guest}scenario "on its own C" {}\n`);
  write('own.c', 'int own;\n');
  write('lost.snpscenario', `use source "lost.c"\n${guest}scenario "nowhere" {}\n`);
  for (let i = 0; i < 1000; i++) {
    write(`many-${i}.snpscenario`, `work 50000\nscenario passed one\nscenario ${i % 3 ? 'passed' : 'failed'} two\n`);
  }
  write('forever.snpscenario', 'forever');
  write('thrown.snpscenario', 'throw a bug');
});
afterEach(killLeftovers);
after(() => rmSync(folder, { recursive: true }));

async function start(server = realServer, initializationOptions: Json = {}): Promise<Client> {
  const client = new Client(server);
  await client.initialize(fullCapabilities, { initializationOptions });
  return client;
}

/** Events that came as partial results. */
const events = (client: Client): TestEvent[] =>
  client.received.flatMap(({ method, params }) => (method === '$/progress' ? params.value.events : []));

const scenarios = (all: TestEvent[]) => all.filter((event) => event.kind === 'scenario');

test('what passed, what failed with the line, what was expected and what happened, and what could not be run', async () => {
  const client = await start();
  const result = await client.request('snpScenario/runTests', { files: [{ uri: uri('mixed.snpscenario') }] });
  assert.deepEqual(
    result.events.map((event: TestEvent) => [event.kind, event.kind === 'scenario' ? [event.id, event.status] : '']),
    [
      ['file-started', ''],
      ['scenario', ['holds', 'passed']],
      ['scenario', ['says something else', 'failed']],
      ['scenario', ['cannot be read', 'error']],
      ['file-ended', ''],
    ],
  );
  assert.deepEqual([result.passed, result.failed, result.errors], [1, 1, 1]);
  const [holds, fails, broken] = scenarios(result.events);
  assert.deepEqual(holds?.problems, []);
  assert.equal(holds?.steps, 1);
  assert.ok((holds?.milliseconds ?? 0) > 0);
  const outcome = fails?.problems.find(({ rule }) => rule === 'OUTCOME');
  assert.equal(outcome?.fails, true);
  assert.equal(outcome?.expected, 'FAIL_OVERLAP');
  assert.equal(outcome?.actual, 'ok');
  assert.equal(outcome?.uri, uri('mixed.snpscenario'));
  assert.equal(outcome?.range.start.line, 7);
  const state = fails?.problems.find(({ rule }) => rule === 'EXPECT');
  assert.match(state?.expected ?? '', /rmp\(g, 0\) is shared/);
  assert.match(state?.actual ?? '', /asid 1/);
  assert.equal(broken?.problems[0]?.rule, 'OPERATION');
});

test('one scenario alone; one that is not there is said to be missing', async () => {
  const client = await start();
  const files = [{ uri: uri('mixed.snpscenario'), scenarios: ['holds', 'long gone'] }];
  const result = await client.request('snpScenario/runTests', { files });
  assert.deepEqual(
    scenarios(result.events).map(({ id }) => id),
    ['holds'],
  );
  assert.deepEqual(result.events.at(-1), {
    kind: 'file-ended',
    uri: uri('mixed.snpscenario'),
    uses: [],
    missing: ['long gone'],
  });
});

test('files in use are named, and a file that is not there keeps its scenarios from running', async () => {
  const client = await start();
  const files = ['uses', 'lost', 'never-written'].map((name) => ({ uri: uri(`${name}.snpscenario`) }));
  const { events: all } = await client.request('snpScenario/runTests', { files });
  const ends = all.filter(({ kind }: TestEvent) => kind === 'file-ended');
  assert.deepEqual(ends[0].uses, [uri('own.c')]);
  assert.deepEqual(ends[1].uses, [uri('lost.c')]);
  assert.equal(ends[2].error, 'The file cannot be read: no such file.');
  const lost = scenarios(all).find(({ id }) => id === 'nowhere');
  assert.equal(lost?.status, 'error');
  assert.equal(lost?.problems[0]?.rule, 'FILE');
});

test('the text of an open document is run, not that of the disk', async () => {
  const client = await start();
  client.open(uri('mixed.snpscenario'), 'scenario "typed" {}\n');
  const { events: all } = await client.request('snpScenario/runTests', { files: [{ uri: uri('mixed.snpscenario') }] });
  assert.deepEqual(
    scenarios(all).map(({ id, status }) => [id, status]),
    [['typed', 'passed']],
  );
});

test('a thousand files: results stream, an open document is checked meanwhile, and cancelling ends the run', async () => {
  const client = await start(fakeServer);
  const files = Array.from({ length: 1000 }, (_, i) => ({ uri: uri(`many-${i}.snpscenario`) }));
  client.send({ id: 'run', method: 'snpScenario/runTests', params: { files, partialResultToken: 'run' } });
  const end = client.next(({ id }) => id === 'run');
  await client.next(({ method }) => method === '$/progress');
  const open = uri('open.snpscenario');
  for (let version = 1; version <= 10; version++) {
    if (version === 1) client.open(open, 'problem A 1');
    else client.replace(open, version, `problem A ${version}`);
    assert.equal((await client.diagnostics(open, version))[0]?.message, String(version));
  }
  const before = scenarios(events(client)).length;
  assert.ok(before < 2000, 'the run was over before anything else was answered');
  client.notify('$/cancelRequest', { id: 'run' });
  assert.equal((await end).error?.code, -32800);
  assert.ok(scenarios(events(client)).length < 2000);
  // Another can begin.
  const again = await client.request('snpScenario/runTests', { files: files.slice(0, 30) });
  assert.deepEqual([again.passed, again.failed, again.errors], [50, 10, 0]);
});

test('everything that a thousand files hold is told once', async () => {
  const client = await start(fakeServer);
  const files = Array.from({ length: 1000 }, (_, i) => ({ uri: uri(`many-${i}.snpscenario`) }));
  const result = await client.request('snpScenario/runTests', { files, partialResultToken: 7 });
  assert.deepEqual(result.events, []);
  assert.deepEqual([result.passed, result.failed, result.errors], [1666, 334, 0]);
  const all = events(client);
  assert.equal(scenarios(all).length, 2000);
  assert.equal(all.filter(({ kind }) => kind === 'file-started').length, 1000);
  assert.equal(all.filter(({ kind }) => kind === 'file-ended').length, 1000);
});

test('runs wait for each other; one that never ends lets itself be cancelled, and the next begins', async () => {
  const client = await start(fakeServer);
  const forever = [{ uri: uri('forever.snpscenario') }];
  client.send({ id: 'a', method: 'snpScenario/runTests', params: { files: forever } });
  client.send({ id: 'b', method: 'snpScenario/runTests', params: { files: forever } });
  const next = client.request('snpScenario/runTests', { files: [{ uri: uri('many-1.snpscenario') }] });
  await client.roundTrip();
  for (const id of ['b', 'a']) {
    const cancelled = client.next((message) => message.id === id);
    client.notify('$/cancelRequest', { id });
    if (id === 'a') assert.equal((await cancelled).error?.code, -32800);
  }
  assert.equal((await next).passed, 2);
});

test('a bug of the engine costs its file, and the run goes on', async () => {
  const client = await start(fakeServer);
  const files = ['thrown', 'many-1'].map((name) => ({ uri: uri(`${name}.snpscenario`) }));
  const { events: all, passed } = await client.request('snpScenario/runTests', { files });
  assert.match(all[1].error, /The checker failed on this file: a bug/);
  assert.equal(passed, 2);
});

test('refuses what is no list of files', async () => {
  const client = await start(fakeServer);
  const wrong = [
    {},
    { files: {} },
    { files: [{}] },
    { files: [{ uri: 1 }] },
    { files: [{ uri: 'a', scenarios: 'b' }] },
  ];
  for (const params of wrong) {
    assert.equal((await client.ask('snpScenario/runTests', params)).error?.code, -32602);
  }
  const result = await client.request('snpScenario/runTests', { files: [{ uri: 'nonsense', scenarios: null }] });
  assert.match(result.events.at(-1).error, /cannot be read/);
});

test('verdicts on open documents are told to a client that asks', async () => {
  const client = await start(realServer, { verdicts: true });
  const name = uri('mixed.snpscenario');
  const verdict = async (version: number): Promise<VerdictParams> =>
    (await client.next(({ method, params }) => method === 'snpScenario/verdict' && params.version === version)).params;
  client.open(name, `${guest}/// Why.\nscenario "a" {\n  cpu.psmash(pfn(g, 0))\n}\nscenario "b" {}\n`);
  const first = await verdict(1);
  assert.equal(first.uri, name);
  assert.deepEqual(
    first.scenarios.map(({ id, doc, status, range }) => [id, doc, status, range.start.line]),
    [
      ['a', 'Why.', 'failed', 4],
      ['b', '', 'passed', 7],
    ],
  );
  assert.equal(first.scenarios[0]?.problems[0]?.range.start.line, 5);
  assert.equal(first.errors, 0);
  assert.ok(first.milliseconds > 0);
  client.replace(name, 2, 'scenario "b" {}\n}\n');
  const second = await verdict(2);
  assert.equal(second.errors, 1);
  assert.deepEqual(
    second.scenarios.map(({ id, status }) => [id, status]),
    [['b', 'passed']],
  );
});

test('and to nobody else', async () => {
  const client = await start(fakeServer, { verdicts: 'yes' });
  client.open(uri('a.snpscenario'), 'scenario passed one');
  await client.diagnostics(uri('a.snpscenario'), 1);
  await client.roundTrip();
  assert.equal(client.received.filter(({ method }) => method === 'snpScenario/verdict').length, 0);
});

test('a document of thousands of scenarios is not told of at every key, but its last verdict is', async () => {
  const client = await start(fakeServer, { verdicts: true });
  const name = uri('a.snpscenario');
  const text = 'scenario passed one\n'.repeat(2000);
  client.open(name, text);
  for (let version = 2; version <= 40; version++) {
    client.replace(name, version, `${text}${'\n'.repeat(version)}`);
    await client.diagnostics(name, version);
  }
  await client.next(({ method, params }) => method === 'snpScenario/verdict' && params.version === 40);
  const told = client.received.filter(({ method }) => method === 'snpScenario/verdict').length;
  assert.ok(told < 20, `${told} of 40 verdicts were told`);
});
