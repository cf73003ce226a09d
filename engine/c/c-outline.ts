/**
 * The functions of a C program as places in its files: where each is defined, by the model and by whatever replaces it, and which functions its body
 * names. For the editor: going to a definition, references, symbols, call hierarchy. Found when first asked for; compiling and running never pay for it.
 */
import type { Location } from '../base/diagnostic.ts';
import type { Origin } from '../vm/bytecode.ts';
import { type Definition, NATIVES_PATH, type ProgramUnits } from './c-program-units.ts';

export interface COutlineFunction {
  readonly name: string;
  /** The whole of it. */
  readonly location: Location;
  /** Its name in its head. */
  readonly nameLocation: Location;
  /** It is what runs when the name is called: no stub, patch or source has another in its place. */
  readonly active: boolean;
  /** From the user's patch or source. */
  readonly override: boolean;
  /** Functions that it names, in the order of the text; each place once. */
  mentions(): readonly CMention[];
}

export interface CMention {
  readonly name: string;
  readonly location: Location;
  /** An opening parenthesis follows. */
  readonly call: boolean;
}

export class COutline {
  private readonly units: ProgramUnits;
  private readonly isActive: (name: string, definition: Definition) => boolean;
  private known: COutlineFunction[] | undefined;
  private byName: Map<string, COutlineFunction[]> | undefined;

  constructor(units: ProgramUnits, isActive: (name: string, definition: Definition) => boolean) {
    this.units = units;
    this.isActive = isActive;
  }

  /** Every definition: model files first, then patches and sources in their order. */
  get functions(): readonly COutlineFunction[] {
    if (this.known === undefined) {
      this.known = [];
      for (const unit of [this.units.base, ...this.units.model, ...this.units.overrides])
        for (const definition of unit.definitions.values()) this.known.push(this.function(definition));
    }
    return this.known;
  }

  /** Definitions of a name, the one that runs first. */
  named(name: string): readonly COutlineFunction[] {
    if (this.byName === undefined) {
      this.byName = new Map();
      for (const one of this.functions) {
        const list = this.byName.get(one.name);
        if (list === undefined) this.byName.set(one.name, [one]);
        else if (one.active) list.unshift(one);
        else list.push(one);
      }
    }
    return this.byName.get(name) ?? [];
  }

  /** Where a name is declared that no C defines but the engine provides; undefined if no header does. */
  declaration(name: string): Location | undefined {
    const symbol = this.units.base.scope.own(name);
    if (symbol?.kind !== 'function') return undefined;
    const location = this.location(symbol.origin);
    return location.path === NATIVES_PATH ? undefined : location;
  }

  private function(definition: Definition): COutlineFunction {
    const { name, item, unit } = definition;
    let mentions: readonly CMention[] | undefined;
    return {
      name,
      location: this.location(item.origin),
      nameLocation: this.location(this.nameOrigin(definition)),
      active: this.isActive(name, definition),
      override: unit.kind === 'override',
      mentions: () => {
        mentions ??= this.mentions(definition);
        return mentions;
      },
    };
  }

  private nameOrigin({ name, item }: Definition): Origin {
    const token = item.tokens().find((one) => one.kind === 'identifier' && one.text === name);
    return token ?? { ...item.origin, end: item.origin.start };
  }

  private mentions({ item }: Definition): CMention[] {
    const found: CMention[] = [];
    const seen = new Set<number>();
    const tokens = item.tokens();
    const body = tokens.findIndex((token) => token.text === '{');
    for (let i = Math.max(0, body); i < tokens.length; i++) {
      const token = tokens[i];
      if (token.kind !== 'identifier' || seen.has(token.start)) continue;
      if (this.named(token.text).length === 0 && !this.units.natives.has(token.text)) continue;
      const before = tokens[i - 1]?.text;
      // A member that happens to be called so.
      if (before === '.' || before === '->') continue;
      seen.add(token.start);
      found.push({ name: token.text, location: this.location(token), call: tokens[i + 1]?.text === '(' });
    }
    return found;
  }

  private location(origin: Origin): Location {
    const { files } = this.units;
    return { path: files.list[origin.file]?.path ?? '', range: files.range(origin) };
  }
}
