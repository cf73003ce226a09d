// What a scenario did, shown where it is written: hints at the ends of steps, lenses above scenarios, hovers.

import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { diagnosticsOf, lineOf, seen } from './support.ts';

const text = `guest g {
  asid 1
  slot 0 gpa 0..64M private folio 2M pfn 0x40000
}

/// One page of a private 2M folio is given back.
scenario "one page" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  g.pvalidate(0, 2M)
  vmm.set_memory_attributes(g, 64K +4K, SHARED)
  host.write(pfn(g, 68K))  => #PF(RMP)
}
`;

async function show(): Promise<vscode.TextEditor> {
  const document = await vscode.workspace.openTextDocument({ language: 'snpscenario', content: text });
  return vscode.window.showTextDocument(document);
}

async function eventually<T>(ask: () => Thenable<T>, isThere: (found: T) => boolean): Promise<T> {
  const end = Date.now() + 20_000;
  for (;;) {
    const found = await ask();
    if (isThere(found)) return found;
    assert.ok(Date.now() < end, `still ${JSON.stringify(found)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

describe('State', () => {
  it('stands in hints at the ends of steps', async () => {
    const { document } = await show();
    const all = new vscode.Range(0, 0, document.lineCount, 0);
    const hints = await eventually(
      () => vscode.commands.executeCommand<vscode.InlayHint[]>('vscode.executeInlayHintProvider', document.uri, all),
      (found) => found.length === 3,
    );
    assert.deepEqual(
      hints.map(({ label }) => label),
      [
        '→ 0 · 1 × 2M assigned',
        '→ 0 · 1 × 2M validated',
        '→ 0 · PSMASH · 1 × 4K unassigned, head count 510',
        // The last one states what it came to, and changed nothing.
      ],
    );
    await seen('hints', /PSMASH · 1 × 4K unassigned, head count 510/);
  });

  it('stands above a scenario: Run, Debug and the verdict', async () => {
    const { document } = await show();
    await diagnosticsOf(document.uri, (all) => all.length === 0);
    const lenses = await eventually(
      () => vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', document.uri),
      (found) => found.some(({ command }) => command?.title === 'passed · 4 steps'),
    );
    const line = lineOf(document, 'scenario "one page"');
    assert.ok(lenses.every(({ range }) => range.start.line === line));
    const run = lenses.find(({ command }) => command?.title === 'Run')?.command;
    assert.deepEqual(run?.arguments, [document.uri.toString(), 'one page']);
    const known = await vscode.commands.getCommands(true);
    for (const { command } of lenses)
      assert.ok(!command?.command || known.includes(command.command), `there is no command ${command?.command}`);
    await seen('lenses', /passed · 4 steps/);
  });

  it('is told of a page under the pointer', async () => {
    const editor = await show();
    const at = editor.document.positionAt(text.indexOf('64K +4K') + 1);
    const [hover] = await vscode.commands.executeCommand<vscode.Hover[]>(
      'vscode.executeHoverProvider',
      editor.document.uri,
      at,
    );
    const said = hover.contents.map((one) => (one as vscode.MarkdownString).value).join('\n');
    assert.match(said, /GPA 64K\.\.68K = gfn 0x10\.\.0x11/);
    const page = editor.document.positionAt(text.indexOf('68K))') + 1);
    editor.selection = new vscode.Selection(page, page);
    await vscode.commands.executeCommand('editor.action.showHover');
    await seen('hover-page', /The entry, last change first/);
    await vscode.commands.executeCommand('editor.action.hideHover');
    const step = editor.document.positionAt(text.indexOf('vmm.set_memory_attributes(g, 64K') + 1);
    editor.selection = new vscode.Selection(step, step);
    await vscode.commands.executeCommand('editor.action.showHover');
    await seen('hover-step', /RMP entry before/);
  });
});
