// The server with the real engine: the examples, a mistake in one of them, the patch, and texts of every kind while they are typed.

import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Client, type Diagnostic, killLeftovers, realServer } from './client.ts';

const examples = join(import.meta.dirname, '../../examples');
const names = readdirSync(examples).filter((name) => name.endsWith('.snpscenario'));
const text = (name: string) => readFileSync(join(examples, name), 'utf8');
let client: Client;
let opened = 0;

before(async () => {
  client = new Client(realServer);
  await client.initialize();
});
after(killLeftovers);

const newUri = () => `file:///engine/${opened++}.snpscenario`;

async function verdictOf(content: string, uri = newUri()): Promise<Diagnostic[]> {
  const verdict = client.diagnostics(uri, 1);
  client.open(uri, content);
  const diagnostics = await verdict;
  client.close(uri);
  return diagnostics;
}

const show = (diagnostics: Diagnostic[]) =>
  diagnostics.map(({ range, code, message }) => `${range.start.line}:${range.start.character} ${code} ${message}`);

for (const name of names) {
  test(`examples/${name} holds`, async () => {
    assert.deepEqual(show(await verdictOf(text(name))), []);
  });
}

/** The example without its `allow`s: the block's braces become those of a loop that runs once. */
function notAllowed(content: string): string {
  return content.replace(/(?: *allow \S+ ".*"\n)* *allow \S+ ".*" \{/, '  for n in 0..1 {');
}

test('a rule that is broken is shown on the step, and leads to the line of the model that broke it', async () => {
  const content = notAllowed(text('order-4-folio.snpscenario'));
  const found = await verdictOf(content);
  const line = content.split('\n').findIndex((candidate) => candidate.includes('vmm.set_memory_attributes'));
  const rules = found.filter(({ range }) => range.start.line === line).map(({ code }) => code);
  assert.deepEqual(rules.sort(), ['ATTR-RMP', 'ORDER'], show(found).join('\n'));
  const order = found.find(({ code }) => code === 'ORDER');
  const inC = order?.relatedInformation?.find(({ location }) => location.uri.startsWith('snp-model:/kvm-rfc-v8/'));
  assert.ok(inC, JSON.stringify(order?.relatedInformation));
  const source = await client.request('snpScenario/modelSource', { uri: inC.location.uri });
  assert.match(source.text.split('\n')[inC.location.range.start.line], /\+=/);
});

test('a rule that is broken is shown on the patch that broke it, in the patch', async (t) => {
  const patches = process.env.SNP_PATCH_DIR;
  if (!patches) return t.skip('SNP_PATCH_DIR not set');
  const patch = readdirSync(patches).find((name) => name.startsWith('0048'));
  assert.ok(patch, `no patch 0048 in ${patches}`);
  const folder = mkdtempSync(join(tmpdir(), 'snp-patch-'));
  try {
    copyFileSync(join(patches, patch), join(folder, patch));
    const content = notAllowed(text('order-4-folio.snpscenario')).replace(
      /(use kernel .*\n)/,
      `$1use patch "${patch}"\n`,
    );
    const uri = pathToFileURL(join(folder, 'a.snpscenario')).href;
    const patchUri = pathToFileURL(join(folder, patch)).href;
    const inPatch = client.diagnostics(patchUri);
    client.open(uri, content);
    const order = (await inPatch).find(({ code }) => code === 'ORDER');
    assert.ok(order, show(await inPatch).join('\n'));
    const lines = readFileSync(join(folder, patch), 'utf8').split('\n');
    assert.match(lines[order.range.start.line]!, /^\+.*npages/);

    // Mended in the editor, before it is saved: the verdict follows.
    const mended = client.next(({ params }) => params?.uri === uri && !JSON.stringify(params).includes('"ORDER"'));
    client.open(patchUri, lines.join('\n').replace(/^(\+\s*)gfn \+= npages;/m, '$1gfn += 1;'), 'plaintext');
    await mended;
    await client.roundTrip(); // what it says about the patch comes right behind
    const gone = client.diagnostics(patchUri);
    client.close(uri);
    assert.deepEqual(await gone, []);
    client.close(patchUri);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a file that a scenario uses and that is not there is said where it is named', async () => {
  const content = text('order-4-folio.snpscenario').replace(/(use kernel .*\n)/, '$1use source "no-such-file.c"\n');
  const line = content.split('\n').findIndex((candidate) => candidate.startsWith('use source'));
  const found = await verdictOf(content);
  assert.ok(
    found.some(({ range, message }) => range.start.line === line && message.includes('no-such-file.c')),
    show(found).join('\n'),
  );
});

test('a C file is used, edited and used again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'snp-c-'));
  try {
    writeFileSync(join(folder, 'own.c'), 'int own_answer(int x)\n{\n\treturn x + 1;\n}\n');
    const head = text('order-4-folio.snpscenario')
      .split('scenario "')[0]!
      .replace(/(use kernel .*\n)/, '$1use source "own.c"\n');
    const uri = pathToFileURL(join(folder, 'a.snpscenario')).href;
    const c = pathToFileURL(join(folder, 'own.c')).href;
    const first = client.diagnostics(uri, 1);
    client.open(uri, `${head}scenario "x" {\n  kernel.own_answer(41) => 42\n}\n`);
    assert.deepEqual(show(await first), []);
    const second = client.diagnostics(uri);
    client.open(c, 'int own_answer(int x)\n{\n\treturn x + 2;\n}\n', 'c');
    assert.notDeepEqual(show(await second), []);
    const third = client.diagnostics(uri);
    client.edit(c, 2, 2, 12, 13, '1');
    assert.deepEqual(show(await third), []);
    client.close(uri);
    client.close(c);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Numbers from 0 to `below`, the same in every run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('any text has a verdict: cut short, with bytes changed, lines shuffled, of nonsense', async () => {
  const pick = random(1);
  const whole = names.map(text);
  const noise = [
    '{',
    '}',
    '(',
    ')',
    '"',
    '=>',
    '..',
    '\n',
    '\0',
    '\u2028',
    '😀',
    '\ud800',
    '0x',
    '1e999',
    '//',
    ' allow ',
    'for',
    '-',
  ];
  for (let turn = 0; turn < 150; turn++) {
    let content = whole[pick(whole.length)]!;
    const at = pick(content.length);
    const kind = pick(4);
    if (kind === 0) content = content.slice(0, at);
    if (kind === 1) content = content.slice(0, at) + noise[pick(noise.length)] + content.slice(at + pick(5));
    if (kind === 2) {
      const lines = content.split('\n');
      lines.splice(pick(lines.length), 0, ...lines.splice(pick(lines.length), 1 + pick(4)));
      content = lines.join('\n');
    }
    if (kind === 3) content = Array.from({ length: pick(60) }, () => noise[pick(noise.length)]).join(' ');
    const found = await verdictOf(content);
    const internal = found.filter(({ code }) => code === 'INTERNAL');
    assert.deepEqual(show(internal), [], JSON.stringify(content));
  }
});

test('the verdict after edits is the verdict on the text', async () => {
  const pick = random(2);
  for (const name of names.slice(0, 4)) {
    const uri = newUri();
    let content = text(name);
    const first = client.diagnostics(uri, 1);
    client.open(uri, content);
    await first;
    for (let version = 2; version < 40; version++) {
      const lines = content.split('\n');
      const line = pick(lines.length);
      const from = pick(lines[line]!.length + 1);
      const to = Math.min(lines[line]!.length, from + pick(3));
      const inserted = ['', '0', 'K', ' ', 'x', '\n', '}', '4K', '"'][pick(9)]!;
      // Every other edit takes the one before it back, so that the text stays close to one that holds.
      const isUndo = version % 2 === 1;
      const next = isUndo
        ? text(name)
        : [
            ...lines.slice(0, line),
            lines[line]!.slice(0, from) + inserted + lines[line]!.slice(to),
            ...lines.slice(line + 1),
          ].join('\n');
      const verdict = client.diagnostics(uri, version);
      if (isUndo) client.replace(uri, version, next);
      else client.edit(uri, version, line, from, to, inserted);
      content = next;
      assert.deepEqual(
        show(await verdict),
        show(await verdictOf(content)),
        JSON.stringify({ name, line, from, to, inserted }),
      );
    }
    client.close(uri);
  }
});
