// From the map to the text: a step in its scenario, a frame of a history in its C.

import { type Position, Range, Selection, TextEditorRevealType, Uri, ViewColumn, window, workspace } from 'vscode';

/** Opens a file at a line, in the column where it is open already or in one that is not the map's. */
export async function reveal(uri: string, line: number, notIn: ViewColumn | undefined): Promise<void> {
  try {
    const document = await workspace.openTextDocument(Uri.parse(uri, true));
    const shown = window.visibleTextEditors.find(
      (editor) => editor.document.uri.toString() === document.uri.toString(),
    );
    const start = document.lineAt(Math.max(0, Math.min(line, document.lineCount - 1))).range.start;
    await window.showTextDocument(document, {
      selection: new Range(start, start),
      viewColumn: shown?.viewColumn ?? (notIn === ViewColumn.One ? ViewColumn.Beside : ViewColumn.One),
    });
  } catch (error) {
    void window.showErrorMessage(`${uri} cannot be shown: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Cursors that were put somewhere by us, so that nobody follows them: by document, the line. */
const placed = new Map<string, number>();

/** Moves the cursor of the editor that shows the document, if one does, and leaves the focus where it is. */
export function revealQuietly(uri: string, line: number): void {
  const editor = window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri);
  if (editor === undefined || line >= editor.document.lineCount) return;
  const { text, range } = editor.document.lineAt(line);
  const start: Position = range.start.translate(0, text.length - text.trimStart().length);
  if (editor.selection.active.line === line) return;
  placed.set(uri, line);
  editor.selection = new Selection(start, start);
  editor.revealRange(range, TextEditorRevealType.InCenterIfOutsideViewport);
}

/** Whether it was us who put the cursor into that line; asked once. */
export function wasPlaced(uri: string, line: number): boolean {
  const was = placed.get(uri) === line;
  placed.delete(uri);
  return was;
}
