/** The interpreter's case labels are numbers; this holds each against the opcode it is commented with, and asks that none is missing. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { Op } from '../../../engine/vm/bytecode.ts';

test('every opcode has its case, under its own number', () => {
  const source = readFileSync(new URL('../../../engine/vm/interpreter.ts', import.meta.url), 'utf8');
  const cases = [...source.matchAll(/^ {6}case (\d+): (?:\/\*|\/\/) (\w+)/gm)].map((m) => [m[2], Number(m[1])]);
  assert.deepEqual(Object.fromEntries(cases), { ...Op });
  assert.equal(cases.length, Object.keys(Op).length);
  assert.equal(source.match(/^ {6}case /gm)?.length, cases.length);
});
