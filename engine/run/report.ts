/**
 * From what a run found to diagnostics: the place in the scenario, the C lines that did it, the earlier step it follows from.
 *
 * A finding is shown on the scenario step and, when a user's own patch or source did it, on that C line too. Everything about a unit is kept
 * relative to the unit's start line, so that an unchanged scenario that has moved is not judged again.
 */
import type { Diagnostic, Location, Range, RelatedInformation, Severity } from '../base/diagnostic.ts';
import { LineIndex } from '../base/line-index.ts';
import { ruleInfo } from '../invariants/catalogue.ts';
import type { Instruction, Problem, ScenarioProgram, ScenarioUnit, Span, UserInvariant } from '../scenario/program.ts';
import { mentionLine, resolveLines, resolveSteps } from './mention.ts';
import { type RunFinding, type ScenarioRun, shifted } from './run.ts';

/** Relative to its unit, fixed, or the declaration of an invariant, wherever that stands by now. */
export type Place = Span | Location | { invariant: number };

/** A diagnostic whose place is relative to its unit (spans), or fixed (C files, imports). */
export interface UnitDiagnostic {
  rule: string;
  severity: Severity;
  message: string;
  span: Span;
  related: { message: string; place: Place }[];
  /** C lines of the user's own that share the blame, innermost first. */
  blamed: Location[];
  tags?: Diagnostic['tags'];
  data?: unknown;
}

export interface UnitResult {
  status: 'passed' | 'failed' | 'error';
  steps: number;
  diagnostics: UnitDiagnostic[];
}

/** Findings of one scenario that are listed one by one; a loop can make millions. */
const FINDINGS_PER_INSTRUCTION = 3;

export function unitResult(run: ScenarioRun): UnitResult {
  const diagnostics: UnitDiagnostic[] = run.unit.problems.map(fromProblem);
  const perInstruction = new Map<string, number>();
  for (const finding of run.findings) {
    const instruction = run.instructionOf(finding.instance);
    const key = `${instruction.span.start} ${finding.rule} ${finding.invariant ?? ''}`;
    const seen = (perInstruction.get(key) ?? 0) + 1;
    perInstruction.set(key, seen);
    if (seen <= FINDINGS_PER_INSTRUCTION) diagnostics.push(fromFinding(run, finding, instruction));
  }
  for (const allow of run.unusedAllows()) {
    diagnostics.push(
      plain(
        'ALLOW-UNUSED',
        `This allow silences nothing: no step in its scope violates ${allow.rule}. Remove it.`,
        allow.span,
        ['unnecessary'],
      ),
    );
  }
  for (const instruction of run.unreached()) {
    diagnostics.push(
      plain('UNREACHED', 'Not reached: the scenario stopped before this step.', instruction.span, ['unnecessary']),
    );
  }
  return { status: statusOf(run, diagnostics), steps: run.steps, diagnostics };
}

/** What can be said of a scenario that was not run: its own problems. */
export const notRun = (unit: ScenarioUnit): UnitResult => ({
  status: 'error',
  steps: 0,
  diagnostics: unit.problems.map(fromProblem),
});

function statusOf(run: ScenarioRun, diagnostics: readonly UnitDiagnostic[]): UnitResult['status'] {
  if (run.state === 'stopped' || run.unit.problems.some((problem) => problem.severity === 'error')) return 'error';
  return diagnostics.some((d) => d.severity === 'error' || d.rule === 'OUTCOME') ? 'failed' : 'passed';
}

export function fromProblem(problem: Problem): UnitDiagnostic {
  return {
    rule: problem.rule,
    severity: problem.severity,
    message: problem.message,
    span: problem.span,
    related: (problem.related ?? []).map((r) => ({ message: r.message, place: r.span })),
    blamed: [],
    data: problem.data,
  };
}

function plain(rule: string, message: string, span: Span, tags: NonNullable<Diagnostic['tags']>): UnitDiagnostic {
  return { rule, severity: ruleInfo(rule)?.severity ?? 'error', message, span, related: [], blamed: [], tags };
}

