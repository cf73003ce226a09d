// One session as it is driven: motions in slices that give way to other messages, where it stopped, and what the client is told of that. `restart`
// makes another one.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { Disassembly } from '../../../engine/debug/disassembly.ts';
import type { MotionKind, Stop } from '../../../engine/debug/motion.ts';
import type { DebugSession } from '../../../engine/debug/session.ts';
import { unitResult } from '../../../engine/run/report.ts';
import type { BreakpointStore } from './breakpoint-store.ts';
import type { Client } from './client.ts';
import { Expressions } from './expressions.ts';
import { Handles } from './handles.ts';
import { Inspector } from './inspector.ts';
import type { Launch } from './launch.ts';
import { RmpMemory } from './memory.ts';
import type { DebugPlatform } from './platform.ts';
import { type Args, count, RequestError } from './requests.ts';

/** Ticks run before the clock is looked at. */
const SLICE = 20_000;
/** Milliseconds that a motion may work before it lets messages through. */
const TURN = 10;
/** Targets of a `goto` listed for one line: a loop can pass it millions of times. */
const MOST_TARGETS = 50;

/** `pending`: of the line of a call, in front of what it leads to. */
type GotoTarget = ({ tick: number } | { instruction: number }) & { pending: number };

/** What has become of a session: it rests elsewhere, it was changed from outside (a what-if), or it is gone. */
export type Moved = 'position' | 'memory' | 'ended';

/** Whom a debuggee tells. */
export interface Owner {
  /** After the client has been told. */
  moved(session: DebugSession, moved: Moved): void;
  /** The run is over and nobody wants to look at it any more. */
  finished(exitCode: number): void;
}

export class Debuggee {
  readonly session: DebugSession;
  readonly inspector: Inspector;
  readonly expressions: Expressions;
  readonly memory: RmpMemory;
  readonly disassembly: Disassembly;
  readonly launch: Launch;
  readonly #client: Client;
  readonly #platform: DebugPlatform;
  readonly #breakpoints: BreakpointStore;
  readonly #owner: Owner;
  #moving = false;
  /** Counts motions, so that a slice that was put off knows it is of an old one. */
  #motion = 0;
  #stop: Stop | undefined;
  /** The tick at which the client has last looked. */
  #shown = 0;
  #targets: GotoTarget[] = [];

  constructor(
    session: DebugSession,
    launch: Launch,
    client: Client,
    platform: DebugPlatform,
    breakpoints: BreakpointStore,
    owner: Owner,
  ) {
    this.session = session;
    this.launch = launch;
    const handles = new Handles();
    this.inspector = new Inspector(session, client.sources, handles);
    this.expressions = new Expressions(session, handles);
    this.memory = new RmpMemory(session);
    this.disassembly = new Disassembly(session);
    this.#client = client;
    this.#platform = platform;
    this.#breakpoints = breakpoints;
    this.#owner = owner;
  }

  get isMoving(): boolean {
    return this.#moving;
  }

  /** Why it last stopped. */
  get stop(): Stop | undefined {
    return this.#stop;
  }

  /** Let go of the machine. */
  dispose(): void {
    this.#halt();
    this.#owner.moved(this.session, 'ended');
    this.session.dispose();
  }

