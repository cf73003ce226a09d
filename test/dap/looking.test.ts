// Looking, in every context: watch, hover, console, clipboard; completions in the middle of expressions; pages of large sets; memory that has changed.

import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { DebugClient, type Json, killLeftovers } from './client.ts';
import { head, lineOf, ownSource, smash, workspace } from './fixtures.ts';

const text = smash('use source "own.c"');
const large = `${head()}
scenario "a gigabyte" {
  vmm.set_memory_attributes(g, 0..1G, PRIVATE)
  expect asid_counter(1) is 512
}
`;
const files = workspace({
  'smash.snpscenario': text,
  'own.c': ownSource,
  'large.snpscenario': large,
  'notes.txt': 'nothing\n',
});
const own = files.file('own.c');
afterEach(killLeftovers);
after(() => files.remove());

async function started(name: string, client: Json = {}): Promise<DebugClient> {
  const debug = new DebugClient();
  await debug.launch({ program: files.file(name), stopOnEntry: true }, client);
  await debug.request('setExceptionBreakpoints', { filters: [] });
  await debug.start();
  return debug;
}

/** Stopped in give_back() of own.c. */
async function inC(client: Json = {}): Promise<DebugClient> {
  const debug = await started('smash.snpscenario', client);
  const breakpoints = [{ line: lineOf(ownSource, 'if (level ==') }];
  await debug.request('setBreakpoints', { source: { path: own }, breakpoints });
  await debug.move('continue');
  return debug;
}

