// The memory map beside the editor: as many panels as scenarios the user wants to see, restored when the window is reloaded; in step with the cursor,
// and with the debugger while it runs a scenario that is shown.
// Commands: SNP Scenario: Open Memory Map.

import {
  commands,
  type DebugSession,
  type Disposable,
  debug,
  type ExtensionContext,
  type TextEditor,
  Uri,
  type WebviewPanel,
  window,
} from 'vscode';
import { decodePosition } from '../../../server/common/map-codec.ts';
import type { FromPage, SavedState, ToPage } from '../../../server/common/map-protocol.ts';
import {
  type MapChangedParams,
  type MapPositionBody,
  mapChangedNotification,
  mapPositionEvent,
} from '../../../server/common/map-requests.ts';
import type { LanguageServer } from '../language-server.ts';
import { scenarioAtCursor, targetOf } from '../scenario-at-cursor.ts';
import { MapPanel } from './panel.ts';
import { wasPlaced } from './reveal.ts';
import { DebugSource, ServerSource } from './source.ts';

/** Milliseconds that the cursor rests before maps follow it. */
const REST = 40;

const debugType = 'snpscenario';

/** What tests see of the maps; nobody else uses it. */
export interface MapsForTests {
  /** Messages of all panels, both ways, in order. */
  onMessage(listener: (uri: string, message: ToPage | FromPage) => void): Disposable;
  /** As if the page of the first panel on a document had said it. */
  say(uri: string, message: FromPage): void;
}

export function activate(context: ExtensionContext, server: LanguageServer): MapsForTests {
  const maps = new Maps(context, server);
  context.subscriptions.push(
    commands.registerCommand('snpScenario.openMap', (where?: unknown, scenario?: unknown) =>
      maps.open(where, typeof scenario === 'string' ? scenario : undefined),
    ),
    window.registerWebviewPanelSerializer(MapPanel.viewType, {
      deserializeWebviewPanel: async (panel, state) => {
        const saved = savedState(state);
        if (saved === undefined) panel.dispose();
        else maps.add(panel, { uri: saved.uri, scenario: saved.scenario, isNew: false });
      },
    }),
    maps,
  );
  return maps;
}

function savedState(state: unknown): SavedState | undefined {
  if (typeof state !== 'object' || state === null) return undefined;
  const { uri, scenario } = state as Partial<SavedState>;
  return typeof uri === 'string' && typeof scenario === 'string' ? { uri, scenario } : undefined;
}

class Maps implements Disposable, MapsForTests {
  readonly #context: ExtensionContext;
  readonly #source: ServerSource;
  readonly #panels = new Set<MapPanel>();
  readonly #sessions = new Set<DebugSession>();
  readonly #subscriptions: Disposable[];
  readonly #listeners = new Set<(uri: string, message: ToPage | FromPage) => void>();
  #rest: NodeJS.Timeout | undefined;

