/**
 * The loop that runs bytecode. Everything it touches per instruction is a local: typed arrays, the frame pointer, the next word. What is rare
 * (wide integers, foreign stacks, every trap) is elsewhere, so that this stays small enough to be optimised as one piece.
 *
 * The case labels are literal numbers because only then the engine makes a jump table of them; a test holds them against Op.
 */
// biome-ignore-all lint/suspicious/noSelfCompare: v !== v asks whether a slot is wide, in one comparison.
import { FUNCTION_OBJECT, NoteKind, OBJECT_SLOTS, STACK_OBJECT, TrapCode } from './bytecode.ts';
import { addToPointer, functionOf, subtractPointers } from './pointers.ts';
import { copyWide, EXACT } from './slots.ts';
import { MAX_DEPTH, type Thread } from './thread.ts';
import { stop } from './trap.ts';
import * as slow from './values.ts';
import type { Budget, RunResult, Vm } from './vm.ts';

const WORD = 2 ** 32;
const PER_WORD = 1 / WORD;
const PER_OBJECT = 1 / OBJECT_SLOTS;
const SLOT_MASK = OBJECT_SLOTS - 1;
/** Addresses from here on are no heap object's. */
const HEAP_END = STACK_OBJECT * OBJECT_SLOTS;
const POWER = Float64Array.from({ length: 64 }, (_, n) => 2 ** n);
const PER_POWER = Float64Array.from({ length: 64 }, (_, n) => 2 ** -n);
/** Instructions counted down at a time, so that the counter is a small integer. */
const CHUNK = 2 ** 30;

