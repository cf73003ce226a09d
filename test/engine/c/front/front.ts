/** What the tests of the C front end's first half share: a text in, spellings out. */
import { type LoadedUnit, type LoadInput, loadUnit } from '../../../../engine/c/load-unit.ts';
import { SourceFiles } from '../../../../engine/c/source.ts';
import { SourceMap } from '../../../../engine/c/source-map.ts';
import type { Item, Token } from '../../../../engine/c/token.ts';
import { type TokenizedText, tokenize } from '../../../../engine/c/tokenize.ts';

export const FILE = 'svm/sev.c';

export interface Loaded extends LoadedUnit {
  files: SourceFiles;
  text: string;
}

/** Load a text; headers by include name. */
export function load(text: string, more: Partial<LoadInput> & { include?: Record<string, string> } = {}): Loaded {
  const files = new SourceFiles();
  const headers = new Map(
    Object.entries(more.include ?? {}).map(([name, body]) => [name, { path: `include/${name}`, text: body }]),
  );
  const { include: _, ...rest } = more;
  const unit = loadUnit({
    source: { path: FILE, text },
    kind: 'source',
    files,
    headers,
    forceInclude: [],
    defines: {},
    ...rest,
  });
  return { ...unit, files, text };
}

export const loadPatch = (text: string, more: Parameters<typeof load>[1] = {}): Loaded =>
  load(text, { kind: 'patch', ...more });

/** Spellings with single blanks between them, without the `end` token. */
export const spell = (tokens: readonly Token[]): string =>
  tokens
    .filter((t) => t.kind !== 'end')
    .map((t) => t.text)
    .join(' ');

/** All items of a unit, expanded. */
export const expanded = (unit: LoadedUnit): string => unit.items.map((i) => spell(i.tokens())).join(' ');

export const messages = (unit: LoadedUnit): string[] => unit.problems.map((p) => p.message);
export const functions = (unit: LoadedUnit): (string | undefined)[] =>
  unit.items.filter((i) => i.kind === 'function').map((i) => i.name);
export const functionNamed = (unit: LoadedUnit, name: string): Item => {
  const item = unit.items.find((i) => i.name === name);
  if (item === undefined) throw new Error(`no function ${name}`);
  return item;
};

export const tokenizeText = (text: string, comments = false): TokenizedText =>
  tokenize({ text, map: SourceMap.identity(0) }, { comments });

/** The text a token or an origin stands on. */
export const at = (unit: Loaded, origin: { file: number; start: number; end: number }): string =>
  unit.files.list[origin.file].text.slice(origin.start, origin.end);
