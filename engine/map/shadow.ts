/**
 * The cells of one lane as the story has them so far: what the machine's pages are compared with to see what a step changed.
 *
 * Sparse, like the machine's own tables: nothing for what nobody touched, two cells for a 2M frame whose pages are alike (its head may differ), 512
 * for any other.
 */
import type { CellRun } from './lanes.ts';

const FRAME = 512;
const ALIKE = 2;

export class Shadow {
  private readonly chunks = new Map<number, Uint32Array>();
  private readonly untouched: readonly CellRun[];

  /** @param untouched the cells of pages that were never set; in order */
  constructor(untouched: readonly CellRun[]) {
    this.untouched = untouched;
  }

  /** 2M frames that something was set in, in no order. */
  get frames(): ReadonlyMap<number, unknown> {
    return this.chunks;
  }

  cell(page: number): number {
    const index = page % FRAME;
    const chunk = this.chunks.get((page - index) / FRAME);
    if (chunk === undefined) return this.untouchedCell(page);
    return chunk.length === ALIKE ? chunk[index === 0 ? 0 : 1] : chunk[index];
  }

  /** The cells of a frame where they are few: `[head, others]`. */
  frame(frame: number): readonly [number, number] | undefined {
    const chunk = this.chunks.get(frame);
    if (chunk !== undefined) return chunk.length === ALIKE ? [chunk[0], chunk[1]] : undefined;
    const run = this.runAt(frame * FRAME);
    if (run !== undefined && run.end >= (frame + 1) * FRAME) return [run.cell, run.cell];
    return undefined;
  }

  setFrame(frame: number, head: number, others: number): void {
    this.chunks.set(frame, Uint32Array.of(head, others));
  }

  setPage(page: number, cell: number): void {
    const index = page % FRAME;
    this.full((page - index) / FRAME)[index] = cell;
  }

  /** The pages of a run, all of which had one cell before they changed: what {@link setFrame} and {@link setPage} did is taken back. */
  setRun(start: number, count: number, cell: number): void {
    const end = start + count;
    for (let page = start; page < end; ) {
      const index = page % FRAME;
      const frame = (page - index) / FRAME;
      const stop = Math.min(end, (frame + 1) * FRAME);
      const chunk = this.chunks.get(frame);
      const pages = stop - page;
      if (pages === FRAME) this.setFrame(frame, cell, cell);
      else if (chunk?.length === ALIKE && index === 0 && pages === 1) chunk[0] = cell;
      else if (chunk?.length === ALIKE && index === 1 && pages === FRAME - 1) chunk[1] = cell;
      else this.full(frame).fill(cell, index, index + pages);
      page = stop;
    }
  }

  /** All pages that have a cell other than 0, as runs in order; of the lane's first `pages`. */
  forEachRun(pages: number, visit: (start: number, count: number, cell: number) => void): void {
    const frames = [...this.chunks.keys()].sort((a, b) => a - b);
    let from = 0;
    const rest = (to: number): void => {
      for (const run of this.untouched) {
        const start = Math.max(from, run.start);
        const end = Math.min(to, run.end);
        if (end > start) visit(start, end - start, run.cell);
      }
      from = to;
    };
    for (const frame of frames) {
      rest(frame * FRAME);
      const end = Math.min((frame + 1) * FRAME, pages);
      for (let page = frame * FRAME; page < end; page++) visit(page, 1, this.cell(page));
      from = (frame + 1) * FRAME;
    }
    rest(Math.max(from, pages));
  }

  private full(frame: number): Uint32Array {
    const chunk = this.chunks.get(frame);
    if (chunk !== undefined && chunk.length !== ALIKE) return chunk;
    const full = new Uint32Array(FRAME);
    for (let i = 0; i < FRAME; i++) full[i] = this.cell(frame * FRAME + i);
    this.chunks.set(frame, full);
    return full;
  }

  private untouchedCell(page: number): number {
    return this.runAt(page)?.cell ?? 0;
  }

  private runAt(page: number): CellRun | undefined {
    let low = 0;
    let high = this.untouched.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.untouched[middle].end <= page) low = middle + 1;
      else high = middle;
    }
    const run = this.untouched[low];
    return run !== undefined && run.start <= page ? run : undefined;
  }
}
