// Each exception filter stops at what it is about, and at nothing when it is off; conditions count; exceptionInfo says why.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { exceptionFilters } from '../../engine/debug/exceptions.ts';
import type { Stop } from '../../engine/debug/motion.ts';
import { openSession } from '../../engine/debug/open-session.ts';
import type { DebugSession } from '../../engine/debug/session.ts';
import { rules } from '../../engine/invariants/catalogue.ts';
import { ruleScenario } from '../engine/invariants/rule-scenarios.ts';
import { DebugClient, killLeftovers } from './client.ts';
import { head, lineOf, workspace } from './fixtures.ts';

after(killLeftovers);

interface Case {
  /** A whole file, or steps in a scenario with guest g (2M folios at pfn 0x40000). */
  text?: string;
  steps?: string;
  /** Text of the line at which it stops; where the rules' own scenarios stop is tested with the rules. */
  at?: string;
  files?: Readonly<Record<string, string>>;
}

const PRIVATE = '  vmm.set_memory_attributes(g, 0..2M, PRIVATE)\n';
const inC = (body: string): Case => ({
  steps: '  kernel.own_check(0)',
  at: 'kernel.own',
  files: { 'own.c': `int own_check(int n)\n{\n${body}\n}\n` },
});

/** What gives rise to each filter; of the rules that are not here the scenario that goes with the rule's documentation does. */
const CASES: Readonly<Record<string, readonly Case[]>> = {
  failed: [
    { steps: '  cpu.psmash(pfn(g, 0)) => any', at: 'cpu.psmash' },
    {
      steps: `${PRIVATE}  g.pvalidate(0, 4K) => any\n  g.pvalidate(0, 4K, valid) => any`,
      at: 'g.pvalidate(0, 4K, valid)',
    },
  ],
  'fault:#NPF': [
    { steps: `${PRIVATE}  g.pvalidate(0, 4K) => any\n  g.read(0) => any`, at: 'g.pvalidate' },
    { steps: `${PRIVATE}  g.rmpadjust(0, vmpl 1, perms 1) => any`, at: 'g.rmpadjust' },
    { steps: '  vmm.set_memory_attributes(g, 0..4K, PRIVATE)\n  g.write(2M, private) => any', at: 'g.write' },
  ],
  'fault:#VC': [
    { steps: `${PRIVATE}  g.read(0) => any`, at: 'g.read' },
    {
      steps: `${PRIVATE}  g.pvalidate(0, 2M)\n  g.pvalidate(0, 2M, invalid)\n  g.rmpadjust(0, 2M, vmpl 1, perms 1) => any`,
      at: 'g.rmpadjust',
    },
    {
      steps: `${PRIVATE}  g.pvalidate(0, 2M)\n  g.pvalidate(0, 2M, invalid)\n  g.rmpquery(0, vmpl 1) => any`,
      at: 'g.rmpquery',
    },
  ],
  'fault:#PF': [{ steps: `${PRIVATE}  host.write(pfn(g, 0)) => any`, at: 'host.write' }],
  'fault:#GP': [{ steps: `${PRIVATE}  g.vmpl(1).pvalidate(0, 2M) => any`, at: 'g.vmpl(1)' }],
  'fault:#UD': [
    {
      text: `${head().replace('asid 1', 'asid 1\n  snp off')}\nscenario "s" {\n  g.pvalidate(0, 4K) => any\n}\n`,
      at: 'g.pvalidate',
    },
    {
      text: `${head().replace('asid 1', 'asid 1\n  snp off')}\nscenario "s" {\n  g.rmpadjust(0, vmpl 1, perms 1) => any\n}\n`,
      at: 'g.rmpadjust',
    },
  ],
  'fault:RMP_PAGE_FAULT': [{ steps: `${PRIVATE}  dev.write(pfn(g, 0)) => any`, at: 'dev.write' }],
  'fault:VMEXIT_INVALID': [{ steps: '  g.vmrun() => any', at: 'g.vmrun' }],
  'rule:EXPECT': [{ steps: '  expect rmp(g, 0) is assigned', at: 'expect rmp' }],
  'rule:OUTCOME': [{ steps: '  cpu.psmash(pfn(g, 0))', at: 'cpu.psmash' }],
  'rule:FAULT': [{ steps: `${PRIVATE}  g.read(0)`, at: 'g.read' }],
  'rule:TRAP': [inC('\treturn 1 / n;')],
  'rule:C-UNDEFINED': [inC('\treturn nobody_defines_this(n);')],
  'rule:C-UNSUPPORTED': [inC('\tasm volatile("hlt");\n\treturn n;')],
  'rule:C-SYNTAX': [inC('\tif (n\n\t\treturn n;\n\treturn 0;')],
  'rule:C-TYPE': [inC('\treturn n->nothing;')],
  'rule:VALUE': [{ steps: '  for i in 0..2 {\n    g.read(1 << 62 << i) => any\n  }', at: 'g.read' }],
  'rule:INVARIANT': [
    {
      text: `${head()}\ninvariant "nobody has pages" {\n  forall page p: rmp(p) is assigned implies rmp(p) is validated\n}\nscenario "s" {\n${PRIVATE}}\n`,
      at: 'vmm.set_memory_attributes',
    },
  ],
};

