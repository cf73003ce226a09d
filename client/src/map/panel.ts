// One map: a panel that shows the story of one scenario. It carries messages between the page and whoever tells the story, and holds nothing that the
// page could want back: a page that was hidden is made anew and asks. While it is hidden, nobody works for it.

import { type Disposable, type ExtensionContext, Uri, ViewColumn, type WebviewPanel, window, workspace } from 'vscode';
import type { FromPage, MapPosition, MapStory, ToPage } from '../../../server/common/map-protocol.ts';
import type { MapVersion } from '../../../server/common/map-requests.ts';
import { pageDocument, pageFolder } from './document.ts';
import { exportPicture } from './export.ts';
import { reveal, revealQuietly } from './reveal.ts';
import { DebugSource, type MapSource, type ServerSource } from './source.ts';

export class MapPanel {
  readonly #panel: WebviewPanel;
  readonly #server: ServerSource;
  readonly #gone: () => void;
  readonly #subscriptions: Disposable[] = [];
  /** The document's URI, as VS Code writes it. */
  readonly uri: string;
  #scenario: string | undefined;
  #source: MapSource;
  /** The page is there and listens. */
  #isReady = false;
  #known: MapVersion | undefined;
  /** What the page has, as far as lines are concerned. */
  #lines: number[] = [];
  /** A story is being fetched; whether to fetch again afterwards. */
  #fetching = false;
  #again = false;
  #position: MapPosition | undefined;
  /** Counts where the user went in the map, so that what was asked before is known to be old. */
  #moves = 0;
  /** Asked for by the user and not shown yet: it begins where the cursor is. */
  #isNew: boolean;
  /** A test listens. */
  readonly #watch: ((message: ToPage | FromPage) => void) | undefined;

