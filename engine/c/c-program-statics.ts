/**
 * File-scope and static variables and string literals: objects with initial values by slot (C11 6.7.9, 6.6 for what may stand in an initialiser).
 *
 * A function's address is its program-wide number, so that an operations table calls whatever replaces the function.
 */
import type { CodeProblem, StaticInit, StaticObject } from '../vm/bytecode.ts';
import { fits, isComplete, slotsOf } from './layout.ts';
import { message, Rule } from './messages.ts';
import type { FunctionSymbol, VariableSymbol } from './scope.ts';
import type { Expression, Initializer, InitializerEntry } from './syntax.ts';
import { isRecord, renderType } from './types.ts';

export interface StaticsHost {
  functionIndex(symbol: FunctionSymbol): number;
  /** The definition that a name with linkage means. */
  definition(symbol: VariableSymbol): VariableSymbol | undefined;
}

type Address = { function: number } | { static: number; offset: number } | { value: bigint };

export class Statics {
  readonly objects: StaticObject[] = [];
  private readonly host: StaticsHost;
  private readonly strings = new Map<string, number>();
  private readonly problems = new Map<VariableSymbol, CodeProblem>();

  constructor(host: StaticsHost) {
    this.host = host;
  }

  string(text: string): number {
    let index = this.strings.get(text);
    if (index === undefined) {
      index = this.objects.length;
      this.objects.push({
        name: `"${text.length > 24 ? `${text.slice(0, 24)}…` : text}"`,
        slots: text.length + 1,
        init: [],
        text,
      });
      this.strings.set(text, index);
    }
    return index;
  }

  /** The object of a variable; made on first use. */
  index(symbol: VariableSymbol): number | CodeProblem {
    const known = this.problems.get(symbol);
    if (known !== undefined) return known;
    const defined = symbol.external || symbol.storage === 'extern' ? this.host.definition(symbol) : symbol;
    if (defined === undefined)
      return {
        origin: symbol.origin,
        rule: Rule.Undefined,
        message: message.undefinedVariable(symbol.name),
        name: symbol.name,
      };
    if (defined.staticIndex !== undefined) return defined.staticIndex;
    const { type } = defined;
    if (!isComplete(type))
      return { origin: symbol.origin, rule: Rule.Type, message: message.incomplete(renderType(type)) };
    if (!fits(type))
      return { origin: symbol.origin, rule: Rule.Unsupported, message: message.objectTooBig(symbol.name) };
    const index = this.objects.length;
    const object: StaticObject = { name: defined.name, slots: Math.max(slotsOf(type), 1), init: [] };
    this.objects.push(object);
    // Known before its values are: an initialiser may hold its own address.
    defined.staticIndex = index;
    if (defined.initializer !== undefined) {
      const problem = this.fill(defined.initializer, 0, object);
      if (problem !== undefined) this.problems.set(symbol, problem);
      if (problem !== undefined) return problem;
    }
    return index;
  }

  /** Values of an initialiser from `slot` on; the problem of the first that is not constant. */
  private fill(initializer: Initializer, slot: number, object: StaticObject): CodeProblem | undefined {
    for (const entry of initializer.entries) {
      const problem = this.fillEntry(entry, slot + entry.slot, object);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  private fillEntry(entry: InitializerEntry, slot: number, object: StaticObject): CodeProblem | undefined {
    const { value } = entry;
    if (isRecord(entry.type)) {
      if (value.kind === 'compound-literal') return this.fill(value.initializer, slot, object);
      return notConstant(value);
    }
    const address = this.address(value);
    if (address === undefined)
      return value.kind === 'problem'
        ? { origin: value.origin, rule: value.rule, message: value.message }
        : notConstant(value);
    put(object, slot, entry, address);
    return undefined;
  }

  /** An address constant or integer constant (C11 6.6). */
  private address(e: Expression): Address | undefined {
    if (e.value !== undefined) return { value: e.value };
    switch (e.kind) {
      case 'cast':
        return e.type.kind === 'pointer' || e.operand.type.kind === 'pointer' ? this.address(e.operand) : undefined;
      case 'address':
        return e.operand.kind === 'function'
          ? { function: this.host.functionIndex(e.operand.symbol) }
          : this.object(e.operand);
      case 'pointer-add': {
        const base = this.address(e.pointer);
        if (base === undefined || !('static' in base) || e.index.value === undefined) return undefined;
        const by = Number(e.subtract ? -e.index.value : e.index.value) * e.step;
        return { static: base.static, offset: base.offset + by };
      }
      default:
        return undefined;
    }
  }

  /** Where an lvalue with static storage is. */
  private object(e: Expression): Address | undefined {
    switch (e.kind) {
      case 'variable':
      case 'compound-literal': {
        if (e.symbol.storage !== 'static' && e.symbol.storage !== 'extern') return undefined;
        const index = this.index(e.symbol);
        return typeof index === 'number' ? { static: index, offset: 0 } : undefined;
      }
      case 'string':
        return { static: this.string(e.text), offset: 0 };
      case 'member': {
        const record = this.object(e.record);
        return record !== undefined && 'static' in record
          ? { static: record.static, offset: record.offset + e.slot }
          : undefined;
      }
      case 'dereference':
        return this.address(e.operand);
      default:
        return undefined;
    }
  }
}

const notConstant = (e: Expression): CodeProblem => ({
  origin: e.origin,
  rule: Rule.Type,
  message: message.notConstant('the initialiser of a static variable'),
});

/** A later value of the same slot replaces an earlier one; bit-fields of one unit are merged. */
function put(object: StaticObject, slot: number, entry: InitializerEntry, address: Address): void {
  const at = object.init.findIndex((i) => i.slot === slot);
  let made: StaticInit;
  if ('value' in address) {
    let { value } = address;
    if (entry.bits !== undefined) {
      const { offset, width } = entry.bits;
      const old = at < 0 ? undefined : object.init[at];
      const unit = old !== undefined && 'value' in old ? (old.wide ?? BigInt(old.value)) : 0n;
      const mask = ((1n << BigInt(width)) - 1n) << BigInt(offset);
      value = (BigInt.asUintN(64, unit) & ~mask) | ((value << BigInt(offset)) & mask);
    }
    const exact = value >= -(1n << 53n) && value <= 1n << 53n;
    made = exact ? { slot, value: Number(value) } : { slot, value: Number.NaN, wide: value };
  } else made = { slot, ...address };
  if (at < 0) object.init.push(made);
  else object.init[at] = made;
}
