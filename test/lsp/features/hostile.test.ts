// Every request of LSP 3.17 that a server may be asked, with parameters of every wrong kind, on documents of every kind: each is answered, none with an
// internal error, and afterwards the server says of a good document what it said before.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Client, Json } from '../client.ts';
import { killLeftovers } from '../client.ts';
import { startServer } from './kit.ts';

const INTERNAL_ERROR = -32603;

const good = `guest g {
  asid 1
  slot 0 gpa 0..8M private folio 2M pfn 0x1000
}

/// Doc.
sequence twice(who, at) {
  vmm.set_memory_attributes(who, at +4K, PRIVATE)
  vmm.set_memory_attributes(who, at +4K, SHARED)
}

scenario "a" {
  let page = 64K
  twice(g, page)
  for i in 0..3 {
    g.read(page + i * 4K)   => KVM_EXIT_MEMORY_FAULT
  }
}
`;

const documents: [string, string, string][] = [
  ['snpscenario', 'good.snpscenario', good],
  ['snpscenario', 'empty.snpscenario', ''],
  ['snpscenario', 'half.snpscenario', good.slice(0, good.length / 2)],
  ['snpscenario', 'crlf.snpscenario', good.replaceAll('\n', '\r\n')],
  ['snpscenario', 'noise.snpscenario', '{{{ "\u{1f9e0} \ud800 [0x60 => ..\n/// \0 scenario scenario "'],
  ['c', 'file.c', 'int f(void) { return g(; }\n'],
  ['diff', 'some.patch', 'diff --git a/x b/x\n@@ -1 +1 @@\n-a\n'],
];

const positions: Json[] = [
  { line: 0, character: 0 },
  { line: 11, character: 9 },
  { line: 13, character: 4 },
  { line: 1e9, character: 1e9 },
  { line: -5, character: -7 },
  { line: 2.5, character: 0.1 },
];
const notPositions: Json[] = [undefined, null, 7, 'x', [], {}, { line: 'a', character: {} }, { line: null }];

const onDocument = ['textDocument/documentSymbol', 'textDocument/foldingRange', 'textDocument/semanticTokens/full'];
onDocument.push(
  'textDocument/documentLink',
  'textDocument/codeLens',
  'textDocument/documentColor',
  'textDocument/diagnostic',
);
const atPosition = ['hover', 'definition', 'declaration', 'typeDefinition', 'implementation', 'documentHighlight'];
atPosition.push(
  'completion',
  'signatureHelp',
  'prepareRename',
  'prepareCallHierarchy',
  'references',
  'rename',
  'moniker',
);
atPosition.push('linkedEditingRange', 'onTypeFormatting');
const onRange = [
  'codeAction',
  'inlayHint',
  'rangeFormatting',
  'semanticTokens/range',
  'inlineValue',
  'colorPresentation',
];
const others = ['workspace/symbol', 'workspace/executeCommand', 'workspace/willRenameFiles', 'workspace/diagnostic'];
others.push(
  'completionItem/resolve',
  'codeLens/resolve',
  'codeAction/resolve',
  'documentLink/resolve',
  'inlayHint/resolve',
);
others.push(
  'workspaceSymbol/resolve',
  'callHierarchy/incomingCalls',
  'callHierarchy/outgoingCalls',
  'textDocument/selectionRange',
);
others.push('textDocument/formatting', 'textDocument/semanticTokens/full/delta', 'window/workDoneProgress/create');

const junk: Json[] = [
  {},
  [],
  [1, 'two', null],
  { textDocument: null },
  { textDocument: { uri: 17 } },
  {
    textDocument: { uri: 'file:///hostile/good.snpscenario' },
    position: 'here',
    range: 3,
    positions: [null, 4],
    options: 'x',
  },
  { textDocument: { uri: 'no uri at all' }, position: { line: 0, character: 0 } },
  { query: { a: 1 }, command: 5, arguments: 'none', item: null, data: { __proto__: null } },
  { item: { name: 'f', uri: 'file:///x', range: null, selectionRange: [], data: [] }, label: 5, data: 'x', title: [] },
  { previousResultId: 9, textDocument: { uri: 'file:///hostile/good.snpscenario' } },
];

let client: Client;

before(async () => {
  client = await startServer();
  for (const [languageId, name, text] of documents) {
    client.notify('textDocument/didOpen', {
      textDocument: { uri: `file:///hostile/${name}`, languageId, version: 1, text },
    });
  }
});
after(killLeftovers);

const uris = [...documents.map(([, name]) => `file:///hostile/${name}`), 'file:///hostile/closed.snpscenario'];

/** Asks all of them at once; the answers, where they are errors that must not be. */
async function askAll(requests: [string, Json][]): Promise<void> {
  const answers = await Promise.all(requests.map(([method, params]) => client.ask(method, params)));
  for (const [i, { error }] of answers.entries()) {
    assert.notEqual(
      error?.code,
      INTERNAL_ERROR,
      `${requests[i]?.[0]} ${JSON.stringify(requests[i]?.[1])}: ${error?.message}`,
    );
  }
}

for (const method of onDocument) {
  test(`${method} on every kind of document`, () => askAll(uris.map((uri) => [method, { textDocument: { uri } }])));
}

for (const name of atPosition) {
  const method = `textDocument/${name}`;
  test(`${method} at every kind of position`, () =>
    askAll(
      uris.flatMap((uri) =>
        [...positions, ...notPositions].map((position): [string, Json] => [
          method,
          {
            textDocument: { uri },
            position,
            newName: 'n',
            ch: '}',
            options: {},
            context: { includeDeclaration: true },
          },
        ]),
      ),
    ));
}

for (const name of onRange) {
  const method = `textDocument/${name}`;
  test(`${method} on every kind of range`, () =>
    askAll(
      uris.flatMap((uri) =>
        [...positions, ...notPositions].map((start): [string, Json] => [
          method,
          {
            textDocument: { uri },
            range: { start, end: { line: 12, character: 3 } },
            context: { diagnostics: [{ range: 5, data: { rule: {}, fix: [] } }, null], only: [7] },
            options: { tabSize: 'x' },
          },
        ]),
      ),
    ));
}

for (const method of [
  ...onDocument,
  ...atPosition.map((name) => `textDocument/${name}`),
  ...onRange.map((name) => `textDocument/${name}`),
  ...others,
]) {
  test(`${method} with junk`, () => askAll(junk.map((params) => [method, params])));
}

test('after all that, the server is as it was', async () => {
  assert.ok(client.isRunning);
  const uri = 'file:///hostile/afterwards.snpscenario';
  const verdict = client.diagnostics(uri, 1);
  client.open(uri, good);
  assert.deepEqual(await verdict, []);
});
