/**
 * One text in, one unit out: a C file, a header, or a patch in any of the forms in which patches travel.
 *
 * The text is recognised by what it is, not by what it is called: asked for a patch and given a C file (or the other way round) the unit is loaded
 * all the same and a problem says so.
 */
import type { Severity } from '../base/diagnostic.ts';
import type { Origin } from '../vm/bytecode.ts';
import { type ItemSpan, splitItems } from './items.ts';
import { isCFile, looksLikePatch, type Patch, type PatchedFile, parsePatch } from './patch.ts';
import { applyPatch } from './patch-apply.ts';
import { addedLines, isTopLevel, modifiedFunctions, postImage } from './patch-view.ts';
import { Preprocessor, type TokenRun, tokensOf } from './preprocess.ts';
import type { CSource } from './program.ts';
import { type SourceFiles, splice } from './source.ts';
import type { CProblem, Item, Token, Unit } from './token.ts';
import { tokenize } from './tokenize.ts';

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
  /** From a patch: it changes no C file, which is among the problems. */
  holdsNoC: boolean;
}

/** Load one text. Never throws; whatever is wrong is in `problems`. */
export function loadUnit(input: LoadInput): LoadedUnit {
  const { files, source, kind } = input;
  const file = files.add(source);
  const unit = new UnitBuilder(input);
  const isPatch = looksLikePatch(source.text);
  if (kind === 'patch' ? isPatch || !looksLikeC(source.text) : isPatch) {
    if (kind !== 'patch')
      unit.say({ file, start: 0, end: 0 }, 'PATCH', `\`${source.path}\` holds a patch, not C; it is used as a patch.`);
    return unit.loadPatch(file);
  }
  if (kind === 'patch')
    unit.say({ file, start: 0, end: 0 }, 'PATCH', `\`${source.path}\` is C, not a patch; it is used as a source file.`);
  unit.addRun(unit.preprocessor.preprocess(tokensOf(files, file), source.path));
  unit.sayTwice(file);
  return unit.finish(file, 'c', []);
}

