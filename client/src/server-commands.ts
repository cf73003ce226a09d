// Commands: SNP Scenario: Restart Language Server, SNP Scenario: Show Output.

import { commands, type ExtensionContext } from 'vscode';
import type { LanguageServer } from './language-server.ts';

export function activate(context: ExtensionContext, server: LanguageServer): void {
  context.subscriptions.push(
    commands.registerCommand('snpScenario.restartServer', () => server.restart()),
    commands.registerCommand('snpScenario.showOutput', () => server.output.show()),
  );
}
