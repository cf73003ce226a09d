/** A C function under the pointer, in a patch, a source or a model file: who defines it, what it calls, how often it ran, what is wrong in it. */
import type { Diagnostic } from '../base/diagnostic.ts';
import { plural } from '../base/text.ts';
import type { CFunction, CProgram } from '../c/program.ts';
import { kernelModels } from '../models/model.ts';
import type { Environment } from '../run/environment.ts';
import { Op } from '../vm/bytecode.ts';
import type { Answer, Asking } from './asking.ts';
import { type Block, type Inline, joined, type Line, type Link, list, sentence, source, text } from './prose.ts';
import { notesOf } from './step-notes.ts';
import { instructionText } from './step-text.ts';

/** Scenarios of a file that are looked at, and steps that are named. */
const SCENARIOS = 16;
const STEPS = 3;

/**
 * @param diagnostics verdicts of the last check
 */
export function functionHover(
  ask: Asking,
  name: string,
  diagnostics: readonly Diagnostic[],
): Answer<Block[] | undefined> {
  const environment = ask.view.environment();
  const found = environment?.program.find(name);
  if (environment === undefined || found === undefined) return undefined;
  const ran = steps(ask, found.index);
  if (ran === 'later') return 'later';
  const calls = callsOf(environment, found.index);
  return [
    source(declaration(found), 'c'),
    text(...definedWhere(found, ask.view.analysis.program.kernel.name)),
    ...(ran.length === 0 ? [] : [text(...ran)]),
    ...(calls.length === 0 ? [] : [text('Calls ', ...joined(calls, ', '), '.')]),
    ...verdicts(environment.program, found, diagnostics),
  ];
}

const declaration = ({ name, returns, parameters }: CFunction): string => {
  const spaced = (type: string): string => (type.endsWith('*') ? type : `${type} `);
  const list = parameters.map((p) => `${spaced(p.type)}${p.name}`.trim());
  return `${spaced(returns.type)}${name}(${list.length === 0 ? 'void' : list.join(', ')})`;
};

const linkOf = ({ location }: CFunction): Link => ({ path: location.path, line: location.range.start.line });

function definedWhere(found: CFunction, kernel: string): Inline[] {
  const { location, override, name } = found;
  const place = { text: `${location.path.split('/').pop()}:${location.range.start.line + 1}`, to: linkOf(found) };
  if (location.path === '') return override ? ['A stub of the scenario.'] : ['Provided by the simulator.'];
  if (!override)
    return isModel(location.path)
      ? ['Of the kernel model ', { code: kernel }, ': ', place, '.']
      : ['Provided by the simulator.'];
  const model = kernelModels.find((one) => one.name === kernel);
  const defines = new RegExp(`^[a-z_][^;={}]*\\b${name}\\s*\\(`, 'm');
  const replaces = model?.sources.some(({ text: code }) => defines.test(code)) === true;
  return [
    'The scenario’s own, from ',
    place,
    replaces ? `: it replaces that of ${kernel}.` : `: ${kernel} has none of that name.`,
  ];
}

const isModel = (path: string): boolean => path.startsWith('model:');

/** In which steps of the file's scenarios it ran. */
function steps(ask: Asking, index: number): Answer<Inline[]> {
  const { scenarios } = ask.view.analysis.program;
  let count = 0;
  let units = 0;
  let looked = 0;
  const shown: Line[] = [];
  for (const unit of scenarios.slice(0, SCENARIOS)) {
    const book = notesOf(ask.view, unit);
    if (book === undefined) return [];
    if (!book.notes.isComplete) {
      const replay = book.replay();
      if (replay !== undefined && !book.notes.advance(replay, unit.code.length, ask.budget) && !ask.final)
        return 'later';
    }
    looked++;
    let here = 0;
    for (let pc = 0; pc < unit.code.length; pc++) {
      for (const note of book.notes.of(pc)) {
        if (!note.functions.includes(index)) continue;
        here++;
        if (shown.length < STEPS) {
          const { link } = ask.step(unit, book.notes, note.instance);
          shown.push([{ text: `line ${link.line + 1}`, to: link }, ` ${instructionText(unit.code[pc])}`]);
        }
      }
    }
    count += here;
    if (here > 0) units++;
  }
  const of = looked < scenarios.length ? `the first ${looked} scenarios` : plural(looked, 'scenario');
  if (count === 0) return [`No step of ${of} shows a trace of it; what only computes leaves none.`];
  return [
    `It ran in ${plural(count, 'step')} of ${units} of ${of}: `,
    ...joined(shown, '; '),
    count > shown.length ? '; …' : '',
  ];
}

const nativeNames = new WeakMap<Environment, readonly string[]>();

function nativesOf(environment: Environment): readonly string[] {
  let names = nativeNames.get(environment);
  if (names === undefined) {
    const machine = environment.takeMachine();
    names = machine.vm.natives.map(({ prototype }) => /(\w+)\s*\(/.exec(prototype)?.[1] ?? '');
    environment.giveBack(machine);
    nativeNames.set(environment, names);
  }
  return names;
}

/** Functions and natives that its code calls, in the order of the code. */
function callsOf(environment: Environment, index: number): Line[] {
  const { program } = environment;
  const { code } = program.functionCode(index);
  const natives = nativesOf(environment);
  const seen = new Map<string, Line>();
  for (let pc = 0; pc < code.length; pc += 4) {
    const target = code[pc + 2];
    if (code[pc] === Op.CALL) {
      const callee = program.describe(target);
      if (!seen.has(callee.name))
        seen.set(
          callee.name,
          callee.location.path === ''
            ? [{ code: `${callee.name}()` }]
            : [{ text: `${callee.name}()`, to: linkOf(callee) }],
        );
    } else if (code[pc] === Op.CALLN) {
      const name = natives[target] ?? '';
      if (name !== '' && !seen.has(name)) seen.set(name, [{ code: `${name}()` }]);
    }
  }
  const all = [...seen.values()];
  return all.length > 12 ? [...all.slice(0, 12), ['…']] : all;
}

function verdicts(program: CProgram, found: CFunction, diagnostics: readonly Diagnostic[]): Block[] {
  const { path, range } = found.location;
  if (path === '') return [];
  let end = Number.POSITIVE_INFINITY;
  for (const name of program.names()) {
    const other = program.find(name);
    if (other?.location.path === path && other.location.range.start.line > range.start.line)
      end = Math.min(end, other.location.range.start.line);
  }
  const lines: Line[] = [];
  for (const diagnostic of diagnostics) {
    for (const { path: at, range: where } of [
      diagnostic.location,
      ...diagnostic.related.map(({ location }) => location),
    ]) {
      if (at !== path || where.start.line < range.start.line || where.start.line >= end || lines.length >= 4) continue;
      const line: Line = [
        { text: `line ${where.start.line + 1}`, to: { path, line: where.start.line } },
        ' · ',
        { text: diagnostic.rule, rule: diagnostic.rule },
        ': ',
        ...sentence(diagnostic.message),
      ];
      if (!lines.some((known) => JSON.stringify(known) === JSON.stringify(line))) lines.push(line);
      break;
    }
  }
  return lines.length === 0 ? [] : [text('Verdicts:'), list(lines)];
}
