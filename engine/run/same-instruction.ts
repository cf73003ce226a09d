/**
 * Whether an instruction of an edited scenario means what it meant before, so that a run can be resumed behind it.
 *
 * Two instructions mean the same when they have the same words and (for steps inlined from a sequence) came through the same calls; where they
 * stand does not matter, so a comment or a blank line costs no re-run. Sequences themselves belong to the environment: when one changes,
 * nothing is resumed.
 */
import type { Instruction, ScenarioUnit, Span } from '../scenario/program.ts';

export function sameInstruction(a: Instruction, unitA: ScenarioUnit, b: Instruction, unitB: ScenarioUnit): boolean {
  // The analysis hands on what an edit leaves alone.
  if (a === b) return true;
  if (a.kind !== b.kind || !sameText(a.span, unitA, b.span, unitB)) return false;
  switch (a.kind) {
    case 'step':
    case 'expect': {
      const other = b as typeof a;
      return (
        a.text === other.text &&
        a.via.length === other.via.length &&
        a.via.every((span, i) => sameText(span, unitA, other.via[i], unitB))
      );
    }
    case 'let':
      return a.variable === (b as typeof a).variable;
    case 'for':
      return a.variable === (b as typeof a).variable && a.exit === (b as typeof a).exit;
    case 'next':
      return a.head === (b as typeof a).head;
    case 'allow':
    case 'allow-end': {
      const number = (b as typeof a).allow;
      return a.allow === number && unitA.allows[number]?.rule === unitB.allows[number]?.rule;
    }
  }
}

function sameText(a: Span, unitA: ScenarioUnit, b: Span, unitB: ScenarioUnit): boolean {
  if (a.file !== b.file) return false;
  if (a.file !== undefined) return a.start === b.start && a.end === b.end;
  return unitA.text.slice(a.start, a.end) === unitB.text.slice(b.start, b.end);
}
