// What the client said it can do, read defensively: capabilities come from outside and may have any shape.

import type { DiagnosticTag, InitializeParams } from 'vscode-languageserver';
import { canonicalUri } from './uri.ts';

export interface ClientFeatures {
  /** Diagnostics are pushed to every client but one that only declares that it pulls. */
  push: boolean;
  relatedInformation: boolean;
  codeDescription: boolean;
  diagnosticData: boolean;
  diagnosticTags: ReadonlySet<DiagnosticTag>;
  /** The client watches files if asked. */
  watchFiles: boolean;
  /** … also below a folder that is not of the workspace. */
  watchFolders: boolean;
  /** Answers workspace/configuration. */
  configuration: boolean;
  /** Wants to be asked before it tells about changed configuration. */
  registerConfiguration: boolean;
  /** LSP 3.18: shows documents whose text the server provides. */
  textDocumentContent: boolean;
  /** Answers workspace/diagnostic/refresh. */
  refreshDiagnostics: boolean;
  /** Wants `snpScenario/verdict`. */
  verdicts: boolean;
  /** Answers `snpScenario/readFile`. */
  readFile: boolean;
  /** The commands of code lenses that it has; `true`: all of them. */
  commands: boolean | ReadonlySet<unknown>;
  /** Shows hovers as Markdown, and would rather. */
  markdownHover: boolean;
  /** Canonical URIs. */
  folders: string[];
  initializationOptions: unknown;
  /** Whether it declares `true` at this path of its capabilities: `declares('textDocument', 'rename', 'prepareSupport')`. */
  declares(...path: string[]): boolean;
  /** Whatever it says there. */
  capability(...path: string[]): unknown;
}

export function clientFeatures(params: InitializeParams): ClientFeatures {
  const get = (...path: string[]): unknown => path.reduce<unknown>(member, params.capabilities);
  const has = (...path: string[]): boolean => get(...path) === true;
  // A client that pulls may say so where it speaks of pulling (LSP 3.18).
  const tags = ['publishDiagnostics', 'diagnostic'].flatMap((kind): unknown => {
    const values = get('textDocument', kind, 'tagSupport', 'valueSet');
    return Array.isArray(values) ? values : [];
  });
  return {
    push: isObject(get('textDocument', 'publishDiagnostics')) || !isObject(get('textDocument', 'diagnostic')),
    relatedInformation:
      has('textDocument', 'publishDiagnostics', 'relatedInformation') ||
      has('textDocument', 'diagnostic', 'relatedInformation'),
    codeDescription:
      has('textDocument', 'publishDiagnostics', 'codeDescriptionSupport') ||
      has('textDocument', 'diagnostic', 'codeDescriptionSupport'),
    diagnosticData:
      has('textDocument', 'publishDiagnostics', 'dataSupport') || has('textDocument', 'diagnostic', 'dataSupport'),
    diagnosticTags: new Set(tags as DiagnosticTag[]),
    watchFiles: has('workspace', 'didChangeWatchedFiles', 'dynamicRegistration'),
    watchFolders: has('workspace', 'didChangeWatchedFiles', 'relativePatternSupport'),
    configuration: has('workspace', 'configuration'),
    registerConfiguration: has('workspace', 'didChangeConfiguration', 'dynamicRegistration'),
    textDocumentContent: isObject(get('workspace', 'textDocumentContent')),
    refreshDiagnostics: has('workspace', 'diagnostics', 'refreshSupport'),
    verdicts: member(params.initializationOptions, 'verdicts') === true,
    readFile: member(params.initializationOptions, 'readFile') === true,
    commands: commandsOf(member(params.initializationOptions, 'commands')),
    markdownHover: prefersMarkdown(get('textDocument', 'hover', 'contentFormat')),
    folders: folders(params),
    initializationOptions: params.initializationOptions,
    declares: has,
    capability: get,
  };
}

const commandsOf = (said: unknown): boolean | ReadonlySet<unknown> =>
  Array.isArray(said) ? new Set(said) : said === true;

/** Formats come in the order in which the client wants them. */
const prefersMarkdown = (formats: unknown): boolean =>
  Array.isArray(formats) && formats.find((format) => format === 'markdown' || format === 'plaintext') === 'markdown';

function folders(params: InitializeParams): string[] {
  const listed: unknown = params.workspaceFolders;
  const uris = Array.isArray(listed) ? listed.map((folder) => member(folder, 'uri')) : [member(params, 'rootUri')];
  return uris.filter((uri) => typeof uri === 'string').map((uri) => canonicalUri(uri).replace(/\/$/, ''));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A member of anything; undefined where there is none. */
export function member(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}
