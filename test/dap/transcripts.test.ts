// Whole conversations with the debug adapter over stdio, kept as golden transcripts.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { DebugClient, killLeftovers } from './client.ts';
import { head, lineOf, mailedPatch, ownSource, smash, type Workspace, workspace } from './fixtures.ts';
import { expectGolden } from './golden.ts';

let open: Workspace | undefined;
afterEach(async () => {
  await killLeftovers();
  open?.remove();
  open = undefined;
});

/** From the second conversion into the C, up to PSMASH, and all the way back. */
async function upToPsmashAndBack(client: DebugClient, program: string, text: string): Promise<void> {
  await client.launch({ program });
  await client.request('setExceptionBreakpoints', { filters: [] });
  await client.request('setBreakpoints', {
    source: { path: program },
    breakpoints: [{ line: lineOf(text, 'SHARED)') }],
  });
  await client.start();
  await client.request('threads');
  await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'sev_update_mem_attr' }] });
  await client.move('continue');
  assert.match(await client.where(), /^sev_update_mem_attr\(\)/);
  // Statement by statement until the smash is done.
  const { dataId } = await client.request('dataBreakpointInfo', { name: 'rmp(g, 0)' });
  await client.request('setDataBreakpoints', { breakpoints: [{ dataId }] });
  for (let i = 0; i < 3; i++) await client.move('next');
  const smashed = await client.move('continue');
  assert.equal(smashed.reason, 'data breakpoint');
  const stack = await client.stack();
  assert.ok(stack.some(({ name }) => name === 'sev_update_mem_attr()'));
  assert.equal(await client.evaluate('rmp(g, 0).size'), '4K');
  assert.equal(await client.evaluate('count(psmash)'), '0', 'the step is not done: its count is of the one before');
  // And back: the statement that smashed, the function's entry, the step.
  const undone = await client.move('reverseContinue');
  assert.equal(undone.reason, 'data breakpoint');
  assert.equal(await client.evaluate('rmp(g, 0).size'), '2M');
  await client.stack();
  await client.move('stepBack');
  await client.stack();
  await client.move('stepBack', { granularity: 'instruction' });
  await client.request('setDataBreakpoints', { breakpoints: [] });
  const entered = await client.move('reverseContinue');
  assert.equal(entered.reason, 'function breakpoint');
  const step = await client.move('reverseContinue');
  assert.equal(step.reason, 'breakpoint');
  assert.match((await client.stack())[0].name, /^vmm\.set_memory_attributes/);
  assert.equal(await client.disconnect(), 0);
}

test('the mailed patch, stepped into from set_memory_attributes up to PSMASH and back', async (t) => {
  const patch = mailedPatch();
  if (patch === undefined) {
    t.skip('SNP_PATCH_DIR not set');
    return;
  }
  const text = smash('use patch "mailed.mbox"');
  open = workspace({ 'smash.snpscenario': text, 'mailed.mbox': patch });
  const client = new DebugClient();
  await upToPsmashAndBack(client, open.file('smash.snpscenario'), text);
  const frames = client.received
    .filter(({ command }) => command === 'stackTrace')
    .flatMap(({ body }) => body.stackFrames);
  assert.ok(
    frames.some(({ source }) => source?.name === 'mailed.mbox'),
    'no frame stands in the patch',
  );
});

test("a source of one's own, stepped into from set_memory_attributes up to PSMASH and back", async () => {
  const text = smash('use source "own.c"');
  open = workspace({ 'smash.snpscenario': text, 'own.c': ownSource });
  const client = new DebugClient();
  await upToPsmashAndBack(client, open.file('smash.snpscenario'), text);
  expectGolden('psmash-and-back', client, { [open.folder]: '<folder>' });
});

