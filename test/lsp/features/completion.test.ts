// Completion over the protocol: what a client can show of it, and what it gets if it can show little. What is offered where, test/engine/assist says.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { type Client, type Json, killLeftovers } from '../client.ts';
import { openMarked, startServer } from './kit.ts';

const head = 'guest g {\n  vcpus 2\n  slot 0 gpa 0..1G private folio 2M pfn 0x40000\n}\n';
const scenario = (line: string): string =>
  `${head}scenario "s" {\n  vmm.set_memory_attributes(g, 0..2M, PRIVATE)\n  ${line}\n}\n`;

const full = {
  textDocument: {
    completion: {
      completionItem: {
        snippetSupport: true,
        labelDetailsSupport: true,
        commitCharactersSupport: true,
        preselectSupport: true,
        insertReplaceSupport: true,
        documentationFormat: ['markdown', 'plaintext'],
        resolveSupport: { properties: ['documentation'] },
      },
    },
  },
};

let rich: Client;
let plain: Client;
let folder: string;
before(async () => {
  rich = await startServer(full, { initializationOptions: { suggestCommand: true } });
  plain = await startServer();
  folder = mkdtempSync(join(tmpdir(), 'snp-completion-'));
  mkdirSync(join(folder, 'sub dir'));
  for (const name of ['0048 fix.patch', 'sev.c', 'note.md', join('sub dir', 'other.mbox')])
    writeFileSync(join(folder, name), '');
});
after(async () => {
  await killLeftovers();
  rmSync(folder, { recursive: true });
});

async function list(
  client: Client,
  source: string,
  more: Json = {},
  uri?: string,
): Promise<{ items: Json[]; accept(label: string): string }> {
  const document = await openMarked(client, source, uri);
  const answer = await client.request('textDocument/completion', {
    textDocument: { uri: document.uri },
    position: document.at[''],
    ...more,
  });
  const items = [...answer.items].sort((a, b) => (a.sortText < b.sortText ? -1 : 1));
  return {
    items,
    accept(label) {
      const { textEdit } = items.find((item) => item.label === label);
      const edit = { newText: textEdit.newText, range: textEdit.replace ?? textEdit.range };
      return TextDocument.applyEdits(TextDocument.create('', '', 0, document.text), [edit]);
    },
  };
}

const labels = (items: Json[]): string[] => items.map((item) => item.label);

