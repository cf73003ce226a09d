/**
 * How fast the VM runs code of the kind that kernels consist of. One run gives a row per program: a plain loop, the same with loads and
 * stores, with calls, with natives, masks that need 64 bits, and single stepping; and what locating an event in the trace costs.
 */
import { Journal } from '../../engine/base/journal.ts';
import { EventKind, Trace } from '../../engine/trace/trace.ts';
import { type FunctionCode, Op, type Program, type StaticObject } from '../../engine/vm/bytecode.ts';
import type { NativeTable } from '../../engine/vm/native.ts';
import { createVm, type Vm } from '../../engine/vm/vm.ts';
import { type BenchRow, main } from './report.ts';

export const name = 'VM';

type Line = [keyof typeof Op, number?, number?, number?];

function assemble(functionName: string, parameters: number, lines: Line[], constants: bigint[] = []): FunctionCode {
  const origin = { file: 0, start: 0, end: 0 };
  const limit = 2n ** 53n;
  const isWide = (value: bigint): boolean => value > limit || value < -limit;
  return {
    name: functionName,
    code: Int32Array.from(lines.flatMap(([opcode, a = 0, b = 0, c = 0]) => [Op[opcode], a, b, c])),
    constants: Float64Array.from(constants, (value) => (isWide(value) ? Number.NaN : Number(value))),
    wideConstants: BigInt64Array.from(constants),
    frameSize: 12,
    parameterSlots: parameters,
    returnsValue: true,
    lines: [],
    loops: [{ origin }],
    problems: [],
    locals: [],
    origin,
  };
}

/** A loop of r0 turns around `body`, which has r2 as its counter and r1 as its sum. Four more instructions a turn. */
function loop(prologue: Line[], body: Line[], constants: bigint[] = []): FunctionCode {
  const top = prologue.length;
  const end = top + body.length + 3;
  const lines: Line[] = [...prologue, ['JLE', 0, 2, end], ...body, ['ADDI_I32', 2, 2, 1], ['LOOP', top, 0], ['RET', 1]];
  return assemble('loop', 1, lines, constants);
}

const leaf = assemble('leaf', 2, [
  ['ADD_I64', 0, 0, 1],
  ['RET', 0],
]);

const PROGRAMS: { what: string; code: FunctionCode }[] = [
  {
    what: 'loop: add, mask, compare',
    code: loop(
      [['LDI', 3, 255]],
      [
        ['ADD_I64', 1, 1, 2],
        ['AND_I32', 4, 2, 3],
        ['ADD_U64', 1, 1, 4],
      ],
    ),
  },
  {
    what: 'loop with loads and stores',
    code: loop(
      [
        ['LDSTATIC', 3, 0],
        ['LEA', 4, 8],
      ],
      [
        ['LD', 5, 3, 1],
        ['ADDI_U64', 5, 5, 1],
        ['ST', 3, 1, 5],
        ['LD', 6, 4, 0],
        ['ADD_I64', 6, 6, 5],
        ['ST', 4, 0, 6],
      ],
    ),
  },
  {
    what: 'loop with calls',
    code: loop(
      [],
      [
        ['MOV', 6, 1],
        ['MOV', 7, 2],
        ['CALL', 6, 1, 2],
        ['MOV', 1, 6],
      ],
    ),
  },
  {
    what: 'loop with native calls',
    code: loop(
      [],
      [
        ['MOV', 6, 1],
        ['MOV', 7, 2],
        ['CALLN', 6, 0, 2],
        ['MOV', 1, 6],
      ],
    ),
  },
  {
    what: 'loop with a 64-bit mask, ~511UL',
    code: loop(
      [['LDC', 3, 0]],
      [
        ['AND_U64', 4, 2, 3],
        ['ADD_U64', 1, 1, 4],
      ],
      [~511n],
    ),
  },
  {
    what: 'mixed: everything above in one loop',
    code: loop(
      [
        ['LDSTATIC', 3, 0],
        ['LDI', 9, 511],
      ],
      [
        ['LD', 5, 3, 0],
        ['AND_U64', 8, 2, 9],
        ['JNE', 8, 5, 5],
        ['MOV', 6, 1],
        ['MOV', 7, 2],
        ['CALL', 6, 1, 2],
        ['MOV', 1, 6],
        ['MOV', 7, 2],
        ['CALLN', 6, 0, 2],
        ['ADDI_U64', 5, 5, 1],
        ['AND_U64', 5, 5, 9],
        ['ST', 3, 0, 5],
        ['SHL_U64', 8, 8, 9],
        ['CVT', 8, 8, 5],
      ],
    ),
  },
];

const STATICS: StaticObject[] = [{ name: 'counters', slots: 4, init: [] }];

function machine(code: FunctionCode, natives: NativeTable, trace?: Trace): Vm {
  const program: Program = {
    functionCode: (index) => (index === 0 ? code : leaf),
    functionName: (index) => (index === 0 ? 'loop' : 'leaf'),
    statics: STATICS,
    siteOf: (index, pc) => index * 100 + pc + 1,
  };
  return createVm({ program, natives, journal: new Journal(), loopBudget: 1e9, ...(trace ? { trace } : {}) });
}

const add: NativeTable = [{ prototype: 'u64 add(u64, u64)', call: (call) => call.num(0) + call.num(1) }];

/**
 * Nanoseconds an instruction takes: the best of many short runs on one machine. The journal is taken back in between, so that what is measured is
 * the interpreter, not the system handing out memory for a journal of millions of writes.
 */
function speed(code: FunctionCode, turns: number, slice: number, tries = 40): number {
  const vm = machine(code, add);
  const thread = vm.createThread();
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < tries; i++) {
    vm.journal.undoTo(0);
    vm.start(thread, 0, [turns]);
    const budget = { instructions: slice };
    let slices = 1;
    const start = performance.now();
    while (vm.run(thread, budget) === 'paused') {
      slices++;
      budget.instructions = slice;
    }
    const nanoseconds = (performance.now() - start) * 1e6;
    if (thread.status !== 'done') throw new Error(`${thread.trap?.message}`);
    best = Math.min(best, nanoseconds / (slices * slice - budget.instructions));
  }
  return best;
}

/** Nanoseconds that locating one event takes, from a native two calls deep. */
function locating(events: number): number {
  const measure = (locate: boolean): number => {
    const trace = new Trace();
    const code = loop([], [['CALLN', 6, 0, 0]]);
    const natives: NativeTable = [
      { prototype: 'void event(void)', call: () => trace.record(EventKind.Log, 0, -1, 0, 0, 0, -1) * 0 },
    ];
    const vm = machine(code, natives, trace);
    trace.locate = locate ? vm.locate : undefined;
    const thread = vm.createThread();
    vm.start(thread, 0, [events]);
    const start = performance.now();
    vm.run(thread, { instructions: 1e12 });
    return ((performance.now() - start) / events) * 1e6;
  };
  measure(true);
  measure(false);
  return Math.max(0, Math.min(measure(true), measure(true)) - Math.min(measure(false), measure(false)));
}

/** 100 million instructions a second. */
const BUDGET = 10;

export async function run(): Promise<BenchRow[]> {
  const rows: BenchRow[] = PROGRAMS.map(({ what, code }) => ({
    what,
    value: speed(code, 200_000, 1e12),
    unit: 'ns/instruction',
    budget: BUDGET,
  }));
  rows.push({ what: 'single stepping', value: speed(PROGRAMS[0].code, 50_000, 1), unit: 'ns/step' });
  rows.push({ what: 'locating an event in the trace', value: locating(1_000_000), unit: 'ns' });
  return rows;
}

await main(import.meta, run);
