// Command: SNP Scenario: New Scenario…: an untitled document that begins with a template, its places to be filled in with Tab.

import { commands, type ExtensionContext, languages, SnippetString, window, workspace } from 'vscode';
import { scenarioTemplates } from './scenario-templates.ts';

export function activate(context: ExtensionContext): void {
  context.subscriptions.push(
    // A label chooses without asking: for walkthroughs and key bindings.
    commands.registerCommand('snpScenario.newScenario', (label?: unknown) => newScenario(label)),
  );
}

async function newScenario(label: unknown): Promise<void> {
  const template =
    scenarioTemplates.find((one) => one.label === label) ??
    (await window.showQuickPick(
      scenarioTemplates.map((one) => ({ ...one, detail: one.description, description: '' })),
      { title: 'New Scenario', placeHolder: 'What it begins with', matchOnDetail: true },
    ));
  if (template === undefined) return;
  const document = await workspace.openTextDocument({ language: 'snpscenario' });
  const editor = await window.showTextDocument(await languages.setTextDocumentLanguage(document, 'snpscenario'));
  await editor.insertSnippet(new SnippetString(template.body));
}
