/**
 * Trace events about runs of pages. A loop that stores one attribute per gfn, or unmaps one pfn after the other, makes one event per run
 * instead of one per page: `page` is the first page of the run and `code` the number of pages in it.
 *
 * An event is extended in place while its run goes on: same step, thread, C site and stack, same old and new value, next page. Other events
 * may come between; the run stands at the place of its first page. The owner journals what {@link record} returned, so that undo shortens the run
 * again before the trace is truncated.
 */
import type { Journal, Undoable } from '../base/journal.ts';
import type { EventKind, Trace } from '../trace/trace.ts';

/** Runs that may be under way at once: one loop body changes a page back and forth at most. */
const OPEN = 2;

export class RunRecorder implements Undoable {
  private readonly journal: Journal;
  private readonly owner: number;
  private readonly trace: Trace;
  private readonly kind: EventKind;
  /** Events of the runs under way, the latest first; -1 = none. Journalled: what is extended after an undo is what a fresh run would extend. */
  private readonly open: number[] = new Array(OPEN).fill(-1);

  constructor(journal: Journal, trace: Trace, kind: EventKind) {
    this.journal = journal;
    this.trace = trace;
    this.kind = kind;
    this.owner = journal.register(this);
  }

  /** Index of the event that now covers `pages` pages from `page` on. `cause` counts for the first page of a run. */
  record(space: number, page: number, before: number, after: number, cause: number, pages = 1): number {
    const { trace, open } = this;
    if (trace.locate !== undefined) trace.locate();
    trace.news = pages;
    for (let i = 0; i < OPEN; i++) {
      if (this.extends(open[i], space, page, before, after)) {
        trace.code[open[i]] += pages;
        if (trace.observe !== undefined) trace.observe(open[i]);
        return open[i];
      }
    }
    const event = trace.record(this.kind, space, page, pages, before, after, cause);
    this.journal.write1(this.owner, open[OPEN - 1]);
    open.copyWithin(1, 0);
    open[0] = event;
    return event;
  }

  undo(data: Float64Array, at: number): void {
    this.open.copyWithin(0, 1);
    this.open[OPEN - 1] = data[at];
  }

  /** Take the last pages of a run back: the reverse of {@link record}. */
  shorten(event: number, pages = 1): void {
    this.trace.code[event] -= pages;
  }

  /** Whether the page is the next one of the run that this event describes. */
  private extends(event: number, space: number, page: number, before: number, after: number): boolean {
    const trace = this.trace;
    if (event < 0 || event >= trace.length || trace.page[event] + trace.code[event] !== page) return false;
    if (trace.kind[event] !== this.kind || trace.a[event] !== before || trace.b[event] !== after) return false;
    const now = trace.now;
    return (
      trace.space[event] === space &&
      trace.step[event] === now.step &&
      trace.thread[event] === now.thread &&
      trace.site[event] === now.site &&
      trace.stack[event] === now.stack
    );
  }
}
