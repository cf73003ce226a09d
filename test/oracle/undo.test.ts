import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allPages, compareState, newWorld, REGIONS, step, type World } from './compare.ts';
import { SnpOracle } from './snp-oracle.ts';

const ROUNDS = Number(process.env.UNDO_ROUNDS ?? 60);

/** Everything of the machine that can be read, as text. */
function snapshot({ hw, trace }: World): string[] {
  const lines: string[] = [];
  for (const pfn of allPages()) {
    const words = [0, 1, 2, 3].map((n) => hw.rmp.word(pfn, n).toString(16));
    lines.push(`${pfn}: ${words.join(' ')} changed by ${hw.rmp.lastChange(pfn)}`);
  }
  lines.push(`ASIDs ${hw.rmp.asidPages.join(' ')}`);
  for (const guest of hw.guests.values()) {
    for (let gfn = 0; gfn < (REGIONS + 1) * 512; gfn += 1) {
      const entry = guest.npt.lookup(gfn);
      if (entry !== undefined) lines.push(`npt ${guest.asid} ${gfn}: ${JSON.stringify(entry)}`);
      const last = guest.npt.lastChange(gfn);
      if (last >= 0) lines.push(`npt ${guest.asid} ${gfn} changed by ${last}`);
    }
  }
  lines.push(`trace ${trace.length}, contention ${hw.contention.active}`);
  return lines;
}

function copyOracle(oracle: SnpOracle): SnpOracle {
  const copy = new SnpOracle(oracle.pages);
  for (const [pfn, entry] of structuredClone(oracle.entries)) copy.entries.set(pfn, entry);
  for (const [asid, pages] of oracle.owned) copy.owned.set(asid, pages);
  for (const [asid, table] of structuredClone(oracle.nested)) copy.nested.set(asid, table);
  return copy;
}

test('undoing any suffix of random operations restores the machine bit for bit, and it goes on from there', () => {
  const world = newWorld(7);
  for (let round = 0; round < ROUNDS; round++) {
    const mark = world.journal.mark();
    const length = world.trace.length;
    const before = snapshot(world);
    const oracle = copyOracle(world.oracle);
    if (world.random.oneIn(3)) world.hw.contention.set(world.random.below(REGIONS) * 512, 0);
    world.hw.rmp.takeDirty();
    const count = 1 + world.random.below(40);
    let what = '';
    for (let i = 0; i < count; i++) what = step(world);
    const after = snapshot(world);
    if (world.random.oneIn(2)) world.hw.rmp.takeDirty();
    const undone = world.random.oneIn(2);
    if (!undone) continue;

    world.journal.undoTo(mark);
    world.trace.truncate(length);
    assert.deepEqual(snapshot(world), before, `undo of ${count} operations, the last one ${what}`);
    const dirty = world.hw.rmp.takeDirty();
    for (const pfn of allPages()) {
      // A head is not listed for a change of its subpage count alone.
      if (after[pfn] === before[pfn] || pfn % 512 === 0) continue;
      assert.ok(
        dirty.some((run) => pfn >= run.start && pfn < run.end),
        `page ${pfn} was changed by undo and is not listed`,
      );
    }
    world.oracle = oracle;
    compareState(world, allPages(), 'undo');
  }
});

test('pages that operations change are listed once, in ascending runs', () => {
  const world = newWorld(11);
  for (let round = 0; round < ROUNDS; round++) {
    const before = snapshot(world);
    world.hw.rmp.takeDirty();
    for (let i = 0; i < 10; i++) step(world);
    const after = snapshot(world);
    const dirty = world.hw.rmp.takeDirty();
    for (let i = 1; i < dirty.length; i++) assert.ok(dirty[i].start > dirty[i - 1].end);
    for (const pfn of allPages()) {
      const listed = dirty.some((run) => pfn >= run.start && pfn < run.end);
      if (after[pfn] !== before[pfn] && pfn % 512 !== 0) assert.ok(listed, `page ${pfn}`);
    }
    assert.deepEqual(world.hw.rmp.takeDirty(), []);
  }
});

test('the same seed gives the same trace', () => {
  const [one, two] = [newWorld(3), newWorld(3)];
  for (let i = 0; i < 500; i++) assert.equal(step(one), step(two));
  for (const column of ['kind', 'page', 'space', 'code', 'a', 'b', 'cause'] as const) {
    assert.deepEqual(one.trace[column].subarray(0, one.trace.length), two.trace[column].subarray(0, two.trace.length));
  }
});
