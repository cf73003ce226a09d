// Code actions over the protocol: kinds, diagnostics, edits in the form that the client takes. What each fix does, test/engine/assist says.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { type Client, type Json, killLeftovers } from '../client.ts';
import { type Marked, openMarked, startServer } from './kit.ts';

const head = 'guest g {\n  slot 0 gpa 0..1G private folio 2M pfn 0x40000\n}\n';
const scenario = (...steps: string[]): string =>
  `${head}scenario "s" {\n  vmm.set_memory_attributes(g, 0..2M, PRIVATE)\n${steps.map((step) => `  ${step}\n`).join('')}}\n`;

const literals = {
  codeActionLiteralSupport: { codeActionKind: { valueSet: ['quickfix', 'refactor', 'source'] } },
  isPreferredSupport: true,
};

let rich: Client;
let middling: Client;
let plain: Client;
before(async () => {
  rich = await startServer({
    textDocument: { codeAction: { ...literals, dataSupport: true, resolveSupport: { properties: ['edit'] } } },
    workspace: { workspaceEdit: { documentChanges: true, snippetEditSupport: true } },
  });
  middling = await startServer({ textDocument: { codeAction: literals } });
  plain = await startServer();
});
after(killLeftovers);

type Document = Marked & { uri: string };

async function actions(client: Client, document: Document, context: Json = {}): Promise<Json[]> {
  const diagnostics = client.published(document.uri).at(-1)?.diagnostics ?? [];
  const [range] = document.ranges.length > 0 ? document.ranges : [{ start: document.at[''], end: document.at[''] }];
  return client.request('textDocument/codeAction', {
    textDocument: { uri: document.uri },
    range,
    context: { diagnostics, ...context },
  });
}

const named = (list: Json[], title: string): Json => {
  const found = list.find((action) => action.title === title);
  assert.ok(found, `no “${title}” among ${list.map((action) => action.title).join(', ')}`);
  return found;
};

/** The document once an edit is applied, of whichever form. */
function edited(document: Document, edit: Json): string {
  const edits = edit.documentChanges?.[0].edits ?? edit.changes[document.uri];
  const plain = edits.map((one: Json) => ({ range: one.range, newText: one.newText ?? one.snippet.value }));
  return TextDocument.applyEdits(TextDocument.create('', '', 0, document.text), plain);
}

describe('a client that can do everything', () => {
  test('fixes carry their diagnostics, and the best is preferred', async () => {
    const document = await openMarked(rich, scenario('g.re‸ad(64K)'));
    const list = await actions(rich, document);
    const fix = named(list, 'Insert g.pvalidate(0, 2M)');
    assert.equal(fix.kind, 'quickfix');
    assert.equal(fix.isPreferred, true);
    assert.deepEqual(
      fix.diagnostics.map((d: Json) => d.code),
      ['FAULT'],
    );
    assert.equal(fix.edit.documentChanges[0].textDocument.version, 1);
    const text = edited(document, fix.edit);
    assert.ok(text.includes('\n  g.pvalidate(0, 2M)\n  g.read(64K)\n'), text);
    // And that is that.
    const verdict = rich.diagnostics(document.uri, 2);
    rich.replace(document.uri, 2, text);
    assert.deepEqual(await verdict, []);
  });
  test('a reason to be filled in', async () => {
    const document = await openMarked(
      rich,
      scenario('g.pvalidate(0, 2M)', 'cpu.psmash(pfn(g, 0))', 'cpu.rmpupdate(pfn(g, ‸4K))'),
    );
    const list = await actions(rich, document);
    const fix = list.find((action) => /^Allow \S+ here/.test(action.title));
    const [{ snippet }] = fix.edit.documentChanges[0].edits;
    assert.equal(snippet.kind, 'snippet');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: LSP's snippet syntax
    assert.ok(snippet.value.endsWith(' "${1:reason}"'), snippet.value);
  });
  test('only what is asked for', async () => {
    const document = await openMarked(rich, scenario('g.read(‸64K)'));
    const kinds = async (only?: Json): Promise<string[]> => [
      ...new Set((await actions(rich, document, only === undefined ? {} : { only })).map((action) => action.kind)),
    ];
    assert.deepEqual(await kinds(), ['quickfix', 'refactor.rewrite']);
    assert.deepEqual(await kinds(['quickfix']), ['quickfix']);
    assert.deepEqual(await kinds(['refactor']), ['refactor.rewrite']);
    assert.deepEqual(await kinds(['refactor.rewrite']), ['refactor.rewrite']);
    assert.deepEqual(await kinds(['source']), ['source.fixAll.snpscenario']);
    assert.deepEqual(await kinds(['source.fixAll.snpscenario']), ['source.fixAll.snpscenario']);
    assert.deepEqual(await kinds(['source.organizeImports']), []);
  });
  test('all of a file, made when it is wanted', async () => {
    const document = await openMarked(
      rich,
      scenario('g.read(‸64K)', 'allow ORDER "x"', 'g.write(64K)', 'g.pvaldate(0, 2M)', 'g.pvalidate(4K, 2M)'),
    );
    const [action] = await actions(rich, document, { only: ['source.fixAll'] });
    assert.equal(action.edit, undefined);
    const { edit } = await rich.request('codeAction/resolve', action);
    const text = edited(document, edit);
    assert.ok(
      text.includes('  g.read(64K)  => #VC(0x404)\n  g.write(64K)  => #VC(0x404)\n  g.pvalidate(0, 2M)\n'),
      text,
    );
    assert.match(text, /g\.pvalidate\(4K, 2M\) {2}=> \S+\n/);
    const verdict = rich.diagnostics(document.uri, 2);
    rich.replace(document.uri, 2, text);
    const left = await verdict;
    assert.deepEqual(
      left.filter(({ code }) => code === 'ALLOW-UNUSED' || code === 'OPERATION'),
      [],
    );
  });
  test('everything of one kind, from one of them', async () => {
    const document = await openMarked(rich, scenario('g.read(‸64K)', 'g.write(64K)'));
    const action = named(await actions(rich, document), 'Expect what happened, everywhere in this file');
    const { edit } = await rich.request('codeAction/resolve', action);
    const text = edited(document, edit);
    const verdict = rich.diagnostics(document.uri, 2);
    rich.replace(document.uri, 2, text);
    assert.deepEqual(await verdict, [], text);
  });
  test('a quantity in another way', async () => {
    const document = await openMarked(rich, scenario('cpu.psmash(‸0x40000)'));
    const list = await actions(rich, document, { only: ['refactor'] });
    assert.ok(edited(document, named(list, 'Write as gpa: pfn(g, 0)').edit).includes('cpu.psmash(pfn(g, 0))'));
  });
  test('the answer waits for the verdict on the text as it is', async () => {
    const document = await openMarked(rich, scenario('g.read(64K)  => #VC(0x404)'));
    rich.replace(document.uri, 2, document.text.replace('  => #VC(0x404)', ''));
    const [line] = document.text.split('\n').flatMap((text, i) => (text.includes('g.read') ? [i] : []));
    const at = { line, character: 4 };
    const list = await rich.request('textDocument/codeAction', {
      textDocument: { uri: document.uri },
      range: { start: at, end: at },
      context: { diagnostics: [] },
    });
    named(list, 'Expect #VC(0x404)');
  });
});

