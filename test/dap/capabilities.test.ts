// Each capability that is announced is exercised; what is exercised is struck off a list, and the list must be empty at the end.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { capabilities } from '../../server/dap/common/capabilities.ts';
import { DebugClient, type Json, killLeftovers } from './client.ts';
import { lineOf, ownSource, smash, type Workspace, workspace } from './fixtures.ts';

/** The capabilities that tests of this file have exercised. */
const exercised = new Set<string>();
const exercise = (...names: (keyof typeof capabilities)[]): void => {
  for (const name of names) exercised.add(name);
};

const text = smash('use source "own.c"');
let files: Workspace;
let program: string;
let own: string;
before(() => {
  files = workspace({ 'smash.snpscenario': text, 'own.c': ownSource });
  program = files.file('smash.snpscenario');
  own = files.file('own.c');
});
after(async () => {
  await killLeftovers();
  files.remove();
});

async function launched(more: Json = {}, client: Json = {}): Promise<DebugClient> {
  const debug = new DebugClient();
  await debug.launch({ program, stopOnEntry: true, ...more }, client);
  return debug;
}

async function started(more: Json = {}, client: Json = {}): Promise<DebugClient> {
  const debug = await launched(more, client);
  assert.equal((await debug.start()).reason, 'entry');
  return debug;
}

const at = (part: string): number => lineOf(ownSource, part);
const inOwn = (line: number, more: Json = {}): Json => ({ source: { path: own }, breakpoints: [{ line, ...more }] });

test('breakpoints: on lines with conditions, hit counts and messages, on functions; where they can stand', async () => {
  const client = await started();
  exercise('supportsConfigurationDoneRequest');
  const locations = await client.request('breakpointLocations', {
    source: { path: own },
    line: at('rc = psmash'),
    endLine: at('return rc;'),
  });
  assert.deepEqual(
    locations.breakpoints.map(({ line }: Json) => line),
    [at('rc = psmash'), at('if (rc)'), at('return rc;')],
  );
  exercise('supportsBreakpointLocationsRequest');

  // Not on a statement: moved to the next; below the last: refused with a reason.
  const moved = await client.request('setBreakpoints', inOwn(at('int level;')));
  assert.equal(moved.breakpoints[0].line, at('if (snp_lookup_rmpentry'));
  const beyond = await client.request('setBreakpoints', inOwn(1000));
  assert.equal(beyond.breakpoints[0].verified, false);
  assert.match(beyond.breakpoints[0].message, /No statement/);

  await client.request(
    'setBreakpoints',
    inOwn(at('return rmp_make_shared'), { condition: 'gfn == 0x11 && level == PG_LEVEL_2M' }),
  );
  assert.equal((await client.move('continue')).reason, 'breakpoint');
  assert.equal(await client.evaluate('gfn', 1), '0x11');
  exercise('supportsConditionalBreakpoints');

  await client.request('setBreakpoints', inOwn(at('return rmp_make_shared'), { condition: 'gfn == 0x12' }));
  assert.equal((await client.move('continue')).reason, 'end', 'the condition never holds');
  await client.request('setBreakpoints', inOwn(at('return rmp_make_shared'), { condition: 'no_such_thing > 1' }));
  const complained = await client.move('reverseContinue');
  assert.match(complained.text, /no_such_thing/, 'a condition that cannot be evaluated stops, and says so');

  await client.request('setBreakpoints', inOwn(at('kvm_restrictedmem_get_pfn'), { hitCondition: '2' }));
  while ((await client.move('reverseContinue')).reason !== 'entry');
  assert.equal((await client.move('continue')).reason, 'breakpoint');
  assert.equal(await client.evaluate('attr', 1), '0', 'the second conversion is the one to shared');
  const wrong = await client.request(
    'setBreakpoints',
    inOwn(at('kvm_restrictedmem_get_pfn'), { hitCondition: 'often' }),
  );
  assert.match(wrong.breakpoints[0].message, /no hit count/);
  exercise('supportsHitConditionalBreakpoints');

  await client.request(
    'setBreakpoints',
    inOwn(at('kvm_restrictedmem_get_pfn'), { logMessage: 'from {start} to {end} of {rmp(g, 0).size}' }),
  );
  while ((await client.move('reverseContinue')).reason !== 'entry');
  await client.move('continue');
  const logged = client.received
    .filter(({ event, body }) => event === 'output' && body.output.startsWith('from '))
    .map(({ body }) => body.output);
  assert.deepEqual(logged.slice(-2), ['from 0 to 0x200 of 4K\n', 'from 0x11 to 0x12 of 2M\n']);
  exercise('supportsLogPoints');

  await client.request('setBreakpoints', { source: { path: own }, breakpoints: [] });
  const functions = await client.request('setFunctionBreakpoints', {
    breakpoints: [{ name: 'psmash' }, { name: 'no_such_function' }],
  });
  assert.deepEqual(
    functions.breakpoints.map(({ verified }: Json) => verified),
    [true, false],
  );
  assert.equal((await client.move('reverseContinue')).reason, 'function breakpoint');
  assert.match(await client.where(), /^psmash\(\) rmp\.c/);
  exercise('supportsFunctionBreakpoints');
  assert.equal(await client.disconnect(), 0);
});

