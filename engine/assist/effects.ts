/**
 * What a step did, counted: `512 × 4K assigned`, `1 × PSMASH`, `#NPF(RMP|ENC) resolved`. Read off the trace, so it costs the step's events and needs
 * no second look at the machine. Tallies add up, for the steps of a loop or of a sequence.
 */
import { type Run, Runs } from '../base/runs.ts';
import { formatRuns, plural } from '../base/text.ts';
import { Fault, formatFault, hasBit } from '../hardware/fault-codes.ts';
import { fwCommandName, fwStatusName, pagesOfCommand } from '../hardware/firmware.ts';
import { rmpCodeName } from '../hardware/instruction-checks.ts';
import {
  operandIsAssigned,
  operandIsImmutable,
  operandIsLarge,
  PVALIDATE_2M,
  PVALIDATE_CF,
  PVALIDATE_VALIDATE,
} from '../invariants/conduct.ts';
import type { Machine } from '../run/machine.ts';
import { EventKind } from '../trace/trace.ts';

/** In the order of importance; what is of one rank is told as it happened. */
const Rank = { Fault: 0, Rmp: 1, Validation: 2, Permission: 3, Firmware: 4, Failure: 5, Rest: 6 } as const;
type Rank = (typeof Rank)[keyof typeof Rank];

interface Entry {
  rank: Rank;
  count: number;
  /** The frames it is about, and what kind of frames they are. */
  pages: Runs;
  unit: 'pfn' | 'gfn' | '';
  words(count: number): string;
}

const times = (what: string) => (count: number) => `${count} × ${what}`;
/** A name that says it all when it happened once. */
const named = (what: string) => (count: number) => (count === 1 ? what : `${count} × ${what}`);
const pages = (what: string) => (count: number) => `${plural(count, 'page')} ${what}`;

export class Effects {
  private readonly entries = new Map<string, Entry>();
  /** The 2M region that all RMP changes were in; -1 if there were none, -2 if in several. */
  frame = -1;
  /** Subpage count in the first entry of that region when the step had come to rest; undefined where it says nothing. */
  headCount: number | undefined;

  get isEmpty(): boolean {
    return this.entries.size === 0;
  }

  /** What happened in the events [from, to) of a machine that stands behind them. */
  static of(machine: Machine, from: number, to: number): Effects {
    const effects = new Effects();
    for (let e = from; e < to; e++) effects.event(machine, e);
    if (effects.frame >= 0) {
      const head = machine.head(effects.frame);
      if (!head.large && effects.has('assigned', 'unassigned', 'psmash')) effects.headCount = head.subpageCount;
    }
    return effects;
  }

  /** Add what another step did. */
  add(other: Effects): void {
    for (const [key, entry] of other.entries) {
      const own = this.entry(key, entry.rank, entry.unit, entry.words);
      own.count += entry.count;
      for (const run of entry.pages.merged()) own.pages.add(run.start, run.end);
    }
    if (other.frame !== -1) {
      this.frame = this.frame === -1 || this.frame === other.frame ? other.frame : -2;
      this.headCount = this.frame >= 0 ? other.headCount : undefined;
    }
  }

  /** For a hint: what matters most, in a few words, without what the step's outcome says already. */
  short(outcome: string, limit = 3): string[] {
    const all = this.besides(outcome);
    // Attributes, mappings and the direct map follow from what was asked for; they are told when there is nothing else.
    const strong = all.filter(({ rank }) => rank < Rank.Rest);
    const shown = (strong.length > 0 ? strong : all).map((entry) =>
      entry.rank === Rank.Fault ? `after ${entry.words(entry.count)}` : entry.words(entry.count),
    );
    const parts = shown.length > limit ? [...shown.slice(0, limit), '…'] : shown;
    if (this.headCount !== undefined) {
      const at = parts.findLastIndex((part) => /assigned|PSMASH/.test(part));
      if (at >= 0) parts[at] += `, head count ${this.headCount}`;
    }
    return parts;
  }

  /** Everything else, with the frames that it is about. `without`: changes of RMP entries are shown in another way. */
  lines(outcome: string, without: 'nothing' | 'entries' = 'nothing'): { what: string; where: string }[] {
    return this.besides(outcome)
      .filter(({ rank }) => without === 'nothing' || rank < Rank.Rmp || rank > Rank.Permission)
      .map((entry) => ({
        what: entry.words(entry.count),
        where: entry.unit === '' || entry.pages.empty ? '' : formatRuns(entry.unit, entry.pages.merged(), 3),
      }));
  }

