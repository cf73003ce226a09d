// The text of the bundled kernel models, which locations of diagnostics and later definitions point into.
// Requests: workspace/textDocumentContent (LSP 3.18), snpScenario/modelSource.

import { type Connection, LSPErrorCodes, ResponseError } from 'vscode-languageserver';
import { member } from './client-features.ts';
import type { Engine } from './platform.ts';
import { type ModelSourceParams, type ModelSourceResult, modelSourceRequest } from './protocol.ts';
import { modelPathOf } from './uri.ts';

export function listen(connection: Connection, engine: Engine): void {
  const textOf = (params: unknown): string | undefined => {
    const uri = member(params, 'uri');
    const path = typeof uri === 'string' ? modelPathOf(uri) : undefined;
    return path === undefined ? undefined : engine.modelText(path);
  };
  connection.onRequest(modelSourceRequest, (params: ModelSourceParams): ModelSourceResult | null => {
    const text = textOf(params);
    return text === undefined ? null : { text };
  });
  connection.workspace.textDocumentContent.on((params) => {
    const text = textOf(params);
    if (text === undefined) return new ResponseError(LSPErrorCodes.RequestFailed, 'there is no such model file');
    return { text };
  });
}