test('a data breakpoint finds, in reverse, the step that unassigned a page', async () => {
  const text = `${head()}
scenario "somebody took a page away" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  cpu.psmash(pfn(g, 0))
  cpu.rmpupdate(pfn(g, 64K), gpa 64K, asid 0, 4K)
  cpu.rmpupdate(pfn(g, 128K), gpa 128K, asid 0, 4K)
  g.pvalidate(0, 4K)
  g.pvalidate(64K, 4K)
}
`;
  open = workspace({ 'lost.snpscenario': text });
  const client = new DebugClient();
  const program = open.file('lost.snpscenario');
  await client.launch({ program });
  await client.request('setExceptionBreakpoints', { filters: ['rule:TERM', 'rule:FAULT', 'rule:OUTCOME'] });
  const stop = await client.start();
  assert.equal(stop.reason, 'exception');
  const last = await client.stack();
  assert.equal(last[0].line, lineOf(text, 'g.pvalidate(64K'));
  const info = await client.request('exceptionInfo', { threadId: 2 });
  assert.match(info.details.stackTrace, /RMPUPDATE pfn 0x40010/);
  const { dataId } = await client.request('dataBreakpointInfo', { name: 'rmp(g, 64K)' });
  await client.request('setDataBreakpoints', { breakpoints: [{ dataId, accessType: 'write' }] });
  const found = await client.move('reverseContinue');
  assert.equal(found.reason, 'data breakpoint');
  const [frame] = await client.stack();
  assert.equal(frame.line, lineOf(text, 'pfn(g, 64K)'));
  assert.equal(await client.evaluate('rmp(g, 64K) is assigned'), 'true');
  await client.move('next');
  assert.match(await client.evaluate('rmp(g, 64K) is assigned'), /^false/);
  assert.equal(await client.disconnect(), 0);
  expectGolden('who-unassigned-it', client, { [open.folder]: '<folder>' });
});

test("what would be if: an option, a variable, a bit; the scenario's own program beside it", async () => {
  const text = `${head()}
scenario "what if" {
  let page = 64K
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  for i in 0..2 {
    g.pvalidate(page + i * 4K, 4K) => any
  }
  expect rmp(g, page) is validated
}
`;
  open = workspace({ 'if.snpscenario': text });
  const program = open.file('if.snpscenario');
  const client = new DebugClient();
  await client.launch({ program, kernel: 'kvm-rfc-v8', options: { 'guest-tlb': true }, stopOnEntry: true });
  await client.start();
  const [entry] = await client.stack();
  await client.request('disassemble', { memoryReference: entry.instructionPointerReference, instructionCount: 7 });
  const to = lineOf(text, 'g.pvalidate');
  await client.request('setInstructionBreakpoints', {
    breakpoints: [{ instructionReference: entry.instructionPointerReference, offset: 3 * 16, hitCondition: '2' }],
  });
  const second = await client.move('continue');
  assert.equal(second.reason, 'instruction breakpoint');
  assert.equal((await client.stack())[0].line, to);
  const { scopes } = await client.request('scopes', { frameId: 1 });
  const { variablesReference } = scopes[0];
  await client.request('variables', { variablesReference });
  await client.request('setVariable', { variablesReference, name: 'page', value: '1M' });
  assert.match(
    await client.refusal('setVariable', { variablesReference, name: 'page', value: 'pfn(g, 0)' }),
    /of kind/,
  );
  await client.request('setExpression', { expression: 'rmp(g, 1M + 4K).asid', value: '2', frameId: 1 });
  assert.equal(await client.evaluate('rmp(0x40000).asid = 1', 1, 'repl'), '1');
  assert.equal((await client.move('continue')).reason, 'exception');
  await client.request('exceptionInfo', { threadId: 1 });
  await client.stack();
  await client.move('stepBack');
  await client.move('stepBack', { granularity: 'instruction' });
  assert.equal(await client.evaluate('page'), '0x10000', 'gone with the place that it belongs to');
  assert.equal(await client.disconnect(), 0);
  expectGolden('what-if', client, { [open.folder]: '<folder>' });
});
