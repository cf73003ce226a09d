/**
 * Why an instruction or a firmware command was refused, where its code alone does not say it: several checks give the same code, and a command is about
 * several pages. Found where the check is made; words for experts, without the code.
 */
import type { Hardware } from './machine.ts';

export interface Refusal {
  /** The trace event of the instruction or command: the next one to be recorded when it was refused. */
  readonly event: number;
  /** The rest of a sentence "RMPADJUST …: FAIL_PERMISSION, …", without its full stop. */
  readonly reason: string;
  /** Trace event that last changed the page that stood in the way; -1 if there is none. */
  readonly cause: number;
}

/**
 * Note why, and hand the code through: `return refuse(hw, code, 'the page …', pfn)`. Comes before the event.
 *
 * @param page system frame that stands in the way; -1: it is no page
 */
export function refuse<Code>(hw: Hardware, code: Code, reason: string, page = -1): Code {
  hw.refusal = { event: hw.trace.length, reason, cause: page < 0 ? -1 : hw.rmp.lastChange(page) };
  return code;
}
