// What scopes and variables are made of: rows, and things with rows in them that the client asks for by number.

import { slotsOf } from '../../../engine/c/layout.ts';
import { isRecord, renderType } from '../../../engine/c/types.ts';
import { evaluateC } from '../../../engine/debug/c-expression.ts';
import {
  assign,
  type CChild,
  type CValue,
  childrenOf,
  expands,
  formatC,
  peek,
  scalarOf,
} from '../../../engine/debug/c-values.ts';
import { watchedId } from '../../../engine/debug/data-watch.ts';
import type { DebugSession } from '../../../engine/debug/session.ts';
import { OBJECT_SLOTS, STACK_OBJECT } from '../../../engine/vm/bytecode.ts';
import type { FrameView } from '../../../engine/vm/unwind.ts';
import { type Args, isObject } from './requests.ts';

export interface Row {
  name: string;
  value: string;
  type?: string;
  inside?: Container;
  /** An expression that gives this row. */
  evaluateName?: string;
  memoryReference?: string;
  /** Id of a data breakpoint on it. */
  dataId?: string;
  /** Give it another value; returns what is wrong, if anything. */
  set?: (value: string) => string | undefined;
}

export interface Container {
  /** Children that have a number for a name, if there are many; they are asked for in pages. */
  indexed?: number;
  rows(start: number, count: number, asHex: boolean): Row[];
}

/** Whether a request wants its values in hexadecimal. */
export const asHex = (args: Args): boolean => isObject(args.format) && args.format.hex === true;

export const fixed = (make: (asHex: boolean) => Row[]): Container => ({
  rows: (start, count, asHex) => make(asHex).slice(start, start + count),
});

/** A variable of C. @param frame whose variable it is, for those on the stack */
export function cRow(
  session: DebugSession,
  child: CChild,
  frame: FrameView | undefined,
  path: string,
  asHex: boolean,
): Row {
  const { machine } = session;
  const { value } = child;
  const row: Row = {
    name: child.name,
    value: formatC(machine, value, asHex),
    type: renderType(value.type),
    evaluateName: path,
  };
  if (expands(machine, value)) row.inside = cContainer(session, value, frame, path);
  const scalar = !isRecord(value.type) && value.type.kind !== 'array';
  if (scalar && value.place !== undefined) row.set = (text) => setC(session, frame, value, text);
  if (value.place !== undefined && slotsOf(value.type) <= 64) {
    const onStack = value.place >= STACK_OBJECT * OBJECT_SLOTS;
    row.dataId = watchedId({
      kind: 'c',
      pointer: value.place,
      slots: slotsOf(value.type),
      depth: onStack && frame !== undefined ? frame.depth : -1,
      function: frame?.function ?? 0,
    });
  }
  return row;
}

export function cContainer(
  session: DebugSession,
  value: CValue,
  frame: FrameView | undefined,
  path: string,
): Container {
  const { machine } = session;
  const named = (child: CChild): string => {
    if (child.name === '*') return `*${path}`;
    if (child.name.startsWith('[')) return `${path}${child.name}`;
    return value.type.kind === 'pointer' ? `${path}->${child.name}` : `${path}.${child.name}`;
  };
  const rows = (start: number, count: number, asHex: boolean): Row[] =>
    childrenOf(machine, value, start, count).map((child) => cRow(session, child, frame, named(child), asHex));
  if (value.type.kind === 'array') return { indexed: value.type.length, rows };
  return { rows: (start, count, asHex) => rows(0, Number.POSITIVE_INFINITY, asHex).slice(start, start + count) };
}

/** Assign what a C expression amounts to, as a what-if. */
export function setC(
  session: DebugSession,
  frame: FrameView | undefined,
  target: CValue,
  text: string,
): string | undefined {
  const { machine } = session;
  const result = peek(machine, () => {
    const value = evaluateC(machine, frame, text);
    if ('error' in value) return value.error;
    return scalarOf(machine, value.value) ?? 'This is no number.';
  });
  if (typeof result === 'string') return result;
  // Tried first: what cannot be done must not become a what-if.
  const trial = peek(machine, () => {
    const before = machine.thread.status === 'idle' ? undefined : machine.thread.snapshot();
    const wrong = assign(machine, target, result);
    if (before !== undefined) machine.thread.restore(before);
    return wrong;
  });
  if (trial !== undefined) return trial;
  session.whatIf(() => void assign(machine, target, result));
  return undefined;
}
