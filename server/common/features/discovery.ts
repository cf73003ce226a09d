// Which scenarios stand in the files of a workspace: parsed, not run, a few at a time, so that a thousand files keep nobody waiting.
// Requests: snpScenario/discover.

import { type CancellationToken, LSPErrorCodes, ProgressType, ResponseError } from 'vscode-languageserver';
import { LineIndex } from '../../../engine/base/line-index.ts';
import { outlineScenarios, scenarioIds } from '../../../engine/scenario/outline.ts';
import { member } from '../client-features.ts';
import {
  type DiscoveredFile,
  type DiscoverParams,
  type DiscoverResult,
  discoverRequest,
  type ScenarioItem,
} from '../protocol.ts';
import { canonicalUri } from '../uri.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { noteFile } from './known-files.ts';

/** One turn of the event loop is given to reading and parsing for about this long, ms. */
const slice = 4;
/** Files in one partial result at most. */
const batch = 50;
/** Characters. What is longer is not checked either, see Verdicts. */
const longest = 32 * 1024 * 1024;

const partial = new ProgressType<DiscoverResult>();

export const discovery: Feature = {
  capabilities: () => ({}),
  listen: (context) => {
    context.connection.onRequest(discoverRequest, (params: DiscoverParams, token: CancellationToken) =>
      discover(context, params, token),
    );
  },
};

async function discover(context: FeatureContext, params: unknown, token: CancellationToken): Promise<DiscoverResult> {
  const uris = member(params, 'uris');
  if (!Array.isArray(uris) || !uris.every((uri) => typeof uri === 'string'))
    throw new ResponseError(-32602, 'uris is no array of strings');
  const report = partialResults(context, params, partial);
  let files: DiscoveredFile[] = [];
  let until = context.platform.now() + slice;
  for (const uri of uris) {
    if (token.isCancellationRequested) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
    files.push(await outlineOf(context, uri));
    if (context.platform.now() < until && files.length < batch) continue;
    if (report !== undefined) {
      report({ files });
      files = [];
    }
    await new Promise<void>((resolve) => context.platform.soon(resolve));
    until = context.platform.now() + slice;
  }
  if (report === undefined) return { files };
  if (files.length > 0) report({ files });
  return { files: [] };
}

/** Sends partial results, if the client gave a token for them. */
export function partialResults<T>(
  context: FeatureContext,
  params: unknown,
  type: ProgressType<T>,
): ((value: T) => void) | undefined {
  const token = member(params, 'partialResultToken');
  if (typeof token !== 'string' && typeof token !== 'number') return undefined;
  return (value) => {
    // biome-ignore lint/suspicious/noExplicitAny: the library asks for a type that it takes from T by itself
    context.connection.sendProgress(type as ProgressType<any>, token, value).catch(() => {});
  };
}

async function outlineOf(context: FeatureContext, uri: string): Promise<DiscoveredFile> {
  const read = await context.files.load(canonicalUri(uri));
  if ('error' in read) return { uri, scenarios: [], error: read.error };
  noteFile(context, canonicalUri(uri));
  if (read.text.length > longest) return { uri, scenarios: [], error: 'it is too long' };
  return { uri, scenarios: itemsOf(read.text) };
}

function itemsOf(text: string): ScenarioItem[] {
  const outline = outlineScenarios(text);
  const ids = scenarioIds(outline.map(({ name }) => name));
  const lines = new LineIndex(text);
  return outline.map(({ name, doc, start, end }, i) => ({
    id: ids[i],
    name,
    doc,
    range: lines.range(start, end),
  }));
}
