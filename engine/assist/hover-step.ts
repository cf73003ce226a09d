/** A step under the pointer: what it came to, what it changed, which C ran, what is wrong with it, what it relied on. */
import { plural } from '../base/text.ts';
import { reliedOptions } from '../hardware/options.ts';
import { ruleInfo } from '../invariants/catalogue.ts';
import { relianceNote } from '../run/reliance.ts';
import type { Replay } from '../run/replay.ts';
import type { ScenarioUnit, Step } from '../scenario/program.ts';
import type { Answer, Asking } from './asking.ts';
import { entryOf, pairedRuns, rangeText, runsOf } from './page-text.ts';
import { type Block, type Inline, type Line, list, sentence, source, table, text } from './prose.ts';
import { notesOf, type StepNote, type StepNotes } from './step-notes.ts';
import { instructionText, loopValues, outcomeWord, settledBehind, together } from './step-text.ts';

/** Executions of a loop, and steps of a sequence, that are told one by one. */
const FEW = 3;
const STEPS = 8;
const ROWS = 6;
const FUNCTIONS = 8;

/** A line that does something, somewhere in a scenario. */
export interface Place {
  unit: ScenarioUnit;
  pcs: readonly number[];
  /** The call of a sequence: its steps are told as a list. */
  isCall: boolean;
}

/** What a line did. Empty if there is nothing to say. */
export function stepBlocks(ask: Asking, place: Place): Answer<Block[]> {
  const { unit, pcs, isCall } = place;
  if (pcs.length === 0) return [];
  const book = notesOf(ask.view, unit);
  if (book === undefined) return [text('Nothing runs: something that the file uses cannot be read or is wrong.')];
  const { notes } = book;
  const last = settledBehind(unit, pcs);
  if (!notes.isSettled(last)) {
    const replay = book.replay();
    if (replay === undefined || !notes.advance(replay, last, ask.budget)) {
      if (!ask.final) return 'later';
    }
  }
  const all = together(unit, notes, pcs);
  if (all === undefined) {
    if (notes.isComplete) return [text('Not reached: the scenario ends or stops before it.')];
    return [text(notes.isFull ? 'Too far into the scenario to look at.' : 'The scenario has not run up to here yet.')];
  }
  const single = all.count === 1 ? pcs.find((pc) => notes.of(pc).length === 1) : undefined;
  if (single !== undefined) return oneStep(ask, unit, notes, book.replay, single, notes.of(single)[0]);
  return severalSteps(ask, unit, notes, pcs, all, isCall);
}

function oneStep(
  ask: Asking,
  unit: ScenarioUnit,
  notes: StepNotes,
  replayOf: () => Replay | undefined,
  pc: number,
  note: StepNote,
): Answer<Block[]> {
  const step = unit.code[pc] as Step;
  const blocks: Block[] = [headline(step, note)];
  if (note.why !== '') blocks.push(text(...sentence(ask.resolved(unit, notes, note.why))));
  blocks.push(...findings(ask, unit, notes, [note]));
  const changes = changedEntries(ask, replayOf, note);
  if (changes === 'later') return 'later';
  if (changes !== undefined) blocks.push(changes);
  const rest = note.effects.lines(outcomeWord(step, note), changes === undefined ? 'nothing' : 'entries');
  if (rest.length > 0)
    blocks.push(list(rest.map(({ what, where }): Line => (where === '' ? [what] : [what, ' · ', { code: where }]))));
  blocks.push(...functions(ask, note), ...reliance(note));
  if (note.log.length > 0) blocks.push(source(note.log.join('\n'), 'text'));
  return blocks;
}

function severalSteps(
  ask: Asking,
  unit: ScenarioUnit,
  notes: StepNotes,
  pcs: readonly number[],
  all: NonNullable<ReturnType<typeof together>>,
  isCall: boolean,
): Block[] {
  const count = isCall ? plural(all.count, 'step') : `${all.count}${notes.isFull ? ' or more' : ''} times`;
  const head = [{ strong: `→ ${all.outcome}` }, ` · ${[...all.effects.short(all.single ?? ''), count].join(' · ')}`];
  const lines: Line[] = [];
  const everything = pcs
    .flatMap((pc) => notes.of(pc).map((note) => ({ pc, note })))
    .sort((a, b) => a.note.instance - b.note.instance);
  // What went wrong is shown wherever it is, then the first ones.
  const limit = isCall ? STEPS : FEW;
  const shown = new Set([
    ...everything.filter(({ note }) => !note.expected).slice(0, limit),
    ...everything.slice(0, limit),
  ]);
  for (const { pc, note } of everything) {
    if (!shown.has(everything.find((one) => one.note === note) as (typeof everything)[number])) continue;
    const step = unit.code[pc] as Step;
    const values = loopValues(unit, pc, note);
    const label = isCall ? instructionText(step) : values === '' ? `${lines.length + 1}.` : values;
    const parts = [outcomeWord(step, note), ...note.effects.short(outcomeWord(step, note))];
    lines.push([{ code: label }, ` → ${parts.join(' · ')}${note.expected ? '' : ' (not expected)'}`]);
  }
  if (everything.length > lines.length) lines.push([`… and ${everything.length - lines.length} more`]);
  return [
    text(...head),
    list(lines),
    ...findings(
      ask,
      unit,
      notes,
      everything.map(({ note }) => note),
    ),
  ];
}

