// Time travel is exact: whatever walk of commands led to a tick, forwards or backwards, the state there is the one that a plain run forward passed,
// bit for bit: RMP, memory, thread, journal, trace, variables, findings.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isInteger } from '../../../engine/c/types.ts';
import { assign, type CChild, localsOf } from '../../../engine/debug/c-values.ts';
import { setScenarioVariable, variablesOf } from '../../../engine/debug/scenario-variables.ts';
import type { DebugSession } from '../../../engine/debug/session.ts';
import type { FrameView } from '../../../engine/vm/unwind.ts';
import { fingerprint, finish, open } from './debug-kit.ts';

const HEAD = `use kernel "kvm-rfc-v8"
host {
  memory 4G
  cpus 2
}
guest g {
  asid 1
  slot 0 gpa 0..1G private folio order 4 pfn 0x40000
}
`;

const SCENARIOS: Record<string, string> = {
  'a conversion, there and back': `${HEAD}
scenario "s" {
  let n = 4
  vmm.set_memory_attributes(g, 0..32K, PRIVATE)
  for p in 0..2 {
    expect rmp(g, 0) is { guest g, 4K }
    g.pvalidate(0, 4K) => any
  }
  g.read(0)
  g.read(4K) => any
  vmm.set_memory_attributes(g, 0..16K, SHARED)
}`,
  'faults, sequences and failures': `${HEAD}
sequence twice(a) {
  cpu.rmpupdate(pfn(g, a), gpa a, asid 1, 4K, assigned) => any
  g.write(a) => any
}
scenario "s" {
  twice(0)
  twice(4K)
  allow ORDER "known" {
    vmm.set_memory_attributes(g, 64K..128K, PRIVATE)
  }
  g.read(68K) => any
  cpu.psmash(pfn(g, 0)) => any
}`,
};

/** Ticks of which the state is remembered: all of the first, then a sample. */
function passed(text: string): { session: DebugSession; states: string[] } {
  const session = open(text);
  session.filters.clear();
  const states = [fingerprint(session)];
  while (session.timeline.forward(session.timeline.now + 1, true) !== 'over')
    states[session.timeline.now] = fingerprint(session);
  return { session, states };
}

const command = fc.oneof(
  fc.record({
    kind: fc.constantFrom('over', 'into', 'out', 'instruction', 'continue', 'back', 'reverse', 'back one'),
    slice: fc.integer({ min: 1, max: 5000 }),
  }),
  fc.record({ kind: fc.constant('jump'), slice: fc.integer({ min: 0, max: 1_000_000 }) }),
  fc.record({ kind: fc.constant('pause'), slice: fc.integer({ min: 1, max: 2000 }) }),
);

function obey(session: DebugSession, kind: string, slice: number, last: number): void {
  switch (kind) {
    case 'back':
      session.startBack('over');
      break;
    case 'reverse':
      session.startBack('continue');
      break;
    case 'back one':
      session.backOne();
      return;
    case 'jump':
      session.goTo(slice % (last + 1));
      return;
    case 'pause':
      session.start('continue');
      session.advance(slice);
      session.pause();
      return;
    default:
      session.start(kind as 'over');
  }
  finish(session, slice);
}

for (const [name, text] of Object.entries(SCENARIOS)) {
  test(`any walk lands on states that the run forward passed: ${name}`, () => {
    const { session, states } = passed(text);
    const last = session.timeline.now;
    assert.ok(last > 500, `${last} ticks are too few to mean anything`);
    assert.equal(states.filter((state) => state !== undefined).length, last + 1);
    // Breakpoints on both sides of the language border, so that `continue` halts at all kinds of places.
    const entry = session.codePlaces.entryOf('sev_update_mem_attr');
    assert.ok(entry);
    session.breakpoints.set('test', [
      { id: 1, target: { kind: 'code', place: entry }, strategies: [] },
      { id: 2, target: { kind: 'scenario', pc: 1 }, strategies: [] },
      { id: 3, target: { kind: 'data', watched: { kind: 'rmp', start: 0x40000, end: 0x40002 } }, strategies: [] },
    ]);
    session.filters.set('fault:#NPF', undefined);
    fc.assert(
      fc.property(fc.array(command, { minLength: 5, maxLength: 25 }), (commands) => {
        session.goTo(0);
        for (const { kind, slice } of commands) {
          obey(session, kind, slice, last);
          const { now } = session.timeline;
          assert.ok(now <= last, `tick ${now} of ${last}`);
          assert.equal(fingerprint(session), states[now], `after ${kind} at tick ${now}`);
        }
      }),
      { numRuns: 40, seed: 4 },
    );
    session.dispose();
  });
}

test('a walk over watched variables of C is exact as well', () => {
  const { session, states } = passed(SCENARIOS['a conversion, there and back']);
  session.goTo(0);
  const entry = session.codePlaces.entryOf('sev_update_mem_attr');
  assert.ok(entry);
  session.breakpoints.set('test', [{ id: 1, target: { kind: 'code', place: entry }, strategies: [] }]);
  session.start('continue');
  assert.deepEqual(finish(session).breakpoints, [1]);
  assert.equal(fingerprint(session), states[session.timeline.now]);
});

test('a walk over what-ifs is exact as well: variables of the scenario, bits of the RMP, variables of C', () => {
  const text = `${HEAD}
scenario "s" {
  let page = 8K
  let size = 16K
  vmm.set_memory_attributes(g, 0..16K, PRIVATE)
  g.pvalidate(page, 4K) => any
  vmm.set_memory_attributes(g, page +size, PRIVATE)
  expect rmp(g, page) is assigned
}`;
  const session = open(text);
  session.filters.clear();
  const { timeline, run, machine } = session;
  const until = (done: () => boolean): void => {
    while (!done()) session.goTo(timeline.now + 1);
  };
  until(() => run.position === 2 && !run.isInCall);
  const [page] = variablesOf(session);
  assert.equal(setScenarioVariable(session, page, '12K'), undefined);
  until(() => run.position === 3);
  session.whatIf(() => machine.hardware.writeRaw(0x40003 as never, 0x3001, 0x100000 | (1 << 19), 0xf, 0));
  const local = () => localsOf(machine, session.innermost() as FrameView).find(({ value }) => isInteger(value.type));
  until(() => run.position === 4 && run.isInCall && machine.thread.depth > 1 && local() !== undefined);
  const { value } = local() as CChild;
  session.whatIf(() => void assign(machine, value, 7));
  const states: string[] = [];
  session.goTo(0);
  do states[timeline.now] = fingerprint(session);
  while (timeline.forward(timeline.now + 1, true) !== 'over');
  const last = timeline.now;
  assert.equal(states.length, last + 1);
  assert.notDeepEqual(states, passed(text).states, 'they make a difference');
  fc.assert(
    fc.property(fc.array(command, { minLength: 5, maxLength: 25 }), (commands) => {
      session.goTo(0);
      for (const { kind, slice } of commands) {
        obey(session, kind, slice, last);
        assert.equal(fingerprint(session), states[timeline.now], `after ${kind} at tick ${timeline.now}`);
      }
    }),
    { numRuns: 40, seed: 5 },
  );
  session.dispose();
});
