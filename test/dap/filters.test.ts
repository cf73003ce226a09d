// Each exception filter stops at what it is about, and at nothing when it is off; conditions count; exceptionInfo says why.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { exceptionFilters } from '../../engine/debug/exceptions.ts';
import { type DebugSession, openSession } from '../../engine/debug/session.ts';
import { DebugClient, killLeftovers } from './client.ts';
import { head, lineOf, workspace } from './fixtures.ts';

after(killLeftovers);

/** Steps that give rise to each: a filter without a scenario here is tested by its rule's own, below. */
const SCENARIOS: Readonly<Record<string, { steps: string; at: string; use?: string; files?: Record<string, string> }>> =
  {
    failed: { steps: '  cpu.psmash(pfn(g, 0)) => any', at: 'cpu.psmash' },
    'fault:#NPF': {
      steps: '  vmm.set_memory_attributes(g, 0..2M, PRIVATE)\n  g.pvalidate(0, 4K) => any\n  g.read(0) => any',
      at: 'g.pvalidate',
    },
    'fault:#VC': { steps: '  vmm.set_memory_attributes(g, 0..2M, PRIVATE)\n  g.read(0) => any', at: 'g.read' },
    'fault:#PF': {
      steps: '  vmm.set_memory_attributes(g, 0..2M, PRIVATE)\n  host.write(pfn(g, 0)) => any',
      at: 'host.write',
    },
    'rule:EXPECT': { steps: '  expect rmp(g, 0) is assigned', at: 'expect rmp' },
    'rule:OUTCOME': { steps: '  cpu.psmash(pfn(g, 0))', at: 'cpu.psmash' },
    'rule:ORDER': { steps: '  vmm.set_memory_attributes(g, 0..64K, PRIVATE)', at: 'vmm.set', use: 'order 4' },
    'rule:ATTR-RMP': { steps: '  vmm.set_memory_attributes(g, 0..64K, PRIVATE)', at: 'vmm.set', use: 'order 4' },
    'rule:C-UNDEFINED': {
      steps: '  kernel.own_check(1)',
      at: 'kernel.own',
      files: { 'own.c': 'int own_check(int n)\n{\n\treturn nobody_defines_this(n);\n}\n' },
    },
    'rule:TRAP': {
      steps: '  kernel.own_check(0)',
      at: 'kernel.own',
      files: { 'own.c': 'int own_check(int n)\n{\n\treturn 1 / n;\n}\n' },
    },
  };

const textOf = ({ steps, use, files }: (typeof SCENARIOS)[string]): string => {
  const top = head(files === undefined ? '' : 'use source "own.c"');
  return `${use === undefined ? top : top.replace('folio 2M', `folio ${use}`)}\nscenario "s" {\n${steps}\n}\n`;
};

function open(scenario: (typeof SCENARIOS)[string]): DebugSession {
  const events = { log: () => {}, printk: () => {}, finding: () => {} };
  const host = {
    resolve: (_: string, relative: string) => relative,
    read: (path: string) => {
      const text = scenario.files?.[path];
      return text === undefined ? { error: 'no such file' } : { text };
    },
  };
  const session = openSession({ path: 'a.snpscenario', text: textOf(scenario), host }, events);
  if ('error' in session) throw new Error(session.error);
  return session;
}

function runOn(session: DebugSession) {
  session.start('continue');
  for (;;) {
    const stop = session.advance(10_000);
    if (stop !== undefined) return stop;
  }
}

for (const [id, scenario] of Object.entries(SCENARIOS)) {
  test(`the filter ${id} stops where it should, and a condition that does not hold lets it pass`, () => {
    const session = open(scenario);
    session.filters.clear();
    session.filters.set(id, undefined);
    const stop = runOn(session);
    assert.equal(stop.reason, 'exception', `${stop.reason} ${stop.text ?? ''}`);
    assert.equal(stop.filter, id);
    const line = session.frames().find((frame) => frame.kind === 'scenario')?.location?.range.start.line ?? -1;
    assert.equal(line + 1, lineOf(textOf(scenario), scenario.at));
    session.dispose();

    const other = open(scenario);
    other.filters.clear();
    other.filters.set(id, 'asid_counter(1) is 77');
    assert.equal(runOn(other).reason, 'end', 'the condition does not hold');
    other.dispose();

    const off = open(scenario);
    off.filters.clear();
    assert.equal(runOn(off).reason, 'end');
    off.dispose();
  });
}

test('every filter is of a fault, of outcomes, or of a rule of the catalogue, and has its words', () => {
  assert.equal(new Set(exceptionFilters.map(({ id }) => id)).size, exceptionFilters.length);
  for (const { id, label, description } of exceptionFilters) {
    assert.match(id, /^(?:failed|fault:(?:#[A-Z]+|VMEXIT_INVALID|RMP_PAGE_FAULT)|rule:[A-Z0-9-]+)$/);
    assert.ok(label.length > 0 && description.length > 10, id);
  }
});

test('over the wire: filters by options with conditions, unknown filters refused one by one, exceptionInfo with the chain of causes', async () => {
  const { steps } = SCENARIOS['rule:OUTCOME'];
  const files = workspace({
    'a.snpscenario': textOf({ steps: `  cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 4K, assigned)\n${steps}`, at: '' }),
  });
  const client = new DebugClient();
  await client.launch({ program: files.file('a.snpscenario') });
  const { breakpoints } = await client.request('setExceptionBreakpoints', {
    filters: ['no such filter'],
    filterOptions: [{ filterId: 'rule:OUTCOME', condition: 'rmp(g, 0) is assigned' }],
  });
  assert.deepEqual(
    breakpoints.map(({ verified }: { verified: boolean }) => verified),
    [false, true],
  );
  const stop = await client.start();
  assert.equal(stop.reason, 'exception');
  assert.match(stop.text, /FAIL_/);
  const info = await client.request('exceptionInfo', { threadId: 1 });
  assert.equal(info.exceptionId, 'OUTCOME');
  assert.match(
    info.details.stackTrace,
    /line \d+: PSMASH pfn 0x40000.*\n.*line \d+: RMPUPDATE pfn 0x40000 4K assigned/s,
  );
  assert.equal(await client.disconnect(), 0);
  files.remove();
});
