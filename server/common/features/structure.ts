// What follows from the shape of a scenario: folding, growing selections, links.
// Requests: textDocument/foldingRange, textDocument/selectionRange, textDocument/documentLink.

import {
  type DocumentLink,
  ErrorCodes,
  type FoldingRange,
  FoldingRangeKind,
  ResponseError,
  type SelectionRange,
} from 'vscode-languageserver';
import { type Fold, folds } from '../../../engine/assist/folding.ts';
import { links } from '../../../engine/assist/links.ts';
import { selectionAt } from '../../../engine/assist/selection.ts';
import { member } from '../client-features.ts';
import { schemeOf } from '../uri.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { uriOf } from './locations.ts';
import { type OpenDocument, offsetAt, rangeOf, scenarioOf } from './place.ts';

export const structure: Feature = {
  capabilities: () => ({
    foldingRangeProvider: true,
    selectionRangeProvider: true,
    documentLinkProvider: { resolveProvider: false },
  }),
  listen(context: FeatureContext): void {
    const { connection } = context;
    connection.onFoldingRanges((params): FoldingRange[] | null => {
      const open = scenarioOf(context, params);
      return open === undefined ? null : foldingRanges(context, open);
    });
    connection.onSelectionRanges((params): SelectionRange[] | null => {
      const open = scenarioOf(context, params);
      if (open === undefined) return null;
      const positions = member(params, 'positions');
      if (!Array.isArray(positions)) throw new ResponseError(ErrorCodes.InvalidParams, 'positions is no array');
      return positions.slice(0, 1000).map((position) => selectionRange(open, offsetAt(open.document, position)));
    });
    connection.onDocumentLinks((params): DocumentLink[] | null => {
      const open = scenarioOf(context, params);
      if (open === undefined) return null;
      return links(open.view().analysis, context.files).flatMap(({ start, end, target }) => {
        const uri = 'url' in target ? target.url : uriOf(context, target.path);
        // A document that is in no folder has nothing relative to it.
        return schemeOf(uri) === 'unsaved' ? [] : [{ range: rangeOf(open.document, start, end), target: uri }];
      });
    });
  },
};

const kinds: Record<Fold['kind'], FoldingRangeKind | undefined> = {
  block: undefined,
  comment: FoldingRangeKind.Comment,
  imports: FoldingRangeKind.Imports,
  region: FoldingRangeKind.Region,
};

function foldingRanges(context: FeatureContext, { document, view }: OpenDocument): FoldingRange[] {
  const { text, tree } = view().analysis;
  if (tree.length !== text.length) return [];
  const client = context.client();
  const linesOnly = client.declares('textDocument', 'foldingRange', 'lineFoldingOnly');
  const limit = client.capability('textDocument', 'foldingRange', 'rangeLimit');
  const found: FoldingRange[] = [];
  for (const fold of folds(text, tree)) {
    const start = document.positionAt(fold.start);
    const end = document.positionAt(fold.end);
    const kind = kinds[fold.kind];
    const common = kind === undefined ? {} : { kind };
    if (!linesOnly) {
      found.push({
        startLine: start.line,
        startCharacter: start.character,
        endLine: end.line,
        endCharacter: end.character,
        ...common,
      });
      continue;
    }
    // The line of the closing bracket stays to be seen.
    const closes = fold.end < text.length && /[)}]/.test(text[fold.end]) && fold.kind === 'block';
    const endLine = closes ? end.line - 1 : end.line;
    if (endLine > start.line) found.push({ startLine: start.line, endLine, ...common });
  }
  return typeof limit === 'number' && limit >= 0 ? found.slice(0, limit) : found;
}

function selectionRange({ document, view }: OpenDocument, offset: number): SelectionRange {
  const { text, tree } = view().analysis;
  const steps = tree.length === text.length ? selectionAt(text, tree, offset) : [];
  let range: SelectionRange | undefined;
  for (const { start, end } of steps.reverse())
    range = { range: rangeOf(document, start, end), ...(range === undefined ? {} : { parent: range }) };
  return range ?? { range: rangeOf(document, offset, offset) };
}
