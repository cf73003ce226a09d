/**
 * What lowering of one function keeps at hand: the emitter, the registers, the loops and labels it is in, and the program it belongs to.
 *
 * Registers are a stack. Locals and temporaries are taken from the top and given back in reverse order; call arguments are evaluated at the top,
 * where the callee's frame begins. A scalar local is used in place wherever its value is wanted, so reading it costs nothing.
 */
import { type CodeProblem, Op, type Origin } from '../vm/bytecode.ts';
import { Emitter, type Label } from './lower-emitter.ts';
import { message, Rule } from './messages.ts';
import type { CSymbol, FunctionSymbol, VariableSymbol } from './scope.ts';
import type { CaseStatement, Expression, FunctionSyntax } from './syntax.ts';
import type { CType } from './types.ts';

/** What a call by name reaches. */
export type CallTarget =
  | { kind: 'function'; index: number }
  | { kind: 'native'; index: number }
  | { kind: 'undefined' }
  | { kind: 'wrong'; message: string };

/** The program, as a function being lowered needs it. */
export interface LowerHost {
  callTarget(symbol: FunctionSymbol, given: number): CallTarget;
  /** Program-wide index of a function by name, defined or not, for its address. */
  functionIndex(symbol: FunctionSymbol): number;
  /** Index of a file-scope or static variable; a problem if nobody defines it or it cannot be initialised. */
  staticIndex(symbol: VariableSymbol): number | CodeProblem;
  stringIndex(text: string): number;
  typeIndex(type: CType): number;
  /** Must the result of this function not be dropped? */
  mustPropagate(symbol: FunctionSymbol): boolean;
  readonly progressTypes: ReadonlySet<string>;
}

export interface OpenLoop {
  breakLabel: Label;
  /** Absent for a switch, which `continue` passes through. */
  continueLabel: Label | undefined;
  /** How many scope guards were pending where it began. */
  guards: number;
  /** Variables of the controlling expression. */
  controls: ReadonlySet<CSymbol>;
}

/** More registers than any kernel stack has room for: 16 KiB of locals, a slot each. */
export const MAX_FRAME = 1 << 14;

export class Lowering {
  readonly emitter: Emitter;
  readonly host: LowerHost;
  readonly syntax: FunctionSyntax;
  /** First free register. */
  top = 0;
  frameSize = 0;
  readonly open: OpenLoop[] = [];
  /** Variables with a cleanup function whose blocks are open, outermost first. */
  readonly guards: VariableSymbol[] = [];
  readonly labels = new Map<string, Label>();
  parameterSlots = 0;
  readonly caseLabels = new Map<CaseStatement, Label>();
  /** Holds the pointer through which a struct is returned. */
  resultPointer: number | undefined;
  private readonly variables = new Set<number>();

  constructor(syntax: FunctionSyntax, host: LowerHost) {
    this.syntax = syntax;
    this.host = host;
    this.emitter = new Emitter(syntax.origin);
  }

  /** Registers at the top; they are contiguous. */
  take(count = 1): number {
    const register = this.top;
    this.top += count;
    if (this.top > this.frameSize) this.frameSize = this.top;
    return register;
  }

  /** A register of a variable must keep its value until an expression is complete; a temporary may be written early. */
  isTemporary(register: number): boolean {
    return !this.variables.has(register);
  }

  /** Give a variable its registers, and the debugger its name. */
  declare(symbol: VariableSymbol, slots: number): void {
    const register = this.take(Math.max(slots, 1));
    symbol.register = register;
    for (let i = 0; i < Math.min(slots, MAX_FRAME); i++) this.variables.add(register + i);
    const { emitter } = this;
    emitter.locals.push({
      name: symbol.name,
      register,
      type: this.host.typeIndex(symbol.type),
      parameter: symbol.storage === 'parameter',
      from: emitter.pc,
      to: -1,
    });
  }

  /** A block: its variables end with it, `leave` being called before they do. */
  block(body: () => void, leave?: () => void): void {
    const mark = this.top;
    const first = this.emitter.locals.length;
    body();
    leave?.();
    for (let r = mark; r < this.top; r++) this.variables.delete(r);
    this.top = mark;
    const { locals, pc } = this.emitter;
    for (let i = first; i < locals.length; i++) if (locals[i].to < 0) locals[i].to = pc;
  }

  /** Temporaries taken in `body` are given back. */
  temporary<T>(body: () => T): T {
    const mark = this.top;
    const result = body();
    this.top = mark;
    return result;
  }

  trap(origin: Origin, rule: string, text: string, name?: string): void {
    const problem: CodeProblem = { origin, rule, message: text };
    if (name !== undefined) problem.name = name;
    this.emitter.at(origin, () => this.emitter.trap(problem));
  }

  trapProblem(problem: CodeProblem): void {
    this.emitter.at(problem.origin, () => this.emitter.trap(problem));
  }

  unsupported(e: Expression, what: string): void {
    this.trap(e.origin, Rule.Unsupported, message.unsupported(what));
  }

  move(to: number, from: number): number {
    if (to !== from) this.emitter.emit(Op.MOV, to, from);
    return to;
  }

  /** Is a loop open whose controlling expression names this variable? */
  controlled(symbol: VariableSymbol): boolean {
    return this.open.some((loop) => loop.controls.has(symbol));
  }
}
