// Long work of the engine a slice at a time, between the turns of the event loop, so that whoever does it keeps answering.

/** What the place it runs in has to offer. */
export interface Turns {
  /** Milliseconds from any origin; never goes backwards. */
  now(): number;
  /** Calls back after the messages that are waiting have been served. */
  soon(callback: () => void): void;
}

/** One turn of the event loop is given to the work for about this long, ms. */
const TURN = 8;
/** One call into the engine aims at this, ms. */
const CALL = 2;

/**
 * Calls `work` until it says that it is done. It is given the units of work to do at once; how many fit is learnt. Rejects with what it throws.
 */
export function inSlices(turns: Turns, work: (units: number) => boolean): Promise<void> {
  let units = 5_000;
  return new Promise((resolve, reject) => {
    const turn = (): void => {
      try {
        const until = turns.now() + TURN;
        do {
          const before = turns.now();
          if (work(units)) {
            resolve();
            return;
          }
          const took = turns.now() - before;
          if (took > 2 * CALL) units = Math.max(500, Math.floor(units / 2));
          else if (took < CALL / 2) units = Math.min(1_000_000, units * 2);
        } while (turns.now() < until - CALL / 2);
      } catch (error) {
        reject(error);
        return;
      }
      turns.soon(turn);
    };
    turn();
  });
}
