/**
 * Breaks in C: while the machine runs, a NOTE stands in the place of each instruction at which it shall halt, so that the rest runs at full speed.
 * The code is whole again whenever nothing runs: it is shared by all machines of the program.
 */
import { NoteKind, Op } from '../vm/bytecode.ts';
import type { Vm } from '../vm/vm.ts';

const WORDS = 4;

export class CodeBreaks {
  private readonly vm: Vm;
  /** Instructions by function. */
  private readonly wanted = new Map<number, Set<number>>();
  /** What was replaced: function, pc and the four words of each. */
  private replaced: { code: Int32Array; at: number; words: Int32Array }[] = [];

  constructor(vm: Vm) {
    this.vm = vm;
  }

  get isEmpty(): boolean {
    return this.wanted.size === 0;
  }

  clear(): void {
    this.wanted.clear();
  }

  add(functionIndex: number, pc: number): void {
    const pcs = this.wanted.get(functionIndex);
    if (pcs === undefined) this.wanted.set(functionIndex, new Set([pc]));
    else pcs.add(pc);
  }

  insert(): void {
    for (const [index, pcs] of this.wanted) {
      const { code } = this.vm.load(index);
      for (const pc of pcs) {
        const at = pc * WORDS;
        if (at >= code.length) continue;
        this.replaced.push({ code, at, words: code.slice(at, at + WORDS) });
        code.set([Op.NOTE, NoteKind.Break, 0, 0], at);
      }
    }
  }

  remove(): void {
    for (const { code, at, words } of this.replaced) code.set(words, at);
    this.replaced = [];
  }
}
