// The recordings that the page's tests draw are what the engine tells now. node test/map/record.ts writes them anew.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { record, recorded, recordingPath } from './record.ts';

for (const one of recorded) {
  test(`recording ${one.name} is up to date`, () => {
    assert.deepEqual(
      JSON.parse(readFileSync(recordingPath(one.name), 'utf8')),
      JSON.parse(JSON.stringify(record(one))),
    );
  });
}