/** Of a text that holds no diff: is it at least C? */
const looksLikeC = (text: string): boolean =>
  /^(?:#\s*include\b|#\s*define\b|static\s|\w[\w \t*]*\([^;]{0,400}\)\s*\{)/m.test(text);

class UnitBuilder {
  readonly preprocessor: Preprocessor;
  readonly items: LoadedItem[] = [];
  private readonly input: LoadInput;

  constructor(input: LoadInput) {
    this.input = input;
    this.preprocessor = new Preprocessor(input.files, input.headers);
    this.preprocessor.configure(input.defines);
    for (const name of input.forceInclude) this.addRun(this.preprocessor.force(name));
  }

  /** Take the items of a whole text. */
  addRun(run: TokenRun): void {
    for (const span of splitItems(run.tokens, false, (p) => this.preprocessor.report(p))) this.addSpan(run, span, true);
  }

  /** Note a problem of the text as a whole; a warning, since it is used all the same. */
  say(origin: Origin, rule: string, message: string): void {
    this.preprocessor.problems.push({ origin, rule, message, severity: 'warning' });
  }

  /** The C files of a patch: headers first, since the files use what they declare. */
  loadPatch(file: number): LoadedUnit {
    const { preprocessor } = this;
    const patch = parsePatch(this.input.source.text, file);
    preprocessor.problems.push(...patch.problems);
    const fragment = addedLines(patch);
    const modified: ModifiedFunction[] = [];
    const usable = patch.files.filter((f) => isCFile(f.path) && !f.deleted);
    const ordered = [...usable.filter((f) => f.path.endsWith('.h')), ...usable.filter((f) => !f.path.endsWith('.h'))];
    for (const patched of ordered) {
      const base = this.input.bases?.get(patched.path);
      if (base !== undefined) {
        // All parts of the patch that concern this file are applied where the first of them stands.
        const parts = ordered.filter((f) => f.path === patched.path);
        if (parts[0] === patched) this.addApplied(base, patch, parts, file);
        continue;
      }
      for (const hunk of patched.hunks) {
        const text = tokenize(postImage(patch, hunk, file));
        const run = preprocessor.preprocess(text, patched.path, fragment);
        const spans = splitItems(run.tokens, true, () => {});
        for (const span of spans) {
          const origin = originOf(run.tokens, span.from, span.to);
          if (origin.file !== file) this.addSpan(run, span, true);
          else if (!isTopLevel(run, span)) continue;
          else if (fragment.added(origin)) {
            for (let i = span.from; i < span.to; i++) {
              const fault = text.faults.get(run.tokens[i]);
              if (fault !== undefined) preprocessor.report(fault);
            }
            this.addSpan(run, span, true);
          } else if (span.kind === 'function' && fragment.touched(origin)) this.addSpan(run, span, false);
        }
        modified.push(...modifiedFunctions(patch, patched, hunk, run, spans, fragment, file));
      }
    }
    for (const change of modified) {
      const added = this.items.find((item) => item.name === change.name && item.origin.file === file && item.whole);
      if (added !== undefined && !change.complete && added.origin.start < change.origin.start) {
        const text = `\`${change.name}\` is added further up and changed again here; only the text that is added is used. Squash the patches, or give the source file they apply to.`;
        this.say(change.origin, 'PATCH', text);
      }
    }
    if (patch.files.length > 0 && usable.length === 0) {
      const { start, end } = patch.files[0];
      this.say(
        { file, start, end },
        'PATCH',
        'This patch changes no C file (`.c` or `.h`): there is nothing in it to run.',
      );
    }
    return { ...this.finish(file, patch.form, modified), holdsNoC: usable.length === 0 };
  }

  /** C that defines a function twice does not compile; here the last definition is used, and that is said. */
  sayTwice(file: number): void {
    const seen = new Set<string>();
    for (const { kind, name, whole, origin } of this.items) {
      if (kind !== 'function' || name === undefined || !whole || origin.file !== file) continue;
      if (seen.has(name))
        this.say(
          origin,
          'C-TYPE',
          `\`${name}\` is defined twice in this file; this definition is used, and not the one above.`,
        );
      seen.add(name);
    }
  }

  /** The whole file after the patch. */
  private addApplied(base: CSource, patch: Patch, parts: readonly PatchedFile[], file: number): void {
    const { preprocessor } = this;
    const { view, problems } = applyPatch(base.text, this.input.files.add(base), patch, parts, file);
    preprocessor.problems.push(...problems);
    this.addRun(preprocessor.preprocess(tokenize(splice(view)), parts[0].path));
  }

  /** Make an item of a span; one that a macro heads becomes the items that the macro makes. */
  private addSpan(run: TokenRun, span: ItemSpan, whole: boolean): void {
    const item = new LoadedItem(this.preprocessor, run, span, whole);
    if (span.head >= 0) {
      const changes = changesUpTo(run, span.head);
      const version = changes === 0 ? run.version : run.changes[changes - 1].version;
      const macro = this.preprocessor.table.find(run.tokens[span.head].text, version);
      if (macro?.parameters !== undefined) {
        const expanded = item.tokens().slice(0, -1);
        const made: TokenRun = { tokens: expanded, version: 0, changes: [] };
        for (const inner of splitItems(expanded, true, () => {})) {
          const part = new LoadedItem(this.preprocessor, made, inner, whole);
          part.origin = item.origin;
          part.adopt(expanded.slice(inner.from, inner.to));
          this.items.push(part);
        }
        return;
      }
    }
    this.items.push(item);
  }

  finish(file: number, form: SourceForm, modified: ModifiedFunction[]): LoadedUnit {
    const { preprocessor } = this;
    const { table, expander } = preprocessor;
    return {
      items: this.items,
      problems: preprocessor.problems,
      form,
      file,
      unknownIncludes: preprocessor.unknownIncludes,
      modified,
      holdsNoC: false,
      macro: (name) => {
        const macro = table.find(name, table.version);
        if (macro === undefined || macro.parameters !== undefined || macro.builtin !== undefined) return undefined;
        const body = macro.body.map((part) => part.token);
        return withEnd(expander.expand(body, table.version, preprocessor.problems), macro.origin);
      },
    };
  }
}

class LoadedItem implements Item {
  readonly kind: Item['kind'];
  readonly name: string | undefined;
  readonly whole: boolean;
  origin: Origin;
  private readonly preprocessor: Preprocessor;
  private readonly run: TokenRun;
  private readonly span: ItemSpan;
  private expanded: Token[] | undefined;

  constructor(preprocessor: Preprocessor, run: TokenRun, span: ItemSpan, whole: boolean) {
    this.preprocessor = preprocessor;
    this.run = run;
    this.span = span;
    this.kind = span.kind;
    this.name = span.name;
    this.whole = whole;
    this.origin = originOf(run.tokens, span.from, span.to);
  }

  tokens(): Token[] {
    if (this.expanded === undefined) {
      const { run, span, preprocessor } = this;
      const first = changesUpTo(run, span.from);
      const changes = run.changes
        .slice(first, changesUpTo(run, span.to - 1))
        .map((c) => ({ at: c.at - span.from, version: c.version }));
      const version = first === 0 ? run.version : run.changes[first - 1].version;
      const raw = run.tokens.slice(span.from, span.to);
      this.adopt(preprocessor.expander.expand(raw, version, preprocessor.problems, changes));
    }
    return this.expanded ?? [];
  }

  /** Take tokens that are expanded already. */
  adopt(tokens: Token[]): void {
    this.expanded = withEnd(tokens, this.origin);
  }
}

/** How many of the run's macro changes come before its token `at`. */
function changesUpTo(run: TokenRun, at: number): number {
  let low = 0;
  let high = run.changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (run.changes[middle].at <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** From the first to the last token that stands in the first one's file. */
function originOf(tokens: readonly Token[], from: number, to: number): Origin {
  const { file, start } = tokens[from];
  let last = to - 1;
  while (last > from && (tokens[last].file !== file || tokens[last].end < start)) last--;
  return { file, start, end: tokens[last].end };
}

function withEnd(tokens: Token[], origin: Origin): Token[] {
  tokens.push({
    kind: 'end',
    text: '',
    file: origin.file,
    start: origin.end,
    end: origin.end,
    spaceBefore: false,
    lineStart: true,
  });
  return tokens;
}
