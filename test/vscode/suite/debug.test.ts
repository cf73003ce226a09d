// Debugging in the editor: F5 with no launch.json, a breakpoint in C that the scenario uses, variables and values beside the lines, a step back, and
// the end. The adapter runs inside the extension host.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import { lineOf, open, screenshot, shown } from './support.ts';

type Message = { type: string; event?: string; body?: { reason?: string; threadId?: number } };

/** Stops of all sessions, in order. */
const stops: { reason: string; threadId: number }[] = [];
let tracker: vscode.Disposable | undefined;

before(() => {
  tracker = vscode.debug.registerDebugAdapterTrackerFactory('snpscenario', {
    createDebugAdapterTracker: () => ({
      onDidSendMessage: ({ type, event, body }: Message) => {
        if (type === 'event' && event === 'stopped')
          stops.push({ reason: body?.reason ?? '', threadId: body?.threadId ?? 1 });
      },
    }),
  });
});
after(() => tracker?.dispose());

afterEach(async () => {
  await vscode.debug.stopDebugging();
  vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
  await until(() => vscode.debug.activeDebugSession === undefined, 'the session to end');
});

async function until(done: () => boolean | Thenable<boolean>, what: string, milliseconds = 15_000): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!(await done())) {
    if (Date.now() > end) throw new Error(`waited for ${what}; the stops were ${JSON.stringify(stops)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Runs what makes the session move, until it has stopped again. */
async function stopAfter(move: () => Thenable<unknown>): Promise<string> {
  const seen = stops.length;
  await move();
  await until(() => stops.length > seen, 'a stop');
  // The workbench asks for the stack, shows it and opens the file.
  await until(() => vscode.debug.activeStackItem instanceof vscode.DebugStackFrame, 'the stack');
  return stops[stops.length - 1]?.reason ?? '';
}

const session = (): vscode.DebugSession => {
  const { activeDebugSession } = vscode.debug;
  assert.ok(activeDebugSession, 'no session is active');
  return activeDebugSession;
};

async function stack(): Promise<{ id: number; name: string; line: number; source?: { name: string } }[]> {
  const { threadId } = stops[stops.length - 1] ?? { threadId: 1 };
  return (await session().customRequest('stackTrace', { threadId })).stackFrames;
}

async function variables(frameId: number, scope: string): Promise<Map<string, string>> {
  const { scopes } = await session().customRequest('scopes', { frameId });
  const { variablesReference } = scopes.find(({ name }: { name: string }) => name === scope);
  const { variables: all } = await session().customRequest('variables', { variablesReference });
  return new Map(all.map(({ name, value }: { name: string; value: string }) => [name, value]));
}

const breakAt = (uri: vscode.Uri, line: number): void =>
  vscode.debug.addBreakpoints([new vscode.SourceBreakpoint(new vscode.Location(uri, new vscode.Position(line, 0)))]);

/** Waits until the workbench shows something; a launcher that cannot look at it leaves that to the pictures. */
async function seen(selector: string, wanted: RegExp, what: string): Promise<void> {
  let last: string[] = [];
  const end = Date.now() + 15_000;
  while (Date.now() < end) {
    const texts = await shown(selector);
    if (texts === undefined) return;
    // The editor writes blanks that do not break.
    last = texts.map((text) => text.replace(/\u00a0/g, ' '));
    if (last.some((text) => wanted.test(text))) return;
  }
  throw new Error(`waited for ${what}; shown is\n${last.join('\n')}`);
}

/** Where the breakpoint in C is set: in the patch as it was mailed, if it is there, or in a source of the workspace's own. */
async function place(): Promise<{ scenario: string; c: vscode.TextDocument; line: number }> {
  const folder = vscode.workspace.workspaceFolders?.[0] as vscode.WorkspaceFolder;
  const patch = vscode.Uri.joinPath(folder.uri, '0048-kvm-svm-snp-mem-attr-updates.mbox.txt');
  if (existsSync(patch.fsPath)) {
    const c = await vscode.workspace.openTextDocument(patch);
    return { scenario: 'patched.snpscenario', c, line: lineOf(c, 'rmp_make_private(') };
  }
  const c = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder.uri, 'give-back.c'));
  return { scenario: 'give-back.snpscenario', c, line: lineOf(c, 'return rmp_make_private(') };
}

describe('debugging', () => {
  it('stops in the C of the scenario with F5 alone, shows variables and values, and steps back', async () => {
    const { scenario, c, line } = await place();
    await open(scenario);
    breakAt(c.uri, line);
    assert.equal(await stopAfter(() => vscode.commands.executeCommand('workbench.action.debug.start')), 'breakpoint');
    const [top, ...rest] = await stack();
    assert.equal(top?.name, 'sev_update_mem_attr()');
    assert.equal(top?.line, line + 1);
    assert.match(rest[rest.length - 1]?.name ?? '', /^vmm\.set_memory_attributes/);
    const args = await variables(top?.id ?? 0, 'Arguments');
    assert.equal(args.get('start'), '0');
    const page = await variables(top?.id ?? 0, 'Page');
    assert.equal(page.get('pfn'), '0x40000');
    assert.equal(page.get('rmp'), 'hypervisor');
    await until(
      () => vscode.window.activeTextEditor?.document.uri.toString() === c.uri.toString(),
      'the C in the editor',
    );
    await vscode.commands.executeCommand('workbench.view.debug');
    await seen(
      '.monaco-editor .view-line',
      /rmp_make_private\(.*pfn = 0x40000/,
      'the values of what a line of C names',
    );
    await screenshot('debug-breakpoint-in-c');

    // Over the call that assigns the page, and back again.
    await stopAfter(() => vscode.commands.executeCommand('workbench.action.debug.stepOver'));
    const after = await session().customRequest('evaluate', { expression: 'rmp(g, 0) is assigned', context: 'watch' });
    assert.equal(after.result, 'true');
    assert.equal(
      await stopAfter(() => vscode.commands.executeCommand('workbench.action.debug.stepBack')),
      'breakpoint',
    );
    const before = await session().customRequest('evaluate', { expression: 'rmp(g, 0)', context: 'watch' });
    assert.match(before.result, /hypervisor/);
    assert.equal((await stack())[0]?.line, line + 1);
    await screenshot('debug-stepped-back');
  });

  it('stops at a rule that is violated, on the step, and reverse-continue finds who did it', async () => {
    const editor = await open('first.snpscenario');
    const reason = await stopAfter(() =>
      vscode.commands.executeCommand('snpScenario.debugScenario', editor.document.uri, 'a 64K folio becomes private'),
    );
    assert.equal(reason, 'exception');
    const [top] = await stack();
    assert.equal(top?.line, lineOf(editor.document, 'vmm.set_memory_attributes') + 1);
    const info = await session().customRequest('exceptionInfo', { threadId: 1 });
    assert.equal(info.exceptionId, 'ORDER');
    await new Promise((resolve) => setTimeout(resolve, 700));
    await screenshot('debug-violation');
    const { dataId } = await session().customRequest('dataBreakpointInfo', { name: 'rmp(g, 0)' });
    await session().customRequest('setDataBreakpoints', { breakpoints: [{ dataId }] });
    assert.equal(
      await stopAfter(() => vscode.commands.executeCommand('workbench.action.debug.reverseContinue')),
      'data breakpoint',
    );
    // In the bundled model's C: a read-only document that VS Code opens by itself.
    const frames = await stack();
    assert.ok(
      frames.some(({ source }) => source?.name === 'sev.c'),
      frames.map(({ name }) => name).join(', '),
    );
    await until(
      () => vscode.window.activeTextEditor?.document.uri.scheme === 'snp-model',
      "the model's C in the editor",
    );
    await screenshot('debug-in-the-model');
  });

  it('shows values beside the lines of a scenario, and runs to the cursor', async () => {
    const editor = await open('values.snpscenario');
    const { document } = editor;
    breakAt(document.uri, lineOf(document, 'g.pvalidate(page, 4K)'));
    assert.equal(
      await stopAfter(() => vscode.commands.executeCommand('snpScenario.debugScenario', document.uri, 'values')),
      'breakpoint',
    );
    await seen('.monaco-editor .view-line', /page = 0x10000/, "a variable's value beside the line");
    await screenshot('debug-values-in-scenario');
    const to = lineOf(document, 'expect rmp(g, page)');
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    await vscode.window.showTextDocument(document);
    editor.selection = new vscode.Selection(to, 0, to, 0);
    await stopAfter(() => vscode.commands.executeCommand('editor.debug.action.runToCursor'));
    assert.equal((await stack())[0]?.line, to + 1);
    // What is set in the Variables view is a what-if.
    const { scopes } = await session().customRequest('scopes', { frameId: 1 });
    const { variablesReference } = scopes.find((scope: { name: string }) => scope.name === 'Variables');
    await session().customRequest('setVariable', { variablesReference, name: 'page', value: '128K' });
    const { result } = await session().customRequest('evaluate', { expression: 'page', context: 'watch' });
    assert.equal(result, '0x20000');
    assert.equal(document.isDirty, false);
  });

  it('lists the bytecode in the Disassembly View, with the lines of C, and stops at an instruction', async () => {
    const { scenario, c, line } = await place();
    await open(scenario);
    breakAt(c.uri, line);
    await stopAfter(() => vscode.commands.executeCommand('workbench.action.debug.start'));
    await until(
      () => vscode.window.activeTextEditor?.document.uri.toString() === c.uri.toString(),
      'the C in the editor',
    );
    await vscode.commands.executeCommand('debug.action.openDisassemblyView');
    await seen('.disassembly-view', /CALL\s+r\d+.*rmp_make_private\(\)/, 'the call in the disassembly');
    await screenshot('debug-disassembly');
    const before = (await stack())[0] as unknown as { instructionPointerReference: string };
    await stopAfter(() => vscode.commands.executeCommand('workbench.action.debug.stepOver'));
    const after = (await stack())[0] as unknown as { instructionPointerReference: string };
    // The view has the focus: one instruction, not one line.
    assert.equal(Number(after.instructionPointerReference) - Number(before.instructionPointerReference), 16);
    await screenshot('debug-disassembly-stepped');
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
  });

  it('runs to its end without debugging', async () => {
    const editor = await open('first.snpscenario');
    let ended = false;
    const listening = vscode.debug.onDidTerminateDebugSession(() => {
      ended = true;
    });
    const line = lineOf(editor.document, 'scenario "2M over 4K"');
    editor.selection = new vscode.Selection(line, 0, line, 0);
    await vscode.commands.executeCommand('workbench.action.debug.run');
    await until(() => ended, 'the end');
    listening.dispose();
  });
});
