/**
 * The kernel's log. Rate-limited printk()s print every time: nothing here has a clock. pr_debug() is off unless asked for, as with dynamic
 * debug. The number of lines kept is bounded; what comes after is counted.
 */
import type { Journal } from '../base/journal.ts';
import { EventKind, type Trace } from '../trace/trace.ts';
import { formatPrintk } from '../vm/format.ts';
import type { Native } from '../vm/native.ts';
import { JournalledList, JournalledValue } from './journalled.ts';
import type { KernelState } from './kernel-state.ts';

export interface LogLine {
  /** KERN_* level: 3 error, 4 warning, 5 notice, 6 info, 7 debug. */
  level: number;
  text: string;
  /** Trace index of its Log event, which knows step, C site and stack. */
  event: number;
}

const KEPT = 4096;

export class KernelLog {
  private readonly trace: Trace;
  private readonly list: JournalledList<LogLine>;
  private readonly lost: JournalledValue<number>;

  constructor(journal: Journal, trace: Trace) {
    this.trace = trace;
    this.list = new JournalledList(journal);
    this.lost = new JournalledValue(journal, 0);
  }

  append(level: number, text: string): void {
    if (this.list.length >= KEPT) {
      this.lost.set(this.lost.value + 1);
      return;
    }
    const event = this.trace.record(EventKind.Log, 0, -1, 0, this.list.length, level, -1);
    this.list.push({ level, text: text.replace(/\n$/, ''), event });
  }

  get lines(): readonly LogLine[] {
    return this.list.all;
  }

  /** Lines that were printed after the log was full. */
  get dropped(): number {
    return this.lost.value;
  }
}

export function logNatives(kernel: KernelState): Native[] {
  return [
    {
      prototype: 'int __printk(int level, const char *fmt, ...)',
      call(call) {
        kernel.log.append(call.num(0), formatPrintk(call, 1));
        return 0;
      },
    },
    {
      // Whether pr_debug() prints.
      prototype: 'int __pr_debug_enabled(void)',
      call: () => (kernel.config.debugLog ? 1 : 0),
    },
  ];
}
