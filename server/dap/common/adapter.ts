// The debug adapter: one client, one session, messages in and out as plain objects. Free of platform; stdio, VS Code and tests only carry messages.
//
// initialize → launch (the session opens; `initialized` is sent) → breakpoints → configurationDone (it runs) → … → terminated. What comes in another
// order is refused with a message. Who does what: client.ts sends, debuggee.ts moves, inspector.ts shows, breakpoint-store.ts keeps breakpoints.

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { DebugSession } from '../../../engine/debug/session.ts';
import { mapCloseNotification, mapDetailsRequest, mapGotoRequest, mapStoryRequest } from '../../common/map-requests.ts';
import { BreakpointStore } from './breakpoint-store.ts';
import { capabilities } from './capabilities.ts';
import { Client } from './client.ts';
import { completions } from './completions.ts';
import { Debuggee, type Moved } from './debuggee.ts';
import { disassemble } from './disassemble.ts';
import { exceptionInfo } from './exception-info.ts';
import { type Launch, launchOf, openLaunch } from './launch.ts';
import { DebuggedMap } from './memory-map.ts';
import type { AdapterOptions, DebugPlatform } from './platform.ts';
import { type Args, count, isObject, list, RequestError, text } from './requests.ts';
import { Sources } from './sources.ts';

type Handler = (args: Args) => unknown;

export type { Moved } from './debuggee.ts';

export class DebugAdapter {
  readonly #client: Client;
  readonly #platform: DebugPlatform;
  readonly #breakpoints: BreakpointStore;
  readonly #ended: () => void;
  #initialized = false;
  #debuggee: Debuggee | undefined;
  #configured = false;
  #terminated = false;
  readonly #movedListeners = new Set<(session: DebugSession, moved: Moved) => void>();
  readonly #map: DebuggedMap;
  readonly #handlers: Readonly<Record<string, Handler>> = this.#makeHandlers();

