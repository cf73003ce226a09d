// Results that do not fit a double are compared bit for bit.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkText, lines } from './check-text.ts';

const verdict = (expected: string): string[] =>
  lines(
    checkText(`use source "wide.c"\nscenario "s" {\n  kernel.wide()  => ${expected}\n}\n`, {
      'wide.c': '#include <linux/types.h>\n\nu64 wide(void)\n{\n\treturn 0x8000000000000001ULL;\n}\n',
    }),
  );

test('a 64-bit result is what it is, to the last bit', () => {
  assert.deepEqual(verdict('0x8000000000000001'), []);
  for (const near of ['0x8000000000000000', '0x8000000000000002', '1']) {
    assert.match(verdict(near).join('\n'), /^3:\d+ warning OUTCOME Expected 0?x?\d+, got 0x8000000000000001\./, near);
  }
});
