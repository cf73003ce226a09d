/**
 * What runs, instruction by instruction: the scenario's program and the bytecode of C (`engine/vm/bytecode.ts`), with addresses, as disassembly views
 * want them.
 *
 * An address is a number of our own making: the scenario's program first, then the functions by their numbers, {@link REGION} apart; instructions are
 * 16 bytes (four words). All lies above {@link CODE_BASE}, beyond every byte of an RMP, so that an address says by itself which of the two it means.
 */
import type { Location } from '../base/diagnostic.ts';
import { hex } from '../base/text.ts';
import type { Instruction } from '../scenario/program.ts';
import { disassembleInstruction } from '../vm/disassemble.ts';
import { lineRow, localsAt } from '../vm/line-table.ts';
import type { Frame } from './frames.ts';
import type { DebugSession } from './session.ts';

export const CODE_BASE = 2 ** 47;
const REGION = 2 ** 24;
export const INSTRUCTION_BYTES = 16;

/** An instruction: of a function of C, or of the scenario (`function` undefined). */
export interface CodePoint {
  function: number | undefined;
  pc: number;
}

export interface DisassembledInstruction {
  address: number;
  text: string;
  /** The words of C's bytecode, in hexadecimal. */
  bytes?: string;
  /** The function it belongs to, or the scenario. */
  symbol: string;
  location: Location | undefined;
}

export function addressOf({ function: index, pc }: CodePoint): number {
  return CODE_BASE + (index === undefined ? 0 : index + 1) * REGION + pc * INSTRUCTION_BYTES;
}

/** What an address means, whether or not there is such an instruction; undefined for what is no address of code. */
export function pointAt(address: number): CodePoint | undefined {
  if (!Number.isSafeInteger(address) || address < CODE_BASE) return undefined;
  const region = Math.floor((address - CODE_BASE) / REGION);
  return { function: region === 0 ? undefined : region - 1, pc: Math.floor((address % REGION) / INSTRUCTION_BYTES) };
}

/** Where a frame stands; undefined for the call of a sequence, which is no instruction. */
export function pointOf(frame: Frame, innermost: boolean): CodePoint | undefined {
  if (frame.kind === 'c') return { function: frame.view.function, pc: frame.view.pc };
  return innermost ? { function: undefined, pc: frame.instruction } : undefined;
}

export class Disassembly {
  private readonly session: DebugSession;
  /** Functions that stand in a listing, by their numbers. */
  private functions: number[] | undefined;

  constructor(session: DebugSession) {
    this.session = session;
  }

  /** Whether there is such an instruction. */
  has(point: CodePoint): boolean {
    return point.pc < this.lengthOf(point.function);
  }

  /**
   * `count` instructions, the first of them `offset` instructions behind (or, negative, in front of) an address; what lies beyond the first and the
   * last is undefined. Undefined as a whole if the address means nothing.
   */
  list(address: number, offset: number, count: number): (DisassembledInstruction | undefined)[] | undefined {
    const point = pointAt(address);
    if (point === undefined || !this.has(point)) return undefined;
    const regions = this.regionsWith(point.function);
    let at = regions.indexOf(point.function);
    let pc = point.pc + offset;
    while (pc < 0 && at > 0) pc += this.lengthOf(regions[--at]);
    while (at < regions.length && pc >= this.lengthOf(regions[at])) pc -= this.lengthOf(regions[at++]);
    const rows: (DisassembledInstruction | undefined)[] = [];
    for (; rows.length < count; pc++) {
      while (at < regions.length && pc >= this.lengthOf(regions[at])) {
        at++;
        pc = 0;
      }
      rows.push(pc < 0 || at >= regions.length ? undefined : this.row({ function: regions[at], pc }));
    }
    return rows;
  }

  /** Everything that can be listed, in the order of addresses. */
  private regionsWith(index: number | undefined): readonly (number | undefined)[] {
    const { program } = this.session.machine;
    this.functions ??= [...new Set([...program.names()].flatMap((name) => this.inC(name)))];
    if (index !== undefined && !this.functions.includes(index)) this.functions.push(index);
    this.functions.sort((a, b) => a - b);
    return [undefined, ...this.functions];
  }

  private inC(name: string): number[] {
    const found = this.session.machine.program.find(name);
    return found === undefined || found.location.path === '' ? [] : [found.index];
  }

  /** Instructions of a function, and the place after the last of the scenario. */
  private lengthOf(index: number | undefined): number {
    if (index === undefined) return this.session.unit.code.length + 1;
    const isKnown = this.functions?.includes(index) === true || this.isFunction(index);
    return isKnown ? this.session.machine.program.functionCode(index).code.length / 4 : 0;
  }

  /** Numbers are given as functions are met; one that was not given means nothing. */
  private isFunction(index: number): boolean {
    const { program } = this.session.machine;
    for (const name of program.names()) if (program.find(name)?.index === index) return true;
    return this.session.frames().some((frame) => frame.kind === 'c' && frame.view.function === index);
  }

  private row(point: CodePoint): DisassembledInstruction {
    const address = addressOf(point);
    const { unit } = this.session;
    if (point.function === undefined) {
      const instruction = unit.code[point.pc];
      return {
        address,
        text: instruction === undefined ? 'end' : this.text(instruction),
        symbol: unit.name,
        location: instruction === undefined ? undefined : this.session.locationOf(instruction),
      };
    }
    const { program, vm } = this.session.machine;
    const code = program.functionCode(point.function);
    const row = lineRow(code, point.pc);
    const locals = localsAt(code, point.pc);
    const text = disassembleInstruction(code, point.pc, {
      functionName: (index) => `${program.functionName(index)}()`,
      nativeName: (index) => `${/(\w+)\s*\(/.exec(vm.natives[index]?.prototype ?? '')?.[1] ?? index}()`,
      staticName: (index) => program.statics[index]?.name ?? String(index),
      placeName: (pc) => hex(addressOf({ ...point, pc })),
      registerName: (register) => locals.findLast((local) => local.register === register)?.name,
    });
    const words = [...code.code.subarray(point.pc * 4, point.pc * 4 + 4)];
    return {
      address,
      text,
      bytes: words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join(' '),
      symbol: code.name,
      location: row === undefined ? undefined : program.location(row.origin),
    };
  }

  private text(instruction: Instruction): string {
    const { variableNames, allows } = this.session.unit;
    const at = (pc: number): string => hex(addressOf({ function: undefined, pc }));
    switch (instruction.kind) {
      case 'step':
        return `step     ${instruction.text}`;
      case 'expect':
        return `expect   ${instruction.text.replace(/^expect\s+/, '')}`;
      case 'let':
        return `let      ${variableNames[instruction.variable]}`;
      case 'for':
        return `for      ${variableNames[instruction.variable]}, exit -> ${at(instruction.exit)}`;
      case 'next':
        return `next     -> ${at(instruction.head)}`;
      case 'allow':
        return `allow    ${allows[instruction.allow]?.rule}`;
      case 'allow-end':
        return `allow-end ${allows[instruction.allow]?.rule}`;
    }
  }
}
