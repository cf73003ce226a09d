// Wrong order, unknown requests, nonsense, and clients that go away at any point: each is answered in words or ignored, and no process stays behind.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DebugClient, killLeftovers } from './client.ts';
import { head, lineOf, smash, type Workspace, workspace } from './fixtures.ts';

/** 64K pages, one by one, again and again: long enough to be interrupted. */
const long = `${head().replace('folio 2M', 'folio 4K')}\nscenario "long" {\n  for i in 0..40 {\n    vmm.set_memory_attributes(g, 0..128M, PRIVATE)\n    vmm.set_memory_attributes(g, 0..128M, SHARED)\n  }\n}\n`;

let files: Workspace;
before(() => {
  files = workspace({
    'smash.snpscenario': smash(),
    'broken.snpscenario': 'scenario "s" {\n  vmm.nothing(1)\n}\n',
    'none.snpscenario': head(),
    'long.snpscenario': long,
  });
});
after(async () => {
  await killLeftovers();
  files.remove();
});

const initialize = { adapterID: 'x' };

test('requests in the wrong order are refused in words', async () => {
  const client = new DebugClient();
  assert.match(await client.refusal('launch', {}), /first request must be initialize/);
  await client.request('initialize', initialize);
  assert.match(await client.refusal('initialize', initialize), /once/);
  for (const command of [
    'threads',
    'continue',
    'stackTrace',
    'configurationDone',
    'setBreakpoints',
    'pause',
    'restart',
    'terminate',
    'variables',
  ])
    assert.match(await client.refusal(command, {}), /Nothing has been launched/, command);
  await client.request('launch', { program: files.file('smash.snpscenario'), stopOnEntry: true });
  assert.match(await client.refusal('launch', { program: files.file('smash.snpscenario') }), /once/);
  assert.match(await client.refusal('next', { threadId: 1 }), /being configured/);
  await client.start();
  assert.match(await client.refusal('configurationDone'), /once/);
  assert.equal(await client.disconnect(), 0);
});

test('what cannot be launched says why, and can be launched again', async () => {
  const client = new DebugClient();
  await client.request('initialize', initialize);
  const refusal = (args: object) => client.refusal('launch', args);
  assert.match(await refusal({}), /program must be a text/);
  assert.match(await refusal({ program: files.file('missing') }), /cannot be read: no such file/);
  assert.match(await refusal({ program: files.file('broken.snpscenario') }), /^Line \d+: /);
  assert.match(await refusal({ program: files.file('none.snpscenario') }), /no scenario/);
  assert.match(
    await refusal({ program: files.file('smash.snpscenario'), scenario: 'other' }),
    /It has "a page out of a 2M folio"/,
  );
  assert.match(
    await refusal({ program: files.file('smash.snpscenario'), kernel: 'no such kernel' }),
    /no bundled kernel model/,
  );
  assert.match(await refusal({ program: files.file('smash.snpscenario'), patches: 'x' }), /must be a list/);
  assert.match(
    await refusal({ program: files.file('smash.snpscenario'), patches: ['missing.patch'] }),
    /missing\.patch.*no such file/,
  );
  await client.request('launch', { program: files.file('smash.snpscenario'), stopOnEntry: true });
  assert.equal((await client.start()).reason, 'entry');
  assert.equal(await client.disconnect(), 0);
});

