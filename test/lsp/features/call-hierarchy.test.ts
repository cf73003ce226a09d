// Call hierarchy: from scenarios through sequences into C and back.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Client, type Json, killLeftovers } from '../client.ts';
import { marked, startServer } from './kit.ts';
import { shown, type Texts } from './navigation-kit.ts';

const common = 'sequence inner(who) {\n  who.read(0)\n  kernel.own_function(1)\n}\n';
const main = `import "calls-common.snpscenario"
import "snp:linux-guest"
use source "calls.c"
guest g‸guest‸ {
  slot 0 gpa 0..1G private
}
sequence ou‸outer‸ter(who) {
  inner(who)
  inner(who)
  linux_set_memory_encrypted_4k(who, 0 +4K)
}
scenario "one‸scenario‸" {
  ou‸call‸ter(g)
  vmm.set_mem‸operation‸ory_attributes(g, 0..4K, PRIVATE)
  cpu.psm‸raw‸ash(0x40000)
}
scenario "two" {
  kernel.own‸own‸_function(2)
}
`;
const own =
  'static int helper(int x)\n{\n\treturn x;\n}\n\nint own_function(int x)\n{\n\treturn helper(x) + helper(2) + printk("");\n}\n';

const uri = 'file:///nav/calls.snpscenario';
const document = marked(main);
const texts: Texts = new Map([
  [uri, document.text],
  ['file:///nav/calls-common.snpscenario', common],
  ['file:///nav/calls.c', own],
]);

describe('call hierarchy', () => {
  let client: Client;
  before(async () => {
    client = await startServer();
    client.open('file:///nav/calls.c', own, 'c');
    client.open('file:///nav/calls-common.snpscenario', common);
    client.open(uri, document.text);
    await client.diagnostics(uri, 1);
  });
  after(killLeftovers);

  async function item(at: Json, of = uri): Promise<Json> {
    const found = await client.request('textDocument/prepareCallHierarchy', {
      textDocument: { uri: of },
      position: at,
    });
    if (found === null) return null;
    assert.equal(found.length, 1);
    return found[0];
  }
  const where = (one: Json): string => shown(texts, one.uri, one.selectionRange);

  /** `name at places of the calls`, sorted. */
  async function related(one: Json, direction: 'incoming' | 'outgoing'): Promise<string[]> {
    const calls: Json[] = await client.request(`callHierarchy/${direction}Calls`, { item: one });
    return calls
      .map(({ from, to, fromRanges }) => {
        const at = fromRanges.map(({ start }: Json) => `${start.line + 1}:${start.character + 1}`).join(' ');
        return `${(from ?? to).name} ${at}`;
      })
      .sort();
  }

  test('sequences', async () => {
    const outer = await item(document.at.call);
    assert.equal(where(outer), 'calls.snpscenario:7:10 outer');
    assert.equal(where(await item(document.at.outer)), where(outer));
    assert.deepEqual(await related(outer, 'incoming'), ['one 13:3']);
    assert.deepEqual(await related(outer, 'outgoing'), ['inner 8:3 9:3', 'linux_set_memory_encrypted_4k 10:3']);
    const [inner, lent] = (await client.request('callHierarchy/outgoingCalls', { item: outer })).map(
      ({ to }: Json) => to,
    );
    assert.equal(where(inner), 'calls-common.snpscenario:1:10 inner');
    assert.deepEqual(await related(inner, 'incoming'), ['outer 8:3 9:3']);
    assert.deepEqual(await related(inner, 'outgoing'), [
      'own_function 3:10',
      'scenario_exit_reason 2:7',
      'scenario_npf 2:7',
    ]);
    assert.match(where(lent), /^snp-model:\/library\/linux-guest\.snpscenario/);
    assert.deepEqual(await related(lent, 'incoming'), ['outer 10:3']);
    assert.ok((await related(lent, 'outgoing')).some((call) => call.startsWith('scenario_psc ')));
  });

  test('scenarios and what operations enter', async () => {
    const one = await item(document.at.scenario);
    assert.equal(where(one), 'calls.snpscenario:12:10 "one"');
    assert.deepEqual(await related(one, 'incoming'), []);
    assert.deepEqual(await related(one, 'outgoing'), ['outer 13:3', 'scenario_set_memory_attributes 14:7']);
    const entry = await item(document.at.operation);
    assert.equal(entry.name, 'scenario_set_memory_attributes');
    const from = await related(entry, 'incoming');
    assert.ok(from.includes('one 14:7') && from.some((call) => call.startsWith('scenario_psc ')), `${from}`);
    assert.ok((await related(entry, 'outgoing')).length > 0);
  });

  test('C functions', async () => {
    const own = await item(document.at.own);
    assert.equal(where(own), 'calls.c:6:5 own_function');
    assert.deepEqual(await related(own, 'incoming'), ['inner 3:10', 'two 18:10']);
    assert.deepEqual(await related(own, 'outgoing'), ['helper 8:9 8:21']);
    const helper = await item({ line: 7, character: 10 }, 'file:///nav/calls.c');
    assert.equal(where(helper), 'calls.c:1:12 helper');
    assert.deepEqual(await related(helper, 'incoming'), ['own_function 8:9 8:21']);
    assert.deepEqual(await related(helper, 'outgoing'), []);
  });

  test('what calls nothing', async () => {
    assert.equal(await item(document.at.guest), null);
    assert.equal(await item(document.at.raw), null);
    assert.equal(await item({ line: 2, character: 1 }, 'file:///nav/calls.c'), null);
    assert.equal(await item({ line: 0, character: 0 }, 'file:///nav/none.c'), null);
  });

  test('hostile parameters', async () => {
    const own = await item(document.at.own);
    for (const method of ['incomingCalls', 'outgoingCalls']) {
      for (const bad of [
        null,
        {},
        { item: null },
        { item: { ...own, data: undefined } },
        { item: { data: { is: 1 } } },
      ])
        assert.ok((await client.ask(`callHierarchy/${method}`, bad)).error);
      for (const data of [
        { is: 'function', name: '__proto__', path: uri, at: 0 },
        { is: 'sequence', name: 'x', path: 'model:library/../x', at: -1 },
        { is: 'scenario', name: '', path: '', at: Number.MAX_VALUE },
      ])
        assert.deepEqual((await client.ask(`callHierarchy/${method}`, { item: { ...own, data } })).result, []);
    }
    assert.ok((await client.ask('textDocument/prepareCallHierarchy', { textDocument: { uri }, position: 3 })).error);
    assert.equal(client.stderr, '');
  });
});
