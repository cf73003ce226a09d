/**
 * Test helper: random programs that do a bit of everything (arithmetic of all widths, memory, calls, natives, loops, traps), always ending.
 * Whatever they compute, a property can compare two ways of running them.
 */
import fc from 'fast-check';
import { type FunctionCode, Op, type StaticObject } from '../../../engine/vm/bytecode.ts';
import { assemble, label, op } from './assemble.ts';

type Line = ReturnType<typeof op>;

const ARITHMETIC = Object.keys(Op).filter((name) =>
  /^(ADD|SUB|MUL|DIV|MOD|AND|OR|XOR|SHL|SHR)_|^(EQ|NE|LT|LE)/.test(name),
) as (keyof typeof Op)[];

/** r0..r7 are values, r8 a pointer to a static of 6 slots, r9 a pointer to r10, r10..r13 memory on the stack, r14 on: calls. */
const value = fc.integer({ min: 0, max: 7 });
const slot = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 0, max: 5 }) },
  { weight: 1, arbitrary: fc.constant(6) },
);
const stackSlot = fc.integer({ min: 0, max: 3 });

const instruction = (callees: number): fc.Arbitrary<Line[]> => {
  const choices: fc.Arbitrary<Line[]>[] = [
    fc.tuple(fc.constantFrom(...ARITHMETIC), value, value, value).map(([name, a, b, c]) => [op(name, a, b, c)]),
    fc.tuple(value, fc.integer({ min: -5, max: 5 })).map(([a, b]) => [op('LDI', a, b)]),
    fc.tuple(value, fc.integer({ min: 0, max: 3 })).map(([a, b]) => [op('LDC', a, b)]),
    fc.tuple(value, value, fc.integer({ min: 0, max: 8 })).map(([a, b, kind]) => [op('CVT', a, b, kind)]),
    fc.tuple(value, slot).map(([a, s]) => [op('LD', a, 8, s)]),
    fc.tuple(slot, value).map(([s, v]) => [op('ST', 8, s, v)]),
    fc.tuple(value, stackSlot).map(([a, s]) => [op('LD', a, 9, s)]),
    fc.tuple(stackSlot, value).map(([s, v]) => [op('ST', 9, s, v)]),
    fc
      .tuple(fc.boolean(), fc.integer({ min: 0, max: 4 }))
      .map(([up, n]) => [up ? op('COPY', 8, 9, n) : op('COPY', 9, 8, n)]),
    fc.constantFrom([op('ZERO', 8, 3)], [op('ZEROR', 10, 2)], [op('MOVN', 2, 0, 4)]),
    fc
      .tuple(value, value)
      .map(([a, b]) => [op('MOV', 14, a), op('MOV', 15, b), op('CALLN', 14, 0, 2), op('MOV', a, 14)]),
    fc.tuple(value, value).map(([a, b]) => [op('NOTE', 1, a, b)]),
    fc
      .tuple(value, slot)
      .map(([a, s]) => [op('CALLN', 14, 1, 0), op('ST', 14, 0, a), op('ST', 8, s, a), op('LD', a, 14, 0)]),
    fc.constantFrom(
      [op('CALLN', 14, 1, 0), op('MOV', 15, 14), op('ST', 14, 1, 0), op('CALLN', 15, 2, 1)],
      [op('CALLN', 14, 1, 0), op('ST', 8, 5, 14)],
      [op('LD', 14, 8, 5), op('CALLN', 14, 2, 1)],
    ),
  ];
  if (callees > 0) {
    const target = fc.integer({ min: 1, max: callees });
    choices.push(
      fc
        .tuple(target, value, value)
        .map(([f, a, b]) => [op('MOV', 14, a), op('MOV', 15, b), op('CALL', 14, f, 2), op('MOV', a, 14)]),
      fc.tuple(target, value).map(([f, a]) => [op('LDFUNC', 13, f), op('MOV', 14, a), op('CALLP', 14, 13, 1)]),
    );
  }
  return fc.oneof(...choices);
};

/** A body whose instructions a loop runs a few times, with a forward jump somewhere. */
const body = (name: string, callees: number, offset: number): fc.Arbitrary<FunctionCode> =>
  fc
    .tuple(
      fc.array(instruction(callees), { minLength: 1, maxLength: 12 }),
      fc.array(instruction(callees), { maxLength: 6 }),
      value,
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: 4, maxLength: 4 }),
    )
    .map(([first, skipped, condition, turns, constants]) => {
      // Calls name functions from `offset` on, so that none calls itself.
      const shift = (line: Line): Line =>
        'op' in line && (line.op === 'CALL' || line.op === 'LDFUNC')
          ? { op: line.op, operands: line.operands.map((value, i) => (i === 1 ? Number(value) + offset : value)) }
          : line;
      return assemble(name, { parameters: 2, frameSize: 24, constants }, [
        op('LDSTATIC', 8, 0),
        op('LEA', 9, 10),
        op('LDI', 16, turns),
        op('LDI', 17, 0),
        label('top'),
        ...first.flat().map(shift),
        op('JF', condition, 'over'),
        ...skipped.flat().map(shift),
        label('over'),
        op('ADDI_I32', 17, 17, 1),
        op('JLE', 16, 17, 'end'),
        op('LOOP', 'top', 0),
        label('end'),
        op('RET', 0),
      ]);
    });

/** Calls overwrite r16 and r17 (their frames overlap), which only makes the loops less regular; the loop budget ends every one. */
export const randomProgram: fc.Arbitrary<FunctionCode[]> = fc.tuple(body('f', 2, 0), body('g', 1, 1), body('h', 0, 2));

export const randomStatics: StaticObject[] = [
  {
    name: 'shared',
    slots: 6,
    init: [
      { slot: 0, value: 3 },
      { slot: 1, value: Number.NaN, wide: 2n ** 63n - 1n },
    ],
  },
];
