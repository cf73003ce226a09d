// Signature help over the protocol. `[…]` in what is expected is the active parameter.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Client, type Json, killLeftovers } from '../client.ts';
import { openMarked, startServer } from './kit.ts';

const head =
  'guest g {\n  vcpus 2\n  slot 0 gpa 0..1G private folio 2M pfn 0x40000\n}\n/// Makes a range shared.\nsequence conv(who, range) {\n  who.psc(range, SHARED)\n}\n';
const scenario = (line: string): string => `${head}scenario "s" {\n  ${line}\n}\n`;

let client: Client;
before(async () => {
  client = await startServer({
    textDocument: {
      signatureHelp: {
        signatureInformation: {
          documentationFormat: ['markdown'],
          parameterInformation: { labelOffsetSupport: true },
          activeParameterSupport: true,
        },
      },
    },
  });
});
after(killLeftovers);

async function help(server: Client, line: string): Promise<Json> {
  const document = await openMarked(server, scenario(line));
  return server.request('textDocument/signatureHelp', {
    textDocument: { uri: document.uri },
    position: document.at[''],
  });
}

function shown(answer: Json): string {
  if (answer === null) return 'nothing';
  const { label, parameters } = answer.signatures[answer.activeSignature];
  const active = parameters[answer.activeParameter];
  if (active === undefined) return label;
  const [start, end] = active.label;
  return `${label.slice(0, start)}[${label.slice(start, end)}]${label.slice(end)}`;
}

const cases: [string, string][] = [
  ['vmm.set_memory_attributes(‸', 'set_memory_attributes([guest], range, PRIVATE|SHARED)'],
  ['vmm.set_memory_attributes(g, ‸)', 'set_memory_attributes(guest, [range], PRIVATE|SHARED)'],
  ['vmm.set_memory_attributes(g, 0..2M, PRI‸', 'set_memory_attributes(guest, range, [PRIVATE|SHARED])'],
  ['vmm.set_memory_attributes(g, 0..2M, PRIVATE, ‸', 'set_memory_attributes(guest, range, PRIVATE|SHARED)'],
  ['vmm.set_memory_attributes(\n    g,\n    ‸\n  )', 'set_memory_attributes(guest, [range], PRIVATE|SHARED)'],
  ['cpu.rmpupdate(pfn(g, 0), asid ‸', 'rmpupdate(pfn, [gpa gpa], [[asid int]], [4K|2M], [assigned], [immutable])'],
  [
    'cpu.rmpupdate(pfn(g, 0), asid 1, gpa 0‸',
    'rmpupdate(pfn, [[gpa gpa]], [asid int], [4K|2M], [assigned], [immutable])',
  ],
  ['cpu.rmpupdate(pfn(g, 0), ass‸', 'rmpupdate(pfn, [gpa gpa], [asid int], [[4K|2M]], [assigned], [immutable])'],
  ['cpu.rmpupdate(pfn(g, 0), assigned‸', 'rmpupdate(pfn, [gpa gpa], [asid int], [4K|2M], [[assigned]], [immutable])'],
  ['cpu.rmpupdate(pfn(g, ‸', 'pfn(guest, [gpa])'],
  ['cpu.rmpupdate(pfn(0x1‸', 'pfn([spa])'],
  ['cpu.rmpupdate(pfn(g, 0)‸', 'rmpupdate([pfn], [gpa gpa], [asid int], [4K|2M], [assigned], [immutable])'],
  ['g.pvalidate(0, 2M, inv‸', 'pvalidate(gpa, [4K|2M], [[valid|invalid]])'],
  ['g.vcpu(‸', 'vcpu([n])'],
  ['g.vcpu(1).read(0, ‸', 'read(gpa, [[private|shared]])'],
  ['g.vcpu(1).vmpl(1).read(‸0)', 'read([gpa], [private|shared])'],
  ['conv(g, ‸', 'conv(who, [range])'],
  ['kernel.psmash(‸', 'int psmash([u64 pfn])'],
  ['kernel.no_such_function(‸', 'nothing'],
  ['expect rmp(g, ‸', 'rmp(guest, [gpa])'],
  ['expect rmp(0x4‸', 'rmp([pfn])'],
  ['expect count(‸', 'count([rmpupdate|psmash|pvalidate|rmpadjust])'],
  ['g.read(0)‸', 'nothing'],
  ['g.read(0) => #NPF(‸', 'nothing'],
  ['// g.read(‸', 'nothing'],
];
for (const [line, expected] of cases) {
  test(line, async () => assert.equal(shown(await help(client, line)), expected));
}

test('documentation of the call and of each operand; of a sequence its own', async () => {
  const operation = (await help(client, 'g.pvalidate(‸')).signatures[0];
  assert.equal(operation.documentation.kind, 'markdown');
  assert.match(operation.documentation.value, /^PVALIDATE: set or clear Validated/);
  assert.match(operation.parameters[1].documentation.value, /Page size in ECX/);
  const sequence = (await help(client, 'conv(‸')).signatures[0];
  assert.equal(sequence.documentation.value, 'Makes a range shared.');
});

test('a client that knows no offsets gets texts', async () => {
  const plain = await startServer();
  const { signatures, activeParameter } = await help(plain, 'g.read(0, ‸');
  assert.deepEqual(
    signatures[0].parameters.map((p: Json) => p.label),
    ['gpa', '[private|shared]'],
  );
  assert.equal(activeParameter, 1);
  assert.equal(signatures[0].activeParameter, undefined);
  assert.equal(signatures[0].documentation.kind, 'plaintext');
  for (const params of [{}, null, { textDocument: { uri: 7 }, position: 3 }])
    assert.equal((await plain.ask('textDocument/signatureHelp', params)).error?.code, -32602);
});
