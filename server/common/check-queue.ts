// Runs checks a slice at a time between the turns of the event loop, so that the server always answers, and takes turns among documents,
// so that a long check of one does not hold up another. What nobody is looking at (a run of the whole workspace) waits until there is nothing else to
// do. The engine has no clock; how much work is a slice is learnt here.

import type { Check } from '../../engine/check.ts';
import type { Platform } from './platform.ts';

/** One turn of the event loop is given to checks for at most this long, ms. */
const slice = 8;
/** The same while only background jobs are waiting, ms: what the user does next should hardly have to wait for them. */
const backgroundSlice = 4;
/** One call into the engine aims at this, ms: short enough that `slice` is kept. */
const call = 2;

export interface Job {
  /** Makes the check; called when its first turn comes. */
  start(): Check;
  /** Wraps each call into the engine. */
  within<T>(work: () => T): T;
  /** After each call into the engine, with the time it took, ms; before `finished`. */
  advanced?(milliseconds: number): void;
  /** @param milliseconds that the engine worked on it */
  finished(check: Check, milliseconds: number): void;
  /** The engine threw: a bug of ours. */
  failed(error: unknown): void;
}

interface Running {
  job: Job;
  check: Check | undefined;
  /** ms in the engine so far. */
  milliseconds: number;
}

export class CheckQueue {
  readonly #platform: Platform;
  /** In the order of their next turns. A Map keeps insertion order; re-inserting moves to the end. */
  readonly #running = new Map<string, Running>();
  /** The same for jobs that wait until `#running` is empty. */
  readonly #background = new Map<string, Running>();
  #isScheduled = false;
  /** Units that the engine does in `call` ms, learnt. */
  #units = 2000;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Starts a job in place of the one under the same key, which is dropped; its turn comes first. */
  add(key: string, job: Job): void {
    this.#running.delete(key);
    const others = [...this.#running];
    this.#running.clear();
    this.#running.set(key, { job, check: undefined, milliseconds: 0 });
    for (const [other, running] of others) this.#running.set(other, running);
    this.#schedule();
  }

  /** Starts a job that gets the time that others leave. Keys are its own; the job under the same one is dropped. */
  addBackground(key: string, job: Job): void {
    this.#background.delete(key);
    this.#background.set(key, { job, check: undefined, milliseconds: 0 });
    this.#schedule();
  }

  /** Drops the job; true if there was one. */
  drop(key: string): boolean {
    return this.#running.delete(key);
  }

  dropBackground(key: string): boolean {
    return this.#background.delete(key);
  }

  #schedule(): void {
    if (this.#isScheduled || (this.#running.size === 0 && this.#background.size === 0)) return;
    this.#isScheduled = true;
    this.#platform.soon(() => {
      this.#isScheduled = false;
      this.#turn();
      this.#schedule();
    });
  }

  #turn(): void {
    const [jobs, length] = this.#running.size > 0 ? [this.#running, slice] : [this.#background, backgroundSlice];
    const until = this.#platform.now() + length;
    do {
      const next = jobs.entries().next();
      if (next.done) return;
      const [key, running] = next.value;
      // To the end of the queue: if this is not its last call, another's turn is next.
      jobs.delete(key);
      if (!this.#work(running)) jobs.set(key, running);
    } while (this.#platform.now() < until - call / 2);
  }

  /** One call into the engine; true if the job is over. */
  #work(running: Running): boolean {
    const { job } = running;
    let isFinished: boolean;
    const before = this.#platform.now();
    try {
      isFinished = job.within(() => {
        running.check ??= job.start();
        return this.#advance(running.check);
      });
      const took = this.#platform.now() - before;
      running.milliseconds += took;
      job.advanced?.(took);
    } catch (error) {
      job.failed(error);
      return true;
    }
    if (isFinished) job.finished(running.check!, running.milliseconds);
    return isFinished;
  }

  #advance(check: Check): boolean {
    const before = this.#platform.now();
    const units = this.#units;
    const isFinished = check.advance(units);
    const took = this.#platform.now() - before;
    if (took > 2 * call) this.#units = Math.max(100, Math.floor(units / 2));
    else if (!isFinished && took < call / 2) this.#units = Math.min(10_000_000, units * 2);
    return isFinished;
  }
}
