/**
 * The units of a program and their file scopes: the model's headers with the natives' prototypes (every file's surroundings), the model's files,
 * and what the user's patches and sources bring.
 *
 * A unit's declarations are read when one of its functions is first compiled. Headers are read once: an item that the model holds already is not
 * read again for the patch whose surroundings it is.
 */
import type { Diagnostic } from '../base/diagnostic.ts';
import { type LoadedUnit, loadUnit } from './load-unit.ts';
import { message, Rule } from './messages.ts';
import type { Failure } from './parse-cursor.ts';
import { type FunctionHead, parseFileDeclaration, parseFunctionHead } from './parse-item.ts';
import type { CProgramInput, CSource } from './program.ts';
import { type FunctionSymbol, Scope, type VariableSymbol } from './scope.ts';
import { SourceFiles } from './source.ts';
import type { Item } from './token.ts';

/** Every file of the program sees this header first. */
const MODEL_HEADER = 'model.h';
/** Name under which the natives' prototypes are shown. */
export const NATIVES_PATH = 'model:natives.h';

/** The kernel configuration that the models stand for. */
const CONFIGURATION = {
  __KERNEL__: '1',
  CONFIG_64BIT: '1',
  CONFIG_X86_64: '1',
  CONFIG_SMP: '1',
  CONFIG_KVM_AMD_SEV: '1',
  CONFIG_AMD_MEM_ENCRYPT: '1',
};

/** A function that some unit defines. */
export class Definition {
  readonly name: string;
  readonly item: Item;
  readonly unit: ProgramUnit;
  private read: FunctionHead | Failure | undefined;
  private reading = false;

  constructor(name: string, item: Item, unit: ProgramUnit) {
    this.name = name;
    this.item = item;
    this.unit = unit;
  }

  /** The signature; a failure if it cannot be read; undefined while it is being read. */
  get head(): FunctionHead | Failure | undefined {
    if (this.read === undefined && !this.reading) {
      this.reading = true;
      this.unit.prepare();
      this.read = parseFunctionHead(this.item, this.unit.scope);
      this.reading = false;
    }
    return this.read;
  }
  get symbol(): FunctionSymbol | undefined {
    const { head } = this;
    return head !== undefined && 'symbol' in head ? head.symbol : undefined;
  }
  get isStatic(): boolean {
    const { head } = this;
    return head !== undefined && 'symbol' in head && head.isStatic;
  }
}

export class ProgramUnit {
  readonly kind: 'base' | 'model' | 'override';
  readonly path: string;
  readonly scope: Scope;
  readonly definitions = new Map<string, Definition>();
  private readonly declarations: Item[] = [];
  private readonly before: readonly ProgramUnit[];
  private prepared = false;

  constructor(kind: ProgramUnit['kind'], path: string, parents: readonly ProgramUnit[]) {
    this.kind = kind;
    this.path = path;
    this.before = parents;
    this.scope = new Scope(parents.map((p) => p.scope));
  }

  get base(): string {
    return baseName(this.path);
  }

  add(item: Item): void {
    if (item.kind === 'declaration') this.declarations.push(item);
    if (item.kind !== 'function' || item.name === undefined) return;
    const { name } = item;
    const definition = new Definition(name, item, this);
    this.definitions.set(name, definition);
    this.scope.declareLazily(name, () => definition.symbol);
  }

  /** Read the declarations, if that has not been done. Those that cannot be read declare nothing. */
  prepare(): void {
    if (this.prepared) return;
    this.prepared = true;
    for (const unit of this.before) unit.prepare();
    for (const item of this.declarations) parseFileDeclaration(item, this.scope);
  }

  /** A file-scope variable that other files may name, and that is defined here. */
  global(name: string): VariableSymbol | undefined {
    this.prepare();
    const symbol = this.scope.own(name);
    return symbol?.kind === 'variable' && symbol.external && symbol.defined ? symbol : undefined;
  }
}

export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const itemKey = (item: Item): string => `${item.origin.file}:${item.origin.start}:${item.origin.end}`;

