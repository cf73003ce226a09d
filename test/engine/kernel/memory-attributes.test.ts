import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventKind } from '../../../engine/trace/trace.ts';
import { createKernel, rows } from './kernel-fixture.ts';

const XA = 0x1000;

test('a run of stores is one event with its length, and every gfn knows the event that changed it', () => {
  const { kernel, trace } = createKernel();
  kernel.attributes.register(XA, 1);
  for (let gfn = 100; gfn < 2000; gfn++) kernel.attributes.store(XA, gfn, 8);
  for (let gfn = 200; gfn < 210; gfn++) kernel.attributes.store(XA, gfn, 0);

  assert.equal(trace.length, 2);
  assert.deepEqual(rows(trace)[0], [EventKind.Attribute, 1, 100, 1900, 0, 8, -1]);
  assert.deepEqual(rows(trace)[1], [EventKind.Attribute, 1, 200, 10, 8, 0, 0]);
  assert.equal(kernel.attributes.lastEvent(1, 205), 1);
  assert.equal(kernel.attributes.lastEvent(1, 1999), 0);
  assert.equal(kernel.attributes.lastEvent(1, 2000), -1);
});

test('a store by another step does not lengthen the run of the step before', () => {
  const { kernel, trace } = createKernel();
  kernel.attributes.register(XA, 1);
  trace.now.step = 1;
  kernel.attributes.store(XA, 7, 8);
  trace.now.step = 2;
  kernel.attributes.store(XA, 8, 8);
  assert.equal(trace.length, 2);
});

test('storing what is there already changes nothing', () => {
  const { kernel, trace, journal } = createKernel();
  kernel.attributes.register(XA, 1);
  kernel.attributes.store(XA, 7, 8);
  const before = journal.mark();
  kernel.attributes.store(XA, 7, 8);
  assert.equal(journal.mark(), before);
  assert.equal(trace.length, 1);
});

test('undo inside a run shortens the run in the trace as well', () => {
  const { kernel, trace, journal } = createKernel();
  kernel.attributes.register(XA, 1);
  for (let gfn = 0; gfn < 5; gfn++) kernel.attributes.store(XA, gfn, 8);
  const mark = { journal: journal.mark(), trace: trace.length, rows: rows(trace) };
  for (let gfn = 5; gfn < 600; gfn++) kernel.attributes.store(XA, gfn, 8);
  assert.equal(trace.code[0], 600);
  journal.undoTo(mark.journal);
  trace.truncate(mark.trace);
  assert.deepEqual(rows(trace), mark.rows);
  assert.equal(kernel.attribute(1, 4), 8);
  assert.equal(kernel.attribute(1, 5), 0);
});

test('a large page is uniform when all its gfns have one value, untouched ones being shared', () => {
  const { kernel } = createKernel();
  kernel.attributes.register(XA, 1);
  assert.equal(kernel.attributes.isUniform(XA, 0, 512), true);
  for (let gfn = 0; gfn < 512; gfn++) kernel.attributes.store(XA, gfn, 8);
  assert.equal(kernel.attributes.isUniform(XA, 0, 512), true);
  assert.equal(kernel.attributes.isUniform(XA, 0, 513), false);
  kernel.attributes.store(XA, 100, 0);
  assert.equal(kernel.attributes.isUniform(XA, 0, 512), false);
  assert.equal(kernel.attributes.isUniform(XA, 101, 512), true);
});

test('a store that is set to fail gives its errno and stores nothing', () => {
  const { kernel } = createKernel();
  kernel.attributes.register(XA, 1);
  kernel.attributes.setFailure(1, 9, 12);
  assert.equal(kernel.attributes.store(XA, 9, 8), -12);
  assert.equal(kernel.attribute(1, 9), 0);
  assert.equal(kernel.attributes.store(XA, 10, 8), 0);
  kernel.attributes.setFailure(1, 9, 0);
  assert.equal(kernel.attributes.store(XA, 9, 8), 0);
});

test('runs that undo took back do not close the runs that were under way before them', () => {
  const { kernel, trace, journal } = createKernel();
  kernel.attributes.register(XA, 1);
  kernel.attributes.store(XA, 0, 8);
  const mark = { journal: journal.mark(), trace: trace.length };
  for (const gfn of [100, 200, 300]) kernel.attributes.store(XA, gfn, 8);
  journal.undoTo(mark.journal);
  trace.truncate(mark.trace);
  kernel.attributes.store(XA, 1, 8);
  assert.deepEqual(rows(trace), [[EventKind.Attribute, 1, 0, 2, 0, 8, -1]]);
});