function headline(step: Step, note: StepNote): Block {
  const word = outcomeWord(step, note);
  const line: Inline[] = [{ strong: `→ ${word}` }];
  const short = note.effects.short(word);
  if (short.length > 0) line.push(` · ${short.join(' · ')}`);
  if (!note.expected) line.push(` · expected ${step.expected?.text ?? 'success'}`);
  else if (step.expected !== undefined && step.expected.form !== 'ok') line.push(' · as stated');
  return text(...line);
}

/** The RMP entries that the step changed, before and after. */
function changedEntries(ask: Asking, replayOf: () => Replay | undefined, note: StepNote): Answer<Block | undefined> {
  const runs = note.effects.rmpPages();
  if (runs.length === 0) return undefined;
  const replay = replayOf();
  if (replay === undefined) return undefined;
  const shown = runs.slice(0, ROWS);
  const read = (): { start: number; end: number; value: string }[][] =>
    shown.map(({ start, end }) => runsOf(start, end, (pfn) => entryOf(replay.machine, pfn)).runs);
  const states = ask.around(replay, note.instance, read);
  if (states === undefined) return ask.final ? undefined : 'later';
  const rows: Line[][] = [];
  for (const [i, after] of states.after.entries()) {
    for (const { start, end, was, is } of pairedRuns(states.before[i], after))
      if (was !== is) rows.push([[{ code: rangeText(start, end) }], [{ code: was }], [{ code: is }]]);
  }
  if (rows.length === 0) return undefined;
  const more = rows.length > ROWS ? [[[`… ${rows.length - ROWS} more`], [''], ['']] as Line[]] : [];
  return table([[['pfn'], ['RMP entry before'], ['after']], ...rows.slice(0, ROWS), ...more]);
}

/** The C that ran, callers first; the user's own stands out. */
function functions(ask: Asking, note: StepNote): Block[] {
  const program = ask.view.environment()?.program;
  if (program === undefined || note.functions.length === 0) return [];
  const shown = note.functions.slice(0, FUNCTIONS).map((index): Line => {
    const { name, location, override } = program.describe(index);
    const link = { text: `${name}()`, to: { path: location.path, line: location.range.start.line } };
    return override ? [link, ` (${location.path.split('/').pop()})`] : [link];
  });
  const more = note.functions.length - shown.length;
  const line = shown.flatMap((part, i): Inline[] => (i === 0 ? [...part] : [' · ', ...part]));
  return [text('C: ', ...line, more > 0 ? ` · ${more} more` : '')];
}

/** Messages of rules; those about the outcome are said by it. */
function findings(ask: Asking, unit: ScenarioUnit, notes: StepNotes, of: readonly StepNote[]): Block[] {
  const lines: Line[] = [];
  for (const { findings: found } of of) {
    for (const { rule, message } of found) {
      if (rule === 'OUTCOME' || lines.length >= 4) continue;
      lines.push([{ text: rule, rule }, ': ', ...sentence(ask.resolved(unit, notes, message))]);
    }
  }
  return lines.length === 0 ? [] : [list(lines)];
}

function reliance(note: StepNote): Block[] {
  if (note.reliedOn === 0) return [];
  return [
    text(...sentence(relianceNote(note.reliedOn).trim())),
    list(reliedOptions(note.reliedOn).map(({ name, doc }): Line => [{ code: name }, ': ', ...sentence(doc)])),
  ];
}

/** The statement of a rule, with the page that explains it. */
export function ruleBlocks(id: string): Block[] | undefined {
  const rule = ruleInfo(id);
  if (rule === undefined) return undefined;
  const first = (rule.explanation ?? '').split('\n\n')[0];
  return [
    text({ strong: id }, rule.spec === '' ? '' : ` (${rule.spec})`, ': ', ...sentence(rule.statement)),
    ...(first === '' ? [] : [text(...sentence(first.replace(/\s+/g, ' ')))]),
    text('Source: ', ...sentence(rule.source), '. ', { text: 'What it means and what to do', rule: id }, '.'),
  ];
}
