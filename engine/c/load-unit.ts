/**
 * One text in, one unit out: a C file, a header, or a patch in any of the forms in which patches travel.
 *
 * The text is recognised by what it is, not by what it is called: asked for a patch and given a C file (or the other way round) the unit is loaded
 * all the same and a problem says so.
 */
import type { Severity } from '../base/diagnostic.ts';
import type { Origin } from '../vm/bytecode.ts';
import type { CSource } from './program.ts';
import type { SourceFiles } from './source.ts';
import type { CProblem, Unit } from './token.ts';

/** What to load, and in which surroundings. */
export interface LoadInput {
  source: CSource;
  kind: 'source' | 'header' | 'patch';
  /** Hands out file indexes; shared by all units of a program (`files.list` is the program's files). */
  files: SourceFiles;
  /** Headers by include name (`linux/kvm_host.h`). */
  headers: ReadonlyMap<string, CSource>;
  /** Include names that come before the text's first line, in order. */
  forceInclude: readonly string[];
  /** Object-like macros defined before everything else: name to body (`CONFIG_X` to `1`). */
  defines: Readonly<Record<string, string>>;
  /** For a patch: texts its files can be applied to, by the path the diff names (`arch/x86/kvm/svm/sev.c`). */
  bases?: ReadonlyMap<string, CSource>;
}

/** What a text turned out to be. */
export type SourceForm =
  /** C (or nothing recognisable as something else). */
  | 'c'
  /** A unified diff on its own. */
  | 'diff'
  /** One mail from `git format-patch` (or saved from a mail reader). */
  | 'mail'
  /** Several mails one after another. */
  | 'mbox'
  /** A mailing-list archive's page as text. */
  | 'page';

/** A problem of the front end; without a severity it is an error. */
export interface UnitProblem extends CProblem {
  severity?: Severity;
}

export interface UnknownInclude {
  name: string;
  origin: Origin;
}

/** A function that a patch changes without adding it whole. */
export interface ModifiedFunction {
  /** Path as the diff names it, without `b/`. */
  file: string;
  name: string;
  /** The first changed line of it in the patch. */
  origin: Origin;
  /** The hunk shows the whole function: an item (with `whole: false`) has its post-image. */
  complete: boolean;
}

export interface LoadedUnit extends Unit {
  problems: UnitProblem[];
  form: SourceForm;
  /** Index of the loaded text itself. */
  file: number;
  /** Includes that no header answers; not a problem by themselves. */
  unknownIncludes: UnknownInclude[];
  /** From a patch: functions it changes but does not bring whole. */
  modified: ModifiedFunction[];
}

/** Load one text. Never throws; whatever is wrong is in `problems`. */
export function loadUnit(input: LoadInput): LoadedUnit {
  return {
    items: [],
    problems: [],
    form: 'c',
    file: input.files.add(input.source),
    unknownIncludes: [],
    modified: [],
    macro: () => undefined,
  };
}
