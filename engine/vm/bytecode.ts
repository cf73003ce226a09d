/**
 * The bytecode: what the C front end emits and the VM runs. Register code over doubles.
 *
 * ## Values
 * Every register and memory slot is a double in a Float64Array.
 *  - An integer is its mathematical value (signed types negative, unsigned types not) as long as |value| <= 2^53.
 *  - A 64-bit integer beyond that is WIDE: the double is NaN and the exact value stands at the same index of a parallel BigInt64Array
 *    (two's complement bits; the reader's type says signed or unsigned). No other value is ever NaN.
 *  - A pointer is `object * OBJECT_SLOTS + slot`, NULL is 0. An integer cast to a pointer keeps its number (so ERR_PTR(-12) is -12, and any
 *    value that is no valid object traps when it is dereferenced). Objects are
 *      1 .. 2^30-1           heap and static objects
 *      STACK_OBJECT + t      the stack of thread t: slot = absolute index into the thread's registers, so &local is just that
 *      FUNCTION_OBJECT + f   function f (slot 0)
 *      PAGE_OBJECT + pfn     the struct page of a pfn (opaque to C)
 *  - Memory is slots, not bytes: a scalar is one slot, a struct the sum of its members, a bit-field group one slot per storage unit,
 *    union members overlay from the same slot.
 *
 * ## Code
 * Int32Array, four words per instruction: op, a, b, c. Registers are relative to the frame pointer. A function's locals and temporaries are
 * registers 0 .. frameSize-1; its parameters are the first ones. Address-taken locals and aggregates need nothing special: LEA makes a
 * pointer into the stack object.
 *
 * ## Calls
 * Arguments are put into consecutive registers from `base` on; the callee's frame starts at `base`; the result comes back in `base`.
 * A struct passed by value occupies its slots; a struct result is returned through a hidden first argument (pointer to the result).
 */

export const OBJECT_SLOTS = 2 ** 20;
export const STACK_OBJECT = 2 ** 30;
export const FUNCTION_OBJECT = 2 ** 30 + 2 ** 16;
export const PAGE_OBJECT = 2 ** 31;

/** Integer kinds as instruction operands. */
export const IntKind = { I8: 0, U8: 1, I16: 2, U16: 3, I32: 4, U32: 5, I64: 6, U64: 7, BOOL: 8 } as const;
export type IntKind = (typeof IntKind)[keyof typeof IntKind];

/**
 * Opcodes. `R[x]` is register x of the current frame. Kind-suffixed arithmetic wraps as in C (signed overflow wraps too; the kernel is built
 * with -fno-strict-overflow). Dense numbers: the interpreter's switch becomes a jump table.
 */
