/** What surrounds a run: places in the trace, notes, pauses, snapshots, frames and listings. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { EventKind, Trace } from '../../../engine/trace/trace.ts';
import { NoteKind } from '../../../engine/vm/bytecode.ts';
import { disassemble } from '../../../engine/vm/disassemble.ts';
import { isStatement, lineRow } from '../../../engine/vm/line-table.ts';
import type { NativeTable } from '../../../engine/vm/native.ts';
import { frameLocals, readLocal, readMemory, unwind } from '../../../engine/vm/unwind.ts';
import { assemble, label, op } from './assemble.ts';
import { callOn, machine } from './machine.ts';

/** f calls g twice, from two places; g calls the native twice in a loop. */
const nested = [
  assemble('f', { parameters: 1, frameSize: 6 }, [
    op('MOV', 2, 0),
    op('CALL', 2, 1, 1),
    op('CALL', 2, 1, 1),
    op('RET', 2),
  ]),
  assemble('g', { parameters: 1, frameSize: 6 }, [
    op('LDI', 1, 0),
    op('LDI', 2, 1),
    label('top'),
    op('CALLN', 3, 0, 0),
    op('JEQ', 1, 2, 'end'),
    op('ADDI_I32', 1, 1, 1),
    op('LOOP', 'top', 0),
    label('end'),
    op('RET', 0),
  ]),
];

test('an event knows its site and its stack', () => {
  const trace = new Trace();
  const natives: NativeTable = [
    { prototype: 'void event(void)', call: () => trace.record(EventKind.Log, 0, -1, 0, 0, 0, -1) * 0 },
  ];
  const vm = machine(nested, { natives, trace });
  trace.locate = vm.locate;
  vm.createThread();
  const thread = vm.createThread();
  vm.start(thread, 0, [5]);
  vm.run(thread, { instructions: 1e6 });
  trace.record(EventKind.Log, 0, -1, 0, 0, 0, -1); // when nothing runs
  const events = Array.from({ length: trace.length }, (_, i) => [
    trace.thread[i],
    trace.site[i],
    trace.calls.site(trace.stack[i]),
    trace.calls.parent(trace.stack[i]),
  ]);
  // Sites of the test program: function * 1000 + pc + 1.
  assert.deepEqual(events, [
    [1, 1003, 2, 0],
    [1, 1003, 2, 0],
    [1, 1003, 3, 0],
    [1, 1003, 3, 0],
    [1, 0, 0, 0],
  ]);
  assert.equal(trace.stack[0], trace.stack[1]);
  assert.notEqual(trace.stack[1], trace.stack[2]);
});

test('the stack is found from any depth, also after a restore', () => {
  const trace = new Trace();
  const vm = machine(nested, { natives: [{ prototype: 'void nothing(void)', call: () => 0 }], trace });
  const thread = vm.createThread();
  vm.start(thread, 0, [5]);
  vm.run(thread, { instructions: 4 });
  const node = vm.stackNode(thread, thread.depth);
  assert.equal(trace.calls.site(node), 2);
  assert.equal(vm.stackNode(thread, 0), 0);
  const first = thread.snapshot();
  do vm.run(thread, { instructions: 1 });
  while (thread.depth === 0 || thread.pcs[0] === 1);
  assert.equal(trace.calls.site(vm.stackNode(thread, thread.depth)), 3);
  thread.restore(first);
  assert.equal(vm.stackNode(thread, thread.depth), node);
});

test('notes reach the observer with their values, and nobody when there is none', () => {
  const code = assemble('f', { constants: [2n ** 60n] }, [
    op('LDI', 1, 10),
    op('LDI', 2, 11),
    op('NOTE', NoteKind.Progress, 2, 1),
    op('NOTE', NoteKind.MustPropagate, 2, 1),
    op('LDC', 3, 0),
    op('NOTE', NoteKind.Progress, 3, 1),
    op('RETV'),
  ]);
  const notes: unknown[] = [];
  const vm = machine([code], {
    observer: { note: (kind, value, other, thread) => notes.push([kind, value, other, thread.pcs[thread.depth]]) },
  });
  callOn(vm);
  assert.deepEqual(notes, [
    [NoteKind.Progress, 11, 10, 2],
    [NoteKind.MustPropagate, 11, 1, 3],
    [NoteKind.Progress, Number.NaN, 10, 5],
  ]);
  vm.observer = undefined;
  callOn(vm);
  assert.equal(notes.length, 3);
});

test('a native may ask for a pause after its call', () => {
  const vm = machine(nested, {
    natives: [
      {
        prototype: 'void pause(void)',
        call: () => {
          vm.pauseSoon();
          return 0;
        },
      },
    ],
  });
  const thread = vm.createThread();
  vm.start(thread, 0, [9]);
  const pauses: number[][] = [];
  while (vm.run(thread, { instructions: 1e6 }) === 'paused') pauses.push([thread.depth, thread.pcs[thread.depth]]);
  assert.deepEqual(pauses, [
    [1, 3],
    [1, 3],
    [1, 3],
    [1, 3],
  ]);
  assert.equal(thread.result(), 9);
});

