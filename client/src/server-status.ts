// The language status item of a scenario ({} in the status bar): the server's state, and what to press when it is not well.

import { type ExtensionContext, LanguageStatusSeverity, languages } from 'vscode';
import type { LanguageServer, ServerState } from './language-server.ts';

const texts: Record<ServerState, string> = {
  starting: 'SNP Scenario is starting',
  running: 'SNP Scenario is running',
  stopped: 'SNP Scenario is stopped',
  failed: 'SNP Scenario failed: its output says why',
};

export function activate(context: ExtensionContext, server: LanguageServer): void {
  const item = languages.createLanguageStatusItem('snpScenario.server', { language: 'snpscenario' });
  item.name = 'SNP Scenario Language Server';
  const show = (state: ServerState) => {
    item.text = texts[state];
    item.busy = state === 'starting';
    item.severity = state === 'failed' ? LanguageStatusSeverity.Error : LanguageStatusSeverity.Information;
    item.command =
      state === 'running' || state === 'starting'
        ? { command: 'snpScenario.showOutput', title: 'Show Output' }
        : { command: 'snpScenario.restartServer', title: 'Restart' };
  };
  show(server.state);
  context.subscriptions.push(item, server.onDidChangeState(show));
}