test('without versions, snippets and resolving: plain edits', async () => {
  const document = await openMarked(
    middling,
    scenario('g.pvalidate(0, 2M)', 'cpu.psmash(pfn(g, 0))', 'cpu.rmpupdate(pfn(g, ‸4K))'),
  );
  const list = await actions(middling, document);
  const fix = list.find((action) => /^Allow \S+ here/.test(action.title));
  assert.match(edited(document, fix.edit), /cpu\.rmpupdate\(pfn\(g, 4K\)\) allow \S+ "reason"\n/);
  assert.deepEqual(Object.keys(fix.edit), ['changes']);
  const bad = await openMarked(middling, scenario('g.read(‸64K)', 'g.read(4K)'));
  const [all] = await actions(middling, bad, { only: ['source.fixAll'] });
  assert.ok(edited(bad, all.edit).includes('g.read(4K)  => #VC(0x404)'));
});

test('a client that takes commands only gets commands, and the edit when it runs one', async () => {
  const document = await openMarked(plain, scenario('g.read(‸64K)'));
  const list = await actions(plain, document);
  const fix = named(list, 'Insert g.pvalidate(0, 2M)');
  assert.deepEqual(Object.keys(fix).sort(), ['arguments', 'command', 'title']);
  let edit: Json;
  plain.answers['workspace/applyEdit'] = (params) => {
    edit = params.edit;
    return { applied: true };
  };
  const applied = plain.next(({ method }) => method === 'workspace/applyEdit', 'the edit');
  await plain.request('workspace/executeCommand', { command: fix.command, arguments: fix.arguments });
  await applied;
  assert.ok(edited(document, edit).includes('g.pvalidate(0, 2M)\n  g.read(64K)'));
  for (const params of [{}, { command: 'rm' }, { command: fix.command }, { command: fix.command, arguments: [7] }])
    assert.equal((await plain.ask('workspace/executeCommand', params)).error?.code, -32602);
});

test('a whole file at once: no more is tried than one waits for', async () => {
  const loops = Array.from({ length: 60 }, (_, i) => [
    `for p in ${i * 2}M..${i * 2 + 2}M step 4K {`,
    '  g.read(p)',
    '}',
  ]).flat();
  const document = await openMarked(rich, `«${scenario(...loops)}»`);
  const list = await actions(rich, document, { only: ['quickfix'] });
  const [action] = await actions(rich, document, { only: ['source.fixAll'] });
  assert.ok(list.length > 0 && action !== undefined);
  const { edit } = await rich.request('codeAction/resolve', action);
  const fixed = edited(document, edit).match(/=> KVM_EXIT_MEMORY_FAULT|=> #VC\(0x404\)/g) ?? [];
  assert.ok(fixed.length > 0 && fixed.length < 60, `${fixed.length}`);
});

test('whatever a client sends, it is answered', async () => {
  const document = await openMarked(rich, scenario('g.read(‸64K)'));
  const textDocument = { uri: document.uri };
  const everywhere = { start: { line: 0, character: 0 }, end: { line: 1e9, character: 0 } };
  for (const context of [
    undefined,
    null,
    7,
    {},
    { diagnostics: 7, only: 7 },
    { diagnostics: [7, null, { range: 7 }], only: [7, ''] },
  ]) {
    const { result } = await rich.ask('textDocument/codeAction', { textDocument, range: everywhere, context });
    assert.ok(Array.isArray(result), JSON.stringify(context));
  }
  for (const params of [{}, null, { textDocument }, { textDocument, range: 7 }])
    assert.equal((await rich.ask('textDocument/codeAction', params)).error?.code, -32602);
  for (const action of [{}, { title: 'x', data: 7 }, { title: 'x', data: { uri: 'file:///not/open' } }])
    assert.deepEqual(await rich.request('codeAction/resolve', action), action);
});
