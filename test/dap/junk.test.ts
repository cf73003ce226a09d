// Whatever a client sends, in whatever order: each request has exactly one answer, nothing is thrown, and no answer is a mistake of ours.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DebugAdapter } from '../../server/dap/common/adapter.ts';
import type { DebugPlatform } from '../../server/dap/common/platform.ts';
import { nodePlatform } from '../../server/dap/node/platform.ts';
import type { Json, WireMessage } from './client.ts';
import { lineOf, ownSource, smash } from './fixtures.ts';

const PROGRAM = 'file:///smash.snpscenario';
const OWN = 'file:///own.c';
const text = smash('use source "own.c"');
const files: Record<string, string> = { [PROGRAM]: text, [OWN]: ownSource };

/** An adapter in this process. What it puts off is done when a test says so, so that requests come in between slices. */
class Wire {
  readonly received: WireMessage[] = [];
  readonly #later: (() => void)[] = [];
  readonly adapter: DebugAdapter;
  #seq = 0;

  constructor() {
    const platform: DebugPlatform = {
      ...nodePlatform,
      // Each look at the clock is a turn's worth later: every slice gives way.
      now: () => this.#clock++ * 100,
      soon: (callback) => this.#later.push(callback),
      readFile: (uri) => (Object.hasOwn(files, uri) ? { text: files[uri] } : { error: 'no such file' }),
    };
    this.adapter = new DebugAdapter((message) => this.received.push(message as WireMessage), platform, {
      modelSources: 'reference',
    });
  }

  #clock = 0;

  ask(command: Json, args?: Json): WireMessage {
    const seq = ++this.#seq;
    this.adapter.receive({ type: 'request', seq, command, ...(args === undefined ? {} : { arguments: args }) });
    const answers = this.received.filter(({ type, request_seq }) => type === 'response' && request_seq === seq);
    assert.equal(answers.length, 1, `answers to ${command}`);
    const bug = this.received.find(({ body }) => String(body?.output).includes('Internal error'));
    assert.equal(bug, undefined, `${command} ${JSON.stringify(args)}: ${bug?.body.output}`);
    if (answers[0].success === false) assert.notEqual(answers[0].message, '');
    return answers[0];
  }

