// Debugging a scenario: F5 without a launch.json, the debug adapter inside this process, values beside the lines while stopped.
// Commands: SNP Scenario: Debug Scenario.

import {
  type CancellationToken,
  commands,
  type DebugAdapter,
  DebugAdapterInlineImplementation,
  type DebugConfiguration,
  type DebugConfigurationProvider,
  type DebugProtocolMessage,
  debug,
  EventEmitter,
  type ExtensionContext,
  languages,
  Uri,
  window,
  workspace,
} from 'vscode';
import { bringHere, programOf } from './debug-files.ts';
import { InlineValues } from './debug-inline-values.ts';
import type { LanguageServer } from './language-server.ts';
import { scenarioAtCursor, targetOf } from './scenario-at-cursor.ts';

const type = 'snpscenario';

/** What server/dap/node/inline.ts and its like for browsers export. */
export interface AdapterBundle {
  createAdapter(
    send: (message: object) => void,
    openText: (uri: string) => string | undefined,
  ): { receive(message: unknown): void; dispose(): void };
}

/** Loads the adapter's bundle. Called when the first session starts, so that nobody else waits for it. */
export type LoadAdapter = () => Promise<AdapterBundle>;

export function activate(context: ExtensionContext, server: LanguageServer, load: LoadAdapter): void {
  let bundle: Promise<AdapterBundle> | undefined;
  const values = new InlineValues();
  context.subscriptions.push(
    debug.registerDebugConfigurationProvider(type, new Configurations()),
    debug.registerDebugAdapterDescriptorFactory(type, {
      createDebugAdapterDescriptor: async ({ configuration }) => {
        await bringHere(server, configuration.program);
        bundle ??= load();
        return new DebugAdapterInlineImplementation(new InlineAdapter(await bundle));
      },
    }),
    ...['snpscenario', 'c', 'diff'].map((language) => languages.registerInlineValuesProvider({ language }, values)),
    commands.registerCommand('snpScenario.debugScenario', (where?: unknown, scenario?: unknown) =>
      start(where, scenario),
    ),
  );
}

/**
 * @param where a URI, as such or as a string; without it the active editor's
 * @param scenario its name; without it the one at the cursor
 */
async function start(where: unknown, scenario: unknown): Promise<boolean> {
  const target = targetOf(where);
  if (target === undefined) return false;
  const name = typeof scenario === 'string' ? scenario : scenarioAtCursor(target);
  const configuration = {
    type,
    request: 'launch',
    name: name ?? 'Debug Scenario',
    program: programOf(target),
    ...(name === undefined ? {} : { scenario: name }),
  };
  // What was never saved is debugged as it is: nobody wants to be asked for a name first.
  const options = { suppressSaveBeforeStart: target.scheme === 'untitled' };
  return debug.startDebugging(workspace.getWorkspaceFolder(target), configuration, options);
}

class Configurations implements DebugConfigurationProvider {
  provideDebugConfigurations(): DebugConfiguration[] {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: VS Code's own variables
    return [{ type, request: 'launch', name: 'Debug Scenario', program: '${file}' }];
  }

  /** F5 with no launch.json asks with an empty configuration; Ctrl+F5 with one that says `noDebug`. */
  resolveDebugConfiguration(
    _folder: unknown,
    config: DebugConfiguration,
    _token?: CancellationToken,
  ): DebugConfiguration | undefined {
    if (config.type || config.request || config.name) return config;
    const document = window.activeTextEditor?.document;
    if (document?.languageId !== 'snpscenario') return undefined;
    const scenario = scenarioAtCursor(document.uri);
    const name = scenario ?? 'Debug Scenario';
    return {
      ...config,
      type,
      request: 'launch',
      name,
      program: programOf(document.uri),
      ...(scenario === undefined ? {} : { scenario }),
    };
  }

  resolveDebugConfigurationWithSubstitutedVariables(
    _folder: unknown,
    config: DebugConfiguration,
  ): DebugConfiguration | undefined {
    if (typeof config.program === 'string' && config.program !== '') return config;
    void window.showErrorMessage('A debug configuration of type "snpscenario" needs "program": the scenario file.');
    return undefined;
  }
}

/** Carries messages between VS Code and the adapter. */
class InlineAdapter implements DebugAdapter {
  readonly #sent = new EventEmitter<DebugProtocolMessage>();
  readonly onDidSendMessage = this.#sent.event;
  readonly #adapter: ReturnType<AdapterBundle['createAdapter']>;

  constructor({ createAdapter }: AdapterBundle) {
    this.#adapter = createAdapter((message) => this.#sent.fire(message), openText);
  }

  handleMessage(message: DebugProtocolMessage): void {
    this.#adapter.receive(message);
  }

  dispose(): void {
    this.#adapter.dispose();
    this.#sent.dispose();
  }
}

/** The text of a document as it is in the editor, saved or not. */
function openText(uri: string): string | undefined {
  const wanted = Uri.parse(uri).toString();
  return workspace.textDocuments.find((document) => document.uri.toString() === wanted)?.getText();
}
