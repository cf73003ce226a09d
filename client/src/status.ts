// The language status of a scenario ({} in the status bar): what the verdict on the document is and how long it took, whether it is of the text as it is
// now, and what to press when the server is not well.

import {
  type Command,
  type Disposable,
  type ExtensionContext,
  type LanguageStatusItem,
  LanguageStatusSeverity,
  languages,
  Uri,
  window,
  workspace,
} from 'vscode';
import type { VerdictParams } from '../../server/common/protocol.ts';
import type { LanguageServer, ServerState } from './language-server.ts';

/** A check that takes longer than this is said to be going on, ms: what is over before anybody could read it would only flicker. */
const patience = 200;

const showOutput: Command = { command: 'snpScenario.showOutput', title: 'Show Output' };
const restart: Command = { command: 'snpScenario.restartServer', title: 'Restart' };
const runFile: Command = { command: 'snpScenario.runFile', title: 'Run in Test Explorer' };

const states: Record<Exclude<ServerState, 'running'>, string> = {
  starting: 'SNP Scenario is starting',
  stopped: 'SNP Scenario is stopped',
  failed: 'SNP Scenario failed: its output says why',
};

/** What is shown of the verdict on one document. */
export interface VerdictStatus {
  readonly text: string;
  readonly detail: string;
  readonly severity: 'information' | 'warning' | 'error';
}

export function verdictStatus({ scenarios, errors }: VerdictParams): VerdictStatus {
  const count = (status: string) => scenarios.filter((one) => one.status === status).length;
  const [passed, failed, broken] = [count('passed'), count('failed'), count('error')];
  const parts = [
    ...(passed > 0 || scenarios.length === 0 ? [`${passed} passed`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(broken > 0 ? [`${broken} could not run`] : []),
  ];
  const others = errors > 0 ? `${errors} error${errors === 1 ? '' : 's'} outside scenarios` : '';
  return {
    text: scenarios.length === 0 ? 'No scenarios' : parts.join(', '),
    detail: others,
    severity: broken > 0 || errors > 0 ? 'error' : failed > 0 ? 'warning' : 'information',
  };
}

export function activate(context: ExtensionContext, server: LanguageServer): void {
  context.subscriptions.push(new Status(server));
}

class Status implements Disposable {
  readonly #server: LanguageServer;
  readonly #item: LanguageStatusItem;
  readonly #time: LanguageStatusItem;
  /** The last verdict on each open document, by URI. */
  readonly #verdicts = new Map<string, VerdictParams>();
  readonly #subscriptions: Disposable[];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(server: LanguageServer) {
    this.#server = server;
    const selector = { language: 'snpscenario' };
    this.#item = languages.createLanguageStatusItem('snpScenario.verdict', selector);
    this.#item.name = 'SNP Scenario';
    this.#time = languages.createLanguageStatusItem('snpScenario.time', selector);
    this.#time.name = 'SNP Scenario: Last Check';
    this.#time.command = showOutput;
    this.#subscriptions = [
      this.#item,
      this.#time,
      server.onDidChangeState((state) => {
        if (state !== 'running') this.#verdicts.clear();
        this.#show();
      }),
      server.onVerdict((params) => {
        this.#verdicts.set(Uri.parse(params.uri).toString(), params);
        this.#show();
      }),
      window.onDidChangeActiveTextEditor(() => this.#show()),
      workspace.onDidChangeTextDocument(({ document }) => {
        if (document === window.activeTextEditor?.document) this.#showLater();
      }),
      workspace.onDidCloseTextDocument(({ uri }) => this.#verdicts.delete(uri.toString())),
    ];
    this.#show();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const one of this.#subscriptions) one.dispose();
  }

  #showLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(), patience);
  }

  #show(): void {
    clearTimeout(this.#timer);
    const { state } = this.#server;
    const item = this.#item;
    if (state !== 'running') {
      item.text = states[state];
      item.detail = '';
      item.busy = state === 'starting';
      item.severity = state === 'failed' ? LanguageStatusSeverity.Error : LanguageStatusSeverity.Information;
      item.command = state === 'starting' ? showOutput : restart;
      this.#time.text = 'Not checked';
      return;
    }
    const document = window.activeTextEditor?.document;
    const verdict = document && this.#verdicts.get(document.uri.toString());
    item.busy = document?.languageId === 'snpscenario' && verdict?.version !== document.version;
    if (verdict === undefined) {
      item.text = 'Checking…';
      item.detail = '';
      item.severity = LanguageStatusSeverity.Information;
      item.command = showOutput;
      this.#time.text = 'Not checked yet';
      return;
    }
    const { text, detail, severity } = verdictStatus(verdict);
    item.text = text;
    item.detail = item.busy ? 'checking…' : detail;
    item.severity = severities[severity];
    item.command = verdict.scenarios.length > 0 ? runFile : showOutput;
    const { milliseconds } = verdict;
    this.#time.text = `Checked in ${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
  }
}

const severities = {
  information: LanguageStatusSeverity.Information,
  warning: LanguageStatusSeverity.Warning,
  error: LanguageStatusSeverity.Error,
};
