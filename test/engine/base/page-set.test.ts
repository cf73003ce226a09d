import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Journal } from '../../../engine/base/journal.ts';
import { PageSet } from '../../../engine/base/page-set.ts';

const PAGES = 1600;

test('ranges put in and taken out, undone to any mark', () => {
  const range = fc.record({
    start: fc.nat(PAGES - 1),
    pages: fc.oneof(fc.nat(3), fc.nat(1100)),
    present: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(range, { maxLength: 12 }), (ranges) => {
      const journal = new Journal();
      const set = new PageSet(journal);
      const plain = new Set<number>();
      const check = (expected: ReadonlySet<number>) => {
        for (let page = 0; page < PAGES; page++) assert.equal(set.has(page), expected.has(page));
        assert.equal(set.isEmpty, expected.size === 0);
        for (let frame = 0; frame * 512 < PAGES; frame++)
          assert.equal(
            set.mayHaveIn(frame),
            [...expected].some((page) => Math.floor(page / 512) === frame),
          );
      };
      const marks: [number, Set<number>][] = [];
      for (const { start, pages, present } of ranges) {
        marks.push([journal.mark(), new Set(plain)]);
        const end = Math.min(PAGES, start + pages);
        if (pages === 1) assert.equal(set.set(start, present), plain.has(start) !== present);
        else set.setRange(start, end, present);
        for (let page = start; page < end; page++) present ? plain.add(page) : plain.delete(page);
        check(plain);
      }
      for (const [mark, expected] of marks.reverse()) {
        journal.undoTo(mark);
        check(expected);
      }
    }),
    { numRuns: 60 },
  );
});