test('data breakpoints: a page of the RMP, a range, bytes, an attribute, the nested page table, a variable of C', async () => {
  const client = await started();
  await client.request('setExceptionBreakpoints', { filters: [] });
  const info = async (args: Json): Promise<string> => (await client.request('dataBreakpointInfo', args)).dataId;
  const ids = [
    await info({ name: 'rmp(g, 0..2M)' }),
    await info({ name: 'attr(g, 68K)' }),
    await info({ name: 'npt(g, 0)' }),
  ];
  assert.deepEqual(ids, ['rmp:0x40000:512', 'attr:1:0x11:1', 'npt:1:0x0:1']);
  assert.equal(await info({ name: 'nonsense(' }), null);
  const bytes = await info({ name: 'rmp:0x40011', asAddress: true, bytes: 16 });
  assert.equal(bytes, 'rmp:0x40011:1');
  exercise('supportsDataBreakpointBytes');

  await client.request('setDataBreakpoints', { breakpoints: [{ dataId: ids[1] }] });
  assert.equal((await client.move('continue')).reason, 'data breakpoint');
  assert.match(await client.evaluate('attr(g, 68K)'), /true|private/);
  await client.request('setDataBreakpoints', { breakpoints: [{ dataId: bytes }] });
  assert.equal((await client.move('continue')).reason, 'data breakpoint');
  assert.equal(await client.evaluate('rmp(g, 68K).size'), '2M');
  assert.equal((await client.move('continue')).reason, 'data breakpoint', 'the smash changes it');
  assert.equal(await client.evaluate('rmp(g, 68K).size'), '4K');
  // Backwards, to in front of the same instruction.
  assert.equal((await client.move('reverseContinue')).reason, 'data breakpoint');
  assert.equal(await client.evaluate('rmp(g, 68K).size'), '2M');

  // A variable of C, found by name and by its row; the run stops each time it changes.
  await client.request('setDataBreakpoints', { breakpoints: [] });
  await client.request('setBreakpoints', inOwn(at('if (kvm_restrictedmem_get_pfn')));
  await client.move('reverseContinue');
  const { variablesReference } = (await client.request('scopes', { frameId: 1 })).scopes[0];
  const dataId = await info({ variablesReference, name: 'pfn' });
  assert.match(dataId, /^c:/);
  await client.request('setDataBreakpoints', { breakpoints: [{ dataId }] });
  assert.notEqual(await client.evaluate('pfn', 1), '0x40011');
  assert.equal((await client.move('continue')).reason, 'data breakpoint');
  const frames = await client.stack();
  const mine = frames.find(({ name }) => name === 'sev_update_mem_attr()');
  assert.equal(await client.evaluate('pfn', mine.id), '0x40011');
  exercise('supportsDataBreakpoints');
  assert.equal(await client.disconnect(), 0);
});

test('exceptions: filters with conditions, and what is known of the one that stopped', async () => {
  const client = await launched({ stopOnEntry: false });
  assert.ok((capabilities.exceptionBreakpointFilters ?? []).length > 20);
  await client.request('setExceptionBreakpoints', {
    filters: [],
    filterOptions: [{ filterId: 'rule:EXPECT', condition: 'false' }],
  });
  assert.equal((await client.start()).reason, 'end');
  assert.equal(await client.refusal('exceptionInfo', { threadId: 1 }), 'It did not stop at an exception.');
  await client.request('setExceptionBreakpoints', { filters: ['failed'] });
  assert.equal((await client.move('reverseContinue')).reason, 'entry', 'nothing has failed');
  exercise('exceptionBreakpointFilters', 'supportsExceptionFilterOptions', 'supportsExceptionInfoRequest');
  assert.equal(await client.disconnect(), 0);
});

