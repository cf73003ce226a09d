// From a name to what it means, and back: definition, declaration, references, highlights, rename. Over several files, into C and into patches.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Client, type Json, killLeftovers } from '../client.ts';
import { marked, startServer } from './kit.ts';
import { edited, places, type Texts } from './navigation-kit.ts';

const common = `/// Shares a page.
sequence share(who, at) {
  vmm.set_memory_attributes(who, at +4K, SHARED)
  who.read(at, shared)  => any
}
let page = 4K
`;

const main = `import "com‸import‸mon.snpscenario"
import "snp:linux‸library‸-guest"
use kernel "kvm-rfc‸kernel‸-v8"
use patch "the‸patch‸.patch"
use source "own‸source‸.c"
stub snp_lookup‸stub‸_rmpentry returns 0

guest g {
  slot 0 gpa 0..1G private
}
let there = 64K

sequence accept(wh‸parameter‸o, range) {
  for x in ran‸argument‸ge step pa‸imported‸ge {
    who.pvalidate(x‸loop‸, 4K)
  }
}

scenario "a" {
  vmm.set_memory‸operation‸_attributes(g, 0..2M, PRIVATE)
  g‸guest‸.pvalidate(0)
  let there‸local‸2 = th‸top‸ere
  sh‸sequence‸are(g, there2)
  linux_early‸lent‸_set_memory_private(g, 0 +4K)
  kernel.own‸own‸_function(1)  => any
  kernel.psm‸model‸ash(pfn(g, 0))  => any
  cpu.psm‸raw‸ash(pfn‸function‸(g, 0))  => any
  expect rm‸query‸p(g, 0) is shared
}
`;

const own = `int own_function(int x)
{
	return helper(x) + helper(2);
}

static int helper(int x)
{
	return x;
}
`;

const patch = `--- a/arch/x86/kvm/svm/sev.c
+++ b/arch/x86/kvm/svm/sev.c
@@ -1,1 +1,9 @@ somewhere
 
+int sev_update_mem_attr(struct kvm_memory_slot *slot, unsigned int attr, gfn_t start, gfn_t end)
+{
+	return psmash(1);
+}
+
`;

let texts: Texts;
const document = marked(main);
const at = (name: string) => document.at[name];
const uri = 'file:///nav/main.snpscenario';

