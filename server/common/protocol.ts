// Everything that client and server say to each other beyond the Language Server Protocol. Nothing here is needed to use the server: a
// client that speaks plain LSP gets diagnostics on scenarios and on the C they use. Imported by both sides, so it imports nothing.

/** `initializationOptions` of the initialize request. All optional; wrong types are ignored. */
export interface InitializationOptions {
  /** See Settings. */
  maxDiagnostics?: number;
}

/** The section `snpScenario` of the client's configuration, as far as the server reads it. */
export interface Settings {
  /** The most diagnostics published for one file; the last one says how many were left out. */
  maxDiagnostics: number;
}

export const configurationSection = 'snpScenario';

/**
 * The scheme of the bundled kernel models' files: `snp-model:/kvm-rfc-v8/sev.c`. Read-only, known to the server alone. A client with
 * LSP 3.18's `workspace/textDocumentContent` shows them by itself; any other asks with ModelSource.
 */
export const modelScheme = 'snp-model';

/** Request, client to server: the text of a bundled model file. Answers null for a URI that is none. */
export const modelSourceRequest = 'snpScenario/modelSource';
export interface ModelSourceParams {
  /** `snp-model:/…` */
  uri: string;
}
export interface ModelSourceResult {
  text: string;
}

/** Plain JSON in `Diagnostic.data`, for quick fixes. */
export interface DiagnosticData {
  /** Id in the rule table, as in `Diagnostic.code`. */
  rule: string;
  /** Id in the catalogue of invariants; empty where there is none. */
  spec: string;
  /** What the rule adds for its fixes. */
  fix?: unknown;
}
