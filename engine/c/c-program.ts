/**
 * A C program: units in, functions out (the contract is program.ts).
 *
 * Functions are known by name, program-wide; who defines a name is decided in one place, {@link Program.resolve}: a stub, then the last patch or
 * source in use, then the model, then a native. A `static` function of a model file is that file's own when another file has one of its name.
 */
import type { Diagnostic, Location } from '../base/diagnostic.ts';
import { type CodeProblem, type FunctionCode, Op, type Origin, type StaticObject } from '../vm/bytecode.ts';
import { COutline } from './c-outline.ts';
import { Statics } from './c-program-statics.ts';
import { type Definition, ProgramUnits } from './c-program-units.ts';
import { findMember, slotsOf } from './layout.ts';
import type { CallTarget, LowerHost } from './lower-context.ts';
import { Emitter } from './lower-emitter.ts';
import { lowerFunction, trapFunction } from './lower-function.ts';
import { message, Rule } from './messages.ts';
import { Parser } from './parse-cursor.ts';
import { parseConditional } from './parse-expression.ts';
import { parseFunctionBody } from './parse-item.ts';
import { resolved } from './parse-typing.ts';
import type { CFunction, CProgram, CProgramInput, CSource, CTypeKind } from './program.ts';
import type { FunctionSymbol, Scope, VariableSymbol } from './scope.ts';
import type { Token } from './token.ts';
import {
  type CType,
  type FunctionType,
  isRecord,
  isScalar,
  isSigned,
  layoutCompatible,
  type RecordType,
  renderType,
  widthOf,
} from './types.ts';

export function createCProgram(input: CProgramInput): CProgram {
  return new Program(input);
}

/** What stands behind a function index. */
type Body =
  | { kind: 'stub'; name: string; value: number }
  | { kind: 'definition'; name: string; definition: Definition }
  | { kind: 'native'; name: string; index: number; symbol: FunctionSymbol }
  | { kind: 'undefined'; name: string };

const NOWHERE: Origin = { file: 0, start: 0, end: 0 };

class Program implements CProgram, LowerHost {
  readonly outline: COutline;
  readonly progressTypes: ReadonlySet<string>;
  private readonly units: ProgramUnits;
  private readonly stubs: Map<string, number>;
  private readonly statics_: Statics;
  private readonly bodies: Body[] = [];
  private readonly indexes = new Map<unknown, number>();
  private readonly codes: (FunctionCode | undefined)[] = [];
  private readonly siteStarts: number[] = [];
  private readonly siteOwners: { start: number; function: number }[] = [];
  private sites = 1;
  private readonly types: CType[] = [];
  private readonly typeIndexes = new Map<CType, number>();
  private readonly definitions = new Map<string, Definition[]>();
  private readonly overriding = new Map<string, Definition>();
  private readonly propagating = new Map<string, boolean>();

  constructor(input: CProgramInput) {
    this.progressTypes = new Set(input.progressTypes);
    this.stubs = new Map(input.stubs.map((s) => [s.name, s.value]));
    this.units = new ProgramUnits(input);
    this.statics_ = new Statics({
      functionIndex: (symbol) => this.functionIndex(symbol),
      definition: (symbol) => this.variable(symbol),
    });
    for (const unit of [this.units.base, ...this.units.model]) {
      for (const [name, definition] of unit.definitions) {
        const list = this.definitions.get(name);
        if (list === undefined) this.definitions.set(name, [definition]);
        else list.push(definition);
      }
    }
    for (const unit of this.units.overrides)
      for (const [name, definition] of unit.definitions) this.overriding.set(name, definition);
    this.units.base.scope.fallback = (name) => this.undeclared(name);
    this.outline = new COutline(this.units, (name, definition) => {
      const body = this.resolve(name, definition.unit.scope);
      return body.kind === 'definition' && body.definition === definition;
    });
  }

  // --- names -----------------------------------------------------------------------------------------------------------------------

  /** Who answers for a name, as a symbol declared in `scope` means it. */
  private resolve(name: string, scope: Scope | undefined): Body {
    const value = this.stubs.get(name);
    if (value !== undefined) return { kind: 'stub', name, value };
    const models = this.definitions.get(name);
    const own = models !== undefined && models.length > 1 ? models.find((d) => d.unit.scope === scope) : undefined;
    const override = this.overriding.get(name);
    if (override !== undefined && !(own !== undefined && this.isElsewhere(own, override, models ?? []))) {
      return { kind: 'definition', name, definition: override };
    }
    const definition =
      own ?? (models !== undefined && models.length > 1 ? models.find((d) => !d.isStatic) : undefined) ?? models?.[0];
    if (definition !== undefined) return { kind: 'definition', name, definition };
    const native = this.units.natives.get(name);
    if (native !== undefined) return { kind: 'native', name, ...native };
    return { kind: 'undefined', name };
  }

