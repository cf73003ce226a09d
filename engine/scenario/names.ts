/**
 * Which name stands where and what it refers to: for go to definition, references, rename, semantic tokens. Found on demand by going over the text once
 * more with an ear for names, a scenario at a time; analysing a keystroke does not pay for it.
 */
import { type Analysis, declareAgain } from './analyze.ts';
import type { NameListener, Target } from './context.ts';
import type { Declarations } from './declarations.ts';
import { DOCUMENT } from './imports.ts';
import { lowerScenario } from './lower-scenario.ts';
import type { ScenarioUnit, Span } from './program.ts';
import type { Binding } from './scope.ts';

export type NameKind = 'guest' | 'variable' | 'sequence' | 'operation' | 'query' | 'function';

export interface NamedPlace {
  /** Absolute in the document. */
  start: number;
  end: number;
  kind: NameKind;
  name: string;
  /**
   * Where it is declared, absolute in its file: `file` undefined is this document, otherwise an index into the program's imports. Operations, queries
   * and functions belong to the language and have no such place.
   */
  definition: Span | undefined;
  /** This place is the declaration itself. */
  declares: boolean;
}

/** Names outside scenarios: as long as the declarations are the same, so are they. */
const declared = new WeakMap<Declarations, NamedPlace[]>();

/** Names in a scenario, with where it began when they were found and what it refers to. */
interface UnitNames {
  declarations: Declarations;
  start: number;
  names: NamedPlace[];
}
/** A scenario that an edit elsewhere has moved keeps its names. */
const inUnits = new WeakMap<ScenarioUnit, UnitNames>();

/** Names outside scenarios, in the order of the text. */
export function declaredNames(analysis: Analysis): readonly NamedPlace[] {
  let names = declared.get(analysis.declarations);
  if (names === undefined) {
    names = collect(0, (listener) => declareAgain(analysis, listener));
    declared.set(analysis.declarations, names);
  }
  return names;
}

/** Names in one scenario, in the order of the text. */
export function scenarioNames(analysis: Analysis, unit: ScenarioUnit): readonly NamedPlace[] {
  const { declarations } = analysis;
  const known = inUnits.get(unit);
  if (known !== undefined && known.declarations === declarations) {
    if (known.start !== unit.start) move(known, unit);
    return known.names;
  }
  const names = collect(unit.start, (listener) =>
    lowerScenario(analysis.text, analysis.tree, unit.start, declarations, undefined, listener),
  );
  inUnits.set(unit, { declarations, start: unit.start, names });
  return names;
}

/** The same names where the scenario stands now. What it refers to outside has not moved: the declarations are the same. */
function move(known: UnitNames, unit: ScenarioUnit): void {
  const shift = unit.start - known.start;
  const end = known.start + unit.text.length;
  const isInside = (span: Span): boolean => span.file === undefined && span.start >= known.start && span.end <= end;
  known.names = known.names.map((name) => ({
    ...name,
    start: name.start + shift,
    end: name.end + shift,
    definition:
      name.definition !== undefined && isInside(name.definition)
        ? { start: name.definition.start + shift, end: name.definition.end + shift }
        : name.definition,
  }));
  known.start = unit.start;
}

/** Every name of the document, in the order of the text. */
export function allNames(analysis: Analysis): readonly NamedPlace[] {
  return [
    ...declaredNames(analysis),
    ...analysis.program.scenarios.flatMap((unit) => scenarioNames(analysis, unit)),
  ].sort(byPlace);
}

/** The name at an offset, if there is one. */
export function nameAt(analysis: Analysis, offset: number): NamedPlace | undefined {
  const unit = analysis.program.scenarios.find((u) => offset >= u.start && offset <= u.end);
  const names = unit === undefined ? declaredNames(analysis) : scenarioNames(analysis, unit);
  return names.find((name) => offset >= name.start && offset <= name.end);
}

/** Every place in the document that refers to what a name refers to, its declaration included. */
export function referencesTo(analysis: Analysis, name: NamedPlace): readonly NamedPlace[] {
  const { definition } = name;
  return allNames(analysis).filter((other) => {
    if (other.kind !== name.kind) return false;
    if (definition === undefined || other.definition === undefined)
      return definition === other.definition && other.name === name.name;
    return other.definition.start === definition.start && other.definition.file === definition.file;
  });
}

const byPlace = (a: NamedPlace, b: NamedPlace): number => a.start - b.start;

function collect(base: number, run: (names: NameListener) => void): NamedPlace[] {
  const places = new Map<number, NamedPlace>();
  run((use, target) => {
    const shift = use.file === undefined ? base : 0;
    const start = use.from;
    const definition = declaredAt(target, shift);
    const place: NamedPlace = {
      start,
      end: use.to,
      kind: kindOf(target),
      name: target.name,
      definition,
      declares: definition !== undefined && definition.file === undefined && definition.start === start,
    };
    // A place can be looked at twice, by the checks of two callers.
    if (!places.has(start)) places.set(start, place);
  });
  return [...places.values()].sort(byPlace);
}

function declaredAt(target: Binding | Target, shift: number): Span | undefined {
  const declared = target.declared;
  if (declared === undefined) return undefined;
  if (declared.file === undefined) return { start: declared.start + shift, end: declared.end + shift };
  return declared.file === DOCUMENT ? { start: declared.start, end: declared.end } : declared;
}

function kindOf(target: Binding | Target): NameKind {
  switch (target.is) {
    case 'guest':
    case 'sequence':
    case 'operation':
    case 'query':
    case 'function':
      return target.is;
    default:
      return 'variable';
  }
}
