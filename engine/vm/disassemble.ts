/** A readable listing of a function's code, for golden tests and for people who work on the lowering. */
import { type FunctionCode, IntKind, Op } from './bytecode.ts';

/** Names for what the code refers to by number; where one is missing the number stands. */
export interface ListingNames {
  functionName?(index: number): string;
  nativeName?(index: number): string;
  staticName?(index: number): string;
  /** What a register holds at the instruction: a variable's name. */
  registerName?(register: number): string | undefined;
  /** What stands for an instruction of this function that is jumped to. */
  placeName?(pc: number): string;
}

/**
 * How the operands a, b, c of an opcode read: r register, i immediate, k integer kind, j jump target, p pointer in a register with the next
 * operand as its offset, F function, N native, S static, C constant, L loop, B bit-field, P problem, n count, - unused.
 */
const OPERANDS: Partial<Record<keyof typeof Op, string>> = {
  MOV: 'rr-',
  LDI: 'ri-',
  LDC: 'rC-',
  ADDI_I32: 'rri',
  ADDI_U32: 'rri',
  ADDI_I64: 'rri',
  ADDI_U64: 'rri',
  NEG: 'rrk',
  NOT: 'rrk',
  LNOT: 'rr-',
  CVT: 'rrk',
  JMP: 'j--',
  JT: 'rj-',
  JF: 'rj-',
  JEQ: 'rrj',
  JNE: 'rrj',
  JLT: 'rrj',
  JLE: 'rrj',
  JLT_U64: 'rrj',
  JLE_U64: 'rrj',
  LOOP: 'jL-',
  CALL: 'rFn',
  CALLN: 'rNn',
  CALLP: 'rrn',
  RET: 'r--',
  RETV: '---',
  LEA: 'rr-',
  LD: 'rpi',
  ST: 'pir',
  COPY: 'rrn',
  ZERO: 'rn-',
  ZEROR: 'rn-',
  MOVN: 'rrn',
  PADDI: 'rri',
  BFX: 'rrB',
  BFI: 'rrB',
  TRAP: 'P--',
  NOTE: 'iri',
  LDSTATIC: 'rS-',
  LDFUNC: 'rF-',
  SCALE: 'rri',
};

const NAMES = new Map<number, keyof typeof Op>(
  Object.entries(Op).map(([name, number]) => [number, name as keyof typeof Op]),
);
const KINDS = new Map<number, string>(Object.entries(IntKind).map(([name, number]) => [number, name]));

/** One line per instruction; `>` marks where a statement begins. */
export function disassemble(code: FunctionCode, names: ListingNames = {}): string {
  const statements = new Set(code.lines.filter((row) => row.statement).map((row) => row.pc));
  const lines = [`${code.name}: ${code.parameterSlots} parameters, ${code.frameSize} registers`];
  const width = String(code.code.length / 4).length;
  for (let pc = 0; pc * 4 < code.code.length; pc++) {
    const mark = statements.has(pc) ? '>' : ' ';
    lines.push(`${mark} ${String(pc).padStart(width)}  ${disassembleInstruction(code, pc, names)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The instruction at `pc` alone. */
export function disassembleInstruction(code: FunctionCode, pc: number, names: ListingNames = {}): string {
  const words = code.code.subarray(pc * 4, pc * 4 + 4);
  const name = NAMES.get(words[0]);
  if (name === undefined) return `?${words[0]}`;
  const shape = OPERANDS[name] ?? 'rrr';
  const operands: string[] = [];
  for (let i = 0; i < 3; i++) {
    const value = words[i + 1];
    if (shape[i] === '-') continue;
    if (shape[i] === 'p') operands.push(`[${register(value, names)}${offset(words[++i + 1])}]`);
    else operands.push(operand(code, shape[i], value, names));
  }
  return `${name.padEnd(8)} ${operands.join(', ')}`.trimEnd();
}

function operand(code: FunctionCode, shape: string, value: number, names: ListingNames): string {
  switch (shape) {
    case 'r':
      return register(value, names);
    case 'k':
      return KINDS.get(value) ?? `kind ${value}`;
    case 'j':
      return `-> ${names.placeName?.(value) ?? value}`;
    case 'F':
      return names.functionName?.(value) ?? `function ${value}`;
    case 'N':
      return names.nativeName?.(value) ?? `native ${value}`;
    case 'S':
      return names.staticName?.(value) ?? `static ${value}`;
    case 'C':
      return String(Number.isNaN(code.constants[value]) ? code.wideConstants[value] : code.constants[value]);
    case 'L':
      return `loop ${value}`;
    case 'n':
      return `x${value}`;
    case 'B': {
      const from = value & 0xff;
      const signed = (value & 0x10000) !== 0 ? ' signed' : '';
      return `bits ${from}..${from + ((value >>> 8) & 0xff) - 1}${signed}`;
    }
    case 'P':
      return `problem ${value}: ${code.problems[value]?.message ?? 'unknown'}`;
    default:
      return String(value);
  }
}

function register(number: number, names: ListingNames): string {
  const name = names.registerName?.(number);
  return name === undefined ? `r${number}` : `r${number}:${name}`;
}

const offset = (value: number): string => (value === 0 ? '' : value < 0 ? ` - ${-value}` : ` + ${value}`);
