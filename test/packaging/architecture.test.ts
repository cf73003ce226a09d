// The walls between the parts, held by a test: which part may import which, and that the engine has neither clock nor randomness.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { test } from 'node:test';
import { glob } from 'tinyglobby';

const root = join(import.meta.dirname, '../..');

interface Import {
  readonly from: string;
  readonly specifier: string;
  /** For a relative one: the path in the repository that it leads to. */
  readonly target: string | undefined;
}

async function importsOf(part: string): Promise<Import[]> {
  const files = await glob(`${part}/**/*.ts`, { cwd: root });
  const found: Import[] = [];
  for (const from of files.sort()) {
    const text = await readFile(join(root, from), 'utf8');
    for (const match of text.matchAll(
      /^(?:import|export)\b[^'";]*?\bfrom\s+'([^'\n]+)'|^import\s+'([^'\n]+)'|\bimport\('([^'\n]+)'\)/gm,
    )) {
      const specifier = (match[1] ?? match[2] ?? match[3]) as string;
      const target = specifier.startsWith('.')
        ? relative(root, join(root, dirname(from), specifier))
            .split(sep)
            .join('/')
        : undefined;
      found.push({ from, specifier, target });
    }
  }
  return found;
}

const strays = (imports: readonly Import[], allowed: (one: Import) => boolean) =>
  imports.filter((one) => !allowed(one)).map(({ from, specifier }) => `${from} imports ${specifier}`);

test('the engine imports only itself and packages that run anywhere', async () => {
  const packages = ['@lezer/common', '@lezer/lr', 'diff'];
  const imports = await importsOf('engine');
  assert.deepEqual(
    strays(imports, ({ specifier, target }) => target?.startsWith('engine/') ?? packages.includes(specifier)),
    [],
  );
});

test('the hardware knows neither the kernel nor the language', async () => {
  const imports = await importsOf('engine/hardware');
  const known = ['engine/hardware/', 'engine/base/', 'engine/vm/', 'engine/trace/'];
  assert.deepEqual(
    strays(imports, ({ target }) => known.some((part) => target?.startsWith(part))),
    [],
  );
});

test('the C front end knows neither SNP nor scenarios', async () => {
  const imports = await importsOf('engine/c');
  const unknown = ['engine/hardware/', 'engine/kernel/', 'engine/scenario/', 'engine/invariants/', 'engine/run/'];
  assert.deepEqual(
    strays(imports, ({ target }) => !unknown.some((part) => target?.startsWith(part))),
    [],
  );
});

test('the client knows nothing of the engine and the server, the server nothing of the client', async () => {
  const shared = ['protocol', 'map-protocol', 'map-requests', 'map-codec'].map((name) => `server/common/${name}.ts`);
  assert.deepEqual(
    strays(
      await importsOf('client'),
      // The files both sides share: what their messages are.
      ({ target }) => target === undefined || target.startsWith('client/') || shared.includes(target),
    ),
    [],
  );
  assert.deepEqual(
    strays(
      await importsOf('server'),
      ({ target, specifier }) => !target?.startsWith('client/') && specifier !== 'vscode',
    ),
    [],
  );
});

test("only the server's node folder imports Node's modules", async () => {
  assert.deepEqual(
    strays(await importsOf('server/common'), ({ specifier }) => !specifier.startsWith('node:')),
    [],
  );
});

test('the engine has neither clock nor randomness', async () => {
  const forbidden = /\b(?:Math\.random|Date\.now|new Date|performance\.now|setTimeout|setInterval|crypto\.)\b/;
  const found: string[] = [];
  for (const file of await glob('engine/**/*.ts', { cwd: root })) {
    const lines = (await readFile(join(root, file), 'utf8')).split('\n');
    for (const [index, line] of lines.entries()) {
      if (forbidden.test(line.replace(/\/\/.*$|^\s*\*.*$/, ''))) found.push(`${file}:${index + 1} ${line.trim()}`);
    }
  }
  assert.deepEqual(found, []);
});
