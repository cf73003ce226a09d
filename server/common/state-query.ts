// Questions whose answers need a scenario to be run up to some step. The engine answers within a budget of ticks or says that it needs more; here
// it gets more, a slice between two turns of the event loop, until it has the answer, the document has changed or time is up. So the server goes on
// answering others, and a scenario of a million steps holds up nobody.

import { type CancellationToken, LSPErrorCodes, ResponseError } from 'vscode-languageserver';
import type { Budget } from '../../engine/assist/step-notes.ts';
import type { FeatureContext } from './features/feature.ts';

/** One slice aims at this, ms. */
const slice = 6;

/** Ticks that the engine does in a slice, learnt. One process runs on one machine, so that one number does. */
let ticks = 20_000;

/**
 * @param ask called with a budget until it has an answer; the last time it is told that it is the last, and answers with what it knows
 * @param isCurrent whether the question still makes sense
 * @param limit how long to go on, ms
 */
export async function inSlices<T>(
  context: FeatureContext,
  token: CancellationToken,
  ask: (budget: Budget, final: boolean) => T | 'later',
  isCurrent: () => boolean,
  limit: number,
): Promise<T> {
  const { platform } = context;
  const until = platform.now() + limit;
  for (;;) {
    const turn = platform.now();
    do {
      const started = platform.now();
      const budget = { ticks };
      const answer = ask(budget, started >= until);
      if (answer !== 'later') return answer;
      const took = platform.now() - started;
      // What took long although few ticks were used says nothing about ticks.
      if (budget.ticks <= 0) {
        if (took > slice) ticks = Math.max(5000, Math.floor(ticks / 2));
        else if (took < slice / 4) ticks = Math.min(5_000_000, ticks * 2);
      }
    } while (platform.now() - turn < slice / 2);
    await new Promise<void>((resolve) => platform.soon(resolve));
    if (token.isCancellationRequested) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
    if (!isCurrent()) throw new ResponseError(LSPErrorCodes.ContentModified, 'the document has changed');
  }
}
