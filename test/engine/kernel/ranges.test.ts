// What natives do to a range at once is what they would do page by page: same state, same events, same undo.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createKernel, rows } from './kernel-fixture.ts';

const XA = 0x1000;
const PAGES = 1700;

/** first page, pages, value, step, failing page. */
const change = fc.record({
  start: fc.nat(PAGES - 1),
  pages: fc.oneof(fc.nat(20), fc.nat(PAGES), fc.constant(512)),
  on: fc.boolean(),
  step: fc.nat(1),
  failing: fc.option(fc.nat(PAGES - 1)),
});

type Kernel = ReturnType<typeof createKernel>;

const attributesOf = ({ kernel, trace }: Kernel): unknown => ({
  values: Array.from({ length: PAGES }, (_, gfn) => [
    kernel.attributes.attribute(1, gfn),
    kernel.attributes.lastEvent(1, gfn),
  ]),
  whole: [0, 1, 2, 3].map((frame) => kernel.attributes.isWholeFramePrivate(1, frame)),
  events: rows(trace),
});

test('__xa_store_each() is a loop of xa_store()', () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const [atOnce, oneByOne] = [createKernel(), createKernel()];
      for (const machine of [atOnce, oneByOne]) machine.kernel.attributes.register(XA, 1);
      const beginning = attributesOf(atOnce);
      const marks = [atOnce, oneByOne].map(({ journal }) => journal.mark());
      for (const { start, pages, on, step, failing } of changes) {
        const end = Math.min(PAGES, start + pages);
        const value = on ? 8 : 0;
        for (const { kernel, trace } of [atOnce, oneByOne]) {
          trace.now.step = step;
          if (failing !== null) kernel.attributes.setFailure(1, failing, 12);
        }
        let reached = start;
        while (reached < end && oneByOne.kernel.attributes.store(XA, reached, value) === 0) reached++;
        assert.equal(atOnce.kernel.attributes.storeRange(XA, start, end, value), Math.max(reached, start));
        for (const { kernel } of [atOnce, oneByOne]) if (failing !== null) kernel.attributes.setFailure(1, failing, 0);
        assert.deepEqual(attributesOf(atOnce), attributesOf(oneByOne));
      }
      for (const [i, machine] of [atOnce, oneByOne].entries()) {
        machine.journal.undoTo(marks[i] as number);
        machine.trace.truncate(0);
        assert.deepEqual(attributesOf(machine), beginning);
      }
    }),
    { numRuns: 60 },
  );
});

const directMapOf = ({ kernel, trace }: Kernel): unknown => ({
  pages: Array.from({ length: PAGES }, (_, pfn) => [kernel.directMap.present(pfn), kernel.directMap.level(pfn)]),
  events: rows(trace),
});

test('__set_direct_map_each() is a loop of set_direct_map_{invalid,default}_noflush()', () => {
  const level = fc.constantFrom<1 | 2 | 3>(1, 2, 3);
  fc.assert(
    fc.property(level, fc.array(change, { minLength: 1, maxLength: 6 }), (directMapLevel, changes) => {
      const [atOnce, oneByOne] = [createKernel({ directMapLevel }), createKernel({ directMapLevel })];
      const beginning = directMapOf(atOnce);
      const marks = [atOnce, oneByOne].map(({ journal }) => journal.mark());
      for (const { start, pages, on, step } of changes) {
        for (const { trace } of [atOnce, oneByOne]) trace.now.step = step;
        let done = 0;
        while (done < pages && oneByOne.kernel.directMap.setPresent(start + done, on) === 0) done++;
        assert.equal(atOnce.kernel.directMap.setRangePresent(start, pages, on), done);
        assert.deepEqual(directMapOf(atOnce), directMapOf(oneByOne));
      }
      for (const [i, machine] of [atOnce, oneByOne].entries()) {
        machine.journal.undoTo(marks[i] as number);
        machine.trace.truncate(0);
        assert.deepEqual(directMapOf(machine), beginning);
      }
    }),
    { numRuns: 60 },
  );
});

test('a range that leaves RAM is done up to its end', () => {
  const { kernel } = createKernel();
  assert.equal(kernel.directMap.setRangePresent(2 ** 20 - 3, 10, false), 3);
  assert.equal(kernel.directMap.setRangePresent(2 ** 20, 10, false), 0);
});
