// Landing elsewhere: run to cursor, goto targets behind and ahead, restart of each kind of frame, restart of a session whose files have changed.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, afterEach, test } from 'node:test';
import { DebugClient, type Json, killLeftovers } from './client.ts';
import { head, lineOf, ownSource, workspace } from './fixtures.ts';

const text = `${head('use source "own.c"')}
sequence take(start, length) {
  vmm.set_memory_attributes(g, start +length, PRIVATE)
  g.pvalidate(start, 4K) => any
}
scenario "loops and sequences" {
  for i in 0..3 {
    g.read(i * 4K) => any
  }
  take(0, 2M)
  expect rmp(g, 0) is assigned
  vmm.set_memory_attributes(g, 68K..80K, SHARED)
  expect rmp(g, 68K) is shared
}
`;
const files = workspace({ 'moving.snpscenario': text, 'own.c': ownSource });
const program = files.file('moving.snpscenario');
const own = files.file('own.c');
const line = (part: string): number => lineOf(text, part);
const inOwn = (part: string): number => lineOf(ownSource, part);
afterEach(killLeftovers);
after(() => files.remove());

async function started(more: Json = {}): Promise<DebugClient> {
  const client = new DebugClient();
  await client.launch({ program, stopOnEntry: true, ...more });
  await client.request('setExceptionBreakpoints', { filters: [] });
  await client.start();
  return client;
}

async function targets(client: DebugClient, part: string): Promise<Json[]> {
  return (await client.request('gotoTargets', { source: { path: program }, line: line(part) })).targets;
}

const goto = async (client: DebugClient, { id }: Json): Promise<Json> =>
  (await Promise.all([client.request('goto', { threadId: 1, targetId: id }), client.stopped()]))[1];

test('run to cursor: a breakpoint for this once, in the scenario and in C, forwards and from behind', async () => {
  const client = await started();
  // What clients do: a breakpoint at the cursor, go on, take it away again.
  const runTo = async (path: string, at: number, command = 'continue'): Promise<Json> => {
    const set = await client.request('setBreakpoints', { source: { path }, breakpoints: [{ line: at }] });
    assert.equal(set.breakpoints[0].line, at);
    const stop = await client.move(command);
    await client.request('setBreakpoints', { source: { path }, breakpoints: [] });
    return stop;
  };
  assert.equal((await runTo(program, line('expect rmp(g, 0)'))).reason, 'breakpoint');
  assert.equal((await client.stack())[0].line, line('expect rmp(g, 0)'));
  assert.equal((await runTo(own, inOwn('return rmp_make_shared'))).reason, 'breakpoint');
  assert.equal(await client.where(), `give_back() own.c:${inOwn('return rmp_make_shared')}`);
  assert.equal(await client.evaluate('gfn', 1), '0x11');
  assert.equal((await runTo(program, line('g.read'), 'reverseContinue')).reason, 'breakpoint');
  assert.equal(await client.evaluate('i'), '2', 'the last time round');
  // A place that is not passed any more: the run goes on to its end.
  assert.equal((await runTo(program, line('expect rmp(g, 68K)'))).reason, 'breakpoint');
  assert.equal((await runTo(program, line('g.read'))).reason, 'end');
  assert.equal(await client.disconnect(), 0);
});

test('goto: every time that a line was passed, the next time it is, and never again', async () => {
  const client = await started();
  assert.deepEqual(
    (await targets(client, 'g.read')).map(({ label }) => label),
    [`line ${line('g.read')}`],
  );
  assert.deepEqual(await targets(client, 'scenario "loops'), [], 'no step stands there');
  const [next] = await targets(client, 'expect rmp(g, 0)');
  assert.equal((await goto(client, next)).reason, 'goto');
  assert.equal((await client.stack())[0].line, line('expect rmp(g, 0)'));
  const times = await targets(client, 'g.read');
  assert.deepEqual(
    times.map(({ label }) => label),
    [1, 2, 3].map((time) => `line ${line('g.read')}, time ${time}`).concat(`line ${line('g.read')}, next time`),
  );
  await goto(client, times[1]);
  assert.equal(await client.evaluate('i'), '1');
  assert.equal((await client.stack())[0].line, line('g.read'));
  // The next time from here on is the third.
  const again = await targets(client, 'g.read');
  await goto(client, again[again.length - 1]);
  assert.equal(await client.evaluate('i'), '2');
  const [, , , never] = await targets(client, 'g.read');
  const stop = await goto(client, never ?? (await targets(client, 'g.read')).at(-1));
  assert.match(stop.text, /does not come by there again/);
  assert.equal(await client.evaluate('i'), '2', 'it stays where it was');
  // Into a sequence, by a line of its own and by the line of its call.
  const [inside] = await targets(client, 'g.pvalidate');
  await goto(client, inside);
  assert.deepEqual(
    (await client.stack()).map((frame) => frame.line),
    [line('g.pvalidate'), line('take(0, 2M)')],
  );
  const [call] = await targets(client, 'take(0, 2M)');
  await goto(client, call);
  assert.deepEqual(
    (await client.stack()).map((frame) => frame.line),
    [line('take(0, 2M)')],
    'in front of the call, not in what it calls',
  );
  await client.move('stepIn');
  assert.deepEqual(
    (await client.stack()).map((frame) => frame.line),
    [line('vmm.set_memory_attributes(g, start'), line('take(0, 2M)')],
  );
  assert.equal(await client.evaluate('asid_counter(1)'), '0');
  // Numbers of targets hold until others are asked for.
  await targets(client, 'expect rmp(g, 68K)');
  assert.match(await client.refusal('goto', { threadId: 1, targetId: 7 }), /no such target/);
  assert.equal(await client.disconnect(), 0);
});

