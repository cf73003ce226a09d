import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventKind } from '../../engine/trace/trace.ts';
import { step } from './compare.ts';
import { allPages, compareState, newWorld, usedPages } from './world.ts';

/** `ORACLE_OPERATIONS=1000000` for the long run. */
const OPERATIONS = Number(process.env.ORACLE_OPERATIONS ?? 60_000);
const SEED = Number(process.env.ORACLE_SEED ?? 20230220);
/** A fresh machine every so often: long runs settle into states with few free pages. */
const LIFE = 2_000;

/** How often each instruction gave each result: what must happen often enough for agreement to mean something. */
const frequent: [kind: number, code: number, what: string, times: number, a?: (a: number) => boolean][] = [
  [EventKind.Rmpupdate, 0, 'RMPUPDATE 4K to a guest', 400, (a) => (a & 3) === 1],
  [EventKind.Rmpupdate, 0, 'RMPUPDATE 4K to the hypervisor', 400, (a) => (a & 3) === 0],
  [EventKind.Rmpupdate, 0, 'RMPUPDATE 2M to a guest', 100, (a) => (a & 3) === 3],
  [EventKind.Rmpupdate, 0, 'RMPUPDATE 2M to the hypervisor', 100, (a) => (a & 3) === 2],
  [EventKind.Rmpupdate, 1, 'RMPUPDATE FAIL_INPUT', 400],
  [EventKind.Rmpupdate, 2, 'RMPUPDATE FAIL_PERMISSION', 100],
  [EventKind.Rmpupdate, 3, 'RMPUPDATE FAIL_INUSE', 50],
  [EventKind.Rmpupdate, 4, 'RMPUPDATE FAIL_OVERLAP', 400],
  [EventKind.Psmash, 0, 'PSMASH', 50],
  [EventKind.Psmash, 1, 'PSMASH FAIL_INPUT', 50],
  [EventKind.Psmash, 2, 'PSMASH FAIL_PERMISSION', 20],
  [EventKind.Psmash, 3, 'PSMASH FAIL_INUSE', 3],
  [EventKind.Psmash, 7, 'PSMASH FAIL_BADADDR', 50],
  [EventKind.Pvalidate, 0, 'PVALIDATE of 4K that changes', 50, (a) => (a & 5) === 0],
  [EventKind.Pvalidate, 0, 'PVALIDATE of 2M that changes', 20, (a) => (a & 5) === 1],
  [EventKind.Pvalidate, 0, 'PVALIDATE with CF=1', 20, (a) => (a & 4) === 4],
  [EventKind.Pvalidate, 6, 'PVALIDATE FAIL_SIZEMISMATCH', 20],
  [EventKind.Pvalidate, -1, 'PVALIDATE that faults', 400],
  [EventKind.Pvalidate, 3, 'PVALIDATE FAIL_INUSE', 5],
  [EventKind.Rmpadjust, 0, 'RMPADJUST', 50],
  [EventKind.Rmpadjust, 0, 'RMPADJUST that makes a VMSA', 10, (a) => (a & (1 << 17)) !== 0],
  [EventKind.Rmpadjust, 0, 'RMPADJUST of 2M', 10, (a) => (a & 1) === 1],
  [EventKind.Rmpadjust, 1, 'RMPADJUST FAIL_INPUT', 50],
  [EventKind.Rmpadjust, 2, 'RMPADJUST FAIL_PERMISSION', 100],
  [EventKind.Rmpadjust, 3, 'RMPADJUST FAIL_INUSE', 3],
  [EventKind.Rmpadjust, 6, 'RMPADJUST FAIL_SIZEMISMATCH', 3],
  [EventKind.Rmpadjust, -1, 'RMPADJUST that faults', 100],
  [EventKind.Rmpquery, 0, 'RMPQUERY', 20],
  [EventKind.Rmpquery, 2, 'RMPQUERY FAIL_PERMISSION', 50],
  [EventKind.Rmpquery, -1, 'RMPQUERY that faults', 50],
  [EventKind.Rmpread, 0, 'RMPREAD', 50],
  [EventKind.Firmware, 0, 'firmware command', 100],
  [EventKind.Access, 0, 'access', 400],
  [EventKind.Fault, 0, 'fault', 400],
  [EventKind.Fault, 0, 'VMRUN with #GP', 100, (a) => a === 13],
  [EventKind.Fault, 0, 'VMRUN with VMEXIT_INVALID', 100, (a) => a === -1],
  [EventKind.RmpWrite, 0, 'in-use mark', 100],
];