  /** Two model files have a static function of this name, and the override is of the other one. */
  private isElsewhere(own: Definition, override: Definition, all: readonly Definition[]): boolean {
    return own.isStatic && own.unit.base !== override.unit.base && all.some((d) => d.unit.base === override.unit.base);
  }

  /** A name that is defined somewhere in the program but declared nowhere the caller sees. */
  private undeclared(name: string): FunctionSymbol | undefined {
    const body = this.resolve(name, undefined);
    if (body.kind === 'definition') return body.definition.symbol;
    return body.kind === 'native' ? body.symbol : undefined;
  }

  private indexOf(body: Body): number {
    const key = body.kind === 'definition' ? body.definition : body.name;
    let index = this.indexes.get(key);
    if (index === undefined) {
      index = this.bodies.length;
      this.indexes.set(key, index);
      this.bodies.push(body);
      this.codes.push(undefined);
      this.siteStarts.push(0);
    }
    return index;
  }

  functionIndex(symbol: FunctionSymbol): number {
    return this.indexOf(this.resolve(symbol.name, symbol.scope));
  }

  callTarget(symbol: FunctionSymbol, given: number): CallTarget {
    const body = this.resolve(symbol.name, symbol.scope);
    if (body.kind === 'undefined') return { kind: 'undefined' };
    if (body.kind === 'native') return { kind: 'native', index: body.index };
    if (body.kind === 'definition') {
      const wrong = this.mismatch(symbol, body.definition, given);
      if (wrong !== undefined) return { kind: 'wrong', message: wrong };
    }
    return { kind: 'function', index: this.indexOf(body) };
  }

  /** Why a definition cannot be called as its caller knows it: another number of arguments, or a struct of the same name but another layout. */
  private mismatch(symbol: FunctionSymbol, definition: Definition, given: number): string | undefined {
    const type = definition.symbol?.type;
    if (type === undefined || type.unspecified) return undefined;
    const { path, scope } = definition.unit;
    const wanted = type.parameters.length;
    if (given < wanted || (given > wanted && !type.variadic))
      return `${message.tooFew(symbol.name, wanted, given)}: it is defined in ${path}`;
    if (type === symbol.type) return undefined;
    for (const [i, { type: seen }] of symbol.type.parameters.entries()) {
      const own = type.parameters[i]?.type;
      if (own?.kind !== 'pointer' || seen.kind !== 'pointer' || own.to === seen.to) continue;
      const a = complete(seen.to, symbol.scope);
      const b = complete(own.to, scope);
      if (isRecord(a) && isRecord(b) && a.complete && b.complete && !layoutCompatible(a, b))
        return message.otherRecord(symbol.name, renderType(b), path);
    }
    return undefined;
  }

  /** Declared so anywhere in the model or on a native, or on the definition itself. */
  mustPropagate(symbol: FunctionSymbol): boolean {
    if (symbol.mustPropagate) return true;
    const { name } = symbol;
    let known = this.propagating.get(name);
    if (known === undefined) {
      known = this.units.natives.get(name)?.symbol.mustPropagate === true;
      for (const unit of [this.units.base, ...this.units.model]) {
        unit.prepare();
        const declared = unit.scope.own(name);
        if (declared?.kind === 'function' && declared.mustPropagate) known = true;
      }
      this.propagating.set(name, known);
    }
    return known;
  }

  /** The definition that a variable with linkage means: the last override's, else the model's, one with an initialiser first. */
  private variable(symbol: VariableSymbol): VariableSymbol | undefined {
    const { name } = symbol;
    for (const unit of [...this.units.overrides].reverse()) {
      const found = unit.global(name);
      if (found !== undefined) return found;
    }
    let tentative: VariableSymbol | undefined;
    for (const unit of [...this.units.model, this.units.base]) {
      const found = unit.global(name);
      if (found?.initializer !== undefined) return found;
      tentative ??= found;
    }
    return tentative ?? (symbol.defined ? symbol : undefined);
  }

  staticIndex(symbol: VariableSymbol): number | CodeProblem {
    return this.statics_.index(symbol);
  }
  stringIndex(text: string): number {
    return this.statics_.string(text);
  }
  get statics(): StaticObject[] {
    return this.statics_.objects;
  }

