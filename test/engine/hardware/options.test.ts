import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  defaultHardwareOptions,
  hardwareOptionTable,
  Relied,
  reliedOptions,
  setHardwareOption,
} from '../../../engine/hardware/options.ts';

test('the bit of an option is its place in the table', () => {
  assert.deepEqual(
    Object.entries(Relied),
    hardwareOptionTable.map((row, place) => [row.key, 1 << place]),
  );
  assert.deepEqual(
    reliedOptions(Relied.psmashBadaddrCode).map((row) => row.name),
    ['psmash-badaddr-code'],
  );
});

test('a scenario’s name is the key in kebab case, and the default is one of the values', () => {
  for (const row of hardwareOptionTable) {
    assert.equal(
      row.name,
      row.key
        .replace(/(?<=[a-z])[A-Z]|\d+[mk]?/g, (part) => `-${part.toLowerCase()}`)
        .replace(/(?<=\d[mk])[A-Z]/g, (part) => `-${part.toLowerCase()}`),
    );
    assert.ok((row.values as readonly unknown[]).includes(row.default), row.name);
    assert.match(row.doc, /\.$/);
  }
});

test('an option is set by name, with on and off for booleans', () => {
  const options = defaultHardwareOptions();
  assert.equal(setHardwareOption(options, 'sizem-on-plain-access', 'on'), undefined);
  assert.equal(options.sizemOnPlainAccess, true);
  assert.equal(setHardwareOption(options, 'psmash-badaddr-code', 4), undefined);
  assert.equal(options.psmashBadaddrCode, 4);
});

test('a wrong name or value is said, not taken', () => {
  const options = defaultHardwareOptions();
  assert.equal(setHardwareOption(options, 'no-such-thing', true), 'unknown option no-such-thing');
  assert.equal(setHardwareOption(options, 'psmash-badaddr-code', 5), 'option psmash-badaddr-code is one of 7, 4');
  assert.equal(
    setHardwareOption(options, 'sizem-on-plain-access', 1),
    'option sizem-on-plain-access is one of on, off',
  );
  assert.deepEqual(options, defaultHardwareOptions());
});