export class ProgramUnits {
  readonly files = new SourceFiles();
  readonly base: ProgramUnit;
  readonly model: ProgramUnit[] = [];
  /** In the order in which they are used: later ones win. */
  readonly overrides: ProgramUnit[] = [];
  readonly problems: Diagnostic[] = [];
  /** Prototypes of the natives by name. */
  readonly natives = new Map<string, { index: number; symbol: FunctionSymbol }>();
  /** The model as loaded, for its macros. */
  loaded: LoadedUnit | undefined;
  private readonly input: CProgramInput;
  private readonly known = new Set<string>();
  private readonly headerScopes: ProgramUnit[] = [];

  constructor(input: CProgramInput) {
    this.input = input;
    this.base = new ProgramUnit('base', MODEL_HEADER, []);
    this.loadModel();
    for (const { kind, source } of input.overrides) this.loadOverride(kind, source);
  }

  private load(
    source: CSource,
    kind: 'source' | 'header' | 'patch',
    extra: readonly CSource[],
    bases?: ReadonlyMap<string, CSource>,
  ): LoadedUnit {
    const headers = new Map(this.input.headers);
    for (const e of extra) headers.set(unitHeader(e), e);
    const forceInclude = [...(headers.has(MODEL_HEADER) ? [MODEL_HEADER] : []), ...extra.map(unitHeader)];
    return loadUnit({
      source,
      kind,
      files: this.files,
      headers,
      forceInclude,
      defines: CONFIGURATION,
      ...(bases === undefined ? {} : { bases }),
    });
  }

  /**
   * The model's headers, its files and the natives' prototypes (one a line), all in one text, since what costs time is reading the headers. Macros
   * of one file are thus seen in the next; declarations are not, they go by the file they stand in.
   */
  private loadModel(): void {
    const lines = this.input.natives.map(
      (native) => `${native.prototype.trim().replace(/;$/, '').replace(/\s+/g, ' ')};\n`,
    );
    const starts: number[] = [];
    let length = 0;
    for (const line of lines) {
      starts.push(length);
      length += line.length;
    }
    const loaded = this.load({ path: NATIVES_PATH, text: lines.join('') }, 'header', this.input.model);
    this.loaded = loaded;
    const byFile = new Map<number, ProgramUnit>();
    for (const source of this.input.model) {
      const unit = new ProgramUnit('model', source.path, [this.base]);
      this.model.push(unit);
      byFile.set(this.files.add(source), unit);
    }
    const prototypes: Item[] = [];
    for (const item of loaded.items) {
      this.known.add(itemKey(item));
      if (item.origin.file === loaded.file) prototypes.push(item);
      else (byFile.get(item.origin.file) ?? this.base).add(item);
    }
    this.base.prepare();
    for (const item of prototypes) {
      const index = starts.findLastIndex((start) => start <= item.origin.start);
      const scope = new Scope([this.base.scope]);
      parseFileDeclaration(item, scope);
      for (const symbol of scope.ownSymbols()) {
        if (symbol.kind !== 'function' || index < 0) continue;
        symbol.scope = this.base.scope;
        const declared = this.base.scope.own(symbol.name);
        if (declared?.kind === 'function' && declared.mustPropagate) symbol.mustPropagate = true;
        this.natives.set(symbol.name, { index, symbol });
        if (declared === undefined) this.base.scope.declare(symbol);
      }
    }
  }

  /** The model's file that a path of the kernel's tree corresponds to. */
  private counterpart(path: string): ProgramUnit | undefined {
    return this.model.find((unit) => unit.base === baseName(path));
  }