  /** @param ended called when the client has disconnected */
  constructor(
    send: (message: DebugProtocol.ProtocolMessage) => void,
    platform: DebugPlatform,
    options: AdapterOptions,
    ended: () => void = () => {},
  ) {
    this.#platform = platform;
    this.#client = new Client(send, new Sources(platform, options));
    this.#breakpoints = new BreakpointStore(this.#client.sources);
    this.#ended = ended;
    this.#map = new DebuggedMap(this.#client, platform);
    this.onMoved((session, moved) => this.#map.moved(session, moved));
  }

  /** A message of the client's. Never throws. */
  receive(message: unknown): void {
    if (!isObject(message) || message.type !== 'request') return;
    const command = typeof message.command === 'string' ? message.command : '';
    const answer = {
      type: 'response',
      request_seq: typeof message.seq === 'number' ? message.seq : 0,
      command,
    };
    try {
      const body = this.#handle(command, message.arguments);
      if (body instanceof Promise) {
        this.#later(answer, body);
        return;
      }
      this.#client.post({ ...answer, success: true, ...(body === undefined ? {} : { body }) });
    } catch (error) {
      this.#client.post({ ...answer, success: false, ...this.#refusal(command, error) });
    }
    this.#client.flush();
  }

  /** The answer to a request that takes its time. */
  #later(answer: { command: string }, body: Promise<unknown>): void {
    body
      .then(
        (value) => this.#client.post({ ...answer, success: true, body: value }),
        (error) => this.#client.post({ ...answer, success: false, ...this.#refusal(answer.command, error) }),
      )
      .finally(() => this.#client.flush());
  }

  #handle(command: string, given: unknown): unknown {
    const handler = Object.hasOwn(this.#handlers, command) ? this.#handlers[command] : undefined;
    if (handler === undefined) throw new RequestError(`There is no request ${command}.`);
    if (!this.#initialized && command !== 'initialize' && command !== 'disconnect')
      throw new RequestError('The first request must be initialize.');
    const args = given ?? {};
    if (!isObject(args)) throw new RequestError('The arguments must be an object.');
    return handler(args);
  }

  #refusal(command: string, error: unknown): { message: string; body: object } {
    const bug = !(error instanceof RequestError);
    const words = error instanceof Error ? error.message : String(error);
    if (bug) this.#client.bug(error);
    // Braces are placeholders there.
    const format = words.replaceAll('{', '{{').replaceAll('}', '}}');
    return { message: words, body: { error: { id: bug ? 2 : 1, format, showUser: command === 'launch' || bug } } };
  }

  /**
   * For views beside the debugger. Called after the client has been told; not while a session runs. `restart` makes another session: keep none.
   * Returns what ends it.
   */
  onMoved(listener: (session: DebugSession, moved: Moved) => void): () => void {
    this.#movedListeners.add(listener);
    return () => this.#movedListeners.delete(listener);
  }

  dispose(): void {
    this.#debuggee?.dispose();
    this.#debuggee = undefined;
  }

  // ---------------------------------------------------------------- what requests need

  #open(): Debuggee {
    if (this.#debuggee === undefined)
      throw new RequestError(this.#terminated ? 'The session has ended.' : 'Nothing has been launched.');
    return this.#debuggee;
  }

  #stopped(): Debuggee {
    const debuggee = this.#open();
    if (!this.#configured) throw new RequestError('The session is being configured; configurationDone starts it.');
    if (debuggee.isMoving) throw new RequestError('The scenario is running.');
    return debuggee;
  }

  #makeHandlers(): Record<string, Handler> {
    return {
      initialize: (args) => this.#initialize(args),
      launch: (args) => this.#launch(args),
      configurationDone: () => this.#configurationDone(),
      restart: (args) => this.#restart(args),
      terminate: () => this.#open().terminate(),
      disconnect: () => this.#disconnect(),
      threads: () => ({ threads: this.#open().inspector.threads() }),

      setBreakpoints: (args) => this.#setBreakpoints(args),
      setFunctionBreakpoints: (args) => this.#set((session) => this.#breakpoints.setFunctions(session, args)),
      dataBreakpointInfo: (args) => this.#open().inspector.dataBreakpointInfo(args),
      setDataBreakpoints: (args) => this.#set((session) => this.#breakpoints.setData(session, args)),
      setInstructionBreakpoints: (args) => {
        const { disassembly } = this.#open();
        return this.#set((session) => this.#breakpoints.setInstructions(session, disassembly, args));
      },
      setExceptionBreakpoints: (args) => this.#set((session) => this.#breakpoints.setFilters(session, args)),
      breakpointLocations: (args) => this.#breakpointLocations(args),
      exceptionInfo: () => {
        const { session, stop } = this.#stopped();
        return exceptionInfo(session, stop, this.#client);
      },

      continue: () => {
        this.#stopped().go('continue');
        return { allThreadsContinued: true };
      },
      next: (args) => this.#stopped().go(args.granularity === 'instruction' ? 'over-instruction' : 'over'),
      stepIn: (args) => this.#stopped().go(args.granularity === 'instruction' ? 'instruction' : 'into'),
      stepOut: () => this.#stopped().go('out'),
      stepBack: (args) => {
        if (args.granularity === 'instruction') this.#stopped().backOne();
        else this.#stopped().back('over');
      },
      reverseContinue: () => this.#stopped().back('continue'),
      pause: () => this.#open().pause(),
      gotoTargets: (args) => this.#stopped().gotoTargets(args),
      goto: (args) => this.#stopped().goto(args),
      restartFrame: (args) => this.#stopped().restartFrame(args),

      stackTrace: (args) => this.#stackTrace(args),
      scopes: (args) => ({ scopes: this.#stopped().inspector.scopes(args) }),
      variables: (args) => ({ variables: this.#stopped().inspector.variables(args) }),
      setVariable: (args) => this.#changing(({ inspector }) => inspector.setVariable(args)),
      evaluate: (args) => this.#evaluate(args),
      setExpression: (args) =>
        this.#changing(({ expressions, inspector }) => expressions.set(args, inspector.frame(args))),
      completions: (args) => this.#completions(args),
      readMemory: (args) => this.#stopped().memory.read(args),
      writeMemory: (args) => this.#changing(({ memory }) => memory.write(args)),
      disassemble: (args) => disassemble(this.#stopped().disassembly, args, this.#client),

      [mapStoryRequest]: () => this.#map.story(this.#open().session),
      [mapDetailsRequest]: (args) =>
        this.#map.details(this.#open().session, count(args, 'lane'), count(args, 'page'), count(args, 'state')),
      [mapGotoRequest]: (args) => this.#stopped().goToInstance(this.#map.instanceOf(count(args, 'state'))),
      [mapCloseNotification]: () => this.#map.close(),

      source: (args) => this.#source(args),
      loadedSources: () => ({
        sources: this.#open()
          .session.sources()
          .map((path) => this.#client.sources.toClient(path)),
      }),
    };
  }

  /** What the user changes from outside; what it changed is told once it is done. */
  #changing<T>(change: (debuggee: Debuggee) => T): T {
    const debuggee = this.#stopped();
    const body = change(debuggee);
    debuggee.changed();
    return body;
  }

  // ---------------------------------------------------------------- life of a session

  #initialize(args: Args): DebugProtocol.Capabilities {
    if (this.#initialized) throw new RequestError('initialize comes once.');
    this.#initialized = true;
    this.#client.introduce(args);
    return capabilities;
  }

  #launch(args: Args): void {
    if (this.#debuggee !== undefined || this.#terminated)
      throw new RequestError('launch comes once; restart runs it again.');
    this.#start(launchOf(args, this.#client));
    this.#client.afterwards(() => this.#client.event('initialized'));
  }

  /** In place of the debuggee that there is, unless this one cannot be. */
  #start(launch: Launch): Debuggee {
    const session = openLaunch(launch, this.#platform, this.#client);
    this.#debuggee?.dispose();
    this.#debuggee = new Debuggee(session, launch, this.#client, this.#platform, this.#breakpoints, {
      moved: (of, moved) => {
        for (const listener of this.#movedListeners) listener(of, moved);
      },
      finished: (exitCode) => this.#finished(exitCode),
    });
    return this.#debuggee;
  }

  #configurationDone(): void {
    const debuggee = this.#open();
    if (this.#configured) throw new RequestError('configurationDone comes once.');
    this.#configured = true;
    if (debuggee.launch.noDebug) {
      debuggee.session.filters.clear();
      for (const owner of ['functions', 'data', 'instructions']) debuggee.session.breakpoints.set(owner, []);
    }
    this.#client.afterwards(() => debuggee.begin());
  }

  #restart(args: Args): void {
    const old = this.#open();
    const { arguments: fresh } = args;
    const launch = isObject(fresh) && typeof fresh.program === 'string' ? launchOf(fresh, this.#client) : old.launch;
    const debuggee = this.#start(launch);
    const breakpoints = this.#breakpoints.reapply(debuggee.session);
    this.#configured = true;
    this.#client.afterwards(() => {
      for (const breakpoint of breakpoints) {
        if (breakpoint.id !== undefined)
          this.#client.event('breakpoint', { reason: 'changed', breakpoint: this.#client.place(breakpoint) });
      }
      debuggee.begin();
    });
  }

  #disconnect(): void {
    this.dispose();
    this.#terminated = true;
    this.#client.afterwards(this.#ended);
  }

  #finished(exitCode: number): void {
    this.#terminated = true;
    this.dispose();
    this.#client.event('exited', { exitCode });
    this.#client.event('terminated');
  }

  // ---------------------------------------------------------------- breakpoints

  #set(set: (session: DebugSession) => DebugProtocol.Breakpoint[]): { breakpoints: DebugProtocol.Breakpoint[] } {
    return { breakpoints: set(this.#open().session).map((one) => this.#client.place(one)) };
  }

  #setBreakpoints(args: Args): { breakpoints: DebugProtocol.Breakpoint[] } {
    const { launch } = this.#open();
    const path = this.#pathOf(args);
    if (launch.noDebug) return { breakpoints: list(args, 'breakpoints').map(() => ({ verified: false })) };
    const fromLine = (line: number): number => this.#client.fromLine(line);
    return this.#set((session) => this.#breakpoints.setSource(session, path, args, fromLine));
  }

  #breakpointLocations(args: Args): { breakpoints: DebugProtocol.BreakpointLocation[] } {
    const { session } = this.#open();
    const line = count(args, 'line');
    const places = this.#breakpoints.places(
      session,
      this.#pathOf(args),
      this.#client.fromLine(line),
      this.#client.fromLine(count(args, 'endLine', line)),
    );
    return { breakpoints: places.map((place) => this.#client.place(place)) };
  }

  #pathOf(args: Args): string {
    const path = this.#client.sources.fromClient(args.source);
    if (path === undefined) throw new RequestError('The argument source names no file.');
    return path;
  }

  // ---------------------------------------------------------------- looking

  #stackTrace(args: Args): DebugProtocol.StackTraceResponse['body'] {
    const { session, inspector } = this.#stopped();
    // The others wait between their steps: a scenario runs one actor at a time.
    if (count(args, 'threadId') !== session.actorThread + 1 && !(session.isOver && args.threadId === 1))
      return { stackFrames: [], totalFrames: 0 };
    const { stackFrames, totalFrames } = inspector.stackTrace(args);
    return { stackFrames: stackFrames.map((frame) => this.#client.place(frame)), totalFrames };
  }

  #evaluate(args: Args): DebugProtocol.EvaluateResponse['body'] {
    const { expressions, inspector } = this.#stopped();
    const assignment = expressions.assignment(args);
    if (assignment === undefined) return expressions.evaluate(args, inspector.frame(args));
    const { value, type } = this.#changing(() => expressions.set({ ...args, ...assignment }, inspector.frame(args)));
    return { result: value, variablesReference: 0, ...(type === undefined ? {} : { type }) };
  }

  #completions(args: Args): DebugProtocol.CompletionsResponse['body'] {
    const { session, inspector } = this.#stopped();
    const column = this.#client.fromColumn(count(args, 'column'));
    const line = text(args, 'text').slice(0, Math.max(0, column));
    return { targets: completions(session, inspector.frame(args), line) };
  }

  #source(args: Args): DebugProtocol.SourceResponse['body'] {
    const content = this.#client.sources.text(args.source, count(args, 'sourceReference', 0));
    if (content === undefined) throw new RequestError('There is no such source.');
    return { content, mimeType: 'text/x-c' };
  }
}
