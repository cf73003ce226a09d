/**
 * Fixes for what a run found, from the event that it goes back to: the PSMASH or PVALIDATE that is missing, a size that does not fit, a state that is
 * another. Each is tried before it is offered: the scenario is run with it, and what was reported must be gone and nothing new come of it.
 */
import type { SyntaxNode as TreeNode } from '@lezer/common';
import * as t from '../generated/scenario-parser-terms.ts';
import { Fault, PAGE_NOT_VALIDATED } from '../hardware/fault-codes.ts';
import { Check, checkOf } from '../hardware/instruction-checks.ts';
import { operandIsLarge, PVALIDATE_2M } from '../invariants/conduct.ts';
import type { Machine } from '../run/machine.ts';
import { type FieldValue, type Found, queries as readQueries } from '../run/queries.ts';
import type { Replay } from '../run/replay.ts';
import type { QueryField, QuerySpec } from '../scenario/operation-table.ts';
import type { Expect, ScenarioUnit, Value } from '../scenario/program.ts';
import { formatQuantity } from '../scenario/quantity.ts';
import { queriesNamed } from '../scenario/queries.ts';
import { EventKind } from '../trace/trace.ts';
import type { DocumentView } from '../view.ts';
import { type Fix, lineBefore, type Reported, statementAt, unitAt } from './fix.ts';
import { instructionAt, placeOf, runOn, runOnSome, type TextEdit, tryEdits, type Work } from './trial.ts';

/** Instructions of C within one instruction of the scenario, at most. */
const SLICE = 1 << 20;

/** What a check reported about an executed instruction, in a run that stands right behind it. */
interface Incident {
  readonly view: DocumentView;
  readonly unit: ScenarioUnit;
  readonly reported: Reported;
  /** Of the instruction where it is shown, relative to the unit. */
  readonly place: number;
  readonly replay: Replay;
  readonly machine: Machine;
  readonly instance: number;
  readonly event: number | undefined;
  readonly statement: TreeNode;
}

/** Of a rule in a run; `complete`: it has come to its end, or as far as it gets. */
export interface Findings {
  complete: boolean;
  count: number;
}

/** Findings of a rule in the scenario as it is. */
export function findingsOf(view: DocumentView, unit: ScenarioUnit, rule: string, work: Work): Findings {
  const replay = view.replay(unit);
  if (replay === undefined) return { complete: false, count: 0 };
  const complete = runOnSome(replay, work);
  return { complete, count: countOf(replay, rule) };
}

const countOf = ({ run }: Replay, rule: string): number => run.findings.filter((one) => one.rule === rule).length;

export function fixesByRunning(view: DocumentView, reported: Reported, work: Work): Fix[] {
  const unit = unitAt(view, reported.start);
  const statement = statementAt(view, reported.start);
  if (unit === undefined || statement === undefined) return [];
  const pc = instructionAt(unit, reported.start - unit.start);
  const replay = view.replay(unit);
  if (pc === undefined || replay === undefined) return [];
  const place = placeOf(unit.code[pc]).start;
  const complete = runOnSome(replay, work);
  const finding = replay.run.findings.find(
    (one) => one.rule === reported.rule && placeOf(replay.run.instructionOf(one.instance)).start === place,
  );
  if (finding === undefined) return [];
  const { event, instance } = finding;
  const before: Findings = { complete, count: countOf(replay, reported.rule) };
  // Back: it has been there.
  replay.goTo(instance + 1, SLICE);
  const incident: Incident = {
    view,
    unit,
    reported,
    place,
    replay,
    machine: replay.machine,
    instance,
    event,
    statement,
  };
  const candidates =
    reported.rule === 'EXPECT' ? foundInstead(incident) : [...missingStep(incident), ...smallerSize(incident)];
  const good: Fix[] = [];
  for (const { fix, of } of candidates) {
    if (good.some((other) => other.title === fix.title)) continue;
    if (of !== undefined && good.some((other) => tried.get(other) === of)) continue;
    if (!holds(incident, before, fix.edits, work)) continue;
    if (of !== undefined) tried.set(fix, of);
    good.push(fix);
  }
  return good;
}

/** `of`: of several that do the same the first that holds is enough. */
interface Candidate {
  fix: Fix;
  of?: string;
}
const tried = new WeakMap<Fix, string>();

/**
 * Whether the scenario with these edits runs without what was reported, with nothing to say about what they add, and on the whole with less of that rule
 * than before. Of a scenario that is too long for that, whether it is so as far as the place.
 */
