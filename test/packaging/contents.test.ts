// What is shipped: the list of files in the VSIX, what they weigh, and that the manifest names only files that are there.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { listFiles, PackageManager } from '@vscode/vsce';

const root = join(import.meta.dirname, '../..');
const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
const files = (await listFiles({ cwd: root, packageManager: PackageManager.None })).sort();

test('the VSIX holds what the extension needs, and nothing else', () => {
  // The page of every rule, which a diagnostic's code leads to.
  const pages = files.filter((file) => file.startsWith('docs/rules/'));
  assert.ok(pages.length > 20 && pages.every((page) => page.endsWith('.md')));
  // The language, a page to each group of operations and words.
  const language = files.filter((file) => file.startsWith('docs/language/'));
  assert.ok(language.length >= 9 && language.every((page) => page.endsWith('.md')));
  const others = files.filter((file) => !pages.includes(file) && !language.includes(file));
  assert.deepEqual(others, [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'client/icons/file-dark.svg',
    'client/icons/file-light.svg',
    'client/icons/icon.png',
    'client/icons/map-dark.svg',
    'client/icons/map-light.svg',
    'client/language-configuration.json',
    'client/syntaxes/snpscenario.tmLanguage.json',
    'client/walkthrough/debug.md',
    'client/walkthrough/kernel.md',
    'client/walkthrough/map.md',
    'client/walkthrough/test.md',
    'client/walkthrough/verdicts.md',
    'client/walkthrough/write.md',
    'dist/client/extension.cjs',
    'dist/debug/adapter.js',
    'dist/map/map.css',
    'dist/map/map.js',
    'dist/package.json',
    'dist/server/language-server.js',
    'dist/server/main.js',
    'dist/third-party-notices.txt',
    'dist/web/extension.js',
    'dist/web/server.js',
    'docs/c.md',
    'docs/debugging.md',
    'docs/language.md',
    'docs/rules.md',
    'package.json',
  ]);
});

test('it weighs at most 1.8 MB, the engine in it twice: for Node and for browsers', async () => {
  let bytes = 0;
  for (const file of files) bytes += deflateRawSync(await readFile(join(root, file))).length;
  assert.ok(bytes <= 1_800_000, `${bytes} bytes`);
});

test('every file that the manifest names is in it', () => {
  const { languages, grammars } = manifest.contributes;
  const named = [
    manifest.main,
    manifest.browser,
    manifest.icon,
    languages[0].configuration,
    languages[0].icon.light,
    languages[0].icon.dark,
    grammars[0].path,
    ...manifest.contributes.walkthroughs.flatMap(({ steps }: { steps: { media: { markdown: string } }[] }) =>
      steps.map(({ media }) => media.markdown),
    ),
  ].map((path: string) => path.replace(/^\.\//, ''));
  assert.deepEqual(
    named.filter((path) => !files.includes(path)),
    [],
  );
  assert.ok(existsSync(join(root, manifest.bin['snp-scenario'])));
});

test('the bundles name no source map, and only modules that Node or VS Code provides', async () => {
  for (const file of [
    'dist/client/extension.cjs',
    'dist/debug/adapter.js',
    'dist/server/language-server.js',
    'dist/map/map.js',
  ]) {
    const text = await readFile(join(root, file), 'utf8');
    assert.ok(
      !text.includes('sourceMappingURL='),
      `${file} names a source map that is not shipped: was it built with --production?`,
    );
    const { builtinModules } = await import('node:module');
    const required = [...text.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name]) =>
      (name as string).replace(/^node:/, ''),
    );
    const provided = [...builtinModules, ...(file.includes('client') ? ['vscode'] : [])];
    assert.deepEqual(
      [...new Set(required)].filter((name) => !provided.includes(name)),
      [],
      file,
    );
  }
});
