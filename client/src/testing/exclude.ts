// Which files of the workspace the Test Explorer leaves out: the setting snpScenario.testExplorer.exclude, beside files.exclude.

import { type Disposable, workspace } from 'vscode';

/** As a glob for findFiles; undefined leaves out what files.exclude does. */
export function excludedFiles(): string | undefined {
  const globs = workspace.getConfiguration('snpScenario').get<unknown>('testExplorer.exclude');
  if (!Array.isArray(globs)) return undefined;
  const valid = globs.filter((glob) => typeof glob === 'string' && glob !== '');
  return valid.length > 1 ? `{${valid.join(',')}}` : valid[0];
}

export function onExcludedFilesChanged(listener: () => void): Disposable {
  return workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration('snpScenario.testExplorer.exclude') || event.affectsConfiguration('files.exclude'))
      listener();
  });
}
