// The shape of a document: outline, folding, growing selections, links; and finding declarations in all files.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Client, type Json, killLeftovers } from '../client.ts';
import { expectGolden } from '../golden.ts';
import { marked, openMarked, startServer } from './kit.ts';
import { shown, type Texts } from './navigation-kit.ts';

const source = `// What this file is about: https://www.amd.com/system/files/x_(1).pdf.
// See 20230612042559.375660-1-michael.roth@amd.com, by michael.roth@amd.com
use kernel "kvm-rfc-v8"
use patch "none.patch"

import "snp:linux-guest"
stub noise returns 0
host {
  memory 4G
}

/// The guest.
/// It has two slots.
guest g {
  slot 0 gpa 0..1G private
  slot 1 gpa 1G..2G shared // none
}
let page = 64K +4K
invariant "no validated page is shared" {
  forall page p: rmp(p) is validated implies
    (rmp(p) is assigned)
}
sequence touch(who, at) {
  who.read(at)
}
scenario "a page, and back" {
  let x = 0
  vmm.set_memory_attributes(g,
    0..2M, // all
    PRIVATE)
  for i in 0..4 {
    let y = i
    allow REF "x" {
      g.read(x + i‸)
    }
  }
}
scenario "empty" {}
`;

const range = ({ start, end }: Json): string =>
  `${start.line + 1}:${start.character + 1}-${end.line + 1}:${end.character + 1}`;

