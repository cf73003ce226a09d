/** Natives: their arguments, results, traps, strings, and what printk makes of them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { TrapCode } from '../../../engine/vm/bytecode.ts';
import { formatPrintk } from '../../../engine/vm/format.ts';
import type { NativeCall } from '../../../engine/vm/native.ts';
import { assemble, op } from './assemble.ts';
import { callOn, machine, outcome } from './machine.ts';

/** Run `native` on these arguments; strings become literals. Gives what the call comes to. */
function native(
  args: readonly (number | bigint | string)[],
  call: (call: NativeCall) => number,
): number | bigint | string {
  const statics = args
    .filter((arg) => typeof arg === 'string')
    .map((text) => ({ name: 'literal', slots: text.length + 1, init: [], text }));
  let literal = 0;
  const loads = args.map((arg, i) =>
    typeof arg === 'string' ? op('LDSTATIC', 4 + i, literal++) : op('LDC', 4 + i, i),
  );
  const constants = args.map((arg) => (typeof arg === 'string' ? 0 : arg));
  const code = assemble('f', { constants, frameSize: 32 }, [...loads, op('CALLN', 4, 0, args.length), op('RET', 4)]);
  return outcome(machine([code], { statics, natives: [{ prototype: 'int native(...)', call }] }));
}

test('a native reads its arguments and returns a number', () => {
  assert.equal(
    native([1, 2, 39], (call) => call.num(0) + call.num(1) + call.num(2) + call.count * 100),
    342,
  );
});

test('a wide argument traps where a number is asked for, and the native goes no further', () => {
  let reached = false;
  const result = native([2n ** 63n], (call) => {
    call.num(0);
    reached = true;
    return 0;
  });
  assert.equal(result, `trap ${TrapCode.BadArgument}: argument 1 is 0x8000000000000000, which is out of range`);
  assert.equal(reached, false);
});

test('wide arguments and results are exact', () => {
  assert.equal(
    native([2n ** 64n - 5n], (call) => (call.isWide(0) ? call.wide(call.big(0) + 1n) : 0)),
    -4,
  );
  assert.equal(
    native([2n ** 62n], (call) => call.wide(call.big(0) + 1n)),
    2n ** 62n + 1n,
  );
  assert.equal(
    native([7], (call) => call.wide(call.big(0) * 2n ** 61n)),
    BigInt.asIntN(64, 7n * 2n ** 61n),
  );
});

test('an argument that was not passed traps', () => {
  assert.equal(
    native([1], (call) => call.num(1)),
    `trap ${TrapCode.BadArgument}: argument 2 of 1 is read`,
  );
});

test('a native that returns NaN or more than 2^53 without saying so is a bug of ours', () => {
  assert.throws(() => native([], () => Number.NaN), /native returned NaN: int native/);
  assert.throws(() => native([], () => 2 ** 60), /native returned/);
});

test('an exception inside a native is not swallowed', () => {
  assert.throws(
    () =>
      native([], () => {
        throw new RangeError('ours');
      }),
    /ours/,
  );
});

test('strings: NULL, UTF-8, bad pointers, and one without an end', () => {
  const read = (...args: (number | string)[]): unknown => {
    let text = '';
    const result = native(args, (call) => {
      text = call.str(0);
      return 0;
    });
    return typeof result === 'string' ? result : text;
  };
  assert.equal(read('hello'), 'hello');
  assert.equal(read(''), '');
  assert.equal(read(0), '(null)');
  assert.equal(read('\u00e2\u20ac\u0153'), '\u00e2\u20ac\u0153'); // characters beyond a byte stand for themselves
  assert.equal(read('\u00c3\u00a9'), '\u00e9'); // two bytes of UTF-8
  assert.equal(read('\u00ff!'), '\u00ff!'); // no UTF-8
  assert.match(String(read(-14)), /ERR_PTR\(-14\)/);
  const unterminated = native([], (call) => {
    const pointer = call.allocate(2);
    call.store(pointer, 0, 65);
    call.store(pointer, 1, 66);
    const argument = call.allocate(1);
    call.store(argument, 0, pointer);
    return call.load(call.load(argument, 0), 2);
  });
  assert.match(String(unterminated), /slot 2 of object 1, which has 2/);
});

