/** What a name stands for where it is used. */
import type { Expr, Span, Value, ValueKind } from './program.ts';
import type { SyntaxNode } from './syntax.ts';

/** `declared`: relative to the scenario, or naming its file. */
export type Binding = { name: string; declared: Span } & (
  | { is: 'guest'; guest: number }
  /** A value known while analysing: a constant `let`, a parameter that was given a constant. */
  | { is: 'value'; value: Value; slot?: number }
  | { is: 'variable'; slot: number; kind: ValueKind }
  /** A `let` of a file, evaluated where it is used. */
  | { is: 'shared'; expr: Expr }
  /** A parameter of a sequence that is checked by itself, or a variable whose value is broken: no more is said about it. */
  | { is: 'unknown' }
);

export class Scope {
  readonly parent: Scope | undefined;
  private readonly names = new Map<string, Binding>();

  constructor(parent?: Scope) {
    this.parent = parent;
  }

  /** The binding of this very scope. */
  own(name: string): Binding | undefined {
    return this.names.get(name);
  }

  find(name: string): Binding | undefined {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) {
      const found = scope.names.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  bind(binding: Binding): void {
    this.names.set(binding.name, binding);
  }

  unbind(name: string): void {
    this.names.delete(name);
  }

  /** The bindings of this very scope. */
  ownBindings(): Iterable<Binding> {
    return this.names.values();
  }

  *all(): Iterable<Binding> {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) yield* scope.names.values();
  }
}

/** A `sequence`, to be inlined where it is called. */
export interface Sequence {
  name: string;
  declared: Span;
  parameters: readonly { name: string; from: number; to: number }[];
  /** Its statements. */
  lines: readonly SyntaxNode[];
  /** The file it stands in: names in it mean what they mean there. */
  home: Home;
}

/** The declarations of one file that statements can refer to. */
export interface Home {
  text: string;
  path: string;
  /** Index among the program's files, as spans name it. */
  file: number;
  scope: Scope;
  sequences: ReadonlyMap<string, Sequence>;
}
