/** Pointer arithmetic where it is not simply within one object. */
import { FUNCTION_OBJECT, OBJECT_SLOTS, Op, PAGE_OBJECT, TrapCode } from './bytecode.ts';
import type { SlotArray } from './slots.ts';
import { binary64 } from './values.ts';

const FIRST_PAGE = PAGE_OBJECT * OBJECT_SLOTS;

/** Index of the function that a pointer means; -1 if it means none. */
export function functionOf(pointer: number): number {
  const object = Math.floor(pointer / OBJECT_SLOTS);
  const isFunction = object >= FUNCTION_OBJECT && object < PAGE_OBJECT && pointer === object * OBJECT_SLOTS;
  return isFunction ? object - FUNCTION_OBJECT : -1;
}

/** A number in a pointer's place: NULL, an error value, an address the C code computes with. Arithmetic on it is arithmetic. */
const isPlainNumber = (pointer: number): boolean => !(pointer >= OBJECT_SLOTS);

/**
 * R[a] = R[b] + R[c] slots where the result lies in another object. Returns the trap's code, unless R[b] is a plain number, or the struct page of a pfn,
 * which stand in one array: OBJECT_SLOTS slots apart; then 0.
 */
export function addToPointer(file: SlotArray, a: number, b: number, c: number): number {
  const pointer = file.values[b];
  if (!isPlainNumber(pointer) && !(pointer >= FIRST_PAGE && pointer + file.values[c] >= FIRST_PAGE)) {
    return TrapCode.OutOfBounds;
  }
  binary64(file, Op.ADD_I64, a, b, c);
  return 0;
}

/** R[a] = R[b] - R[c] where the two lie in different objects; the same exceptions. */
export function subtractPointers(file: SlotArray, a: number, b: number, c: number): number {
  const left = file.values[b];
  const right = file.values[c];
  if (!(isPlainNumber(left) && isPlainNumber(right)) && !(left >= FIRST_PAGE && right >= FIRST_PAGE)) {
    return TrapCode.BadPointer;
  }
  binary64(file, Op.SUB_I64, a, b, c);
  return 0;
}
