/**
 * Test helper: functions written by hand. `op('ADD_I32', a, b, c)` is one instruction; labels are strings in jump operands, `label('x')` sets one.
 */
import {
  type CodeProblem,
  type FunctionCode,
  Op,
  type Program,
  type StaticObject,
} from '../../../engine/vm/bytecode.ts';
import { EXACT } from '../../../engine/vm/slots.ts';

type Operand = number | string;
type Line = { op: keyof typeof Op; operands: Operand[] } | { label: string };

export const op = (name: keyof typeof Op, ...operands: Operand[]): Line => ({ op: name, operands });
export const label = (name: string): Line => ({ label: name });

export interface FunctionOptions {
  parameters?: number;
  frameSize?: number;
  constants?: (number | bigint)[];
  loops?: number;
  problems?: CodeProblem[];
  returnsValue?: boolean;
}

const origin = { file: 0, start: 0, end: 0 };

export function assemble(name: string, options: FunctionOptions, lines: readonly Line[]): FunctionCode {
  const labels = new Map<string, number>();
  let pc = 0;
  for (const line of lines) {
    if ('label' in line) labels.set(line.label, pc);
    else pc++;
  }
  const words: number[] = [];
  const rows: FunctionCode['lines'] = [];
  for (const line of lines) {
    if (!('op' in line)) continue;
    rows.push({
      pc: words.length / 4,
      origin: { file: 0, start: words.length, end: words.length + 1 },
      statement: true,
    });
    const operands = line.operands.map((operand) => {
      if (typeof operand === 'number') return operand;
      const target = labels.get(operand);
      if (target === undefined) throw new Error(`no label ${operand}`);
      return target;
    });
    words.push(Op[line.op], operands[0] ?? 0, operands[1] ?? 0, operands[2] ?? 0);
  }
  const constants = options.constants ?? [];
  const isWide = (value: number | bigint): value is bigint =>
    typeof value === 'bigint' && (value > BigInt(EXACT) || value < -BigInt(EXACT));
  return {
    name,
    code: Int32Array.from(words),
    constants: Float64Array.from(constants, (value) => (isWide(value) ? Number.NaN : Number(value))),
    wideConstants: BigInt64Array.from(constants, (value) => (isWide(value) ? BigInt.asIntN(64, value) : 0n)),
    frameSize: options.frameSize ?? 16,
    parameterSlots: options.parameters ?? 0,
    returnsValue: options.returnsValue ?? true,
    lines: rows,
    loops: Array.from({ length: options.loops ?? 1 }, () => ({ origin })),
    problems: options.problems ?? [],
    locals: [],
    origin,
  };
}

/** A program of these functions, in order. `compiled` lists the functions asked for, in the order they were. */
export class TestProgram implements Program {
  readonly statics: StaticObject[];
  readonly compiled: string[] = [];
  private readonly functions: readonly FunctionCode[];

  constructor(functions: readonly FunctionCode[], statics: StaticObject[] = []) {
    this.functions = functions;
    this.statics = statics;
  }

  functionCode(index: number): FunctionCode {
    const code = this.functions[index];
    if (code === undefined) throw new Error(`no function ${index}`);
    this.compiled.push(code.name);
    return code;
  }

  functionName(index: number): string {
    return this.functions[index]?.name ?? `function ${index}`;
  }

  /** 1000 sites a function, so that a test can read them. */
  siteOf(functionIndex: number, pc: number): number {
    return functionIndex * 1000 + pc + 1;
  }
}
