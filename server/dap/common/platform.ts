// What the debug adapter needs of the place it runs in. Everything else in this folder is free of platform.

export interface DebugPlatform {
  /** Milliseconds from any origin; never goes backwards. */
  now(): number;
  /** Calls back after the messages that are waiting have been served. */
  soon(callback: () => void): void;
  /** Text of a `file:` URI, or why it cannot be had. Never throws. */
  readFile(uri: string): { text: string } | { error: string };
  /** A path as clients name files, and back. */
  uriOfFile(path: string): string;
  fileOfUri(uri: string): string;
}

export interface AdapterOptions {
  /**
   * How the bundled models' files are named: `uri` for a client that can open `snp-model:` URIs itself, `reference` for any other, which asks for
   * their text with the `source` request.
   */
  modelSources: 'uri' | 'reference';
}

/** `launch`, beyond what every launch has. Wrong types are refused with a message. */
export interface LaunchArguments {
  /** The scenario file. */
  program: string;
  /** Name of the scenario; the first of the file without it. */
  scenario?: string;
  stopOnEntry?: boolean;
  /** Stay at the end, so that one can go back from there. Default true. */
  stopAtEnd?: boolean;
  /** Run on this kernel model in place of the one that the file names. */
  kernel?: string;
  /** Patches and C files as if the file named them, relative to it. */
  patches?: string[];
  sources?: string[];
  /** Options of the host by name, over those that the file sets: `{ "sizem-on-plain-access": true }`. */
  options?: Readonly<Record<string, unknown>>;
  /** Run only: stop at nothing. */
  noDebug?: boolean;
}