  constructor(context: ExtensionContext, server: LanguageServer) {
    this.#context = context;
    this.#source = new ServerSource(server);
    this.#subscriptions = [
      server.onNotification(mapChangedNotification, ({ uri }: MapChangedParams) => this.#changed(uri)),
      server.onDidChangeState((state) => {
        if (state === 'running') for (const panel of this.#panels) if (!panel.isDebugging) panel.refresh(true);
      }),
      window.onDidChangeTextEditorSelection(({ textEditor }) => this.#cursor(textEditor)),
      debug.registerDebugAdapterTrackerFactory(debugType, {
        createDebugAdapterTracker: (session) => ({
          onDidSendMessage: (message: { type?: string; event?: string }) => {
            // The adapter has opened the scenario.
            if (message.type === 'event' && message.event === 'initialized') this.#started(session);
          },
        }),
      }),
      debug.onDidReceiveDebugSessionCustomEvent(({ session, event, body }) => this.#told(session, event, body)),
      debug.onDidTerminateDebugSession((session) => this.#ended(session)),
    ];
  }

  dispose(): void {
    clearTimeout(this.#rest);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  // ---------------------------------------------------------------- panels

  /** Shows the map of a scenario; of the one at the cursor without a name. */
  open(where: unknown, scenario: string | undefined): void {
    const target = targetOf(where);
    if (target === undefined) {
      void window.showInformationMessage('Open a scenario first: its memory is what the map shows.');
      return;
    }
    const wanted = target.toString();
    const name = scenario ?? scenarioAtCursor(target);
    for (const panel of this.#panels) {
      if (panel.isOf(wanted, name)) {
        panel.reveal();
        return;
      }
    }
    const panel = window.createWebviewPanel(
      MapPanel.viewType,
      'Memory map',
      { viewColumn: MapPanel.column, preserveFocus: true },
      { enableFindWidget: false, retainContextWhenHidden: false },
    );
    this.add(panel, { uri: wanted, scenario: name, isNew: true });
  }

  add(webview: WebviewPanel, of: { uri: string; scenario: string | undefined; isNew: boolean }): void {
    const panel: MapPanel = new MapPanel(
      webview,
      this.#context,
      this.#source,
      of,
      () => this.#panels.delete(panel),
      (message) => {
        // The user has gone elsewhere: where the cursor was is of no interest any more.
        if (message.type === 'position' && 'state' in message) clearTimeout(this.#rest);
        // What a page that is there now shows follows the session that runs it, if there is one.
        if (message.type === 'story') for (const session of this.#sessions) this.#offer(session, panel);
        for (const listener of this.#listeners) listener(of.uri, message);
      },
    );
    this.#panels.add(panel);
  }

  #changed(uri: string): void {
    const changed = Uri.parse(uri).toString();
    for (const panel of this.#panels) if (panel.uri === changed && !panel.isDebugging) panel.refresh();
  }

  #cursor(editor: TextEditor): void {
    const uri = editor.document.uri.toString();
    const { line } = editor.selection.active;
    if (![...this.#panels].some((panel) => panel.uri === uri) || wasPlaced(uri, line)) return;
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      for (const panel of this.#panels) if (panel.uri === uri) void panel.followLine(line);
    }, REST);
  }

  // ---------------------------------------------------------------- debugging

  #started(session: DebugSession): void {
    this.#sessions.add(session);
    for (const panel of this.#panels) this.#offer(session, panel);
  }

  /** A panel that shows what the session runs takes its story from there. */
  #offer(session: DebugSession, panel: MapPanel): void {
    const { program, scenario, noDebug } = session.configuration;
    // A run without stops has nothing to follow.
    if (noDebug === true || panel.isDebugging || typeof program !== 'string') return;
    const runs = /^[a-z][a-z0-9+.-]+:/i.test(program) ? Uri.parse(program) : Uri.file(program);
    const shown = Uri.parse(panel.uri);
    if (runs.path !== shown.path) return;
    if (typeof scenario === 'string' && panel.scenario !== scenario) return;
    panel.follow(new DebugSource(session));
  }

  #told(session: DebugSession, event: string, body: unknown): void {
    for (const panel of this.#panels) {
      if (!panel.follows(session)) continue;
      if (event === mapPositionEvent) panel.stand(decodePosition((body as MapPositionBody).position));
      else if (event === mapChangedNotification) panel.refresh(true);
    }
  }

  #ended(session: DebugSession): void {
    this.#sessions.delete(session);
    for (const panel of this.#panels) if (panel.follows(session)) panel.follow(undefined);
  }

  // ---------------------------------------------------------------- tests

  onMessage(listener: (uri: string, message: ToPage | FromPage) => void): Disposable {
    this.#listeners.add(listener);
    return { dispose: () => this.#listeners.delete(listener) };
  }

  say(uri: string, message: FromPage): void {
    for (const panel of this.#panels) {
      if (panel.uri !== uri) continue;
      panel.receive(message);
      return;
    }
  }
}
