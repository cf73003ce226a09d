// Which scenario a command means that was given no name: the one at the cursor.

import { TabInputText, type TextDocument, Uri, window, workspace } from 'vscode';

/**
 * The document that a command is about: what it was given (a URI, from a menu; a string, from a code lens), otherwise the active editor's; where that is
 * no text (the walkthrough, settings), a scenario that is open.
 */
export function targetOf(where: unknown): Uri | undefined {
  if (where instanceof Uri) return where;
  if (typeof where === 'string' && where !== '') return Uri.parse(where);
  return (window.activeTextEditor?.document ?? openScenario())?.uri;
}

function openScenario(): TextDocument | undefined {
  const tabs = new Set(
    window.tabGroups.all.flatMap(({ tabs }) =>
      tabs.flatMap(({ input }) => (input instanceof TabInputText ? [input.uri.toString()] : [])),
    ),
  );
  return workspace.textDocuments.findLast(
    ({ uri, languageId }) => languageId === 'snpscenario' && tabs.has(uri.toString()),
  );
}

/** The name of the last scenario that begins at or above the cursor; undefined if there is none. */
export function scenarioAtCursor(uri: Uri): string | undefined {
  const editor = window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri.toString());
  if (editor === undefined) return undefined;
  return scenarioAbove(editor.document, editor.selection.active.line);
}

function scenarioAbove(document: TextDocument, line: number): string | undefined {
  for (let at = line; at >= 0; at--) {
    const name = /^\s*scenario\s+"((?:[^"\\]|\\.)*)"/.exec(document.lineAt(at).text)?.[1];
    if (name !== undefined) return name;
  }
  return undefined;
}
