/** Undo of any suffix of any sequence brings back every kernel object and the trace, exactly. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KernelState } from '../../../engine/kernel/kernel-state.ts';
import type { Trace } from '../../../engine/trace/trace.ts';
import { createKernel, file, rows } from './kernel-fixture.ts';

const XA = 0x1000;
const PAGES = 1600;

type Act = readonly [which: number, page: number, more: number];

function perform(kernel: KernelState, trace: Trace, [which, page, more]: Act): void {
  const name = (): string => 'lock';
  const acts: (() => unknown)[] = [
    () => kernel.restricted.getPfn(more % 2, page),
    () => kernel.restricted.free(more % 2, page, page + 1 + (more % 700)),
    () => kernel.restricted.split(more % 2, page, page + 1 + (more % 700)),
    () => kernel.restricted.setFailure(more % 2, page, page + 10, more % 3 === 0 ? 0 : 12),
    () => kernel.attributes.store(XA, page, more % 2 === 0 ? 0 : 8),
    () => {
      for (let gfn = page; gfn < page + (more % 40); gfn++) kernel.attributes.store(XA, gfn, more % 2 === 0 ? 0 : 8);
    },
    () => kernel.attributes.setFailure(1, page, more % 2 === 0 ? 0 : 12),
    () => kernel.references.get(page),
    () => kernel.references.put(page),
    () => kernel.directMap.setPresent(page, more % 2 === 0),
    () => kernel.directMap.setMemory4k(page),
    () => kernel.largePages.setMixed(1, page, more % 2 === 0 ? 2 : 3, more % 3 === 0),
    () => kernel.leaked.add(page),
    () => kernel.locks.acquire(more % 4, more % 5, name),
    () => kernel.locks.release(more % 4, name),
    () => kernel.log.append(4, `text ${more}`),
    () =>
      kernel.slots.register({
        asid: 1,
        id: more % 3,
        baseGfn: page,
        pages: 10,
        private: true,
        file: 0,
        index: 0,
        sharedPfn: 0,
      }),
    () => kernel.slots.remove(1, more % 3),
    () => kernel.setOption('page-reclaim-status', more),
    () => kernel.attributes.register(XA + (more % 2), 1),
    () => {
      trace.now.step = more;
    },
  ];
  acts[which % acts.length]();
}

function picture(kernel: KernelState, trace: Trace): unknown {
  const pages = [];
  for (let page = 0; page < PAGES + 40; page += 1) {
    pages.push([
      kernel.restricted.folio(0, page),
      kernel.restricted.folio(1, page),
      kernel.attribute(1, page),
      kernel.attributes.lastEvent(1, page),
      kernel.references.count(page),
      kernel.directMap.level(page),
      kernel.directMap.present(page),
    ]);
  }
  return structuredClone({
    pages,
    events: rows(trace),
    outstanding: kernel.references.outstanding,
    underflows: kernel.references.underflows,
    leaked: kernel.leaked.list,
    held: kernel.locks.held(),
    lockProblems: kernel.locks.problems,
    log: kernel.log.lines,
    slots: kernel.slots.all,
    mixed: [0, 1, 2].map((n) => kernel.largePages.isMixed(1, n * 512, 2)).concat(kernel.largePages.isMixed(1, 0, 3)),
    options: [...kernel.options.value],
  });
}

const act = fc.tuple(fc.nat(1000), fc.nat(PAGES), fc.nat(10_000));

test('what is done after an undo leaves the trace that it leaves in a fresh run', () => {
  const fresh = () => {
    const made = createKernel({ memoryBytes: 2 ** 23 });
    made.kernel.restricted.createFile(file(0, 1600, 0x200, 9));
    made.kernel.restricted.createFile(file(1, 1600, 0x10, 4));
    made.kernel.attributes.register(XA, 1);
    return made;
  };
  const acts = fc.array(act, { maxLength: 40 });
  fc.assert(
    fc.property(acts, acts, acts, (first, undone, then) => {
      const tried = fresh();
      for (const a of first) perform(tried.kernel, tried.trace, a);
      const mark = { journal: tried.journal.mark(), trace: tried.trace.length, step: tried.trace.now.step };
      for (const a of undone) perform(tried.kernel, tried.trace, a);
      tried.journal.undoTo(mark.journal);
      tried.trace.truncate(mark.trace);
      tried.trace.now.step = mark.step;
      for (const a of then) perform(tried.kernel, tried.trace, a);

      const straight = fresh();
      for (const a of [...first, ...then]) perform(straight.kernel, straight.trace, a);
      assert.deepEqual(rows(tried.trace), rows(straight.trace));
    }),
    { numRuns: 100 },
  );
});

test('undo restores kernel objects and trace', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), fc.array(act, { minLength: 1, maxLength: 60 }), (first, second) => {
      const { kernel, trace, journal } = createKernel({ memoryBytes: 2 ** 23 });
      kernel.restricted.createFile(file(0, 1600, 0x200, 9));
      kernel.restricted.createFile(file(1, 1600, 0x10, 4));
      kernel.attributes.register(XA, 1);
      for (const a of first) perform(kernel, trace, a);
      const mark = { journal: journal.mark(), trace: trace.length, step: trace.now.step };
      const before = picture(kernel, trace);
      for (const a of second) perform(kernel, trace, a);
      journal.undoTo(mark.journal);
      trace.truncate(mark.trace);
      trace.now.step = mark.step;
      assert.deepEqual(picture(kernel, trace), before);
    }),
    { numRuns: 60 },
  );
});