  constructor(
    panel: WebviewPanel,
    context: ExtensionContext,
    server: ServerSource,
    of: { uri: string; scenario: string | undefined; isNew: boolean },
    gone: () => void,
    watch?: (message: ToPage | FromPage) => void,
  ) {
    this.#panel = panel;
    this.#server = server;
    this.#source = server;
    this.uri = of.uri;
    this.#scenario = of.scenario;
    this.#isNew = of.isNew;
    this.#gone = gone;
    this.#watch = watch;
    panel.iconPath = {
      light: Uri.joinPath(context.extensionUri, 'client/icons/map-light.svg'),
      dark: Uri.joinPath(context.extensionUri, 'client/icons/map-dark.svg'),
    };
    panel.webview.options = {
      enableScripts: true,
      localResourceRoots: [Uri.joinPath(context.extensionUri, ...pageFolder)],
    };
    this.#subscriptions.push(
      panel.webview.onDidReceiveMessage((message: FromPage) => this.#receive(message)),
      panel.onDidChangeViewState(() => {
        if (!panel.visible) this.#hide();
      }),
      panel.onDidDispose(() => this.#dispose()),
    );
    panel.webview.html = pageDocument(panel.webview, context.extensionUri);
    this.#name();
  }

  /** Shown, and made for this scenario: a test, a restored panel and the command ask. */
  isOf(uri: string, scenario: string | undefined): boolean {
    return this.uri === uri && (scenario === undefined || scenario === this.#scenario);
  }

  get scenario(): string | undefined {
    return this.#scenario;
  }

  get isVisible(): boolean {
    return this.#panel.visible && this.#isReady;
  }

  get isDebugging(): boolean {
    return this.#source instanceof DebugSource;
  }

  reveal(): void {
    this.#panel.reveal(undefined, true);
  }

  /** For tests: as if the page had said it. */
  receive(message: FromPage): void {
    this.#receive(message);
  }

  // ---------------------------------------------------------------- who tells the story

  /** The scenario is debugged from now on, or not any more. */
  follow(source: DebugSource | undefined): void {
    const next = source ?? this.#server;
    if (this.#source === next) return;
    this.#source.close(this.uri, this.#scenario);
    this.#source = next;
    this.#known = undefined;
    this.#position = undefined;
    this.refresh();
  }

  /** Whether the story comes from that session. */
  follows(session: unknown): boolean {
    return this.#source instanceof DebugSource && this.#source.session === session;
  }

  /** There may be another story to show. @param anew whoever told it has forgotten what it told */
  refresh(anew = false): void {
    if (anew) this.#known = undefined;
    if (!this.isVisible) return;
    if (this.#fetching) {
      this.#again = true;
      return;
    }
    void this.#fetch();
  }

  async #fetch(): Promise<void> {
    this.#fetching = true;
    try {
      do {
        this.#again = false;
        await this.#fetchOnce();
      } while (this.#again && this.isVisible);
    } finally {
      this.#fetching = false;
    }
  }

  async #fetchOnce(): Promise<void> {
    const source = this.#source;
    try {
      // The server speaks of open documents only; a restored panel may come before its editor.
      await workspace.openTextDocument(Uri.parse(this.uri));
      const answer = await source.story(this.uri, this.#scenario, this.#known);
      if (source !== this.#source || !this.isVisible) {
        this.#again ||= source !== this.#source;
        return;
      }
      if ('nothing' in answer) this.#showNothing(answer.nothing);
      else if ('story' in answer) {
        this.#known = answer.version;
        this.#show(answer.story);
      } else {
        this.#known = answer.version;
        const { update } = answer;
        const { firstStep, lines } = update;
        this.#lines = [
          ...(lines === undefined ? this.#lines.slice(0, firstStep) : lines),
          ...update.steps.map(({ line }) => line),
        ];
        this.#post({ type: 'update', update });
      }
    } catch (error) {
      if (source === this.#source) this.#showNothing(error instanceof Error ? error.message : String(error));
    }
  }

  #show(story: MapStory): void {
    this.#scenario = story.scenario;
    this.#lines = story.steps.map(({ line }) => line);
    this.#name();
    this.#post({ type: 'story', story, ...(this.#position === undefined ? {} : { position: this.#position }) });
    if (this.#isNew && !this.isDebugging) {
      const { selection } =
        window.visibleTextEditors.find(({ document }) => document.uri.toString() === this.uri) ?? {};
      if (selection !== undefined) void this.followLine(selection.active.line);
    }
    this.#isNew = false;
  }

  #showNothing(message: string): void {
    this.#known = undefined;
    this.#post({ type: 'nothing', message });
  }

  #name(): void {
    this.#panel.title = this.#scenario === undefined ? 'Memory map' : `Map: ${this.#scenario}`;
  }

  // ---------------------------------------------------------------- where somebody stands

  /** The debugger rests there, or the cursor. */
  stand(position: MapPosition): void {
    this.#position = position;
    if (this.isVisible && this.#known !== undefined) this.#post({ type: 'position', position });
  }

  /** The cursor is in a line of the document. */
  async followLine(line: number): Promise<void> {
    const { uri } = this;
    const scenario = this.#scenario;
    if (this.isDebugging || !this.isVisible || this.#known === undefined || scenario === undefined) return;
    const moves = this.#moves;
    const state = await this.#server.stateAt({ uri, scenario, line }).catch(() => undefined);
    if (state !== undefined && !this.isDebugging && moves === this.#moves) this.stand({ state, by: 'editor' });
  }

  // ---------------------------------------------------------------- the page

  #post(message: ToPage): void {
    this.#watch?.(message);
    void this.#panel.webview.postMessage(message);
  }

  #receive(message: FromPage): void {
    this.#watch?.(message);
    switch (message.type) {
      case 'ready':
        this.#isReady = true;
        this.refresh(true);
        break;
      case 'details':
        void this.#details(message);
        break;
      case 'position':
        this.#goTo(message.state);
        break;
      case 'reveal':
        void reveal(message.uri, message.line, this.#panel.viewColumn);
        break;
      case 'scenario':
        this.#choose(message.name);
        break;
      case 'export':
        void exportPicture(message.format, message.content, this.uri, this.#scenario);
        break;
    }
  }

  async #details({ id, lane, page, state }: Extract<FromPage, { type: 'details' }>): Promise<void> {
    const params = { uri: this.uri, scenario: this.#scenario ?? '', lane, page, state };
    const details = await this.#source.details(params).catch(() => null);
    this.#post({ type: 'details', id, details });
  }

  #goTo(state: number): void {
    this.#moves++;
    this.#position = undefined;
    if (this.#source instanceof DebugSource) {
      void this.#source.goTo(state).catch(() => {});
      return;
    }
    const line = this.#lines[state - 1];
    if (line !== undefined) revealQuietly(this.uri, line);
  }

  #choose(scenario: string): void {
    if (scenario === this.#scenario) return;
    this.#source.close(this.uri, this.#scenario);
    this.#scenario = scenario;
    this.#source = this.#server;
    this.#position = undefined;
    this.#name();
    this.refresh(true);
  }

  #hide(): void {
    if (!this.#isReady) return;
    this.#isReady = false;
    this.#known = undefined;
    this.#source.close(this.uri, this.#scenario);
  }

  #dispose(): void {
    this.#hide();
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#gone();
  }

  static readonly viewType = 'snpScenario.map';
  static readonly column = ViewColumn.Beside;
}