export const Op = {
  /** R[a] = R[b] */
  MOV: 0,
  /** R[a] = b (signed 32-bit immediate) */
  LDI: 1,
  /** R[a] = constants[b] (may be wide) */
  LDC: 2,

  // 32-bit: R[a] = R[b] op R[c]
  ADD_I32: 3,
  SUB_I32: 4,
  MUL_I32: 5,
  DIV_I32: 6,
  MOD_I32: 7,
  AND_I32: 8,
  OR_I32: 9,
  XOR_I32: 10,
  SHL_I32: 11,
  SHR_I32: 12,
  ADD_U32: 13,
  SUB_U32: 14,
  MUL_U32: 15,
  DIV_U32: 16,
  MOD_U32: 17,
  AND_U32: 18,
  OR_U32: 19,
  XOR_U32: 20,
  SHL_U32: 21,
  SHR_U32: 22,
  // 64-bit: exact, with a slow path through BigInt
  ADD_I64: 23,
  SUB_I64: 24,
  MUL_I64: 25,
  DIV_I64: 26,
  MOD_I64: 27,
  AND_I64: 28,
  OR_I64: 29,
  XOR_I64: 30,
  SHL_I64: 31,
  SHR_I64: 32,
  ADD_U64: 33,
  SUB_U64: 34,
  MUL_U64: 35,
  DIV_U64: 36,
  MOD_U64: 37,
  AND_U64: 38,
  OR_U64: 39,
  XOR_U64: 40,
  SHL_U64: 41,
  SHR_U64: 42,
  // Division by zero traps with TrapCode.DivideByZero. Shift counts are taken modulo the width, as x86 does.

  /** R[a] = R[b] + c, c an immediate, for the common i++ / p->x forms. Kinds as above. */
  ADDI_I32: 43,
  ADDI_U32: 44,
  ADDI_I64: 45,
  ADDI_U64: 46,
  /** R[a] = -R[b]; ~R[b]; c = IntKind */
  NEG: 47,
  NOT: 48,
  /** R[a] = !R[b] as 0/1 (pointers too) */
  LNOT: 49,
  /** R[a] = R[b] cmp R[c] as 0/1; operands already have one common type. c-kind: see CMP note. */
  EQ: 50,
  NE: 51,
  LT: 52,
  LE: 53,
  /** Unsigned 64-bit / pointer compares, needed only because a WIDE value's sign depends on its type. LT/LE above are signed for WIDE. */
  LT_U64: 54,
  LE_U64: 55,
  /** R[a] = (IntKind c) R[b]: C conversion, wraps; BOOL gives 0/1 */
  CVT: 56,

  /** pc = a (an instruction index, not a word index) */
  JMP: 57,
  /** if (R[a]) / if (!R[a]) pc = b */
  JT: 58,
  JF: 59,
  /** if (R[a] cmp R[b]) pc = c */
  JEQ: 60,
  JNE: 61,
  JLT: 62,
  JLE: 63,
  JLT_U64: 64,
  JLE_U64: 65,
  /** Back edge of loop b (index into FunctionCode.loops): pc = a, and the step budget is charged; when it is used up: TrapCode.Budget with the loop. */
  LOOP: 66,

  /**
   * Call function b (program-wide index) with its frame at R[a]; c = number of argument slots. The callee's other registers start as 0. What the
   * callee's frame covered of the caller's registers (from a + 1 on) is lost.
   */
  CALL: 67,
  /** Call native b with arguments at R[a..a+c); the result goes to R[a]. */
  CALLN: 68,
  /** Call through the function pointer R[b]; frame at R[a]; c = argument slots. NULL or not a function traps. */
  CALLP: 69,
  /** Return R[a] (result to the callee's register 0). */
  RET: 70,
  RETV: 71,

  /** R[a] = pointer to register b of this frame */
  LEA: 72,
  /** R[a] = mem[R[b] + c slots] ; traps: NullDereference, BadPointer, OutOfBounds, UseAfterFree */
  LD: 73,
  /** mem[R[a] + b slots] = R[c] */
  ST: 74,
  /** Copy c slots: from pointer R[b] to pointer R[a]. */
  COPY: 75,
  /** Zero b slots at pointer R[a]; */
  ZERO: 76,
  /** Zero registers a .. a+b-1; c unused */
  ZEROR: 77,
  /** Copy c registers from b to a (may overlap like memmove). */
  MOVN: 78,
  /**
   * R[a] = R[b] + R[c] slots, R[c] already scaled; traps OutOfBounds when the slot number would leave 0 .. OBJECT_SLOTS-1. On what is no
   * object (NULL, an error value, a wide number) it is plain arithmetic; the struct pages of pfns stand OBJECT_SLOTS apart, as one array.
   */
  PADD: 79,
  /**
   * R[a] = R[b] + c slots (c may be negative: container_of). Never traps: the pointer may leave its object as long as nobody looks, and
   * LD/ST with the offset that brings it back see the object again (list_for_each_entry ends on a container that is none).
   */
  PADDI: 80,
  /** R[a] = (R[b] - R[c]) in slots, traps BadPointer for different objects; on what PADD treats as plain numbers it is arithmetic. */
  PDIFF: 81,

  /** Bit-fields in a storage unit held in a register: R[a] = bits of R[b]; c = offset | width << 8 | signed << 16 */
  BFX: 82,
  /** R[a] = R[a] with the field replaced by R[b]; c as for BFX (unit treated as U64) */
  BFI: 83,

  /** Stop with TrapCode.Unsupported (Undefined if the problem's rule is C-UNDEFINED); a = index into FunctionCode.problems */
  TRAP: 84,
  /** Tell the observer: note(kind a, value R[b], c, or R[c] for NoteKind.Progress). No effect on the state. See NoteKind. */
  NOTE: 85,
  /** Native variant: address of static object b: R[a] = statics[b] pointer (object allocated when the program is instantiated). */
  LDSTATIC: 86,
  /** R[a] = function pointer of function b */
  LDFUNC: 87,
  /** R[a] = R[b] * c in 64-bit signed, for scaling an index */
  SCALE: 88,
} as const;
export type Op = (typeof Op)[keyof typeof Op];

