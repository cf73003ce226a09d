/**
 * What a session stops at: its breakpoints, its exception filters, their conditions. Motions ask; what only says something says it on the way.
 */
import { formatOutcome } from '../run/outcome.ts';
import { consult } from './breakpoints.ts';
import { evaluateC } from './c-expression.ts';
import { formatC, peek, scalarOf } from './c-values.ts';
import type { CodeBreaks } from './code-breaks.ts';
import { WATCHED_KINDS } from './data-watch.ts';
import { describeEvent } from './event-text.ts';
import { filterOfEvent } from './exceptions.ts';
import type { Interests, Stop } from './motion.ts';
import type { DebugSession } from './session.ts';
import { decide, type Hit, onCondition } from './strategy.ts';
import type { Wanted } from './timeline.ts';

export class Stopping implements Interests {
  private readonly session: DebugSession;
  private readonly log: (text: string) => void;

  /** @param log told what breakpoints that only say something say */
  constructor(session: DebugSession, log: (text: string) => void) {
    this.session = session;
    this.log = log;
  }

  get singly(): boolean {
    return this.session.breakpoints.watchesVariables;
  }

  arm(breaks: CodeBreaks): void {
    this.session.breakpoints.arm(breaks);
  }

  remember(): void {
    this.session.breakpoints.remember(this.session.machine);
  }

  /** Asked of every event: whether to halt after the instruction that recorded it. */
  wants(event: number): Wanted | undefined {
    const { machine } = this.session;
    const kind = machine.trace.kind[event];
    const found = filterOfEvent(machine, event);
    const filter = found !== undefined && this.session.filters.has(found) ? found : undefined;
    const breakpoints =
      WATCHED_KINDS.has(kind) && this.session.breakpoints.watchesPages
        ? this.session.breakpoints.atEvent(machine, event)
        : [];
    return filter === undefined && breakpoints.length === 0 ? undefined : { event, filter, breakpoints };
  }

  before(forward: boolean): Stop | undefined {
    const { run, machine, breakpoints, timeline } = this.session;
    const { thread } = machine;
    const here = run.isInCall
      ? breakpoints.atCode(thread.functions[thread.depth], thread.pcs[thread.depth])
      : run.state === 'running'
        ? breakpoints.atScenario(run.position)
        : [];
    const stop = here.length === 0 ? undefined : this.consult(here, 'breakpoint', forward, timeline.now);
    if (stop === undefined) return undefined;
    const pending = here.flatMap(({ id, target }) =>
      target.kind === 'scenario' && stop.breakpoints.includes(id) ? [target.pending ?? 0] : [],
    );
    // On the line of the call, if nobody has asked for what it leads to.
    return pending.length === 0 ? stop : { ...stop, pending: Math.min(...pending) };
  }

  after(forward: boolean): Stop | undefined {
    const { run, machine, breakpoints, timeline } = this.session;
    const settled = this.afterStep();
    // A step that is no call into C is over with its first instruction: it is the one to show.
    const shown = run.isInCall ? {} : { instance: run.executed - 1 };
    const touched = timeline.events.flatMap((one) => one.breakpoints);
    if (breakpoints.watchesVariables) touched.push(...breakpoints.changed(machine));
    const watched =
      touched.length === 0 ? undefined : this.consult([...new Set(touched)], 'data', forward, timeline.now - 1);
    if (watched !== undefined) {
      const change = timeline.events.find((one) => one.breakpoints.some(({ id }) => watched.breakpoints.includes(id)));
      // What is wrong with a condition comes first.
      const text = watched.text ?? (change === undefined ? undefined : describeEvent(machine, change.event));
      return { ...watched, ...(text === undefined ? {} : { text }), ...shown };
    }
    for (const { event, filter } of timeline.events) {
      if (filter === undefined) continue;
      const text = this.stopsAt(filter, () => describeEvent(machine, event));
      if (text !== undefined) return { reason: 'exception', filter, event, text, breakpoints: [], ...shown };
    }
    return settled;
  }

  /** What a scenario instruction that is just done gives rise to. */
  private afterStep(): Stop | undefined {
    const { run } = this.session;
    if (run.isInCall) return undefined;
    const instance = run.executed - 1;
    let first = run.findings.length;
    while (first > 0 && run.findings[first - 1].instance === instance) first--;
    for (let i = first; i < run.findings.length; i++) {
      const finding = run.findings[i];
      const filter = `rule:${finding.rule}`;
      const text = this.stopsAt(filter, () => this.session.findingText(finding));
      if (text !== undefined)
        return { reason: 'exception', filter, finding: i, text, breakpoints: [], instance: finding.instance };
    }
    const outcome = instance < 0 ? undefined : run.outcome(instance);
    if (outcome !== undefined && !outcome.ok) {
      const instruction = run.instructionOf(instance);
      const step = 'text' in instruction ? instruction.text : 'The step';
      const text = this.stopsAt('failed', () => `${step}: ${formatOutcome(outcome)}`);
      if (text !== undefined) return { reason: 'exception', filter: 'failed', text, breakpoints: [], instance };
    }
    return undefined;
  }

  /** What to say if a filter is on and its condition holds; what is wrong with a condition that cannot be evaluated comes first. */
  private stopsAt(filter: string, describe: () => string): string | undefined {
    if (!this.session.filters.has(filter)) return undefined;
    const condition = this.session.filters.get(filter);
    const { stop, text } =
      condition === undefined
        ? { stop: true, text: undefined }
        : decide([onCondition(condition)], this.hit(this.session.timeline.now));
    if (!stop) return undefined;
    return text === undefined ? describe() : `${text}\n${describe()}`;
  }

  private consult(
    here: Parameters<typeof consult>[0],
    reason: 'breakpoint' | 'data',
    forward: boolean,
    tick: number,
  ): Stop | undefined {
    const { stopping, complaints, logs } = consult(here, this.hit(tick), decide);
    if (forward) for (const text of logs) this.log(text);
    if (stopping.length === 0) return undefined;
    return { reason, breakpoints: stopping, ...(complaints.length === 0 ? {} : { text: complaints.join('\n') }) };
  }

  private hit(tick: number): Hit {
    return {
      tick,
      test: (expression) => this.test(expression),
      fill: (message) => message.replace(/\{([^{}]+)\}/g, (_, expression: string) => this.valueText(expression)),
    };
  }

  private test(expression: string): boolean | { error: string } {
    const { machine } = this.session;
    return peek(machine, () => {
      const c = evaluateC(machine, this.session.innermost(), expression);
      if ('value' in c) {
        const number = scalarOf(machine, c.value);
        return number !== undefined && number !== 0;
      }
      const result = this.session.evaluate(expression, this.session.innermost());
      if ('holds' in result) return result.holds;
      if ('value' in result)
        return result.value.kind === 'bool'
          ? result.value.value
          : !('value' in result.value) || result.value.value !== 0;
      if ('fields' in result) return result.text !== 'false' && result.text !== '0' && result.text !== 'none';
      return { error: this.session.run.isInCall ? `${c.error} ${result.error}` : result.error };
    });
  }

  /** An expression's value as text, or what is wrong with it in angle brackets. */
  private valueText(expression: string): string {
    const { machine } = this.session;
    return peek(machine, () => {
      const c = evaluateC(machine, this.session.innermost(), expression);
      if ('value' in c) return formatC(machine, c.value, false);
      const result = this.session.evaluate(expression, this.session.innermost());
      return 'error' in result ? `<${this.session.run.isInCall ? c.error : result.error}>` : result.text;
    });
  }
}
