// The debug adapter: one client, one session, messages in and out as plain objects. Free of platform; stdio, VS Code and tests only carry messages.
//
// initialize → launch (the session opens; `initialized` is sent) → breakpoints → configurationDone (it runs) → … → terminated. What comes in another
// order is refused with a message. A motion works in slices and gives way to other messages, so `pause` and `disconnect` always come through.

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { CheckerOptions, FileHost } from '../../../engine/check.ts';
import { causesOf, describeEvent } from '../../../engine/debug/event-text.ts';
import { exceptionFilters } from '../../../engine/debug/exceptions.ts';
import type { MotionKind, Stop } from '../../../engine/debug/motion.ts';
import { type DebugSession, openSession } from '../../../engine/debug/session.ts';
import { MODEL_SCHEME } from '../../../engine/models/model.ts';
import { unitResult } from '../../../engine/run/report.ts';
import { resolveUri } from '../../common/uri.ts';
import { BreakpointStore } from './breakpoint-store.ts';
import { capabilities } from './capabilities.ts';
import { Inspector } from './inspector.ts';
import { stepOf } from './page-rows.ts';
import type { AdapterOptions, DebugPlatform } from './platform.ts';
import { count, flag, isObject, list, optionalText, RequestError, text, texts } from './requests.ts';
import { Sources } from './sources.ts';

/** Ticks run before the clock is looked at. */
const SLICE = 20_000;
/** Milliseconds that a motion may work before it lets messages through. */
const TURN = 10;
/** Targets of a `goto` listed for one line: a loop can pass it millions of times. */
const MOST_TARGETS = 50;

type Args = Record<string, unknown>;
type Handler = (args: Args) => unknown;

interface Launched {
  args: Args;
  program: string;
}

/** What has become of a session: it rests elsewhere, it was changed from outside (a what-if), or it is gone. */
export type Moved = 'position' | 'memory' | 'ended';

export class DebugAdapter {
  readonly #send: (message: DebugProtocol.ProtocolMessage) => void;
  readonly #platform: DebugPlatform;
  readonly #sources: Sources;
  readonly #breakpoints: BreakpointStore;
  readonly #ended: () => void;
  #seq = 1;
  /** What the client counts from. */
  #firstLine = 1;
  #firstColumn = 1;
  #client: Args = {};
  #initialized = false;
  #launched: Launched | undefined;
  #session: DebugSession | undefined;
  #inspector: Inspector | undefined;
  #configured = false;
  #moving = false;
  /** Counts motions, so that a slice that was put off knows it is of an old one. */
  #motion = 0;
  #stop: Stop | undefined;
  #terminated = false;
  #targets: ({ tick: number } | { instruction: number })[] = [];
  #handlers: Readonly<Record<string, Handler>> = this.#makeHandlers();

  /** @param ended called when the client has disconnected */
  constructor(
    send: (message: DebugProtocol.ProtocolMessage) => void,
    platform: DebugPlatform,
    options: AdapterOptions,
    ended: () => void = () => {},
  ) {
    this.#send = send;
    this.#platform = platform;
    this.#sources = new Sources(platform, options);
    this.#breakpoints = new BreakpointStore(this.#sources);
    this.#ended = ended;
  }

