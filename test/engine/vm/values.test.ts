/** Every arithmetic opcode over every kind against BigInt, with values that crowd around the edges where representations change. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { IntKind, type Op } from '../../../engine/vm/bytecode.ts';
import { EXACT } from '../../../engine/vm/slots.ts';
import { assemble, op } from './assemble.ts';
import { callOn, machine } from './machine.ts';

type OpName = keyof typeof Op;

const WIDTH: Record<string, number> = { I8: 8, U8: 8, I16: 16, U16: 16, I32: 32, U32: 32, I64: 64, U64: 64 };
const wrap = (kind: string, value: bigint): bigint => {
  if (kind === 'BOOL') return value === 0n ? 0n : 1n;
  return kind[0] === 'U' ? BigInt.asUintN(WIDTH[kind], value) : BigInt.asIntN(WIDTH[kind], value);
};

/** Values of a kind: near powers of two of either sign, near the ends of the range, and anywhere. */
const integers = (kind: string): fc.Arbitrary<bigint> => {
  const near = fc
    .tuple(fc.integer({ min: 0, max: 64 }), fc.integer({ min: -3, max: 3 }), fc.boolean())
    .map(([bit, offset, negative]) => ((1n << BigInt(bit)) + BigInt(offset)) * (negative ? -1n : 1n));
  const any = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n });
  const mask = fc.integer({ min: 0, max: 63 }).map((bit) => ~((1n << BigInt(bit)) - 1n));
  return fc.oneof(near, any, mask, fc.integer({ min: -20, max: 20 }).map(BigInt)).map((value) => wrap(kind, value));
};

/** A value as the VM holds it: a number where that is exact, its signed bits otherwise. */
const inSlot = (value: bigint): number | bigint =>
  value >= -BigInt(EXACT) && value <= BigInt(EXACT) ? Number(value) : BigInt.asIntN(64, value);

const runs = { numRuns: 300 };

/** One instruction on R[1], R[2] into R[3]; also with the result on top of an operand. */
function check(name: OpName, c: number | undefined, x: bigint, y: bigint, expected: bigint): void {
  for (const target of [3, 1, 2]) {
    const code = assemble('f', { constants: [x, y] }, [
      op('LDC', 1, 0),
      op('LDC', 2, 1),
      op(name, target, 1, c ?? 2),
      op('RET', target),
    ]);
    const thread = callOn(machine([code]));
    assert.equal(thread.status, 'done', thread.trap?.message);
    const result = thread.result();
    assert.equal(result, inSlot(expected), `${name} ${x} ${y} into R${target}`);
    assert.ok(!Object.is(result, -0), `${name} ${x} ${y} gives -0`);
  }
}

const BINARY: Record<string, (x: bigint, y: bigint, width: bigint) => bigint> = {
  ADD: (x, y) => x + y,
  SUB: (x, y) => x - y,
  MUL: (x, y) => x * y,
  DIV: (x, y) => x / y,
  MOD: (x, y) => x % y,
  AND: (x, y) => x & y,
  OR: (x, y) => x | y,
  XOR: (x, y) => x ^ y,
  SHL: (x, y, width) => x << (y & (width - 1n)),
  SHR: (x, y, width) => x >> (y & (width - 1n)),
};

for (const kind of ['I32', 'U32', 'I64', 'U64']) {
  for (const [operation, model] of Object.entries(BINARY)) {
    const name = `${operation}_${kind}` as OpName;
    test(`${name} is C's, modulo 2^${WIDTH[kind]}`, () => {
      const second = operation.startsWith('SH') ? fc.oneof(integers('I32'), integers('U64')) : integers(kind);
      fc.assert(
        fc.property(integers(kind), second, (x, y) => {
          if (y === 0n && (operation === 'DIV' || operation === 'MOD')) return;
          check(name, undefined, x, y, wrap(kind, model(x, y, BigInt(WIDTH[kind]))));
        }),
        runs,
      );
    });
  }

  test(`ADDI_${kind} adds any 32-bit immediate`, () => {
    fc.assert(
      fc.property(integers(kind), integers('I32'), (x, immediate) => {
        check(`ADDI_${kind}` as OpName, Number(immediate), x, 0n, wrap(kind, x + immediate));
      }),
      runs,
    );
  });

  test(`comparisons and conditional jumps order ${kind}`, () => {
    const u64 = kind === 'U64' ? '_U64' : '';
    const models: [string, (x: bigint, y: bigint) => boolean][] = [
      ['EQ', (x, y) => x === y],
      ['NE', (x, y) => x !== y],
      [`LT${u64}`, (x, y) => x < y],
      [`LE${u64}`, (x, y) => x <= y],
    ];
    fc.assert(
      fc.property(integers(kind), fc.oneof(integers(kind), fc.constant(undefined)), (x, second) => {
        const y = second ?? x;
        for (const [name, model] of models) {
          check(name as OpName, undefined, x, y, model(x, y) ? 1n : 0n);
          const jump = assemble('f', { constants: [x, y] }, [
            op('LDC', 1, 0),
            op('LDC', 2, 1),
            op(`J${name}` as OpName, 1, 2, 'taken'),
            op('RET', 0),
            { label: 'taken' },
            op('LDI', 0, 1),
            op('RET', 0),
          ]);
          assert.equal(callOn(machine([jump])).result(), model(x, y) ? 1 : 0, `J${name} ${x} ${y}`);
        }
      }),
      { numRuns: 150 },
    );
  });
}

