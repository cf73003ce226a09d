// What stands under the pointer: in scenarios steps, pages and words; in the C that they use functions; anywhere raw RMP entries and log lines.
// Requests: textDocument/hover.

import type { CancellationToken, Hover } from 'vscode-languageserver';
import { Asking } from '../../../engine/assist/asking.ts';
import { decodedBlocks } from '../../../engine/assist/decoded-blocks.ts';
import { type Hover as Found, hoverAt } from '../../../engine/assist/hover.ts';
import { functionHover } from '../../../engine/assist/hover-c.ts';
import { decodeAt } from '../../../engine/assist/log-line.ts';
import { toMarkup } from '../markup.ts';
import { inSlices } from '../state-query.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { openPrograms, pathOfUri, wordAt } from './locations.ts';
import { type DocumentPlace, openDocument, placeOf, rangeOf } from './place.ts';

/** A hover that takes longer than this says what is known, ms. */
const limit = 3000;

export const hover: Feature = {
  capabilities: () => ({ hoverProvider: true }),
  listen(context) {
    context.connection.onHover(async (params, token): Promise<Hover | null> => {
      const place = placeOf(context, params);
      if (place === undefined) return null;
      const found = place.isScenario ? await inScenario(context, place, token) : await inOther(context, place, token);
      if (found === undefined) return null;
      return {
        contents: toMarkup(context, found.blocks, context.client().markdownHover),
        range: rangeOf(place.document, found.start, found.end),
      };
    });
  },
};

const isCurrent =
  (context: FeatureContext, { uri, text }: DocumentPlace) =>
  () =>
    context.documents.get(uri)?.getText() === text;

function inScenario(
  context: FeatureContext,
  place: DocumentPlace,
  token: CancellationToken,
): Promise<Found | undefined> {
  const { verdicts } = context;
  const ask = (budget: { ticks: number }, final: boolean) =>
    hoverAt(new Asking(verdicts.view(place.uri, place.text), budget, final), place.offset);
  return inSlices(context, token, ask, isCurrent(context, place), limit);
}

/** In C files and patches, and in whatever else the client sends. */
async function inOther(
  context: FeatureContext,
  place: DocumentPlace,
  token: CancellationToken,
): Promise<Found | undefined> {
  const dump = decodeAt(place.text, place.offset);
  if (dump !== undefined) return { start: dump.start, end: dump.end, blocks: decodedBlocks(dump) };
  const word = wordAt(place.text, place.offset);
  if (word === undefined) return undefined;
  const path = pathOfUri(place.uri);
  for (const { uri, program } of openPrograms(context)) {
    if (!program.files.some((file) => file.path === path)) continue;
    const blocks = await inSlices(
      context,
      token,
      (budget, final) => {
        const scenario = openDocument(context, uri);
        if (scenario === undefined) return undefined;
        const diagnostics = context.verdicts.lastResult(uri)?.diagnostics ?? [];
        return functionHover(new Asking(scenario.view(), budget, final), word.word, diagnostics);
      },
      isCurrent(context, place),
      limit,
    );
    if (blocks !== undefined) return { start: word.start, end: word.end, blocks };
  }
  return undefined;
}
