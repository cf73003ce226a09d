/**
 * The user's own invariants, judged when a step has come to rest: for the pages that the step touched and no others, so that they cost what the step
 * costs. As with the rules of the catalogue, a page that was in violation before is not reported again.
 *
 * A claim that cannot be asked of a page (`rmp(g, a)` of a GPA that no slot covers) is neither true nor false, and a formula that depends on it is not
 * violated (Kleene's three values).
 */
import { type Run, Runs } from '../base/runs.ts';
import { formatRuns, hex, plural } from '../base/text.ts';
import { pagesOfCommand } from '../hardware/firmware.ts';
import { gfnsOfEvent } from '../hardware/nested-page-table.ts';
import { operandIsLarge } from '../invariants/conduct.ts';
import { newlyViolating } from '../invariants/step-view.ts';
import { Constant, Variable } from '../scenario/expression.ts';
import type { Expect, ForAll, Formula, UserInvariant, Value } from '../scenario/program.ts';
import { EventKind } from '../trace/trace.ts';
import { evaluateClaim } from './expectation.ts';
import type { RuleFinding } from './judge.ts';
import type { Machine, MachineGuest } from './machine.ts';
import type { Found } from './queries.ts';

/** Violations of the machine's invariants by the step whose events are [from, end of the trace). */
export function judgeUserInvariants(machine: Machine, from: number): RuleFinding[] {
  const { invariants } = machine;
  if (invariants.length === 0 || machine.trace.length === from) return [];
  const found: RuleFinding[] = [];
  const touched = new TouchedPages(machine, from);
  for (const [index, invariant] of invariants.entries()) {
    for (const [n, forall] of invariant.foralls.entries()) {
      const finding = judgeForall(machine, touched, invariant, `INVARIANT ${index}.${n}`, forall);
      if (finding !== undefined) found.push({ ...finding, rule: 'INVARIANT', invariant: index });
    }
  }
  return found;
}

function judgeForall(
  machine: Machine,
  touched: TouchedPages,
  invariant: UserInvariant,
  key: string,
  forall: ForAll,
): Omit<RuleFinding, 'rule'> | undefined {
  const guest = forall.guest === undefined ? undefined : machine.guests[forall.guest];
  const runs = guest === undefined ? touched.frames(queriesOf(forall)) : touched.gfnsOf(guest, queriesOf(forall));
  if (runs.length === 0) return undefined;
  const bad = (page: number): boolean => truth(machine, forall.formula, binding(guest, page)) === false;
  // In a frame whose entries are all alike, the head and one other page speak for the rest.
  const settled =
    guest === undefined && isUniform(forall.formula)
      ? (frame: number): boolean => machine.hardware.rmp.isCompact(frame) && !bad(frame * 512) && !bad(frame * 512 + 1)
      : undefined;
  const pages = newlyViolating(machine.ruleMemory.violating(key, guest?.asid ?? 0), runs, bad, settled);
  return pages.length === 0 ? undefined : describe(machine, touched.from, invariant, forall, guest, pages);
}

/** The variable of a `forall`: variable 0 of its claims. */
const binding = (guest: MachineGuest | undefined, page: number): Value[] => [
  guest === undefined ? { kind: 'pfn', value: page } : { kind: 'gpa', value: page * 4096 },
];

// ---------------------------------------------------------------- truth

function truth(machine: Machine, formula: Formula, variables: readonly Value[]): boolean | undefined {
  switch (formula.is) {
    case 'claim': {
      const claim = evaluateClaim(machine, formula.claim, variables);
      return 'error' in claim ? undefined : claim.holds;
    }
    case 'not': {
      const of = truth(machine, formula.of, variables);
      return of === undefined ? undefined : !of;
    }
    case 'and': {
      const left = truth(machine, formula.left, variables);
      if (left === false) return false;
      const right = truth(machine, formula.right, variables);
      return right === false ? false : left === undefined ? undefined : right;
    }
    case 'or':
    case 'implies': {
      const first = truth(machine, formula.left, variables);
      const left = formula.is === 'or' || first === undefined ? first : !first;
      if (left === true) return true;
      const right = truth(machine, formula.right, variables);
      return right === true ? true : left === undefined ? undefined : right;
    }
  }
}

