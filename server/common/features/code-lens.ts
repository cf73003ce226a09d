// Above each scenario: Run, Debug, Map, and how it fares. Commands are the client's, so only a client that says which of them it has is offered any.
// Requests: textDocument/codeLens; to the client: workspace/codeLens/refresh.

import {
  type CodeLens,
  CodeLensRefreshRequest,
  type Command,
  LSPErrorCodes,
  ResponseError,
} from 'vscode-languageserver';
import { plural } from '../../../engine/base/text.ts';
import type { ClientFeatures } from '../client-features.ts';
import { type LensCommand, lensCommands } from '../protocol.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { type OpenDocument, rangeOf, scenarioOf } from './place.ts';

/** How long the answer waits for a verdict on the present text, ms. Later ones come with a refresh. */
const patience = 400;

const titles: Record<LensCommand, string> = {
  'snpScenario.runScenario': 'Run',
  'snpScenario.debugScenario': 'Debug',
  'snpScenario.openMap': 'Map',
};

/** The commands that the client has, in the order in which they are shown. */
function commandsOf(client: ClientFeatures): LensCommand[] {
  return lensCommands.filter(
    (command) => client.commands === true || (client.commands !== false && client.commands.has(command)),
  );
}

export const codeLens: Feature = {
  capabilities: (client) => (commandsOf(client).length > 0 ? { codeLensProvider: { resolveProvider: false } } : {}),
  listen(context) {
    const { connection, documents, settings, verdicts } = context;
    /** The verdicts that the client shows, by document. */
    const shown = new Map<string, string>();
    const refresh = (): void => {
      if (context.client().declares('workspace', 'codeLens', 'refreshSupport'))
        connection.sendRequest(CodeLensRefreshRequest.type).catch(() => {});
    };

    connection.onCodeLens(async (params, token): Promise<CodeLens[] | null> => {
      const open = scenarioOf(context, params);
      if (open === undefined) return null;
      const commands = commandsOf(context.client());
      if (commands.length === 0 || !settings.current.codeLens) return [];
      await Promise.race([
        verdicts.settled(open.uri),
        new Promise<void>((resolve) => context.platform.after(patience, resolve)),
      ]);
      if (token.isCancellationRequested) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
      if (documents.get(open.uri)?.getText() !== open.text)
        throw new ResponseError(LSPErrorCodes.ContentModified, 'the document has changed');
      shown.set(open.uri, verdictsOf(context, open.uri).join('\n'));
      return lenses(context, open, commands);
    });

    verdicts.onVerdict(({ uri }) => {
      for (const known of shown.keys()) if (documents.get(known) === undefined) shown.delete(known);
      if (shown.has(uri) && shown.get(uri) !== verdictsOf(context, uri).join('\n')) refresh();
    });
    settings.onChange((now, before) => {
      if (now.codeLens !== before.codeLens) refresh();
    });
  },
};

/** `passed · 12 steps`, in the order of the scenarios of the last verdict. */
function verdictsOf({ verdicts }: FeatureContext, uri: string): string[] {
  const scenarios = verdicts.lastResult(uri)?.scenarios ?? [];
  return scenarios.map(({ status, steps }) =>
    steps === 0 && status === 'error' ? 'not run' : `${status} · ${plural(steps, 'step')}`,
  );
}

function lenses(context: FeatureContext, open: OpenDocument, commands: readonly LensCommand[]): CodeLens[] {
  const { scenarios } = open.view().analysis.program;
  const last = context.verdicts.lastResult(open.uri)?.scenarios ?? [];
  const said = verdictsOf(context, open.uri);
  const uri = context.documents.spelling(open.uri);
  return scenarios.flatMap(({ start, nameSpan, name }, i) => {
    const range = rangeOf(open.document, start, start + nameSpan.end);
    const all: Command[] = commands.map((command) => ({ title: titles[command], command, arguments: [uri, name] }));
    // What the last verdict says of a scenario that has been renamed or moved meanwhile is not of this one.
    if (last[i]?.name === name) all.push({ title: said[i], command: '' });
    return all.map((command) => ({ range, command }));
  });
}
