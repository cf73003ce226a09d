/** Half-open runs of page numbers, collected in any order and merged. Cheap when pages arrive in ascending order, as conversions do. */
export interface Run {
  start: number;
  end: number;
}

export class Runs {
  private readonly runs: Run[] = [];
  private sorted = true;

  add(start: number, end: number): void {
    const last = this.runs[this.runs.length - 1];
    if (last !== undefined && start >= last.start && start <= last.end) {
      if (end > last.end) last.end = end;
      return;
    }
    if (last !== undefined && start < last.end) this.sorted = false;
    this.runs.push({ start, end });
  }

  get empty(): boolean {
    return this.runs.length === 0;
  }

  /** Sorted, disjoint, adjacent ones joined. */
  merged(): readonly Run[] {
    if (!this.sorted) {
      this.runs.sort((a, b) => a.start - b.start);
      let kept = 0;
      for (let i = 1; i < this.runs.length; i++) {
        const run = this.runs[i];
        const last = this.runs[kept];
        if (run.start <= last.end) last.end = Math.max(last.end, run.end);
        else this.runs[++kept] = run;
      }
      this.runs.length = Math.min(this.runs.length, kept + 1);
      this.sorted = true;
    }
    return this.runs;
  }
}

/** Pages in the runs. */
export const countPages = (runs: readonly Run[]): number => runs.reduce((sum, run) => sum + run.end - run.start, 0);

/** The part of `runs` within [start, end). */
export function clip(runs: readonly Run[], start: number, end: number): Run[] {
  const out: Run[] = [];
  for (const run of runs) {
    const from = Math.max(run.start, start);
    const to = Math.min(run.end, end);
    if (from < to) out.push({ start: from, end: to });
  }
  return out;
}
