// Places in files, open or not, in the protocol's terms; and the programs of C that open scenarios run on.

import type { Location, LocationLink, Range } from 'vscode-languageserver';
import type { Location as EngineLocation } from '../../../engine/base/diagnostic.ts';
import { LineIndex } from '../../../engine/base/line-index.ts';
import type { CProgram } from '../../../engine/c/program.ts';
import { modelText } from '../../../engine/models/model.ts';
import { canonicalUri, modelPathOf, uriOfPath } from '../uri.ts';
import type { FeatureContext } from './feature.ts';
import { openDocument } from './place.ts';

/** A file by the engine's name for it, and what is meant in it. */
export interface Target {
  path: string;
  /** The name or whatever is to be seen. */
  range: Range;
  /** All of what is defined there. */
  whole?: Range;
}

/** The engine's name for a document: `model:…` for what is bundled, otherwise its canonical URI. */
export function pathOfUri(uri: string): string {
  const canonical = canonicalUri(uri);
  const bundled = modelPathOf(canonical);
  return bundled === undefined ? canonical : `model:${bundled}`;
}

/** The client's spelling of a file that the engine knows by a path. */
export function uriOf(context: FeatureContext, path: string): string {
  return context.documents.spelling(uriOfPath(path));
}

/** A range of a file by offsets; the beginning of the file if it cannot be read. */
export function rangeIn(context: FeatureContext, path: string, start: number, end: number): Range {
  const document = context.documents.get(uriOfPath(path));
  if (document !== undefined) return { start: document.positionAt(start), end: document.positionAt(end) };
  const text = fileText(context, path);
  return new LineIndex(text ?? '').range(start, end);
}

/** Text of an open document, a bundled file or a file on disk. */
export function fileText(context: FeatureContext, path: string): string | undefined {
  const bundled = modelText(path);
  if (bundled !== undefined) return bundled;
  const read = context.files.read(path);
  return 'text' in read ? read.text : undefined;
}

export const targetOf = ({ path, range }: EngineLocation, whole?: EngineLocation): Target => ({
  path,
  range,
  ...(whole === undefined ? {} : { whole: whole.range }),
});

/** Targets as the client takes them: links if it knows them. */
export function answer(
  context: FeatureContext,
  targets: readonly Target[],
  origin: Range,
  method: 'definition' | 'declaration',
): LocationLink[] | Location[] | null {
  if (targets.length === 0) return null;
  if (!context.client().declares('textDocument', method, 'linkSupport'))
    return targets.map(({ path, range }) => ({ uri: uriOf(context, path), range }));
  return targets.map(({ path, range, whole }) => ({
    originSelectionRange: origin,
    targetUri: uriOf(context, path),
    targetRange: whole ?? range,
    targetSelectionRange: range,
  }));
}

/** The C of each open scenario, with the scenario's canonical URI; those that share it, once. */
export function openPrograms(context: FeatureContext): { uri: string; program: CProgram }[] {
  const found: { uri: string; program: CProgram }[] = [];
  const seen = new Set<CProgram>();
  for (const uri of context.documents.uris()) {
    const open = context.documents.isScenario(uri) ? openDocument(context, uri) : undefined;
    const program = open?.view().environment()?.program;
    if (program === undefined || seen.has(program)) continue;
    seen.add(program);
    found.push({ uri, program });
  }
  return found;
}

/** Those of them that a C file or patch is part of. */
export function programsWith(context: FeatureContext, path: string): CProgram[] {
  return openPrograms(context)
    .filter(({ program }) => program.files.some((file) => file.path === path))
    .map(({ program }) => program);
}

/** The identifier at an offset of a C text. */
export function wordAt(text: string, offset: number): { word: string; start: number; end: number } | undefined {
  let start = offset;
  while (start > 0 && /\w/.test(text[start - 1])) start--;
  let end = offset;
  while (end < text.length && /\w/.test(text[end])) end++;
  const word = text.slice(start, end);
  return /^[A-Za-z_]/.test(word) ? { word, start, end } : undefined;
}
