/** Calls, pointers, statics and compilation on demand; every trap with its place. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { FUNCTION_OBJECT, OBJECT_SLOTS, PAGE_OBJECT, STACK_OBJECT, TrapCode } from '../../../engine/vm/bytecode.ts';
import type { NativeCall } from '../../../engine/vm/native.ts';
import { assemble, type FunctionOptions, label, op, TestProgram } from './assemble.ts';
import { callOn, machine, memoryImage, outcome } from './machine.ts';

const sumTo = assemble('sum_to', { parameters: 1 }, [
  op('LDI', 1, 0),
  op('LDI', 2, 0),
  label('again'),
  op('JLE', 0, 2, 'end'),
  op('ADDI_I32', 2, 2, 1),
  op('ADD_I64', 1, 1, 2),
  op('LOOP', 'again', 0),
  label('end'),
  op('RET', 1),
]);

test('a loop runs to its end', () => {
  assert.equal(outcome(machine([sumTo]), [100_000]), 5000050000);
});

test('a recursive function has a frame for each call', () => {
  const factorial = assemble('factorial', { parameters: 1, frameSize: 4 }, [
    op('LDI', 1, 1),
    op('JLE', 0, 1, 'one'),
    op('ADDI_I64', 2, 0, -1),
    op('CALL', 2, 0, 1),
    op('MUL_I64', 0, 0, 2),
    op('RET', 0),
    label('one'),
    op('RET', 1),
  ]);
  assert.equal(outcome(machine([factorial]), [10]), 3628800);
  // 20! lies beyond 2^53: the product is wide and exact.
  assert.equal(outcome(machine([factorial]), [20]), 2432902008176640000n);
});

test('a frame starts with its arguments and zeros, whatever ran there before', () => {
  const dirty = assemble('dirty', { frameSize: 6 }, [op('LDI', 3, 77), op('LDI', 4, 78), op('RET', 3)]);
  const clean = assemble('clean', { parameters: 1, frameSize: 6 }, [op('ADD_I64', 0, 3, 4), op('RET', 0)]);
  const main = assemble('main', { frameSize: 6 }, [op('CALL', 2, 1, 0), op('CALL', 2, 2, 1), op('RET', 2)]);
  assert.equal(outcome(machine([main, dirty, clean])), 0);
});

test('functions are compiled when they are first called, and once', () => {
  const leaf = assemble('leaf', {}, [op('RETV')]);
  const never = assemble('never', {}, [op('RETV')]);
  const main = assemble('main', {}, [op('CALL', 2, 1, 0), op('CALL', 2, 1, 0), op('RETV')]);
  const program = new TestProgram([main, leaf, never]);
  const vm = machine([], { program });
  assert.deepEqual(program.compiled, []);
  callOn(vm);
  assert.deepEqual(program.compiled, ['main', 'leaf']);
});

test('a function pointer calls, from a register or from an ops table', () => {
  const seven = assemble('seven', {}, [op('LDI', 0, 7), op('RET', 0)]);
  const main = assemble('main', {}, [
    op('LDSTATIC', 1, 0),
    op('LD', 2, 1, 1),
    op('CALLP', 4, 2, 0),
    op('LDFUNC', 2, 1),
    op('CALLP', 5, 2, 0),
    op('ADD_I32', 0, 4, 5),
    op('RET', 0),
  ]);
  const statics = [{ name: 'ops', slots: 2, init: [{ slot: 1, function: 1 }] }];
  assert.equal(outcome(machine([main, seven], { statics })), 14);
});

test('&local is a pointer that a callee writes through', () => {
  const set = assemble('set', { parameters: 2 }, [op('ST', 0, 1, 1), op('RETV')]);
  const main = assemble('main', {}, [
    op('LEA', 8, 3),
    op('LDI', 9, 42),
    op('CALL', 8, 1, 2),
    op('LEA', 5, 4),
    op('LD', 0, 5, 0),
    op('RET', 0),
  ]);
  assert.equal(outcome(machine([main, set])), 42);
});

test('statics have their initial values, and may point at each other in a circle', () => {
  const statics = [
    {
      name: 'a',
      slots: 3,
      init: [
        { slot: 0, value: 5 },
        { slot: 1, static: 1, offset: 1 },
      ],
    },
    {
      name: 'b',
      slots: 2,
      init: [
        { slot: 0, static: 0, offset: 0 },
        { slot: 1, value: Number.NaN, wide: -(2n ** 60n) },
      ],
    },
  ];
  const through = assemble('main', {}, [
    op('LDSTATIC', 1, 1),
    op('LD', 2, 1, 0), // b[0] = &a
    op('LD', 3, 2, 1), // a[1] = &b[1]
    op('LD', 0, 3, 0),
    op('RET', 0),
  ]);
  assert.equal(outcome(machine([through], { statics })), -(2n ** 60n));
});

test('a string literal is chars and a NUL', () => {
  const main = assemble('main', {}, [
    op('LDSTATIC', 1, 0),
    op('LD', 2, 1, 1),
    op('LD', 3, 1, 2),
    op('LDI', 4, 1000),
    op('MUL_I32', 3, 3, 4),
    op('ADD_I32', 0, 2, 3),
    op('RET', 0),
  ]);
  assert.equal(outcome(machine([main], { statics: [{ name: '""', slots: 3, init: [], text: 'ab' }] })), 98);
});

test('container_of on a list head outside any container goes and comes back', () => {
  const main = assemble('main', {}, [
    op('LDSTATIC', 1, 0),
    op('PADDI', 2, 1, -3),
    op('PADDI', 3, 2, 3),
    op('EQ', 4, 3, 1),
    op('LD', 5, 2, 3), // and through the displaced pointer, with the member's offset
    op('ADD_I32', 0, 4, 5),
    op('RET', 0),
  ]);
  assert.equal(outcome(machine([main], { statics: [{ name: 'head', slots: 2, init: [{ slot: 0, value: 10 }] }] })), 11);
});

test('the struct pages of neighbouring pfns stand OBJECT_SLOTS apart', () => {
  const page = (pfn: number): number => (PAGE_OBJECT + pfn) * OBJECT_SLOTS;
  const main = assemble('main', { parameters: 2 }, [op('PADD', 0, 0, 1), op('RET', 0)]);
  assert.equal(outcome(machine([main]), [page(100), 5 * OBJECT_SLOTS]), page(105));
  const difference = assemble('main', { parameters: 2 }, [op('PDIFF', 0, 0, 1), op('RET', 0)]);
  assert.equal(outcome(machine([difference]), [page(105), page(100)]), 5 * OBJECT_SLOTS);
});

test('COPY and ZERO work across the stack and the heap, and where they overlap', () => {
  const main = assemble('main', { frameSize: 20 }, [
    op('LDI', 4, 1),
    op('LDI', 5, 2),
    op('LDI', 6, 3),
    op('LDSTATIC', 1, 0),
    op('LEA', 2, 4),
    op('COPY', 1, 2, 3), // heap = 1 2 3
    op('PADDI', 3, 1, 1),
    op('COPY', 3, 1, 3), // heap = 1 1 2 3
    op('ZERO', 2, 2), // r4, r5
    op('ADD_I32', 0, 4, 5),
    op('LD', 7, 1, 3),
    op('LD', 8, 1, 2),
    op('LDI', 9, 10),
    op('MUL_I32', 8, 8, 9),
    op('ADD_I32', 0, 0, 7),
    op('ADD_I32', 0, 0, 8),
    op('RET', 0),
  ]);
  assert.equal(outcome(machine([main], { statics: [{ name: 's', slots: 4, init: [] }] })), 23);
});

test('a function that returns nothing returns 0', () => {
  assert.equal(outcome(machine([assemble('f', {}, [op('LDI', 0, 5), op('RETV')])])), 0);
});

test('an object that takes the number of an undone static does not take its name', () => {
  const vm = machine([assemble('f', { parameters: 1 }, [op('LD', 0, 0, 9), op('RET', 0)])], {
    statics: [{ name: 'sev_active_asids', slots: 2, init: [] }],
  });
  assert.match(String(outcome(vm, [vm.staticPointer(0)])), /slot 9 of sev_active_asids, which has 2/);
  vm.journal.undoTo(0);
  assert.match(String(outcome(vm, [vm.memory.allocate(3)])), /slot 9 of object 1, which has 3/);
});

test('objects stay where they are when a native makes the heap grow', () => {
  const main = assemble('main', { parameters: 1 }, [
    op('LDSTATIC', 1, 0),
    op('LDI', 3, 7),
    op('ST', 1, 0, 3),
    label('again'),
    op('LDI', 4, 700),
    op('CALLN', 4, 0, 1),
    op('ST', 4, 699, 3),
    op('LD', 5, 1, 0),
    op('ADDI_I32', 5, 5, 1),
    op('ST', 1, 0, 5),
    op('ADDI_I32', 0, 0, -1),
    op('JF', 0, 'end'),
    op('LOOP', 'again', 0),
    label('end'),
    op('LD', 0, 1, 0),
    op('RET', 0),
  ]);
  const natives = [{ prototype: 'void *make(int)', call: (call: NativeCall) => call.allocate(call.num(0)) }];
  const vm = machine([main], { natives, statics: [{ name: 's', slots: 1, init: [] }] });
  const mark = vm.journal.mark();
  assert.equal(outcome(vm, [400]), 407);
  assert.equal(vm.memory.count, 402);
  assert.equal(vm.access.read(vm.threads[0], vm.staticPointer(0), 0), 407);
  vm.journal.undoTo(mark);
  assert.deepEqual(memoryImage(vm), { count: 1, top: 0, bases: [0], limits: [0], slots: [], beyond: false });
  assert.equal(outcome(vm, [400]), 407);
});

// Traps: what, and where.
const trapOf = (
  lines: Parameters<typeof assemble>[2],
  options: FunctionOptions = {},
  args: number[] = [],
): unknown[] => {
  const vm = machine([assemble('f', options, lines), assemble('leak', {}, [op('LEA', 0, 2), op('RET', 0)])], {
    statics: [{ name: 'thing', slots: 2, init: [] }],
    natives: [
      {
        prototype: 'void kfree(void *)',
        call: (call) => {
          call.free(call.num(0));
          return 0;
        },
      },
      { prototype: 'void *kmalloc(int)', call: (call) => call.allocate(call.num(0)) },
      { prototype: 'void fail(void)', call: (call) => call.trap(TrapCode.Bug, 'BUG at mm/slub.c') },
    ],
  });
  const thread = callOn(vm, args);
  assert.equal(thread.status, 'trapped');
  assert.equal(thread.trap?.site, vm.siteOf(thread.trap!.function, thread.trap!.pc));
  return [thread.trap?.code, thread.trap?.pc, thread.trap?.message];
};

test('dereferences of what is no object trap at the access', () => {
  const load = [op('LD', 1, 0, 2), op('RET', 1)];
  const of = (pointer: number): unknown[] => trapOf(load, { parameters: 1 }, [pointer]);
  assert.deepEqual(of(0), [TrapCode.NullDereference, 0, 'NULL is dereferenced, at slot 2']);
  assert.deepEqual(of(-12), [TrapCode.BadPointer, 0, 'the error pointer ERR_PTR(-12) is dereferenced']);
  assert.deepEqual(of(-1), [TrapCode.BadPointer, 0, 'the error pointer ERR_PTR(-1) is dereferenced']);
  assert.deepEqual(of(2 ** 45), [TrapCode.BadPointer, 0, '0x200000000000 is dereferenced, which points at nothing']);
  assert.deepEqual(of((PAGE_OBJECT + 0x1f) * OBJECT_SLOTS), [
    TrapCode.BadPointer,
    0,
    'the struct page of pfn 0x1f has no members here',
  ]);
  assert.deepEqual(of((FUNCTION_OBJECT + 1) * OBJECT_SLOTS), [
    TrapCode.BadPointer,
    0,
    'the function leak is accessed as data',
  ]);
  assert.deepEqual(of((STACK_OBJECT + 9) * OBJECT_SLOTS)[0], TrapCode.BadPointer);
  assert.deepEqual(trapOf([op('LDC', 0, 0), ...load], { constants: [2n ** 63n] }), [
    TrapCode.BadPointer,
    1,
    'a 64-bit integer is dereferenced, which points at nothing',
  ]);
});

test('an object ends where it ends, for LD, ST, COPY and ZERO', () => {
  const object = op('LDSTATIC', 1, 0);
  assert.deepEqual(trapOf([object, op('LD', 0, 1, 2)]), [TrapCode.OutOfBounds, 1, 'slot 2 of thing, which has 2']);
  assert.deepEqual(trapOf([object, op('ST', 1, -1, 0)]), [TrapCode.OutOfBounds, 1, 'slot -1 of thing, which has 2']);
  assert.deepEqual(trapOf([object, op('ZERO', 1, 3)]), [TrapCode.OutOfBounds, 1, 'slots 0 to 2 of thing, which has 2']);
  assert.deepEqual(trapOf([object, op('LEA', 2, 0), op('COPY', 2, 1, 3)])[0], TrapCode.OutOfBounds);
  assert.deepEqual(trapOf([object, op('LDI', 2, -1), op('PADD', 0, 1, 2)]), [
    TrapCode.OutOfBounds,
    2,
    'a pointer is moved out of its object',
  ]);
  assert.deepEqual(trapOf([object, op('LEA', 2, 0), op('PDIFF', 0, 1, 2)])[0], TrapCode.BadPointer);
});

test('freed objects and locals of functions that returned are not there any more', () => {
  const allocate = [op('LDI', 4, 2), op('CALLN', 4, 1, 1), op('MOV', 5, 4), op('CALLN', 5, 0, 1)];
  assert.deepEqual(trapOf([...allocate, op('LD', 0, 4, 0)]), [TrapCode.UseAfterFree, 4, 'object 1 has been freed']);
  assert.deepEqual(trapOf([...allocate, op('MOV', 5, 4), op('CALLN', 5, 0, 1)]), [
    TrapCode.UseAfterFree,
    5,
    'object 1 is freed twice',
  ]);
  assert.deepEqual(trapOf([op('LDSTATIC', 4, 0), op('CALLN', 4, 0, 1)])[0], TrapCode.BadPointer);
  assert.deepEqual(trapOf([op('CALL', 14, 1, 0), op('LD', 0, 14, 0)], { frameSize: 15 }), [
    TrapCode.UseAfterFree,
    1,
    'the local variable no longer exists: its function has returned',
  ]);
});

test('a call through NULL or data traps at the call', () => {
  assert.deepEqual(trapOf([op('CALLP', 2, 0, 0)]), [TrapCode.NullDereference, 0, 'NULL is called']);
  assert.deepEqual(trapOf([op('LEA', 1, 0), op('CALLP', 2, 1, 0)])[0], TrapCode.BadPointer);
});

test('a native stops the thread at its call', () => {
  assert.deepEqual(trapOf([op('LDI', 0, 1), op('CALLN', 3, 2, 0), op('RETV')]), [TrapCode.Bug, 1, 'BUG at mm/slub.c']);
});

test('TRAP carries the problem that the front end met', () => {
  const origin = { file: 0, start: 3, end: 9 };
  const problems = [
    { origin, rule: 'C-UNSUPPORTED', message: 'asm is not supported' },
    { origin, rule: 'C-UNDEFINED', message: 'kmap is not defined', name: 'kmap' },
  ];
  const thread = callOn(machine([assemble('f', { problems }, [op('TRAP', 1)])]));
  assert.equal(thread.trap?.code, TrapCode.Undefined);
  assert.equal(thread.trap?.problem, problems[1]);
  assert.deepEqual(trapOf([op('TRAP', 0)], { problems }), [TrapCode.Unsupported, 0, 'asm is not supported']);
});

test('a loop without end stops at the budget, and the trap names it', () => {
  const code = assemble('spin', { loops: 2 }, [label('x'), op('ADDI_U64', 1, 1, 1), op('LOOP', 'x', 1)]);
  const vm = machine([code], { loopBudget: 1000 });
  const thread = callOn(vm);
  assert.equal(thread.trap?.code, TrapCode.Budget);
  assert.equal(thread.trap?.loop, 1);
  assert.equal(thread.trap?.pc, 1);
  assert.equal(thread.trap?.message, 'loop 1 of spin used up the budget of 1000 turns and calls');
  assert.equal(thread.registers.get(1), 1001);
});

test('recursion without end overflows the stack, or the budget if that comes first', () => {
  const code = assemble('dive', { frameSize: 4 }, [op('CALL', 3, 0, 0), op('RETV')]);
  const thread = callOn(machine([code], { stackSlots: 64 }));
  assert.equal(thread.trap?.code, TrapCode.StackOverflow);
  assert.equal(thread.top, 64);
  const deep = callOn(machine([code]));
  assert.equal(deep.trap?.code, TrapCode.StackOverflow);
  assert.equal(deep.depth + 1, 4096);
  const counted = callOn(machine([code], { loopBudget: 10 }));
  assert.deepEqual([counted.trap?.code, counted.trap?.loop, counted.depth], [TrapCode.Budget, -1, 10]);
});

test('a thread reads and writes the stack of another; it is journalled', () => {
  const hold = assemble('hold', {}, [op('LDI', 3, 5), op('LEA', 4, 3), op('MOV', 5, 5), op('RET', 3)]);
  const poke = assemble('poke', { parameters: 1 }, [
    op('LD', 1, 0, 0),
    op('ADDI_I32', 1, 1, 1),
    op('ST', 0, 0, 1),
    op('RETV'),
  ]);
  const vm = machine([hold, poke]);
  const [one, two] = [vm.createThread(), vm.createThread()];
  vm.start(one, 0, []);
  vm.run(one, { instructions: 2 });
  const pointer = one.register(4);
  const mark = vm.journal.mark();
  vm.start(two, 1, [pointer]);
  assert.equal(vm.run(two, { instructions: 100 }), 'done');
  assert.equal(one.register(3), 6);
  vm.start(two, 1, [pointer]);
  one.registers.set(3, 2n ** 63n - 7n);
  const wide = vm.journal.mark();
  assert.equal(vm.run(two, { instructions: 100 }), 'done');
  vm.journal.undoTo(wide);
  assert.equal(one.registers.get(3), 2n ** 63n - 7n);
  vm.journal.undoTo(mark);
  assert.equal(one.register(3), 5);
  assert.equal(vm.run(one, { instructions: 100 }), 'done');
  vm.start(two, 1, [pointer]);
  assert.equal(vm.run(two, { instructions: 100 }), 'trapped');
  assert.equal(two.trap?.code, TrapCode.UseAfterFree);
});
