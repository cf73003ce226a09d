/** The table of C functions that operations call, held against what operations do. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createChecker } from '../../../engine/checker.ts';
import { entryFunctions } from '../../../engine/run/operations/entries.ts';
import { operations as bodies } from '../../../engine/run/operations/index.ts';
import { operations } from '../../../engine/scenario/operations.ts';

const scenarios = join(import.meta.dirname, '../../conformance/kvm-rfc-v8');

test('what an operation calls is in the table, and nothing else is', () => {
  const called = new Map<string, Set<string>>();
  const put = (key: string, name: string): void => {
    called.set(key, (called.get(key) ?? new Set()).add(name));
  };
  const originals = { ...bodies };
  const writable = bodies as Record<string, (typeof bodies)[string]>;
  for (const [key, body] of Object.entries(originals)) {
    const { resume } = body;
    writable[key] = {
      start(...args) {
        const action = body.start(...args);
        if (action.kind === 'call') put(key, action.function);
        return action;
      },
      ...(resume === undefined
        ? {}
        : {
            resume(...args) {
              const action = resume.apply(body, args);
              if (action.kind === 'call') put(key, action.function);
              return action;
            },
          }),
    };
  }
  const checker = createChecker({ resolve: (_from, path) => path, read: () => ({ error: 'none' }) });
  try {
    for (const name of readdirSync(scenarios).filter((file) => file.endsWith('.snpscenario'))) {
      const check = checker.start(name, readFileSync(join(scenarios, name), 'utf8'));
      while (!check.advance(1_000_000));
      checker.forget(name);
    }
  } finally {
    Object.assign(writable, originals);
  }
  assert.ok(called.size > 8, `only ${[...called.keys()]} called anything`);
  for (const [key, names] of called) {
    if (key === 'kernel.call') continue;
    for (const name of names) assert.ok(entryFunctions[key]?.includes(name), `${key} calls ${name}`);
  }
  for (const key of Object.keys(entryFunctions)) {
    assert.ok(
      operations.some((operation) => operation.key === key),
      `${key} is no operation`,
    );
  }
  const never = Object.entries(entryFunctions).flatMap(([key, names]) =>
    names.filter((name) => called.has(key) && !called.get(key)?.has(name)).map((name) => `${key} ${name}`),
  );
  assert.deepEqual(never, []);
});
