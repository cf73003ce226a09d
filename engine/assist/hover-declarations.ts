/** Declarations under the pointer: what `use` and `import` bring, sequences, `let`s, scenarios as a whole. */
import { plural } from '../base/text.ts';
import type { CProgram } from '../c/program.ts';
import { kernelModels } from '../models/model.ts';
import { Constant } from '../scenario/expression.ts';
import { libraryPath, namesLibrary } from '../scenario/library.ts';
import type { Span, Value } from '../scenario/program.ts';
import type { Sequence } from '../scenario/scope.ts';
import { docAbove, stringValue } from '../scenario/syntax.ts';
import type { Asking } from './asking.ts';
import { valueBlocks } from './hover-page.ts';
import { type Block, comment, type Line, list, source, text } from './prose.ts';

/** Functions of a patch or source that are listed. */
const FUNCTIONS = 20;

/**
 * What `use` names.
 * @param kind `kernel`, `patch` or `source`
 * @param quoted as it is written
 */
export function usedBlocks(ask: Asking, kind: string, quoted: string): Block[] | undefined {
  const value = stringValue(quoted) ?? '';
  if (kind === 'kernel') {
    const model = kernelModels.find(({ name }) => name === value);
    return (
      model && [
        text({ strong: `kernel ${model.name}` }),
        text(`${model.description}.`),
        text(`${plural(model.sources.length, 'C file')}, bundled. A patch or source replaces its functions by name.`),
      ]
    );
  }
  const environment = ask.view.environment();
  const use = ask.view.analysis.program.uses.findIndex(({ path }) => path === value);
  const path = use < 0 ? undefined : environment?.files[use];
  if (environment === undefined || path === undefined)
    return [text({ strong: `${kind} ${value}` }), text('It cannot be read, or is wrong: nothing runs.')];
  const functions = functionsOf(environment.program, path);
  const more = functions.length > FUNCTIONS ? [[`… ${functions.length - FUNCTIONS} more`]] : [];
  return [
    text({ strong: `${kind} ${value}` }, ` · ${plural(functions.length, 'function')}`),
    ...(functions.length === 0 ? [] : [list([...functions.slice(0, FUNCTIONS), ...more])]),
  ];
}

function functionsOf(program: CProgram, path: string): Line[] {
  const lines: Line[] = [];
  for (const name of program.names()) {
    const found = program.find(name);
    if (found !== undefined && found.location.path === path)
      lines.push([{ text: `${name}()`, to: { path, line: found.location.range.start.line } }]);
  }
  return lines;
}

/** What an `import` lends. */
export function importedBlocks(ask: Asking, quoted: string): Block[] {
  const { analysis } = ask.view;
  const value = stringValue(quoted) ?? '';
  const wanted = namesLibrary(value) ? libraryPath(value) : value;
  const isMeant = (path: string): boolean => path === wanted || path.endsWith(`/${value.replace(/^\.\//, '')}`);
  const file = analysis.program.imports.find(({ path }) => path !== analysis.path && isMeant(path));
  const lent = [...analysis.declarations.home.sequences.values()].filter(({ home }) => home.path === file?.path);
  const lines = lent.map((sequence): Line => [{ text: signatureOf(sequence), to: ask.link(sequence.declared, 0) }]);
  return [
    text({ strong: value }, ` · ${plural(lent.length, 'sequence')}`),
    ...(lines.length === 0 ? [] : [list(lines)]),
  ];
}

const signatureOf = ({ name, parameters }: Sequence): string =>
  `${name}(${parameters.map((parameter) => parameter.name).join(', ')})`;

export function sequenceBlocks(ask: Asking, name: string): Block[] | undefined {
  const { declarations, path } = ask.view.analysis;
  const sequence = declarations.home.sequences.get(name);
  if (sequence === undefined) return undefined;
  const { home, lines, declared } = sequence;
  return [
    source(`sequence ${signatureOf(sequence)}`),
    ...comment(docAbove(home.text, firstOfLine(home.text, declared.start))),
    text(
      plural(lines.length, 'statement'),
      ...(home.path === path ? [] : [' in ', { code: home.path.split('/').pop() ?? '' }]),
      '.',
    ),
  ];
}

/** The first character of the line of an offset that is no blank. */
function firstOfLine(whole: string, offset: number): number {
  const start = whole.lastIndexOf('\n', offset - 1) + 1;
  return start + (/^[ \t]*/.exec(whole.slice(start, offset))?.[0].length ?? 0);
}

/** A `let` or a loop's variable: the line that declares it, the comment above, and its value if it is one of the whole file's. */
export function variableBlocks(ask: Asking, name: string, definition: Span): Block[] {
  const { analysis } = ask.view;
  const file = definition.file === undefined ? undefined : analysis.program.imports[definition.file];
  const whole = file?.text ?? analysis.text;
  const start = firstOfLine(whole, definition.start);
  const end = whole.slice(start).search(/[\r\n]|$/) + start;
  const link = ask.link(definition, 0);
  const value = sharedValue(ask, name, definition);
  return [
    source(
      whole
        .slice(start, end)
        .trim()
        .replace(/\s*\{$/, ''),
    ),
    ...(value === undefined ? [] : valueBlocks(ask, value)),
    ...comment(docAbove(whole, start)),
    ...(file === undefined
      ? []
      : [text('Declared in ', { text: `${file.path.split('/').pop()}:${link.line + 1}`, to: link }, '.')]),
  ];
}

function sharedValue(ask: Asking, name: string, definition: Span): Value | undefined {
  const binding = ask.view.analysis.declarations.home.scope.find(name);
  if (binding === undefined || binding.declared.start !== definition.start) return undefined;
  if (binding.is === 'value') return binding.value;
  return binding.is === 'shared' && binding.expr instanceof Constant ? binding.expr.value : undefined;
}

export function scenarioBlocks(ask: Asking, start: number): Block[] | undefined {
  const unit = ask.view.analysis.program.scenarios.find((one) => one.start === start);
  if (unit === undefined) return undefined;
  const result = ask.view.result(unit);
  const verdict = result === undefined ? 'not judged yet' : `${result.status} · ${plural(result.steps, 'step')}`;
  return [text({ strong: unit.name }, ` · ${verdict}`), ...comment(unit.doc)];
}
