// Writing a scenario with the editor's help: completion that is accepted, a quick fix that is applied, a name that changes in all files, formatting,
// definitions that lead into the bundled C.

import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { diagnosticsOf, lineOf, ruleOf, screenshot, seen } from './support.ts';

const guest = `guest g {
  slot 0 gpa 0..1G private folio 2M pfn 0x40000
}
`;

async function show(text: string): Promise<vscode.TextEditor> {
  const document = await vscode.workspace.openTextDocument({ language: 'snpscenario', content: text });
  return vscode.window.showTextDocument(document);
}

async function until(done: () => boolean, what: () => string): Promise<void> {
  const end = Date.now() + 10_000;
  while (!done()) {
    assert.ok(Date.now() < end, what());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function cursorBehind(editor: vscode.TextEditor, text: string): void {
  const at = editor.document.positionAt(editor.document.getText().indexOf(text) + text.length);
  editor.selection = new vscode.Selection(at, at);
}

describe('Editing', () => {
  it('leaves names to their author: words of other files are not offered where the language has nothing to offer', async () => {
    const document = (await show('guest \n')).document;
    const { wordBasedSuggestions } = vscode.workspace.getConfiguration('editor', document);
    assert.equal(wordBasedSuggestions, 'off');
  });

  it('accepts a completion from the list', async () => {
    const editor = await show(`${guest}\nscenario "a" {\n  cpu.psm\n}\n`);
    cursorBehind(editor, 'cpu.psm');
    await vscode.commands.executeCommand('editor.action.triggerSuggest');
    await seen('completion', /psmash/);
    await vscode.commands.executeCommand('acceptSelectedSuggestion');
    await until(
      () => /cpu\.psmash\(/.test(editor.document.getText()),
      () => `the text is\n${editor.document.getText()}`,
    );
    await screenshot('completion-accepted');
  });

  it('applies a quick fix: what happened is what is expected', async () => {
    const editor = await show(
      `${guest}\nscenario "a" {\n  cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 4K, assigned)  => FAIL_OVERLAP\n}\n`,
    );
    const { uri } = editor.document;
    const [problem] = await diagnosticsOf(uri, (now) => now.some((one) => ruleOf(one) === 'OUTCOME'));
    assert.ok(problem);
    editor.selection = new vscode.Selection(problem.range.start, problem.range.start);
    await vscode.commands.executeCommand('editor.action.quickFix');
    await seen('quick-fix', /Quick Fix|ok/);
    await vscode.commands.executeCommand('hideCodeActionWidget').then(undefined, () => {});
    await vscode.commands.executeCommand('editor.action.codeAction', { kind: 'quickfix', apply: 'first' });
    await diagnosticsOf(uri, (now) => now.length === 0);
    assert.doesNotMatch(editor.document.getText(), /FAIL_OVERLAP/);
  });

  it('renames a sequence in every file that uses it', async () => {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri as vscode.Uri;
    const write = async (name: string, text: string) => {
      const uri = vscode.Uri.joinPath(folder, 'rename', name);
      await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
      return uri;
    };
    try {
      const library = await write('library.snpscenario', 'sequence convert(page) {\n  let twice = page * 2\n}\n');
      const user = await write(
        'user.snpscenario',
        `import "library.snpscenario"\n${guest}\nscenario "a" {\n  convert(1)\n}\n`,
      );
      const document = await vscode.workspace.openTextDocument(user);
      await vscode.window.showTextDocument(document);
      await diagnosticsOf(user, (now) => now.length === 0);
      const line = lineOf(document, 'convert(1)');
      const edit: vscode.WorkspaceEdit = await vscode.commands.executeCommand(
        'vscode.executeDocumentRenameProvider',
        user,
        new vscode.Position(line, 4),
        'to_private',
      );
      assert.equal(edit.entries().length, 2, JSON.stringify(edit.entries()));
      assert.equal(await vscode.workspace.applyEdit(edit), true);
      assert.match(document.getText(), /to_private\(1\)/);
      assert.match((await vscode.workspace.openTextDocument(library)).getText(), /sequence to_private\(page\)/);
      await diagnosticsOf(user, (now) => now.length === 0);
      await screenshot('renamed');
      await vscode.workspace.saveAll(false);
    } finally {
      await vscode.workspace.fs.delete(vscode.Uri.joinPath(folder, 'rename'), { recursive: true });
    }
  });

  it('shows at the end of a step what it came to, and above a scenario how it fares', async () => {
    const editor = await show(
      `${guest}\nscenario "hinted" {\n  cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 4K, assigned)\n  cpu.psmash(pfn(g, 0))  => FAIL_INUSE\n}\n`,
    );
    await diagnosticsOf(editor.document.uri, (now) => now.some((one) => ruleOf(one) === 'OUTCOME'));
    // The hint is part of the line, as far as an eye can tell.
    await seen('hints', /4K, assigned\)\s*→/);
    await seen('hints', /\bRun[\s|]+Debug[\s|]+Map[\s|]+failed/);
  });

  it('runs a scenario from the line above it', async () => {
    const editor = await show(
      `${guest}\nscenario "from a lens" {\n  cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 4K, assigned)\n}\n`,
    );
    const { uri } = editor.document;
    let lenses: vscode.CodeLens[] = [];
    const end = Date.now() + 10_000;
    while (lenses.length === 0) {
      assert.ok(Date.now() < end, 'there are no code lenses');
      lenses = await vscode.commands.executeCommand('vscode.executeCodeLensProvider', uri, 10);
    }
    const lens = lenses.find(({ command }) => command?.command === 'snpScenario.runScenario')?.command;
    assert.ok(lens, lenses.map(({ command }) => command?.command).join(', '));
    const summary: { passed: number } = await vscode.commands.executeCommand(lens.command, ...(lens.arguments ?? []));
    assert.equal(summary.passed, 1);
  });

  it('formats a document, and leaves its meaning alone', async () => {
    const editor = await show(`${guest}\nscenario   "a" {\ncpu.psmash( pfn(g,0) )   => FAIL_INPUT\n}\n`);
    await vscode.commands.executeCommand('editor.action.formatDocument');
    await until(
      () => /^ {2}cpu\.psmash\(pfn\(g, 0\)\)/m.test(editor.document.getText()),
      () => `the text is\n${editor.document.getText()}`,
    );
  });

  it('goes from an operation to the C of the model that does it', async () => {
    const editor = await show(
      `use kernel "kvm-rfc-v8"\n${guest}\nscenario "a" {\n  vmm.set_memory_attributes(g, 0..2M, PRIVATE)\n}\n`,
    );
    const position = new vscode.Position(lineOf(editor.document, 'vmm.'), 10);
    editor.selection = new vscode.Selection(position, position);
    await diagnosticsOf(editor.document.uri, () => true);
    await vscode.commands.executeCommand('editor.action.revealDefinition');
    await until(
      () => vscode.window.activeTextEditor?.document.uri.scheme === 'snp-model',
      () => `the editor shows ${vscode.window.activeTextEditor?.document.uri}`,
    );
    await screenshot('definition-in-model');
  });
});