/** What NOTE can tell; the VM passes it through and does not know what it means. */
export const NoteKind = {
  /** A loop variable whose typedef is a progress type (gfn_t, kvm_pfn_t) was advanced; value = new value, c = register that holds the old value. */
  Progress: 1,
  /** A call whose result must be propagated has returned; value = the result. */
  MustPropagate: 2,
  /** Stands in the place of an instruction while a debugger wants to stop before it (engine/debug). */
  Break: 3,
} as const;

export const TrapCode = {
  Unsupported: 1,
  NullDereference: 2,
  BadPointer: 3,
  OutOfBounds: 4,
  UseAfterFree: 5,
  DivideByZero: 6,
  Budget: 7,
  StackOverflow: 8,
  /** A call to a function that nobody defines (neither C nor native nor stub). */
  Undefined: 9,
  /** BUG()/BUG_ON and the like, raised by a native. */
  Bug: 10,
  /** A value that a native cannot take (e.g. wide where a page number is needed). */
  BadArgument: 11,
} as const;
export type TrapCode = (typeof TrapCode)[keyof typeof TrapCode];

/** Where a piece of code came from: a half-open range of offsets in a source file of the program. */
export interface Origin {
  /** Index into Program.files. */
  file: number;
  start: number;
  end: number;
}

/** One row of the line table; rows are sorted by pc, a row holds until the next one. */
export interface LineRow {
  /** Instruction index. */
  pc: number;
  origin: Origin;
  /** True where a debugger may stop: the first instruction of a statement. */
  statement: boolean;
}

export interface LoopInfo {
  /** The `while`/`for`/`do` keyword or controlling expression. */
  origin: Origin;
}

/** A construct that cannot run, found while compiling and reported only if reached. */
export interface CodeProblem {
  origin: Origin;
  /** Rule id: C-SYNTAX, C-UNSUPPORTED, C-UNDEFINED, C-TYPE. */
  rule: string;
  message: string;
  /** For an undefined function: its name (quick fix: stub). */
  name?: string;
}

/** A variable for the debugger. */
export interface LocalInfo {
  name: string;
  register: number;
  /** Index into Program.types (opaque to the VM). */
  type: number;
  parameter: boolean;
  /** Instruction range in which it is in scope. */
  from: number;
  to: number;
}

export interface FunctionCode {
  name: string;
  /** Words, four per instruction. */
  code: Int32Array;
  constants: Float64Array;
  /** Exact values of the constants that are NaN above (two's complement). */
  wideConstants: BigInt64Array;
  /** Registers of the frame. */
  frameSize: number;
  parameterSlots: number;
  returnsValue: boolean;
  lines: LineRow[];
  loops: LoopInfo[];
  problems: CodeProblem[];
  locals: LocalInfo[];
  origin: Origin;
}

/** What the VM asks of the program it runs. Functions are compiled when first called. */
export interface Program {
  /** The compiled function; compiles it now if need be. Never throws: a function that cannot be compiled at all is one TRAP. */
  functionCode(index: number): FunctionCode;
  functionName(index: number): string;
  /** Pointer (see Values) of static object `index`, allocating and initialising it in `memory` on first use is the program's business. */
  readonly statics: StaticObject[];
  /** Program-wide number (>= 1) of an instruction, for the trace; without it sites are 0. The VM asks once per instruction. */
  siteOf?(functionIndex: number, pc: number): number;
}

/** A file-scope variable or string literal. */
export interface StaticObject {
  name: string;
  slots: number;
  /** Initial values by slot (others 0); pointers to other statics / functions are given as such. */
  init: StaticInit[];
  /**
   * For string literals: the text, one character (U+0000 .. U+00FF) for each byte of it in UTF-8; then slots = length + 1 and init is empty: the
   * VM fills in the bytes as signed chars.
   */
  text?: string;
}
export type StaticInit =
  | { slot: number; value: number; wide?: bigint }
  | { slot: number; function: number }
  | { slot: number; static: number; offset: number };
