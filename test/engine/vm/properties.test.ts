/** Slicing a run changes nothing; undoing it restores everything; the same program has the same history. Over random programs. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { FunctionCode } from '../../../engine/vm/bytecode.ts';
import { hashMemory, hashThread } from '../../../engine/vm/hash.ts';
import type { Thread } from '../../../engine/vm/thread.ts';
import type { Vm } from '../../../engine/vm/vm.ts';
import { machine, memoryImage } from './machine.ts';
import { randomProgram, randomStatics } from './random-code.ts';

const LOOP_BUDGET = 60;

/** A machine whose natives and notes write down what they see, and where. */
function recorded(functions: readonly FunctionCode[]): { vm: Vm; thread: Thread; history: unknown[] } {
  const history: unknown[] = [];
  const where = (): unknown[] => {
    const thread = vm.running;
    return thread === undefined ? [] : [thread.depth, thread.functions[thread.depth], thread.pcs[thread.depth]];
  };
  const vm = machine(functions, {
    statics: randomStatics,
    loopBudget: LOOP_BUDGET,
    natives: [
      {
        prototype: 'u64 mix(u64, u64)',
        call: (call) => {
          history.push(['mix', call.big(0), call.big(1), ...where()]);
          return call.wide(BigInt.asIntN(64, call.big(0) * 3n + call.big(1)));
        },
      },
      {
        prototype: 'u64 *make(void)',
        call: (call) => {
          history.push(['make', ...where()]);
          return call.allocate(2);
        },
      },
      {
        prototype: 'void drop(u64 *)',
        call: (call) => {
          history.push(['drop', ...where()]);
          call.free(call.num(0));
          return 0;
        },
      },
    ],
    observer: { note: (kind, value, other) => history.push(['note', kind, value, other, ...where()]) },
  });
  const thread = vm.createThread();
  vm.start(thread, 0, [1, 2]);
  return { vm, thread, history };
}

const state = (vm: Vm, thread: Thread): unknown => ({ thread: plain(thread), memory: memoryImage(vm) });

/** A snapshot without the left-over words beside narrow registers, which mean nothing. */
function plain(thread: Thread): unknown {
  const { wide, registers, ...rest } = thread.snapshot();
  return { ...rest, registers: Array.from(registers, (value, i) => (Number.isNaN(value) ? wide?.[i] : value)) };
}

test('however a run is sliced, it does the same and ends in the same state', () => {
  let traps = 0;
  fc.assert(
    fc.property(randomProgram, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (program, slices) => {
      const whole = recorded(program);
      const budget = { instructions: 1e6 };
      whole.vm.run(whole.thread, budget);
      const total = 1e6 - budget.instructions;
      if (whole.thread.status === 'trapped') traps++;

      const sliced = recorded(program);
      let steps = 0;
      for (let i = 0; ; i++) {
        const slice = { instructions: slices[i % slices.length] };
        const given = slice.instructions;
        const result = sliced.vm.run(sliced.thread, slice);
        steps += given - slice.instructions;
        if (result !== 'paused') break;
        assert.equal(slice.instructions, 0);
      }
      assert.equal(steps, total);
      assert.deepEqual(sliced.history, whole.history);
      assert.deepEqual(state(sliced.vm, sliced.thread), state(whole.vm, whole.thread));
      assert.equal(hashMemory(sliced.vm.memory), hashMemory(whole.vm.memory));
      assert.equal(hashThread(sliced.thread), hashThread(whole.thread));
    }),
    { numRuns: 400 },
  );
  assert.ok(traps > 5 && traps < 395, `${traps} of 400 programs trap: too few or too many to mean anything`);
});

test('undo and restore take the machine back, bit for bit, and it then does the same again', () => {
  fc.assert(
    fc.property(
      randomProgram,
      fc.integer({ min: 0, max: 80 }),
      fc.integer({ min: 1, max: 200 }),
      (program, before, after) => {
        const { vm, thread, history } = recorded(program);
        if (before > 0) vm.run(thread, { instructions: before });
        const mark = vm.journal.mark();
        const snapshot = thread.snapshot();
        const there = state(vm, thread);
        const hash = hashThread(thread, hashMemory(vm.memory));
        const length = history.length;

        vm.run(thread, { instructions: after });
        const onward = state(vm, thread);
        const events = history.slice(length);

        vm.journal.undoTo(mark);
        thread.restore(snapshot);
        assert.deepEqual(state(vm, thread), there);
        assert.equal(hashThread(thread, hashMemory(vm.memory)), hash);

        history.length = length;
        vm.run(thread, { instructions: after });
        assert.deepEqual(history.slice(length), events);
        assert.deepEqual(state(vm, thread), onward);
      },
    ),
    { numRuns: 400 },
  );
});

test('every single step can be taken back', () => {
  fc.assert(
    fc.property(randomProgram, (program) => {
      const { vm, thread } = recorded(program);
      const trail: { mark: number; snapshot: ReturnType<Thread['snapshot']>; state: unknown }[] = [];
      for (let i = 0; i < 60; i++) {
        trail.push({ mark: vm.journal.mark(), snapshot: thread.snapshot(), state: state(vm, thread) });
        if (vm.run(thread, { instructions: 1 }) !== 'paused') break;
      }
      for (const point of trail.reverse()) {
        vm.journal.undoTo(point.mark);
        thread.restore(point.snapshot);
        assert.deepEqual(state(vm, thread), point.state);
      }
    }),
    { numRuns: 60 },
  );
});

test('a hash tells states apart', () => {
  fc.assert(
    fc.property(randomProgram, (program) => {
      const { vm, thread } = recorded(program);
      const states = new Set<string>();
      const hashes = new Set<number>();
      for (let i = 0; i < 60; i++) {
        // The loop budget is no part of what is hashed.
        const text = (name: string, value: unknown): unknown =>
          name === 'loopBudget' ? undefined : typeof value === 'bigint' ? `${value}n` : value;
        states.add(JSON.stringify(state(vm, thread), text));
        const hash = hashThread(thread, hashMemory(vm.memory));
        assert.ok(Number.isSafeInteger(hash) && hash >= 0);
        hashes.add(hash);
        if (vm.run(thread, { instructions: 1 }) !== 'paused') break;
      }
      assert.equal(hashes.size, states.size);
    }),
    { numRuns: 60 },
  );
});
