/**
 * Natives: what C calls but we provide in TypeScript (hardware instructions, page references, log …). Natives are leaves: they never call back
 * into C. Each comes with its C prototype, which the C front end parses like any other declaration, so calls are type-checked and converted.
 */

/** The arguments of a running native call. Valid only during the call. */
export interface NativeCall {
  /** Number of argument slots passed (varargs included). */
  readonly count: number;
  /** Argument as an exact double; a WIDE argument traps with BadArgument. */
  num(index: number): number;
  /** Argument as the 64-bit pattern it is, also when wide; signed as stored. */
  big(index: number): bigint;
  isWide(index: number): boolean;
  /** NUL-terminated string behind a `char *` argument, decoded from UTF-8; `(null)` for NULL; traps on a bad pointer. */
  str(index: number): string;
  /**
   * Read / write one slot through a pointer; trap like LD / ST; `load` traps with BadArgument on a wide value. Writes are journalled, but for
   * those to the running thread's own stack, which its snapshots hold.
   */
  load(pointer: number, slot: number): number;
  loadBig(pointer: number, slot: number): bigint;
  store(pointer: number, slot: number, value: number): void;
  storeBig(pointer: number, slot: number, value: bigint): void;
  /** Allocate a heap object of so many slots, zeroed; returns its pointer. Free it with {@link free}. */
  allocate(slots: number): number;
  free(pointer: number): void;
  /** Return a value beyond 2^53: store it and return the marker that the VM recognises. */
  wide(value: bigint): number;
  /** Number of the running thread. */
  readonly thread: number;
  /** Stop the thread with a trap at the call. Does not return: like every other trap here it leaves the native at once. */
  trap(code: number, message: string): number;
}

export interface Native {
  /** C prototype, e.g. `int psmash_insn(u64 pfn)`; a trailing `...` allows varargs. */
  prototype: string;
  call(call: NativeCall): number;
}

/** A table of natives, made by a factory that is given the machine the natives act on. */
export type NativeTable = readonly Native[];
