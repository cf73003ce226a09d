// Diagnostics for clients that ask instead of listening. Offered only to a client that does not take pushed ones, lest it show both;
// answered for anyone. The answer waits for the verdict on the current text.
// Requests: textDocument/diagnostic; to the client: workspace/diagnostic/refresh.

import {
  type Connection,
  type Diagnostic,
  DocumentDiagnosticReportKind,
  LSPErrorCodes,
  ResponseError,
} from 'vscode-languageserver';
import { type ClientFeatures, member } from './client-features.ts';
import type { Documents } from './documents.ts';
import type { Publisher } from './publisher.ts';
import { canonicalUri } from './uri.ts';
import type { Verdicts } from './verdicts.ts';

export function listen(
  connection: Connection,
  documents: Documents,
  verdicts: Verdicts,
  publisher: Publisher,
  client: () => ClientFeatures,
): void {
  const takesOthers = (): boolean => client().declares('textDocument', 'diagnostic', 'relatedDocumentSupport');
  connection.languages.diagnostics.on(async (params, token) => {
    const uri = member(member(params, 'textDocument'), 'uri');
    if (typeof uri !== 'string') throw new ResponseError(-32602, 'textDocument.uri is missing');
    const file = canonicalUri(uri);
    const cancelled = new Promise<'cancelled'>((resolve) => token.onCancellationRequested(() => resolve('cancelled')));
    if (
      token.isCancellationRequested ||
      (await Promise.race([verdicts.settledAbout(file), cancelled])) === 'cancelled'
    ) {
      throw new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
    }
    const report = (items: Diagnostic[]) => ({ kind: DocumentDiagnosticReportKind.Full, items }) as const;
    const others = takesOthers() ? publisher.othersOf(file) : [];
    if (!others.length) return report(publisher.of(file));
    const relatedDocuments = Object.fromEntries(
      others.map((other) => [documents.spelling(other), report(publisher.of(other))]),
    );
    return { ...report(publisher.of(file)), relatedDocuments };
  });

  // A client asks again about a document that is edited. It cannot know what an edit of one means for another.
  const others = new Map<string, string>();
  verdicts.onVerdict(({ uri, isAgain }) => {
    if (client().push || !client().refreshDiagnostics) return;
    const now = takesOthers()
      ? ''
      : JSON.stringify(publisher.othersOf(uri).map((other) => [other, publisher.of(other)]));
    const changed = (others.get(uri) ?? now) !== now;
    others.set(uri, now);
    for (const known of others.keys()) if (documents.get(known) === undefined) others.delete(known);
    if (isAgain || changed) connection.languages.diagnostics.refresh();
  });
}