test('unknown requests, wrong arguments and bytes that are no message do no harm', async () => {
  const client = new DebugClient();
  client.raw('Content-Length: 5\r\n\r\nhello');
  client.raw('Content-Length: nonsense\r\n\r\n');
  client.raw('Content-Length: 2\r\n\r\n[]');
  client.raw('Content-Length: 4\r\n\r\nnull');
  client.raw('Content-Length: 36\r\n\r\n{"seq":0,"type":"request","seq":"x"}');
  await client.launch({ program: files.file('smash.snpscenario'), stopOnEntry: true });
  await client.start();
  for (const command of ['noSuchRequest', '__proto__', 'constructor', 'toString', ''])
    assert.match(await client.refusal(command), /no request/);
  const wrong: [string, unknown][] = [
    ['stackTrace', {}],
    ['stackTrace', { threadId: 'x' }],
    ['scopes', { frameId: 99 }],
    ['variables', { variablesReference: 99 }],
    ['variables', 'x'],
    ['evaluate', {}],
    ['evaluate', { expression: '' }],
    ['evaluate', { expression: '}\nscenario "x" {' }],
    ['evaluate', { expression: '('.repeat(5000) }],
    ['setVariable', { variablesReference: 1, name: 5 }],
    ['setBreakpoints', {}],
    ['setBreakpoints', { source: { path: files.file('smash.snpscenario') }, breakpoints: 'x' }],
    ['setFunctionBreakpoints', { breakpoints: [{}] }],
    ['goto', { targetId: -1 }],
    ['readMemory', { memoryReference: 'rmp:0x0', count: -5 }],
    ['writeMemory', { memoryReference: 'rmp:0xffffffffff', data: 'AA==' }],
    ['source', { sourceReference: 99 }],
    ['exceptionInfo', {}],
  ];
  for (const [command, args] of wrong)
    assert.notEqual(await client.refusal(command, args), '', `${command} ${JSON.stringify(args)}`);
  assert.equal(
    client.received.some(({ body }) => String(body?.output).includes('Internal error')),
    false,
    'a refusal is no bug',
  );
  assert.equal((await client.move('next')).reason, 'step');
  assert.equal(await client.disconnect(), 0);
});

test('a long run gives way to pause, to breakpoints and to disconnect', async () => {
  const client = new DebugClient();
  await client.launch({ program: files.file('long.snpscenario'), stopOnEntry: true });
  await client.start();
  await client.request('continue', { threadId: 1 });
  assert.match(await client.refusal('stackTrace', { threadId: 1 }), /running/);
  await client.request('setExceptionBreakpoints', { filters: [] });
  const [, stop] = await Promise.all([client.request('pause', { threadId: 1 }), client.stopped()]);
  assert.equal(stop.reason, 'pause');
  const at = await client.where();
  // A search backwards that is paused ends where it began.
  await client.request('reverseContinue', { threadId: 1 });
  const [, again] = await Promise.all([client.request('pause', { threadId: 1 }), client.stopped()]);
  if (again.reason === 'pause') assert.equal(await client.where(), at);
  // So does a jump far ahead; what it has run it has run.
  const { targets } = await client.request('gotoTargets', {
    source: { path: files.file('long.snpscenario') },
    line: lineOf(long, '0..128M, SHARED)'),
  });
  await client.request('goto', { threadId: 1, targetId: targets.at(-1).id });
  const [, paused] = await Promise.all([client.request('pause', { threadId: 1 }), client.stopped()]);
  assert.ok(['pause', 'goto'].includes(paused.reason), paused.reason);
  await client.request('continue', { threadId: 1 });
  // The session is still there to be changed and to be ended, while it runs.
  await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'no_such_function' }] });
  await client.request('terminate', {});
  await client.event('terminated');
  assert.equal(await client.disconnect(), 0);
});

test('no process stays behind, wherever the client goes away', async () => {
  const moments: ((client: DebugClient) => Promise<unknown>)[] = [
    async () => {},
    (client) => client.request('initialize', initialize),
    (client) => client.launch({ program: files.file('smash.snpscenario') }),
    async (client) => {
      await client.launch({ program: files.file('smash.snpscenario'), stopOnEntry: true });
      await client.start();
    },
    async (client) => {
      await client.launch({ program: files.file('long.snpscenario') });
      await client.request('configurationDone');
    },
    async (client) => {
      await client.launch({ program: files.file('long.snpscenario'), stopOnEntry: true });
      await client.start();
      await client.move('next');
      await client.move('next');
      await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'no_such_function' }] });
      // On the way back, and with a request that nobody waits for.
      await client.request('reverseContinue', { threadId: 1 });
      client.send('stackTrace', { threadId: 1 });
    },
    async (client) => {
      await client.launch({ program: files.file('smash.snpscenario') });
      await client.start();
      await client.request('restart', {});
    },
  ];
  // Two at a time: a dozen processes at once would test the machine.
  for (const moment of moments) {
    await Promise.all([
      (async () => {
        const client = new DebugClient();
        await moment(client);
        assert.equal(await client.disconnect(), 0, 'disconnect');
      })(),
      (async () => {
        const client = new DebugClient();
        await moment(client);
        client.process.stdin.end();
        assert.equal(await client.exited, 1, 'the pipe is closed');
      })(),
    ]);
  }
});
