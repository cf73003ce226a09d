// What a VS Code to run the suite in must offer. Two exist: desktop VS Code (electron.ts) and the one in code-server (web.ts).

export interface SuiteRun {
  /** The extension under development: the repository, or the empty test extension when the VSIX is installed. */
  readonly extension: string;
  /** The bundled suite, a CommonJS file that exports run(). */
  readonly suite: string;
  /** The folder to open. */
  readonly workspace: string;
  /** A folder for settings, logs and state; the launcher removes it. */
  readonly dataDir: string;
  /** VSIX files to install first. */
  readonly install: readonly string[];
  /** Environment of the extension host. */
  readonly env: Readonly<Record<string, string>>;
  /** Where pictures go. */
  readonly screenshots: string;
  /** Every line that the suite logs. */
  readonly onLog: (line: string) => void;
}

export interface Backend {
  readonly name: string;
  /** Resolves to the suite's exit code, 0 when every test passed. Throws when VS Code could not be run. */
  run(run: SuiteRun): Promise<number>;
}

/** What a test asks to be done in a webview, by a line `WEBVIEW FILE JSON`; the texts found are written to the file. */
export interface WebviewAction {
  /** CSS. The first that it finds is acted upon. */
  selector: string;
  /** In its middle, or at this place in pixels from its corner. */
  click?: true | { x: number; y: number };
  /** A key, as Playwright names it. */
  press?: string;
}
