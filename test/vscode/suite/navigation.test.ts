// Moving about in scenarios, and what the editor does with their shape: definitions, renaming across files, outline, folding, colours, formatting.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { diagnosticsOf, lineOf, screenshot } from './support.ts';

const common = `/// Shares a page and reads it.
sequence share(who, at) {
  vmm.set_memory_attributes(who, at +4K, SHARED)
  who.read(at, shared)  => any
}
`;
const main = `import "common.snpscenario"

guest g {
  asid 1
  slot 0 gpa 0..1G private folio 2M pfn 0x40000
}

let buffer = 64K

scenario "a page for DMA" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  g.pvalidate(0, 2M)
  share(g, buffer)
  expect rmp(g, buffer) is shared
}
`;

describe('Navigation', () => {
  let folder: string;
  let uri: vscode.Uri;
  let other: vscode.Uri;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'snp-navigation-'));
    writeFileSync(join(folder, 'common.snpscenario'), common);
    writeFileSync(join(folder, 'main.snpscenario'), main);
    uri = vscode.Uri.file(join(folder, 'main.snpscenario'));
    other = vscode.Uri.file(join(folder, 'common.snpscenario'));
  });
  after(async () => {
    await vscode.commands.executeCommand('workbench.action.files.revert');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    rmSync(folder, { recursive: true });
  });

  async function shown(): Promise<vscode.TextEditor> {
    const editor = await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri));
    await vscode.commands.executeCommand('workbench.action.files.revert');
    return editor;
  }
  const at = (document: vscode.TextDocument, text: string, more = 0): vscode.Position =>
    document.positionAt(document.getText().indexOf(text) + more);

  /** Asks until there is an answer: the server may still be starting. */
  async function asked<T>(command: string, ...args: unknown[]): Promise<T[]> {
    for (let tries = 0; ; tries++) {
      const found = (await vscode.commands.executeCommand<T[] | undefined>(command, ...args)) ?? [];
      if (found.length > 0 || tries > 50) return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  it('goes to a sequence in the file that is imported', async () => {
    const { document } = await shown();
    const [link] = await asked<vscode.Location | vscode.LocationLink>(
      'vscode.executeDefinitionProvider',
      uri,
      at(document, 'share(g', 2),
    );
    assert.ok(link);
    const target = 'targetUri' in link ? link.targetUri : link.uri;
    assert.equal(target.fsPath, other.fsPath);
  });

  it('goes from an operation into the model, and on from there', async () => {
    const { document } = await shown();
    const [link] = await asked<vscode.Location | vscode.LocationLink>(
      'vscode.executeDefinitionProvider',
      uri,
      at(document, 'set_memory', 2),
    );
    assert.ok(link);
    const [target, range] =
      'targetUri' in link ? [link.targetUri, link.targetSelectionRange ?? link.targetRange] : [link.uri, link.range];
    assert.equal(target.scheme, 'snp-model');
    const model = await vscode.workspace.openTextDocument(target);
    await vscode.window.showTextDocument(model, { selection: range });
    assert.equal(model.getText(range), 'scenario_set_memory_attributes');
    await screenshot('navigation-model');
    const outlined = await asked<vscode.DocumentSymbol>('vscode.executeDocumentSymbolProvider', target);
    assert.ok(outlined.some(({ name }) => name === 'scenario_set_memory_attributes'));
  });

  it('renames a sequence in both files', async () => {
    const { document } = await shown();
    const edit = await vscode.commands.executeCommand<vscode.WorkspaceEdit>(
      'vscode.executeDocumentRenameProvider',
      uri,
      at(document, 'share(g', 2),
      'give_back',
    );
    assert.deepEqual(
      edit
        .entries()
        .map(([file]) => file.fsPath)
        .sort(),
      [other.fsPath, uri.fsPath].sort(),
    );
    assert.ok(await vscode.workspace.applyEdit(edit));
    assert.match(document.getText(), /^ {2}give_back\(g, buffer\)$/m);
    const imported = await vscode.workspace.openTextDocument(other);
    assert.match(imported.getText(), /^sequence give_back\(who, at\)/m);
    // The verdict follows, over files that are not saved.
    await diagnosticsOf(uri, (now) => now.every(({ severity }) => severity !== vscode.DiagnosticSeverity.Error));
    await screenshot('navigation-renamed');
    for (const one of [other, uri]) {
      await vscode.window.showTextDocument(one);
      await vscode.commands.executeCommand('workbench.action.files.revert');
    }
  });

  it('says why an operation keeps its name', async () => {
    const { document } = await shown();
    await assert.rejects(
      async () =>
        vscode.commands.executeCommand('vscode.executeDocumentRenameProvider', uri, at(document, 'set_memory', 2), 'x'),
      /operation of the language/,
    );
  });

  it('has an outline, folds, and colours by meaning', async () => {
    await shown();
    const symbols = await asked<vscode.DocumentSymbol>('vscode.executeDocumentSymbolProvider', uri);
    assert.deepEqual(
      symbols.map(({ name }) => name),
      ['common.snpscenario', 'g', 'buffer', 'a page for DMA'],
    );
    const folds = await asked<vscode.FoldingRange>('vscode.executeFoldingRangeProvider', uri);
    assert.deepEqual(
      folds.map(({ start, end }) => [start, end]),
      [
        [2, 4],
        [9, 13],
      ],
    );
    const legend = await vscode.commands.executeCommand<vscode.SemanticTokensLegend>(
      'vscode.provideDocumentSemanticTokensLegend',
      uri,
    );
    const tokens = await vscode.commands.executeCommand<vscode.SemanticTokens>(
      'vscode.provideDocumentSemanticTokens',
      uri,
    );
    assert.ok(legend.tokenTypes.includes('enumMember') && tokens.data.length > 50);
    await vscode.commands.executeCommand('outline.focus');
    await screenshot('navigation-colours');
  });

  it('formats a document, and lines up outcomes', async () => {
    const editor = await shown();
    const { document } = editor;
    const text = document.getText();
    const untidy = text
      .replace('  g.pvalidate(0, 2M)', 'g.pvalidate( 0,2M )=>ok\n      g.read(0)  =>  ok')
      .replace(/ {2}asid/, '\tasid');
    const all = new vscode.Range(0, 0, document.lineCount, 0);
    await editor.edit((builder) => builder.replace(all, untidy));
    await vscode.commands.executeCommand('editor.action.formatDocument');
    assert.equal(
      document.getText(),
      text.replace('  g.pvalidate(0, 2M)', '  g.pvalidate(0, 2M)  => ok\n  g.read(0)           => ok'),
    );
    assert.ok(lineOf(document, 'g.read(0)') > 0);
    await screenshot('navigation-formatted');
  });
});