describe('structure', () => {
  let client: Client;
  let cold: Client;
  before(async () => {
    client = await startServer({
      textDocument: {
        documentSymbol: { hierarchicalDocumentSymbolSupport: true },
        foldingRange: { lineFoldingOnly: true, rangeLimit: 5 },
      },
    });
    cold = await startServer();
  });
  after(killLeftovers);

  test('of a whole file', async () => {
    const { text, uri, at } = await openMarked(client, source, 'file:///nav/shape.snpscenario');
    await openMarked(cold, source, uri);
    const textDocument = { uri };
    const lines: string[] = [];
    const symbol = ({ name, detail, kind, range: all, selectionRange, children }: Json, indent: string): void => {
      lines.push(`${indent}${name} (${detail ?? ''}) kind ${kind} ${range(all)} ${range(selectionRange)}`);
      for (const child of children ?? []) symbol(child, `${indent}  `);
    };
    lines.push('outline');
    for (const one of await client.request('textDocument/documentSymbol', { textDocument })) symbol(one, '  ');
    lines.push('outline, flat');
    for (const { name, kind, location, containerName } of await cold.request('textDocument/documentSymbol', {
      textDocument,
    }))
      lines.push(`  ${name} kind ${kind} ${range(location.range)} in ${containerName ?? 'the file'}`);
    lines.push('folding by lines, five at most');
    for (const { startLine, endLine, kind } of await client.request('textDocument/foldingRange', { textDocument }))
      lines.push(`  ${startLine + 1}-${endLine + 1} ${kind ?? ''}`.trimEnd());
    lines.push('folding');
    for (const fold of await cold.request('textDocument/foldingRange', { textDocument })) {
      const from = `${fold.startLine + 1}:${fold.startCharacter + 1}`;
      lines.push(`  ${from}-${fold.endLine + 1}:${fold.endCharacter + 1} ${fold.kind ?? ''}`.trimEnd());
    }
    lines.push('selection');
    const [first] = await client.request('textDocument/selectionRange', { textDocument, positions: [at['']] });
    for (let step = first; step !== undefined; step = step.parent)
      lines.push(`  ${shown(new Map([[uri, text]]), uri, step.range).replace(/^\S+ /, `${range(step.range)} `)}`);
    lines.push('links');
    for (const link of await client.request('textDocument/documentLink', { textDocument }))
      lines.push(`  ${shown(new Map([[uri, text]]), uri, link.range)} -> ${link.target}`);
    expectGolden('structure', `${lines.join('\n')}\n`);
  });

  test('broken and empty texts, CRLF', async () => {
    const ask = async (text: string): Promise<Json[]> => {
      const { uri } = await openMarked(client, text);
      const textDocument = { uri };
      const position = { line: 1, character: 2 };
      return [
        (await client.request('textDocument/documentSymbol', { textDocument })).map((one: Json) => one.name),
        (await client.request('textDocument/foldingRange', { textDocument })).map((one: Json) => [
          one.startLine,
          one.endLine,
        ]),
        (await client.request('textDocument/selectionRange', { textDocument, positions: [position] })).length,
        await client.request('textDocument/documentLink', { textDocument }),
      ];
    };
    assert.deepEqual(await ask(''), [[], [], 1, []]);
    assert.deepEqual(await ask('scenario {\r\n  g.read(\r\n'), [['scenario without a name'], [[0, 2]], 1, []]);
    assert.deepEqual(await ask('guest {\r\n slot 0\r\n}\r\nscenario "a {\r\n}\r\nlet'), [
      ['guest without a name', 'a {', 'let without a name'],
      [[0, 1]],
      1,
      [],
    ]);
    assert.deepEqual(await ask('use patch "\nimport ""\n'), [
      ['use without a name', 'import without a name'],
      [[0, 1]],
      1,
      [],
    ]);
  });

  test('regions', async () => {
    const { uri } = await openMarked(
      client,
      '// region one\n// #region two\nhost {\n}\n# endregion\n\n// endregion\n// endregion\n',
    );
    const found: Json[] = await client.request('textDocument/foldingRange', { textDocument: { uri } });
    assert.deepEqual(
      found.map(({ startLine, endLine, kind }) => `${startLine}-${endLine} ${kind}`),
      ['0-6 region', '1-4 region'],
    );
  });

  test('declarations of all files that are known', async () => {
    const texts: Texts = new Map([
      [
        'file:///nav/one.snpscenario',
        'import "two.snpscenario"\nuse source "some.c"\nguest alpha {\n}\nscenario "Sharing a page" {\n}\n',
      ],
      ['file:///nav/two.snpscenario', 'sequence share_all(who) {\n}\nlet small = 4K\n'],
      ['file:///nav/some.c', 'int share_in_c(void)\n{\n\treturn 0;\n}\n'],
    ]);
    for (const [uri, text] of [...texts].reverse()) client.open(uri, text, uri.endsWith('.c') ? 'c' : 'snpscenario');
    await client.diagnostics('file:///nav/one.snpscenario', 1);
    const find = async (query: unknown): Promise<string[]> => {
      const found: Json[] = await client.request('workspace/symbol', { query });
      return found
        .filter(({ location }) => texts.has(location.uri))
        .map(({ name, location }) => `${name} ${shown(texts, location.uri, location.range)}`)
        .sort();
    };
    // Letters in their order, as editors ask for.
    assert.deepEqual(await find('share'), [
      'Sharing a page one.snpscenario:5:10 "Sharing a page"',
      'share_all two.snpscenario:1:10 share_all',
      'share_in_c some.c:1:5 share_in_c',
    ]);
    assert.deepEqual(await find('sHpg'), ['Sharing a page one.snpscenario:5:10 "Sharing a page"']);
    assert.deepEqual(await find('alp'), ['alpha one.snpscenario:3:7 alpha']);
    assert.equal((await find('')).length, 5);
    assert.equal((await find(7)).length, 5);
    assert.deepEqual(await find('no such thing'), []);
    const inC = await client.request('textDocument/documentSymbol', { textDocument: { uri: 'file:///nav/some.c' } });
    assert.deepEqual(
      inC.map((one: Json) => `${one.name} ${range(one.range)} ${range(one.selectionRange)}`),
      ['share_in_c 1:1-4:2 1:5-1:15'],
    );
  });

  test('files that the client has found in its workspace', async () => {
    const uri = 'file:///nav/found.snpscenario';
    const { text } = marked('scenario "hidden treasure" {\n}\n');
    // Not on disk and not open: reading fails, and nothing is found.
    await client.request('snpScenario/discover', { uris: [uri] });
    assert.deepEqual(await client.request('workspace/symbol', { query: 'treasure' }), []);
    client.open(uri, text);
    const [found] = await client.request('workspace/symbol', { query: 'treasure' });
    assert.equal(found.location.uri, uri);
  });

  test('hostile parameters', async () => {
    for (const method of ['documentSymbol', 'foldingRange', 'selectionRange', 'documentLink'])
      for (const params of [undefined, null, {}, { textDocument: [] }, { textDocument: { uri: null } }])
        assert.equal(typeof (await client.ask(`textDocument/${method}`, params)).error?.code, 'number', method);
    const textDocument = { uri: 'file:///nav/shape.snpscenario' };
    for (const positions of [undefined, 'x', [null], [{ line: 'x' }]])
      assert.ok((await client.ask('textDocument/selectionRange', { textDocument, positions })).error);
    await client.ask('workspace/symbol', null);
    assert.equal(client.stderr, '');
  });
});
