// Hints at the ends of steps: the outcome and what changed. They come from a run of the scenario that is kept for looking at, as far as the lines that
// the client shows need it, a slice at a time: a long scenario does not hold up typing. Tooltips are made when they are wanted, if the client can wait.
// Requests: textDocument/inlayHint, inlayHint/resolve; to the client: workspace/inlayHint/refresh.

import { type CancellationToken, ErrorCodes, type InlayHint, ResponseError } from 'vscode-languageserver';
import { Asking } from '../../../engine/assist/asking.ts';
import { type Hint, hintsIn } from '../../../engine/assist/hints.ts';
import { stepBlocks } from '../../../engine/assist/hover-step.ts';
import { activeLines } from '../../../engine/assist/step-text.ts';
import { type ClientFeatures, member } from '../client-features.ts';
import { toMarkup } from '../markup.ts';
import { inSlices } from '../state-query.ts';
import { canonicalUri } from '../uri.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { type OpenDocument, offsetsOf, openDocument, scenarioOf } from './place.ts';

/** After this long a request gets the hints that are known, ms; the rest comes with a refresh. */
const limit = 1500;
/** Hints of one answer: no editor shows more lines at once, and a client that asks for a whole file of 20,000 lines gets it in pieces. */
const most = 2000;

interface HintData {
  uri: string;
  /** Of the document that the hint is about. */
  version: number;
  /** Offset at which the line's step begins. */
  start: number;
}

const resolves = (client: ClientFeatures): boolean => {
  const properties = client.capability('textDocument', 'inlayHint', 'resolveSupport', 'properties');
  return Array.isArray(properties) && properties.includes('tooltip');
};

export const inlayHints: Feature = {
  capabilities: (client) => ({ inlayHintProvider: { resolveProvider: resolves(client) } }),
  listen(context) {
    const { connection, settings, verdicts } = context;
    const incomplete = new Set<string>();
    const refresh = (): void => {
      if (context.client().declares('workspace', 'inlayHint', 'refreshSupport'))
        connection.languages.inlayHint.refresh().catch(() => {});
    };

    connection.languages.inlayHint.on(async (params, token): Promise<InlayHint[] | null> => {
      const open = scenarioOf(context, params);
      if (open === undefined) return null;
      const detail = settings.current.inlayHints;
      const { start, end } = offsetsOf(open.document, member(params, 'range'));
      if (detail === 'off') return [];
      incomplete.delete(open.uri);
      const hints = await inSlices(
        context,
        token,
        (budget, final) => {
          const found = hintsIn(open.view(), start, end + 1, detail, budget, final);
          if (final) incomplete.add(open.uri);
          return found;
        },
        () => context.documents.get(open.uri)?.getText() === open.text,
        limit,
      );
      return hints.slice(0, most).map((hint) => toProtocol(context, open, hint));
    });

    connection.languages.inlayHint.resolve(async (hint, token) => {
      const tooltip = await tooltipOf(context, member(hint, 'data'), token);
      return tooltip === undefined ? hint : { ...hint, tooltip };
    });

    // A client asks again when the text changes. It cannot know that a file in use did, or that a long run has got further.
    verdicts.onVerdict(({ uri, isAgain }) => {
      if (isAgain || incomplete.delete(uri)) refresh();
    });
    settings.onChange((now, before) => {
      if (now.inlayHints !== before.inlayHints) refresh();
    });
  },
};

function toProtocol(context: FeatureContext, { uri, document }: OpenDocument, hint: Hint): InlayHint {
  const { line, text, more } = hint;
  const data: HintData = { uri, version: document.version, start: line.start };
  return {
    position: document.positionAt(line.end),
    label: text,
    paddingLeft: true,
    ...(resolves(context.client()) ? { data } : { tooltip: toMarkup(context, more, context.client().markdownHover) }),
  };
}

/** All that a hover over the step says. */
async function tooltipOf(context: FeatureContext, data: unknown, token: CancellationToken) {
  const uri = member(data, 'uri');
  const version = member(data, 'version');
  const start = member(data, 'start');
  if (typeof uri !== 'string' || typeof version !== 'number' || typeof start !== 'number')
    throw new ResponseError(ErrorCodes.InvalidParams, 'this is no hint of ours');
  const open = openDocument(context, canonicalUri(uri));
  if (open === undefined || !open.isScenario || open.document.version !== version) return undefined;
  const blocks = await inSlices(
    context,
    token,
    (budget, final) => {
      const view = open.view();
      const unit = view.analysis.program.scenarios.find((one) => start >= one.start && start < one.end);
      const line = unit && activeLines(unit).find((one) => one.start === start);
      if (unit === undefined || line === undefined) return undefined;
      return stepBlocks(new Asking(view, budget, final), { unit, pcs: line.pcs, isCall: line.isCall });
    },
    () => context.documents.get(open.uri)?.version === version,
    limit,
  );
  return blocks === undefined || blocks.length === 0
    ? undefined
    : toMarkup(context, blocks, context.client().markdownHover);
}
