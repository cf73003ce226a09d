// Which documents the server is told about. Scenarios, of course; and the C files and patches that a scenario can name in `use`, so
// that an edit of the C moves the verdicts before it is saved. The server only runs once a scenario has been opened or the Test Explorer has been
// looked at, so nobody who merely edits C pays for this.

import { workspace } from 'vscode';
import type { DocumentFilter } from 'vscode-languageclient';
import { modelScheme } from '../../server/common/protocol.ts';

/** Documents that people edit. Left out on purpose: copies shown beside them, such as the old side of a diff (`git:`). */
const schemes = ['file', 'untitled', 'vscode-remote', 'vscode-vfs', 'memfs', 'vsls'];

const sources = '**/*.{c,h,patch,diff,mbox,mbox.txt}';

/** Changes on disk that the server is told about. */
export const watchedFiles = '**/*.{snpscenario,c,h,patch,diff,mbox,mbox.txt}';

/** Of the schemes above, and whatever the workspace is made of; and the models and libraries that come with the extension, to go on from there. */
export function documentSelector(): DocumentFilter[] {
  const folders = workspace.workspaceFolders ?? [];
  const all = new Set([...schemes, ...folders.map(({ uri }) => uri.scheme)]);
  return [
    ...[...all].flatMap((scheme) => [
      { language: 'snpscenario', scheme },
      { pattern: sources, scheme },
    ]),
    { scheme: modelScheme },
  ];
}