  /** A message of the client's. Never throws. */
  receive(message: unknown): void {
    if (!isObject(message) || message.type !== 'request') return;
    const { seq, command } = message;
    const answer = {
      type: 'response',
      request_seq: typeof seq === 'number' ? seq : 0,
      command: typeof command === 'string' ? command : '',
    };
    const handler = Object.hasOwn(this.#handlers, answer.command) ? this.#handlers[answer.command] : undefined;
    try {
      if (handler === undefined) throw new RequestError(`There is no request ${answer.command}.`);
      if (!this.#initialized && command !== 'initialize' && command !== 'disconnect')
        throw new RequestError('The first request must be initialize.');
      const args = message.arguments ?? {};
      if (!isObject(args)) throw new RequestError('The arguments must be an object.');
      const body = handler(args);
      this.#post({ ...answer, success: true, ...(body === undefined ? {} : { body }) });
    } catch (error) {
      const bug = !(error instanceof RequestError);
      const words = error instanceof Error ? error.message : String(error);
      if (bug)
        this.#output(`Internal error, please report it: ${error instanceof Error ? error.stack : words}\n`, 'stderr');
      this.#post({
        ...answer,
        success: false,
        message: words,
        body: {
          error: {
            id: bug ? 2 : 1,
            format: words.replaceAll('{', '{{').replaceAll('}', '}}'),
            showUser: command === 'launch' || bug,
          },
        },
      });
    }
    // After the answer, as the protocol has it.
    for (const next of this.#afterwards.splice(0)) next();
  }

  readonly #afterwards: (() => void)[] = [];
  readonly #movedListeners = new Set<(session: DebugSession, moved: Moved) => void>();

  /**
   * For views beside the debugger. Called after the messages about it have been sent; not while a session runs. `restart` makes another session:
   * keep none. Returns what ends it.
   */
  onMoved(listener: (session: DebugSession, moved: Moved) => void): () => void {
    this.#movedListeners.add(listener);
    return () => this.#movedListeners.delete(listener);
  }

  #tellMoved(moved: Moved): void {
    const session = this.#session;
    if (session !== undefined) for (const listener of this.#movedListeners) listener(session, moved);
  }

  dispose(): void {
    this.#motion++;
    this.#moving = false;
    this.#tellMoved('ended');
    this.#session?.dispose();
    this.#session = undefined;
  }

  #post(message: object): void {
    this.#send({ seq: this.#seq++, ...message } as DebugProtocol.ProtocolMessage);
  }

