// Code lenses above scenarios: for clients that have the commands, and for no others.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { CodeLens } from 'vscode-languageserver';
import { type Client, killLeftovers } from '../client.ts';
import { openMarked, startServer } from './kit.ts';

const text = `guest g {
  asid 1
  slot 0 gpa 0..64M private folio 2M pfn 0x40000
}
«scenario "passes"» {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  g.pvalidate(0, 2M)
}
«scenario "fails"» {
  g.read(0)
}
«scenario "is wrong"» {
  g.nonsense()
}
`;

afterEach(killLeftovers);

const ask = (client: Client, uri: string): Promise<CodeLens[]> =>
  client.request('textDocument/codeLens', { textDocument: { uri } });

const titles = (lenses: readonly CodeLens[]): string[][] => {
  const byLine = new Map<number, string[]>();
  for (const { range, command } of lenses) {
    const line = byLine.get(range.start.line) ?? [];
    line.push(command?.title ?? '?');
    byLine.set(range.start.line, line);
  }
  return [...byLine.values()];
};

test('Run, Debug, Map and the verdict', async () => {
  const client = await startServer({}, { initializationOptions: { commands: true } });
  const document = await openMarked(client, text);
  const lenses = await ask(client, document.uri);
  assert.deepEqual(titles(lenses), [
    ['Run', 'Debug', 'Map', 'passed · 2 steps'],
    ['Run', 'Debug', 'Map', 'failed · 1 step'],
    ['Run', 'Debug', 'Map', 'not run'],
  ]);
  assert.deepEqual(lenses[0], {
    range: document.ranges[0],
    command: { title: 'Run', command: 'snpScenario.runScenario', arguments: [document.uri, 'passes'] },
  });
  assert.deepEqual(lenses[3].command, { title: 'passed · 2 steps', command: '' });
});

test('a client that says which commands it has is offered those', async () => {
  const client = await startServer(
    {},
    { initializationOptions: { commands: ['snpScenario.debugScenario', 'some.thing', 3] } },
  );
  const document = await openMarked(client, text);
  assert.deepEqual(titles(await ask(client, document.uri))[0], ['Debug', 'passed · 2 steps']);
});

test('a client that says nothing is offered none, nor told that there are any', async () => {
  const client = await startServer();
  const { result } = client.received.find(({ result: answer }) => answer?.capabilities !== undefined) ?? {};
  assert.equal(result.capabilities.codeLensProvider, undefined);
  const document = await openMarked(client, text);
  assert.deepEqual(await ask(client, document.uri), []);
});

test('the setting turns them off, and on again', async () => {
  const client = await startServer(
    { workspace: { codeLens: { refreshSupport: true } } },
    { initializationOptions: { commands: true, codeLens: false } },
  );
  const document = await openMarked(client, text);
  assert.deepEqual(await ask(client, document.uri), []);
  const refreshed = client.next(({ method }) => method === 'workspace/codeLens/refresh', 'a refresh');
  client.notify('workspace/didChangeConfiguration', { settings: { snpScenario: { codeLens: true } } });
  await refreshed;
  assert.equal((await ask(client, document.uri)).length, 12);
});

test('an answer waits for the verdict on the text it is about', async () => {
  const client = await startServer({}, { initializationOptions: { commands: true } });
  const document = await openMarked(client, text);
  client.replace(document.uri, 2, document.text.replace('  g.read(0)\n', ''));
  assert.deepEqual(titles(await ask(client, document.uri))[1].at(-1), 'passed · 0 steps');
});

test('a verdict that changes without the text makes the client ask again', async () => {
  const client = await startServer(
    { workspace: { codeLens: { refreshSupport: true } } },
    { initializationOptions: { commands: true } },
  );
  const uri = 'file:///lens/a.snpscenario';
  await openMarked(client, `use source "own.c"\n${text}`, uri);
  assert.equal(titles(await ask(client, uri))[0].at(-1), 'not run');
  const refreshed = client.next(({ method }) => method === 'workspace/codeLens/refresh', 'a refresh');
  client.open('file:///lens/own.c', 'int own(void)\n{\n\treturn 0;\n}\n', 'c');
  await refreshed;
  assert.equal(titles(await ask(client, uri))[0].at(-1), 'passed · 2 steps');
});