describe('navigation', () => {
  let client: Client;
  before(async () => {
    client = await startServer();
    texts = new Map([
      [uri, document.text],
      ['file:///nav/common.snpscenario', common],
      ['file:///nav/own.c', own],
      ['file:///nav/the.patch', patch],
    ]);
    client.open('file:///nav/own.c', own, 'c');
    client.open('file:///nav/the.patch', patch, 'diff');
    client.open('file:///nav/common.snpscenario', common);
    client.open(uri, document.text);
    await client.diagnostics(uri, 1);
  });
  after(killLeftovers);

  const go = (name: string, method = 'definition') => places(client, texts, method, uri, at(name));

  test('names of the file and of what it imports', async () => {
    assert.deepEqual(await go('parameter'), ['main.snpscenario:13:17 who']);
    assert.deepEqual(await go('argument'), ['main.snpscenario:13:22 range']);
    assert.deepEqual(await go('imported'), ['common.snpscenario:6:5 page']);
    assert.deepEqual(await go('loop'), ['main.snpscenario:14:7 x']);
    assert.deepEqual(await go('guest'), ['main.snpscenario:8:7 g']);
    assert.deepEqual(await go('local'), ['main.snpscenario:22:7 there2']);
    assert.deepEqual(await go('top'), ['main.snpscenario:11:5 there']);
    assert.deepEqual(await go('sequence'), ['common.snpscenario:2:10 share']);
    assert.deepEqual(await go('sequence', 'declaration'), ['common.snpscenario:2:10 share']);
    assert.deepEqual(await go('lent'), [
      'snp-model:/library/linux-guest.snpscenario:68:10 linux_early_set_memory_private',
    ]);
  });

  test('files and models', async () => {
    assert.deepEqual(await go('import'), ['common.snpscenario:1:1']);
    assert.deepEqual(await go('library'), ['snp-model:/library/linux-guest.snpscenario:1:1']);
    assert.deepEqual(await go('patch'), ['the.patch:1:1']);
    assert.deepEqual(await go('source'), ['own.c:1:1']);
    assert.deepEqual(await go('kernel'), ['snp-model:/kvm-rfc-v8/sev.c:1:1']);
  });

  test('C functions, in the model and in what replaces it', async () => {
    assert.match(String(await go('operation')), /^snp-model:\/kvm-rfc-v8\/\S+ scenario_set_memory_attributes$/);
    assert.deepEqual(await go('own'), ['own.c:1:5 own_function']);
    assert.match(String(await go('model')), /^snp-model:\S+ psmash$/);
    assert.match(String(await go('stub')), /^snp-model:\S+ snp_lookup_rmpentry$/);
  });

  test('what has no place', async () => {
    assert.equal(await go('raw'), null);
    assert.equal(await go('function'), null);
    assert.equal(await go('query'), null);
    assert.equal(await places(client, texts, 'definition', uri, { line: 6, character: 0 }), null);
    assert.equal(
      await places(client, texts, 'definition', 'file:///nav/none.snpscenario', { line: 0, character: 0 }),
      null,
    );
  });

  test('from C to C, and from a patch to what it replaces', async () => {
    const c = (line: number, character: number, file = 'own.c') =>
      places(client, texts, 'definition', `file:///nav/${file}`, { line, character });
    assert.deepEqual(await c(2, 10), ['own.c:6:12 helper']);
    assert.deepEqual(await c(0, 6), ['own.c:1:5 own_function']);
    assert.equal(await c(2, 3), null);
    assert.match(String(await c(4, 8, 'the.patch')), /^snp-model:\/kvm-rfc-v8\/sev\.c\S+ sev_update_mem_attr$/);
    assert.match(String(await c(6, 13, 'the.patch')), /^snp-model:\S+ psmash$/);
  });

  const refer = (name: string, includeDeclaration = true) =>
    places(client, texts, 'references', uri, at(name), { context: { includeDeclaration } });

  test('references', async () => {
    assert.deepEqual(await refer('top'), ['main.snpscenario:11:5 there', 'main.snpscenario:22:16 there']);
    assert.deepEqual(await refer('top', false), ['main.snpscenario:22:16 there']);
    assert.deepEqual(await refer('sequence'), ['common.snpscenario:2:10 share', 'main.snpscenario:23:3 share']);
    assert.deepEqual(await refer('imported'), ['common.snpscenario:6:5 page', 'main.snpscenario:14:23 page']);
    assert.deepEqual(await refer('operation'), [
      'common.snpscenario:3:7 set_memory_attributes',
      'main.snpscenario:20:7 set_memory_attributes',
    ]);
    assert.deepEqual(await refer('import'), ['main.snpscenario:1:8 "common.snpscenario"']);
    assert.deepEqual(await refer('own'), ['main.snpscenario:25:10 own_function', 'own.c:1:5 own_function']);
    const inC = { line: 2, character: 10 };
    assert.deepEqual(
      await places(client, texts, 'references', 'file:///nav/own.c', inC, { context: { includeDeclaration: true } }),
      ['own.c:3:21 helper', 'own.c:3:9 helper', 'own.c:6:12 helper'],
    );
    const psmash = (await refer('model')) ?? [];
    assert.ok(psmash.includes('the.patch:7:10 psmash') && psmash.includes('main.snpscenario:26:10 psmash'));
    assert.ok(psmash.some((place) => place.startsWith('snp-model:/kvm-rfc-v8/')));
  });

  test('highlights', async () => {
    const light = async (uri: string, position: Json) => {
      const result = await client.request('textDocument/documentHighlight', { textDocument: { uri }, position });
      return result === null
        ? null
        : result.map(({ range, kind }: Json) => `${range.start.line}:${range.start.character} ${kind}`);
    };
    assert.deepEqual(await light(uri, at('parameter')), ['12:16 3', '14:4 2']);
    assert.deepEqual(await light('file:///nav/own.c', { line: 2, character: 10 }), ['5:11 3', '2:8 2', '2:20 2']);
    assert.equal(await light(uri, { line: 6, character: 0 }), null);
  });

  const renamed = async (name: string, newName: string) => {
    const { result, error } = await client.ask('textDocument/rename', {
      textDocument: { uri },
      position: at(name),
      newName,
    });
    return error?.message ?? Object.values(edited(texts, result)).join('');
  };

  test('renaming', async () => {
    // What a scenario declares may hide what the file does, once its value has been told.
    assert.equal(await renamed('local', 'there'), document.text.replaceAll('there2', 'there'));
    assert.equal(await renamed('local', 'elsewhere'), document.text.replaceAll('there2', 'elsewhere'));
    assert.equal(await renamed('guest', 'host_of_all'), document.text.replace(/\bg\b/g, 'host_of_all'));
    assert.equal(await renamed('parameter', 'page2'), document.text.replaceAll('who', 'page2'));
    const both = await renamed('sequence', 'give');
    assert.equal(both, common.replace('share(', 'give(') + document.text.replace('share(', 'give('));
    assert.equal(
      await renamed('imported', 'small'),
      common.replace('page =', 'small =') + document.text.replace('step page', 'step small'),
    );
  });

  test('names that cannot be given', async () => {
    assert.match(await renamed('guest', 'a b'), /is no name/);
    assert.match(await renamed('guest', ''), /is no name/);
    assert.match(await renamed('guest', 'vmm'), /actor of the language/);
    assert.match(await renamed('guest', 'there'), /^There is a variable `there` already \(main\.snpscenario:11\)\.$/);
    assert.match(await renamed('sequence', 'accept'), /^There is a sequence `accept` already/);
    assert.match(await renamed('sequence', 'for'), /would mean something else|is no/);
    assert.match(await renamed('parameter', 'range'), /already|would/);
    // Inside the loop it would be the loop's.
    assert.match(await renamed('parameter', 'x'), /There is a variable `x` already \(main\.snpscenario:14\)/);
    // The other file has it.
    assert.match(await renamed('top', 'page'), /already|would/);
  });

  test('what keeps its name', async () => {
    const prepare = async (name: string) => {
      const { result, error } = await client.ask('textDocument/prepareRename', {
        textDocument: { uri },
        position: at(name),
      });
      return error?.message ?? result.placeholder;
    };
    assert.equal(await prepare('guest'), 'g');
    assert.equal(await prepare('sequence'), 'share');
    assert.match(await prepare('operation'), /`set_memory_attributes` is an operation of the language/);
    assert.match(await prepare('query'), /`rmp` is a query of the language/);
    assert.match(await prepare('function'), /`pfn` is a function of the language/);
    assert.match(await prepare('own'), /function of the kernel’s C/);
    assert.match(await prepare('lent'), /library that comes with the extension/);
    assert.match(await prepare('import'), /path of a file/);
    assert.match(await prepare('kernel'), /kernel model/);
    assert.match(await renamed('operation', 'x'), /operation of the language/);
  });

  test('a client that knows versions and links is given them', async () => {
    const rich = await startServer({
      workspace: { workspaceEdit: { documentChanges: true } },
      textDocument: { definition: { linkSupport: true } },
    });
    rich.open(uri, document.text);
    rich.open('file:///nav/common.snpscenario', common);
    await rich.diagnostics(uri, 1);
    const edit = await rich.request('textDocument/rename', {
      textDocument: { uri },
      position: at('sequence'),
      newName: 'give',
    });
    assert.deepEqual(
      edit.documentChanges.map((one: Json) => one.textDocument),
      [
        { uri, version: 1 },
        { uri: 'file:///nav/common.snpscenario', version: 1 },
      ],
    );
    const [link] = await rich.request('textDocument/definition', { textDocument: { uri }, position: at('sequence') });
    assert.deepEqual(link.originSelectionRange, { start: { line: 22, character: 2 }, end: { line: 22, character: 7 } });
    assert.equal(link.targetUri, 'file:///nav/common.snpscenario');
    await rich.kill();
  });

  test('CRLF, characters beyond the BMP, broken lines', async () => {
    const odd = 'file:///nav/odd.snpscenario';
    const { text, at: here } = marked(
      'guest g😀 {\r\n}\r\nscenario "😀" {\r\n  g.read(\r\n  let 😀😀 = 1 x\r\n  let y = 64K // 😀\r\n  g😀.read(y‸)\r\n',
    );
    texts.set(odd, text);
    client.open(odd, text);
    await client.diagnostics(odd, 1);
    assert.deepEqual(await places(client, texts, 'definition', odd, here['']), ['odd.snpscenario:6:7 y']);
    // In a line that is not understood.
    const broken = { line: 3, character: 3 };
    texts.set(odd, text.replace('  g.read(', '  g😀.read('));
    client.replace(odd, 2, texts.get(odd) as string);
    assert.deepEqual(await places(client, texts, 'definition', odd, broken), ['odd.snpscenario:1:7 g😀']);
  });

  test('hostile parameters', async () => {
    const textDocument = { uri };
    for (const method of ['definition', 'declaration', 'references', 'documentHighlight', 'prepareRename', 'rename']) {
      for (const params of [
        undefined,
        null,
        {},
        { textDocument },
        { textDocument: { uri: 3 }, position: { line: 0, character: 0 }, newName: 'x' },
        { textDocument, position: { line: 'x', character: 0 }, newName: 'x' },
        { textDocument, position: null, newName: 'x' },
      ])
        assert.equal(typeof (await client.ask(`textDocument/${method}`, params)).error?.code, 'number', method);
      const far = { textDocument, position: { line: 1e12, character: -5 }, newName: {} };
      await client.ask(`textDocument/${method}`, far);
    }
    await client.roundTrip();
    assert.equal(client.stderr, '');
  });
});

