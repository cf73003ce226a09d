/**
 * The trace: what happened, in order, as append-only typed columns. Everything a user sees (diagnostics, hints, the debugger, the map) is
 * a projection of it. "Why is this page so?" is a walk over `cause`.
 *
 * Columns of an event
 *   kind    EventKind
 *   step    index of the scenario step (instance) that was running
 *   thread  actor thread number
 *   site    program-wide C site number (see engine/vm: `siteOf`), 0 when not in C
 *   stack   CallTree node of the C stack, 0 when not in C
 *   page    the page it is about: pfn for RMP, direct-map and reference events, gfn for attribute and NPT events; -1 if none
 *   space   which address space `page` is in: 0 = host physical, otherwise the guest's ASID
 *   code    result code, error code or errno (signed, 32 bit)
 *   a, b    two operands whose meaning depends on the kind (see EventKind)
 *   cause   index of the event this one follows from: for a state change, the instruction that made it is the event itself and `cause` is
 *           the previous change of the same (space, page); -1 if none
 *
 * The trace is truncated, never rewritten: `truncate(n)` takes it back to its first n events, exactly.
 */
import { CallTree } from './call-tree.ts';

/** Event kinds with the meaning of `a` and `b`. */
export const EventKind = {
  /** a = packed operand flags: bit0 assigned, bit1 pagesize (1 = 2M), bit2 immutable, bits 31..3 ASID; b = GPA. code = return code. page = pfn of the operand. */
  Rmpupdate: 1,
  /** page = pfn; code = return code. */
  Psmash: 2,
  /** page = pfn the guest's address resolved to (-1 if none); a = page size (0/1) | validate << 1 | CF << 2; b = GPA; space = ASID; code = EAX, or -1 when it faulted. */
  Pvalidate: 3,
  /** RMPADJUST. page, b, space and code as Pvalidate; a = page size | (target VMPL | mask << 8 | VMSA << 16) << 1. */
  Rmpadjust: 4,
  /** RMPQUERY. page, b, space and code as Pvalidate; a = target VMPL | mask << 8 | VMSA << 16 | page size << 17. */
  Rmpquery: 5,
  /** RMPREAD, or the kernel reading an entry that is not there. page = pfn; code = return code; a, b as Rmpupdate. */
  Rmpread: 6,
  /** A firmware command. page = pfn; a = command id; b = argument; code = firmware status. */
  Firmware: 7,
  /** RMP raw entry written outside the instructions (reset, what-if). page = pfn. */
  RmpWrite: 8,
  /** Fault: page = gfn or pfn; a = fault vector (see Fault); b = error code (may exceed 32 bits). */
  Fault: 16,
  /** A guest or host memory access that succeeded. a = access type, b = address. */
  Access: 17,
  /** Attribute xarray: page = first gfn, code = number of gfns, space = ASID; a = old, b = new. */
  Attribute: 24,
  /** NPT entry set: page = gfn, space = ASID; a = pfn, b = level. Zapped: a = -1, b = pages zapped, code = pages of the range that was to be zapped. */
  Npt: 25,
  /** Direct map: page = first pfn, code = number of pfns; a = old level*2+present, b = new level*2+present. */
  DirectMap: 26,
  /** Page reference: page = pfn; a = delta (+1/-1); b = new count. */
  PageRef: 27,
  /** get_pfn on a restrictedmem / guest_memfd file: page = pfn or -1; a = index; code = errno (0 ok); b = order. */
  GetPfn: 28,
  /** Lock: a = lock id, b = +1 acquire / -1 release. */
  Lock: 29,
  /** Log line: a = index in the kernel's log, b = level. */
  Log: 30,
  /** A C function whose result must be propagated returned non-zero: code = the value; site = the call. a = depth of the caller's frame. */
  FailedResult: 31,
  /** A gfn/pfn loop variable advanced: a = delta, b = new value. site = the statement. */
  Progress: 32,
  /** TLB flush: space = ASID, 0 for all. */
  TlbFlush: 33,
  /** Pages given back to the kernel's allocator: page = first pfn, code = number of pages. */
  PageFree: 34,
} as const;
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

/** Where the machine is; written by whoever drives it, read when an event is recorded. */
export interface Now {
  step: number;
  thread: number;
  site: number;
  stack: number;
}

const INITIAL = 256;

export class Trace {
  readonly now: Now = { step: -1, thread: 0, site: 0, stack: 0 };
  readonly calls = new CallTree();

  length = 0;
  kind = new Uint8Array(INITIAL);
  step = new Int32Array(INITIAL);
  thread = new Uint8Array(INITIAL);
  site = new Uint32Array(INITIAL);
  stack = new Uint32Array(INITIAL);
  page = new Float64Array(INITIAL);
  space = new Uint16Array(INITIAL);
  code = new Int32Array(INITIAL);
  a = new Float64Array(INITIAL);
  b = new Float64Array(INITIAL);
  cause = new Int32Array(INITIAL);

  /**
   * Called before site and stack are read, so that a VM can keep them lazily. The runner sets it to the running thread's
   * "write my position into now" function; `undefined` when no C runs.
   */
  locate: (() => void) | undefined;

  /** Told of every event, once it is there, and whenever a run of pages grows; for a debugger that wants to stop at some. May not record events. */
  observe: ((event: number) => void) | undefined;
  /** Of an event about a run of pages: the pages at the run's end that {@link observe} is told of. */
  news = 1;

  /** Append an event; returns its index. */
  record(kind: EventKind, space: number, page: number, code: number, a: number, b: number, cause: number): number {
    const i = this.length;
    if (i === this.kind.length) this.grow();
    if (this.locate !== undefined) this.locate();
    const now = this.now;
    this.kind[i] = kind;
    this.step[i] = now.step;
    this.thread[i] = now.thread;
    this.site[i] = now.site;
    this.stack[i] = now.stack;
    this.page[i] = page;
    this.space[i] = space;
    this.code[i] = code;
    this.a[i] = a;
    this.b[i] = b;
    this.cause[i] = cause;
    this.length = i + 1;
    if (this.observe !== undefined) this.observe(i);
    return i;
  }

  truncate(length: number): void {
    this.length = length;
  }

  private grow(): void {
    // Copying is what growing costs: fewer and larger steps while that is cheap in memory.
    const n = this.kind.length * (this.kind.length < 1 << 18 ? 4 : 2);
    this.kind = resized(this.kind, new Uint8Array(n));
    this.step = resized(this.step, new Int32Array(n));
    this.thread = resized(this.thread, new Uint8Array(n));
    this.site = resized(this.site, new Uint32Array(n));
    this.stack = resized(this.stack, new Uint32Array(n));
    this.page = resized(this.page, new Float64Array(n));
    this.space = resized(this.space, new Uint16Array(n));
    this.code = resized(this.code, new Int32Array(n));
    this.a = resized(this.a, new Float64Array(n));
    this.b = resized(this.b, new Float64Array(n));
    this.cause = resized(this.cause, new Int32Array(n));
  }
}

function resized<T extends { set(source: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}