test('a pointer to a struct shows what it points at, one level deep', async () => {
  const client = await inC();
  const shown = await client.evaluate('slot', 1);
  assert.match(shown, /^&\{ .*npages \d+.* \}$/);
  assert.doesNotMatch(shown, /\{.*\{/);
});

test('the console assigns, as a what-if; every other context only looks', async () => {
  const client = await inC();
  assert.equal(await client.evaluate('level = PG_LEVEL_4K', 1, 'repl'), '1');
  assert.equal(await client.evaluate('level', 1), '1');
  assert.equal(await client.evaluate('rmp(g, 68K).size', 1, 'repl'), '2M');
  assert.equal(await client.evaluate('rmp(0x40000).validated = true', 1, 'repl'), 'true');
  assert.equal(await client.evaluate('page = 72K', (await client.stack()).at(-1).id, 'repl'), '0x12000');
  assert.match(
    await client.refusal('evaluate', { expression: 'level + 1 = 3', frameId: 1, context: 'repl' }),
    /cannot be set|nowhere/,
  );
  assert.equal(await client.evaluate('level == 1', 1, 'repl'), '1');
  assert.equal(await client.evaluate('level <= 1', 1, 'repl'), '1');
  for (const context of ['watch', 'hover', 'clipboard', 'variables', undefined])
    assert.notEqual(
      await client.refusal('evaluate', {
        expression: 'level = 2',
        frameId: 1,
        ...(context === undefined ? {} : { context }),
      }),
      '',
    );
  assert.equal(await client.evaluate('level', 1), '1');
  for (const context of ['watch', 'hover', 'repl', 'clipboard', 'variables']) {
    assert.equal(await client.evaluate('slot->npages', 1, context), '262144', context);
    assert.match(await client.evaluate('rmp(g, 68K)', 1, context), /asid 1/, context);
    assert.match(await client.refusal('evaluate', { expression: 'nobody', frameId: 1, context }), /nobody/, context);
  }
  const hex = await client.request('evaluate', {
    expression: 'slot->npages',
    frameId: 1,
    context: 'watch',
    format: { hex: true },
  });
  assert.equal(hex.result, '0x40000');
  assert.equal(await client.disconnect(), 0);
});

test('variables of C in expressions of the language, casts, and what is no value', async () => {
  const client = await inC();
  for (const [expression, wanted] of [
    ['rmp(pfn)', /asid 1 · gpa 0x11000/],
    ['rmp(g, gfn)', /asid 1 · gpa 0x11000/],
    ['rmp(g, gfn).asid', /^1$/],
    ['rmp(pfn) is assigned', /^true$/],
    ['rmp(pfn + 512) is not assigned', /^true$/],
    ['attr(g, gfn)', /shared/],
    ['directmap(pfn)', /present/],
    ['refcount(pfn)', /^\d+$/],
    ['rmp(slot->shared_pfn)', /hypervisor/],
    ['rmp(pfn(g, gfn))', /asid 1 · gpa 0x11000/],
    ['(u8)(pfn)', /^17$/],
    ['(unsigned long)-1 == ~0UL', /^1$/],
    ['(s8)200', /^-56$/],
    ['(int)(gfn + 1) * 2', /^36$/],
    ['(gfn)', /^0x11$/],
  ] as const)
    assert.match(await client.evaluate(expression, 1), wanted, expression);
  const refusal = (expression: string): Promise<string> =>
    client.refusal('evaluate', { expression, frameId: 1, context: 'watch' });
  assert.match(await refusal('psmash(pfn)'), /psmash\(\) is a function of C, and functions are not called/);
  assert.match(await refusal('RMP_PG_SZIE_2M'), /Nothing here is called RMP_PG_SZIE_2M/);
  assert.match(await refusal('(u8)'), /./);
  assert.match(await refusal('(struct kvm *)slot'), /./);
  // A data breakpoint and a condition name them as well.
  assert.equal((await client.request('dataBreakpointInfo', { name: 'rmp(pfn)', frameId: 1 })).dataId, 'rmp:0x40011:1');
  assert.equal(
    (await client.request('dataBreakpointInfo', { name: 'npt(g, gfn)', frameId: 1 })).dataId,
    'npt:1:0x11:1',
  );
  await client.request('setBreakpoints', {
    source: { path: own },
    breakpoints: [{ line: lineOf(ownSource, 'return rmp_make_shared'), condition: 'rmp(pfn) is 4K' }],
  });
  const stop = await client.move('continue');
  assert.equal(stop.reason, 'breakpoint');
  assert.equal(stop.text, undefined, 'nothing is wrong with the condition');
  assert.equal(await client.disconnect(), 0);
});

test('completions in the middle of an expression: members, fields of a query, words after `is`, names', async () => {
  const client = await inC();
  const labels = async (line: string, column = line.length + 1): Promise<string[]> =>
    (await client.request('completions', { frameId: 1, text: line, column })).targets.map(({ label }: Json) => label);
  assert.deepEqual(await labels('1 + (lev'), ['level']);
  assert.ok((await labels('level + slot->base')).includes('base_gfn'));
  assert.deepEqual(await labels('slot->base_gfn + 1', 12), ['base_gfn'], 'at the cursor, not at the end');
  assert.ok((await labels('rmp(g, 68K).')).includes('asid'));
  assert.deepEqual(await labels('rmp(g, 68K).va'), ['validated']);
  assert.ok((await labels('rmp(g, 68K) is ')).includes('assigned'));
  assert.deepEqual(await labels('rmp(g, 68K) is not val'), ['validated']);
  assert.deepEqual(await labels('nobody.'), []);
  assert.deepEqual(await labels('nobody->'), []);
  assert.ok((await labels('')).includes('level'));
  assert.deepEqual(await labels('no such prefix zz'), []);
  assert.equal(await client.disconnect(), 0);
});

test('breakpoints in files that the run does not use, and log points that cannot be filled in, say so', async () => {
  const client = await started('smash.snpscenario');
  for (const [path, words] of [
    [files.file('notes.txt'), /No statement of C that this run uses/],
    [files.file('large.snpscenario'), /No statement of C that this run uses|not the scenario that runs/],
    ['/nowhere/at/all.c', /No statement of C that this run uses/],
  ] as const) {
    const { breakpoints } = await client.request('setBreakpoints', {
      source: { path },
      breakpoints: [{ line: 1 }, { line: 2 }],
    });
    assert.equal(breakpoints.length, 2);
    for (const { verified, message } of breakpoints) {
      assert.equal(verified, false);
      assert.match(message, words);
    }
  }
  await client.request('setBreakpoints', {
    source: { path: own },
    breakpoints: [{ line: lineOf(ownSource, 'if (level =='), logMessage: 'level {level}, {nobody}, {rmp(g, }, {, {}' }],
  });
  assert.equal((await client.move('continue')).reason, 'end');
  const said = client.received.filter(({ event, body }) => event === 'output' && body.output.startsWith('level '));
  assert.equal(said.length, 1);
  assert.match(said[0]?.body.output, /^level 2, <Nothing here is called nobody\.>, <.+>, \{, \{\}\n$/);
  assert.equal(await client.disconnect(), 0);
});

test('large sets come in pages; what is asked beyond them is empty', async () => {
  const client = await started('large.snpscenario');
  await client.move('continue');
  const { scopes } = await client.request('scopes', { frameId: 1 });
  const of = async (variablesReference: number, more: Json = {}): Promise<Json[]> =>
    (await client.request('variables', { variablesReference, ...more })).variables;
  const host = await of(scopes.find(({ name }: Json) => name === 'Host').variablesReference);
  const table = host.find(({ name }) => name === 'rmp');
  assert.ok(table.indexedVariables >= 512, `${table.indexedVariables} regions`);
  const page = await of(table.variablesReference, { filter: 'indexed', start: 500, count: 20 });
  assert.equal(page.length, Math.min(20, table.indexedVariables - 500));
  assert.deepEqual(await of(table.variablesReference, { filter: 'indexed', start: 5000, count: 20 }), []);
  assert.deepEqual(await of(table.variablesReference, { filter: 'named' }), []);
  assert.equal((await of(table.variablesReference)).length, table.indexedVariables);
  assert.match(page[0].name, /^0x[0-9a-f]+\.\.0x[0-9a-f]+$/);
  const region = await of(page[0].variablesReference, { filter: 'indexed', start: 510, count: 1e9 });
  assert.equal(region.length, 2);
  assert.equal(await client.disconnect(), 0);
});

test('memory events after each move and each what-if, and only to a client that takes them', async () => {
  const client = await started('smash.snpscenario', { supportsMemoryEvent: true });
  const events = (): number => client.received.filter(({ event }) => event === 'memory').length;
  const moves: [string, Json][] = [
    ['next', {}],
    ['next', {}],
    ['stepBack', {}],
    ['stepIn', { granularity: 'instruction' }],
    ['stepBack', { granularity: 'instruction' }],
  ];
  for (const [command, args] of moves) {
    const before = events();
    await client.move(command, args);
    const { memoryReference, offset, count } = await client.event('memory');
    assert.equal(events(), before + 1, command);
    assert.deepEqual([memoryReference, offset], ['rmp:0x0', 0]);
    assert.ok(count > 0x40000 * 16);
  }
  await client.request('writeMemory', { memoryReference: 'rmp:0x40000', data: 'AQ==' });
  await client.event('memory');
  assert.equal(await client.disconnect(), 0);
  const other = await started('smash.snpscenario');
  await other.move('next');
  assert.ok(other.received.every(({ event }) => event !== 'memory'));
  assert.equal(await other.disconnect(), 0);
});
