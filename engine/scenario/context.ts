/**
 * Where the analysis stands while it looks at a statement: whose text it is, what names mean there, and who is told about problems.
 */

import { nearest } from './near-miss.ts';
import type { GuestConfig, Problem, Span } from './program.ts';
import type { Binding, Home, Scope } from './scope.ts';
import type { SyntaxNode } from './syntax.ts';

/** What a quick fix does: replace the text of the problem's span. The first is the likeliest. */
export interface Fix {
  title: string;
  replacement: string;
}

/** `data` of a problem that can be fixed. */
export interface FixData {
  fixes: Fix[];
}

/** Told of every name that is used, for the editor: go to definition, references, rename. */
export type NameListener = (
  use: { from: number; to: number; file: number | undefined },
  target: Binding | Target,
) => void;

/** Things with a name that are no binding of a scope. */
export interface Target {
  is: 'sequence' | 'operation' | 'query' | 'function';
  name: string;
  declared?: Span;
}

export interface Surroundings {
  text: string;
  /** Offset of the text's unit: spans are relative to it. 0 for declarations and other files. */
  base: number;
  /** Index of the file, as in {@link Span.file}; undefined for the text of the unit or document itself. */
  file: number | undefined;
  scope: Scope;
  home: Home;
  guests: readonly GuestConfig[];
  sink: (problem: Problem) => void;
  names: NameListener | undefined;
  /** Collects the places in the unit, so that they can be moved together. */
  collector?: { places: Span[] } | undefined;
}

export class Context {
  readonly text: string;
  readonly base: number;
  readonly file: number | undefined;
  readonly scope: Scope;
  readonly home: Home;
  readonly guests: readonly GuestConfig[];
  readonly sink: (problem: Problem) => void;
  readonly names: NameListener | undefined;
  readonly collector: { places: Span[] } | undefined;

  constructor(s: Surroundings) {
    this.text = s.text;
    this.base = s.base;
    this.file = s.file;
    this.scope = s.scope;
    this.home = s.home;
    this.guests = s.guests;
    this.sink = s.sink;
    this.names = s.names;
    this.collector = s.collector;
  }

  in(scope: Scope): Context {
    return new Context({ ...this, scope });
  }

  source(node: { from: number; to: number }): string {
    return this.text.slice(node.from, node.to);
  }

  span(node: { from: number; to: number }): Span {
    const start = node.from - this.base;
    const end = node.to - this.base;
    if (this.file !== undefined) return { start, end, file: this.file };
    const span: Span = { start, end };
    this.collector?.places.push(span);
    return span;
  }

  problem(
    rule: string,
    node: { from: number; to: number },
    message: string,
    fixes: readonly Fix[] = [],
    related?: Problem['related'],
  ): undefined {
    this.report(rule, this.span(node), message, 'error', fixes, related);
    return undefined;
  }

  report(
    rule: string,
    span: Span,
    message: string,
    severity: Problem['severity'],
    fixes: readonly Fix[] = [],
    related?: Problem['related'],
  ): void {
    const data: FixData | undefined = fixes.length === 0 ? undefined : { fixes: [...fixes] };
    this.sink({
      rule,
      severity,
      message,
      span,
      ...(related === undefined ? {} : { related }),
      ...(data === undefined ? {} : { data }),
    });
  }

  use(node: { from: number; to: number }, target: Binding | Target): void {
    this.names?.({ from: node.from, to: node.to, file: this.file }, target);
  }
}

/** `; did you mean \`shared\`?` or the list of what is known, and the fix that goes with it. */
export function suggestion(name: string, known: readonly string[], what: string): { text: string; fixes: Fix[] } {
  const near = nearest(name, known);
  const list = known.length === 0 || known.length > 12 ? '' : ` ${what}: ${known.join(', ')}.`;
  if (near === undefined) return { text: list, fixes: [] };
  return {
    text: ` Did you mean \`${near}\`?${known.length > 6 ? '' : list}`,
    fixes: [{ title: `Change to ${near}`, replacement: near }],
  };
}

/** A node's text for a message, shortened. */
export function quoted(ctx: Context, node: SyntaxNode | { from: number; to: number }): string {
  const text = ctx.source(node).replace(/\s+/g, ' ').trim();
  return `\`${text.length > 40 ? `${text.slice(0, 37)}…` : text}\``;
}