for (const kind of Object.keys(IntKind)) {
  test(`conversion to ${kind} wraps as C does, from any type`, () => {
    fc.assert(
      fc.property(fc.oneof(integers('I64'), integers('U64'), integers('I32')), (x) => {
        check('CVT', IntKind[kind as keyof typeof IntKind], x, 0n, wrap(kind, x));
      }),
      runs,
    );
  });
  if (kind === 'BOOL') continue;
  test(`NEG and NOT in ${kind}`, () => {
    fc.assert(
      fc.property(integers(kind), (x) => {
        check('NEG', IntKind[kind as keyof typeof IntKind], x, 0n, wrap(kind, -x));
        check('NOT', IntKind[kind as keyof typeof IntKind], x, 0n, wrap(kind, ~x));
      }),
      runs,
    );
  });
}

test('an error pointer is high up among addresses: IS_ERR_VALUE compares unsigned', () => {
  const error = -12n; // as ERR_PTR(-12) leaves it in a pointer
  const limit = 2n ** 64n - 4095n;
  for (const [name, x, y, expected] of [
    ['LE_U64', limit, error, 1n],
    ['LE_U64', error, limit, 0n],
    ['LT_U64', error, 4096n, 0n],
    ['LT_U64', 4096n, error, 1n],
    ['LT_U64', -12n, -11n, 1n],
  ] as const) {
    check(name, undefined, x, y, expected);
  }
});

test('LNOT, JT and JF ask whether a value is zero, wide ones too', () => {
  fc.assert(
    fc.property(fc.oneof(integers('I64'), integers('U64')), (x) => {
      check('LNOT', 0, x, 0n, x === 0n ? 1n : 0n);
      for (const [name, taken] of [
        ['JT', x !== 0n],
        ['JF', x === 0n],
      ] as const) {
        const code = assemble('f', { constants: [x] }, [
          op('LDC', 1, 0),
          op(name, 1, 'taken'),
          op('RET', 0),
          { label: 'taken' },
          op('LDI', 0, 1),
          op('RET', 0),
        ]);
        assert.equal(callOn(machine([code])).result(), taken ? 1 : 0);
      }
    }),
    runs,
  );
});

test('SCALE multiplies by an immediate in signed 64 bits', () => {
  fc.assert(
    fc.property(integers('I64'), integers('I32'), (x, factor) => {
      check('SCALE', Number(factor), x, 0n, wrap('I64', x * factor));
    }),
    runs,
  );
});

const field = fc
  .tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: 1, max: 64 }), fc.boolean())
  .map(([offset, width, signed]) => ({ offset, width: Math.min(width, 64 - offset), signed }));
const packed = (f: { offset: number; width: number; signed: boolean }): number =>
  f.offset | (f.width << 8) | (f.signed ? 1 << 16 : 0);

test('BFX reads any bit-field of a storage unit', () => {
  fc.assert(
    fc.property(fc.oneof(integers('U64'), integers('I64'), integers('I32')), field, (unit, f) => {
      const bits = BigInt.asUintN(64, unit) >> BigInt(f.offset);
      check('BFX', packed(f), unit, 0n, f.signed ? BigInt.asIntN(f.width, bits) : BigInt.asUintN(f.width, bits));
    }),
    { numRuns: 2000 },
  );
});

test('BFI replaces a bit-field and nothing else', () => {
  fc.assert(
    fc.property(integers('U64'), fc.oneof(integers('U64'), integers('I64')), field, (unit, value, f) => {
      const mask = ((1n << BigInt(f.width)) - 1n) << BigInt(f.offset);
      const expected = BigInt.asUintN(64, (unit & ~mask) | ((value << BigInt(f.offset)) & mask));
      const code = assemble('f', { constants: [unit, value] }, [
        op('LDC', 1, 0),
        op('LDC', 2, 1),
        op('BFI', 1, 2, packed(f)),
        op('RET', 1),
      ]);
      assert.equal(callOn(machine([code])).result(), inSlot(expected), `${unit} ${value} ${JSON.stringify(f)}`);
    }),
    { numRuns: 2000 },
  );
});

test('wide values survive MOV, MOVN, calls, memory and COPY', () => {
  const wide = 0xffff_ffff_ffff_f000n;
  const callee = assemble('g', { parameters: 2 }, [op('MOV', 0, 1), op('RET', 0)]);
  const code = assemble('f', { constants: [wide], frameSize: 32 }, [
    op('LDC', 1, 0),
    op('MOV', 2, 1),
    op('MOVN', 4, 1, 2),
    op('MOV', 11, 5),
    op('CALL', 10, 1, 2),
    op('LDSTATIC', 3, 0),
    op('ST', 3, 1, 10),
    op('PADDI', 7, 3, 2),
    op('PADDI', 8, 3, 1),
    op('COPY', 7, 8, 1),
    op('LEA', 8, 20),
    op('COPY', 8, 7, 1),
    op('MOV', 9, 20),
    op('LD', 6, 3, 2),
    op('JNE', 6, 9, 'bad'),
    op('RET', 6),
    { label: 'bad' },
    op('RETV'),
  ]);
  const vm = machine([code, callee], { statics: [{ name: 's', slots: 4, init: [] }] });
  assert.equal(callOn(vm).result(), BigInt.asIntN(64, wide));
});

test('division by zero traps in every kind', () => {
  for (const kind of ['I32', 'U32', 'I64', 'U64'])
    for (const operation of ['DIV', 'MOD']) {
      const code = assemble('f', {}, [op('LDI', 1, 7), op(`${operation}_${kind}` as OpName, 0, 1, 2), op('RET', 0)]);
      const thread = callOn(machine([code]));
      assert.deepEqual([thread.trap?.code, thread.trap?.pc], [6, 1], `${operation}_${kind}`);
    }
});
