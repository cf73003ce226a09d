// npm run generate: writes engine/generated/, the code that is made from other files of the repository.
//
//   models.ts                 every C file below engine/models, as text: the engine has no file system to read them from
//   library.ts                the sequence libraries of engine/scenario/library, as text
//   scenario-parser.ts        the Lezer tables of engine/scenario/scenario.grammar
//   scenario-parser-terms.ts  its node numbers
//
// Nothing is written when the inputs are those of the last time (stamp.json), so building and testing can always call it.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { root } from './lib/toolchain.mjs';

const output = join(root, 'engine', 'generated');
const models = join(root, 'engine', 'models');
const library = join(root, 'engine', 'scenario', 'library');
const grammar = join(root, 'engine', 'scenario', 'scenario.grammar');

/** Brings engine/generated up to date. Returns the names of the files written; throws when the grammar is wrong. */
export async function generate(): Promise<string[]> {
  await mkdir(output, { recursive: true });
  const stampFile = join(output, 'stamp.json');
  const stamps: Record<string, string> = JSON.parse(await readOr(stampFile, '{}'));
  const written: string[] = [];

  const put = async (job: string, input: string, make: () => Promise<Record<string, string>>) => {
    const stamp = createHash('sha256')
      .update(await thisFile())
      .update(input)
      .digest('hex');
    const files = (stamps[`${job} files`] ?? '').split(' ').filter(Boolean);
    if (stamps[job] === stamp && files.every((name) => existsSync(join(output, name)))) return;
    const made = await make();
    for (const [name, text] of Object.entries(made)) {
      await replaceFile(join(output, name), text);
      written.push(name);
    }
    stamps[job] = stamp;
    stamps[`${job} files`] = Object.keys(made).join(' ');
  };

  const modelFiles = await readTexts(models, '', /\.[ch]$/);
  await put('models', JSON.stringify(modelFiles), async () => ({
    'models.ts': textsModule('engine/models', 'modelFiles', modelFiles),
  }));
  const libraryFiles = await readTexts(library, 'library/', /\.snpscenario$/);
  await put('library', JSON.stringify(libraryFiles), async () => ({
    'library.ts': textsModule('engine/scenario/library', 'libraryFiles', libraryFiles),
  }));
  const grammarText = await readOr(grammar, '');
  if (grammarText) await put('grammar', grammarText, () => parserModules(grammarText));

  if (written.length) await replaceFile(stampFile, `${JSON.stringify(stamps, null, 2)}\n`);
  return written;
}

/** The matching files below a folder: path relative to it, with '/' and behind `prefix`, to text; in the order of the paths' code units. */
async function readTexts(folder: string, prefix: string, wanted: RegExp): Promise<Record<string, string>> {
  if (!existsSync(folder)) return {};
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && wanted.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort((a, b) => (a < b ? -1 : 1));
  const files: Record<string, string> = {};
  for (const path of paths)
    files[prefix + path] = (await readFile(join(folder, path), 'utf8')).replaceAll('\r\n', '\n');
  return files;
}

function textsModule(source: string, name: string, files: Record<string, string>): string {
  const lines = Object.entries(files).map(([path, text]) => `  ${JSON.stringify(path)}: ${JSON.stringify(text)},\n`);
  return [
    `// Made by scripts/generate.ts from ${source}. Do not edit.\n\n`,
    '/** Path of the file to its text. */\n',
    `export const ${name}: Readonly<Record<string, string>> = {\n${lines.join('')}};\n`,
  ].join('');
}

async function parserModules(text: string): Promise<Record<string, string>> {
  const { buildParserFile } = await import('@lezer/generator');
  const { parser, terms } = buildParserFile(text, {
    fileName: 'engine/scenario/scenario.grammar',
    typeScript: true,
    includeNames: true,
    warn: (message) => console.error(`engine/scenario/scenario.grammar: ${message}`),
  });
  // The grammar names its modules as seen from its own folder or from the output's: both mean engine/scenario.
  const fromHere = (code: string) => code.replace(/(from\s+")\.\/(?!scenario-parser)/g, '$1../scenario/');
  const header = '// Made by scripts/generate.ts from engine/scenario/scenario.grammar. Do not edit.\n// @ts-nocheck\n';
  return { 'scenario-parser.ts': header + fromHere(parser), 'scenario-parser-terms.ts': header + terms };
}

/** Writes a whole file at once: a test or a build that reads it meanwhile sees the old text or the new. */
async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}

async function thisFile(): Promise<string> {
  return readFile(import.meta.filename, 'utf8');
}

async function readOr(path: string, otherwise: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return otherwise;
  }
}

if (import.meta.main) {
  const written = await generate();
  console.log(written.length ? `engine/generated: wrote ${written.join(', ')}` : 'engine/generated is up to date');
}
