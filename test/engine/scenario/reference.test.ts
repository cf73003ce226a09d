/** docs/language.md and the pages below it are what the tables say, and their examples run. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { test } from 'node:test';
import { createChecker } from '../../../engine/checker.ts';
import { hardwareOptionTable } from '../../../engine/hardware/options.ts';
import { allowableRules } from '../../../engine/invariants/catalogue.ts';
import { kernelOptionTable } from '../../../engine/kernel/kernel-options.ts';
import { operations } from '../../../engine/scenario/operations.ts';
import { queries } from '../../../engine/scenario/queries.ts';
import { renderLanguageReference } from '../../../engine/scenario/reference.ts';
import { anchor } from '../../../engine/scenario/reference-markdown.ts';
import { GUEST_SETTINGS, HOST_SETTINGS, SLOT_SETTINGS } from '../../../engine/scenario/settings.ts';
import { check, files, PATH, problems, scenario } from './scenario-kit.ts';

const docs = join(import.meta.dirname, '..', '..', '..', 'docs');
const pages = renderLanguageReference();

for (const [path, text] of pages) {
  test(`docs/${path} is up to date; UPDATE_EXPECT=1 writes it anew`, () => {
    const file = join(docs, path);
    if (process.env.UPDATE_EXPECT === '1') {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    const written = readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
    const line = written.split('\n').findIndex((l, i) => l !== text.split('\n')[i]);
    assert.ok(written === text, `line ${line + 1} is not what the tables say: UPDATE_EXPECT=1 writes it anew`);
  });
}

test('there is no page that nothing makes', () => {
  const found = readdirSync(join(docs, 'language')).map((name) => `language/${name}`);
  assert.deepEqual(
    found.filter((path) => !pages.has(path)),
    [],
  );
});

test('every operation, query, setting and option has its place, and every link leads somewhere', () => {
  const whole = [...pages.values()].join('\n');
  for (const { name, variadic } of operations)
    if (!variadic) assert.match(whole, new RegExp(`### \`\\w+\\.${name}\\(`));
  for (const { key } of queries) assert.match(whole, new RegExp(`## \`${key}\\b`));
  for (const { name } of [
    ...HOST_SETTINGS,
    ...GUEST_SETTINGS,
    ...SLOT_SETTINGS,
    ...hardwareOptionTable,
    ...kernelOptionTable,
  ])
    assert.ok(whole.includes(`| \`${name}\` |`), name);
  for (const [path, text] of pages) {
    for (const [, target, hash] of text.matchAll(/\]\(([\w./-]+)(?:#([^)]*))?\)/g)) {
      const to = pages.get(posix.join(posix.dirname(path), target));
      assert.ok(to, `${path}: ${target}`);
      if (hash !== undefined)
        assert.ok(
          to.split('\n').some((line) => line.startsWith('#') && anchor(line.replace(/^#+ /, '')) === hash),
          `${path}: #${hash}`,
        );
    }
  }
});

test('every example of the tables is accepted as it stands', () => {
  for (const { key, example } of operations) assert.deepEqual(problems(check(scenario(example))), [], key);
  for (const { key, example } of queries) assert.deepEqual(problems(check(scenario(example))), [], key);
});

test('every outcome of the operations table is one that the language takes', () => {
  for (const { key, example, outcomes } of operations) {
    const step = example.replace(/ =>.*$/, '');
    for (const outcome of outcomes)
      assert.deepEqual(problems(check(scenario(`${step} => ${outcome}`))), [], `${key} => ${outcome}`);
  }
});

test('whole files in the pages run, and pass', () => {
  let ran = 0;
  for (const [path, text] of pages) {
    for (const [, example] of text.matchAll(/```snpscenario\n([\s\S]*?)```/g)) {
      if (!/^(?:guest |host \{|invariant |use |\/\/)/.test(example)) continue;
      const guest = example.includes('guest g {')
        ? ''
        : 'guest g {\n  slot 0 gpa 0..1G private folio 2M pfn 0x40000\n}\n';
      const whole = `${example}\n${guest}`.replace(/^use patch .*$/m, '');
      const { diagnostics, scenarios } = run(whole);
      assert.deepEqual(
        diagnostics.map(({ message }) => message),
        [],
        `${path}\n${whole}`,
      );
      for (const { status } of scenarios) assert.equal(status, 'passed', whole);
      ran++;
    }
  }
  assert.ok(ran >= 5, `${ran}`);
});

test('the example of every operation runs, and comes to an outcome that the table has', () => {
  for (const { key, example, outcomes } of operations) {
    const kernel = key === 'vmm.launch_finish' || key === 'vmm.launch_update' ? 'kvm-6.12' : 'kvm-rfc-v8';
    // What it stands on, so that most of them succeed.
    const before = ['vmm.set_memory_attributes(g, 0..2M, PRIVATE)'];
    const step = example.replace(/ *=>.*$/, '');
    const text = `use kernel "${kernel}"\n${scenario(...before, step)}`;
    const { diagnostics } = run(text);
    const found = diagnostics.flatMap(({ rule, data }) => {
      assert.ok(['OUTCOME', 'FAULT', 'TERM'].includes(rule) || allowableRules.includes(rule), `${key}: ${rule}`);
      const { kind, outcome } = (data ?? {}) as { kind?: string; outcome?: string };
      return kind === 'expect-outcome' ? [outcome as string] : [];
    });
    assert.ok(
      found.every((outcome) => outcomes.includes(outcome)),
      `${key}: ${found} is not among ${outcomes}`,
    );
  }
});

test('the example of every query can be asked', () => {
  for (const { key, example } of queries) {
    const { diagnostics } = run(scenario('vmm.set_memory_attributes(g, 0..2M, PRIVATE)', example));
    for (const { rule, message } of diagnostics) {
      assert.equal(rule, 'EXPECT', key);
      // It was asked, and answered otherwise.
      assert.match(message, /found|does not contain/, key);
    }
  }
});

function run(text: string) {
  const checking = createChecker(files()).start(PATH, text);
  while (!checking.advance(1_000_000));
  return checking.result();
}