function casesOf(id: string): readonly Case[] {
  const rule = id.replace('rule:', '');
  const own = CASES[id];
  if (own !== undefined) return own;
  const violates = ruleScenario(rule, 'violates');
  return violates === undefined ? [] : [violates];
}

const textOf = ({ text, steps, files }: Case): string =>
  text ?? `${head(files === undefined ? '' : 'use source "own.c"')}\nscenario "s" {\n${steps}\n}\n`;

function open(scenario: Case): DebugSession {
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

function runOn(session: DebugSession, filter?: string, condition?: string): Stop {
  session.filters.clear();
  if (filter !== undefined) session.filters.set(filter, condition);
  session.start('continue');
  for (;;) {
    const stop = session.advance(10_000);
    if (stop !== undefined) return stop;
  }
}

for (const { id } of exceptionFilters) {
  test(`the filter ${id} stops where it should; off, or with a condition that does not hold, it lets the run pass`, () => {
    const cases = casesOf(id);
    assert.ok(cases.length > 0, 'nothing gives rise to it');
    for (const scenario of cases) {
      const session = open(scenario);
      const stop = runOn(session, id);
      assert.equal(stop.reason, 'exception', `${stop.reason} ${stop.text ?? ''}\n${textOf(scenario)}`);
      assert.equal(stop.filter, id);
      assert.notEqual(stop.text ?? '', '');
      const line = session.frames().find((frame) => frame.kind === 'scenario')?.location?.range.start.line ?? -1;
      if (scenario.at !== undefined) assert.equal(line + 1, lineOf(textOf(scenario), scenario.at));
      session.dispose();

      const held = open(scenario);
      assert.equal(runOn(held, id, 'count(psmash) is not 77').reason, 'exception', 'the condition holds');
      held.dispose();
      const passed = open(scenario);
      assert.equal(runOn(passed, id, 'count(psmash) is 77').reason, 'end', 'the condition does not hold');
      passed.dispose();
      const complaint = open(scenario);
      assert.equal(
        runOn(complaint, id, 'no such thing').reason,
        'exception',
        'a condition that means nothing is not overlooked',
      );
      complaint.dispose();
      const off = open(scenario);
      assert.equal(runOn(off).reason, 'end');
      off.dispose();
    }
    // What comes close to violating a rule does not.
    const near = ruleScenario(id.replace('rule:', ''), 'near');
    if (near === undefined) return;
    const session = open(near);
    assert.equal(runOn(session, id).reason, 'end', 'what comes close');
    session.dispose();
  });
}

test('every rule that a run can report has a filter', () => {
  const ids = new Set(exceptionFilters.map(({ id }) => id));
  // What is wrong with a text keeps it from running; what is said about a scenario as a whole is said at its end.
  const ofText = new Set(
    'UNREACHED ALLOW-UNUSED PATCH SYNTAX NAME KIND DUPLICATE FILE IMPORT OPERATION ARGUMENT OUTCOME-PATTERN RESERVED'.split(
      ' ',
    ),
  );
  for (const { id } of rules) assert.equal(ids.has(`rule:${id}`), !ofText.has(id), id);
});

test('every filter is of a fault, of outcomes, or of a rule of the catalogue, and has its words', () => {
  assert.equal(new Set(exceptionFilters.map(({ id }) => id)).size, exceptionFilters.length);
  for (const { id, label, description } of exceptionFilters) {
    assert.match(id, /^(?:failed|fault:(?:#[A-Z]+|VMEXIT_INVALID|RMP_PAGE_FAULT)|rule:[A-Z0-9-]+)$/);
    assert.ok(label.length > 0 && description.length > 10, id);
  }
});

test('over the wire: filters by options with conditions, unknown filters refused one by one, exceptionInfo with the chain of causes', async () => {
  const [{ steps }] = CASES['rule:OUTCOME'];
  const files = workspace({
    'a.snpscenario': textOf({ steps: `  cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 4K, assigned)\n${steps}` }),
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

test('stopped after a step, the page at hand is the one of that step, and what is known of a rule says how its page came to be so', async () => {
  const text = `${head()}
scenario "s" {
  cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 4K, assigned)
  vmm.set_memory_attributes(g, 64K +4K, PRIVATE)
  cpu.rmpupdate(pfn(g, 64K), gpa 64K, asid 0, 4K)
  g.read(128K) => any
}
`;
  const files = workspace({ 'a.snpscenario': text });
  const client = new DebugClient();
  await client.launch({ program: files.file('a.snpscenario') });
  await client.request('setExceptionBreakpoints', { filters: ['rule:ATTR-RMP'] });
  assert.match((await client.start()).text, /gfn 0x10\b.*unassigned/);
  const frames = await client.stack();
  assert.match(frames[0].name, /^cpu\.rmpupdate\(pfn\(g, 64K\)/);
  const page = await client.scope('Page', frames[0].id);
  assert.equal(page.find(({ name }) => name === 'pfn')?.value, '0x40010');
  const { details } = await client.request('exceptionInfo', { threadId: 1 });
  assert.match(
    details.stackTrace,
    /line 16: RMPUPDATE pfn 0x40010 4K unassigned.*\n.*line 15: RMPUPDATE pfn 0x40010 4K assigned/,
  );
  assert.equal(await client.disconnect(), 0);
  files.remove();
});
