// Formatting of scenarios, as engine/assist/format.ts says: a whole document, a range, and while typing.
// Requests: textDocument/formatting, textDocument/rangeFormatting, textDocument/onTypeFormatting.

import { ErrorCodes, ResponseError, type TextEdit } from 'vscode-languageserver';
import { type FormatOptions, format, type TextChange } from '../../../engine/assist/format.ts';
import { formatRange, formatTyped } from '../../../engine/assist/format-part.ts';
import { member } from '../client-features.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { type OpenDocument, offsetAt, offsetsOf, rangeOf, scenarioOf } from './place.ts';

export const formatting: Feature = {
  capabilities: () => ({
    documentFormattingProvider: true,
    documentRangeFormattingProvider: true,
    documentOnTypeFormattingProvider: { firstTriggerCharacter: '}', moreTriggerCharacter: ['\n'] },
  }),
  listen(context: FeatureContext): void {
    const { connection } = context;
    connection.onDocumentFormatting((params) => {
      const open = scenarioOf(context, params);
      return open === undefined ? null : edits(open, (tree) => format(open.text, tree, optionsOf(params)));
    });
    connection.onDocumentRangeFormatting((params) => {
      const open = scenarioOf(context, params);
      if (open === undefined) return null;
      const { start, end } = offsetsOf(open.document, member(params, 'range'));
      return edits(open, (tree) => formatRange(open.text, tree, start, end, optionsOf(params)));
    });
    connection.onDocumentOnTypeFormatting((params) => {
      const open = scenarioOf(context, params);
      if (open === undefined) return null;
      const at = offsetAt(open.document, member(params, 'position'));
      const typed = member(params, 'ch');
      if (typeof typed !== 'string') throw new ResponseError(ErrorCodes.InvalidParams, 'ch is missing');
      return edits(open, (tree) => formatTyped(open.text, tree, at, typed, optionsOf(params)));
    });
  },
};

function edits(open: OpenDocument, changes: (tree: Parameters<typeof format>[1]) => TextChange[]): TextEdit[] {
  const { tree } = open.view().analysis;
  // A text that is too long is not analysed.
  if (tree.length !== open.text.length) return [];
  return changes(tree).map(({ from, to, text }) => ({ range: rangeOf(open.document, from, to), newText: text }));
}

/** A level of indentation as the editor wants it. Whatever it asks for, there is some. */
function optionsOf(params: unknown): FormatOptions {
  const options = member(params, 'options');
  const size = member(options, 'tabSize');
  if (member(options, 'insertSpaces') === false) return { indent: '\t' };
  const width = typeof size === 'number' && size >= 1 && size <= 16 ? Math.floor(size) : 2;
  return { indent: ' '.repeat(width) };
}
