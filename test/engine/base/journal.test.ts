import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Journal, type Undoable } from '../../../engine/base/journal.ts';

/** A cell array whose writes are journalled with records of every length. */
class Cells implements Undoable {
  readonly cells = new Float64Array(8);
  private readonly journal: Journal;
  private readonly owner: number;

  constructor(journal: Journal) {
    this.journal = journal;
    this.owner = journal.register(this);
  }

  set(cell: number, value: number, shape: number): void {
    const old = this.cells[cell];
    if (shape === 0) this.journal.write2(this.owner, cell, old);
    else if (shape === 1) this.journal.write3(this.owner, cell, old, 0);
    else if (shape === 2) this.journal.write5(this.owner, cell, old, 0, 0, 0);
    else this.journal.write1(this.owner, cell * 1e6 + old);
    this.cells[cell] = value;
  }

  undo(data: Float64Array, at: number, length: number): void {
    if (length === 1) this.cells[Math.floor(data[at] / 1e6)] = data[at] % 1e6;
    else this.cells[data[at]] = data[at + 1];
  }
}

test('undoing to a mark restores what was there when it was taken, across blocks', () => {
  const write = fc.record({
    cell: fc.nat(7),
    value: fc.nat(999999),
    shape: fc.nat(3),
    times: fc.constantFrom(1, 3, 9000),
  });
  fc.assert(
    fc.property(fc.array(write, { maxLength: 40 }), (writes) => {
      const journal = new Journal();
      const cells = new Cells(journal);
      const marks = [{ mark: journal.mark(), cells: cells.cells.slice() }];
      for (const { cell, value, shape, times } of writes) {
        for (let i = 0; i < times; i++) cells.set(cell, (value + i) % 1000000, shape);
        marks.push({ mark: journal.mark(), cells: cells.cells.slice() });
      }
      for (const then of marks.reverse()) {
        journal.undoTo(then.mark);
        assert.deepEqual(cells.cells, then.cells);
      }
    }),
    { numRuns: 50 },
  );
});

test('a mark taken where a block ends is still right when the next record opens a block', () => {
  const journal = new Journal();
  const cells = new Cells(journal);
  for (let i = 0; i < 200000; i++) {
    const mark = journal.mark();
    const before = cells.cells[1];
    cells.set(1, i, 2);
    if (i % 997 === 0) {
      journal.undoTo(mark);
      assert.equal(cells.cells[1], before);
    }
  }
});

test('a record may grow for a run of changes, but never across a mark', () => {
  const journal = new Journal();
  const undone: number[][] = [];
  const owner = journal.register({ undo: (data, at, length) => void undone.push([...data.slice(at, at + length)]) });
  const other = journal.register({ undo: () => {} });
  const grow = (): boolean => {
    const at = journal.extendable(owner, 2);
    if (at < 0) return false;
    journal.block[at + 1]++;
    return true;
  };
  assert.equal(grow(), false);
  journal.write2(owner, 7, 1);
  assert.equal(grow(), true);
  const mark = journal.mark();
  assert.equal(grow(), false);
  journal.write2(owner, 8, 1);
  assert.equal(grow(), true);
  journal.undoTo(mark);
  assert.deepEqual(undone, [[8, 2]]);
  assert.equal(grow(), false, 'the mark may be undone to again');
  journal.write2(other, 0, 0);
  assert.equal(grow(), false, 'the newest record is somebody else’s');
  journal.undoTo(0);
  assert.deepEqual(undone, [
    [8, 2],
    [7, 2],
  ]);
});
