// Renaming guests, `let`s, loop variables, sequences and their parameters: in this file and in every known one that imports it, see known-files.ts.
// Requests: textDocument/prepareRename, textDocument/rename.

import {
  ErrorCodes,
  LSPErrorCodes,
  type PrepareRenameResult,
  ResponseError,
  type TextDocumentEdit,
  type TextEdit,
  type WorkspaceEdit,
} from 'vscode-languageserver';
import { type Referent, referentAt } from '../../../engine/assist/referent.ts';
import { rename as renamed, whyNotRenamed } from '../../../engine/assist/rename.ts';
import { member } from '../client-features.ts';
import { modelPathOf } from '../uri.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { analysisOf, scenarioFiles, textOf } from './known-files.ts';
import { rangeIn, uriOf } from './locations.ts';
import { type DocumentPlace, placeOf, rangeOf } from './place.ts';

export const rename: Feature = {
  capabilities: (client) => ({
    renameProvider: client.declares('textDocument', 'rename', 'prepareSupport') ? { prepareProvider: true } : true,
  }),
  listen(context: FeatureContext): void {
    const { connection } = context;
    connection.onPrepareRename((params): PrepareRenameResult | null => {
      const place = placeOf(context, params);
      if (place === undefined) return null;
      const { at, name } = declaredAt(context, place);
      return { range: rangeOf(place.document, at.start, at.end), placeholder: name.name };
    });
    connection.onRenameRequest((params): WorkspaceEdit | null => {
      const newName = member(params, 'newName');
      if (typeof newName !== 'string') throw new ResponseError(ErrorCodes.InvalidParams, 'newName is missing');
      const place = placeOf(context, params);
      if (place === undefined) return null;
      const referent = declaredAt(context, place);
      const files = concerned(context, referent, newName);
      const result = renamed(referent, newName, files, context.files);
      if ('error' in result) throw new ResponseError(LSPErrorCodes.RequestFailed, result.error);
      const edits = result.map(({ path, changes }) => ({
        path,
        edits: changes.map(({ from, to, text }) => ({ range: rangeIn(context, path, from, to), newText: text })),
      }));
      return workspaceEdit(context, edits);
    });
  },
};

/** Throws what the user is told: why the word under the cursor keeps its name. */
function declaredAt(context: FeatureContext, place: DocumentPlace): Extract<Referent, { is: 'declared' }> {
  if (!place.isScenario)
    throw new ResponseError(LSPErrorCodes.RequestFailed, 'Names can be changed in scenarios, not in the C they use.');
  const referent = referentAt(place.view().analysis, place.offset, context.files);
  const isBundled = referent?.is === 'declared' && modelPathOf(referent.path) !== undefined;
  const trouble = isBundled ? 'This file comes with the extension.' : whyNotRenamed(referent);
  if (trouble !== undefined || referent?.is !== 'declared')
    throw new ResponseError(LSPErrorCodes.RequestFailed, trouble ?? 'There is no name here that could be changed.');
  return referent;
}

/** The declaring file and all that have the name in them, or the new one: they may import it. */
function concerned(context: FeatureContext, referent: Extract<Referent, { is: 'declared' }>, newName: string) {
  const { name } = referent.name;
  return scenarioFiles(context)
    .filter((uri) => {
      const text = textOf(context, uri);
      return uri === referent.path || text?.includes(name) || text?.includes(newName);
    })
    .flatMap((uri) => analysisOf(context, uri) ?? []);
}

function workspaceEdit(context: FeatureContext, edits: { path: string; edits: TextEdit[] }[]): WorkspaceEdit {
  if (!context.client().declares('workspace', 'workspaceEdit', 'documentChanges'))
    return { changes: Object.fromEntries(edits.map((one) => [uriOf(context, one.path), one.edits])) };
  return {
    documentChanges: edits.map(
      (one): TextDocumentEdit => ({
        // A file that is not open has no version.
        textDocument: { uri: uriOf(context, one.path), version: context.documents.get(one.path)?.version ?? null },
        edits: one.edits,
      }),
    ),
  };
}