  /** Let what was put off happen, `turns` slices of it. */
  turn(turns = 1_000_000): void {
    for (let i = 0; i < turns && this.#later.length > 0; i++) this.#later.shift()?.();
  }

  launch(more: Json = {}): void {
    assert.ok(this.ask('initialize', { adapterID: 'x', pathFormat: 'uri', supportsMemoryEvent: true }).success);
    const launched = this.ask('launch', { program: PROGRAM, stopOnEntry: true, ...more });
    assert.ok(launched.success, launched.message);
  }

  /** Stopped within C, with frames, variables and targets to ask about. */
  stopInC(): void {
    this.launch();
    this.ask('setBreakpoints', {
      source: { path: OWN },
      breakpoints: [{ line: lineOf(ownSource, 'return rmp_make_shared') }],
    });
    this.ask('configurationDone');
    this.ask('continue', { threadId: 1 });
    this.turn();
    assert.ok(this.received.slice(-2).some(({ event }) => event === 'stopped'));
    this.ask('scopes', { frameId: 1 });
    this.ask('gotoTargets', { source: { path: PROGRAM }, line: lineOf(text, 'expect rmp') });
  }
}

/** Every request, with arguments that are right when a session has stopped in C. */
const REQUESTS: Record<string, Json> = {
  initialize: { adapterID: 'x' },
  launch: {
    program: PROGRAM,
    scenario: 'x',
    kernel: 'kvm-rfc-v8',
    patches: [],
    sources: ['own.c'],
    options: { 'guest-tlb': true },
    stopOnEntry: true,
    stopAtEnd: false,
    noDebug: true,
  },
  configurationDone: {},
  restart: { arguments: { program: PROGRAM } },
  terminate: { restart: false },
  threads: {},
  setBreakpoints: {
    source: { path: OWN, sourceReference: 0 },
    breakpoints: [{ line: 3, column: 2, condition: 'level', hitCondition: '2', logMessage: 'x {level}' }],
  },
  setFunctionBreakpoints: { breakpoints: [{ name: 'psmash', condition: 'pfn', hitCondition: '> 1' }] },
  dataBreakpointInfo: { name: 'level', variablesReference: 1, frameId: 1, asAddress: false, bytes: 4 },
  setDataBreakpoints: {
    breakpoints: [{ dataId: 'rmp:0x40000:512', accessType: 'write', condition: '1', hitCondition: '1' }],
  },
  setInstructionBreakpoints: {
    breakpoints: [{ instructionReference: '0x800000000010', offset: 16, condition: '1', hitCondition: '1' }],
  },
  setExceptionBreakpoints: { filters: ['failed'], filterOptions: [{ filterId: 'rule:TERM', condition: '1' }] },
  breakpointLocations: { source: { path: OWN }, line: 1, column: 1, endLine: 9, endColumn: 1 },
  exceptionInfo: { threadId: 1 },
  continue: { threadId: 1, singleThread: false },
  next: { threadId: 1, granularity: 'instruction' },
  stepIn: { threadId: 1, granularity: 'statement', targetId: 1 },
  stepOut: { threadId: 1 },
  stepBack: { threadId: 1, granularity: 'instruction' },
  reverseContinue: { threadId: 1 },
  pause: { threadId: 1 },
  gotoTargets: { source: { path: PROGRAM }, line: 16 },
  goto: { threadId: 1, targetId: 1 },
  restartFrame: { frameId: 1 },
  stackTrace: { threadId: 1, startFrame: 0, levels: 20 },
  scopes: { frameId: 1 },
  variables: { variablesReference: 1, filter: 'named', start: 0, count: 10, format: { hex: true } },
  setVariable: { variablesReference: 1, name: 'level', value: '3', format: { hex: true } },
  evaluate: { expression: 'level', frameId: 1, context: 'watch', format: { hex: true } },
  setExpression: { expression: 'level', value: '1', frameId: 1, format: { hex: true } },
  completions: { text: 'slot->', column: 7, frameId: 1, line: 1 },
  readMemory: { memoryReference: 'rmp:0x40000', offset: 0, count: 32 },
  writeMemory: { memoryReference: 'rmp:0x40000', offset: 0, data: 'AAAA', allowPartial: true },
  disassemble: {
    memoryReference: '0x800000000010',
    offset: 0,
    instructionOffset: -2,
    instructionCount: 9,
    resolveSymbols: true,
  },
  source: { source: { path: 'model:kvm-rfc-v8/rmp.c', sourceReference: 1 }, sourceReference: 1 },
  loadedSources: {},
};

const JUNK: Json[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e9,
  2 ** 53,
  -(2 ** 53),
  1e308,
  '',
  'x',
  '0x',
  '-1',
  'rmp:0xffffffffffffffff',
  'c:1:1:0:0',
  'c:1073741824:1e9:0:1',
  '\0',
  '𝒳'.repeat(50),
  '('.repeat(3000),
  '}',
  '{'.repeat(30),
  '// ',
  '"',
  'rmp(g',
  'rmp(g, 0..',
  '*(int *)0',
  '&&',
  '1/0',
  '1 << 99',
  'a.b.c',
  'level = 3',
  [],
  [null],
  [[]],
  [{}],
  [1],
  ['x'],
  {},
  { path: 5 },
  { path: '' },
  { path: 'model:../x' },
  { sourceReference: 1e9 },
  { sourceReference: -1, path: [] },
];

/** Every way to put a value in the place of one that is within. */
function* replaced(args: Json, value: Json): Iterable<Json> {
  yield value;
  if (typeof args !== 'object' || args === null) return;
  for (const key of Object.keys(args)) {
    const make = (inner: Json): Json =>
      Array.isArray(args) ? args.with(Number(key), inner) : { ...args, [key]: inner };
    for (const inner of replaced(args[key], value)) yield make(inner);
  }
}

test('the table has every request that the adapter knows', () => {
  const wire = new Wire();
  wire.stopInC();
  for (const command of Object.keys(REQUESTS)) {
    const { message } = wire.ask(command, { junk: 1 });
    assert.doesNotMatch(message ?? '', /There is no request/, command);
    wire.turn();
    if (['restart', 'terminate', 'launch'].includes(command)) continue;
  }
});

for (const [command, args] of Object.entries(REQUESTS)) {
  test(`${command} with anything in the place of each argument`, () => {
    let wire = new Wire();
    wire.stopInC();
    for (const junk of JUNK) {
      for (const wrong of replaced(args, junk)) {
        wire.ask(command, wrong);
        wire.turn();
      }
      // What moved, ended or changed it: begin again.
      if (
        wire.ask('scopes', { frameId: 1 }).success === false ||
        /^(?:step|next|goto|restart|cont|rev|term)/.test(command)
      ) {
        wire.adapter.dispose();
        wire = new Wire();
        wire.stopInC();
      }
    }
    wire.ask('disconnect');
  });
}

test('requests in any order, before, within and after a session, with slices in between', () => {
  const commands = Object.keys(REQUESTS).filter((command) => command !== 'initialize' && command !== 'launch');
  const step = fc.record({
    command: fc.constantFrom(...commands, 'next', 'stepIn', 'stepBack', 'continue', 'reverseContinue', 'pause'),
    turns: fc.integer({ min: 0, max: 3 }),
    junk: fc.option(fc.constantFrom(...JUNK), { freq: 8 }),
    where: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), fc.nat(3), (steps, start) => {
      const wire = new Wire();
      if (start === 1) wire.ask('initialize', { adapterID: 'x' });
      if (start === 2) wire.launch();
      if (start === 3) wire.stopInC();
      for (const { command, turns, junk, where } of steps) {
        const ways = junk === null ? [REQUESTS[command]] : [...replaced(REQUESTS[command], junk)];
        wire.ask(command, ways[where % ways.length]);
        wire.turn(turns);
      }
      wire.ask('disconnect');
      wire.turn();
    }),
    { numRuns: 150, seed: 7 },
  );
});
