// Entry of the suite, loaded by VS Code's extension host as the extensionTestsPath. `suites` are the *.test.ts beside this file; the
// launcher's bundle names them. It ends with a line `N passed, N failed`.

import { format } from 'node:util';
import Mocha from 'mocha';
import * as vscode from 'vscode';

/** What the launcher prints from this process's console begins with this: VS Code says much else there. */
const prefix = process.env.SNP_TEST_PREFIX ?? '';

function say(...args: readonly unknown[]): void {
  for (const line of format(...args).split('\n')) console.log(prefix + line);
}

/** Edits are thrown away: closing a changed document would ask. */
async function closeEverything(): Promise<void> {
  while (vscode.window.activeTextEditor) {
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  }
}

export async function runSuites(suites: readonly (() => Promise<unknown>)[]): Promise<void> {
  const { SNP_TEST_GREP } = process.env;
  Mocha.reporters.Base.consoleLog = say;
  const mocha = new Mocha({
    ui: 'bdd',
    timeout: 30_000,
    reporter: 'spec',
    color: false,
    ...(SNP_TEST_GREP ? { grep: SNP_TEST_GREP } : {}),
  });
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  mocha.suite.beforeAll(() => vscode.commands.executeCommand('workbench.action.closeAuxiliaryBar'));
  mocha.suite.afterEach(closeEverything);
  for (const load of suites) await load();
  const { passed, failed } = await new Promise<{ passed: number; failed: number }>((resolve) => {
    let passed = 0;
    const runner = mocha.run((failed) => resolve({ passed, failed }));
    runner.on('pass', () => {
      passed++;
    });
  });
  say(`${passed} passed, ${failed} failed`);
  if (failed > 0 || passed === 0) throw new Error(`${failed} failed, ${passed} passed`);
}