test('memory through a native: numbers, wide values, and traps as LD and ST', () => {
  assert.equal(
    native([], (call) => {
      const pointer = call.allocate(3);
      call.storeBig(pointer, 1, 2n ** 64n - 1n);
      call.store(pointer, 2, -3);
      return call.wide(call.loadBig(pointer, 1) * 100n + call.loadBig(pointer, 2));
    }),
    -103,
  );
  assert.match(String(native([0], (call) => call.load(call.num(0), 0))), /NULL/);
  assert.match(
    String(
      native([], (call) => {
        call.store(0, 1, 1);
        return 0;
      }),
    ),
    /NULL is dereferenced, at slot 1/,
  );
});

test('printk: each conversion as lib/vsprintf.c prints it', () => {
  const print = (...args: (number | bigint | string)[]): string => {
    let text = '';
    const result = native(args, (call) => {
      text = formatPrintk(call, 0);
      return 0;
    });
    return typeof result === 'string' ? result : text;
  };
  assert.equal(print('%d %i', -5, 7), '-5 7');
  assert.equal(print('%u', -1), '4294967295');
  assert.equal(print('%llu', 2n ** 64n - 1n), '18446744073709551615');
  assert.equal(print('%lld', 2n ** 64n - 2n), '-2');
  assert.equal(print('%lx', -1), 'ffffffffffffffff');
  assert.equal(print('%x %X %#x %#X', 255, 255, 255, 255), 'ff FF 0xff 0XFF');
  assert.equal(print('%016llx|%-8x|%8x|', 0xabcdef, 1, 2), '0000000000abcdef|1       |       2|');
  assert.equal(print('%#010x', 0x1f), '0x0000001f');
  assert.equal(print('%llx', 0x8000_0000_0000_0001n), '8000000000000001');
  assert.equal(print('%hhu %hd', 511, 65535), '255 -1');
  assert.equal(print('%5d|%-5d|%05d|%+d|% d', 42, 42, -42, 42, 42), '   42|42   |-0042|+42| 42');
  assert.equal(print('%.4x|%8.3d|%08.3d|%.0d', 10, 7, 7, 5), '000a|     007|     007|5');
  assert.equal(print('%*d|%-*d|%.*s', 4, 1, 4, 2, 2, 'abcdef'), '   1|2   |ab');
  assert.equal(print('%s/%10s/%-6s/', 'abc', 'right', 'left'), 'abc/     right/left  /');
  assert.equal(print('%c%c 100%%', 79, 75), 'OK 100%');
  assert.equal(print('%px %p', 0x1234_0000, 0), '0000000012340000 0000000000000000');
  assert.equal(print('%pe!', -12), '-12!');
  assert.equal(print('%px', -12), 'fffffffffffffff4');
  assert.equal(print('%o %#o', 8, 8), '10 010');
  assert.equal(print('%zu %td %lu', 3, -3, 2 ** 52), '3 -3 4503599627370496');
  assert.equal(print('%d %d', 1), '1 (missing)');
  assert.equal(print('%y 5%', 1), '%y 5%');
  assert.equal(print('%s', 0), '(null)');
  assert.match(print('%s', -5), /trap 3/);
});

test('the thread and its place are visible while a native runs', () => {
  const seen: unknown[] = [];
  const code = assemble('f', {}, [op('LDI', 3, 1), op('CALLN', 3, 0, 1), op('RETV')]);
  const vm = machine([code], {
    natives: [
      {
        prototype: 'void look(int)',
        call: (call) => {
          seen.push(call.thread, vm.running?.pcs[0], vm.running?.depth);
          return 0;
        },
      },
    ],
  });
  callOn(vm);
  assert.deepEqual(seen, [0, 1, 0]);
});