describe('navigation in the mailed patch', () => {
  after(killLeftovers);

  test('from the scenario to its function, from its lines to the model, and back to the scenario', async (t) => {
    const folder = process.env.SNP_PATCH_DIR;
    if (!folder) {
      t.skip('SNP_PATCH_DIR not set');
      return;
    }
    const path = readdirSync(folder)
      .filter((name) => name.includes('0048') || /mem-attr/.test(name))
      .map((name) => join(folder, name))[0];
    assert.ok(path, 'the patch that changes memory attributes');
    const mail = pathToFileURL(path).href;
    const patch = readFileSync(path, 'utf8');
    const client = await startServer();
    const { text, at } = marked(
      `use patch ${JSON.stringify(path)}\nguest g {\n  slot 0 gpa 0..1G private\n}\nscenario "a" {\n  kernel.sev_update‸_mem_attr(slot(g, 0), 0, 0, 1)  => any\n}\n`,
    );
    const uri = 'file:///nav/mailed.snpscenario';
    client.open(uri, text);
    client.open(mail, patch, 'diff');
    await client.diagnostics(uri, 1);
    const [location] = await client.request('textDocument/definition', { textDocument: { uri }, position: at[''] });
    assert.equal(location.uri, mail);
    const line = patch.split('\n')[location.range.start.line];
    assert.match(line, /^\+.*\bsev_update_mem_attr\(/);
    const symbols = await client.request('textDocument/documentSymbol', { textDocument: { uri: mail } });
    assert.ok(symbols.some(({ name }: Json) => name === 'sev_update_mem_attr'));
    // A call in the patch's own lines.
    const call = patch.split('\n').findIndex((one) => /^\+.*\b(rmp_make_private|rmp_make_shared)\(/.test(one));
    const position = { line: call, character: patch.split('\n')[call].indexOf('rmp_make') + 3 };
    const [called] = await client.request('textDocument/definition', { textDocument: { uri: mail }, position });
    assert.match(called.uri, /^snp-model:|^file:/);
    const [item] = await client.request('textDocument/prepareCallHierarchy', {
      textDocument: { uri: mail },
      position: location.range.start,
    });
    const incoming = await client.request('callHierarchy/incomingCalls', { item });
    assert.ok(incoming.some(({ from }: Json) => from.name === 'a'));
  });
});
