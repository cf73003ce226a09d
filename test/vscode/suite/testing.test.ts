// The Test Explorer: scenarios of the workspace are there without having been opened, run, debugged, and run again while they are edited.

import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { diagnosticsOf, lineOf, open, replace, screenshot, seen } from './support.ts';

interface Summary {
  passed: number;
  failed: number;
  errors: number;
  skipped: number;
  isCancelled: boolean;
}

const run = (command: string, ...args: unknown[]): Thenable<Summary> =>
  vscode.commands.executeCommand(command, ...args);

const folder = (): vscode.Uri => vscode.workspace.workspaceFolders?.[0]?.uri as vscode.Uri;
const written: vscode.Uri[] = [];

async function write(name: string, text: string): Promise<vscode.Uri> {
  const uri = vscode.Uri.joinPath(folder(), name);
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  written.push(uri);
  return uri;
}

describe('The Test Explorer', () => {
  afterEach(async () => {
    await vscode.commands.executeCommand('testing.stopContinuousRun');
    for (const uri of written.splice(0)) await vscode.workspace.fs.delete(uri, { recursive: true });
    await vscode.commands.executeCommand('workbench.action.closeSidebar');
    await vscode.commands.executeCommand('workbench.action.closePanel');
  });

  it('shows the scenarios of the workspace, none of them opened, by folder and file', async () => {
    await vscode.commands.executeCommand('workbench.view.testing.focus');
    await seen('tests-discovered', /examples[\s\S]*first\.snpscenario[\s\S]*give-back\.snpscenario/);
    const uri = await write('fresh/unopened.snpscenario', 'scenario "never opened" {}\n');
    await seen('tests-discovered', /fresh[\s\S]*first\.snpscenario/);
    assert.equal((await run('snpScenario.runScenario', uri, 'never opened')).passed, 1);
    assert.ok(vscode.workspace.textDocuments.every((document) => document.uri.toString() !== uri.toString()));
  });

  it('lists folders, then files, and a name that begins with a digit before others', async () => {
    await write('2m.snpscenario', 'scenario "digit" {}\n');
    await vscode.commands.executeCommand('workbench.view.testing.focus');
    await seen('tests-sorted', /examples(?:(?!first\.snpscenario)[\s\S])*2m\.snpscenario/);
  });

  it('runs the whole workspace, and shows what failed', async () => {
    await vscode.commands.executeCommand('workbench.view.testing.focus');
    const summary = await run('snpScenario.runWorkspace');
    assert.ok(summary.passed > 10, JSON.stringify(summary));
    // Of first.snpscenario; what else fails in the workspace is the other suites' business.
    assert.ok(summary.failed >= 2, JSON.stringify(summary));
    assert.equal(summary.isCancelled, false);
    await seen('tests-run', /Failed/);
  });

  it('shows the message at the line, with what was expected and what happened', async () => {
    const uri = await write(
      'tests/outcome.snpscenario',
      `guest g {
  slot 0 gpa 0..1G private folio 2M pfn 0x40000
}
/// Nothing is in the way.
scenario "no overlap" {
  cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 4K, assigned)  => FAIL_OVERLAP
}
scenario "in peace" {
  cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 4K, assigned)
}
`,
    );
    const editor = await open('tests/outcome.snpscenario');
    const at = lineOf(editor.document, 'FAIL_OVERLAP');
    editor.selection = new vscode.Selection(at, 0, at, 0);
    assert.deepEqual(await run('snpScenario.runScenario'), {
      passed: 0,
      failed: 1,
      errors: 0,
      skipped: 0,
      isCancelled: false,
    });
    await seen('tests-message', 'ok != FAIL_OVERLAP');
    await vscode.commands.executeCommand('testing.openOutputPeek');
    await seen('tests-peek', /Expected Result[\s\S]*Actual Result/i);
    await vscode.commands.executeCommand('closeReferenceSearch').then(undefined, () => {});
    // As a code lens does: the URI as a string, and a name.
    assert.equal((await run('snpScenario.runScenario', uri.toString(), 'in peace')).passed, 1);
    const all = await run('snpScenario.runFile', uri);
    assert.deepEqual([all.passed, all.failed], [1, 1]);
  });

  it('follows the text of an open document, and the disk', async () => {
    await write('tests/follow.snpscenario', 'scenario "before" {}\n');
    const editor = await open('tests/follow.snpscenario');
    assert.equal((await run('snpScenario.runFile')).passed, 1);
    await replace(editor, '"before"', '"typed"');
    assert.equal((await run('snpScenario.runScenario', editor.document.uri, 'typed')).passed, 1);
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    const uri = await write('tests/follow.snpscenario', 'scenario "one" {}\nscenario "two" {}\n');
    const end = Date.now() + 10_000;
    for (;;) {
      const summary = await run('snpScenario.runFile', uri);
      if (summary.passed === 2) break;
      assert.ok(Date.now() < end, `the file's scenarios were not found: ${JSON.stringify(summary)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });

  it('runs again what is edited while a continuous run is on', async () => {
    await write(
      'tests/continuous.snpscenario',
      'guest g {\n  slot 0 gpa 0..1G private folio 2M pfn 0x40000\n}\nscenario "watched" {\n  cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 4K, assigned)  => ok\n}\n',
    );
    const editor = await open('tests/continuous.snpscenario');
    await vscode.commands.executeCommand('workbench.view.testing.focus');
    await vscode.commands.executeCommand('testing.startContinuousRun');
    await seen('tests-continuous', /(?:tests|continuous\.snpscenario) \(Passed\)/);
    // Typed, and not saved.
    await replace(editor, '=> ok', '=> FAIL_OVERLAP');
    await seen('tests-continuous', 'ok != FAIL_OVERLAP');
    await replace(editor, '=> FAIL_OVERLAP', '=> ok');
    await seen('tests-continuous', /(?:tests|continuous\.snpscenario) \(Passed\)/);
  });

  it('finds a thousand files, and stops their run when it is cancelled', async () => {
    // Long enough not to be over before anybody can stop it.
    const steps =
      '  vmm.set_memory_attributes(g, 0..16M, PRIVATE)\n  for page in 0..16M step 4K {\n    g.pvalidate(page, 4K)\n  }\n';
    const text = `guest g {\n  slot 0 gpa 0..1G private folio 2M pfn 0x40000\n}\nscenario "one" {\n${steps}}\n`;
    written.push(vscode.Uri.joinPath(folder(), 'many'));
    const many = Array.from({ length: 1000 }, (_, i) => vscode.Uri.joinPath(folder(), 'many', `${i}.snpscenario`));
    await Promise.all(many.map((uri) => vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text))));
    await vscode.commands.executeCommand('workbench.view.testing.focus');
    await seen('tests-many', /many[\s\S]*first\.snpscenario/);
    const running = run('snpScenario.runWorkspace');
    await seen('tests-many', /\d+\/\d\d+/);
    await vscode.commands.executeCommand('testing.cancelRun');
    const summary = await running;
    assert.equal(summary.isCancelled, true, JSON.stringify(summary));
    assert.ok(summary.passed < 1000, JSON.stringify(summary));
  });

  it('debugs a scenario, and shows its verdict when the session has ended', async () => {
    const editor = await open('first.snpscenario');
    const line = lineOf(editor.document, '2M, assigned');
    editor.selection = new vscode.Selection(line, 0, line, 0);
    vscode.debug.addBreakpoints([
      new vscode.SourceBreakpoint(new vscode.Location(editor.document.uri, new vscode.Position(line, 0))),
    ]);
    await run('snpScenario.runFile');
    const ended = new Promise<void>((resolve) => {
      const listening = vscode.debug.onDidTerminateDebugSession(() => {
        listening.dispose();
        resolve();
      });
    });
    const debugged = vscode.commands.executeCommand('testing.debugAtCursor');
    const end = Date.now() + 15_000;
    while (!(vscode.debug.activeStackItem instanceof vscode.DebugStackFrame)) {
      assert.ok(Date.now() < end, 'the debugger did not stop');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal(vscode.debug.activeDebugSession?.configuration.scenario, '2M over 4K');
    await screenshot('tests-debug');
    await vscode.debug.stopDebugging();
    await ended;
    await debugged;
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    await vscode.commands.executeCommand('workbench.view.testing.focus');
    await seen('tests-debugged', /Failed/);
  });
});

describe('The status', () => {
  it('counts what passed and what failed, and follows the text', async () => {
    const editor = await open('first.snpscenario');
    await diagnosticsOf(editor.document.uri, (now) => now.length === 3);
    await vscode.commands.executeCommand('workbench.action.focusStatusBar').then(undefined, () => {});
    await seen('status-failed', /2 failed/);
    await replace(editor, 'folio order 4', 'folio 2M');
    await seen('status-edited', /1 passed, 1 failed/);
  });
});

describe('The walkthrough', () => {
  it('can be opened, and shows its first step', async () => {
    await vscode.commands.executeCommand('workbench.action.openWalkthrough', 'snp-scenario.snp-scenario#start', false);
    await seen('walkthrough', 'Write a scenario');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });
});

describe('Commands', () => {
  it('begin a scenario from a template, with its first place selected', async () => {
    await vscode.commands.executeCommand('snpScenario.newScenario', 'Raw RMP instructions');
    const { activeTextEditor: editor } = vscode.window;
    assert.equal(editor?.document.languageId, 'snpscenario');
    assert.match(editor?.document.getText() ?? '', /scenario "a 2M entry is split"/);
    assert.equal((await run('snpScenario.runFile')).passed, 1);
    await screenshot('new-scenario');
  });

  it('open the language reference and the page of a rule', async () => {
    await vscode.commands.executeCommand('snpScenario.openLanguageReference');
    await vscode.commands.executeCommand('snpScenario.openRule', 'ORDER');
    const labels = () => vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs.map(({ label }) => label));
    const end = Date.now() + 10_000;
    while (!/ORDER\.md/.test(labels().join('\n'))) {
      assert.ok(Date.now() < end, `the tabs are ${labels().join(', ')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await screenshot('rule-page');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });
});
