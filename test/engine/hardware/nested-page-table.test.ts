import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventKind } from '../../../engine/trace/trace.ts';
import { HEAD, host } from './machine-kit.ts';

const newTable = () => {
  const kit = host();
  return { ...kit, npt: kit.hw.guests.get(1)!.npt };
};

test('a guest frame translates through a 4K, a 2M and a 1G entry', () => {
  const { npt } = newTable();
  npt.map(5, 77, 1, true);
  npt.map(0x400, HEAD, 2, true);
  npt.map(0x40000, 2 * HEAD, 3, false);
  assert.deepEqual(
    [npt.walk(5), npt.walk(0x407), npt.walk(0x40000 + 70000), npt.walk(6)],
    [77, HEAD + 7, 2 * HEAD + 70000, -1],
  );
  npt.walk(0x40001);
  assert.deepEqual([npt.level, npt.writable], [3, false]);
});

test('a 2M entry drops the 4K entries below it, and no others', () => {
  const { npt } = newTable();
  for (const gfn of [0x3ff, 0x400, 0x5ff, 0x600]) npt.map(gfn, gfn, 1, true);
  npt.map(0x400, HEAD, 2, true);
  assert.deepEqual(
    [0x3ff, 0x400, 0x5ff, 0x600].map((gfn) => npt.walk(gfn)),
    [0x3ff, HEAD, HEAD + 0x1ff, 0x600],
  );
});

test('a 4K entry drops the 2M entry above it whole', () => {
  const { npt } = newTable();
  npt.map(0x400, HEAD, 2, true);
  npt.map(0x401, 9, 1, true);
  assert.deepEqual([npt.walk(0x400), npt.walk(0x401)], [-1, 9]);
});

test('a zap takes every entry that reaches into the range, large ones whole', () => {
  const { npt, trace } = newTable();
  npt.map(0x3ff, 1, 1, true);
  npt.map(0x400, HEAD, 2, true);
  npt.map(0x600, 2, 1, true);
  assert.equal(npt.zap(0x3ff, 0x401), 513);
  assert.deepEqual([npt.walk(0x3ff), npt.walk(0x400), npt.walk(0x600)], [-1, -1, 2]);
  const event = trace.length - 1;
  assert.deepEqual(
    [trace.kind[event], trace.page[event], trace.a[event], trace.b[event]],
    [EventKind.Npt, 0x3ff, -1, 513],
  );
  assert.equal(npt.lastChange(0x3ff), event);
});

test('a zap of nothing leaves no event', () => {
  const { npt, trace } = newTable();
  assert.equal(npt.zap(0, 2 ** 28), 0);
  assert.equal(trace.length, 0);
});

test('ranges of a whole host are as cheap as what is in them', () => {
  const { npt } = newTable();
  npt.map(5, 77, 1, true);
  assert.equal(npt.anyPresent(0, 2 ** 36), true);
  assert.equal(npt.anyPresent(6, 2 ** 36), false);
  const seen: number[] = [];
  npt.forEachIn(0, 2 ** 36, (gfn, entry) => seen.push(gfn, entry.pfn));
  assert.deepEqual(seen, [5, 77]);
  assert.equal(npt.zap(0, 2 ** 36), 1);
});

test('undo brings mappings back with the event that made them', () => {
  const { npt, journal } = newTable();
  npt.map(0x400, HEAD, 2, false);
  const mark = journal.mark();
  npt.map(0x407, 9, 1, true);
  npt.zap(0, 0x1000);
  journal.undoTo(mark);
  assert.deepEqual(npt.lookup(0x407), { pfn: HEAD, level: 2, writable: false, event: 0 });
});

test('write permission can be taken and given', () => {
  const { npt } = newTable();
  npt.map(5, 77, 1, true);
  assert.equal(npt.setWritable(5, false), true);
  assert.equal(npt.lookup(5)?.writable, false);
  assert.equal(npt.setWritable(6, false), false);
});