/** What must have been seen besides: 1 of DMA is an RMP_PAGE_FAULT, and of a command each status that it can give. */
const statuses: readonly (readonly [command: string, ...codes: number[]])[] = [
  ['dma', 0, 1],
  ['stale translation', 0],
  ['SSS', 0],
  ['SNP_INIT', 0, 1, 3],
  ['SNP_SHUTDOWN', 0, 15],
  ['SNP_DF_FLUSH', 0, 1],
  ['SNP_GCTX_CREATE', 0, 1, 0x16, 0x1a],
  ['SNP_LAUNCH_START', 0, 1, 2, 16, 0x16],
  ['SNP_ACTIVATE', 0, 1, 2, 3, 12, 13, 16, 18, 0x16],
  ['SNP_LAUNCH_UPDATE', 0, 1, 2, 8, 9, 16, 0x16, 0x19, 0x1a, 0x1c],
  ['SNP_LAUNCH_FINISH', 0, 1, 2, 8, 16, 0x16],
  ['SNP_GUEST_REQUEST', 0, 1, 2, 16, 0x16, 0x19, 0x1a],
  ['SNP_DECOMMISSION', 0, 1, 16],
  ['SNP_PAGE_RECLAIM', 0, 1, 9, 0x16, 0x19, 0x1a],
  ['SNP_PAGE_SET_STATE', 0, 1, 9, 0x16, 0x1a],
  ['SNP_PAGE_UNSMASH', 0, 1, 9, 0x16, 0x1a],
  ['SNP_PAGE_MD_INIT', 0, 1, 2, 16, 0x16, 0x1a],
  ['SNP_PAGE_MOVE', 0, 1, 2, 8, 16, 0x16, 0x19, 0x1a, 0x1c],
  ['SNP_PAGE_SWAP_OUT', 0, 1, 2, 8, 16, 0x16, 0x19, 0x1a, 0x1c],
  ['SNP_PAGE_SWAP_IN', 0, 1, 2, 8, 16, 0x16, 0x1a, 0x1b, 0x1c],
];

test(`the simulator and the plain model agree on ${OPERATIONS} random operations`, () => {
  const seen = frequent.map(() => 0);
  const commands = new Map<string, number>();
  const see = (what: string): void => void commands.set(what, (commands.get(what) ?? 0) + 1);
  for (let done = 0, life = 0; done < OPERATIONS; life++) {
    const world = newWorld(SEED + life);
    const { trace } = world;
    const history: string[] = [];
    try {
      for (let i = 0; i < LIFE && done < OPERATIONS; i++, done++) {
        const what = step(world, see);
        history.push(what);
        compareState(world, i % 200 === 199 ? allPages(world) : usedPages(world), what);
      }
    } catch (error) {
      if (error instanceof Error)
        error.message += `\nseed ${SEED + life}, last operations:\n${history.slice(-12).join('\n')}`;
      throw error;
    }
    for (let i = 0; i < trace.length; i++) {
      frequent.forEach(([kind, code, , , operand], row) => {
        if (trace.kind[i] === kind && trace.code[i] === code && (operand?.(trace.a[i]) ?? true)) seen[row]++;
      });
    }
  }
  const rare = frequent.flatMap(([, , what, times], row) => {
    const enough = (times * OPERATIONS) / 40_000;
    return seen[row] >= enough ? [] : [`${what} happened ${seen[row]} times, which is too few to tell (${enough})`];
  });
  const never = statuses.flatMap(([command, ...codes]) =>
    codes.filter((code) => !commands.has(`${command} ${code}`)).map((code) => `${command} never gave ${code}`),
  );
  assert.deepEqual([...rare, ...never], []);
});