test('a snapshot is a copy: what the thread does later leaves it alone, and it survives JSON but for wide values', () => {
  const vm = machine(nested, { natives: [{ prototype: 'void nothing(void)', call: () => 0 }] });
  const thread = vm.createThread();
  vm.start(thread, 0, [5]);
  vm.run(thread, { instructions: 7 });
  const snapshot = thread.snapshot();
  const copy = structuredClone(snapshot);
  vm.run(thread, { instructions: 1e6 });
  assert.deepEqual(snapshot, copy);
  thread.restore(copy);
  vm.run(thread, { instructions: 1e6 });
  assert.equal(thread.result(), 5);
  assert.throws(() => vm.createThread().restore(snapshot), /snapshot of thread 0/);
});

test('a thread that was never started does not run; one that ended stays ended', () => {
  const vm = machine([assemble('f', {}, [op('RETV')])]);
  const thread = vm.createThread();
  assert.throws(() => vm.run(thread, { instructions: 1 }), /not been started/);
  callOn(vm);
  assert.equal(vm.run(thread, { instructions: 1 }), 'done');
  assert.equal(thread.result(), 0);
});

test('frames and variables are shown innermost first', () => {
  const [f, g] = nested;
  const variable = { type: 0, parameter: false, from: 1, to: 99 };
  const vm = machine(
    [
      { ...f, locals: [{ ...variable, name: 'argument', register: 0, from: 0, parameter: true }] },
      {
        ...g,
        locals: [
          { ...variable, name: 'i', register: 1 },
          { ...variable, name: 'gone', register: 2, to: 2 },
        ],
      },
    ],
    { natives: [{ prototype: 'void nothing(void)', call: () => 0 }] },
  );
  const thread = vm.createThread();
  vm.start(thread, 0, [5]);
  vm.run(thread, { instructions: 8 });
  const frames = unwind(vm, thread);
  assert.deepEqual(
    frames.map((frame) => [frame.name, frame.depth, frame.pc, frame.fp, frame.row?.pc]),
    [
      ['g', 1, 2, 2, 2],
      ['f', 0, 1, 0, 1],
    ],
  );
  assert.deepEqual(
    frames.map((frame) => frameLocals(frame).map((local) => [local.name, ...readLocal(thread, frame, local)])),
    [[['i', 1]], [['argument', 5]]],
  );
  const pointer = vm.memory.allocate(2);
  assert.deepEqual(readMemory(vm, thread, pointer, 3), [0, 0, undefined]);
});

test('the line table holds a row until the next', () => {
  const code = { ...nested[0], lines: nested[0].lines.filter((row) => row.pc !== 1) };
  assert.deepEqual(
    [0, 1, 2, 3].map((pc) => lineRow(code, pc)?.pc),
    [0, 0, 2, 3],
  );
  assert.deepEqual(
    [0, 1, 2].map((pc) => isStatement(code, pc)),
    [true, false, true],
  );
  assert.equal(lineRow({ ...code, lines: [] }, 0), undefined);
});

test('a listing reads like assembly', () => {
  const problems = [{ origin: { file: 0, start: 0, end: 0 }, rule: 'C-UNSUPPORTED', message: 'asm' }];
  const code = assemble('f', { parameters: 2, frameSize: 9, constants: [2n ** 63n, 2 ** 40], problems }, [
    op('LDC', 1, 0),
    op('LDC', 1, 1),
    op('ADDI_U64', 1, 1, -4),
    op('CVT', 2, 1, 5),
    label('top'),
    op('JLE_U64', 0, 1, 'end'),
    op('LD', 3, 0, 2),
    op('ST', 0, -1, 3),
    op('BFX', 4, 3, 3 | (39 << 8)),
    op('CALL', 5, 0, 2),
    op('CALLN', 5, 1, 1),
    op('LDSTATIC', 6, 0),
    op('LOOP', 'top', 0),
    label('end'),
    op('TRAP', 0),
    op('RET', 0),
  ]);
  code.lines[1].statement = false;
  const listing = disassemble(code, { functionName: () => 'rmpupdate', staticName: (index) => `table${index}` });
  assert.equal(
    listing,
    `f: 2 parameters, 9 registers
>  0  LDC      r1, -9223372036854775808
   1  LDC      r1, 1099511627776
>  2  ADDI_U64 r1, r1, -4
>  3  CVT      r2, r1, U32
>  4  JLE_U64  r0, r1, -> 12
>  5  LD       r3, [r0 + 2]
>  6  ST       [r0 - 1], r3
>  7  BFX      r4, r3, bits 3..41
>  8  CALL     r5, rmpupdate, x2
>  9  CALLN    r5, native 1, x1
> 10  LDSTATIC r6, table0
> 11  LOOP     -> 4, loop 0
> 12  TRAP     problem 0: asm
> 13  RET      r0
`,
  );
});
