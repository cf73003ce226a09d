// The Test Explorer: every scenario of the workspace is a test, found without being opened. This file ties together what is in the others.
// Commands: SNP Scenario: Run Scenario, SNP Scenario: Run All Scenarios in File, SNP Scenario: Run All Scenarios in Workspace.

import {
  CancellationTokenSource,
  commands,
  type ExtensionContext,
  type TestItem,
  TestRunProfileKind,
  TestRunRequest,
  tests,
  Uri,
  window,
  workspace,
} from 'vscode';
import type { VerdictParams } from '../../../server/common/protocol.ts';
import type { LanguageServer } from '../language-server.ts';
import { scenarioAtCursor, targetOf } from '../scenario-at-cursor.ts';
import { ContinuousRuns } from './continuous-run.ts';
import { debugItems } from './debug-run.ts';
import { Discovery } from './discovery.ts';
import { type RunSummary, TestRunner } from './test-runner.ts';
import { TestTree } from './test-tree.ts';

const sourceFiles = '**/*.{c,h,patch,diff,mbox,mbox.txt}';

export function activate(context: ExtensionContext, server: LanguageServer): void {
  const controller = tests.createTestController('snpScenario', 'SNP Scenario');
  const tree = new TestTree(controller);
  const runner = new TestRunner(controller, server, tree);
  const continuous = new ContinuousRuns(controller, tree, runner);
  /** The texts of these files, or of files that they use, are others than those that were run. */
  const changedOnDisk = (uris: readonly Uri[]) => {
    controller.invalidateTestResults(uris.flatMap((uri) => tree.file(uri) ?? []));
    continuous.changedOnDisk(uris);
  };
  const discovery = new Discovery(context, server, tree, (uri) => changedOnDisk([uri]));

  const runProfile = controller.createRunProfile(
    'Run',
    TestRunProfileKind.Run,
    async (request, token) => {
      await discovery.start();
      await (request.continuous ? continuous.start(request, token) : runner.run(request, token));
    },
    true,
    undefined,
    true,
  );
  controller.createRunProfile('Debug', TestRunProfileKind.Debug, async (request, token) => {
    await discovery.start();
    await debugItems(controller, server, tree, runner, request, token);
  });
  controller.resolveHandler = (item) => (item === undefined ? discovery.start() : undefined);
  controller.refreshHandler = (token) => discovery.refresh(token);

  /** The scenario of an open document, or all of them; looks at the document if its first verdict has not come. */
  const itemsIn = async (uri: Uri, scenario: string | undefined): Promise<TestItem[]> => {
    if (scenario === undefined || tree.scenario(uri, scenario) === undefined) await discovery.look([uri]);
    const item = scenario === undefined ? tree.file(uri) : tree.scenario(uri, scenario);
    return item === undefined ? [] : [item];
  };
  const runItems = async (items: TestItem[] | undefined): Promise<RunSummary> => {
    const source = new CancellationTokenSource();
    try {
      return await runner.run(new TestRunRequest(items, undefined, runProfile), source.token);
    } finally {
      source.dispose();
    }
  };
  const run = async (uri: Uri, scenario: string | undefined): Promise<RunSummary | undefined> => {
    const items = await itemsIn(uri, scenario);
    if (items.length > 0) return runItems(items);
    void window.showInformationMessage(
      scenario === undefined
        ? 'There is no scenario in this file.'
        : `There is no scenario "${scenario}" in this file.`,
    );
    return undefined;
  };

  const watcher = workspace.createFileSystemWatcher(sourceFiles);
  const usersOf = (uri: Uri) => {
    const users = runner.dependents(uri).filter((file) => tree.has(file));
    if (users.length > 0) changedOnDisk(users);
  };
  context.subscriptions.push(
    controller,
    continuous,
    watcher,
    watcher.onDidChange(usersOf),
    watcher.onDidCreate(usersOf),
    watcher.onDidDelete(usersOf),
    server.onVerdict((params: VerdictParams) => {
      const uri = Uri.parse(params.uri);
      tree.setFile(uri, params.scenarios);
      continuous.verdict(uri, params);
    }),
    workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      const item = contentChanges.length > 0 ? tree.file(document.uri) : undefined;
      if (item !== undefined) controller.invalidateTestResults(item);
    }),
    workspace.onDidCloseTextDocument(({ uri }) => {
      if (!tree.has(uri)) return;
      // A document that is nowhere in the workspace is a test while it is open; what another said of its text before it was saved is void.
      if (discovery.isListed(uri)) void discovery.look([uri]).catch(() => {});
      else tree.removeFile(uri);
    }),
    commands.registerCommand('snpScenario.runScenario', (where?: unknown, name?: unknown) => {
      const uri = targetOf(where);
      if (uri === undefined) return undefined;
      return run(uri, typeof name === 'string' ? name : scenarioAtCursor(uri));
    }),
    commands.registerCommand('snpScenario.runFile', (where?: unknown) => {
      const uri = targetOf(where);
      return uri && run(uri, undefined);
    }),
    commands.registerCommand('snpScenario.runWorkspace', async () => {
      await discovery.start();
      return runItems(undefined);
    }),
  );
}