function* claimsOf(formula: Formula): Iterable<Expect> {
  if (formula.is === 'claim') yield formula.claim;
  else if (formula.is === 'not') yield* claimsOf(formula.of);
  else {
    yield* claimsOf(formula.left);
    yield* claimsOf(formula.right);
  }
}

const queriesOf = (forall: ForAll): Set<string> => new Set([...claimsOf(forall.formula)].map((claim) => claim.query));

/** Fields that are the same in entries that are alike, whichever page is asked about. */
const UNIFORM: ReadonlySet<string> = new Set([
  'assigned',
  'validated',
  'immutable',
  'size',
  'asid',
  'guest',
  'vmsa',
  'locked',
  'covered',
  'private',
  'state',
  'vmpl0',
  'vmpl1',
  'vmpl2',
  'vmpl3',
]);

/** Whether pages with like entries have like answers: only their own entries are asked about, and compared with constants. */
function isUniform(formula: Formula): boolean {
  for (const { query, args, patterns } of claimsOf(formula)) {
    if ((query !== 'rmp' && query !== 'state') || args.length !== 1 || !(args[0] instanceof Variable)) return false;
    if (!patterns.every((p) => UNIFORM.has(p.field) && (p.test === 'flag' || p.value instanceof Constant)))
      return false;
  }
  return true;
}

// ---------------------------------------------------------------- what the step touched

class TouchedPages {
  readonly from: number;
  private readonly machine: Machine;
  private readonly rmp = new Runs();
  private readonly directMap = new Runs();
  private readonly refs = new Runs();
  private readonly freed = new Runs();
  private readonly gfns = new Map<number, Runs>();

  constructor(machine: Machine, from: number) {
    this.machine = machine;
    this.from = from;
    for (const guest of machine.guests) this.gfns.set(guest.asid, new Runs());
    for (let e = from; e < machine.trace.length; e++) this.gather(e);
  }

  private gather(e: number): void {
    const { trace } = this.machine;
    const page = trace.page[e];
    if (page < 0) return;
    switch (trace.kind[e]) {
      case EventKind.Rmpupdate:
        if (trace.code[e] === 0) this.rmp.add(page, page + (operandIsLarge(trace.a[e]) ? 512 : 1));
        break;
      case EventKind.Psmash:
        if (trace.code[e] === 0) this.rmp.add(page, page + 512);
        break;
      case EventKind.Firmware:
        if (trace.code[e] === 0) this.touchEntries(page, page + pagesOfCommand(trace, e));
        break;
      case EventKind.Pvalidate:
      case EventKind.Rmpadjust:
      case EventKind.RmpWrite:
        this.touchEntries(page, page + 1);
        break;
      case EventKind.Attribute:
        this.gfns.get(trace.space[e])?.add(page, page + trace.code[e]);
        break;
      case EventKind.Npt: {
        const { start, end } = gfnsOfEvent(trace, e, true);
        this.gfns.get(trace.space[e])?.add(start, end);
        break;
      }
      case EventKind.DirectMap:
        this.directMap.add(page, page + trace.code[e]);
        break;
      case EventKind.PageRef:
        this.refs.add(page, page + 1);
        break;
      case EventKind.PageFree:
        this.freed.add(page, page + trace.code[e]);
        break;
    }
  }

  /** The first entry of a 2M frame speaks for all of it, or has just ceased to. */
  private touchEntries(start: number, end: number): void {
    const large = start % 512 === 0 || this.machine.entry(start).large;
    if (large) this.rmp.add(start - (start % 512), Math.max(end, start - (start % 512) + 512));
    else this.rmp.add(start, end);
  }

