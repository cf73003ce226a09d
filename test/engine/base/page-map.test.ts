// PageMap: numbers by page, and undo that leaves no trace.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Journal } from '../../../engine/base/journal.ts';
import { PageMap } from '../../../engine/base/page-map.ts';

const change = fc.tuple(fc.nat(5), fc.option(fc.nat(3), { nil: undefined }));

test('holds what a Map holds, and undo of any suffix gives the earlier one', () => {
  fc.assert(
    fc.property(fc.array(change), fc.array(change), (first, second) => {
      const journal = new Journal();
      const map = new PageMap(journal);
      const plain = new Map<number, number>();
      const contents = (): [number, number | undefined][] => map.pages().map((page) => [page, map.get(page)]);
      for (const [page, value] of first) {
        map.set(page, value);
        if (value === undefined) plain.delete(page);
        else plain.set(page, value);
      }
      const expected = [...plain].sort(([a], [b]) => a - b);
      assert.deepEqual(contents(), expected);
      assert.equal(map.isEmpty, plain.size === 0);
      const mark = journal.mark();
      for (const [page, value] of second) map.set(page, value);
      journal.undoTo(mark);
      assert.deepEqual(contents(), expected);
    }),
  );
});
