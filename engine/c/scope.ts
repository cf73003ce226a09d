/**
 * Names and what they mean (C11 6.2.1, 6.2.3): ordinary identifiers and tags, each in nested scopes.
 *
 * A file scope has more than one parent: a function that a patch adds sees the patch's own declarations, then those of headers the patch changes,
 * then the file scope of the model's file of the same name, then the model's headers. The first that knows a name wins.
 */
import type { Origin } from '../vm/bytecode.ts';
import type { Initializer } from './syntax.ts';
import type { CType, FunctionType } from './types.ts';

export interface TypedefSymbol {
  kind: 'typedef';
  name: string;
  type: CType;
}
export interface ConstantSymbol {
  kind: 'constant';
  name: string;
  value: bigint;
  type: CType;
}
export interface VariableSymbol {
  kind: 'variable';
  name: string;
  type: CType;
  storage: 'local' | 'parameter' | 'static' | 'extern';
  /** Where it is declared. */
  origin: Origin;
  /** First register of a local or parameter; set by lowering. */
  register?: number;
  /** Static: how it starts; undefined is all zero. */
  initializer?: Initializer | undefined;
  /** Static with linkage: is this a definition (tentative ones included), visible to other files? */
  defined?: boolean;
  external?: boolean;
  /** Local: called with its address when its block is left (scope guards). */
  cleanup?: FunctionSymbol;
  /** Index in the program's statics once it is used. */
  staticIndex?: number;
}
export interface FunctionSymbol {
  kind: 'function';
  name: string;
  type: FunctionType;
  /** The unit in whose eyes the name is resolved (a `static` function of the same unit comes first). */
  scope: Scope;
  mustPropagate: boolean;
  /** From `__attribute__((error("…")))`: being called at all is an error. */
  error?: string;
  origin: Origin;
}
export type CSymbol = TypedefSymbol | ConstantSymbol | VariableSymbol | FunctionSymbol;

export class Scope {
  private readonly parents: readonly Scope[];
  private readonly symbols = new Map<string, CSymbol>();
  private readonly tags = new Map<string, CType>();
  private readonly lazy = new Map<string, () => CSymbol | undefined>();
  /** Asked when no scope in the chain declares the name (functions defined but not declared). Set on file scopes only. */
  fallback: ((name: string) => CSymbol | undefined) | undefined;

  constructor(parents: readonly Scope[] = []) {
    this.parents = parents;
  }

  declare(symbol: CSymbol): void {
    this.symbols.set(symbol.name, symbol);
  }
  /** Declare a name whose meaning is worked out when it is first asked for. */
  declareLazily(name: string, make: () => CSymbol | undefined): void {
    this.lazy.set(name, make);
  }
  declareTag(name: string, type: CType): void {
    this.tags.set(name, type);
  }
  /** What the name means in this very scope. */
  own(name: string): CSymbol | undefined {
    const known = this.symbols.get(name);
    if (known !== undefined) return known;
    const make = this.lazy.get(name);
    if (make === undefined) return undefined;
    // Taken out first: working out a function's type may ask for the same name.
    this.lazy.delete(name);
    const made = make();
    if (made !== undefined) this.symbols.set(name, made);
    return made;
  }
  ownTag(name: string): CType | undefined {
    return this.tags.get(name);
  }
  ownSymbols(): Iterable<CSymbol> {
    return this.symbols.values();
  }

  lookup(name: string): CSymbol | undefined {
    const found = this.find(name);
    if (found !== undefined) return found;
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parents[0]) {
      if (scope.fallback !== undefined) return scope.fallback(name);
    }
    return undefined;
  }

  private find(name: string): CSymbol | undefined {
    const here = this.own(name);
    if (here !== undefined) return here;
    for (const parent of this.parents) {
      const found = parent.find(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The type of a tag; a complete one before one that is only declared. */
  lookupTag(name: string): CType | undefined {
    const here = this.tags.get(name);
    if (here !== undefined && 'complete' in here && here.complete) return here;
    let incomplete = here;
    for (const parent of this.parents) {
      const found = parent.lookupTag(name);
      if (found === undefined) continue;
      if ('complete' in found && found.complete && here === undefined) return found;
      incomplete ??= found;
    }
    return incomplete;
  }

  /** A complete type of this tag anywhere in the chain, for a type that was only declared where it was first named. */
  completeTag(name: string): CType | undefined {
    const here = this.tags.get(name);
    if (here !== undefined && 'complete' in here && here.complete) return here;
    for (const parent of this.parents) {
      const found = parent.completeTag(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
