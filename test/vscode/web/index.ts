// The suite for the extension in a browser: it runs in a web worker's extension host, where there is neither Node nor mocha. Verdicts with C beside the
// scenario, the Test Explorer, a debug session; each a function that throws when something is wrong.

import * as vscode from 'vscode';

declare const SNP_TEST_PREFIX: string;

const tests: [string, () => Promise<void>][] = [
  ['the extension runs in a browser', runsInABrowser],
  ['a scenario is checked with the C beside it', isChecked],
  ['the whole workspace is run', isRun],
  ['a scenario is debugged', isDebugged],
];

export async function run(): Promise<void> {
  const say = (text: string) => console.log(SNP_TEST_PREFIX + text);
  let failed = 0;
  for (const [name, test] of tests) {
    try {
      await test();
      say(`  ✔ ${name}`);
    } catch (error) {
      failed++;
      say(`  ✖ ${name}`);
      for (const line of String(error instanceof Error ? error.stack : error).split('\n')) say(`    ${line}`);
    }
  }
  say(`${tests.length - failed} passed, ${failed} failed`);
  if (failed > 0) throw new Error(`${failed} failed`);
}

function assert(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

async function until(done: () => boolean, what: () => string): Promise<void> {
  const end = Date.now() + 20_000;
  while (!done()) {
    assert(Date.now() < end, what());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function open(name: string): Promise<vscode.TextEditor> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri as vscode.Uri;
  return vscode.window.showTextDocument(await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder, name)));
}

const rules = (uri: vscode.Uri): string[] =>
  vscode.languages.getDiagnostics(uri).map(({ code }) => String(typeof code === 'object' ? code.value : code));

async function runsInABrowser(): Promise<void> {
  assert(typeof (globalThis as { process?: unknown }).process === 'undefined', 'this is Node');
  const extension = vscode.extensions.getExtension('snp-scenario.snp-scenario');
  assert(extension !== undefined, 'the extension is not loaded');
  await extension.activate();
}

async function isChecked(): Promise<void> {
  const { document } = await open('first.snpscenario');
  await until(
    () => rules(document.uri).length === 3,
    () => `the rules are ${rules(document.uri)}`,
  );
  // Its C is in a file that nobody opened: the worker has it from the editor.
  const own = await open('own-source.snpscenario');
  const c = own.document.uri.with({ path: own.document.uri.path.replace('.snpscenario', '.c') });
  await until(
    () => rules(c).includes('C-UNDEFINED'),
    () => `the rules are ${rules(c)}, those of the scenario ${rules(own.document.uri)}`,
  );
}

async function isRun(): Promise<void> {
  const summary: { passed: number; failed: number } = await vscode.commands.executeCommand('snpScenario.runWorkspace');
  assert(summary.passed > 10 && summary.failed >= 2, JSON.stringify(summary));
}

async function isDebugged(): Promise<void> {
  const { document } = await open('give-back.snpscenario');
  const line = document
    .getText()
    .split('\n')
    .findIndex((text) => /^\s*vmm\./.test(text));
  const place = new vscode.Location(document.uri, new vscode.Position(line, 0));
  vscode.debug.addBreakpoints([new vscode.SourceBreakpoint(place)]);
  assert(
    (await vscode.commands.executeCommand('snpScenario.debugScenario', document.uri)) === true,
    'no session started',
  );
  await until(
    () => vscode.debug.activeStackItem instanceof vscode.DebugStackFrame,
    () => 'the debugger did not stop',
  );
  await vscode.debug.stopDebugging();
}
