// Semantic tokens: what each word of a scenario is; deltas come to what a full answer says.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { operations } from '../../../engine/scenario/operations.ts';
import { queries } from '../../../engine/scenario/queries.ts';
import { type Client, type Json, killLeftovers } from '../client.ts';
import { openMarked, startServer } from './kit.ts';

let legend: { tokenTypes: string[]; tokenModifiers: string[] };

/** `text type.modifier…` of each token. */
function words(text: string, data: number[]): string[] {
  const lines = text.split(/\r\n|\r|\n/);
  const found: string[] = [];
  let line = 0;
  let character = 0;
  for (let i = 0; i < data.length; i += 5) {
    const [down, right, length, type, modifiers] = data.slice(i, i + 5);
    if (down > 0) character = 0;
    line += down;
    character += right;
    const named = legend.tokenModifiers.filter((_, bit) => modifiers & (1 << bit));
    found.push(`${lines[line].slice(character, character + length)} ${[legend.tokenTypes[type], ...named].join('.')}`);
  }
  return found;
}

function applied(data: number[], edits: Json[]): number[] {
  const result = [...data];
  for (const { start, deleteCount, data: more } of edits) result.splice(start, deleteCount, ...(more ?? []));
  return result;
}

describe('semantic tokens', () => {
  let client: Client;
  let plain: Client;
  before(async () => {
    client = await startServer({ textDocument: { semanticTokens: { augmentsSyntaxTokens: true } } });
    plain = await startServer();
    const initialized = plain.received.find(({ result }) => result?.capabilities !== undefined);
    legend = initialized?.result.capabilities.semanticTokensProvider.legend;
  });
  after(killLeftovers);

  const full = async (source: string, of = client): Promise<string[]> => {
    const { uri, text } = await openMarked(of, source);
    const { data } = await of.request('textDocument/semanticTokens/full', { textDocument: { uri } });
    return words(text, data);
  };

  test('names, by what they are bound to', async () => {
    const source = `guest g {
  slot 0 gpa 0..1G private
}
let size = 4K
sequence s(who, size2) {
  for x in size2 step size {
    who.pvalidate(x, 4K)
  }
}
scenario "a" {
  let asid = pfn(g, size)
  s(g, 0..2M)
  cpu.rmpupdate(asid, asid 1, 2M, assigned) => #PF(RMP|W)
  expect count(psmash) is 1
  unknown.read(nothing)
}
`;
    assert.deepEqual(await full(source), [
      'g class.declaration',
      'slot property',
      'gpa property',
      'private enumMember',
      'size variable.declaration.readonly',
      's function.declaration',
      'who parameter.declaration',
      'size2 parameter.declaration',
      'x variable.declaration',
      'size2 parameter',
      'size variable.readonly',
      'who parameter',
      'pvalidate method',
      'x variable',
      'asid variable.declaration.readonly',
      'pfn function.defaultLibrary',
      'g class',
      'size variable.readonly',
      's function',
      'g class',
      'cpu variable.defaultLibrary',
      'rmpupdate method',
      'asid variable.readonly',
      'asid property',
      'assigned enumMember',
      '#PF enumMember',
      'RMP enumMember',
      'W enumMember',
      'count function.defaultLibrary',
      'psmash enumMember',
      'read method',
    ]);
  });

  test('a client without a grammar gets everything', async () => {
    assert.deepEqual(await full('/// doc\nscenario "😀" { // 😀\r\n  g.read(64K + 1) => ok # c\r\n}\r\n', plain), [
      '/// doc comment.documentation',
      'scenario keyword',
      '"😀" string.declaration',
      '// 😀 comment',
      'read method',
      '64K number',
      '+ operator',
      '1 number',
      '=> operator',
      'ok enumMember',
      '# c comment',
    ]);
  });

  test('broken and empty texts', async () => {
    assert.deepEqual(await full('', plain), []);
    assert.deepEqual(await full('\r\n\ufeff'), []);
    assert.deepEqual(await full('guest g {\nslot 0 }}\nscenario "a {\n g.read(( => \n parallel { x }'), [
      'g class.declaration',
      'slot property',
      'g class',
      'read method',
    ]);
  });

  test('a range has the tokens that touch it, and no others', async () => {
    const { uri, text, ranges } = await openMarked(
      client,
      'guest g {\n}\nscenario "a" {\n  g.read(0)\n  g.wr«ite(0)\n  g.read(«»1)\n  g.re»ad(2)\n}\nscenario "b" {\n  g.read(0)\n}\n',
    );
    const range = async (range: Json): Promise<string[]> => {
      const { data } = await client.request('textDocument/semanticTokens/range', { textDocument: { uri }, range });
      return words(text, data);
    };
    assert.deepEqual(await range(ranges[0]), ['write method', 'g class', 'read method', 'g class', 'read method']);
    assert.deepEqual(await range(ranges[1]), []);
    const all = { start: { line: 0, character: 0 }, end: { line: 1e9, character: 0 } };
    assert.deepEqual(await range(all), await full(text));
  });

  test('deltas come to what a full answer says', async () => {
    const lines = [
      'guest g {',
      '}',
      ...['a', 'b', 'c'].flatMap((n) => [`scenario "${n}" {`, '  g.read(0)', '  g.write(4K)', '}']),
    ];
    const { uri } = await openMarked(client, lines.join('\n'));
    const textDocument = { uri };
    let last = await client.request('textDocument/semanticTokens/full', { textDocument });
    let version = 1;
    let seed = 7;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const pieces = ['x', '\n', '}', '{', ' g', '"', 'guest h {\n}\n', 'let y = 1\n', '', '', ''];
    for (let turn = 0; turn < 60; turn++) {
      const from = { line: random(12), character: random(12) };
      const range = { start: from, end: { line: from.line, character: from.character + random(4) } };
      const contentChanges = [{ range, text: pieces[random(pieces.length)] }];
      client.notify('textDocument/didChange', { textDocument: { uri, version: ++version }, contentChanges });
      const delta = await client.request('textDocument/semanticTokens/full/delta', {
        textDocument,
        previousResultId: last.resultId,
      });
      assert.ok(delta.edits, 'an answer to a known result is a delta');
      const data = applied(last.data, delta.edits);
      last = await client.request('textDocument/semanticTokens/full', { textDocument });
      assert.deepEqual(data, last.data);
    }
    const stale = await client.request('textDocument/semanticTokens/full/delta', {
      textDocument,
      previousResultId: 'x',
    });
    assert.deepEqual(stale.data, last.data, 'an answer to an unknown result is a full one');
  });

  test('hostile parameters', async () => {
    const { uri } = await openMarked(client, 'host {\n}\n');
    const textDocument = { uri };
    const ask = (method: string, params: Json) => client.ask(`textDocument/semanticTokens/${method}`, params);
    for (const params of [null, {}, { textDocument: 5 }]) assert.ok((await ask('full', params)).error);
    assert.ok((await ask('range', { textDocument, range: { start: 1 } })).error);
    assert.ok((await ask('full/delta', { textDocument, previousResultId: { a: 1 } })).result.data);
    assert.deepEqual((await ask('full', { textDocument: { uri: 'file:///none' } })).result, { data: [] });
  });

  test('every example, word by word, as its grammar sees it', async () => {
    const { scopesOf } = await import('../../client/grammar-kit.ts');
    const folder = join(import.meta.dirname, '../../../examples');
    const texts = readdirSync(folder)
      .filter((file) => file.endsWith('.snpscenario'))
      .map((name) => ({ name, source: readFileSync(join(folder, name), 'utf8') }));
    for (const { name, source } of [...texts, { name: 'tables.snpscenario', source: everything }]) {
      const { uri } = await openMarked(plain, source, `file:///features/examples/${name}`);
      const { data } = await plain.request('textDocument/semanticTokens/full', { textDocument: { uri } });
      const wrong = disagreements(source, data, await scopesOf(source));
      assert.deepEqual(wrong, [], name);
    }
  });
});

