/**
 * Trace events about runs of pages. A loop that stores one attribute per gfn, or unmaps one pfn after the other, makes one event per run
 * instead of one per page: `page` is the first page of the run and `code` the number of pages in it.
 *
 * The last event of the trace is extended in place while the run goes on: same step, thread, C site and stack, same old and new value, next
 * page. The owner journals what {@link record} returned, so that undo shortens the run again before the trace is truncated.
 */
import type { EventKind, Trace } from '../trace/trace.ts';

export class RunRecorder {
  private readonly trace: Trace;
  private readonly kind: EventKind;

  constructor(trace: Trace, kind: EventKind) {
    this.trace = trace;
    this.kind = kind;
  }

  /** True when the page belongs to the run that the last event of the trace describes. */
  extends(space: number, page: number, before: number, after: number): boolean {
    const trace = this.trace;
    const last = trace.length - 1;
    if (last < 0 || trace.kind[last] !== this.kind || trace.page[last] + trace.code[last] !== page) return false;
    if (trace.a[last] !== before || trace.b[last] !== after || trace.space[last] !== space) return false;
    if (trace.locate !== undefined) trace.locate();
    const now = trace.now;
    return (
      trace.step[last] === now.step &&
      trace.thread[last] === now.thread &&
      trace.site[last] === now.site &&
      trace.stack[last] === now.stack
    );
  }

  /** Index of the event that now covers `page`. `cause` counts for the first page of a run. */
  record(space: number, page: number, before: number, after: number, cause: number): number {
    const trace = this.trace;
    if (this.extends(space, page, before, after)) {
      const last = trace.length - 1;
      trace.code[last]++;
      return last;
    }
    return trace.record(this.kind, space, page, 1, before, after, cause);
  }

  /** Take one page of a run back: the reverse of {@link record}. */
  shorten(event: number): void {
    this.trace.code[event]--;
  }
}
