/** A quantity under the pointer: a page with what the tables say of it before and after the line, a range of pages, a plain number. */
import { hex, plural } from '../base/text.ts';
import type { Machine } from '../run/machine.ts';
import type { Replay } from '../run/replay.ts';
import { Backing, Binary, Bound, Constant, Converted, RangeOf } from '../scenario/expression.ts';
import { exactOf, formatValue, isNumberKind, type NumberValue, type RangeValue } from '../scenario/numbers.ts';
import type { Expr, Instruction, ScenarioUnit, Span, Value } from '../scenario/program.ts';
import { formatQuantity } from '../scenario/quantity.ts';
import type { Answer, Asking } from './asking.ts';
import {
  entryOf,
  history,
  type PageName,
  type PageState,
  pageTitle,
  pairedRuns,
  rangeText,
  readPage,
  runsOf,
  type StepPlaces,
  slotText,
  stateTable,
} from './page-text.ts';
import { type Block, type Line, table, text } from './prose.ts';
import { notesOf } from './step-notes.ts';
import { loopValues, settledBehind } from './step-text.ts';

/** An expression of an instruction. */
export interface FoundExpr {
  unit: ScenarioUnit;
  pc: number;
  expr: Expr;
  /** Which argument of a step or query it is in; -1 if in none. */
  argument: number;
}

/** The expressions of an instruction, by argument. */
function expressionsOf(instruction: Instruction): { expr: Expr; argument: number }[] {
  switch (instruction.kind) {
    case 'step':
      return instruction.args.flatMap((expr, argument) => (expr === undefined ? [] : [{ expr, argument }]));
    case 'expect':
      return [
        ...instruction.args.flatMap((expr, argument) => (expr === undefined ? [] : [{ expr, argument }])),
        ...(instruction.all === undefined ? [] : [{ expr: instruction.all.range, argument: instruction.all.operand }]),
        ...instruction.patterns.flatMap((p) => (p.test === 'equals' ? [{ expr: p.value, argument: -1 }] : [])),
      ];
    case 'let':
      return [{ expr: instruction.value, argument: -1 }];
    case 'for':
      return [instruction.range, instruction.step].flatMap((expr) =>
        expr === undefined ? [] : [{ expr, argument: -1 }],
      );
    default:
      return [];
  }
}

/** The smallest expression at an offset, which counts as the span's file does. */
export function expressionAt(
  instruction: Instruction,
  offset: number,
  file: number | undefined,
): { expr: Expr; argument: number } | undefined {
  let best: { expr: Expr; argument: number } | undefined;
  for (const { expr, argument } of expressionsOf(instruction)) {
    const inner = innermost(expr, offset, file);
    if (inner !== undefined && (best === undefined || length(inner.span) < length(best.expr.span)))
      best = { expr: inner, argument };
  }
  return best;
}

const length = (span: Span): number => span.end - span.start;
const covers = (span: Span, offset: number, file: number | undefined): boolean =>
  span.file === file && offset >= span.start && offset <= span.end;

function innermost(expr: Expr, offset: number, file: number | undefined): Expr | undefined {
  for (const part of partsOf(expr)) {
    // What was converted stands where it stood: the whole is of the kind that is meant.
    if (part.span.start === expr.span.start && part.span.end === expr.span.end) continue;
    const inner = innermost(part, offset, file);
    if (inner !== undefined) return inner;
  }
  return covers(expr.span, offset, file) ? expr : undefined;
}

function partsOf(expr: Expr): readonly Expr[] {
  if (expr instanceof Binary) return [expr.left, expr.right];
  if (expr instanceof RangeOf) return [expr.start, expr.second];
  if (expr instanceof Converted || expr instanceof Bound) return [expr.of];
  return expr instanceof Backing ? [expr.gpa] : [];
}

/** The guest that addresses of an instruction belong to. */
function guestOf(ask: Asking, instruction: Instruction, expr: Expr): number | undefined {
  const { guests } = ask.view.analysis.program;
  if (instruction.kind === 'step' || instruction.kind === 'expect') {
    for (const arg of instruction.args) {
      if (arg instanceof Constant && arg.value.kind === 'guest') return arg.value.guest;
      const backing = arg === undefined ? undefined : backingAround(arg, expr);
      if (backing !== undefined) return backing.guest;
      if (arg instanceof Constant && 'guest' in arg.value) return arg.value.guest;
    }
    if (instruction.kind === 'step' && instruction.actor.guest !== undefined) return instruction.actor.guest;
  }
  return guests.length === 1 ? 0 : undefined;
}

