// Where steps come to rest among sequences: a line that calls one is a line like any other, to be stepped over or into, both ways.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MotionKind } from '../../../engine/debug/motion.ts';
import type { DebugSession } from '../../../engine/debug/session.ts';
import { finish, open } from './debug-kit.ts';

const TEXT = `use kernel "kvm-rfc-v8"
host { memory 4G }
guest g {
  asid 1
  slot 0 gpa 0..1G private folio 4K pfn 0x40000
}
sequence inner(a) {
  g.read(a) => any
  g.write(a) => any
}
sequence take(a, n) {
  inner(a)
  let twice = a + a
  for i in 0..n {
    g.read(twice) => any
  }
  g.write(a) => any
}
scenario "s" {
  let b = 4K
  take(8K, 2)
  for i in 1..3 {
    take(i * 4K, i)
  }
  g.read(4K) => any
}
`;

function started(): DebugSession {
  const session = open(TEXT);
  session.filters.clear();
  return session;
}

const names = (session: DebugSession): string =>
  session
    .frames()
    .filter(({ kind }) => kind === 'scenario')
    .map(({ name }) => name.replace(/ => any$/, ''))
    .join(' < ');

/** Where each motion comes to rest; out of C, which is not what this is about. */
function walk(session: DebugSession, ...kinds: (MotionKind | 'back')[]): string[] {
  return kinds.map((kind) => {
    if (kind === 'back') session.startBack('over');
    else session.start(kind);
    finish(session);
    while (kind === 'into' && session.run.isInCall) {
      session.start('out');
      finish(session);
    }
    return names(session);
  });
}

test('over: each line of the scenario once, and back the same way', () => {
  const session = started();
  const lines = ['take(8K, 2)', 'for i', 'take(i * 4K, i)', 'take(i * 4K, i)', 'g.read(4K)', 'end of "s"'];
  assert.equal(names(session), 'let b');
  assert.deepEqual(walk(session, ...lines.map(() => 'over' as const)), lines);
  assert.deepEqual(walk(session, ...lines.map(() => 'back' as const)), ['let b', ...lines.slice(0, -1)].reverse());
  session.dispose();
});

test('into: first the line of each call, then what it leads to, with all calls on the stack', () => {
  const session = started();
  const kinds = new Array<MotionKind>(9).fill('into');
  assert.deepEqual(walk(session, ...kinds), [
    'take(8K, 2)',
    'inner(a) < take(8K, 2)',
    'g.read(a) < inner(a) < take(8K, 2)',
    'g.write(a) < inner(a) < take(8K, 2)',
    'let twice < take(8K, 2)',
    'for i < take(8K, 2)',
    'g.read(twice) < take(8K, 2)',
    'g.read(twice) < take(8K, 2)',
    'g.write(a) < take(8K, 2)',
  ]);
  session.dispose();
});

test('out of a call, over an inner one, and back over the border of a call', () => {
  const session = started();
  assert.deepEqual(walk(session, 'over', 'into', 'over', 'back', 'into', 'back', 'back', 'back'), [
    'take(8K, 2)',
    'inner(a) < take(8K, 2)',
    'let twice < take(8K, 2)',
    'inner(a) < take(8K, 2)',
    'g.read(a) < inner(a) < take(8K, 2)',
    'inner(a) < take(8K, 2)',
    'take(8K, 2)',
    'let b',
  ]);
  assert.deepEqual(walk(session, 'over', 'into', 'into', 'out', 'out'), [
    'take(8K, 2)',
    'inner(a) < take(8K, 2)',
    'g.read(a) < inner(a) < take(8K, 2)',
    'let twice < take(8K, 2)',
    'for i',
  ]);
  session.dispose();
});

test('a breakpoint on the line of a call stops there once, one within stops within', () => {
  const session = started();
  const placesOn = (part: string) => {
    const line = TEXT.slice(0, TEXT.indexOf(part)).split('\n').length - 1;
    return session.scenarioPlaces.filter(({ location }) => location.range.start.line === line);
  };
  const breakOn = (...parts: string[]): void =>
    session.breakpoints.set(
      'test',
      parts.flatMap((part, id) =>
        placesOn(part).map(({ pc, pending = 0 }) => ({
          id,
          target: { kind: 'scenario' as const, pc, pending },
          strategies: [],
        })),
      ),
    );
  breakOn('take(8K, 2)', 'take(i * 4K, i)');
  assert.deepEqual(walk(session, 'continue', 'continue', 'continue', 'continue'), [
    'take(8K, 2)',
    'take(i * 4K, i)',
    'take(i * 4K, i)',
    'end of "s"',
  ]);
  assert.deepEqual(walk(session, 'back').length, 1);
  session.goTo(0);
  breakOn('g.read(a)');
  assert.match(walk(session, 'continue')[0], /^g\.read\(a\) < inner\(a\) < take\(8K, 2\)$/);
  session.goTo(0);
  breakOn('take(8K, 2)', 'g.read(a)');
  assert.match(walk(session, 'continue')[0], /^g\.read\(a\) </, 'both are there: the inner one is shown');
  session.dispose();
});
