// Which pages an expression of the language is about: for data breakpoints, and for the raw bytes behind a value.

import { withValuesOfC } from '../../../engine/debug/c-in-scenario.ts';
import { peek } from '../../../engine/debug/c-values.ts';
import type { Watched } from '../../../engine/debug/data-watch.ts';
import type { Frame } from '../../../engine/debug/frames.ts';
import type { DebugSession } from '../../../engine/debug/session.ts';

/** `rmp(g, 0..64K)`, `rmp(0x40000..0x40010)`, `npt(g, 4K)`, `attr(g, 0..2M)`; undefined for anything else. */
export function pagesOfExpression(
  session: DebugSession,
  expression: string,
  frame: Frame | undefined,
): Watched | undefined {
  const { machine } = session;
  const match = /^\s*(rmp|npt|attr)\s*\((?:\s*(\w+)\s*,)?(.*)\)\s*$/s.exec(expression);
  if (match === null) return undefined;
  const guest = machine.guests.findIndex(({ name }) => name === match[2]);
  if (match[2] !== undefined && guest < 0) return undefined;
  const inScenario = frame?.kind === 'scenario';
  const text = inScenario || frame === undefined ? match[3] : withValuesOfC(machine, frame.view, `(${match[3]})`);
  const result = peek(machine, () => session.evaluate(text, undefined, inScenario ? frame.instruction : undefined));
  if (!('value' in result)) return undefined;
  const { value } = result;
  let { start, end } =
    'start' in value
      ? value
      : 'value' in value && typeof value.value === 'number'
        ? { start: value.value, end: value.value + 1 }
        : { start: -1, end: -1 };
  if (start < 0 || end <= start) return undefined;
  if (guest < 0) return match[1] === 'rmp' ? { kind: 'rmp', start, end } : undefined;
  const inFrames = value.kind === 'gfn' || value.kind === 'gfn-range';
  if (!inFrames) [start, end] = [Math.floor(start / 4096), Math.ceil(end / 4096)];
  if (match[1] !== 'rmp') return { kind: match[1] as 'npt', asid: machine.guests[guest].asid, start, end };
  const pfn = peek(machine, () => machine.backingPfn(guest, start * 4096));
  return pfn === undefined ? undefined : { kind: 'rmp', start: pfn, end: pfn + (end - start) };
}
