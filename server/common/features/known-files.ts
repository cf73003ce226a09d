// The scenario files that names can be followed through: those that are open, those that they import, and those of the workspace: as the client has told,
// or, from a client that does not tell, as the platform finds them. Analysed when asked for, and again when they have changed.

import { type Analysis, analyze } from '../../../engine/scenario/analyze.ts';
import { isLibraryPath } from '../../../engine/scenario/library.ts';
import { canonicalUri, encodePath } from '../uri.ts';
import type { FeatureContext } from './feature.ts';
import { openDocument } from './place.ts';

interface Known {
  /** Of the workspace, by canonical URI. */
  readonly found: Set<string>;
  /** The same, if the client does not tell; and when they were looked for. */
  listed: string[];
  listedAt: number;
  /** Of files that are not open. */
  readonly analyses: Map<string, Analysis>;
}

/** One for each server; a context lives as long as it does. */
const known = new WeakMap<FeatureContext['files'], Known>();

function knownOf(context: FeatureContext): Known {
  let state = known.get(context.files);
  if (state === undefined) {
    state = { found: new Set(), listed: [], listedAt: Number.NEGATIVE_INFINITY, analyses: new Map() };
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
  for (const uri of workspaceFiles(context)) all.add(uri);
  return [...all];
}

/** For how long a list of the workspace's files is believed, ms. */
const believed = 60_000;

function workspaceFiles(context: FeatureContext): Iterable<string> {
  const state = knownOf(context);
  const { platform } = context;
  if (state.found.size > 0) return state.found;
  if (platform.now() - state.listedAt > believed) {
    state.listed = filesBelow(context, context.client().folders);
    state.listedAt = platform.now();
  }
  return state.listed;
}

/** Entries of folders that are looked at, the nearer ones first; what lies beyond is not found. Takes a tenth of a second or two. */
const mostEntries = 60_000;

/** Names with a leading dot and `node_modules` are passed over. */
function filesBelow({ platform }: FeatureContext, folders: readonly string[]): string[] {
  const found: string[] = [];
  let entries = 0;
  for (let level = folders; level.length > 0; ) {
    const next: string[] = [];
    for (const folder of level) {
      for (const { name, isFolder } of platform.list(folder)) {
        if (++entries > mostEntries) return found;
        if (name.startsWith('.') || name === 'node_modules') continue;
        const uri = canonicalUri(`${folder}/${encodePath(name)}`);
        if (isFolder) next.push(uri);
        else if (name.endsWith('.snpscenario')) found.push(uri);
      }
    }
    level = next;
  }
  return found;
}

/** Text of a scenario file without analysing it. */
export function textOf(context: FeatureContext, uri: string): string | undefined {
  const read = context.files.read(uri);
  return 'text' in read ? read.text : undefined;
}
