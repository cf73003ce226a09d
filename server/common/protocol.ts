// Everything that client and server say to each other beyond the Language Server Protocol. Nothing here is needed to use the server: a
// client that speaks plain LSP gets diagnostics on scenarios and on the C they use. Imported by both sides, so it imports nothing.

/** `initializationOptions` of the initialize request. All optional; wrong types are ignored. */
export interface InitializationOptions {
  /** See Settings. */
  maxDiagnostics?: number;
  inlayHints?: InlayHintDetail;
  codeLens?: boolean;
  /** Which commands of code lenses the client has; `true`: all of them. */
  commands?: boolean | LensCommand[];
  /** The client wants `snpScenario/verdict`. */
  verdicts?: boolean;
  /** The client answers `snpScenario/readFile`. */
  readFile?: boolean;
  /** The client has VS Code’s commands that open a list of completions and the parameters of a call: some entries lead on to them. */
  suggestCommand?: boolean;
}

/** The section `snpScenario` of the client's configuration, as far as the server reads it. */
export interface Settings {
  /** The most diagnostics published for one file; the last one says how many were left out. */
  maxDiagnostics: number;
  /** What hints at the ends of steps say: nothing, what the step came to, or what it changed as well. */
  inlayHints: InlayHintDetail;
  /** Whether scenarios have a line above them with what can be done with them, and how they fare. */
  codeLens: boolean;
}

export const inlayHintDetails = ['off', 'outcomes', 'changes'] as const;
export type InlayHintDetail = (typeof inlayHintDetails)[number];

/** Commands of the client, offered above each scenario. Their arguments are the document's URI as a string, and the scenario's name. */
export const lensCommands = ['snpScenario.runScenario', 'snpScenario.debugScenario', 'snpScenario.openMap'] as const;
export type LensCommand = (typeof lensCommands)[number];

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

/**
 * Request, server to client: the text of a file that only the client can read, because its URI's scheme is not `file`. Sent only to a client
 * that said `readFile` when it was initialized.
 */
export const readFileRequest = 'snpScenario/readFile';
export interface ReadFileParams {
  uri: string;
}
/** `error` stands after “cannot be read:”. */
export type ReadFileResult = { text: string } | { error: string };

export interface ProtocolPosition {
  line: number;
  character: number;
}
export interface ProtocolRange {
  start: ProtocolPosition;
  end: ProtocolPosition;
}

/** A scenario as the text has it, run or not. */
export interface ScenarioItem {
  /** Unique in its file: the name, with a number behind it where another scenario has it too. */
  id: string;
  name: string;
  /** The `///` lines above it. */
  doc: string;
  /** From the word `scenario` to the closing brace. */
  range: ProtocolRange;
}

/**
 * Request, client to server: which scenarios stand in these files, without running them. Documents open in the editor win over the disk. With a
 * `partialResultToken` files are reported as they are read, a batch at a time, and the result is empty.
 */
export const discoverRequest = 'snpScenario/discover';
export interface DiscoverParams {
  uris: string[];
  partialResultToken?: string | number;
}
export interface DiscoveredFile {
  /** As the client spelled it. */
  uri: string;
  scenarios: ScenarioItem[];
  /** Why the file cannot be read. */
  error?: string;
}
export interface DiscoverResult {
  files: DiscoveredFile[];
}

export type ScenarioStatus = 'passed' | 'failed' | 'error';

/** Something found in a scenario: why it failed, or only worth knowing. */
export interface ScenarioProblem {
  /** The scenario does not pass because of it. */
  fails: boolean;
  rule: string;
  message: string;
  /** A URI: the scenario's file, mostly. */
  uri: string;
  range: ProtocolRange;
  /** What was said should happen, and what did, where it is as simple as that. */
  expected?: string;
  actual?: string;
  related: { message: string; uri: string; range: ProtocolRange }[];
}

export interface ScenarioResult {
  id: string;
  status: ScenarioStatus;
  /** Step instances executed. */
  steps: number;
  /** The first fifty. */
  problems: ScenarioProblem[];
}

/**
 * Request, client to server: run scenarios from their files, one file after the other, at lower priority than what the editor shows. Documents open in
 * the editor win over the disk. Cancelling the request ends the run. With a `partialResultToken` what happens is reported as it happens.
 */
export const runTestsRequest = 'snpScenario/runTests';
export interface RunTestsParams {
  /** `scenarios`: ids; all of the file if absent. */
  files: { uri: string; scenarios?: string[] }[];
  partialResultToken?: string | number;
}
export type TestEvent =
  | { kind: 'file-started'; uri: string }
  /** May come twice for a scenario, when C that a later scenario reached turns out not to compile: the last one counts. */
  | ({ kind: 'scenario'; uri: string; milliseconds: number } & ScenarioResult)
  /** `uses`: URIs of the patches, sources and imports of the file. `missing`: asked for, but not in the file. `error`: why it was not run. */
  | { kind: 'file-ended'; uri: string; uses: string[]; missing: string[]; error?: string };
/** What a partial result holds. */
export interface TestEvents {
  events: TestEvent[];
}
export interface RunTestsResult {
  /** Empty if they were sent as partial results. */
  events: TestEvent[];
  passed: number;
  failed: number;
  errors: number;
  /** Of the whole run, waiting included. */
  milliseconds: number;
}

/**
 * Notification, server to client: the verdict on an open document, as often as there is one, but not more often than is of use to somebody who looks.
 * Sent only to a client that said `verdicts` when it was initialized.
 */
export const verdictNotification = 'snpScenario/verdict';
export interface VerdictParams {
  uri: string;
  version: number;
  scenarios: (ScenarioItem & ScenarioResult)[];
  /** Problems of severity error that are in the document but in no scenario. */
  errors: number;
  /** That the engine worked. */
  milliseconds: number;
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
