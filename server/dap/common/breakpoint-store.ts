// The client's breakpoints as it last gave them, and where they lie in the present session. Kept apart from the session so that a restart, which
// makes another one, finds them again.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../../../engine/base/text.ts';
import type { Breakpoint, Target } from '../../../engine/debug/breakpoints.ts';
import { parseWatched } from '../../../engine/debug/data-watch.ts';
import { addressOf, type Disassembly, pointAt } from '../../../engine/debug/disassembly.ts';
import { exceptionFilters } from '../../../engine/debug/exceptions.ts';
import type { DebugSession } from '../../../engine/debug/session.ts';
import { logging, onCondition, onHitCount, type Strategy } from '../../../engine/debug/strategy.ts';
import { lineRow } from '../../../engine/vm/line-table.ts';
import { codeAddress } from './disassemble.ts';
import { type Args, count, list, optionalText, text, texts } from './requests.ts';
import type { Sources } from './sources.ts';

interface Spec {
  id: number;
  /** Of a source, counted from 0; for functions the name, for data the id, for instructions the address. */
  line?: number;
  name?: string;
  /** An instruction, by what lasts longer than its address: the name of its function (none for the scenario's program). */
  instruction?: { function: string | undefined; pc: number };
  /** A variable of C that was found in a session that is gone. */
  isOfBefore?: boolean;
  /** Of data: what shall count. */
  accessType?: string | undefined;
  condition: string | undefined;
  hitCondition: string | undefined;
  logMessage: string | undefined;
}

/** Where a breakpoint lies, and what the client is told about that; lines from 0. */
interface Found {
  targets: Target[];
  answer: Partial<DebugProtocol.Breakpoint>;
}

