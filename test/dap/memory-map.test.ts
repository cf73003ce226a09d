// The memory map beside the debugger: the story of the run that is debugged, where it rests, also within a step, and going to a state.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePosition, decodeStory } from '../../server/common/map-codec.ts';
import type { MapPosition, MapStory } from '../../server/common/map-protocol.ts';
import { DebugAdapter } from '../../server/dap/common/adapter.ts';
import { nodePlatform } from '../../server/dap/node/platform.ts';
import { tell } from '../engine/map/kit.ts';

const uri = 'file:///debugged.snpscenario';
const text = `host {
  memory 1G
}
guest g {
  asid 1
  slot 0 gpa 0..4M private folio 2M pfn 0x1000
}
scenario "first" {
  vmm.set_memory_attributes(g, 0..4M, PRIVATE)
  g.pvalidate(0, 2M)
  vmm.set_memory_attributes(g, 64K..68K, SHARED)
  for p in 68K..80K step 4K {
    g.write(p)
  }
}
scenario "second" {
  g.read(0) => any
}
`;

interface Message {
  type: string;
  command?: string;
  event?: string;
  request_seq?: number;
  success?: boolean;
  message?: string;
  // biome-ignore lint/suspicious/noExplicitAny: JSON
  body?: any;
}

class Session {
  readonly messages: Message[] = [];
  readonly adapter: DebugAdapter;
  #seq = 0;

  constructor(source = text) {
    const platform = {
      ...nodePlatform,
      readFile: (file: string) => (file === uri ? { text: source } : { error: 'no file' }),
    };
    this.adapter = new DebugAdapter((message) => this.messages.push(message as Message), platform, {
      modelSources: 'uri',
    });
  }

  async ask(command: string, args: object = {}): Promise<Message> {
    const seq = ++this.#seq;
    this.adapter.receive({ type: 'request', seq, command, arguments: args });
    for (let turns = 0; turns < 2000; turns++) {
      const answer = this.messages.find((message) => message.type === 'response' && message.request_seq === seq);
      if (answer !== undefined) return answer;
      await new Promise((resolve) => setImmediate(resolve));
    }
    throw new Error(`no answer to ${command}`);
  }

