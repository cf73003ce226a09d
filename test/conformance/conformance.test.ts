/**
 * The conformance corpus: one `.snpscenario` for each sequence whose outcome the manuals, the firmware or the kernel sources settle, in a folder for
 * each kernel model. A file passes when every scenario in it holds and nothing at all is reported: what a rule objects to on purpose is allowed in
 * the file, with the reason. Files of kvm-rfc-v8 that convert memory run a second time with patch 48 of the series as it was mailed.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { CheckerOptions, CheckResult, FileHost } from '../../engine/check.ts';
import { createChecker } from '../../engine/checker.ts';
import { finish, lines } from '../engine/run/check-text.ts';
import { knownGaps } from './known-gaps.ts';

const corpus = fileURLToPath(new URL('.', import.meta.url));

const host: FileHost = {
  resolve: (from, relative) => resolve(dirname(from), relative),
  read(path) {
    try {
      return { text: readFileSync(path, 'utf8') };
    } catch {
      return { error: 'no such file' };
    }
  },
};

// One checker for all files, as in an editor: files that use the same C share what was compiled.
const checker = createChecker(host);

const models = readdirSync(corpus, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const cases = models.flatMap(({ name: model }) =>
  readdirSync(join(corpus, model))
    .filter((name) => name.endsWith('.snpscenario'))
    .map((name) => ({
      model,
      id: `${model}/${name.slice(0, -'.snpscenario'.length)}`,
      path: join(corpus, model, name),
    })),
);

/** All that is wrong with a file, a line each; empty when it holds. */
function verdict(result: CheckResult): string[] {
  const failed = result.scenarios.filter((s) => s.status !== 'passed').map((s) => `${s.status} "${s.name}"`);
  const none = result.scenarios.length === 0 ? ['the file has no scenario'] : [];
  return [...none, ...failed, ...lines(result)];
}

const check = (path: string, text: string, options?: CheckerOptions): string[] =>
  verdict(finish(checker, path, text, options));

for (const { model, id, path } of cases) {
  const text = readFileSync(path, 'utf8');
  test(id, () => {
    assert.match(text, /^\/\/\/ \S/m, 'a case says what happens and by what source');
    assert.ok(text.includes(`use kernel "${model}"`), `a case in ${model}/ runs on ${model}`);
    const found = check(path, text);
    if (id in knownGaps) assert.notDeepEqual(found, [], `no gap any more, take it off the list: ${knownGaps[id]}`);
    else assert.deepEqual(found, []);
  });
}

test('every known gap names a case and gives a reason', () => {
  const ids = new Set(cases.map((c) => c.id));
  for (const [id, reason] of Object.entries(knownGaps)) {
    assert.ok(ids.has(id), id);
    assert.match(reason, /\w+ \w+ \w+/, id);
  }
});

test('conversions hold with RFC v8 48/56 as it was mailed, too', async (t) => {
  const folder = process.env.SNP_PATCH_DIR;
  if (folder === undefined) return t.skip('SNP_PATCH_DIR not set: the mailed patch is not tested');
  const patch = readdirSync(folder).find((name) => name.startsWith('0048'));
  assert.ok(patch !== undefined, 'the folder has a file 0048*');
  const options: CheckerOptions = { overrides: [{ kind: 'patch', path: join(folder, patch) }] };
  for (const { id, path } of cases.filter((c) => c.model === 'kvm-rfc-v8' && !(c.id in knownGaps))) {
    const text = readFileSync(path, 'utf8');
    if (/set_memory_attributes|\.psc\(|sev_update_mem_attr|snp_make_page_shared/.test(text))
      await t.test(id, () => assert.deepEqual(check(path, text, options), []));
  }
});