export function holds(
  { view, unit, reported, place }: Pick<Incident, 'view' | 'unit' | 'reported' | 'place'>,
  before: Findings,
  edits: readonly TextEdit[],
  work: Work,
): boolean {
  const trial = tryEdits(view, unit, edits);
  if (trial === undefined || trial.unit.problems.length > unit.problems.length) return false;
  const { run } = trial.replay;
  const isComplete = runOn(trial.replay, work);
  if (isComplete && before.complete && countOf(trial.replay, reported.rule) >= before.count) return false;
  const moved = edits.reduce(
    (sum, edit) => (edit.from <= place + unit.start ? sum + edit.text.length - (edit.to - edit.from) : sum),
    0,
  );
  const inserted = edits.map((edit) => ({
    from: edit.from - unit.start,
    to: edit.from - unit.start + edit.text.length,
  }));
  const now =
    place + (edits.some((edit) => edit.from <= place + unit.start && edit.to > place + unit.start) ? 0 : moved);
  if (!isComplete && !(run.executed > 0 && placeOf(run.instructionOf(run.executed - 1)).start > now)) return false;
  return !run.findings.some((finding) => {
    const { start } = placeOf(run.instructionOf(finding.instance));
    if (start === now) return finding.rule === reported.rule;
    return inserted.some(({ from, to }) => start >= from && start < to);
  });
}

// ---------------------------------------------------------------- steps that are missing

function missingStep(incident: Incident): Candidate[] {
  const { machine, event } = incident;
  if (event === undefined || event >= machine.trace.length) return [];
  const { trace } = machine;
  switch (trace.kind[event]) {
    case EventKind.Rmpupdate:
      if (checkOf(trace.a[event]) !== Check.UnderLarge) return [];
      return inserted(incident, 'psmash', [
        `cpu.psmash(${frameText(machine, trace.page[event] - (trace.page[event] % 512))})`,
      ]);
    case EventKind.Fault:
      if (trace.a[event] !== Fault.VC || trace.b[event] !== PAGE_NOT_VALIDATED) return [];
      return inserted(incident, 'pvalidate', validations(machine, trace.space[event], trace.page[event]));
    default:
      return [];
  }
}

/** PVALIDATE of the page, 2M where RMP and NPT allow. */
function validations(machine: Machine, asid: number, gfn: number): string[] {
  const guest = machine.guests.find((one) => one.asid === asid);
  const pfn = machine.mappedPfn(asid, gfn);
  if (guest === undefined) return [];
  const small = `${guest.name}.pvalidate(${formatQuantity(gfn * 4096)}, 4K)`;
  if (pfn === undefined || !machine.entry(pfn).large) return [small];
  return [`${guest.name}.pvalidate(${formatQuantity((gfn - (gfn % 512)) * 4096)}, 2M)`, small];
}

/** In front of the step; of a step in a loop, in front of the loop. */
function inserted({ view, statement }: Incident, of: string, lines: readonly string[]): Candidate[] {
  const places: { node: TreeNode; where: string }[] = [{ node: statement, where: '' }];
  for (let node = statement.parent; node !== null; node = node.parent)
    if (node.type.id === t.ForStatement) places.push({ node, where: ' in front of the loop' });
  return places.flatMap(({ node, where }) =>
    lines.map((line, i) => ({
      fix: {
        title: `Insert ${line}${where}`,
        edits: [lineBefore(view, node, line)],
        ...(i === 0 ? { preferred: true as const } : {}),
      },
      of,
    })),
  );
}

/** `pfn(g, 64K)` for the page of a guest. */
export function frameText(machine: Machine, pfn: number): string {
  for (const guest of machine.guests) {
    for (const slot of guest.config.slots) {
      const first = slot.pfn + slot.fileOffset;
      const pages = (slot.gpaEnd - slot.gpaStart) / 4096;
      if (slot.private && pfn >= first && pfn < first + pages)
        return `pfn(${guest.name}, ${formatQuantity(slot.gpaStart + (pfn - first) * 4096)})`;
    }
  }
  return `0x${pfn.toString(16)}`;
}

// ---------------------------------------------------------------- 2M to 4K

function smallerSize({ view, machine, event, statement }: Incident): Candidate[] {
  if (event === undefined || event >= machine.trace.length) return [];
  const { trace } = machine;
  const a = trace.a[event];
  const isLarge =
    (trace.kind[event] === EventKind.Rmpupdate && operandIsLarge(a)) ||
    (trace.kind[event] === EventKind.Pvalidate && (a & PVALIDATE_2M) !== 0) ||
    trace.kind[event] === EventKind.Fault;
  if (!isLarge || statement.type.id !== t.Step) return [];
  const { text } = view.analysis;
  const sizes = statement
    .getChildren(t.CallPart)
    .at(-1)
    ?.getChild(t.Arguments)
    ?.getChildren(t.Number)
    .filter((node) => text.slice(node.from, node.to) === '2M');
  const size = sizes?.at(-1);
  if (size === undefined) return [];
  return [{ fix: { title: 'Change 2M to 4K', edits: [{ from: size.from, to: size.to, text: '4K' }] } }];
}

