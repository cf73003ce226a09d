/** What steps came to, in words: short for a hint at the end of a line, in full for a hover. */
import { plural } from '../base/text.ts';
import { formatOutcome } from '../run/outcome.ts';
import { formatValue } from '../scenario/numbers.ts';
import type { Instruction, ScenarioUnit, Step } from '../scenario/program.ts';
import { Effects } from './effects.ts';
import { lastOf, type StepNote, type StepNotes } from './step-notes.ts';

/** A line of a scenario that does something: a step, or the call of a sequence with all of its steps. */
export interface ActiveLine {
  /** Numbers of the instructions, ascending; steps only. */
  readonly pcs: readonly number[];
  /** Offsets in the document. */
  readonly start: number;
  readonly end: number;
  readonly isCall: boolean;
}

/** Success of what has no return code: accesses, and what happens to memory behind KVM. */
const WITHOUT_CODE = new Set(['read', 'write', 'fetch', 'user_write', 'vmrun', 'vmexit', 'psc', 'ap_create']);

/** `0`, `ok`, `FAIL_OVERLAP`, `#NPF(RMP|ENC)`, `0x3f`: the result as it would be written down. */
export function outcomeWord(step: Step, note: StepNote): string {
  const { outcome } = note;
  if (!outcome.ok) return formatOutcome(outcome);
  if (outcome.value !== undefined) return outcome.value > 9 ? `0x${outcome.value.toString(16)}` : String(outcome.value);
  if (step.actor.kind === 'host' || step.actor.kind === 'dev') return 'ok';
  return WITHOUT_CODE.has(step.operation.split('.')[1]) ? 'ok' : '0';
}

/** The lines of a scenario that do something, in the order of the text. */
export function activeLines(unit: ScenarioUnit): ActiveLine[] {
  const known = linesOf.get(unit);
  if (known !== undefined && known.start === unit.start) return known.lines;
  const lines = new Map<number, { pcs: number[]; start: number; end: number; isCall: boolean }>();
  for (const [pc, instruction] of unit.code.entries()) {
    if (instruction.kind !== 'step') continue;
    const isCall = instruction.via.length > 0;
    const span = isCall ? instruction.via[0] : instruction.span;
    if (span.file !== undefined) continue;
    const line = lines.get(span.start);
    if (line !== undefined) line.pcs.push(pc);
    else lines.set(span.start, { pcs: [pc], start: span.start + unit.start, end: span.end + unit.start, isCall });
  }
  const sorted = [...lines.values()].sort((a, b) => a.start - b.start);
  linesOf.set(unit, { start: unit.start, lines: sorted });
  return sorted;
}

const linesOf = new WeakMap<ScenarioUnit, { start: number; lines: ActiveLine[] }>();

/** The last instruction that notes have to go past for everything about a line to be known. */
export const settledBehind = (unit: ScenarioUnit, pcs: readonly number[]): number =>
  pcs.reduce((last, pc) => Math.max(last, lastOf(unit, pc)), -1);

/** What several executions came to, together. */
export interface Together {
  /** Executions. */
  count: number;
  /** `0`, or `0 ×15, FAIL_OVERLAP ×1`. */
  outcome: string;
  /** One word for all of them; undefined if they differ. */
  single: string | undefined;
  unexpected: boolean;
  effects: Effects;
}

export function together(unit: ScenarioUnit, notes: StepNotes, pcs: readonly number[]): Together | undefined {
  const words = new Map<string, number>();
  const effects = new Effects();
  let count = 0;
  let unexpected = false;
  for (const pc of pcs) {
    const step = unit.code[pc];
    if (step.kind !== 'step') continue;
    for (const note of notes.of(pc)) {
      const word = outcomeWord(step, note);
      words.set(word, (words.get(word) ?? 0) + 1);
      effects.add(note.effects);
      count++;
      if (!note.expected) unexpected = true;
    }
  }
  if (count === 0) return undefined;
  const single = words.size === 1 ? ([...words.keys()][0] as string) : undefined;
  // Results of a sequence's steps are of many kinds; that all of them are successes is one.
  const allGood = single === undefined && [...words.keys()].every((word) => word === '0' || word === 'ok');
  const outcome =
    single ?? (allGood ? 'ok' : [...words].map(([word, n]) => (n === 1 ? word : `${word} ×${n}`)).join(', '));
  return { count, outcome, single: single ?? (allGood ? 'ok' : undefined), unexpected, effects };
}

export interface HintText {
  /** `→ 0 · 512 × 4K assigned, head count 511` */
  text: string;
  unexpected: boolean;
}

/** Whether the line says by its `=>` all that the result's word would: `=> #PF` leaves the bits open, `=> any` everything. */
function isStated(unit: ScenarioUnit, line: ActiveLine, all: Together): boolean {
  const [step] = line.pcs.map((pc) => unit.code[pc]);
  if (line.isCall || all.unexpected || all.single === undefined || step.kind !== 'step') return false;
  const pattern = step.expected;
  switch (pattern?.form) {
    case 'ok':
    case 'cf':
      return ['ok', '0', 'CF=1'].includes(all.single);
    case 'fault':
      return pattern.bits !== undefined && all.single.startsWith('#');
    case 'value':
      return true;
    case 'code':
    case 'errno':
    case 'exit':
      return all.single === pattern.name;
    case 'livelock':
    case 'trap':
      return all.single === pattern.form;
    default:
      return false;
  }
}

/** The hint of a line; undefined if it was never executed, or states itself all that there is to say. */
export function hintOf(
  unit: ScenarioUnit,
  notes: StepNotes,
  line: ActiveLine,
  detail: 'outcomes' | 'changes',
): HintText | undefined {
  const all = together(unit, notes, line.pcs);
  if (all === undefined) return undefined;
  const parts = isStated(unit, line, all) ? [] : [all.outcome];
  if (detail === 'changes') parts.push(...all.effects.short(all.single ?? ''));
  if (line.isCall) parts.push(plural(all.count, 'step'));
  else if (all.count > 1) parts.push(`${all.count} times`);
  return parts.length === 0 ? undefined : { text: `→ ${parts.join(' · ')}`, unexpected: all.unexpected };
}

/** `a = 64K`: the variables of the loops around an instruction, as they were. */
export function loopValues(unit: ScenarioUnit, pc: number, note: StepNote): string {
  const parts: string[] = [];
  for (const [head, instruction] of unit.code.entries()) {
    if (head >= pc) break;
    if (instruction.kind !== 'for' || instruction.exit <= pc) continue;
    const value = note.values[instruction.variable];
    if (value !== undefined) parts.push(`${unit.variableNames[instruction.variable]} = ${formatValue(value)}`);
  }
  return parts.join(', ');
}

/** The text of an instruction, for lists. */
export const instructionText = (instruction: Instruction): string =>
  'text' in instruction ? instruction.text : instruction.kind;
