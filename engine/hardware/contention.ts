/**
 * Another CPU at work on the same 2M region. RMPUPDATE and PSMASH take a lock on the region in hardware, so two of them at once make one
 * fail for the moment (the comment above rmpupdate() in arch/x86/virt/svm/sev.c; the retry loops of KVM's callers). The simulator's
 * instructions are atomic, so a scenario states the conflict: "the next N instructions on this region meet another CPU".
 */
import type { Journal, Undoable } from '../base/journal.ts';
import { PAGES_PER_2M } from '../base/units.ts';

interface Conflict {
  frame: number;
  /** The page that the other CPU works on. */
  pfn: number;
  remaining: number;
}

export class Contention implements Undoable {
  /** Conflicts outstanding; 0 nearly always, which is all that the hot path looks at. */
  active = 0;
  private readonly conflicts: Conflict[] = [];
  private readonly journal: Journal;
  private readonly owner: number;

  constructor(journal: Journal) {
    this.journal = journal;
    this.owner = journal.register(this);
  }

  /** The next `times` RMPUPDATE or PSMASH on the region of `pfn` meet another CPU that works on `pfn`. 0 ends it. */
  set(pfn: number, times: number): void {
    const frame = Math.floor(pfn / PAGES_PER_2M);
    const at = this.conflicts.findIndex((c) => c.frame === frame);
    const old = at < 0 ? { frame, pfn, remaining: 0 } : this.conflicts[at];
    this.journal.write3(this.owner, frame, old.pfn, old.remaining);
    this.put(frame, pfn, times);
  }

  /** The conflict that an instruction on this 2M frame would meet: the other CPU's page, or -1. */
  peek(frame: number): number {
    const conflict = this.conflicts.find((c) => c.frame === frame);
    return conflict === undefined ? -1 : conflict.pfn;
  }

  /** One instruction has met the conflict. */
  consume(frame: number): void {
    const conflict = this.conflicts.find((c) => c.frame === frame);
    if (conflict !== undefined) this.set(conflict.pfn, conflict.remaining - 1);
  }

  undo(data: Float64Array, at: number): void {
    this.put(data[at], data[at + 1], data[at + 2]);
  }

  private put(frame: number, pfn: number, remaining: number): void {
    const at = this.conflicts.findIndex((c) => c.frame === frame);
    if (at >= 0) this.conflicts.splice(at, 1);
    if (remaining > 0) this.conflicts.push({ frame, pfn, remaining });
    this.active = this.conflicts.length;
  }
}
