// What views beside the debugger hear: where the session rests, when it was changed, when it is gone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DebugAdapter } from '../../server/dap/common/adapter.ts';
import { nodePlatform } from '../../server/dap/node/platform.ts';
import { smash } from './fixtures.ts';

test('a listener is told of every rest, of what-ifs and of the end', () => {
  const uri = 'file:///smash.snpscenario';
  const platform = {
    ...nodePlatform,
    readFile: (file: string) => (file === uri ? { text: smash('') } : { error: 'no file' }),
    soon: () => assert.fail('nothing here takes so long'),
  };
  const adapter = new DebugAdapter(() => {}, platform, { modelSources: 'uri' });
  const heard: string[] = [];
  const stop = adapter.onMoved((session, moved) => {
    heard.push(`${moved} ${session.instance} ${session.tick === 0 ? 'begin' : 'later'}`);
    assert.equal(session.run.isInCall, false);
  });
  let seq = 0;
  const request = (command: string, args: object = {}): void =>
    adapter.receive({ type: 'request', seq: ++seq, command, arguments: args });
  request('initialize', { pathFormat: 'uri' });
  request('launch', { program: uri, stopOnEntry: true });
  assert.deepEqual(heard, []);
  request('configurationDone');
  request('next', { threadId: 1 });
  request('writeMemory', { memoryReference: 'rmp:0x40000', data: btoa('\0'), count: 1 });
  request('stepBack', { threadId: 1 });
  request('restart');
  assert.deepEqual(heard, [
    'position 0 begin',
    'position 1 later',
    'memory 1 later',
    'position 0 begin',
    'ended 0 begin',
    'position 0 begin',
  ]);
  stop();
  request('disconnect');
  assert.equal(heard.length, 6);
});
