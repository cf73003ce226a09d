// Runs first, before anything has been opened. What the extension declares: the language, its files, and what wakes it up.

import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { open, screenshot } from './support.ts';

const extension = () => {
  const found = vscode.extensions.getExtension('snp-scenario.snp-scenario');
  assert.ok(found, 'the extension is not loaded');
  return found;
};

describe('The language', () => {
  it('wakes the extension up, and nothing else does', () => {
    const events: string[] = extension().packageJSON.activationEvents;
    assert.deepEqual(
      events.filter((event) => !/snpscenario/i.test(event)),
      [],
    );
  });

  it('is that of a .snpscenario file', async () => {
    const editor = await open('first.snpscenario');
    assert.equal(editor.document.languageId, 'snpscenario');
    await extension().activate();
    assert.equal(extension().isActive, true);
    await screenshot('language');
  });

  it('continues a /// comment on the next line', async () => {
    const editor = await open('first.snpscenario');
    const line = editor.document.getText().slice(0, editor.document.getText().indexOf('///')).split('\n').length - 1;
    const end = editor.document.lineAt(line).range.end;
    editor.selection = new vscode.Selection(end, end);
    await vscode.commands.executeCommand('default:type', { text: '\n' });
    assert.equal(editor.document.lineAt(line + 1).text, '/// ');
  });
});