/** The `pfn(guest, …)` that an expression stands in. */
function backingAround(expr: Expr, inner: Expr): Backing | undefined {
  if (expr instanceof Backing) return expr;
  for (const part of partsOf(expr)) {
    const found = part === inner ? undefined : backingAround(part, inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What the expression is, and the state of the pages that it names. */
export function expressionBlocks(ask: Asking, { unit, pc, expr }: FoundExpr): Answer<Block[]> {
  const instruction = unit.code[pc];
  const constant = expr instanceof Constant ? expr.value : undefined;
  if (constant !== undefined && !isPage(constant)) return valueBlocks(ask, constant);
  const book = notesOf(ask.view, unit);
  if (book === undefined) return constant === undefined ? [] : conversions(constant);
  const { notes } = book;
  const last = settledBehind(unit, [pc]);
  let instance = notes.firstOf(pc);
  const replay = instance === undefined && notes.isSettled(last) ? undefined : book.replay();
  if (instance === undefined && replay !== undefined) {
    if (!notes.advance(replay, last, ask.budget) && !ask.final) return 'later';
    instance = notes.firstOf(pc);
  }
  if (instance === undefined || replay === undefined)
    return [
      ...(constant === undefined ? [] : conversions(constant)),
      text('Not reached: the scenario ends or stops before it.'),
    ];

  const guest = guestOf(ask, instruction, expr);
  const places = { step: (i: number) => ask.step(unit, notes, i) };
  const read = () => lookAt(replay, expr, guest, places);
  // The state after the step comes first: from there the one before it is undone to, and a long step is run once however many turns that takes.
  const states =
    instruction.kind === 'step'
      ? ask.around(replay, instance, read)
      : ask.goTo(replay, instance) && { before: read(), after: undefined };
  if (states === undefined) return ask.final ? (constant === undefined ? [] : conversions(constant)) : 'later';
  const { before, after } = states;
  if ('problem' in before) return [text(`${before.problem}.`)];
  const executed = notes.of(pc);
  const loop = executed.length > 1 ? loopValues(unit, pc, executed[0]) : '';
  const first = loop === '' ? [] : [text(`The first of ${executed.length} times, with ${loop}.`)];
  if ('range' in before) {
    const later = after !== undefined && 'range' in after ? after.range : undefined;
    return [...conversions(before.value), ...first, rangeTable(before.range, later)];
  }
  if (!('page' in before)) return valueBlocks(ask, before.value);
  const later = after !== undefined && 'page' in after ? after : undefined;
  return [...before.title, ...first, stateTable(before.page, later?.page), ...(later ?? before).past];
}

type Seen =
  | { problem: string }
  | { value: Value }
  | { value: RangeValue; range: RangeState }
  | { value: NumberValue; page: PageState; title: Block[]; past: Block[] };

/** What an expression comes to at this moment, and what the tables say of the pages that it names. */
function lookAt(replay: Replay, expr: Expr, guest: number | undefined, places: StepPlaces): Seen {
  const { machine } = replay;
  const value = expr.evaluate(replay.run.values, machine);
  if ('error' in value) return { problem: value.error };
  if (!isPage(value)) return { value };
  if ('start' in value) return { value, range: rangeState(machine, guest, value) };
  const page = readPage(machine, pageOf(value, guest));
  const title = [text(...pageTitle(machine, page.name)), text(slotText(machine, page.name))];
  return { value, page, title, past: history(machine, page.name, places) };
}

const isPage = (value: Value): value is NumberValue | RangeValue =>
  ('start' in value && value.kind !== 'int-range') || ['gpa', 'gfn', 'pfn', 'spa'].includes(value.kind);

function pageOf(value: NumberValue, guest: number | undefined): PageName {
  switch (value.kind) {
    case 'gpa':
      return { guest, gfn: Math.floor(value.value / 4096), pfn: undefined };
    case 'gfn':
      return { guest, gfn: value.value, pfn: undefined };
    case 'spa':
      return { guest: undefined, gfn: undefined, pfn: Math.floor(value.value / 4096) };
    default:
      return { guest: undefined, gfn: undefined, pfn: value.value };
  }
}

// ---------------------------------------------------------------- without state

/** Addresses and frames of a quantity, as far as arithmetic leads. */
export function conversions(value: NumberValue | RangeValue): Block[] {
  if ('start' in value) {
    const bytes = value.kind === 'gpa-range' || value.kind === 'int-range';
    const unit = bytes ? 4096 : 1;
    const first = Math.floor(value.start / unit);
    const last = Math.ceil(value.end / unit);
    const frames = value.kind === 'pfn-range' ? 'pfn' : 'gfn';
    const address = frames === 'pfn' ? 'SPA' : 'GPA';
    return [
      text(
        {
          strong: `${address} ${formatQuantity(first * 4096)}..${formatQuantity(last * 4096)} = ${frames} ${hex(first)}..${hex(last)}`,
        },
        ` · ${plural(last - first, 'page')}`,
      ),
    ];
  }
  const { kind, value: n } = value;
  if (kind === 'gpa' || kind === 'spa') {
    const inside = n % 4096;
    return [
      text(
        {
          strong: `${kind.toUpperCase()} ${formatQuantity(n)}${formatQuantity(n).startsWith('0x') ? '' : ` (${hex(n)})`} = ${kind === 'gpa' ? 'gfn' : 'pfn'} ${hex(Math.floor(n / 4096))}`,
        },
        inside === 0 ? '' : `, ${plural(inside, 'byte')} into it`,
      ),
    ];
  }
  return [text({ strong: `${kind} ${hex(n)} = ${kind === 'gfn' ? 'GPA' : 'SPA'} ${hex(n * 4096)}` })];
}

/** `2M = 2097152 = 0x200000 · 512 pages` */
export function numberBlocks(n: number | bigint, suffixed: boolean): Block[] {
  const parts = [...new Set([formatQuantity(n), String(n), n < 0 ? `-${hex(-n)}` : hex(n)])];
  const pages =
    suffixed && typeof n === 'number' && n >= 4096 && n % 4096 === 0 ? ` · ${plural(n / 4096, 'page')} of 4K` : '';
  const large =
    pages !== '' && (n as number) % 2 ** 21 === 0 && (n as number) > 2 ** 21
      ? `, ${(n as number) / 2 ** 21} of 2M`
      : '';
  return [text({ strong: parts.join(' = ') }, pages + large)];
}

/** A value that is known without running anything. */
export function valueBlocks(ask: Asking, value: Value): Block[] {
  if (value.kind === 'guest') return guestBlocks(ask, value.guest);
  if (isNumber(value) && (value.kind === 'int' || value.kind === 'size'))
    return numberBlocks(exactOf(value), value.kind === 'size' || /[KMGT]$/.test(formatQuantity(value.value)));
  if (isPage(value)) return conversions(value);
  if (value.kind === 'slot' || value.kind === 'vcpu')
    return [
      text({ strong: `${value.kind} ${'slot' in value ? value.slot : value.vcpu}` }, ' of guest ', {
        code: guestName(ask, value.guest),
      }),
    ];
  return [text({ code: formatValue(value) })];
}

const isNumber = (value: Value): value is NumberValue => isNumberKind(value.kind);

const guestName = (ask: Asking, guest: number): string =>
  ask.view.analysis.program.guests[guest]?.name ?? String(guest);

/** A guest as declared, with what was left open filled in. */
export function guestBlocks(ask: Asking, index: number): Block[] {
  const guest = ask.view.analysis.program.guests[index];
  if (guest === undefined) return [];
  const rows = guest.slots.map((slot): Line[] => [
    [String(slot.id)],
    [{ code: `${formatQuantity(slot.gpaStart)}..${formatQuantity(slot.gpaEnd)}` }],
    [slot.private ? `private, folios of ${formatQuantity(2 ** slot.folioOrder * 4096)}` : 'shared'],
    [
      slot.private
        ? {
            code: rangeText(
              slot.pfn + slot.fileOffset,
              slot.pfn + slot.fileOffset + (slot.gpaEnd - slot.gpaStart) / 4096,
            ),
          }
        : '',
    ],
  ]);
  return [
    text(
      { strong: `guest ${guest.name}` },
      ` · ASID ${guest.asid} · ${plural(guest.vcpus, 'vCPU')}${guest.snp ? '' : ' · no SNP'}`,
    ),
    ...(rows.length === 0
      ? [text('It has no memory slots.')]
      : [table([[['slot'], ['GPA'], ['memory'], ['pfn']], ...rows])]),
  ];
}

// ---------------------------------------------------------------- ranges

interface RangeState {
  unit: 'gfn' | 'pfn';
  runs: readonly { start: number; end: number; value: string }[];
  rest: number;
}

function rangeState(machine: Machine, guest: number | undefined, range: RangeValue): RangeState {
  if (range.kind === 'pfn-range')
    return { unit: 'pfn', ...runsOf(range.start, range.end, (pfn) => entryOf(machine, pfn)) };
  const unit = range.kind === 'gfn-range' ? 1 : 4096;
  const read = (gfn: number): string => {
    if (guest === undefined) return 'whose memory it is, is not said';
    const pfn = machine.backingPfn(guest, gfn * 4096);
    const { asid } = machine.guests[guest];
    const attribute = machine.isPrivate(asid, gfn) ? 'private' : 'shared';
    return pfn === undefined ? 'no memory slot' : `${attribute} · ${entryOf(machine, pfn)}`;
  };
  return { unit: 'gfn', ...runsOf(Math.floor(range.start / unit), Math.ceil(range.end / unit), read) };
}

/** Rows that are shown. */
const ROWS = 8;

function rangeTable(before: RangeState, after: RangeState | undefined): Block {
  const what = before.unit === 'gfn' ? 'attribute · RMP entry' : 'RMP entry';
  const paired = [...pairedRuns(before.runs, after?.runs ?? before.runs)];
  const changed = paired.some(({ was, is }) => was !== is);
  const rows = paired.map(({ start, end, was, is }): Line[] => {
    const pages: Line = [{ code: rangeText(start, end) }];
    return changed ? [pages, [{ code: was }], is === was ? ['='] : [{ code: is }]] : [pages, [{ code: was }]];
  });
  const left =
    rows.length > ROWS ? `… ${rows.length - ROWS} more` : before.rest > 0 ? `… ${before.rest} pages more` : '';
  const shown = [
    ...rows.slice(0, ROWS),
    ...(left === '' ? [] : [[[left], [''], ['']].slice(0, changed ? 3 : 2) as Line[]]),
  ];
  const head = changed
    ? [[before.unit], [`${what} before`], ['after this line']]
    : [[before.unit], [after === undefined ? what : `${what}, unchanged by this line`]];
  return table([head, ...shown]);
}
