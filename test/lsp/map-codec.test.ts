// Typed arrays in JSON: base64 of little-endian bytes, as everybody else's base64 is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeBytes,
  decodePosition,
  decodeRuns,
  decodeStory,
  decodeUpdate,
  decodeWords,
  encodeBytes,
  encodePosition,
  encodeRuns,
  encodeStory,
  encodeUpdate,
  encodeWords,
} from '../../server/common/map-codec.ts';
import { tell } from '../engine/map/kit.ts';

test('bytes are base64 as Node has it, and come back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = encodeBytes(bytes);
      assert.equal(text, Buffer.from(bytes).toString('base64'));
      assert.deepEqual(decodeBytes(text), bytes);
    }),
  );
});

test('long arrays too', () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i * 7);
  assert.equal(encodeBytes(bytes), Buffer.from(bytes).toString('base64'));
  assert.deepEqual(decodeBytes(encodeBytes(bytes)), bytes);
});

test('words are little endian', () => {
  assert.equal(encodeWords(Uint32Array.of(1, 0x80000000)), Buffer.from([1, 0, 0, 0, 0, 0, 0, 0x80]).toString('base64'));
  fc.assert(fc.property(fc.uint32Array(), (words) => assert.deepEqual(decodeWords(encodeWords(words)), words)));
});

test('what is no base64 of ours is a RangeError', () => {
  for (const text of ['A', 'AB', '====', 'A===', 'AA=A', 'AAA!', 'AAAé', '\u0000AAA'])
    assert.throws(() => decodeBytes(text), RangeError, JSON.stringify(text));
  assert.throws(() => decodeWords('AAAA'), RangeError);
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        decodeBytes(text);
      } catch (error) {
        assert.ok(error instanceof RangeError);
      }
    }),
  );
  const runs = encodeRuns({
    lane: Uint8Array.of(0),
    start: Uint32Array.of(1),
    count: Uint32Array.of(1),
    before: Uint32Array.of(0),
    after: Uint32Array.of(1),
  });
  assert.throws(() => decodeRuns({ ...runs, count: '' }), RangeError);
});

test('stories, updates and positions survive JSON', () => {
  const { story, teller } = tell(`guest g {
  asid 1
  slot 0 gpa 0..4M private folio 2M pfn 0x1000
}
scenario "s" {
  vmm.set_memory_attributes(g, 0..4M, PRIVATE)
  g.pvalidate(0, 2M)
}
`);
  const through = <T>(value: T): T => JSON.parse(JSON.stringify(value));
  assert.deepEqual(decodeStory(through(encodeStory(story))), story);
  for (const moved of [false, true]) {
    const update = teller.update(1, moved);
    assert.deepEqual(decodeUpdate(through(encodeUpdate(update))), update);
  }
  for (const position of [
    { state: 1, by: 'editor' as const },
    { state: 2, by: 'debugger' as const, partial: story.changes },
  ])
    assert.deepEqual(decodePosition(through(encodePosition(position))), position);
});
