// Diagnostics for clients that ask instead of listening. Offered only to a client that does not take pushed ones, lest it show both;
// answered for anyone. The answer waits for the verdict on the current text.
// Requests: textDocument/diagnostic.

import {
  type Connection,
  type Diagnostic,
  DocumentDiagnosticReportKind,
  LSPErrorCodes,
  ResponseError,
} from 'vscode-languageserver';
import { member } from './client-features.ts';
import type { Documents } from './documents.ts';
import type { Publisher } from './publisher.ts';
import { canonicalUri } from './uri.ts';
import type { Verdicts } from './verdicts.ts';

export function listen(connection: Connection, documents: Documents, verdicts: Verdicts, publisher: Publisher): void {
  connection.languages.diagnostics.on(async (params, token) => {
    const uri = member(member(params, 'textDocument'), 'uri');
    if (typeof uri !== 'string') throw new ResponseError(-32602, 'textDocument.uri is missing');
    const file = canonicalUri(uri);
    const cancelled = new Promise<'cancelled'>((resolve) => token.onCancellationRequested(() => resolve('cancelled')));
    if (token.isCancellationRequested || (await Promise.race([verdicts.settled(file), cancelled])) === 'cancelled') {
      throw new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
    }
    const report = (items: Diagnostic[]) => ({ kind: DocumentDiagnosticReportKind.Full, items }) as const;
    const others = publisher.othersOf(file);
    if (!others.length) return report(publisher.of(file));
    const relatedDocuments = Object.fromEntries(
      others.map((other) => [documents.spelling(other), report(publisher.of(other))]),
    );
    return { ...report(publisher.of(file)), relatedDocuments };
  });
}
