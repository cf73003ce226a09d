// Loops whose turns repeat each other are found at once; those that get on, however slowly, are left alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Journal, type Undoable } from '../../../engine/base/journal.ts';
import type { Native } from '../../../engine/vm/native.ts';
import { isInWindow, nextLook, WINDOW } from '../../../engine/vm/recurrence.ts';
import { assemble, label, op } from './assemble.ts';
import { callOn, machine } from './machine.ts';

const spin = assemble('spin', { loops: 1 }, [label('x'), op('LDI', 1, 7), op('LOOP', 'x', 0)]);

test('a loop that changes nothing is endless, long before its budget is used up', () => {
  const { trap, loopBudget } = callOn(machine([spin]));
  assert.equal(trap?.endless, true);
  assert.equal(trap?.loop, 0);
  assert.match(trap?.message ?? '', /loop 0 of spin goes round in circles/);
  assert.ok(loopBudget > 4e7, `${loopBudget} turns are left`);
});

test('it is found at the same turn in slices of any size', () => {
  const left = [1, 7, 1000].map((slice) => {
    const vm = machine([spin]);
    const thread = vm.createThread();
    vm.start(thread, 0, []);
    while (vm.run(thread, { instructions: slice }) === 'paused') {}
    return thread.loopBudget;
  });
  assert.equal(new Set(left).size, 1);
  assert.equal(left[0], callOn(machine([spin])).loopBudget);
});

test('also with a counting loop inside', () => {
  const nested = assemble('nested', { loops: 2 }, [
    label('outer'),
    op('LDI', 1, 0),
    label('inner'),
    op('ADDI_U64', 1, 1, 1),
    op('LDI', 2, 300),
    op('JLE_U64', 2, 1, 'next'),
    op('LOOP', 'inner', 1),
    label('next'),
    op('LOOP', 'outer', 0),
  ]);
  assert.equal(callOn(machine([nested])).trap?.endless, true);
});

test('a loop that counts is not', () => {
  const count = assemble('count', { loops: 1 }, [label('x'), op('ADDI_U64', 1, 1, 1), op('LOOP', 'x', 0)]);
  const { trap } = callOn(machine([count], { loopBudget: 100_000 }));
  assert.equal(trap?.endless, undefined);
  assert.match(trap?.message ?? '', /used up the budget/);
});

test('nor is one that changes shared state, though its registers stay the same', () => {
  const journal = new Journal();
  const owner: Undoable = { undo() {} };
  const id = journal.register(owner);
  const touch: Native = {
    prototype: 'void touch(void)',
    call() {
      journal.write1(id, 0);
      return 0;
    },
  };
  const code = assemble('touching', { loops: 1 }, [label('x'), op('CALLN', 1, 0, 0), op('LOOP', 'x', 0)]);
  const { trap } = callOn(machine([code], { journal, natives: [touch], loopBudget: 20_000 }));
  assert.equal(trap?.endless, undefined);
});

test('windows begin at powers of two, and every turn is before the next look or in one', () => {
  assert.equal(nextLook(0), 4096);
  assert.equal(nextLook(4096), 4097);
  assert.equal(nextLook(4096 + WINDOW - 1), 8192);
  for (let turns = 1; turns < 40_000; turns++) {
    const next = nextLook(turns);
    assert.ok(next > turns && isInWindow(next), `${turns} -> ${next}`);
  }
});