/** Run `thread` (whose status is running) until it ends or `budget` is used up; the budget's rest is written back. */
export function execute(vm: Vm, thread: Thread, budget: Budget): RunResult {
  const memory = vm.memory;
  const journal = vm.journal;
  const access = vm.access;
  const call = vm.call;
  const natives = vm.natives;
  const observer = vm.observer;
  const slotOwner = memory.slotOwner;
  const stack = (STACK_OBJECT + thread.number) * OBJECT_SLOTS;

  // The thread.
  const file = thread.registers;
  let regs = file.values;
  let halves = file.halves;
  let functions = thread.functions;
  let pcs = thread.pcs;
  let fps = thread.fps;
  let depth = thread.depth;
  let loopBudget = thread.loopBudget;
  let lookAt = thread.lookAt;

  // The running frame.
  let fp = fps[depth];
  let i = pcs[depth] << 2;
  let loaded = vm.load(functions[depth]);
  let code = loaded.code;
  let top = fp + loaded.frameSize;

  // The heap: read again after whatever may have made an object.
  let heap = memory.slots.values;
  let bases = memory.bases;
  let limits = memory.limits;
  let objects = memory.count;

  let rest = budget.instructions;
  let chunk = Math.min(rest, CHUNK) | 0;
  let remaining = chunk;

  let trapCode = 0;
  let operand = 0;
  let result: RunResult = 'paused';

  run: for (;;) {
    if (remaining <= 0) {
      rest -= chunk;
      if (!(rest > 0)) {
        chunk = 0;
        pcs[depth] = i >> 2;
        break;
      }
      chunk = Math.min(rest, CHUNK) | 0;
      remaining = chunk;
    }
    remaining--;
    const op = code[i];
    const a = code[i + 1];
    const b = code[i + 2];
    const c = code[i + 3];
    i += 4;
    switch (op) {
      case 0: /* MOV */ {
        const v = regs[fp + b];
        regs[fp + a] = v;
        if (v !== v) copyWide(halves, fp + a, halves, fp + b);
        break;
      }
      case 1: // LDI
        regs[fp + a] = b;
        break;
      case 2: /* LDC */ {
        const v = loaded.constants[b];
        regs[fp + a] = v;
        if (v !== v) copyWide(halves, fp + a, loaded.wideConstants, b);
        break;
      }

      case 3: // ADD_I32
        regs[fp + a] = (regs[fp + b] + regs[fp + c]) | 0;
        break;
      case 4: // SUB_I32
        regs[fp + a] = (regs[fp + b] - regs[fp + c]) | 0;
        break;
      case 5: // MUL_I32
        regs[fp + a] = Math.imul(regs[fp + b], regs[fp + c]);
        break;
      case 6: // DIV_I32
      case 7: // MOD_I32
      case 16: // DIV_U32
      case 17: // MOD_U32
        if (regs[fp + c] === 0) {
          trapCode = TrapCode.DivideByZero;
          break run;
        }
        slow.divide32(file, op, fp + a, fp + b, fp + c);
        break;
      case 8: // AND_I32
        regs[fp + a] = regs[fp + b] & regs[fp + c];
        break;
      case 9: // OR_I32
        regs[fp + a] = regs[fp + b] | regs[fp + c];
        break;
      case 10: // XOR_I32
        regs[fp + a] = regs[fp + b] ^ regs[fp + c];
        break;
      case 11: // SHL_I32
        regs[fp + a] = regs[fp + b] << slow.lowHalf(file, fp + c);
        break;
      case 12: // SHR_I32
        regs[fp + a] = regs[fp + b] >> slow.lowHalf(file, fp + c);
        break;
      case 13: // ADD_U32
        regs[fp + a] = (regs[fp + b] + regs[fp + c]) >>> 0;
        break;
      case 14: // SUB_U32
        regs[fp + a] = (regs[fp + b] - regs[fp + c]) >>> 0;
        break;
      case 15: // MUL_U32
        regs[fp + a] = Math.imul(regs[fp + b], regs[fp + c]) >>> 0;
        break;
      case 18: // AND_U32
        regs[fp + a] = (regs[fp + b] & regs[fp + c]) >>> 0;
        break;
      case 19: // OR_U32
        regs[fp + a] = (regs[fp + b] | regs[fp + c]) >>> 0;
        break;
      case 20: // XOR_U32
        regs[fp + a] = (regs[fp + b] ^ regs[fp + c]) >>> 0;
        break;
      case 21: // SHL_U32
        regs[fp + a] = (regs[fp + b] << slow.lowHalf(file, fp + c)) >>> 0;
        break;
      case 22: // SHR_U32
        regs[fp + a] = regs[fp + b] >>> slow.lowHalf(file, fp + c);
        break;

      case 23: // ADD_I64
      case 33: /* ADD_U64 */ {
        const r = regs[fp + b] + regs[fp + c];
        if (r < EXACT && (r >= 0 || (op === 23 && r > -EXACT))) regs[fp + a] = r;
        else slow.binary64(file, op, fp + a, fp + b, fp + c);
        break;
      }
      case 24: // SUB_I64
      case 34: /* SUB_U64 */ {
        const r = regs[fp + b] - regs[fp + c];
        if (r < EXACT && (r >= 0 || (op === 24 && r > -EXACT))) regs[fp + a] = r;
        else slow.binary64(file, op, fp + a, fp + b, fp + c);
        break;
      }
      case 25: // MUL_I64
      case 35: /* MUL_U64 */ {
        const r = regs[fp + b] * regs[fp + c];
        if (r < EXACT && r > -EXACT) regs[fp + a] = r + 0;
        else slow.binary64(file, op, fp + a, fp + b, fp + c);
        break;
      }
      // The cut quotient of two integers up to 2^53 is exact: rounding carries x / y up to the next integer q only if q * y is beyond 2^53,
      // and q * y is at most x + 1.
      case 26: // DIV_I64
      case 36: /* DIV_U64 */ {
        const x = regs[fp + b];
        const y = regs[fp + c];
        if (y === 0) {
          trapCode = TrapCode.DivideByZero;
          break run;
        }
        const r = Math.trunc(x / y);
        if (r === r) regs[fp + a] = r + 0;
        else slow.binary64(file, op, fp + a, fp + b, fp + c);
        break;
      }
      case 27: // MOD_I64
      case 37: /* MOD_U64 */ {
        const x = regs[fp + b];
        const y = regs[fp + c];
        if (y === 0) {
          trapCode = TrapCode.DivideByZero;
          break run;
        }
        const r = x - Math.trunc(x / y) * y;
        if (r === r) regs[fp + a] = r;
        else slow.binary64(file, op, fp + a, fp + b, fp + c);
        break;
      }
      case 28: // AND_I64
      case 38: /* AND_U64 */ {
        const x = regs[fp + b];
        const y = regs[fp + c];
        const r = (Math.floor(x * PER_WORD) & Math.floor(y * PER_WORD)) * WORD + ((x & y) >>> 0);
        if (r < EXACT && r > -EXACT && x === x && y === y) regs[fp + a] = r;
        else slow.binary64(file, op, fp + a, fp + b, fp + c);
        break;
      }
      case 29: // OR_I64
      case 39: /* OR_U64 */ {
        const x = regs[fp + b];
        const y = regs[fp + c];
        const r = (Math.floor(x * PER_WORD) | Math.floor(y * PER_WORD)) * WORD + ((x | y) >>> 0);
        if (r < EXACT && r > -EXACT && x === x && y === y) regs[fp + a] = r;
        else slow.binary64(file, op, fp + a, fp + b, fp + c);
        break;
      }
      case 30: // XOR_I64
      case 40: /* XOR_U64 */ {
        const x = regs[fp + b];
        const y = regs[fp + c];
        const r = (Math.floor(x * PER_WORD) ^ Math.floor(y * PER_WORD)) * WORD + ((x ^ y) >>> 0);
        if (r < EXACT && r > -EXACT && x === x && y === y) regs[fp + a] = r;
        else slow.binary64(file, op, fp + a, fp + b, fp + c);
        break;
      }
      case 31: // SHL_I64
      case 41: /* SHL_U64 */ {
        const n = regs[fp + c];
        const r = regs[fp + b] * POWER[n & 63];
        if (r < EXACT && r > -EXACT && n === n) regs[fp + a] = r;
        else slow.binary64(file, op, fp + a, fp + b, fp + c);
        break;
      }
      case 32: // SHR_I64
      case 42: /* SHR_U64 */ {
        const n = regs[fp + c];
        const r = Math.floor(regs[fp + b] * PER_POWER[n & 63]);
        if (r === r && n === n) regs[fp + a] = r;
        else slow.binary64(file, op, fp + a, fp + b, fp + c);
        break;
      }
      case 43: // ADDI_I32
        regs[fp + a] = (regs[fp + b] + c) | 0;
        break;
      case 44: // ADDI_U32
        regs[fp + a] = (regs[fp + b] + c) >>> 0;
        break;
      case 45: // ADDI_I64
      case 46: /* ADDI_U64 */ {
        const r = regs[fp + b] + c;
        if (r < EXACT && (r >= 0 || (op === 45 && r > -EXACT))) regs[fp + a] = r;
        else slow.addImmediate64(file, fp + a, fp + b, c, op === 46);
        break;
      }
      case 47: // NEG
        slow.negate(file, fp + a, fp + b, c);
        break;
      case 48: // NOT
        slow.complement(file, fp + a, fp + b, c);
        break;
      case 49: // LNOT
        regs[fp + a] = regs[fp + b] === 0 ? 1 : 0;
        break;
      case 50: // EQ
      case 51: /* NE */ {
        const x = regs[fp + b];
        const equal = x === regs[fp + c] || (x !== x && slow.equalWide(file, fp + b, fp + c));
        regs[fp + a] = equal === (op === 50) ? 1 : 0;
        break;
      }
      case 52: /* LT */ {
        const x = regs[fp + b];
        const y = regs[fp + c];
        regs[fp + a] = x < y || (!(x >= y) && slow.compare64(file, fp + b, fp + c, false) < 0) ? 1 : 0;
        break;
      }
      case 53: /* LE */ {
        const x = regs[fp + b];
        const y = regs[fp + c];
        regs[fp + a] = x <= y || (!(x > y) && slow.compare64(file, fp + b, fp + c, false) <= 0) ? 1 : 0;
        break;
      }
      case 54: /* LT_U64 */ {
        const x = regs[fp + b];
        const y = regs[fp + c];
        const less = x >= 0 && y >= 0 ? x < y : slow.compare64(file, fp + b, fp + c, true) < 0;
        regs[fp + a] = less ? 1 : 0;
        break;
      }
      case 55: /* LE_U64 */ {
        const x = regs[fp + b];
        const y = regs[fp + c];
        const less = x >= 0 && y >= 0 ? x <= y : slow.compare64(file, fp + b, fp + c, true) <= 0;
        regs[fp + a] = less ? 1 : 0;
        break;
      }
      case 56: /* CVT */ {
        const x = regs[fp + b];
        if (c === 4 && x === x) regs[fp + a] = x | 0;
        else if (c === 5 && x === x) regs[fp + a] = x >>> 0;
        else if (c === 6 && x === x) regs[fp + a] = x;
        else if (c === 7 && x >= 0) regs[fp + a] = x;
        else if (c === 8) regs[fp + a] = x !== 0 ? 1 : 0;
        else slow.convert(file, fp + a, fp + b, c);
        break;
      }

      case 57: // JMP
        i = a << 2;
        break;
      case 58: // JT
        if (regs[fp + a] !== 0) i = b << 2;
        break;
      case 59: // JF
        if (regs[fp + a] === 0) i = b << 2;
        break;
      case 60: // JEQ
      case 61: /* JNE */ {
        const x = regs[fp + a];
        const equal = x === regs[fp + b] || (x !== x && slow.equalWide(file, fp + a, fp + b));
        if (equal === (op === 60)) i = c << 2;
        break;
      }
      case 62: /* JLT */ {
        const x = regs[fp + a];
        const y = regs[fp + b];
        if (x < y || (!(x >= y) && slow.compare64(file, fp + a, fp + b, false) < 0)) i = c << 2;
        break;
      }
      case 63: /* JLE */ {
        const x = regs[fp + a];
        const y = regs[fp + b];
        if (x <= y || (!(x > y) && slow.compare64(file, fp + a, fp + b, false) <= 0)) i = c << 2;
        break;
      }
      case 64: /* JLT_U64 */ {
        const x = regs[fp + a];
        const y = regs[fp + b];
        if (x >= 0 && y >= 0 ? x < y : slow.compare64(file, fp + a, fp + b, true) < 0) i = c << 2;
        break;
      }
      case 65: /* JLE_U64 */ {
        const x = regs[fp + a];
        const y = regs[fp + b];
        if (x >= 0 && y >= 0 ? x <= y : slow.compare64(file, fp + a, fp + b, true) <= 0) i = c << 2;
        break;
      }
      case 66: // LOOP
        if (loopBudget <= lookAt) {
          if (loopBudget <= 0 || thread.recurs(vm, (i >> 2) - 1, depth, top, loopBudget)) {
            trapCode = TrapCode.Budget;
            operand = b;
            break run;
          }
          lookAt = thread.lookAt;
        }
        loopBudget--;
        i = a << 2;
        break;

      case 67: // CALL
      case 69: /* CALLP */ {
        let target = b;
        if (op === 69) {
          target = functionOf(regs[fp + b]);
          if (target < 0) {
            trapCode = regs[fp + b] === 0 ? TrapCode.NullDereference : TrapCode.BadPointer;
            break run;
          }
        }
        if (loopBudget <= 0) {
          trapCode = TrapCode.Budget;
          operand = -1;
          break run;
        }
        const callee = vm.load(target);
        const base = fp + a;
        const end = base + callee.frameSize;
        if (depth + 1 >= MAX_DEPTH || end > vm.stackSlots) {
          trapCode = TrapCode.StackOverflow;
          operand = target;
          break run;
        }
        loopBudget--;
        pcs[depth] = (i >> 2) - 1;
        depth++;
        if (depth >= functions.length || end > regs.length) {
          thread.reserve(depth, end);
          regs = file.values;
          halves = file.halves;
          functions = thread.functions;
          pcs = thread.pcs;
          fps = thread.fps;
        }
        functions[depth] = target;
        pcs[depth] = 0;
        fps[depth] = base;
        thread.nodes[depth] = -1;
        thread.depth = depth;
        fp = base;
        top = end;
        thread.top = end;
        // Whatever earlier calls left behind is no part of the state: a frame starts clean.
        for (let r = base + Math.min(c, callee.parameterSlots); r < end; r++) regs[r] = 0;
        loaded = callee;
        code = callee.code;
        i = 0;
        break;
      }
      case 68: // CALLN
        pcs[depth] = (i >> 2) - 1;
        call.base = fp + a;
        call.count = c;
        trapCode = call.invoke(natives[b]);
        if (trapCode !== 0) break run;
        heap = memory.slots.values;
        bases = memory.bases;
        limits = memory.limits;
        objects = memory.count;
        if (vm.pauseRequested) {
          pcs[depth] = i >> 2;
          break run;
        }
        break;
      case 70: // RET
      case 71: /* RETV */ {
        if (op === 70) {
          const v = regs[fp + a];
          regs[fp] = v;
          if (v !== v) copyWide(halves, fp, halves, fp + a);
        }
        depth--;
        thread.depth = depth;
        if (depth < 0) {
          if (op === 71) regs[0] = 0;
          thread.top = 1;
          thread.status = 'done';
          result = 'done';
          break run;
        }
        fp = fps[depth];
        i = (pcs[depth] << 2) + 4;
        loaded = vm.load(functions[depth]);
        code = loaded.code;
        top = fp + loaded.frameSize;
        thread.top = top;
        break;
      }

      case 72: // LEA
        regs[fp + a] = stack + fp + b;
        break;
      case 73: /* LD */ {
        const address = regs[fp + b] + c;
        if (address < HEAP_END && address >= OBJECT_SLOTS) {
          const object = (address * PER_OBJECT) | 0;
          const slot = address & SLOT_MASK;
          if (object < objects && slot < limits[object]) {
            const at = (bases[object] + slot) | 0;
            const v = heap[at];
            regs[fp + a] = v;
            if (v !== v) copyWide(halves, fp + a, memory.slots.halves, at);
            break;
          }
        } else if (address >= stack && address < stack + top) {
          const at = address & SLOT_MASK;
          const v = regs[at];
          regs[fp + a] = v;
          if (v !== v) copyWide(halves, fp + a, halves, at);
          break;
        }
        trapCode = access.load(thread, regs[fp + b], c, fp + a);
        if (trapCode !== 0) break run;
        break;
      }
      case 74: /* ST */ {
        const address = regs[fp + a] + b;
        const v = regs[fp + c];
        if (address < HEAP_END && address >= OBJECT_SLOTS && v === v) {
          const object = (address * PER_OBJECT) | 0;
          const slot = address & SLOT_MASK;
          if (object < objects && slot < limits[object]) {
            const at = (bases[object] + slot) | 0;
            const old = heap[at];
            if (old === old) journal.write2(slotOwner, at, old);
            else memory.record(at);
            heap[at] = v;
            break;
          }
        } else if (address >= stack && address < stack + top && v === v) {
          regs[address & SLOT_MASK] = v;
          break;
        }
        trapCode = access.store(thread, regs[fp + a], b, fp + c);
        if (trapCode !== 0) break run;
        break;
      }
      case 75: // COPY
        trapCode = access.copy(thread, regs[fp + a], regs[fp + b], c);
        if (trapCode !== 0) break run;
        break;
      case 76: // ZERO
        trapCode = access.zero(thread, regs[fp + a], b);
        if (trapCode !== 0) break run;
        break;
      case 77: // ZEROR
        for (let r = fp + a; r < fp + a + b; r++) regs[r] = 0;
        break;
      case 78: // MOVN
        file.move(fp + a, fp + b, c);
        break;
      case 79: /* PADD */ {
        const p = regs[fp + b];
        const r = p + regs[fp + c];
        if (Math.floor(p * PER_OBJECT) === Math.floor(r * PER_OBJECT)) regs[fp + a] = r;
        else {
          trapCode = addToPointer(file, fp + a, fp + b, fp + c);
          if (trapCode !== 0) break run;
        }
        break;
      }
      case 80: /* PADDI */ {
        const r = regs[fp + b] + c;
        if (r === r) regs[fp + a] = r;
        else slow.addImmediate64(file, fp + a, fp + b, c, false);
        break;
      }
      case 81: /* PDIFF */ {
        const p = regs[fp + b];
        const q = regs[fp + c];
        if (Math.floor(p * PER_OBJECT) === Math.floor(q * PER_OBJECT)) regs[fp + a] = p - q;
        else {
          trapCode = subtractPointers(file, fp + a, fp + b, fp + c);
          if (trapCode !== 0) break run;
        }
        break;
      }

      case 82: /* BFX */ {
        const x = regs[fp + b];
        const rest32 = 32 - ((c >>> 8) & 0xff);
        if (x === x && rest32 >= 0) {
          const bits = (Math.floor(x * PER_POWER[c & 63]) | 0) << rest32;
          regs[fp + a] = (c & 0x10000) !== 0 ? bits >> rest32 : bits >>> rest32;
        } else slow.extractBits(file, fp + a, fp + b, c);
        break;
      }
      case 83: // BFI
        slow.insertBits(file, fp + a, fp + b, c);
        break;
      case 84: // TRAP
        trapCode = TrapCode.Unsupported;
        operand = a;
        break run;
      case 85: // NOTE
        if (observer === undefined) break;
        pcs[depth] = (i >> 2) - 1;
        observer.note(a, regs[fp + b], a === NoteKind.Progress ? regs[fp + c] : c, thread);
        if (vm.pauseRequested) {
          pcs[depth] = i >> 2;
          break run;
        }
        break;
      case 86: // LDSTATIC
        regs[fp + a] = memory.staticPointer(b);
        heap = memory.slots.values;
        bases = memory.bases;
        limits = memory.limits;
        objects = memory.count;
        break;
      case 87: // LDFUNC
        regs[fp + a] = (FUNCTION_OBJECT + b) * OBJECT_SLOTS;
        break;
      case 88: /* SCALE */ {
        const r = regs[fp + b] * c + 0;
        if (r < EXACT && r > -EXACT) regs[fp + a] = r;
        else slow.scale64(file, fp + a, fp + b, c);
        break;
      }
      default:
        throw new Error(`no such opcode: ${op} in ${loaded.source.name} at ${(i >> 2) - 1}`);
    }
  }

  thread.loopBudget = loopBudget;
  vm.pauseRequested = false;
  budget.instructions = rest - (chunk - remaining);
  if (trapCode === 0) return result;
  stop(vm, thread, (i >> 2) - 1, trapCode, operand);
  return 'trapped';
}