function fromFinding(run: ScenarioRun, finding: RunFinding, instruction: Instruction): UnitDiagnostic {
  const { machine } = run;
  const related: UnitDiagnostic['related'] = [];
  const blamed: Location[] = [];

  const site = finding.site ?? (finding.event === undefined ? undefined : machine.siteOfEvent(finding.event));
  if (finding.location !== undefined) {
    related.push({ message: 'here', place: finding.location });
    if (!finding.location.path.startsWith('model:')) blamed.push(finding.location);
  }
  if (site !== undefined && site.site !== 0) {
    const frames = machine.framesOf(site);
    // The user's own code first: that is where a patch goes wrong, even when the last call was into the model.
    const own = frames.find((frame) => frame.override);
    const shown = own !== undefined && own !== frames[0] ? [own, frames[0]] : frames.slice(0, 1);
    for (const frame of shown) related.push({ message: `in ${frame.function}()`, place: frame.location });
    if (own !== undefined && !blamed.some((b) => sameLocation(b, own.location))) blamed.push(own.location);
  }
  if (finding.invariant !== undefined)
    related.push({ message: 'the invariant', place: { invariant: finding.invariant } });
  if (finding.since !== undefined) {
    const earlier = machine.instanceOfEvent(finding.since);
    if (earlier !== undefined && earlier < finding.instance) {
      const step = run.instructionOf(earlier);
      related.push({ message: `since this step (${stepText(step)})`, place: outermost(step) });
    }
  }
  const via = 'via' in instruction ? instruction.via : [];
  const narrow = finding.span === undefined ? undefined : shifted(finding.span, instruction.span.start);
  if (via.length > 0) related.push({ message: 'in this step of the sequence', place: narrow ?? instruction.span });
  return {
    rule: finding.rule,
    severity: finding.severity ?? ruleInfo(finding.rule)?.severity ?? 'error',
    message: resolveSteps(finding.message, (instance) => mention(run.instructionOf(instance))),
    span: via.length > 0 ? via[0] : (narrow ?? outermost(instruction)),
    related,
    blamed,
    data: finding.data,
  };
}

function mention(instruction: Instruction): string {
  const what = instruction.kind === 'step' ? ` (${instruction.text.replace(/\(.*$/s, '')})` : '';
  return `${mentionLine(outermost(instruction).start)}${what}`;
}

const stepText = (instruction: Instruction): string => ('text' in instruction ? instruction.text : instruction.kind);

/** Where an instruction is shown in its scenario: the step, or the outermost call of the sequence it came from. */
export function outermost(instruction: Instruction): Span {
  if ('via' in instruction && instruction.via.length > 0) return instruction.via[0];
  return instruction.kind === 'step' ? instruction.callSpan : instruction.span;
}

const sameLocation = (a: Location, b: Location): boolean =>
  a.path === b.path && a.range.start.line === b.range.start.line && a.range.start.character === b.range.start.character;

/** Turns relative places into lines and characters of the document as it is now. */
export class Placer {
  private readonly path: string;
  private readonly lines: LineIndex;
  private readonly imports: { path: string; lines: LineIndex }[];
  private readonly invariants: readonly UserInvariant[];

  constructor(path: string, text: string, program: ScenarioProgram) {
    this.path = path;
    this.lines = new LineIndex(text);
    this.invariants = program.invariants;
    this.imports = program.imports.map((file) => ({ path: file.path, lines: new LineIndex(file.text) }));
  }

  span(span: Span, base: number): Location {
    if (span.file !== undefined) {
      const file = this.imports[span.file];
      if (file !== undefined) return { path: file.path, range: file.lines.range(span.start, span.end) };
    }
    return { path: this.path, range: this.range(span.start + base, span.end + base) };
  }

  private locate(place: Place, base: number): Location {
    if ('path' in place) return place;
    if (!('invariant' in place)) return this.span(place, base);
    const { start, end } = this.invariants[place.invariant].nameSpan;
    return { path: this.path, range: this.range(start, end) };
  }

  range(start: number, end: number): Range {
    return this.lines.range(start, end);
  }

  /** The diagnostic on the scenario. */
  place(d: UnitDiagnostic, base: number): Diagnostic {
    const location = this.span(d.span, base);
    const related: RelatedInformation[] = d.related.map((r) => ({
      message: r.message,
      location: this.locate(r.place, base),
    }));
    return make(d, location, related, this.message(d, base));
  }

  private message(d: UnitDiagnostic, base: number): string {
    return resolveLines(d.message, (offset) => `line ${this.lines.position(offset + base).line + 1}`);
  }

  /** The same on the user's own C lines, pointing back at the step. */
  placeInC(d: UnitDiagnostic, base: number, unit: ScenarioUnit): Diagnostic[] {
    const back: RelatedInformation = { message: `in scenario "${unit.name}"`, location: this.span(d.span, base) };
    return d.blamed.map((location) => make(d, location, [back], this.message(d, base)));
  }
}

function make(d: UnitDiagnostic, location: Location, related: RelatedInformation[], message: string): Diagnostic {
  return {
    rule: d.rule,
    spec: ruleInfo(d.rule)?.spec ?? '',
    severity: d.severity,
    message,
    location,
    related,
    ...(d.tags === undefined ? {} : { tags: d.tags }),
    ...(d.data === undefined ? {} : { data: d.data }),
  };
}

/** One diagnostic for each rule and C line, however many steps reach it; the steps are its related places. */
export function mergeInC(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const merged = new Map<string, Diagnostic>();
  for (const d of diagnostics) {
    const { path, range } = d.location;
    const key = `${d.rule} ${path} ${range.start.line} ${range.start.character}`;
    const known = merged.get(key);
    if (known === undefined) merged.set(key, { ...d, related: [...d.related] });
    else if (known.related.length < 5) known.related.push(...d.related);
  }
  return [...merged.values()];
}