test('moving: by statement and by instruction, back, to a line and to a time, frames and sessions anew', async () => {
  const client = await started();
  await client.request('setExceptionBreakpoints', { filters: [] });
  await client.move('next');
  await client.move('stepIn');
  assert.match(await client.where(), /^scenario_set_memory_attributes\(\)/);
  const before = await client.evaluate('attributes', 1);
  await client.move('stepIn', { granularity: 'instruction' });
  await client.move('stepBack', { granularity: 'instruction' });
  assert.equal(await client.evaluate('attributes', 1), before);
  await client.move('next', { granularity: 'instruction' });
  exercise('supportsSteppingGranularity');
  await client.move('stepOut');
  assert.match(await client.where(), /set_memory_attributes\(g, page/);
  await client.move('stepBack');
  assert.match(await client.where(), /set_memory_attributes\(g, 0\.\.2M/);
  assert.equal(await client.evaluate('asid_counter(1)'), '0');
  exercise('supportsStepBack');

  const to = async (part: string): Promise<Json[]> =>
    (await client.request('gotoTargets', { source: { path: program }, line: lineOf(text, part) })).targets;
  const [ahead] = await to('expect count(psmash)');
  await Promise.all([client.request('goto', { threadId: 1, targetId: ahead.id }), client.stopped()]);
  assert.equal((await client.stack())[0].line, lineOf(text, 'expect count(psmash)'));
  assert.equal(await client.evaluate('asid_counter(1)'), '0x1ff');
  const [past] = await to('vmm.set_memory_attributes(g, 0..2M');
  await Promise.all([client.request('goto', { threadId: 1, targetId: past.id }), client.stopped()]);
  assert.equal(await client.evaluate('asid_counter(1)'), '0');
  assert.match(await client.refusal('goto', { threadId: 1, targetId: 99 }), /no such target/);
  exercise('supportsGotoTargetsRequest');

  await client.request('setBreakpoints', inOwn(at('return rmp_make_shared')));
  await client.move('continue');
  const frames = await client.stack();
  const frame = frames.find(({ name }) => name === 'sev_update_mem_attr()');
  await Promise.all([client.request('restartFrame', { frameId: frame.id }), client.stopped()]);
  const [top] = await client.stack();
  assert.equal(top.name, 'sev_update_mem_attr()');
  assert.equal(await client.evaluate('start', 1), '0x11', 'of the same call');
  exercise('supportsRestartFrame');

  const one = await client.request('stackTrace', { threadId: 1, startFrame: 0, levels: 1 });
  assert.equal(one.stackFrames.length, 1);
  assert.equal(one.totalFrames, frames.length - 1);
  exercise('supportsDelayedStackTraceLoading');

  const restarted = client.stopped();
  await client.request('restart', {});
  assert.equal((await restarted).reason, 'entry');
  assert.equal(await client.evaluate('asid_counter(1)'), '0');
  assert.equal((await client.move('continue')).reason, 'breakpoint', 'breakpoints are still there');
  exercise('supportsRestartRequest');

  await client.request('terminate', {});
  assert.equal((await client.event('exited')).exitCode, 0);
  await client.event('terminated');
  assert.match(await client.refusal('continue', { threadId: 1 }), /ended/);
  exercise('supportsTerminateRequest');
  assert.equal(await client.disconnect(), 0);
});

test('looking: sources, values, what is completed, formats, and changing what is there', async () => {
  const client = await started({}, { supportsInvalidatedEvent: true, supportsMemoryEvent: true });
  const { sources } = await client.request('loadedSources');
  assert.ok(sources.some(({ path }: Json) => path === own) && sources.some(({ path }: Json) => path === program));
  const model = sources.find(({ name }: Json) => name === 'rmp.c');
  const { content } = await client.request('source', { source: model, sourceReference: model.sourceReference });
  assert.match(content, /psmash/);
  const inModel = await client.request('setBreakpoints', {
    source: model,
    breakpoints: [{ line: lineOf(content, 'int psmash(') + 1 }],
  });
  assert.equal(inModel.breakpoints[0].verified, true);
  await client.request('setBreakpoints', { source: model, breakpoints: [] });
  exercise('supportsLoadedSourcesRequest');

  await client.request('setBreakpoints', inOwn(at('return rmp_make_shared')));
  await client.move('continue');
  assert.equal(await client.evaluate('slot->npages', 1, 'hover'), '262144');
  exercise('supportsEvaluateForHovers');
  const { result } = await client.request('evaluate', {
    expression: 'slot->npages',
    frameId: 1,
    format: { hex: true },
  });
  assert.equal(result, '0x40000');
  exercise('supportsValueFormattingOptions');
  assert.match(await client.evaluate('rmp(g, 68K)', 1, 'clipboard'), /asid 1/);
  exercise('supportsClipboardContext');
  assert.match(await client.refusal('evaluate', { expression: 'no_such_name', frameId: 1 }), /no_such_name/);

  const labels = async (line: string): Promise<string[]> =>
    (await client.request('completions', { frameId: 1, text: line, column: line.length + 1 })).targets.map(
      ({ label }: Json) => label,
    );
  assert.deepEqual(await labels('lev'), ['level']);
  assert.ok((await labels('slot->')).includes('base_gfn'));
  assert.ok((await labels('refc')).includes('refcount'));
  exercise('supportsCompletionsRequest', 'completionTriggerCharacters');

  const scopes: Json[] = (await client.request('scopes', { frameId: 1 })).scopes;
  const scope = (name: string): number => scopes.find((one) => one.name === name).variablesReference;
  const set = await client.request('setVariable', {
    variablesReference: scope('Locals'),
    name: 'level',
    value: 'PG_LEVEL_4K + 5',
  });
  assert.equal(set.value, '6');
  assert.equal(await client.evaluate('level', 1), '6');
  await client.event('invalidated');
  assert.match(
    await client.refusal('setVariable', { variablesReference: scope('Locals'), name: 'level', value: 'what' }),
    /what/,
  );
  const page: Json[] = (await client.request('variables', { variablesReference: scope('Page') })).variables;
  const entry = page.find(({ name }) => name === 'rmp');
  await client.request('setVariable', {
    variablesReference: entry.variablesReference,
    name: 'validated',
    value: 'true',
  });
  assert.equal(await client.evaluate('rmp(g, 68K).validated'), 'true');
  exercise('supportsSetVariable');
  await client.request('setExpression', { expression: 'rc', value: '-12', frameId: 1 });
  assert.equal(await client.evaluate('rc', 1), '-12');
  // A what-if belongs to its place: back over it is as it was, and forward again as it was made.
  await client.move('stepBack', { granularity: 'instruction' });
  assert.notEqual(await client.evaluate('rc', 1), '-12');
  await client.move('stepIn', { granularity: 'instruction' });
  assert.equal(await client.evaluate('rc', 1), '-12');
  exercise('supportsSetExpression');

  const read = async (count: number): Promise<Buffer> =>
    Buffer.from((await client.request('readMemory', { memoryReference: entry.memoryReference, count })).data, 'base64');
  const bytes = await read(16);
  assert.equal(bytes.length, 16);
  assert.equal(bytes[0] & 1, 1, 'assigned');
  assert.equal(bytes.readUInt32LE(4) >>> 30, 1, 'validated');
  exercise('supportsReadMemoryRequest');
  bytes[0] &= ~1;
  await client.request('writeMemory', {
    memoryReference: entry.memoryReference,
    data: bytes.subarray(0, 1).toString('base64'),
  });
  assert.equal(await client.evaluate('rmp(g, 68K).assigned'), 'false');
  await client.event('memory');
  assert.match(await client.refusal('readMemory', { memoryReference: 'nothing', count: 4 }), /no memory reference/);
  exercise('supportsWriteMemoryRequest');
  assert.equal(await client.disconnect(), 0);
});

test('the bytecode: listed around an instruction and across functions, with its lines; breakpoints on instructions', async () => {
  const client = await started();
  await client.request('setExceptionBreakpoints', { filters: [] });
  await client.request('setBreakpoints', inOwn(at('rc = psmash')));
  await client.move('continue');
  const [top, , , , , , scenario] = await client.stack();
  assert.equal(top.name, 'give_back()');
  const list = async (more: Json = {}): Promise<Json[]> =>
    (
      await client.request('disassemble', {
        memoryReference: top.instructionPointerReference,
        instructionOffset: -8,
        instructionCount: 24,
        resolveSymbols: true,
        ...more,
      })
    ).instructions;
  const rows = await list();
  assert.equal(rows.length, 24);
  const [here] = rows.filter(({ address }) => address === top.instructionPointerReference);
  assert.equal(rows.indexOf(here), 8);
  assert.equal(here.line, at('rc = psmash'));
  assert.equal(here.location.path, own);
  assert.ok(
    rows.every(
      ({ symbol, instructionBytes }) => symbol === 'give_back' && /^(?:[0-9a-f]{8} ?){4}$/.test(instructionBytes),
    ),
  );
  const call = rows.find(({ instruction }) => /^CALL .*psmash\(\)/.test(instruction));
  assert.ok(call, rows.map(({ instruction }) => instruction).join('\n'));
  assert.ok(
    rows.some(({ instruction }) => /r\d+:level/.test(instruction)),
    'registers have the names of what they hold',
  );
  // The same by an offset in bytes; what lies before the first and behind the last instruction is nothing.
  assert.deepEqual(await list({ offset: -8 * 16, instructionOffset: 0 }), rows);
  const around = await list({ instructionOffset: -400, instructionCount: 800 });
  assert.ok(new Set(around.map(({ symbol }) => symbol)).size > 3, 'the functions beside it are there');
  const addresses = around.filter(({ address }) => address !== '-1').map(({ address }) => Number(address));
  assert.deepEqual(
    addresses,
    [...new Set(addresses)].sort((a, b) => a - b),
  );
  const nowhere = await list({ memoryReference: '0x10', instructionCount: 3 });
  assert.deepEqual(
    nowhere.map(({ address, presentationHint }) => [address, presentationHint]),
    [0, 1, 2].map(() => ['-1', 'invalid']),
  );
  assert.match(
    await client.refusal('disassemble', { memoryReference: '0x10', instructionCount: 1e9 }),
    /from 0 to 10000/,
  );
  // The scenario's own program, from a frame of it.
  const program = await list({
    memoryReference: scenario?.instructionPointerReference ?? (await client.stack()).at(-1).instructionPointerReference,
    instructionOffset: -2,
    instructionCount: 6,
  });
  assert.deepEqual(
    program.map(({ instruction, line }) => [instruction.split(/\s+/)[0], line]),
    [
      ['let', lineOf(text, 'let page')],
      ['step', lineOf(text, '0..2M, PRIVATE')],
      ['step', lineOf(text, 'SHARED)')],
      ['expect', lineOf(text, 'is shared')],
      ['expect', lineOf(text, 'count(psmash)')],
      ['end', undefined],
    ],
  );
  exercise('supportsDisassembleRequest');

  await client.request('setBreakpoints', { source: { path: own }, breakpoints: [] });
  const set = await client.request('setInstructionBreakpoints', {
    breakpoints: [
      {
        instructionReference: top.instructionPointerReference,
        offset: Number(call.address) - Number(top.instructionPointerReference),
        condition: 'level == PG_LEVEL_2M',
      },
      { instructionReference: program[3].address },
      { instructionReference: '0x10' },
    ],
  });
  assert.deepEqual(
    set.breakpoints.map(({ verified, instructionReference, line }: Json) => [verified, instructionReference, line]),
    [
      [true, call.address, at('rc = psmash')],
      [true, program[3].address, lineOf(text, 'is shared')],
      [false, undefined, undefined],
    ],
  );
  const stop = await client.move('continue');
  assert.equal(stop.reason, 'instruction breakpoint');
  assert.equal((await client.stack())[0].instructionPointerReference, call.address);
  await client.move('stepIn', { granularity: 'instruction' });
  const [callee] = await client.stack();
  assert.equal(callee.name, 'psmash()');
  assert.equal((await client.move('continue')).reason, 'instruction breakpoint');
  assert.equal((await client.stack())[0].line, lineOf(text, 'is shared'));
  assert.equal((await client.move('reverseContinue')).reason, 'instruction breakpoint');
  assert.equal((await client.stack())[0].instructionPointerReference, call.address);
  // They hold in the next session, where functions may have other numbers.
  const restarted = client.stopped();
  await client.request('restart', {});
  await restarted;
  assert.equal((await client.move('continue')).reason, 'instruction breakpoint');
  assert.equal((await client.stack())[0].name, 'give_back()');
  exercise('supportsInstructionBreakpoints');
  assert.equal(await client.disconnect(), 0);
});

test('nothing is announced to a client that no test has exercised', async () => {
  const client = new DebugClient();
  const announced = await client.request('initialize', { adapterID: 'x' });
  assert.deepEqual(Object.keys(announced).sort(), [...exercised].sort());
  for (const [name, value] of Object.entries(announced)) assert.ok(value === true || Array.isArray(value), name);
  assert.equal(await client.disconnect(), 0);
});