  typeIndex(type: CType): number {
    let index = this.typeIndexes.get(type);
    if (index === undefined) {
      index = this.types.length;
      this.types.push(type);
      this.typeIndexes.set(type, index);
    }
    return index;
  }
  typeName(type: number): string {
    return renderType(this.types[type]);
  }
  typeAt(type: number): CType {
    return this.completed(this.types[type]);
  }
  completed(type: CType): CType {
    if (!isRecord(type) || type.complete || type.tag === undefined) return type;
    const known = this.record(type.tag)?.type;
    return known !== undefined && known.kind === type.kind ? known : type;
  }
  staticVariable(name: string): { type: CType; index: number } | undefined {
    for (const unit of [...this.units.overrides, ...this.units.model, this.units.base]) {
      unit.prepare();
      const symbol = unit.global(name);
      const found = symbol === undefined ? undefined : this.variable(symbol);
      const index = found === undefined ? undefined : this.staticIndex(found);
      if (found !== undefined && typeof index === 'number') return { type: this.completed(found.type), index };
    }
    return undefined;
  }

  // --- functions -------------------------------------------------------------------------------------------------------------------

  functionName(index: number): string {
    return this.bodies[index].name;
  }

  functionCode(index: number): FunctionCode {
    let code = this.codes[index];
    if (code === undefined) {
      code = this.compile(this.bodies[index]);
      this.codes[index] = code;
      this.siteStarts[index] = this.sites;
      this.siteOwners.push({ start: this.sites, function: index });
      this.sites += code.code.length / 4;
    }
    return code;
  }

  private compile(body: Body): FunctionCode {
    switch (body.kind) {
      case 'stub':
        return this.stubCode(body.name, body.value);
      case 'native':
        return nativeCode(body.name, body.index, body.symbol);
      case 'undefined':
        return trapFunction(body.name, NOWHERE, 0, Rule.Undefined, message.undefinedFunction(body.name), body.name);
      case 'definition': {
        const { definition, name } = body;
        const { head } = definition;
        const { origin } = definition.item;
        if (head === undefined || !('symbol' in head)) {
          return trapFunction(
            name,
            head?.origin ?? origin,
            0,
            Rule.Syntax,
            head?.message ?? message.expected('a function', 'something else'),
          );
        }
        return lowerFunction(parseFunctionBody(head, origin), this);
      }
    }
  }

  private stubCode(name: string, value: number): FunctionCode {
    const type = this.typeOf({ kind: 'stub', name, value });
    const e = new Emitter(NOWHERE);
    e.load(0, BigInt(Math.trunc(value)));
    e.emit(Op.RET, 0);
    const slots = type === undefined ? 0 : type.parameters.reduce((n, p) => n + slotsOf(p.type), 0);
    if (type !== undefined && isRecord(type.returns))
      return trapFunction(name, NOWHERE, slots + 1, Rule.Unsupported, message.stubbedWide(name));
    return e.finish(name, Math.max(1, slots), slots, true, NOWHERE);
  }

  /** The type that the program's declarations give a function. */
  private typeOf(body: Body): FunctionType | undefined {
    if (body.kind === 'definition') return body.definition.symbol?.type;
    if (body.kind === 'native') return body.symbol.type;
    const declared =
      this.units.base.scope.own(body.name) ??
      this.definitions.get(body.name)?.[0].symbol ??
      this.units.natives.get(body.name)?.symbol;
    return declared?.kind === 'function' ? declared.type : undefined;
  }

  find(name: string): CFunction | undefined {
    const body = this.resolve(name, undefined);
    return body.kind === 'undefined' ? undefined : this.describe(this.indexOf(body));
  }

  describe(index: number): CFunction {
    const body = this.bodies[index];
    const type = this.typeOf(body);
    const scope = body.kind === 'definition' ? body.definition.unit.scope : this.units.base.scope;
    const parameters = (type?.parameters ?? []).map((p) => {
      const t = complete(p.type, scope);
      return {
        name: p.name,
        type: renderType(t),
        slots: slotsOf(t),
        kind: t.kind as CTypeKind,
        width: scalarWidth(t),
        signed: isSigned(t),
      };
    });
    const returns = type === undefined ? undefined : complete(type.returns, scope);
    const origin =
      body.kind === 'definition'
        ? (body.definition.symbol?.origin ?? body.definition.item.origin)
        : body.kind === 'native'
          ? body.symbol.origin
          : NOWHERE;
    return {
      index,
      name: body.name,
      parameters,
      returns: {
        type: returns === undefined ? 'int' : renderType(returns),
        kind: returns === undefined ? 'int' : (returns.kind as CTypeKind),
        width: returns === undefined ? 32 : scalarWidth(returns),
        signed: returns === undefined || isSigned(returns),
      },
      location: this.location(origin),
      override: body.kind === 'stub' || (body.kind === 'definition' && body.definition.unit.kind === 'override'),
    };
  }

