// `snp-scenario check` as a process: what it finds, prints and exits with. The engine is the tests' (test/lsp/fake-checker.ts).

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { problems } from './schema.ts';

const cli = resolve(import.meta.dirname, 'fake-cli.ts');
const schema = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../docs/json-report.schema.json'), 'utf8'));
let folder: string;

const files: Record<string, string | Buffer> = {
  'good.snpscenario': 'scenario passed first\nscenario passed second\nproblem W-A only a warning',
  'bad.snpscenario': '// x\nproblem ATTR-RMP wrong\nscenario failed "third"',
  'stuck.snpscenario': 'scenario error fourth',
  'syntax.snpscenario': 'problem SYNTAX outside of any scenario',
  'none.snpscenario': 'nothing here',
  'crash.snpscenario': 'throw oh no',
  'latin.snpscenario': Buffer.from([0x2f, 0x2f, 0xe4]),
  'uses.snpscenario':
    'use c/sev.c\nuse missing.c\nblame c/sev.c 0 here\nin ../elsewhere.c 3 ORDER there\nin model:fake/sev.c 0 X y',
  'c/sev.c': '\tint x;\n',
  'tree/z.snpscenario': 'scenario passed z',
  'tree/a/b.snpscenario': 'scenario passed b',
  'tree/a.snpscenario': 'scenario passed a',
  'tree/node_modules/no.snpscenario': 'scenario failed no',
  'tree/.hidden/no.snpscenario': 'scenario failed no',
  'tree/readme.md': 'no',
  'folders/real.snpscenario': 'scenario passed real',
  'folders/x.snpscenario/inner.txt': '',
  'empty/readme.md': '',
  'odd [name].snpscenario': 'scenario passed odd',
};

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'snp-cli-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  symlinkSync('.', join(folder, 'tree', 'loop'));
});
after(() => rmSync(folder, { recursive: true }));