  #halt(): void {
    this.#motion++;
    this.#moving = false;
  }

  // ---------------------------------------------------------------- moving

  begin(): void {
    const { session, launch } = this;
    if (launch.stopOnEntry && !launch.noDebug) {
      this.#arrive({ reason: 'entry', text: 'The beginning of the scenario', breakpoints: [] });
      return;
    }
    // What is wanted before the first instruction counts as well.
    const here = session.stopHere();
    if (here !== undefined) this.#arrive(here);
    else {
      session.start('continue');
      this.#drive();
    }
  }

  /** Over it is over: whoever goes on there ends the session. */
  go(kind: MotionKind): void {
    this.#client.afterwards(() => {
      if (this.session.isOver) this.#end();
      else {
        this.session.start(kind);
        this.#drive();
      }
    });
  }

  back(kind: 'continue' | 'over'): void {
    this.#client.afterwards(() => {
      this.session.startBack(kind);
      this.#drive();
    });
  }

  backOne(): void {
    this.#client.afterwards(() => this.#arrive(this.session.backOne()));
  }

  pause(): void {
    if (!this.#moving) return;
    this.#halt();
    const stop = this.session.pause();
    this.#client.afterwards(() => this.#arrive(stop));
  }

  terminate(): void {
    this.#client.afterwards(() => this.#end());
  }

  #drive(): void {
    this.#moving = true;
    this.inspector.forget();
    const motion = ++this.#motion;
    const turn = (): void => {
      if (motion !== this.#motion) return;
      const stop = this.#turn();
      if (stop === undefined) this.#platform.soon(turn);
      else this.#arrive(stop);
    };
    turn();
  }

  #turn(): Stop | undefined {
    const until = this.#platform.now() + TURN;
    try {
      do {
        const stop = this.session.advance(SLICE);
        if (stop !== undefined) return stop;
      } while (this.#platform.now() < until);
    } catch (error) {
      this.#client.bug(error);
      return { ...this.session.pause(), text: 'An internal error; see the debug console.' };
    }
    return undefined;
  }

  // ---------------------------------------------------------------- arriving

  #arrive(stop: Stop): void {
    this.#halt();
    this.#stop = stop;
    this.inspector.forget();
    if (stop.reason === 'end') {
      const { status, steps } = unitResult(this.session.run);
      const name = this.session.unit.name;
      this.#client.output(`"${name}": ${status}, ${steps} ${steps === 1 ? 'step' : 'steps'}\n`, 'important');
      if (this.launch.noDebug || !this.launch.stopAtEnd) {
        this.#end();
        return;
      }
    }
    this.#client.event('stopped', this.#describe(stop));
    const { tick } = this.session;
    if (tick !== this.#shown) this.#tellMemory();
    this.#shown = tick;
    this.#owner.moved(this.session, 'position');
  }

  #describe(stop: Stop): DebugProtocol.StoppedEvent['body'] {
    if (stop.reason === 'end') {
      const { status } = unitResult(this.session.run);
      return {
        reason: 'end',
        description: 'At the end of the scenario',
        text: `The scenario has ended: ${status}. Step back, or continue to finish.`,
        threadId: 1,
        allThreadsStopped: true,
      };
    }
    const words = stop.text === undefined ? {} : { description: descriptionOf(stop), text: stop.text };
    return {
      reason: this.#reasonOf(stop),
      ...words,
      threadId: this.session.actorThread + 1,
      allThreadsStopped: true,
      ...(stop.breakpoints.length === 0 ? {} : { hitBreakpointIds: [...stop.breakpoints] }),
    };
  }

  #reasonOf(stop: Stop): string {
    if (stop.reason === 'data') return 'data breakpoint';
    if (stop.reason !== 'breakpoint') return stop.reason;
    const kinds = new Set(stop.breakpoints.map((id) => this.#breakpoints.kindOf(id)));
    const [kind] = kinds;
    return kinds.size !== 1 || kind === 'source' ? 'breakpoint' : `${kind} breakpoint`;
  }

  #end(): void {
    this.#halt();
    this.#owner.finished(unitResult(this.session.run).status === 'passed' ? 0 : 1);
  }

  /** The client's view of what it changed is right already; what else depends on it is not. */
  changed(): void {
    this.#client.afterwards(() => {
      if (this.#client.takes('supportsInvalidatedEvent')) this.#client.event('invalidated', { areas: ['variables'] });
      this.#tellMemory();
      this.#owner.moved(this.session, 'memory');
    });
  }

  #tellMemory(): void {
    if (this.#client.takes('supportsMemoryEvent')) this.#client.event('memory', this.memory.all());
  }

  // ---------------------------------------------------------------- landing elsewhere

  gotoTargets(args: Args): { targets: DebugProtocol.GotoTarget[] } {
    const { session } = this;
    const path = this.#client.sources.fromClient(args.source);
    const line = this.#client.fromLine(count(args, 'line'));
    const targets: DebugProtocol.GotoTarget[] = [];
    this.#targets = [];
    const add = (target: GotoTarget, label: string): void => {
      if (targets.length >= MOST_TARGETS) return;
      this.#targets.push(target);
      targets.push({ id: this.#targets.length, label, line: this.#client.toLine(line) });
    };
    for (const { pc, pending = 0, location } of session.scenarioPlaces) {
      if (location.path !== path || location.range.start.line !== line) continue;
      let times = 0;
      for (let instance = 0; instance < session.run.executed; instance++) {
        const tick = session.run.positionOf(instance) === pc ? session.timeline.startOf(instance) : undefined;
        if (tick !== undefined) add({ tick, pending }, `line ${line + 1}, time ${++times}`);
      }
      if (!session.isOver)
        add({ instruction: pc, pending }, times === 0 ? `line ${line + 1}` : `line ${line + 1}, next time`);
    }
    return { targets };
  }

  goto(args: Args): void {
    const { session } = this;
    const target = this.#targets[count(args, 'targetId') - 1];
    if (target === undefined) throw new RequestError('There is no such target now.');
    this.#client.afterwards(() => {
      if ('tick' in target) this.#arrive(session.goTo(target.tick, target.pending));
      else {
        session.startTo(target.instruction, target.pending);
        this.#drive();
      }
    });
  }

  /** To where that many instructions of the scenario have been executed, backwards or forwards. */
  goToInstance(instances: number): void {
    const { session } = this;
    this.#client.afterwards(() => {
      const { run, timeline } = session;
      const tick = instances < run.executed ? timeline.startOf(instances) : undefined;
      const isHere = instances === run.executed && !run.isInCall;
      if (tick !== undefined) this.#arrive(session.goTo(tick));
      else if (isHere || (session.isOver && instances > run.executed)) this.#arrive(session.goTo(timeline.now));
      else {
        session.startToInstance(instances);
        this.#drive();
      }
    });
  }

  /** Back to where a function was entered, or the step that a scenario's line stands for began. */
  restartFrame(args: Args): void {
    const { session } = this;
    const frame = this.inspector.frame({ frameId: count(args, 'frameId') });
    this.#client.afterwards(() => {
      if (frame?.kind === 'c') {
        session.startBackToEntry(frame.view);
        this.#drive();
        return;
      }
      const { run, timeline } = session;
      const start = run.isInCall ? timeline.startOf(run.executed - 1) : timeline.now;
      this.#arrive(session.goTo(start ?? 0));
    });
  }
}

/** What the call stack says in a few words; the rest is in `text`. */
function descriptionOf({ reason, filter, text }: Stop): string {
  if (reason === 'exception')
    return filter === 'failed' ? 'Paused on a failed outcome' : `Paused on ${filter?.replace(':', ' ')}`;
  if (reason === 'data') return 'Paused on a data breakpoint';
  return text ?? '';
}