  /** What the outcome does not say. */
  private besides(outcome: string): Entry[] {
    return [...this.entries.values()]
      .sort((a, b) => a.rank - b.rank)
      .filter((entry) => {
        const said = entry.words(1);
        if (entry.rank === Rank.Fault || said.startsWith('#'))
          return said !== outcome && !outcome.startsWith(said.replace(/\(.*/, ''));
        return entry.rank !== Rank.Failure || entry.count > 1 || !said.endsWith(` ${outcome}`);
      });
  }

  /** Frames whose RMP entry was changed, sorted and disjoint. */
  rmpPages(): readonly Run[] {
    const all = new Runs();
    for (const [key, entry] of this.entries)
      if (entry.unit === 'pfn' && (RMP_CHANGES.test(key) || key === 'psmash'))
        for (const run of entry.pages.merged()) all.add(run.start, run.end);
    return all.merged();
  }

  private has(...keys: string[]): boolean {
    return [...this.entries.keys()].some((key) => keys.some((one) => key.startsWith(one)));
  }

  private entry(key: string, rank: Rank, unit: Entry['unit'], words: (count: number) => string): Entry {
    let entry = this.entries.get(key);
    if (entry === undefined) {
      entry = { rank, count: 0, pages: new Runs(), unit, words };
      this.entries.set(key, entry);
    }
    return entry;
  }

  private count(
    key: string,
    rank: Rank,
    words: (count: number) => string,
    unit: Entry['unit'] = '',
    start = 0,
    length = 0,
    by = 1,
  ): void {
    const entry = this.entry(key, rank, unit, words);
    entry.count += by;
    if (length > 0 && start >= 0) entry.pages.add(start, start + length);
  }

  private inFrame(pfn: number): void {
    const frame = Math.floor(pfn / 512);
    if (this.frame === -1) this.frame = frame;
    else if (this.frame !== frame) this.frame = -2;
  }

  private event(machine: Machine, e: number): void {
    const { trace } = machine;
    const page = trace.page[e];
    const code = trace.code[e];
    const a = trace.a[e];
    const b = trace.b[e];
    switch (trace.kind[e]) {
      case EventKind.Rmpupdate: {
        if (code !== 0) {
          this.failure('RMPUPDATE', rmpCodeName(code, 'rmpupdate'), page);
          break;
        }
        const size = operandIsLarge(a) ? '2M' : '4K';
        const what = !operandIsAssigned(a) ? 'unassigned' : operandIsImmutable(a) ? 'assigned, immutable' : 'assigned';
        this.inFrame(page);
        this.count(`${what} ${size}`, Rank.Rmp, times(`${size} ${what}`), 'pfn', page, size === '2M' ? 512 : 1);
        break;
      }
      case EventKind.Psmash:
        if (code !== 0) {
          this.failure('PSMASH', rmpCodeName(code, 'psmash'), page);
          break;
        }
        this.inFrame(page);
        this.count('psmash', Rank.Rmp, named('PSMASH'), 'pfn', page, 512);
        break;
      case EventKind.Pvalidate: {
        if (code !== 0 || (a & PVALIDATE_CF) !== 0) return;
        const size = (a & PVALIDATE_2M) !== 0 ? '2M' : '4K';
        const what = (a & PVALIDATE_VALIDATE) !== 0 ? 'validated' : 'unvalidated';
        this.count(`${what} ${size}`, Rank.Validation, times(`${size} ${what}`), 'pfn', page, size === '2M' ? 512 : 1);
        break;
      }
      case EventKind.Rmpadjust: {
        if (code !== 0) return;
        const size = a % 2 === 1 ? '2M' : '4K';
        const vmpl = Math.floor(a / 2) & 0xff;
        this.count(
          `permissions ${size} ${vmpl}`,
          Rank.Permission,
          times(`${size} permissions of VMPL${vmpl}`),
          'pfn',
          page,
          size === '2M' ? 512 : 1,
        );
        break;
      }
      case EventKind.Firmware:
        if (code !== 0) {
          this.failure(fwCommandName(a), fwStatusName(code), page);
          break;
        }
        this.count(
          `firmware ${a}`,
          Rank.Firmware,
          named(fwCommandName(a)),
          page < 0 ? '' : 'pfn',
          page,
          pagesOfCommand(trace, e),
        );
        break;
      case EventKind.Fault:
        // That a page is touched for the first time is nothing to tell.
        if (a === Fault.NPF && !hasBit(b, 'P')) break;
        this.count(
          `fault ${a} ${b}`,
          Rank.Fault,
          named(formatFault(a, b)),
          trace.space[e] === 0 ? 'pfn' : 'gfn',
          page,
          1,
        );
        break;
      case EventKind.Attribute: {
        const what = b === 0 ? 'shared' : 'private';
        if (a !== b)
          this.count(`attribute ${what}`, Rank.Rest, (n) => `${plural(n, 'gfn')} ${what}`, 'gfn', page, code, code);
        return;
      }
      case EventKind.Npt:
        if (a < 0) {
          this.count('zapped', Rank.Rest, (n) => `${plural(n, 'gfn')} zapped`, '', page, 0, b);
          break;
        }
        this.count(`mapped ${b}`, Rank.Rest, times(`${levels[b]} mapped`), 'gfn', page, 512 ** (b - 1));
        break;
      case EventKind.DirectMap: {
        const what =
          a % 2 !== b % 2
            ? b % 2 === 1
              ? 'back in the direct map'
              : 'out of the direct map'
            : `of the direct map as ${levels[Math.floor(b / 2)]}`;
        if (a !== b) this.count(`directmap ${what}`, Rank.Rest, pages(what), 'pfn', page, code, code);
        return;
      }
      case EventKind.PageFree:
        this.count('freed', Rank.Rest, pages('freed'), 'pfn', page, code, code);
        break;
      case EventKind.Log:
        this.count('log', Rank.Rest, (n) => `${plural(n, 'line')} logged`);
        break;
    }
  }

  private failure(instruction: string, code: string, page: number): void {
    this.count(
      `failed ${instruction} ${code}`,
      Rank.Failure,
      named(`${instruction} ${code}`),
      page < 0 ? '' : 'pfn',
      page,
      1,
    );
  }
}

const levels = ['', '4K', '2M', '1G'];
const RMP_CHANGES = /^(assigned|unassigned|validated|unvalidated|permissions|firmware)/;
