// The language server's process: it can be restarted, and killed, and verdicts go on.

import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { diagnosticsOf, open, replace, serverProcesses } from './support.ts';

/** A mistake that any engine finds, and its mending, each a new verdict of the server that runs now. */
async function answers(editor: vscode.TextEditor): Promise<void> {
  const { uri } = editor.document;
  const count = vscode.languages.getDiagnostics(uri).length;
  await replace(editor, 'host {', 'host {{');
  await diagnosticsOf(uri, (now) => now.length !== count && now.some(({ range }) => range.start.line < 9));
  await replace(editor, 'host {{', 'host {');
  await diagnosticsOf(uri, (now) => now.length === 3);
}

describe('The language server', () => {
  it('offers every command that the extension declares', async () => {
    await open('first.snpscenario');
    const extension = vscode.extensions.getExtension('snp-scenario.snp-scenario');
    await extension?.activate();
    const declared: string[] = extension?.packageJSON.contributes.commands.map(
      ({ command }: { command: string }) => command,
    );
    const registered = await vscode.commands.getCommands(true);
    assert.ok(declared.length > 0);
    assert.deepEqual(
      declared.filter((command) => !registered.includes(command)),
      [],
    );
  });

  it('goes on after it was restarted', async () => {
    const editor = await open('first.snpscenario');
    await diagnosticsOf(editor.document.uri, (now) => now.length === 3);
    await vscode.commands.executeCommand('snpScenario.restartServer');
    await diagnosticsOf(editor.document.uri, (now) => now.length === 3);
    await answers(editor);
  });

  it('is one process, however often it is restarted', async function () {
    if (process.platform === 'win32') this.skip();
    const editor = await open('first.snpscenario');
    const [first] = serverProcesses();
    await Promise.all([1, 2, 3].map(() => vscode.commands.executeCommand('snpScenario.restartServer')));
    const after = serverProcesses();
    assert.equal(after.length, 1);
    assert.notEqual(after[0], first);
    await answers(editor);
  });

  it('comes back when its process dies', async function () {
    if (process.platform === 'win32') this.skip();
    const editor = await open('first.snpscenario');
    await diagnosticsOf(editor.document.uri, (now) => now.length === 3);
    const [server] = serverProcesses();
    assert.ok(server);
    process.kill(server, 'SIGKILL');
    await answers(editor);
    assert.equal(serverProcesses().length, 1);
    assert.notEqual(serverProcesses()[0], server);
  });
});