  private loadOverride(kind: 'source' | 'patch', source: CSource): void {
    const paths = kind === 'patch' ? patchedPaths(source.text) : [];
    const named = paths.length > 0 ? paths.map((p) => p.path) : [source.path];
    const counterparts = [...new Set(named.map((path) => this.counterpart(path)).filter((u) => u !== undefined))];
    const extra = this.input.model.filter((m) => counterparts.some((unit) => unit.path === m.path));
    const bases = this.basesFor(named, source);
    const loaded = this.load(source, kind, extra, bases);
    const units = new Map<string, ProgramUnit>();
    let functions = 0;
    for (const item of loaded.items) {
      if (this.known.has(itemKey(item))) continue;
      const path = this.pathOf(item, loaded, paths, source);
      let unit = units.get(path);
      if (unit === undefined) {
        const counterpart = this.counterpart(path);
        unit = new ProgramUnit(
          'override',
          path,
          [...this.headerScopes].reverse().concat(counterpart === undefined ? [this.base] : [counterpart]),
        );
        units.set(path, unit);
        if (path.endsWith('.h')) this.headerScopes.push(unit);
        this.overrides.push(unit);
      }
      // What a patch leaves as it is in the file it is applied to, that file brings already.
      if (item.kind === 'function' && bases.has(path) && !touches(item, loaded.file)) {
        const other = this.overrides.findLast(
          (u) => u !== unit && item.name !== undefined && u.definitions.has(item.name),
        );
        if (other !== undefined) continue;
      }
      if (item.kind === 'function') functions++;
      unit.add(item);
    }
    this.reportUnit(loaded, source, functions);
  }

  /** For a patch: sources in use that its files are changes to. */
  private basesFor(paths: readonly string[], patch: CSource): Map<string, CSource> {
    const bases = new Map<string, CSource>();
    for (const path of paths) {
      for (const { kind, source } of this.input.overrides) {
        if (source === patch) break;
        if (kind === 'source' && baseName(source.path) === baseName(path)) bases.set(path, source);
      }
    }
    return bases;
  }

  /** The path in the kernel's tree of the file that an item belongs to. */
  private pathOf(
    item: Item,
    loaded: LoadedUnit,
    paths: readonly { at: number; path: string }[],
    source: CSource,
  ): string {
    if (paths.length === 0) return source.path;
    if (item.origin.file === loaded.file)
      return paths.findLast((p) => p.at <= item.origin.start)?.path ?? paths[0].path;
    const file = this.files.list[item.origin.file].path;
    return paths.find((p) => baseName(p.path) === baseName(file))?.path ?? file;
  }

  private reportUnit(loaded: LoadedUnit, source: CSource, functions: number): void {
    for (const p of loaded.problems) {
      if (p.origin.file !== loaded.file) continue;
      this.problems.push(this.diagnostic(p.origin, p.rule, p.severity ?? 'error', p.message));
    }
    for (const m of loaded.modified) {
      if (m.complete) continue;
      const inModel = this.model.some((unit) => unit.definitions.has(m.name));
      const text = inModel ? message.patchModified(m.name, m.file) : message.patchModifiedUnknown(m.name, m.file);
      this.problems.push(this.diagnostic(m.origin, Rule.Patch, 'information', text));
    }
    if (
      functions === 0 &&
      loaded.modified.length === 0 &&
      !loaded.holdsNoC &&
      !loaded.problems.some((p) => p.origin.file === loaded.file && p.severity !== 'warning')
    ) {
      this.problems.push(
        this.diagnostic(
          { file: loaded.file, start: 0, end: 0 },
          Rule.Patch,
          'warning',
          message.noFunction(source.path),
        ),
      );
    }
  }

  private diagnostic(origin: Item['origin'], rule: string, severity: Diagnostic['severity'], text: string): Diagnostic {
    const location = { path: this.files.list[origin.file].path, range: this.files.range(origin) };
    return { rule, spec: '', severity, message: text, location, related: [] };
  }
}

/** Include name under which a model's own file stands before a patch to it, for its macros. */
const unitHeader = (source: CSource): string => `model:${source.path}`;

/** Does any token of the item stand in this file? */
const touches = (item: Item, file: number): boolean => item.tokens().some((t) => t.file === file);

/** The files that a patch names, with where their parts begin. */
function patchedPaths(text: string): { at: number; path: string }[] {
  const paths: { at: number; path: string }[] = [];
  for (const match of text.matchAll(/^[ \t]*\+\+\+ (?:b\/)?([^\s]+)/gm)) {
    if (match[1] !== '/dev/null') paths.push({ at: match.index, path: match[1] });
  }
  return paths;
}
