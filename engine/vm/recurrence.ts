/**
 * A loop that will never end, found without waiting for it: when a thread comes back to the end of a loop with the same registers and nothing was
 * written to the journal in between, the next turn is this turn again. A retry that can never succeed is of that kind.
 *
 * Looking costs something, so it is done in short windows of turns that begin at powers of two: a window remembers the state at its first turn and
 * compares the others with it, which finds every recurrence of up to {@link WINDOW} turns. Where a window stands depends on the turns made alone, so
 * slicing a run does not change what is found.
 */
import type { Thread } from './thread.ts';

/** Turns and calls before the first look; loops of ordinary size are never looked at. */
const FIRST = 4096;
/** Turns of a window: a recurrence may take several turns, of inner loops for example. */
export const WINDOW = 1024;

export class Recurrence {
  private pc = -1;
  private depth = 0;
  private written = 0;
  private values = new Float64Array(0);
  private wide = new BigInt64Array(0);

  /** Nothing is remembered. */
  forget(): void {
    this.pc = -1;
  }

  /**
   * The thread is at the end of a loop turn, `pc`, with `turns` turns made and `written` numbers in the journal; its registers end before `top`.
   * Whether it has been there before in the very same state.
   */
  seen(thread: Thread, pc: number, depth: number, top: number, written: number): boolean {
    const { values, wide } = thread.registers;
    if (this.pc < 0) {
      this.pc = pc;
      this.depth = depth;
      this.written = written;
      this.values = values.slice(0, top);
      this.wide = wide.slice(0, top);
      return false;
    }
    if (pc !== this.pc || depth !== this.depth || written !== this.written || top !== this.values.length) return false;
    for (let i = 0; i < top; i++) {
      if (values[i] === this.values[i]) continue;
      const bothWide = Number.isNaN(values[i]) && Number.isNaN(this.values[i]);
      if (!bothWide || wide[i] !== this.wide[i]) return false;
    }
    return true;
  }
}

/** Whether a turn lies in a window. */
export const isInWindow = (turns: number): boolean => turns >= FIRST && turns - windowStart(turns) < WINDOW;

/** The first turn after `turns` that lies in a window. */
export function nextLook(turns: number): number {
  if (turns + 1 < FIRST) return FIRST;
  const start = windowStart(turns + 1);
  return turns + 1 - start < WINDOW ? turns + 1 : start * 2;
}

const windowStart = (turns: number): number => 2 ** Math.floor(Math.log2(turns));
