/**
 * What a breakpoint does when the run comes by: stop, say something, or nothing. A strategy is one such rule; several make a chain, asked in order
 * until one does not agree to go on to the next.
 *
 * Hits are remembered by tick, so that "the third time" is the same time whichever way the run goes by.
 */

/** What a strategy may ask of the place where it is. */
export interface Hit {
  tick: number;
  /** Whether an expression of C or of the scenario language is true here; or why that cannot be said. */
  test(expression: string): boolean | { error: string };
  /** A text with its `{expressions}` replaced by their values. */
  fill(message: string): string;
}

export type Decision =
  | { kind: 'next' }
  | { kind: 'pass' }
  | { kind: 'log'; text: string }
  /** Stop all the same, with what is wrong: a condition that cannot be evaluated must not be overlooked. */
  | { kind: 'complain'; text: string };

export interface Strategy {
  decide(hit: Hit): Decision;
}

const NEXT: Decision = { kind: 'next' };
const PASS: Decision = { kind: 'pass' };

export function onCondition(expression: string): Strategy {
  return {
    decide(hit) {
      const holds = hit.test(expression);
      if (typeof holds === 'object')
        return { kind: 'complain', text: `The condition \`${expression}\`: ${holds.error}` };
      return holds ? NEXT : PASS;
    },
  };
}

/** `5`, `= 5`, `== 5`: the fifth hit; `>= 5`, `> 5`, `< 5`, `<= 5`; `% 5`: every fifth. Undefined if the text is none of these. */
export function onHitCount(text: string): Strategy | undefined {
  const match = /^\s*(==?|>=?|<=?|%)?\s*(\d+)\s*$/.exec(text);
  if (match === null) return undefined;
  const wanted = Number(match[2]);
  const holds = hitTest(match[1] ?? '=', wanted);
  const ticks: number[] = [];
  return {
    decide(hit) {
      return holds(rankOf(ticks, hit.tick)) ? NEXT : PASS;
    },
  };
}

function hitTest(sign: string, wanted: number): (n: number) => boolean {
  switch (sign) {
    case '>=':
      return (n) => n >= wanted;
    case '>':
      return (n) => n > wanted;
    case '<=':
      return (n) => n <= wanted;
    case '<':
      return (n) => n < wanted;
    case '%':
      return (n) => wanted > 0 && n % wanted === 0;
    default:
      return (n) => n === wanted;
  }
}

/** Which hit this is, from 1; hits are kept in the order of their ticks. */
function rankOf(ticks: number[], tick: number): number {
  let low = 0;
  let high = ticks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ticks[middle] < tick) low = middle + 1;
    else high = middle;
  }
  if (ticks[low] !== tick) ticks.splice(low, 0, tick);
  return low + 1;
}

export function logging(message: string): Strategy {
  return { decide: (hit) => ({ kind: 'log', text: hit.fill(message) }) };
}

/** What the chain comes to: stop unless a strategy passes or logs. */
export function decide(strategies: readonly Strategy[], hit: Hit): { stop: boolean; text: string | undefined } {
  for (const strategy of strategies) {
    const decision = strategy.decide(hit);
    if (decision.kind === 'pass') return { stop: false, text: undefined };
    if (decision.kind === 'log') return { stop: false, text: decision.text };
    if (decision.kind === 'complain') return { stop: true, text: decision.text };
  }
  return { stop: true, text: undefined };
}