describe('a client that can do everything', () => {
  test('an operation: kind, operands, snippet, documentation when asked', async () => {
    const { items, accept } = await list(rich, scenario('vmm.set‸_memory(g)'));
    const item = items.find(({ label }) => label === 'set_memory_attributes');
    assert.equal(item.kind, 2);
    assert.deepEqual(item.labelDetails, { detail: '(guest, range, to)' });
    assert.equal(item.documentation, undefined);
    // Arguments that are there stay.
    assert.ok(accept('set_memory_attributes').includes('vmm.set_memory_attributes(g)\n'));
    const resolved = await rich.request('completionItem/resolve', item);
    assert.equal(resolved.documentation.kind, 'markdown');
    assert.match(
      resolved.documentation.value,
      /KVM_SET_MEMORY_ATTRIBUTES: KVM is to treat[\s\S]*Outcomes: `ok`, `EINVAL`/,
    );
  });
  test('a snippet with placeholders', async () => {
    const { items } = await list(rich, scenario('vmm.‸'));
    const item = items.find(({ label }) => label === 'set_memory_attributes');
    assert.equal(item.insertTextFormat, 2);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: LSP's snippet syntax
    assert.equal(item.textEdit.newText, 'set_memory_attributes(${1:g}, ${2:range}, ${3|PRIVATE,SHARED|})');
    // The bracket is there already; the parameters open.
    assert.equal(item.commitCharacters, undefined);
    assert.equal(item.command.command, 'editor.action.triggerParameterHints');
    const guest = (await list(rich, scenario('‸'))).items.find(({ label }) => label === 'g');
    assert.deepEqual(guest.commitCharacters, ['.']);
  });
  test('insert and replace', async () => {
    const { items } = await list(rich, scenario('g.pva‸lidate(0)'));
    const { insert, replace } = items.find(({ label }) => label === 'read').textEdit;
    assert.deepEqual([insert.start.character, insert.end.character, replace.end.character], [4, 7, 13]);
  });
  test('goes on where more follows', async () => {
    const { items } = await list(rich, scenario('expect rmp(g, 0) ‸'));
    assert.equal(items[0].command.command, 'editor.action.triggerSuggest');
  });
  test('what happens stands first behind the arrow', async () => {
    const steps: [string, string][] = [
      ['g.read(64K)  => ‸', '#VC(0x404)'],
      ['g.pvalidate(0, 2M)  => ‸', 'ok'],
      ['cpu.rmpupdate(pfn(g, 64K))  => ‸FAIL_INPUT', 'FAIL_OVERLAP'],
      ['vmm.set_memory_attributes(g, 0..100, PRIVATE) => ‸', 'EINVAL'],
      ['for p in 0..8K step 4K {\n    g.read(p) => ‸\n  }', '#VC(0x404)'],
    ];
    for (const [step, outcome] of steps) {
      const { items } = await list(rich, scenario(step));
      assert.deepEqual([items[0].label, items[0].detail, items[0].preselect], [outcome, 'what happens', true], step);
    }
  });
  test('a C function, with its prototype when asked', async () => {
    const { items } = await list(rich, scenario('kernel.psm‸'));
    const item = items.find(({ label }) => label === 'psmash');
    const { documentation } = await rich.request('completionItem/resolve', item);
    assert.match(documentation.value, /^```c\nint psmash\(u64 pfn\)\n```/);
  });
  test('a whole scenario', async () => {
    const { items } = await list(rich, `${head}‸`);
    const item = items.find(({ label }) => label === 'scenario: make 2M private');
    assert.equal(item.kind, 15);
    assert.match(item.textEdit.newText, /^scenario "\$\{1:make 2M private\}" \{\n {2}vmm\.set_memory_attributes\(g, /);
  });
});

describe('a client that speaks plain LSP', () => {
  test('no snippets, no resolving: text, with plain documentation', async () => {
    const { items, accept } = await list(plain, scenario('g.‸'));
    for (const item of items) {
      assert.equal(item.insertTextFormat, undefined);
      assert.equal(item.command, undefined);
      assert.equal(item.commitCharacters, undefined);
      assert.ok(!item.textEdit.newText.includes('$'), item.textEdit.newText);
      assert.equal(item.documentation.kind, 'plaintext');
      assert.ok(!item.documentation.value.includes('`'), item.documentation.value);
    }
    assert.ok(accept('vmrun').includes('g.vmrun()\n'));
    assert.equal(items.find(({ label }) => label === 'read').detail, '(gpa, mapping)');
  });
  test('a whole scenario without placeholders', async () => {
    const { accept } = await list(plain, `${head.replaceAll('\n', '\r\n')}‸`);
    const text = accept('scenario: make 2M private');
    assert.ok(
      text.includes('scenario "make 2M private" {\r\n  vmm.set_memory_attributes(g, 0..2M, PRIVATE)\r\n'),
      text,
    );
    assert.ok(!/[^\r]\n/.test(text));
  });
  test('the word at the cursor is replaced', async () => {
    const { accept } = await list(plain, scenario('g.pva‸lidate(0)'));
    assert.ok(accept('write').includes('g.write(0)'));
  });
});

describe('paths', () => {
  const uri = () => `${pathToFileURL(folder)}/a.snpscenario`;
  let n = 0;
  const fresh = () => uri().replace('a.snp', `a${n++}.snp`);
  test('of patches, with folders', async () => {
    const { items, accept } = await list(rich, 'use patch "‸"\n', {}, fresh());
    assert.deepEqual(labels(items), ['0048 fix.patch', 'sub dir/']);
    assert.equal(accept('0048 fix.patch'), 'use patch "0048 fix.patch"\n');
  });
  test('within a folder', async () => {
    const { items, accept } = await list(rich, 'use patch "sub dir/o‸"\n', {}, fresh());
    assert.deepEqual(labels(items), ['other.mbox']);
    assert.equal(accept('other.mbox'), 'use patch "sub dir/other.mbox"\n');
  });
  test('of C files', async () => {
    const { items } = await list(rich, 'use source "‸"\n', {}, fresh());
    assert.deepEqual(labels(items), ['sev.c', 'sub dir/']);
  });
  test('where there is no folder, none', async () => {
    for (const path of [
      'untitled:Untitled-1',
      'file:///no/such/folder/x.snpscenario',
      'vscode-vfs://github/x/y.snpscenario',
    ]) {
      const { items } = await list(rich, 'use patch "‸"\n', {}, path);
      assert.deepEqual(labels(items), [], path);
    }
  });
});

describe('characters that open a list', () => {
  const opened = async (source: string, triggerCharacter: string): Promise<number> =>
    (await list(rich, source, { context: { triggerKind: 2, triggerCharacter } })).items.length;
  test('a space behind a word, but not one that indents', async () => {
    assert.equal(await opened(`${head}scenario "s" {\n ‸\n}\n`, ' '), 0);
    assert.notEqual(await opened(scenario('expect ‸'), ' '), 0);
  });
  test('a brace of a pattern, not of a block', async () => {
    assert.equal(await opened(`${head}scenario "s" {‸\n}\n`, '{'), 0);
    assert.notEqual(await opened(scenario('expect rmp(g, 0) is {‸'), '{'), 0);
  });
  test('# behind an arrow, not a comment', async () => {
    assert.equal(await opened(scenario('#‸'), '#'), 0);
    assert.notEqual(await opened(scenario('g.read(0) => #‸'), '#'), 0);
  });
});

test('whatever a client sends, it is answered', async () => {
  const document = await openMarked(rich, scenario('g.‸'));
  const textDocument = { uri: document.uri };
  for (const position of [
    { line: 1e9, character: 1e9 },
    { line: -5, character: -1 },
    { line: 0.5, character: 1.5 },
  ]) {
    const { result } = await rich.ask('textDocument/completion', { textDocument, position });
    assert.ok(result, JSON.stringify(position));
  }
  for (const params of [{}, { textDocument }, { textDocument: 7, position: {} }, null])
    assert.equal((await rich.ask('textDocument/completion', params)).error?.code, -32602);
  assert.equal(
    await rich.request('textDocument/completion', {
      textDocument: { uri: 'file:///not/open' },
      position: { line: 0, character: 0 },
    }),
    null,
  );
  for (const item of [
    {},
    { label: 'x', data: 7 },
    { label: 'x', data: { doc: 7, uri: 'x' } },
    { label: 'x', data: { doc: 'c:psmash', uri: 'file:///not/open' } },
    { label: 'x', data: { doc: 'rule:toString', uri: 'x' } },
  ])
    assert.deepEqual(await rich.request('completionItem/resolve', item), item);
});

test('in a document that is no scenario there is none', async () => {
  rich.open('file:///completion/x.c', 'int x;\n', 'c');
  const params = { textDocument: { uri: 'file:///completion/x.c' }, position: { line: 0, character: 3 } };
  assert.equal(await rich.request('textDocument/completion', params), null);
  assert.equal(await rich.request('textDocument/signatureHelp', params), null);
  assert.equal(
    await rich.request('textDocument/codeAction', {
      ...params,
      range: { start: params.position, end: params.position },
      context: { diagnostics: [] },
    }),
    null,
  );
});
