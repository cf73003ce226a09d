/** The code of one scenario while it is being made. */
import type { Allow, Instruction, Problem, Span, Value } from './program.ts';
import type { Binding, Scope } from './scope.ts';

/** Steps that the inlining of sequences may add to one scenario, calls included. */
export const INLINE_LIMIT = 100_000;

/** Problems of one scenario, or of the declarations. Beyond so many nothing more is looked at: pasted text could have a hundred thousand. */
export const PROBLEM_LIMIT = 1000;

export class UnitBuilder {
  code: Instruction[] = [];
  variableNames: string[] = [];
  allows: Allow[] = [];
  /** Names declared in the scenario's own block, in order. */
  bindings: Binding[] = [];
  /** Every place in the unit that something refers to: what must be moved when the text in front of it grows. */
  places: Span[] = [];
  /** The scenario's own block. */
  readonly scope: Scope;
  problems: Problem[];
  /** Statements inlined so far, and calls. */
  inlined = 0;
  /** Values that variables (by slot) have in place of what their `let` says, for a debugger that has set them. */
  assumed: ReadonlyMap<number, Value> | undefined;
  /** Whether code refers to places in other units of the document, which must then not have moved. */
  refersOutside = false;

  constructor(scope: Scope, problems: Problem[] = []) {
    this.scope = scope;
    this.problems = problems;
  }

  /** One whose code goes nowhere, and whose problems come here. */
  aside(): UnitBuilder {
    return new UnitBuilder(this.scope, this.problems);
  }

  report(problem: Problem): void {
    this.problems.push(problem);
    if (this.problems.length === PROBLEM_LIMIT) {
      this.problems.push({
        ...problem,
        rule: 'SYNTAX',
        message: `There are more than ${PROBLEM_LIMIT} problems; what follows is not looked at.`,
      });
    }
  }

  get full(): boolean {
    return this.problems.length > PROBLEM_LIMIT;
  }

  variable(name: string): number {
    this.variableNames.push(name);
    return this.variableNames.length - 1;
  }

  allow(rule: string, reason: string, span: Span): number {
    this.allows.push({ rule, reason, span });
    return this.allows.length - 1;
  }
}
