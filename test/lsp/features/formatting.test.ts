// Formatting over the protocol: whole, range, while typing. What the style is, test/engine/assist/format.test.ts says.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { type Client, type Json, killLeftovers } from '../client.ts';
import { openMarked, startServer } from './kit.ts';

const spaces = { tabSize: 2, insertSpaces: true };

describe('formatting', () => {
  let client: Client;
  before(async () => {
    client = await startServer();
  });
  after(killLeftovers);

  /** What becomes of the text. */
  async function edited(source: string, method: string, more: (document: Json) => Json): Promise<string> {
    const document = await openMarked(client, source);
    const edits = await client.request(method, { textDocument: { uri: document.uri }, ...more(document) });
    return TextDocument.applyEdits(TextDocument.create('', '', 0, document.text), edits);
  }

  test('the whole document', async () => {
    const text = await edited('host{\r\nmemory  4G // 😀\r\n}', 'textDocument/formatting', () => ({ options: spaces }));
    assert.equal(text, 'host {\r\n  memory 4G // 😀\r\n}\r\n');
  });

  test('as the editor indents', async () => {
    const source = 'host {\nmemory 4G\n}\n';
    const as = (options: Json) => edited(source, 'textDocument/formatting', () => ({ options }));
    assert.equal(await as({ tabSize: 4, insertSpaces: true }), 'host {\n    memory 4G\n}\n');
    assert.equal(await as({ tabSize: 8, insertSpaces: false }), 'host {\n\tmemory 4G\n}\n');
    assert.equal(await as({ tabSize: 'x', insertSpaces: 7 }), 'host {\n  memory 4G\n}\n');
    assert.equal(await as(null), 'host {\n  memory 4G\n}\n');
  });

  test('a range: the lines it touches', async () => {
    const source = 'host {\n memory  4G\n «cp»us  4\n}\nscenario  "a"  {\n}\n';
    const text = await edited(source, 'textDocument/rangeFormatting', ({ ranges }) => ({
      range: ranges[0],
      options: spaces,
    }));
    assert.equal(text, 'host {\n memory  4G\n  cpus 4\n}\nscenario  "a"  {\n}\n');
  });

  const typed = (source: string, ch: string) =>
    edited(source, 'textDocument/onTypeFormatting', ({ at }) => ({ position: at[''], ch, options: spaces }));

  test('a brace typed formats what it closes', async () => {
    assert.equal(
      await typed(
        'host {\nmemory  4G\n}\nscenario "a" {\n  for x in 0..2 {\n g.read( x )\n  }‸\n  g.read( 1 )\n}\n',
        '}',
      ),
      'host {\nmemory  4G\n}\nscenario "a" {\n  for x in 0..2 {\n    g.read(x)\n  }\n  g.read( 1 )\n}\n',
    );
  });

  test('a brace that closes nothing formats nothing', async () => {
    assert.equal(await typed('host  {\n}\n}‸', '}'), 'host  {\n}\n}');
  });

  test('a newline formats the lines above and indents the one begun', async () => {
    assert.equal(
      await typed('scenario "a" {\n  g.read( 0 )\n\n  g.read(64K)  => ok\ng.pvalidate(0, 2M)=>ok\n‸\n}\n', '\n'),
      'scenario "a" {\n  g.read( 0 )\n\n  g.read(64K)         => ok\n  g.pvalidate(0, 2M)  => ok\n  \n}\n',
    );
    assert.equal(await typed('scenario "a" {\n      ‸\n}\n', '\n'), 'scenario "a" {\n  \n}\n');
    assert.equal(await typed('host {\n}\n  ‸', '\n'), 'host {\n}\n');
  });

  test('the line begun is left to whoever types', async () => {
    assert.equal(await typed('/// What this is  \n/// ‸\nhost {\n}\n', '\n'), '/// What this is\n/// \nhost {\n}\n');
    assert.equal(await typed('host {\n  memory 4G\n ‸ cpus  4\n}\n', '\n'), 'host {\n  memory 4G\n  cpus  4\n}\n');
  });

  test('within brackets the place of the next line is the user’s', async () => {
    const text = 'scenario "a" {\n  vmm.set_memory_attributes(g,\n       \n    PRIVATE)\n}\n';
    assert.equal(await typed(text.replace('       \n', '       ‸\n'), '\n'), text);
  });

  test('what cannot be formatted is null or an error', async () => {
    const { uri } = await openMarked(client, 'host {\n}\n');
    const textDocument = { uri };
    const ask = (method: string, params: Json) => client.ask(`textDocument/${method}`, params);
    assert.equal((await ask('formatting', { textDocument: { uri: 'file:///none' }, options: spaces })).result, null);
    for (const params of [undefined, null, 5, {}, { textDocument: null }, { textDocument: { uri: 5 } }])
      assert.notEqual((await ask('formatting', params)).error, undefined);
    assert.notEqual((await ask('rangeFormatting', { textDocument, options: spaces })).error, undefined);
    assert.notEqual((await ask('onTypeFormatting', { textDocument, position: {}, ch: '}' })).error, undefined);
    assert.notEqual(
      (await ask('onTypeFormatting', { textDocument, position: { line: 0, character: 0 } })).error,
      undefined,
    );
    const far = { line: 1e9, character: 1e9 };
    assert.deepEqual((await ask('onTypeFormatting', { textDocument, position: far, ch: '\n' })).result, []);
  });
});
