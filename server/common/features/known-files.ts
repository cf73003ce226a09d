// The scenario files that names can be followed through: those that are open, those that they import, and those that the client has found in the
// workspace. Analysed when asked for, and again when they have changed.

import { type Analysis, analyze } from '../../../engine/scenario/analyze.ts';
import { isLibraryPath } from '../../../engine/scenario/library.ts';
import type { FeatureContext } from './feature.ts';
import { openDocument } from './place.ts';

interface Known {
  /** Of the workspace, by canonical URI. */
  readonly found: Set<string>;
  /** Of files that are not open. */
  readonly analyses: Map<string, Analysis>;
}

/** One for each server; a context lives as long as it does. */
const known = new WeakMap<FeatureContext['files'], Known>();

function knownOf(context: FeatureContext): Known {
  let state = known.get(context.files);
  if (state === undefined) {
    state = { found: new Set(), analyses: new Map() };
    known.set(context.files, state);
  }
  return state;
}

/** The client says that the workspace has this file, by canonical URI. */
export function noteFile(context: FeatureContext, uri: string): void {
  knownOf(context).found.add(uri);
}

/** Analyses of files that are not open; more are made anew when they are asked for. */
const KEPT = 2000;

/** The analysis of a scenario file by canonical URI, open or not; undefined if it cannot be read. */
export function analysisOf(context: FeatureContext, uri: string): Analysis | undefined {
  const open = openDocument(context, uri);
  if (open?.isScenario) return open.view().analysis;
  const read = context.files.read(uri);
  const { analyses } = knownOf(context);
  if ('error' in read) {
    analyses.delete(uri);
    return undefined;
  }
  const now = analyze(uri, read.text, context.files, analyses.get(uri));
  analyses.delete(uri);
  analyses.set(uri, now);
  for (const oldest of analyses.keys()) {
    if (analyses.size <= KEPT) break;
    analyses.delete(oldest);
  }
  return now;
}

/** Canonical URIs of scenario files: open ones first, then what they import, then the rest of the workspace. Libraries are not among them. */
export function scenarioFiles(context: FeatureContext): string[] {
  const uris = context.documents.uris().filter((uri) => context.documents.isScenario(uri));
  const all = new Set(uris);
  for (const uri of uris) {
    for (const { path } of analysisOf(context, uri)?.program.imports ?? []) if (!isLibraryPath(path)) all.add(path);
  }
  for (const uri of knownOf(context).found) all.add(uri);
  return [...all];
}

/** Text of a scenario file without analysing it. */
export function textOf(context: FeatureContext, uri: string): string | undefined {
  const read = context.files.read(uri);
  return 'text' in read ? read.text : undefined;
}
