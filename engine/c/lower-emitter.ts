/**
 * The code buffer of one function: instructions, labels, constants, and the line table that leads every instruction back to its source.
 *
 * Code that cannot be reached is not emitted: after a jump, return or trap everything is dropped until a label that something jumps to. That is
 * what removes the branches of constant conditions.
 */
import {
  type CodeProblem,
  type FunctionCode,
  type LineRow,
  type LocalInfo,
  type LoopInfo,
  Op,
  type Origin,
} from '../vm/bytecode.ts';

export type Label = number;

const WORDS = 4;

export class Emitter {
  readonly loops: LoopInfo[] = [];
  readonly problems: CodeProblem[] = [];
  readonly locals: LocalInfo[] = [];
  reachable = true;
  /** Where the code being emitted comes from. */
  origin: Origin;
  private statement = false;
  private readonly words: number[] = [];
  private readonly lines: LineRow[] = [];
  private readonly constants: number[] = [];
  private readonly wides: bigint[] = [];
  private readonly constantIndex = new Map<bigint, number>();
  private readonly targets: number[] = [];
  private readonly used: boolean[] = [];
  private readonly fixups: { word: number; label: Label }[] = [];
  private lastBound = -1;

  constructor(origin: Origin) {
    this.origin = origin;
  }

  /** Index of the next instruction. */
  get pc(): number {
    return this.words.length / WORDS;
  }

  emit(op: Op, a = 0, b = 0, c = 0): void {
    if (!this.reachable) return;
    this.row();
    this.words.push(op, a, b, c);
    if (op === Op.JMP || op === Op.RET || op === Op.RETV || op === Op.TRAP || op === Op.LOOP) this.reachable = false;
  }

  /** The next instruction begins a statement. */
  beginStatement(origin: Origin): void {
    this.origin = origin;
    this.statement = true;
  }

  /** Emit on behalf of another piece of source, then go back. */
  at<T>(origin: Origin, body: () => T): T {
    const outer = this.origin;
    this.origin = origin;
    const result = body();
    this.origin = outer;
    return result;
  }

  private row(): void {
    const last = this.lines[this.lines.length - 1];
    const { origin, statement, pc } = this;
    if (last !== undefined && last.pc === pc) {
      last.origin = origin;
      last.statement ||= statement;
    } else if (last === undefined || statement || last.origin !== origin) {
      this.lines.push({ pc, origin, statement });
    }
    this.statement = false;
  }

  label(): Label {
    this.targets.push(-1);
    this.used.push(false);
    return this.targets.length - 1;
  }

  /** Put a label here. `always`: code may come that jumps back to it (loop heads, `goto` labels). */
  bind(label: Label, always = false): void {
    // A jump to the very next instruction is no jump.
    const fixup = this.fixups[this.fixups.length - 1];
    const words = this.words;
    if (
      !this.reachable &&
      fixup !== undefined &&
      fixup.label === label &&
      fixup.word === words.length - 3 &&
      words[words.length - 4] === Op.JMP &&
      this.lastBound !== this.pc
    ) {
      words.length -= WORDS;
      this.fixups.pop();
      this.reachable = true;
    }
    this.targets[label] = this.pc;
    this.lastBound = this.pc;
    if (always || this.used[label]) this.reachable = true;
  }

  /** Labels that something jumps to and that never came: their statement could not be read. Here is where such a jump ends. */
  bindMissing(): boolean {
    let any = false;
    for (let label = 0; label < this.targets.length; label++) {
      if (!this.used[label] || this.targets[label] >= 0) continue;
      this.bind(label);
      any = true;
    }
    return any;
  }

  isBound(label: Label): boolean {
    return this.targets[label] >= 0;
  }

  jump(label: Label): void {
    this.branch(Op.JMP, 0, 0, label);
  }

  /** A jump or conditional branch; the label stands where the opcode wants its target. */
  branch(op: Op, a: number, b: number, label: Label): void {
    if (!this.reachable) return;
    this.used[label] = true;
    const word = this.words.length + (op === Op.JMP || op === Op.LOOP ? 1 : op === Op.JT || op === Op.JF ? 2 : 3);
    this.fixups.push({ word, label });
    this.emit(op, a, b, 0);
  }

  /** The back edge of a loop: jumps, and is charged to the step budget. */
  loop(label: Label, info: LoopInfo): void {
    if (!this.reachable) return;
    this.loops.push(info);
    this.branch(Op.LOOP, 0, this.loops.length - 1, label);
  }

  /** R[register] = an integer that is exact in its type. */
  load(register: number, value: bigint): void {
    if (value >= -(1n << 31n) && value < 1n << 31n) {
      this.emit(Op.LDI, register, Number(value));
      return;
    }
    let index = this.constantIndex.get(value);
    if (index === undefined) {
      index = this.constants.length;
      this.constantIndex.set(value, index);
      const exact = value >= -(1n << 53n) && value <= 1n << 53n;
      this.constants.push(exact ? Number(value) : Number.NaN);
      this.wides.push(BigInt.asIntN(64, value));
    }
    this.emit(Op.LDC, register, index);
  }

  trap(problem: CodeProblem): void {
    if (!this.reachable) return;
    this.problems.push(problem);
    this.emit(Op.TRAP, this.problems.length - 1);
  }

  finish(name: string, frameSize: number, parameterSlots: number, returnsValue: boolean, origin: Origin): FunctionCode {
    const code = Int32Array.from(this.words);
    for (const { word, label } of this.fixups) code[word] = this.targets[label];
    return {
      name,
      code,
      constants: Float64Array.from(this.constants),
      wideConstants: BigInt64Array.from(this.wides),
      frameSize,
      parameterSlots,
      returnsValue,
      lines: this.lines,
      loops: this.loops,
      problems: this.problems,
      locals: this.locals,
      origin,
    };
  }
}