test('restart frame: back to where each function on the stack was entered, the step itself last', async () => {
  const client = await started();
  await client.request('setBreakpoints', {
    source: { path: own },
    breakpoints: [{ line: inOwn('return rmp_make_shared'), condition: 'gfn == 0x13' }],
  });
  await client.move('continue');
  const names = (await client.stack()).map(({ name }) => name);
  assert.deepEqual(names.slice(0, 3), [
    'give_back()',
    'sev_update_mem_attr()',
    'kvm_arch_post_set_memory_attributes()',
  ]);
  const restart = async (name: string): Promise<Json[]> => {
    const frame = (await client.stack()).find((one) => one.name === name);
    await Promise.all([client.request('restartFrame', { frameId: frame.id }), client.stopped()]);
    return client.stack();
  };
  const inner = await restart('give_back()');
  assert.equal(inner[0].name, 'give_back()');
  assert.equal(await client.evaluate('gfn', 1), '0x13', 'the same call');
  assert.equal(await client.evaluate('rmp(g, 76K) is assigned'), 'true');
  // At its beginning already: it stays.
  assert.equal((await restart('give_back()'))[0].name, 'give_back()');
  assert.equal(await client.evaluate('gfn', 1), '0x13');
  const outer = await restart('sev_update_mem_attr()');
  assert.equal(outer[0].name, 'sev_update_mem_attr()');
  assert.equal(await client.evaluate('rmp(g, 68K) is assigned'), 'true', 'what its loop gave back is there again');
  const step = outer.at(-1);
  assert.equal(step.canRestart, undefined, 'a step is restarted by whoever wants to');
  await restart(step.name);
  assert.deepEqual(
    (await client.stack()).map((frame) => frame.line),
    [line('68K..80K, SHARED')],
  );
  assert.equal((await client.move('continue')).reason, 'breakpoint', 'and everything comes again');
  assert.equal(await client.evaluate('gfn', 1), '0x13');
  assert.match(await client.refusal('restartFrame', { frameId: 99 }), /no such frame/);
  assert.equal(await client.disconnect(), 0);
});

test('restart keeps breakpoints on pages, and says that those on variables of C are gone', async () => {
  const client = await started();
  await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'give_back' }] });
  await client.move('continue');
  const info = async (name: string): Promise<string> =>
    (await client.request('dataBreakpointInfo', { name, frameId: 1 })).dataId;
  const ids = [await info('level'), await info('rmp(g, 68K)')];
  const set = await client.request('setDataBreakpoints', {
    breakpoints: [{ dataId: ids[0] }, { dataId: ids[1], accessType: 'write' }, { dataId: ids[1], accessType: 'read' }],
  });
  assert.deepEqual(
    set.breakpoints.map(({ verified }: Json) => verified),
    [true, true, false],
  );
  assert.match(set.breakpoints[2].message, /Only changes/);
  await client.request('setFunctionBreakpoints', { breakpoints: [] });
  const stopped = client.stopped();
  await client.request('restart', {});
  await stopped;
  const told = client.received.filter(({ event }) => event === 'breakpoint').map(({ body }) => body.breakpoint);
  assert.deepEqual(
    told.map(({ id, verified }) => [id, verified]),
    set.breakpoints.map(({ id }: Json, i: number) => [id, i === 1]),
  );
  assert.match(told[0].message, /another session/);
  const stop = await client.move('continue');
  assert.deepEqual([stop.reason, stop.hitBreakpointIds], ['data breakpoint', [set.breakpoints[1].id]]);
  assert.equal(await client.disconnect(), 0);
});

test('restart reads the files anew: breakpoints move with them, and a file that is broken leaves the session as it is', async () => {
  const client = await started();
  const set = await client.request('setBreakpoints', {
    source: { path: program },
    breakpoints: [{ line: line('expect rmp(g, 68K)') }],
  });
  await client.move('continue');
  writeFileSync(program, 'scenario "loops and sequences" {\n  vmm.nothing(1)\n}\n');
  assert.match(await client.refusal('restart', {}), /^Line 2: /);
  assert.equal((await client.stack())[0].line, line('expect rmp(g, 68K)'), 'still there');
  writeFileSync(program, text.replace('  expect rmp(g, 68K)', '  cpu.psmash(pfn(g, 2M)) => any\n  expect rmp(g, 68K)'));
  const stopped = client.stopped();
  await client.request('restart', { arguments: { program, stopOnEntry: false } });
  const { breakpoint } = await client.event('breakpoint');
  assert.deepEqual(
    [breakpoint.id, breakpoint.verified, breakpoint.line],
    [set.breakpoints[0].id, true, line('expect rmp(g, 68K)')],
  );
  assert.equal((await stopped).reason, 'breakpoint');
  assert.match((await client.stack())[0].name, /^cpu\.psmash/, 'what stands at this line now');
  writeFileSync(program, text);
  assert.equal(await client.disconnect(), 0);
});
