import { test } from 'node:test';
import { allPages, compareState, newWorld, step, usedPages } from './compare.ts';

/** `ORACLE_OPERATIONS=1000000` for the long run. */
const OPERATIONS = Number(process.env.ORACLE_OPERATIONS ?? 40_000);
const SEED = Number(process.env.ORACLE_SEED ?? 20230220);
/** A fresh machine every so often: long runs settle into states with few free pages. */
const LIFE = 2_000;

test(`the simulator and the plain model agree on ${OPERATIONS} random operations`, () => {
  for (let done = 0, life = 0; done < OPERATIONS; life++) {
    const world = newWorld(SEED + life);
    const history: string[] = [];
    try {
      for (let i = 0; i < LIFE && done < OPERATIONS; i++, done++) {
        const what = step(world);
        history.push(what);
        compareState(world, i % 200 === 199 ? allPages() : usedPages(), what);
      }
    } catch (error) {
      if (error instanceof Error)
        error.message += `\nseed ${SEED + life}, last operations:\n${history.slice(-12).join('\n')}`;
      throw error;
    }
  }
});