/** What the tables of the language give as examples. */
const everything = `host {
  memory 4G
  rmp 1M segments 4G
  segment 16M maps 0..4G
  fixed 16M..17M
  cpus 4
  option sizem-on-plain-access = on
}

guest g {
  asid 1
  vcpus 2
  snp on
  slot 0 gpa 0..1G private folio order 4 pfn 0x40000 offset 4K
}

sequence all(who, at) {
  let x = at + 4K
  who.read(x)
}

scenario "all" {
${[...operations, ...queries].map(({ example }) => `  ${example}`).join('\n')}
  allow REF "why"
  all(g, 64K)
}
`;

/** How the scopes of the grammar may begin where the server says it is this. */
const agrees: Record<string, RegExp> = {
  keyword: /^(keyword|storage)/,
  comment: /^(comment|punctuation\.definition\.comment)/,
  string: /^(string|entity\.name\.section|punctuation\.definition\.string|constant\.character\.escape)/,
  number: /^constant\.numeric|^constant\.language/,
  operator: /^keyword\.operator/,
  class: /^(entity\.name\.type\.guest|variable)|^source/,
  variable: /^variable|^source/,
  parameter: /^variable|^source/,
  property: /^(support\.type\.property-name|variable\.(parameter|other\.property))/,
  enumMember: /^(constant|source|variable\.parameter)/,
  function: /^(support|entity\.name\.function)/,
  method: /^entity\.name\.function\.member/,
  type: /^storage\.type/,
};

function disagreements(text: string, data: number[], scopes: string[][]): string[] {
  const wrong: string[] = [];
  let line = 0;
  let character = 0;
  for (let i = 0; i < data.length; i += 5) {
    if (data[i] > 0) character = 0;
    line += data[i];
    character += data[i + 1];
    const type = legend.tokenTypes[data[i + 3]];
    const scope = scopes[line][character];
    if (agrees[type].test(scope)) continue;
    const word = text.split('\n')[line].slice(character, character + data[i + 2]);
    wrong.push(`${line + 1}: ${word} is ${type} and ${scope}`);
  }
  return wrong;
}
