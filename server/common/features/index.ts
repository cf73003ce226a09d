// Every feature of the language server beyond diagnostics.

import type { ServerCapabilities } from 'vscode-languageserver';
import type { ClientFeatures } from '../client-features.ts';
import { callHierarchy } from './call-hierarchy.ts';
import { codeAction } from './code-action.ts';
import { codeLens } from './code-lens.ts';
import { completion } from './completion.ts';
import { definition } from './definition.ts';
import { discovery } from './discovery.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { formatting } from './formatting.ts';
import { hover } from './hover.ts';
import { inlayHints } from './inlay-hints.ts';
import { memoryMap } from './memory-map.ts';
import { references } from './references.ts';
import { rename } from './rename.ts';
import { semanticTokens } from './semantic-tokens.ts';
import { signatureHelp } from './signature-help.ts';
import { structure } from './structure.ts';
import { symbols } from './symbols.ts';
import { testRun } from './test-run.ts';
import { verdictNotifications } from './verdict-notification.ts';

const features: readonly Feature[] = [
  discovery,
  testRun,
  verdictNotifications,
  formatting,
  semanticTokens,
  memoryMap,
  definition,
  references,
  rename,
  symbols,
  structure,
  callHierarchy,
  completion,
  signatureHelp,
  codeAction,
  hover,
  inlayHints,
  codeLens,
];

export function capabilities(client: ClientFeatures): ServerCapabilities {
  const all = features.map((feature) => feature.capabilities(client));
  const workspace = Object.assign({}, ...all.map((one) => one.workspace));
  return { ...Object.assign({}, ...all), ...(Object.keys(workspace).length > 0 ? { workspace } : {}) };
}

export function listen(context: FeatureContext): void {
  for (const feature of features) feature.listen(context);
}
