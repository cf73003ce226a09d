/**
 * What an operation of the language does: one function per key of the operations table. An operation either finishes at once or asks for a call
 * into the kernel's C and is resumed with its result; what it must remember in between is numbers in `state`, so that a run can be stopped,
 * copied and continued at any instruction.
 */
import type { Actor, Value } from '../scenario/program.ts';
import type { Machine } from './machine.ts';
import type { Outcome } from './outcome.ts';

/** A step with its operands evaluated. */
export interface StepArguments {
  actor: Actor;
  /** In the order of the table's operands; undefined: not given and without default. */
  values: readonly (Value | undefined)[];
  /** For kernel.<function>. */
  callee: string | undefined;
}

export type Action =
  | { kind: 'done'; outcome: Outcome }
  /** Call a C function; integer arguments and pointers as numbers. */
  | { kind: 'call'; function: string; args: readonly (number | bigint)[] };

/** What an operation remembers between calls: plain numbers, zeroed at the start. */
export type OperationState = number[];

export interface Operation {
  start(machine: Machine, args: StepArguments, state: OperationState): Action;
  /** `result` is the C function's return value, as its prototype's type has it. */
  resume?(machine: Machine, args: StepArguments, state: OperationState, result: number | bigint): Action;
}

export const done = (outcome: Outcome): Action => ({ kind: 'done', outcome });
export const call = (name: string, ...args: (number | bigint)[]): Action => ({ kind: 'call', function: name, args });

/** Outcome of a kernel call that returns 0 or a negative errno. */
export function errnoOutcome(result: number | bigint): Outcome {
  const n = Number(result);
  if (n < 0) return { ok: false, errno: -n };
  return n === 0 ? { ok: true } : { ok: false, value: result };
}

// ---- operands

export const number = (value: Value | undefined): number => {
  if (value === undefined) return 0;
  switch (value.kind) {
    case 'bool':
      return value.value ? 1 : 0;
    case 'int':
    case 'gpa':
    case 'gfn':
    case 'pfn':
    case 'spa':
    case 'size':
      return value.value;
    default:
      throw new Error(`operand of kind ${value.kind} where a number belongs`);
  }
};

export const word = (value: Value | undefined): string => (value?.kind === 'word' ? value.word : '');
export const flag = (value: Value | undefined): boolean => value?.kind === 'bool' && value.value;

export const guestIndex = (value: Value | undefined): number => {
  if (value?.kind !== 'guest') throw new Error('operand is no guest');
  return value.guest;
};

/** A range operand in bytes or frames, as written. */
export function range(value: Value | undefined): { start: number; end: number } {
  if (value === undefined || !('start' in value)) throw new Error('operand is no range');
  return value;
}