export class BreakpointStore {
  readonly #sources: Sources;
  /** By owner: a path, or `functions`, or `data`. */
  readonly #specs = new Map<string, Spec[]>();
  #filters: { id: string; condition: string | undefined }[] | undefined;
  #nextId = 1;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  setSource(
    session: DebugSession,
    path: string,
    args: Args,
    toLine: (line: number) => number,
  ): DebugProtocol.Breakpoint[] {
    const specs = list(args, 'breakpoints').map((one) => ({ ...this.#spec(one), line: toLine(count(one, 'line')) }));
    return this.#set(session, `source ${path}`, specs);
  }

  setFunctions(session: DebugSession, args: Args): DebugProtocol.Breakpoint[] {
    return this.#set(
      session,
      'functions',
      list(args, 'breakpoints').map((one) => ({ ...this.#spec(one), name: text(one, 'name') })),
    );
  }

  setData(session: DebugSession, args: Args): DebugProtocol.Breakpoint[] {
    return this.#set(
      session,
      'data',
      list(args, 'breakpoints').map((one) => ({
        ...this.#spec(one),
        name: text(one, 'dataId'),
        accessType: optionalText(one, 'accessType'),
      })),
    );
  }

  setInstructions(session: DebugSession, disassembly: Disassembly, args: Args): DebugProtocol.Breakpoint[] {
    const { program } = session.machine;
    const specs = list(args, 'breakpoints').map((one): Spec => {
      const reference = text(one, 'instructionReference');
      const address = codeAddress(reference, count(one, 'offset', 0));
      const point = address === undefined ? undefined : pointAt(address);
      const spec = { ...this.#spec(one), name: address === undefined ? reference : hex(address) };
      if (point === undefined || !disassembly.has(point)) return spec;
      const name = point.function === undefined ? undefined : program.functionName(point.function);
      return { ...spec, instruction: { function: name, pc: point.pc } };
    });
    return this.#set(session, 'instructions', specs);
  }

  #spec(one: Args): Spec {
    return {
      id: this.#nextId++,
      condition: optionalText(one, 'condition') || undefined,
      hitCondition: optionalText(one, 'hitCondition') || undefined,
      logMessage: optionalText(one, 'logMessage') || undefined,
    };
  }

  #set(session: DebugSession, owner: string, specs: Spec[]): DebugProtocol.Breakpoint[] {
    // A breakpoint that was there already keeps its number.
    const before = [...(this.#specs.get(owner) ?? [])];
    for (const spec of specs) {
      const same = before.findIndex((old) => old.line === spec.line && old.name === spec.name);
      if (same >= 0) spec.id = before.splice(same, 1)[0].id;
    }
    this.#specs.set(owner, specs);
    return this.#apply(session, owner);
  }

  /** Set everything again in a new session; the breakpoints as they are now. */
  reapply(session: DebugSession): DebugProtocol.Breakpoint[] {
    if (this.#filters !== undefined) this.#applyFilters(session);
    for (const spec of this.#specs.get('data') ?? []) spec.isOfBefore = spec.name?.startsWith('c:') === true;
    return [...this.#specs.keys()].flatMap((owner) => this.#apply(session, owner));
  }

  #apply(session: DebugSession, owner: string): DebugProtocol.Breakpoint[] {
    const set: Breakpoint[] = [];
    const answers = (this.#specs.get(owner) ?? []).map((spec): DebugProtocol.Breakpoint => {
      const found = this.#target(session, owner, spec);
      const strategies = strategiesOf(spec);
      if (typeof strategies === 'string') return { id: spec.id, verified: false, message: strategies };
      for (const target of found.targets) set.push({ id: spec.id, target, strategies });
      return { id: spec.id, verified: found.targets.length > 0, ...found.answer };
    });
    session.breakpoints.set(owner, set);
    return answers;
  }

  #target(session: DebugSession, owner: string, spec: Spec): Found {
    if (owner === 'functions') return this.#function(session, spec.name as string);
    if (owner === 'data') return this.#data(spec);
    if (owner === 'instructions') return this.#instruction(session, spec);
    return this.#line(session, owner.slice('source '.length), spec.line as number);
  }

  #data({ name, isOfBefore, accessType }: Spec): Found {
    const watched = parseWatched(name as string);
    if (watched === undefined) return nowhere(`${name} is no data that can be watched.`);
    if (isOfBefore) return nowhere('Variables of C lie elsewhere in another session. Set it again.');
    if (accessType !== undefined && accessType !== 'write')
      return nowhere('Only changes can be watched: what reads a page leaves no trace.');
    return { targets: [{ kind: 'data', watched }], answer: {} };
  }

  #function(session: DebugSession, name: string): Found {
    const place = session.codePlaces.entryOf(name.replace(/\(\)$/, ''));
    if (place === undefined) {
      const known = session.machine.program.find(name);
      return nowhere(
        known === undefined
          ? `Nothing defines ${name}().`
          : `${name}() has no statements: it is no C of model, patch or source.`,
      );
    }
    return { targets: [{ kind: 'code', place }], answer: this.#at(place.location) };
  }

  #instruction(session: DebugSession, { name, instruction }: Spec): Found {
    if (instruction === undefined) return nowhere(`${name} is no address of an instruction.`);
    const { pc } = instruction;
    const { program } = session.machine;
    const address = (index: number | undefined): string => hex(addressOf({ function: index, pc }));
    if (instruction.function === undefined) {
      const found = session.unit.code[pc];
      if (found === undefined) return nowhere('No instruction of the running scenario stands here.');
      const answer = { ...this.#at(session.locationOf(found)), instructionReference: address(undefined) };
      return { targets: [{ kind: 'scenario', pc }], answer };
    }
    const index = program.find(instruction.function)?.index;
    const code = index === undefined ? undefined : program.functionCode(index);
    if (index === undefined || code === undefined || pc * 4 >= code.code.length)
      return nowhere(`${instruction.function}() has no such instruction any more.`);
    const location = program.location(lineRow(code, pc)?.origin ?? code.origin);
    return {
      targets: [{ kind: 'code', place: { function: index, pc, location } }],
      answer: { ...this.#at(location), instructionReference: address(index) },
    };
  }

  #line(session: DebugSession, path: string, line: number): Found {
    const scenario = session.scenarioPlaces.filter(({ location }) => location.path === path);
    const first = nearest(scenario, line);
    if (first !== undefined) {
      const at = scenario.filter(({ location }) => location.range.start.line === first.location.range.start.line);
      return {
        targets: at.map(({ pc, pending }) => ({ kind: 'scenario', pc, ...(pending === undefined ? {} : { pending }) })),
        answer: this.#at(first.location),
      };
    }
    const code = session.codePlaces.of(path);
    const found = nearest(code, line);
    if (found === undefined) {
      const isScenario = path === session.path;
      return nowhere(
        isScenario
          ? 'No step of the running scenario stands here or below.'
          : 'No statement of C that this run uses stands here or below.',
      );
    }
    const places = code.filter(({ location }) => location.range.start.line === found.location.range.start.line);
    return { targets: places.map((place) => ({ kind: 'code', place })), answer: this.#at(found.location) };
  }

  /** Where breakpoints of a file can stand between two lines; all counted from 0. */
  places(session: DebugSession, path: string, first: number, last: number): DebugProtocol.BreakpointLocation[] {
    const all = [
      ...session.scenarioPlaces.filter(({ location }) => location.path === path),
      ...session.codePlaces.of(path),
    ];
    const found = new Map<string, { line: number; column: number }>();
    for (const { location } of all) {
      const { line, character: column } = location.range.start;
      if (line >= first && line <= last) found.set(`${line} ${column}`, { line, column });
    }
    return [...found.values()].sort((a, b) => a.line - b.line || a.column - b.column);
  }

  #at(location: {
    path: string;
    range: { start: { line: number; character: number } };
  }): Partial<DebugProtocol.Breakpoint> {
    return {
      source: this.#sources.toClient(location.path),
      line: location.range.start.line,
      column: location.range.start.character,
    };
  }

  // ---------------------------------------------------------------- exceptions

  setFilters(session: DebugSession, args: Args): DebugProtocol.Breakpoint[] {
    this.#filters = [
      ...texts(args, 'filters').map((id) => ({ id, condition: undefined as string | undefined })),
      ...list(args, 'filterOptions').map((one) => ({
        id: text(one, 'filterId'),
        condition: optionalText(one, 'condition') || undefined,
      })),
    ];
    return this.#applyFilters(session);
  }

  #applyFilters(session: DebugSession): DebugProtocol.Breakpoint[] {
    session.filters.clear();
    return (this.#filters ?? []).map(({ id, condition }) => {
      if (!exceptionFilters.some((filter) => filter.id === id))
        return { verified: false, message: `There is no filter ${id}.` };
      session.filters.set(id, condition);
      return { verified: true };
    });
  }

  /** What kind of breakpoint has this number. */
  kindOf(id: number): 'source' | 'function' | 'data' | 'instruction' {
    const has = (owner: string): boolean => (this.#specs.get(owner) ?? []).some((spec) => spec.id === id);
    if (has('functions')) return 'function';
    if (has('instructions')) return 'instruction';
    return has('data') ? 'data' : 'source';
  }
}

const nowhere = (message: string): Found => ({ targets: [], answer: { message } });

function strategiesOf(spec: Spec): Strategy[] | string {
  const strategies: Strategy[] = [];
  if (spec.condition !== undefined) strategies.push(onCondition(spec.condition));
  if (spec.hitCondition !== undefined) {
    const strategy = onHitCount(spec.hitCondition);
    if (strategy === undefined)
      return `\`${spec.hitCondition}\` is no hit count: a number, or one of = > >= < <= % before it.`;
    strategies.push(strategy);
  }
  if (spec.logMessage !== undefined) strategies.push(logging(spec.logMessage));
  return strategies;
}

/** The first place on the line, or on the next line that has one. */
function nearest<T extends { location: { range: { start: { line: number } } } }>(
  places: readonly T[],
  line: number,
): T | undefined {
  let best: T | undefined;
  for (const place of places) {
    const at = place.location.range.start.line;
    if (at >= line && (best === undefined || at < best.location.range.start.line)) best = place;
  }
  return best;
}
