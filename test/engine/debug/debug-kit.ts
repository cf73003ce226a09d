// What the debugger's tests share: a session on a text, one slice or many, and a number that two states share only if they are equal.

import assert from 'node:assert/strict';
import type { FileHost } from '../../../engine/check.ts';
import type { Stop } from '../../../engine/debug/motion.ts';
import { openSession } from '../../../engine/debug/open-session.ts';
import type { DebugSession } from '../../../engine/debug/session.ts';
import { hashMemory, hashThread } from '../../../engine/vm/hash.ts';

export const told: string[] = [];

const files = (map: Readonly<Record<string, string>>): FileHost => ({
  resolve: (_from, relative) => relative,
  read: (path) => (Object.hasOwn(map, path) ? { text: map[path] } : { error: 'no such file' }),
});

/** A session that must open; what it tells goes to `told`. */
export function open(text: string, map: Readonly<Record<string, string>> = {}, scenario?: string): DebugSession {
  told.length = 0;
  const session = openSession(
    { path: 'test.snpscenario', text, host: files(map), ...(scenario === undefined ? {} : { scenario }) },
    {
      log: (line) => told.push(`log ${line}`),
      printk: (line) => told.push(`printk ${line}`),
      finding: (finding, severity, line) => told.push(`${severity} ${finding.rule} ${line}`),
    },
  );
  assert.ok(!('error' in session), 'error' in session ? session.error : '');
  return session;
}

/** The error of a session that must not open. */
export function refused(text: string, scenario?: string): string {
  const events = { log: () => {}, printk: () => {}, finding: () => {} };
  const result = openSession(
    { path: 'a', text, host: files({}), ...(scenario === undefined ? {} : { scenario }) },
    events,
  );
  assert.ok('error' in result);
  return result.error;
}

/** Drive the motion under way to its stop, in slices. */
export function finish(session: DebugSession, slice = 10_000): Stop {
  for (let turns = 0; turns < 1_000_000; turns++) {
    const stop = session.advance(slice);
    if (stop !== undefined) return stop;
  }
  throw new Error('the motion does not end');
}

/**
 * Everything that makes up a state, as text: equal for equal states. The journal's length is no part of it: equal stores make one record or several, as
 * marks were taken in between; what it undoes is.
 */
export function fingerprint(session: DebugSession): string {
  const { run, machine } = session;
  const { hardware, kernel, trace, vm, thread } = machine;
  let rmp = 17;
  hardware.rmp.forEachTouchedRegion((frame) => {
    for (let pfn = frame * 512; pfn < frame * 512 + 512; pfn++) {
      // A region that was touched once and is as it was has another shape, and the same entries.
      const words = [0, 1, 2, 3].map((n) => hardware.rmp.word(pfn, n));
      if (words.every((word) => word === 0) && hardware.rmp.lastChange(pfn) < 0) continue;
      for (let n = 0; n < 4; n++) rmp = (rmp * 31 + hardware.rmp.word(pfn, n) + pfn) % 9007199254740881;
      rmp = (rmp * 31 + hardware.rmp.lastChange(pfn) + 2) % 9007199254740881;
    }
  });
  let events = 17;
  for (let e = 0; e < trace.length; e++)
    events =
      (events * 31 + trace.kind[e] * 7 + trace.page[e] * 3 + trace.site[e] + trace.stack[e] * 5 + trace.step[e]) %
      9007199254740881;
  return JSON.stringify([
    session.timeline.now,
    run.position,
    run.executed,
    run.findings.length,
    run.steps,
    run.state,
    run.isInCall,
    run.isInCall ? hashThread(thread) : 0,
    run.isInCall ? thread.loopBudget : 0,
    hashMemory(vm.memory),
    trace.length,
    events,
    trace.now,
    rmp,
    [...hardware.rmp.asidPages].reduce((sum, n, i) => sum + n * (i + 1), 0),
    [hardware.fault, hardware.faultCode, hardware.accessPfn, hardware.carry, hardware.reliedOn],
    kernel.log.lines.length,
    run.values,
    run.outcome(run.executed - 1) ?? null,
  ]);
}