  /** Asks for something that makes the session move, and returns when it rests. */
  async move(command: string, args: object = { threadId: 1 }): Promise<MapPosition | undefined> {
    const from = this.messages.length;
    const answer = await this.ask(command, args);
    assert.equal(answer.success, true, answer.message);
    for (let turns = 0; turns < 2000; turns++) {
      if (this.messages.slice(from).some(({ event }) => event === 'stopped')) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const told = this.messages.slice(from).findLast(({ event }) => event === 'snpScenario/map/position');
    return told === undefined ? undefined : decodePosition(told.body.position);
  }

  async launch(args: object = {}): Promise<void> {
    await this.ask('initialize', { pathFormat: 'uri' });
    assert.equal((await this.ask('launch', { program: uri, stopOnEntry: true, ...args })).success, true);
    await this.ask('configurationDone');
  }

  async story(): Promise<MapStory> {
    const { body } = await this.ask('snpScenario/map/story');
    return decodeStory(body.story);
  }

  get events(): string[] {
    return this.messages.flatMap(({ event }) => (event?.startsWith('snpScenario/') ? [event] : []));
  }
}

test('the story is that of the scenario that is debugged, and each stop tells the state', async () => {
  const session = new Session();
  await session.launch();
  assert.deepEqual(session.events, [], 'nothing is told to a client that shows no map');
  assert.deepEqual(await session.story(), tell(text, {}, 'first', uri).story);
  assert.deepEqual(session.events, ['snpScenario/map/position']);
  assert.deepEqual(await session.move('next'), { state: 1, by: 'debugger' });
  assert.deepEqual(await session.move('next'), { state: 2, by: 'debugger' });
  assert.deepEqual(await session.move('stepBack'), { state: 1, by: 'debugger' });
});

test('launch options hold for the story', async () => {
  const session = new Session();
  await session.launch({ scenario: 'second', kernel: 'kvm-rfc-v8' });
  const story = await session.story();
  assert.equal(story.scenario, 'second');
  assert.deepEqual(story.scenarios, ['first', 'second']);
});

test('within a step the position says what has changed so far', async () => {
  const session = new Session();
  await session.launch();
  await session.story();
  let partial = 0;
  let last: MapPosition | undefined;
  for (let i = 0; i < 100 && last?.state !== 1; i++) {
    last = await session.move(partial < 3 ? 'stepIn' : 'stepOut');
    assert.ok(last);
    if (last.partial !== undefined) partial++;
  }
  assert.ok(partial > 2, 'the attributes at least are set before the step ends');
  assert.deepEqual(last, { state: 1, by: 'debugger' });
});

test('going to a state moves the session, forwards and back, to the end and to the beginning', async () => {
  const session = new Session();
  await session.launch();
  const { steps } = await session.story();
  const to = async (state: number) => (await session.move('snpScenario/map/goto', { state }))?.state;
  for (const state of [3, 1, 5, 4, steps.length, 0, 2, 2]) assert.equal(await to(state), state);
  const { body } = await session.ask('stackTrace', { threadId: 1 });
  assert.equal(body.stackFrames[0].line, 11);
  for (const state of [-1, 99, 0.5, '1', null]) {
    const answer = await session.ask('snpScenario/map/goto', { state });
    assert.equal(answer.success, false, String(state));
  }
});

test('details of a page: at any state, and where the session rests from its own machine', async () => {
  const session = new Session();
  await session.launch();
  await session.story();
  const at = async (state: number, page = 0x1010) =>
    (await session.ask('snpScenario/map/details', { lane: 0, page, state })).body;
  const stateOf = (details: { sections: { facts: { label: string; value: string }[] }[] }) =>
    details.sections[0].facts.find(({ label }) => label === 'State')?.value;
  assert.equal(stateOf(await at(2)), 'Guest-Valid');
  assert.equal(stateOf(await at(0)), 'Hypervisor');
  assert.match((await at(3)).history[0].frames[0].uri, /^snp-model:\//);
  await session.move('next');
  await session.ask('writeMemory', { memoryReference: 'rmp:0x3000', data: btoa('\x05'), count: 1 });
  assert.equal(stateOf(await at(1, 0x3000)), 'Firmware', 'a what-if is seen where the session rests');
  assert.equal(await at(99), null);
});

test('a what-if is told as a change that the story does not have', async () => {
  const session = new Session();
  await session.launch();
  await session.story();
  await session.move('next');
  const from = session.messages.length;
  await session.ask('writeMemory', { memoryReference: 'rmp:0x3000', data: btoa('\x05'), count: 1 });
  const changed = () => session.messages.slice(from).findLast(({ event }) => event === 'snpScenario/map/position');
  assert.deepEqual([...(decodePosition(changed()?.body.position).partial?.start ?? [])], [0x3000]);
  const later = await session.move('next');
  assert.equal(later?.state, 2);
  assert.deepEqual([...(later?.partial?.start ?? [])], [0x3000], 'and stays one');
  assert.equal((await session.move('snpScenario/map/goto', { state: 0 }))?.partial, undefined);
});

test('a restart is another story; closed, nothing is told', async () => {
  const session = new Session();
  await session.launch();
  await session.story();
  await session.move('restart', {});
  assert.equal(session.events.at(-1), 'snpScenario/map/changed');
  await session.story();
  assert.equal((await session.move('next'))?.state, 1);
  await session.ask('snpScenario/map/close');
  assert.equal(await session.move('next'), undefined);
  assert.equal((await session.ask('snpScenario/map/details', { lane: 0, page: 1, state: 1 })).body, null);
});

test('before there is a session there is no story', async () => {
  const session = new Session();
  await session.ask('initialize', {});
  for (const command of ['story', 'details', 'goto'])
    assert.equal((await session.ask(`snpScenario/map/${command}`, { lane: 0, page: 0, state: 0 })).success, false);
});
