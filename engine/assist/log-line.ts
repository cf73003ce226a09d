/**
 * What kernel logs and traces say about the RMP, decoded: raw entries, failures of RMPUPDATE and PSMASH, page-fault error codes, Page State Change
 * requests. Works on any text: a log, a comment in a scenario, a mail. The shapes are those of Linux's printk() and trace events, of the RFC series,
 * of the tree that went upstream, and of QEMU; prefixes and time stamps do not matter.
 */
import { faultFormats } from './log-fault.ts';
import { kvmFormats } from './log-kvm.ts';
import { rmpFormats } from './log-rmp.ts';

/** What was recognised in one line of text. */
export interface Decoded {
  /** Offsets in the text that was given. */
  start: number;
  end: number;
  /** The whole in one line, what matters first. */
  summary: string;
  /** Field, value, meaning (which may be empty). */
  rows: readonly { field: string; value: string; meaning: string }[];
  /** What to make of it; may be empty. */
  note: string;
  /** The kernel function, trace event or document that it is from. */
  source: string;
}

/** One shape of a message. */
export interface LogFormat {
  /** With flag `g`. Cheap to fail: it is tried on every line. */
  pattern: RegExp;
  /** Undefined if it only looked like it. */
  decode(match: RegExpExecArray, line: string): Omit<Decoded, 'start' | 'end'> | undefined;
}

/** Specific shapes first: where two match at one place, the first is meant. */
const formats: readonly LogFormat[] = [...rmpFormats, ...faultFormats, ...kvmFormats];

/** No line that a kernel prints is longer (LOG_LINE_MAX); what is, is not looked at to its end. */
const LONGEST_LINE = 2048;

/** Characters that every shape has one of: a line without is not looked at. */
const PROMISING = /0x|\[|rmp|pfn|gpa|gfn|psc|ghcb/i;

/** Everything that is recognised, in the order of the text; none overlaps another. */
export function decodeText(text: string, limit = Number.POSITIVE_INFINITY): Decoded[] {
  const found: Decoded[] = [];
  for (let start = 0; start <= text.length && found.length < limit; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    found.push(...decodeLine(text.slice(start, Math.min(end, start + LONGEST_LINE)), start));
    start = end + 1;
  }
  return found;
}

/** What stands at an offset. */
export function decodeAt(text: string, offset: number): Decoded | undefined {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  if (offset - start > LONGEST_LINE) return undefined;
  const newline = text.indexOf('\n', offset);
  const line = text.slice(start, Math.min(newline < 0 ? text.length : newline, start + LONGEST_LINE));
  return decodeLine(line, start).find((one) => offset >= one.start && offset <= one.end);
}

/** @param base offset of the line */
function decodeLine(line: string, base: number): Decoded[] {
  if (!PROMISING.test(line)) return [];
  const found: Decoded[] = [];
  for (const format of formats) {
    format.pattern.lastIndex = 0;
    for (let match = format.pattern.exec(line); match !== null; match = format.pattern.exec(line)) {
      if (match[0] === '') break;
      const start = base + match.index;
      const end = start + match[0].length;
      if (found.some((one) => start < one.end && one.start < end)) continue;
      const decoded = format.decode(match, line);
      if (decoded !== undefined) found.push({ start, end, ...decoded });
    }
  }
  return found.sort((a, b) => a.start - b.start);
}