  names(): Iterable<string> {
    return new Set([
      ...this.stubs.keys(),
      ...this.overriding.keys(),
      ...this.definitions.keys(),
      ...this.units.natives.keys(),
    ]);
  }

  // --- constants and layouts -------------------------------------------------------------------------------------------------------

  constant(name: string): number | bigint | undefined {
    const { base, model } = this.units;
    base.prepare();
    const enumerator = base.scope.own(name);
    if (enumerator?.kind === 'constant') return exact(enumerator.value);
    const tokens = this.units.loaded?.macro(name);
    const value = tokens === undefined ? undefined : evaluate(tokens, base.scope);
    if (value !== undefined) return exact(value);
    for (const unit of model) {
      unit.prepare();
      const own = unit.scope.own(name);
      if (own?.kind === 'constant') return exact(own.value);
      const local = tokens === undefined ? undefined : evaluate(tokens, unit.scope);
      if (local !== undefined) return exact(local);
    }
    return undefined;
  }

  private record(tag: string): { type: RecordType; scope: Scope } | undefined {
    for (const unit of [this.units.base, ...this.units.model]) {
      unit.prepare();
      const type = unit.scope.ownTag(tag);
      if (type !== undefined && isRecord(type) && type.complete) return { type, scope: unit.scope };
    }
    return undefined;
  }

  memberSlot(structTag: string, member: string): number | undefined {
    const record = this.record(structTag);
    let type: CType | undefined = record?.type;
    let slot = 0;
    for (const name of member.split('.')) {
      if (type === undefined || !isRecord(type) || record === undefined) return undefined;
      const found = findMember(type, name);
      if (found === undefined) return undefined;
      slot += found.slot;
      type = complete(found.member.type, record.scope);
    }
    return slot;
  }

  structSlots(structTag: string): number | undefined {
    return this.record(structTag)?.type.slots;
  }

  // --- places ----------------------------------------------------------------------------------------------------------------------

  get files(): readonly CSource[] {
    return this.units.files.list;
  }
  get problems(): Diagnostic[] {
    return this.units.problems;
  }

  location(origin: Origin): Location {
    const { files } = this.units;
    return { path: files.list[origin.file]?.path ?? '', range: files.range(origin) };
  }

  siteOf(functionIndex: number, pc: number): number {
    this.functionCode(functionIndex);
    return this.siteStarts[functionIndex] + pc;
  }

  site(site: number): { function: number; pc: number } | undefined {
    if (site < 1 || site >= this.sites) return undefined;
    let low = 0;
    let high = this.siteOwners.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.siteOwners[middle].start <= site) low = middle;
      else high = middle - 1;
    }
    const owner = this.siteOwners[low];
    return { function: owner.function, pc: site - owner.start };
  }
}

/** A native as a function of its own, for when its address is taken or it is called from outside. */
function nativeCode(name: string, native: number, symbol: FunctionSymbol): FunctionCode {
  const { type, origin } = symbol;
  const slots = type.parameters.reduce((n, p) => n + slotsOf(p.type), 0);
  const e = new Emitter(origin);
  e.emit(Op.CALLN, 0, native, slots);
  const returnsValue = type.returns.kind !== 'void';
  if (returnsValue) e.emit(Op.RET, 0);
  else e.emit(Op.RETV);
  return e.finish(name, Math.max(1, slots), slots, returnsValue, origin);
}

/** Value of a macro's expansion, if it is an integer constant expression. */
function evaluate(tokens: Token[], scope: Scope): bigint | undefined {
  const p = new Parser(tokens, scope);
  const e = parseConditional(p);
  return p.failure === undefined && p.atEnd() && e.value !== undefined && isScalar(e.type) ? e.value : undefined;
}

const exact = (value: bigint): number | bigint => {
  const n = Number(value);
  return Number.isSafeInteger(n) ? n : value;
};

const complete = (type: CType, scope: Scope): CType => resolved(new Parser([], scope), type);
const scalarWidth = (t: CType): number => (isScalar(t) ? widthOf(t) : 0);
