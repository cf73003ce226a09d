// What was found in each scenario of a document, in the protocol's terms: what the Test Explorer shows at a line.

import type { Diagnostic, Position } from '../../../engine/base/diagnostic.ts';
import type { CheckResult } from '../../../engine/check.ts';
import { member } from '../client-features.ts';
import type { ScenarioProblem } from '../protocol.ts';
import { canonicalUri, uriOfPath } from '../uri.ts';

/** Problems of one scenario that are told; a loop can make millions. */
const most = 50;
/** Of those that are in no scenario and keep all of them from running. */
const mostOutside = 5;

/** @param spelling the client's own spelling of a canonical URI */
export function toProblem(diagnostic: Diagnostic, spelling: (uri: string) => string): ScenarioProblem {
  const { rule, severity, message, location, related, data } = diagnostic;
  const uriOf = (path: string) => spelling(canonicalUri(uriOfPath(path)));
  const problem: ScenarioProblem = {
    fails: severity === 'error' || rule === 'OUTCOME',
    rule,
    message,
    uri: uriOf(location.path),
    range: location.range,
    related: related.map((one) => ({
      message: one.message,
      uri: uriOf(one.location.path),
      range: one.location.range,
    })),
  };
  const expected = member(data, 'expected');
  const actual = member(data, 'outcome') ?? member(data, 'found');
  if (typeof expected === 'string' && typeof actual === 'string') return { ...problem, expected, actual };
  return problem;
}

export interface GroupedProblems {
  /** For each scenario of the result. One that could not be run for reasons outside it has those. */
  scenarios: ScenarioProblem[][];
  /** In the document, but in no scenario: of severity error. */
  outside: number;
}

export function groupProblems(result: CheckResult, spelling: (uri: string) => string): GroupedProblems {
  const scenarios: ScenarioProblem[][] = result.scenarios.map(() => []);
  const outside: Diagnostic[] = [];
  let errors = 0;
  for (const diagnostic of result.diagnostics) {
    const own = diagnostic.location.path === result.path;
    const at = own ? scenarioAt(result, diagnostic.location.range.start) : -1;
    if (at >= 0) {
      if (scenarios[at].length < most) scenarios[at].push(toProblem(diagnostic, spelling));
    } else if (diagnostic.severity === 'error') {
      outside.push(diagnostic);
      if (own) errors++;
    }
  }
  const reasons = outside.slice(0, mostOutside).map((diagnostic) => toProblem(diagnostic, spelling));
  result.scenarios.forEach(({ status }, i) => {
    if (status === 'error' && !scenarios[i].some(({ fails }) => fails)) scenarios[i].push(...reasons);
  });
  return { scenarios, outside: errors };
}

/** Index of the scenario that a position is in, -1 if in none. */
function scenarioAt({ scenarios }: CheckResult, at: Position): number {
  let low = 0;
  let high = scenarios.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(at, scenarios[middle].range.start)) high = middle;
    else low = middle + 1;
  }
  const found = low - 1;
  return found >= 0 && !isBefore(scenarios[found].range.end, at) ? found : -1;
}

const isBefore = (a: Position, b: Position): boolean =>
  a.line < b.line || (a.line === b.line && a.character < b.character);
