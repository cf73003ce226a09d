// What the user changes from outside: variables of the scenario, fields of RMP entries, by setVariable and by setExpression. The run goes on with it,
// stepping back takes it away, and the file knows nothing of it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, test } from 'node:test';
import { DebugClient, type Json, killLeftovers } from './client.ts';
import { head, lineOf, workspace } from './fixtures.ts';

const text = `${head()}
scenario "variables" {
  let page = 64K
  let frame = pfn(g, 0)
  let range = 0..2M
  vmm.set_memory_attributes(g, range, PRIVATE)
  for i in 0..4 {
    g.pvalidate(page + i * 4K, 4K) => any
  }
  expect rmp(g, page) is assigned
}
`;
const files = workspace({ 'variables.snpscenario': text });
const program = files.file('variables.snpscenario');
afterEach(killLeftovers);
after(() => files.remove());

async function at(line: string): Promise<DebugClient> {
  const client = new DebugClient();
  await client.launch({ program }, { supportsInvalidatedEvent: true, supportsMemoryEvent: true });
  await client.request('setExceptionBreakpoints', { filters: [] });
  await client.request('setBreakpoints', { source: { path: program }, breakpoints: [{ line: lineOf(text, line) }] });
  await client.start();
  return client;
}

async function variables(client: DebugClient): Promise<{ reference: number; rows: Json }> {
  const { scopes } = await client.request('scopes', { frameId: 1 });
  const reference = scopes.find(({ name }: Json) => name === 'Variables').variablesReference;
  const rows = (await client.request('variables', { variablesReference: reference })).variables;
  return { reference, rows: Object.fromEntries(rows.map(({ name, value }: Json) => [name, value])) };
}

test('a variable is set to what an expression of the language amounts to; the run goes on with it', async () => {
  const client = await at('vmm.set_memory_attributes');
  const { reference, rows } = await variables(client);
  assert.deepEqual(rows, { page: '0x10000', frame: '0x40000', range: '0x0..0x200000' });
  const set = (name: string, value: string): Promise<Json> =>
    client.request('setVariable', { variablesReference: reference, name, value });
  assert.deepEqual(await set('page', 'page + 1M'), { value: '0x110000', type: 'int', variablesReference: 0 });
  assert.equal((await set('range', '0..4M')).value, '0x0..0x400000');
  assert.equal((await set('frame', '0x40200')).value, '0x40200', 'a plain number stands for a frame');
  await client.event('invalidated');
  for (const [name, value, words] of [
    ['page', 'pfn(g, 0)', /page is of kind int, and 0x40000 of kind pfn/],
    ['range', '3', /range is of kind int-range, and 3 of kind int/],
    ['page', 'nobody', /Nothing is called `nobody`/],
    ['page', '', /nothing to evaluate/],
    ['page', 'rmp(g, 0)', /no value that a variable can have/],
    ['page', 'page\nlet x = 1', /one line/],
  ] as const)
    assert.match(await client.refusal('setVariable', { variablesReference: reference, name, value }), words);
  await client.move('next');
  assert.match(await client.evaluate('attr(g, 2M)'), /private/i, 'the longer range was converted');
  assert.equal(await client.evaluate('page'), '0x110000');
  // Back over the place where it was changed, and there again.
  await client.move('stepBack');
  await client.move('stepBack', { granularity: 'instruction' });
  assert.equal(await client.evaluate('page'), '0x10000');
  await client.move('stepIn', { granularity: 'instruction' });
  assert.equal(await client.evaluate('page'), '0x110000');
  assert.equal(readFileSync(program, 'utf8'), text);
  assert.equal(await client.disconnect(), 0);
});

test("a loop's variable is there within the loop, and can be set to leave it early", async () => {
  const client = await at('g.pvalidate');
  const { reference, rows } = await variables(client);
  assert.equal(rows.i, '0');
  await client.request('setVariable', { variablesReference: reference, name: 'i', value: '3' });
  await client.request('setBreakpoints', {
    source: { path: program },
    breakpoints: [{ line: lineOf(text, 'expect') }],
  });
  await client.move('continue');
  assert.equal('i' in (await variables(client)).rows, false);
  assert.equal(await client.evaluate('rmp(g, 76K).validated'), 'true');
  assert.equal(await client.evaluate('rmp(g, 64K).validated'), 'false');
  assert.match(await client.refusal('setExpression', { expression: 'i', value: '1' }), /cannot be set/);
  assert.equal(await client.disconnect(), 0);
});

test('setExpression sets variables and fields of RMP entries, and says what it cannot set', async () => {
  const client = await at('expect');
  const set = async (expression: string, value: string): Promise<Json> =>
    client.request('setExpression', { expression, value, frameId: 1 });
  assert.equal((await set('page', '128K')).value, '0x20000');
  assert.equal(await client.evaluate('page'), '0x20000');
  // The pages were validated one by one: the 2M entry governs none of them any more.
  const field = 'rmp(g, 2M).asid';
  assert.deepEqual(await set(field, '7'), { value: '7' });
  assert.equal(await client.evaluate(field), '7');
  assert.deepEqual(await set('rmp(0x40200).assigned', 'true'), { value: 'true' });
  assert.equal((await set('rmp(0x40200).size', '2M')).value, '2M');
  const refusal = (expression: string, value: string): Promise<string> =>
    client.refusal('setExpression', { expression, value, frameId: 1 });
  assert.match(await refusal('rmp(0x40300).validated', 'false'), /cannot be set/, 'under a 2M entry, which holds');
  assert.match(await refusal(field, '99999999'), /does not fit/);
  assert.match(await refusal(field, 'many'), /no value/);
  assert.match(await refusal('page + 1', '3'), /cannot be set/);
  assert.match(await refusal('asid_counter(1)', '3'), /cannot be set/);
  // What cannot be set says so beforehand.
  const isReadOnly = async (expression: string): Promise<boolean> =>
    (
      await client.request('evaluate', { expression, frameId: 1, context: 'watch' })
    ).presentationHint?.attributes?.includes('readOnly') === true;
  assert.equal(await isReadOnly('page'), false);
  assert.equal(await isReadOnly('rmp(0x40200).asid'), false);
  for (const expression of ['page + 1', 'rmp(g, 0)', 'rmp(g, 0) is assigned', 'count(psmash)', '3'])
    assert.equal(await isReadOnly(expression), true, expression);
  // The children of an entry in a watch are the bits themselves.
  const { variablesReference } = await client.request('evaluate', { expression: 'rmp(0x40200)', frameId: 1 });
  const changed = await client.request('setVariable', { variablesReference, name: 'immutable', value: 'true' });
  assert.equal(changed.value, 'true');
  assert.equal(await client.evaluate('rmp(0x40200).immutable'), 'true');
  assert.equal(await client.disconnect(), 0);
});