// ---------------------------------------------------------------- expect

/** The same expectation of what is found. */
function foundInstead(incident: Incident): Candidate[] {
  const { unit, replay, instance, view, statement } = incident;
  const expect = replay.run.instructionOf(instance);
  if (expect.kind !== 'expect' || statement.type.id !== t.ExpectStatement) return [];
  const condition = statement.getChild(t.Condition);
  if (condition === null) return [];
  const not = condition.getChild(t.kwNot);
  const edit = (from: number, to: number, text: string): Candidate => ({
    fix: {
      title: `Expect what is found: ${view.analysis.text.slice(condition.from, from).trim()} ${text}`.trim(),
      edits: [{ from, to, text }],
    },
  });
  if (expect.negated && not !== null) {
    const to = view.analysis.text.slice(not.to).search(/\S/) + not.to;
    return [{ fix: { title: 'Expect what is found: without `not`', edits: [{ from: not.from, to, text: '' }] } }];
  }
  if (expect.contains !== undefined) {
    const { from } = condition;
    return [{ fix: { title: 'Expect what is found: not contains', edits: [{ from, to: from, text: 'not ' }] } }];
  }
  const pattern = condition.lastChild;
  const found = pattern === null ? undefined : askAgain(incident, expect, unit);
  if (pattern === null || found === undefined) return [];
  const said = sayFound(expect, found);
  return said === undefined ? [] : [{ ...edit(pattern.from, pattern.to, said), of: 'found' }];
}

function askAgain({ machine, replay, instance }: Incident, expect: Expect, _unit: ScenarioUnit): Found | undefined {
  const query = readQueries[expect.query];
  const variables = replay.run.variablesBefore(instance);
  const args: (Value | undefined)[] = [];
  for (const expr of expect.args) {
    const value = expr?.evaluate(variables, machine);
    if (value !== undefined && 'error' in value) return undefined;
    args.push(value);
  }
  if (expect.all !== undefined) {
    const range = expect.all.range.evaluate(variables, machine);
    if ('error' in range || !('start' in range)) return undefined;
    const kind = range.kind === 'gfn-range' ? 'gfn' : range.kind === 'pfn-range' ? 'pfn' : 'gpa';
    args[expect.all.operand] = { kind, value: range.start };
  }
  const found = query?.(machine, args);
  return found === undefined || 'error' in found ? undefined : found;
}

/** In the words of the language; undefined if there are none for it. */
function sayFound(expect: Expect, found: Found): string | undefined {
  const rows = queriesNamed(expect.query);
  const row = rows.find((one) => one.operands.length === expect.args.length) ?? rows[0];
  const fields = [...new Set(expect.patterns.map((pattern) => pattern.field))];
  const word = wordFor(row, fields, found);
  if (word !== undefined) return word;
  const parts: string[] = [];
  for (const name of fields) {
    const field = row.fields.find((one) => one.name === name);
    const text = field && fieldText(field, found.fields[name], row.fields.length === 1);
    if (text !== undefined) parts.push(text);
  }
  if (parts.length === 0) return undefined;
  return parts.length === 1 ? parts[0] : `{ ${parts.join(', ')} }`;
}

/** The word that means just this of just these fields. */
function wordFor(row: QuerySpec, fields: readonly string[], found: Found): string | undefined {
  // A flag that is set says it best itself.
  if (fields.length === 1 && found.fields[fields[0]] === true) return fields[0];
  for (const [word, meaning] of Object.entries(row.words)) {
    const names = Object.keys(meaning);
    if (names.length !== fields.length || !names.every((name) => fields.includes(name))) continue;
    if (names.every((name) => meaning[name] === found.fields[name])) return word;
  }
  return undefined;
}

function fieldText(field: QueryField, value: FieldValue, alone: boolean): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'boolean') return value ? field.name : `not ${field.name}`;
  const number = typeof value === 'number' || typeof value === 'bigint';
  const text = !number
    ? value
    : field.kind === 'int'
      ? String(value)
      : field.kind === 'pfn'
        ? `0x${value.toString(16)}`
        : formatQuantity(value);
  return alone ? text : `${field.name} ${text}`;
}