  #event(event: string, body?: object): void {
    this.#post({ type: 'event', event, ...(body === undefined ? {} : { body }) });
  }

  #output(
    output: string,
    category: string,
    location?: { path: string; range: { start: { line: number; character: number } } },
  ): void {
    const at =
      location === undefined
        ? {}
        : {
            source: this.#sources.toClient(location.path),
            line: location.range.start.line + this.#firstLine,
            column: location.range.start.character + this.#firstColumn,
          };
    this.#event('output', { category, output, ...at });
  }

  // ---------------------------------------------------------------- what requests need

  #open(): { session: DebugSession; inspector: Inspector } {
    if (this.#session === undefined || this.#inspector === undefined)
      throw new RequestError(this.#terminated ? 'The session has ended.' : 'Nothing has been launched.');
    return { session: this.#session, inspector: this.#inspector };
  }

  #stopped(): { session: DebugSession; inspector: Inspector } {
    const open = this.#open();
    if (!this.#configured) throw new RequestError('The session is being configured; configurationDone starts it.');
    if (this.#moving) throw new RequestError('The scenario is running.');
    return open;
  }

  /** A list of places with lines and columns from 0, in the client's counting. */
  #place<T extends { line?: number; column?: number; endLine?: number; endColumn?: number }>(place: T): T {
    return {
      ...place,
      ...(place.line === undefined ? {} : { line: place.line + this.#firstLine }),
      ...(place.column === undefined ? {} : { column: place.column + this.#firstColumn }),
      ...(place.endLine === undefined ? {} : { endLine: place.endLine + this.#firstLine }),
      ...(place.endColumn === undefined ? {} : { endColumn: place.endColumn + this.#firstColumn }),
    };
  }

  #makeHandlers(): Record<string, Handler> {
    return {
      initialize: (args) => this.#initialize(args),
      launch: (args) => this.#launch(args),
      configurationDone: () => this.#configurationDone(),
      restart: (args) => this.#restart(args),
      terminate: () => this.#terminate(),
      disconnect: () => this.#disconnect(),
      threads: () => ({
        threads: this.#open()
          .session.actors()
          .map((name, i) => ({ id: i + 1, name })),
      }),

      setBreakpoints: (args) => this.#setBreakpoints(args),
      setFunctionBreakpoints: (args) => this.#answer(this.#breakpoints.setFunctions(this.#open().session, args)),
      dataBreakpointInfo: (args) => this.#open().inspector.dataBreakpointInfo(args),
      setDataBreakpoints: (args) => this.#answer(this.#breakpoints.setData(this.#open().session, args)),
      setExceptionBreakpoints: (args) => this.#answer(this.#breakpoints.setFilters(this.#open().session, args)),
      breakpointLocations: (args) => this.#breakpointLocations(args),
      exceptionInfo: () => this.#exceptionInfo(),

      continue: () => {
        this.#continue();
        return { allThreadsContinued: true };
      },
      next: (args) => this.#step(args.granularity === 'instruction' ? 'over-instruction' : 'over'),
      stepIn: (args) => this.#step(args.granularity === 'instruction' ? 'instruction' : 'into'),
      stepOut: () => this.#step('out'),
      stepBack: (args) => this.#stepBack(args),
      reverseContinue: () => this.#back('continue'),
      pause: () => this.#pause(),
      gotoTargets: (args) => this.#gotoTargets(args),
      goto: (args) => this.#goto(args),
      restartFrame: (args) => this.#restartFrame(args),

      stackTrace: (args) => this.#stackTrace(args),
      scopes: (args) => ({ scopes: this.#stopped().inspector.scopes(args) }),
      variables: (args) => ({ variables: this.#stopped().inspector.variables(args) }),
      setVariable: (args) => this.#changed(this.#stopped().inspector.setVariable(args)),
      evaluate: (args) => this.#stopped().inspector.evaluate(args),
      setExpression: (args) => this.#changed(this.#stopped().inspector.setExpression(args)),
      completions: (args) => this.#completions(args),
      readMemory: (args) => this.#stopped().inspector.readMemory(args),
      writeMemory: (args) => this.#writeMemory(args),

      source: (args) => this.#source(args),
      loadedSources: () => ({ sources: this.#loadedPaths().map((path) => this.#sources.toClient(path)) }),
    };
  }

  // ---------------------------------------------------------------- life of a session

  #initialize(args: Args): DebugProtocol.Capabilities {
    if (this.#initialized) throw new RequestError('initialize comes once.');
    this.#initialized = true;
    this.#client = args;
    this.#firstLine = args.linesStartAt1 === false ? 0 : 1;
    this.#firstColumn = args.columnsStartAt1 === false ? 0 : 1;
    this.#sources.byUri = args.pathFormat === 'uri';
    return capabilities;
  }

  #launch(args: Args): void {
    if (this.#launched !== undefined) throw new RequestError('launch comes once; restart runs it again.');
    const launched = { args, program: this.#sources.fileFromClient(text(args, 'program')) };
    this.#openSession(launched);
    this.#launched = launched;
    this.#afterwards.push(() => this.#event('initialized'));
  }

  #openSession({ args, program }: Launched): void {
    const read = this.#platform.readFile(program);
    if ('error' in read) throw new RequestError(`${text(args, 'program')} cannot be read: ${read.error}.`);
    const host: FileHost = {
      resolve: (from, relative) => resolveUri(from, relative) ?? relative,
      read: (uri) => this.#platform.readFile(uri),
    };
    const resolve = (kind: 'patch' | 'source') => (path: string) => ({ kind, path: host.resolve(program, path) });
    const kernel = optionalText(args, 'kernel');
    const options: CheckerOptions = {
      overrides: [...texts(args, 'patches').map(resolve('patch')), ...texts(args, 'sources').map(resolve('source'))],
      ...(kernel === undefined ? {} : { kernel }),
    };
    const scenario = optionalText(args, 'scenario');
    const session = openSession(
      { path: program, text: read.text, host, options, ...(scenario === undefined ? {} : { scenario }) },
      {
        log: (line) => this.#output(`${line}\n`, 'console'),
        printk: (line, location) => this.#output(`${line}\n`, 'stdout', location),
        finding: (finding, severity, line, location) =>
          this.#output(`${severity} ${finding.rule}: ${line}\n`, severity === 'error' ? 'stderr' : 'console', location),
      },
    );
    if ('error' in session) throw new RequestError(session.error);
    this.#tellMoved('ended');
    this.#session?.dispose();
    this.#session = session;
    this.#inspector = new Inspector(session, this.#sources);
    if (flag(args, 'noDebug')) session.filters.clear();
  }

  #configurationDone(): void {
    const { session } = this.#open();
    if (this.#configured) throw new RequestError('configurationDone comes once.');
    this.#configured = true;
    if (this.#isNoDebug) {
      session.filters.clear();
      for (const owner of ['functions', 'data']) session.breakpoints.set(owner, []);
    }
    this.#afterwards.push(() => this.#begin());
  }

  get #isNoDebug(): boolean {
    return this.#launched !== undefined && flag(this.#launched.args, 'noDebug');
  }

  #begin(): void {
    if (this.#launched !== undefined && flag(this.#launched.args, 'stopOnEntry') && !this.#isNoDebug)
      this.#arrive({ reason: 'entry', text: 'The beginning of the scenario', breakpoints: [] });
    else this.#go('continue', true);
  }

  #restart(args: Args): void {
    this.#open();
    const { arguments: fresh } = args;
    const launched = this.#launched as Launched;
    const next =
      isObject(fresh) && typeof fresh.program === 'string'
        ? { args: fresh, program: this.#sources.fileFromClient(fresh.program) }
        : launched;
    this.#motion++;
    this.#moving = false;
    this.#openSession(next);
    this.#launched = next;
    const breakpoints = this.#breakpoints.reapply(this.#open().session);
    this.#configured = true;
    this.#afterwards.push(() => {
      for (const breakpoint of breakpoints) {
        if (breakpoint.id !== undefined)
          this.#event('breakpoint', { reason: 'changed', breakpoint: this.#place(breakpoint) });
      }
      this.#begin();
    });
  }

  #terminate(): void {
    this.#open();
    this.#afterwards.push(() => this.#end());
  }

  #disconnect(): void {
    this.dispose();
    this.#terminated = true;
    this.#afterwards.push(this.#ended);
  }

  #end(): void {
    if (this.#terminated) return;
    this.#terminated = true;
    const status = this.#session === undefined ? 'error' : unitResult(this.#session.run).status;
    this.dispose();
    this.#event('exited', { exitCode: status === 'passed' ? 0 : 1 });
    this.#event('terminated');
  }

  // ---------------------------------------------------------------- breakpoints

  #answer(breakpoints: DebugProtocol.Breakpoint[]): { breakpoints: DebugProtocol.Breakpoint[] } {
    return { breakpoints: breakpoints.map((one) => this.#place(one)) };
  }

  #setBreakpoints(args: Args): { breakpoints: DebugProtocol.Breakpoint[] } {
    const { session } = this.#open();
    const path = this.#sources.fromClient(args.source as DebugProtocol.Source | undefined);
    if (path === undefined) throw new RequestError('The argument source names no file.');
    if (this.#isNoDebug) return { breakpoints: list(args, 'breakpoints').map(() => ({ verified: false })) };
    return this.#answer(this.#breakpoints.setSource(session, path, args, (line) => line - this.#firstLine));
  }

  #breakpointLocations(args: Args): { breakpoints: DebugProtocol.BreakpointLocation[] } {
    const { session } = this.#open();
    const path = this.#sources.fromClient(args.source as DebugProtocol.Source | undefined);
    if (path === undefined) throw new RequestError('The argument source names no file.');
    const first = count(args, 'line') - this.#firstLine;
    const last = count(args, 'endLine', first + this.#firstLine) - this.#firstLine;
    const places = [
      ...session.scenarioPlaces.filter(({ location }) => location.path === path),
      ...session.codePlaces.of(path),
    ];
    const found = new Map<string, DebugProtocol.BreakpointLocation>();
    for (const { location } of places) {
      const { start } = location.range;
      if (start.line < first || start.line > last) continue;
      found.set(`${start.line} ${start.character}`, this.#place({ line: start.line, column: start.character }));
    }
    return { breakpoints: [...found.values()].sort((a, b) => a.line - b.line || (a.column ?? 0) - (b.column ?? 0)) };
  }

  #exceptionInfo(): DebugProtocol.ExceptionInfoResponse['body'] {
    const { session } = this.#stopped();
    const stop = this.#stop;
    if (stop?.reason !== 'exception' || stop.filter === undefined)
      throw new RequestError('It did not stop at an exception.');
    const filter = exceptionFilters.find(({ id }) => id === stop.filter);
    const finding = stop.finding === undefined ? undefined : session.run.findings[stop.finding];
    const site =
      finding?.site ?? (finding?.event === undefined ? undefined : session.machine.siteOfEvent(finding.event));
    const frames = site === undefined ? [] : session.machine.framesOf(site);
    const cause = finding?.event ?? finding?.since ?? stop.event ?? -1;
    const why = causesOf(session.machine, cause).map(
      (e) => `${stepOf(session, e)}: ${describeEvent(session.machine, e)}`,
    );
    const trace = frames.map(
      ({ function: name, location }) =>
        `at ${name}() (${this.#sources.toClient(location.path).name}:${location.range.start.line + 1})`,
    );
    return {
      exceptionId: finding?.rule ?? stop.filter,
      description: stop.text ?? '',
      breakMode: 'always',
      details: {
        ...(stop.text === undefined ? {} : { message: stop.text }),
        typeName: finding?.rule ?? stop.filter,
        fullTypeName: filter?.description ?? stop.filter,
        stackTrace: [
          ...trace,
          ...(why.length === 0 ? [] : ['how it came to be so, newest first:', ...why.map((line) => `  ${line}`)]),
        ].join('\n'),
      },
    };
  }

  // ---------------------------------------------------------------- moving

  #continue(): void {
    const { session } = this.#stopped();
    if (session.isOver) this.#afterwards.push(() => this.#end());
    else this.#afterwards.push(() => this.#go('continue'));
  }

  #step(kind: MotionKind): void {
    const { session } = this.#stopped();
    if (session.isOver) this.#afterwards.push(() => this.#end());
    else this.#afterwards.push(() => this.#go(kind));
  }

  #stepBack(args: Args): void {
    const { session } = this.#stopped();
    if (args.granularity === 'instruction') this.#afterwards.push(() => this.#arrive(session.backOne()));
    else this.#back('over');
  }

  #back(kind: 'continue' | 'over'): void {
    const { session } = this.#stopped();
    this.#afterwards.push(() => {
      session.startBack(kind);
      this.#drive();
    });
  }

  /** @param fromHere what is wanted before the first instruction counts as well: the run begins. */
  #go(kind: MotionKind, fromHere = false): void {
    const { session } = this.#open();
    const here = fromHere ? session.stopHere() : undefined;
    if (here !== undefined) {
      this.#arrive(here);
      return;
    }
    session.start(kind);
    this.#drive();
  }

  #drive(): void {
    this.#moving = true;
    this.#inspector?.forget();
    const motion = ++this.#motion;
    const turn = (): void => {
      const session = this.#session;
      if (motion !== this.#motion || session === undefined) return;
      const until = this.#platform.now() + TURN;
      do {
        const stop = session.advance(SLICE);
        if (stop !== undefined) {
          this.#arrive(stop);
          return;
        }
      } while (this.#platform.now() < until);
      this.#platform.soon(turn);
    };
    turn();
  }

  #pause(): void {
    const { session } = this.#open();
    if (!this.#moving) return;
    this.#motion++;
    const stop = session.pause();
    this.#afterwards.push(() => this.#arrive(stop));
  }

  #arrive(stop: Stop): void {
    const session = this.#session as DebugSession;
    this.#motion++;
    this.#moving = false;
    this.#stop = stop;
    this.#inspector?.forget();
    this.#tellStop(session, stop);
    this.#tellMoved('position');
  }

  #tellStop(session: DebugSession, stop: Stop): void {
    if (stop.reason === 'end') {
      const { status, steps } = unitResult(session.run);
      this.#output(`"${session.unit.name}": ${status}, ${steps} ${steps === 1 ? 'step' : 'steps'}\n`, 'important');
      if (this.#isNoDebug || this.#launched?.args.stopAtEnd === false) {
        this.#end();
        return;
      }
      this.#event('stopped', {
        reason: 'end',
        description: 'At the end of the scenario',
        text: `The scenario has ended: ${status}. Step back, or continue to finish.`,
        threadId: 1,
        allThreadsStopped: true,
      });
      return;
    }
    this.#event('stopped', {
      reason: this.#reasonOf(stop),
      ...(stop.text === undefined
        ? {}
        : { description: stop.reason === 'exception' ? `Paused on ${stop.filter}` : stop.text, text: stop.text }),
      threadId: session.actorThread + 1,
      allThreadsStopped: true,
      ...(stop.breakpoints.length === 0 ? {} : { hitBreakpointIds: stop.breakpoints }),
    });
  }

  #reasonOf(stop: Stop): string {
    if (stop.reason === 'data') return 'data breakpoint';
    if (stop.reason !== 'breakpoint') return stop.reason;
    return stop.breakpoints.every((id) => this.#breakpoints.kindOf(id) === 'function')
      ? 'function breakpoint'
      : 'breakpoint';
  }

  #gotoTargets(args: Args): { targets: DebugProtocol.GotoTarget[] } {
    const { session } = this.#stopped();
    const path = this.#sources.fromClient(args.source as DebugProtocol.Source | undefined);
    const line = count(args, 'line') - this.#firstLine;
    const here = session.scenarioPlaces.filter(
      ({ location }) => location.path === path && location.range.start.line === line,
    );
    const targets: DebugProtocol.GotoTarget[] = [];
    this.#targets = [];
    const add = (target: { tick: number } | { instruction: number }, label: string): void => {
      if (targets.length >= MOST_TARGETS) return;
      this.#targets.push(target);
      targets.push({ id: this.#targets.length, label, line: line + this.#firstLine });
    };
    for (const { pc } of here) {
      let times = 0;
      for (let instance = 0; instance < session.run.executed; instance++) {
        const tick = session.run.positionOf(instance) === pc ? session.timeline.startOf(instance) : undefined;
        if (tick !== undefined) add({ tick }, `line ${line + 1}, time ${++times}`);
      }
      if (!session.isOver) add({ instruction: pc }, times === 0 ? `line ${line + 1}` : `line ${line + 1}, next time`);
    }
    return { targets };
  }

  #goto(args: Args): void {
    const { session } = this.#stopped();
    const target = this.#targets[count(args, 'targetId') - 1];
    if (target === undefined) throw new RequestError('There is no such target now.');
    let stop: Stop = { reason: 'goto', breakpoints: [] };
    if ('tick' in target) stop = session.goTo(target.tick);
    else if (!session.runTo(target.instruction)) throw new RequestError('The run does not come by here again.');
    this.#afterwards.push(() => this.#arrive(stop));
  }

  #restartFrame(args: Args): void {
    const { session, inspector } = this.#stopped();
    const frame = inspector.frame({ frameId: count(args, 'frameId') });
    if (frame?.kind === 'c') {
      this.#afterwards.push(() => {
        session.startBackToEntry(frame.view);
        this.#drive();
      });
      return;
    }
    const start = session.run.isInCall ? session.timeline.startOf(session.run.executed - 1) : session.timeline.now;
    const stop = session.goTo(start ?? 0);
    this.#afterwards.push(() => this.#arrive(stop));
  }

  // ---------------------------------------------------------------- looking

  #stackTrace(args: Args): DebugProtocol.StackTraceResponse['body'] {
    const { session, inspector } = this.#stopped();
    // The others wait between their steps: a scenario runs one actor at a time.
    if (count(args, 'threadId') !== session.actorThread + 1 && !(session.isOver && args.threadId === 1))
      return { stackFrames: [], totalFrames: 0 };
    const { stackFrames, totalFrames } = inspector.stackTrace(args);
    return { stackFrames: stackFrames.map((frame) => this.#place(frame)), totalFrames };
  }

  #completions(args: Args): { targets: DebugProtocol.CompletionItem[] } {
    const { inspector } = this.#stopped();
    const targets = inspector.completions({ ...args, column: count(args, 'column') - this.#firstColumn });
    return {
      targets: targets.map((item) => ({ ...item, ...(item.start === undefined ? {} : { start: item.start }) })),
    };
  }

  /** The client's view of what it changed is right already; what else depends on it is not. */
  #changed<T>(body: T): T {
    this.#afterwards.push(() => {
      if (this.#client.supportsInvalidatedEvent === true) this.#event('invalidated', { areas: ['variables'] });
      if (this.#client.supportsMemoryEvent === true)
        this.#event('memory', {
          memoryReference: 'rmp:0x0',
          offset: 0,
          count: (this.#session?.machine.hardware.rmp.coveredPages ?? 0) * 16,
        });
      this.#tellMoved('memory');
    });
    return body;
  }

  #writeMemory(args: Args): DebugProtocol.WriteMemoryResponse['body'] {
    const { bytesWritten } = this.#stopped().inspector.writeMemory(args);
    return this.#changed({ bytesWritten });
  }

  #source(args: Args): DebugProtocol.SourceResponse['body'] {
    const content = this.#sources.text(
      args.source as DebugProtocol.Source | undefined,
      count(args, 'sourceReference', 0),
    );
    if (content === undefined) throw new RequestError('There is no such source.');
    return { content, mimeType: 'text/x-c' };
  }

  #loadedPaths(): string[] {
    const { session } = this.#open();
    const own = [session.path, ...session.program.imports.map(({ path }) => path)];
    const c = session.codePlaces.paths();
    return [
      ...new Set([
        ...own,
        ...c.filter((path) => !path.startsWith(MODEL_SCHEME)),
        ...c.filter((path) => path.startsWith(MODEL_SCHEME)),
      ]),
    ];
  }
}
