import assert from 'node:assert/strict';
import { test } from 'node:test';
import { step } from './compare.ts';
import { FirmwareOracle } from './firmware-oracle.ts';
import { SnpOracle } from './snp-oracle.ts';
import { allPages, compareState, newWorld, type World } from './world.ts';

const ROUNDS = Number(process.env.UNDO_ROUNDS ?? 20);
/** One for each way of the RMP to lie in memory, every other with a TLB and supervisor shadow stacks. */
const SEEDS = [8, 5, 10, 7];

/** Everything of the machine that can be read, as text. */
function snapshot(world: World): string[] {
  const { hw, trace } = world;
  const lines: string[] = [];
  for (const pfn of allPages(world)) {
    const words = [0, 1, 2, 3].map((n) => hw.rmp.word(pfn, n).toString(16));
    lines.push(`${pfn}: ${words.join(' ')} changed by ${hw.rmp.lastChange(pfn)}`);
  }
  lines.push(`ASIDs ${hw.rmp.asidPages.join(' ')}`);
  for (const guest of hw.guests.values()) {
    for (const pfn of allPages(world)) {
      const gfn = pfn + 512;
      const entry = guest.npt.lookup(gfn);
      if (entry !== undefined) lines.push(`npt ${guest.asid} ${gfn}: ${JSON.stringify(entry)}`);
      const last = guest.npt.lastChange(gfn);
      if (last >= 0) lines.push(`npt ${guest.asid} ${gfn} changed by ${last}`);
    }
  }
  for (const asid of [1, 2, 1023]) {
    const page = hw.firmware.contextPage(asid);
    lines.push(`context ${page}: ${JSON.stringify(hw.firmware.context(page))}`);
  }
  for (const pfn of allPages(world)) {
    const entries = [...hw.firmware.metadataOf(pfn)];
    if (entries.length > 0) lines.push(`metadata ${pfn}: ${JSON.stringify(entries)}`);
  }
  lines.push(`trace ${trace.length}, contention ${hw.contention.active}, TLB ${hw.tlb.size}`);
  return lines;
}

function copyOf({ oracle, firmware }: World): Pick<World, 'oracle' | 'firmware'> {
  const copy = new SnpOracle(oracle.host);
  const { entries, owned, nested, translations } = oracle;
  Object.assign(copy, structuredClone({ entries, owned, nested, translations }));
  const { rmp: _, ...state } = firmware;
  const second = new FirmwareOracle(copy, []);
  Object.assign(second, structuredClone(state));
  return { oracle: copy, firmware: second };
}

function undoSuffixes(seed: number): void {
  const world = newWorld(seed);
  for (let round = 0; round < ROUNDS; round++) {
    const mark = world.journal.mark();
    const length = world.trace.length;
    const before = snapshot(world);
    const kept = copyOf(world);
    if (world.random.oneIn(3)) world.hw.contention.set(world.random.pick(world.regions) * 512, 0);
    const count = 1 + world.random.below(40);
    let what = '';
    for (let i = 0; i < count; i++) what = step(world);
    const undone = world.random.oneIn(2);
    if (!undone) continue;

    world.journal.undoTo(mark);
    world.trace.truncate(length);
    assert.deepEqual(snapshot(world), before, `undo of ${count} operations, the last one ${what}`);
    Object.assign(world, kept);
    compareState(world, allPages(world), 'undo');
  }
}

for (const seed of SEEDS)
  test(`undoing any suffix of random operations restores the machine bit for bit, and it goes on from there (${seed})`, () =>
    undoSuffixes(seed));

test('the same seed gives the same trace', () => {
  const [one, two] = [newWorld(3), newWorld(3)];
  for (let i = 0; i < 500; i++) assert.equal(step(one), step(two));
  for (const column of ['kind', 'page', 'space', 'code', 'a', 'b', 'cause'] as const) {
    assert.deepEqual(one.trace[column].subarray(0, one.trace.length), two.trace[column].subarray(0, two.trace.length));
  }
});
