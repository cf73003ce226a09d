// A picture of the map as a file of the user's choice.

import { Uri, window, workspace } from 'vscode';

/** @param content SVG: its text; PNG: base64 */
export async function exportPicture(
  format: 'svg' | 'png',
  content: string,
  uri: string,
  scenario: string | undefined,
): Promise<void> {
  const name = (scenario ?? 'map').replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^-+|-+$/g, '') || 'map';
  const document = Uri.parse(uri);
  const target = await window.showSaveDialog({
    ...(document.scheme === 'untitled' ? {} : { defaultUri: Uri.joinPath(document, '..', `${name}.${format}`) }),
    filters: format === 'svg' ? { 'SVG image': ['svg'] } : { 'PNG image': ['png'] },
    title: 'Save the memory map',
  });
  if (target === undefined) return;
  try {
    await workspace.fs.writeFile(target, Buffer.from(content, format === 'svg' ? 'utf8' : 'base64'));
  } catch (error) {
    void window.showErrorMessage(
      `The picture could not be written: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