function run(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((done) => {
    const options = { cwd: folder, env: { ...process.env, FORCE_COLOR: '', NO_COLOR: '', ...env } };
    const child = execFile(process.execPath, [cli, ...args], options, (_, stdout, stderr) =>
      done({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

async function json(...args: string[]) {
  const { code, stdout } = await run(['check', '--format', 'json', ...args]);
  const report = JSON.parse(stdout);
  assert.deepEqual(problems(schema, report), []);
  return { code, report, paths: report.files.map(({ path }: { path: string }) => path) };
}

describe('the exit code', () => {
  const codes: [string, string[], number][] = [
    ['every scenario passed, with a warning', ['good.snpscenario'], 0],
    ['a file has no scenarios', ['none.snpscenario'], 0],
    ['a scenario failed', ['good.snpscenario', 'bad.snpscenario'], 1],
    ['a scenario could not be run', ['stuck.snpscenario'], 1],
    ['an error outside of scenarios', ['syntax.snpscenario'], 1],
    ['a file does not exist', ['good.snpscenario', 'no-such-file'], 2],
    ['a file is not UTF-8', ['latin.snpscenario', 'bad.snpscenario'], 2],
    ['a folder has a scenario’s name', ['folders/x.snpscenario'], 2],
    ['a folder has no scenarios', ['empty'], 2],
    ['a glob matches nothing', ['*.nothing'], 2],
    ['a patch cannot be read', ['good.snpscenario', '--patch', 'no.patch'], 2],
    ['a kernel model is not bundled', ['good.snpscenario', '--kernel', 'hurd'], 2],
    ['a kernel model is bundled', ['good.snpscenario', '--kernel', 'fake'], 0],
    ['the engine throws', ['crash.snpscenario', 'bad.snpscenario', 'no-such-file'], 3],
  ];
  for (const [what, args, code] of codes) {
    test(`${code}: ${what}`, async () => {
      assert.equal((await run(['check', ...args])).code, code);
    });
  }
  for (const args of [[], ['check'], ['check', '--format', 'xml', '.'], ['check', '--what', '.'], ['chekc', '.']]) {
    test(`2: the command line is wrong: ${args.join(' ') || 'nothing'}`, async () => {
      const { code, stdout, stderr } = await run(args);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, /\S/);
    });
  }
  test('0: help and version', async () => {
    assert.match((await run(['check', '--help'])).stdout, /Exit codes: 0 everything holds/);
    const { code, stdout } = await run(['--version']);
    assert.equal(code, 0);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });
});

describe('files', () => {
  test('of a folder are all below it, in order, without what is hidden or installed', async () => {
    const { paths } = await json('tree');
    assert.deepEqual(paths, ['tree/a.snpscenario', 'tree/a/b.snpscenario', 'tree/z.snpscenario']);
  });
  test('of a glob are in order; those of the command line come as given', async () => {
    const { paths } = await json('good.snpscenario', './bad.snpscenario', 'tree/**', join(folder, 'none.snpscenario'));
    assert.deepEqual(paths, [
      'good.snpscenario',
      './bad.snpscenario',
      'tree/a.snpscenario',
      'tree/a/b.snpscenario',
      'tree/z.snpscenario',
      join(folder, 'none.snpscenario'),
    ]);
  });
  test('are checked once', async () => {
    const { paths } = await json('tree/z.snpscenario', './tree/z.snpscenario', 'tree', 'tree/*.snpscenario');
    assert.deepEqual(paths, ['tree/z.snpscenario', 'tree/a.snpscenario', 'tree/a/b.snpscenario']);
  });
  test('with the characters of globs in their names are files', async () => {
    assert.deepEqual((await json('odd [name].snpscenario')).paths, ['odd [name].snpscenario']);
  });
  test('that cannot be checked leave the others be', async () => {
    const { code, report, paths } = await json('folders', 'latin.snpscenario', 'nope', 'good.snpscenario', 'empty');
    assert.equal(code, 2);
    assert.deepEqual(paths, ['folders/real.snpscenario', 'good.snpscenario']);
    assert.deepEqual(report.errors, [
      { path: 'folders/x.snpscenario', kind: 'input', message: 'is a folder, not a scenario' },
      { path: 'nope', kind: 'input', message: 'cannot be read: no such file' },
      { path: 'empty', kind: 'input', message: 'has no .snpscenario file in it' },
      { path: 'latin.snpscenario', kind: 'input', message: 'cannot be read: it is not UTF-8 text' },
    ]);
    assert.deepEqual(report.summary, { passed: 3, failed: 0, errors: 0 });
  });
  test('and folders that may not be read say so', async (t) => {
    if (process.getuid?.() === 0) return t.skip('root may read everything');
    writeFileSync(join(folder, 'locked.snpscenario'), '');
    mkdirSync(join(folder, 'locked'));
    chmodSync(join(folder, 'locked.snpscenario'), 0);
    chmodSync(join(folder, 'locked'), 0);
    const { code, report } = await json('locked.snpscenario', 'locked');
    assert.equal(code, 2);
    assert.equal(report.errors.length, 2);
  });
  test('an engine that throws is reported with the rest', async () => {
    const { code, report, paths } = await json('crash.snpscenario', 'good.snpscenario');
    assert.equal(code, 3);
    assert.deepEqual(paths, ['good.snpscenario']);
    assert.equal(report.errors[0].kind, 'internal');
    assert.match(report.errors[0].message, /oh no/);
  });
});

test('JSON says everything, with paths as given, relative or absolute', async () => {
  const { report } = await json('./uses.snpscenario', 'bad.snpscenario');
  const [uses, bad] = report.files;
  assert.deepEqual(
    uses.diagnostics.map(({ rule, file, message }: Record<string, string>) => `${file} ${rule} ${message}`),
    [
      './uses.snpscenario USE \tint x;\n',
      './uses.snpscenario USE error: no such file',
      './uses.snpscenario BLAME here',
      `${resolve(folder, '../elsewhere.c')} ORDER there`,
      'model:fake/sev.c X y',
    ],
  );
  assert.equal(uses.diagnostics[2].related[0].file, 'c/sev.c');
  assert.deepEqual(bad, {
    path: 'bad.snpscenario',
    diagnostics: [
      {
        rule: 'ATTR-RMP',
        spec: 'I-ATTR-RMP',
        severity: 'error',
        message: 'wrong',
        file: 'bad.snpscenario',
        range: { start: { line: 1, character: 0 }, end: { line: 1, character: 22 } },
        related: [],
      },
    ],
    scenarios: [
      {
        name: '"third"',
        status: 'failed',
        steps: 3,
        range: { start: { line: 2, character: 0 }, end: { line: 2, character: 23 } },
      },
    ],
  });
  assert.deepEqual(report.summary, { passed: 0, failed: 1, errors: 0 });
});

describe('text', () => {
  test('has a place, an excerpt, notes and a summary', async () => {
    const { stdout, stderr } = await run(['check', 'bad.snpscenario', 'uses.snpscenario', 'none.snpscenario', 'nope']);
    assert.equal(stderr, 'nope error cannot be read: no such file\n');
    assert.equal(
      stdout.replaceAll(resolve(folder, '..'), '<tmp>'),
      `bad.snpscenario:2:1 error ATTR-RMP (I-ATTR-RMP) wrong
     2 | problem ATTR-RMP wrong
       | ^^^^^^^^^^^^^^^^^^^^^^
failed bad.snpscenario ""third"" (3 steps)
uses.snpscenario:1:1 error USE (I-USE) \tint x;
    
     1 | use c/sev.c
       | ^^^^^^^^^^^
uses.snpscenario:2:1 error USE (I-USE) error: no such file
     2 | use missing.c
       | ^^^^^^^^^^^^^
uses.snpscenario:3:1 error BLAME (I-BLAME) here
     3 | blame c/sev.c 0 here
       | ^^^^^^^^^^^^^^^^^^^^
  c/sev.c:1:1 note because of this
     1 | \tint x;
       | ^
<tmp>/elsewhere.c:4:1 error ORDER (I-ORDER) there
model:fake/sev.c:1:1 error X (I-X) y
     1 | int sev;
       | ^
no scenarios in uses.snpscenario
no scenarios in none.snpscenario
1 scenario in 3 files: 0 passed, 1 failed; not checked: 1
`,
    );
  });

  test('is coloured when asked to be, and never speaks to the terminal for a file', async () => {
    writeFileSync(join(folder, 'escape.snpscenario'), 'problem X \x1b]0;title\x07 \u202eevil');
    const plain = await run(['check', 'escape.snpscenario']);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is about
    assert.doesNotMatch(plain.stdout, /[\x00-\x08\x0b-\x1f\x7f\u202e]/);
    assert.match(plain.stdout, /\\x1b\]0;title\\x07 \\x202eevil/);
    const red = '\x1b[31m';
    assert.ok((await run(['check', '--color', 'escape.snpscenario'])).stdout.includes(red));
    assert.ok((await run(['check', 'escape.snpscenario'], { FORCE_COLOR: '1' })).stdout.includes(red));
    assert.ok(!(await run(['check', '--no-color', 'escape.snpscenario'], { FORCE_COLOR: '1' })).stdout.includes(red));
  });

  test('shows a window of a line that is very long', async () => {
    const long = `problem X ${'x'.repeat(5000)}`;
    writeFileSync(join(folder, 'long.snpscenario'), long);
    const [, source, carets] = (await run(['check', 'long.snpscenario'])).stdout.split('\n');
    assert.equal(source!.length, 9 + 120);
    assert.equal(carets!.length, 9 + 120);
  });
});

test('a reader that goes away ends it quietly', async () => {
  mkdirSync(join(folder, 'many'));
  for (let index = 0; index < 300; index++) {
    writeFileSync(join(folder, 'many', `${index}.snpscenario`), 'problem X here\n'.repeat(50));
  }
  const child = spawn(process.execPath, [cli, 'check', 'many'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdout.once('data', () => child.stdout.destroy());
  const code = await new Promise((done) => child.on('close', done));
  assert.equal(code, 141);
  assert.equal(stderr, '');
});

test('lsp serves the protocol', async () => {
  const { Client } = await import('../lsp/client.ts');
  const client = new Client([cli, 'lsp']);
  assert.equal((await client.initialize()).serverInfo?.name, 'SNP Scenario');
  client.open('file:///x.snpscenario', 'problem A a');
  assert.equal((await client.diagnostics('file:///x.snpscenario', 1)).length, 1);
  assert.equal(await client.shutdown(), 0);
});