  /** Host frames: those whose RMP entry may have changed, and whatever else the queries read. */
  frames(queries: ReadonlySet<string>): readonly Run[] {
    const all = new Runs();
    for (const runs of [
      this.rmp,
      ...(queries.has('directmap') ? [this.directMap] : []),
      ...(queries.has('refcount') ? [this.refs, this.freed] : []),
    ])
      for (const run of runs.merged()) all.add(run.start, run.end);
    return all.merged();
  }

  /** gfns of a guest whose attribute, mapping or backing page may have changed. */
  gfnsOf(guest: MachineGuest, queries: ReadonlySet<string>): readonly Run[] {
    const all = new Runs();
    for (const run of this.gfns.get(guest.asid)?.merged() ?? []) all.add(run.start, run.end);
    for (const runs of [this.frames(queries), this.freed.merged()])
      for (const run of runs) this.machine.gfnsBackedBy(guest, run.start, run.end, all);
    return all.merged();
  }
}

// ---------------------------------------------------------------- words

function describe(
  machine: Machine,
  from: number,
  invariant: UserInvariant,
  forall: ForAll,
  guest: MachineGuest | undefined,
  pages: readonly Run[],
): Omit<RuleFinding, 'rule'> {
  const first = pages[0].start;
  const variables = binding(guest, first);
  const unit = guest === undefined ? 'pfn' : 'gpa';
  const bytes = guest === undefined ? 1 : 4096;
  const where = formatRuns(
    unit,
    pages.map(({ start, end }) => ({ start: start * bytes, end: end === start + 1 ? start * bytes + 1 : end * bytes })),
  );
  const n = pages.reduce((sum, run) => sum + run.end - run.start, 0);
  const whose = guest === undefined ? '' : ` of guest ${guest.name}`;
  const subject = n === 1 ? `${where}${whose}` : `${plural(n, 'page')}${whose} (${where})`;
  const read = factsOf(machine, forall.formula, variables);
  const events = read.map(({ found }) => found.since ?? -1).filter((event) => event >= 0);
  const last = Math.max(-1, ...events);
  const earliest = Math.min(...events);
  const at = n === 1 ? '' : ` At ${unit} ${hex(first * bytes)}:`;
  return {
    message: `"${invariant.name}" does not hold for ${subject}: ${verdict(forall.formula)}.${at} ${read.map(({ text }) => text).join('; ')}.`,
    ...(last < 0 ? {} : { event: last }),
    ...(earliest < from ? { since: earliest } : {}),
  };
}

const textOf = (formula: Formula): string => (formula.is === 'claim' ? formula.claim.text : formula.text);

/** In what way it is violated. */
function verdict(formula: Formula): string {
  if (formula.is === 'implies') return `\`${textOf(formula.left)}\`, but not \`${textOf(formula.right)}\``;
  return `\`${textOf(formula)}\` is false`;
}

/** The text of a claim without what it is to be. */
const queryText = (claim: Expect): string => claim.text.replace(/\s+is\s.*$/s, '');

/** Flags that the formula asks for and that what was found says nothing of, such as Validated of a page that nobody owns. */
function flagsOf(formula: Formula, query: string, found: Found): string {
  const flags = new Set<string>();
  for (const claim of claimsOf(formula)) {
    if (queryText(claim) !== query) continue;
    for (const { field, test } of claim.patterns)
      if (test === 'flag' && found.fields[field] === true && !found.text.includes(field)) flags.add(field);
  }
  return flags.size === 0 ? '' : ` · ${[...flags].join(' · ')}`;
}

/** What was read for the formula, each query once. */
function factsOf(machine: Machine, formula: Formula, variables: readonly Value[]): { text: string; found: Found }[] {
  const facts = new Map<string, { text: string; found: Found }>();
  for (const claim of claimsOf(formula)) {
    const query = queryText(claim);
    if (facts.has(query)) continue;
    const read = evaluateClaim(machine, claim, variables);
    if ('error' in read) continue;
    const { found } = read;
    const since = found.since === undefined || found.since < 0 ? '' : `, since ${machine.describeStep(found.since)}`;
    facts.set(query, { text: `${query} shows ${found.text}${flagsOf(formula, query, found)}${since}`, found });
  }
  return [...facts.values()];
}
