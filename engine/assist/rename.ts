/**
 * Renaming what a scenario file declares. The new name is tried before it is proposed: the files are analysed as they would be, and everything must refer
 * to what it referred to before. So no rule about names has to be known here, and none can be forgotten.
 */
import type { FileHost } from '../check.ts';
import { type Analysis, analyze } from '../scenario/analyze.ts';
import { isLibraryPath } from '../scenario/library.ts';
import { allNames, type NamedPlace } from '../scenario/names.ts';
import { ACTORS } from '../scenario/words.ts';
import { applyChanges, type TextChange } from './format.ts';
import { referencesIn } from './references.ts';
import type { Place, Referent } from './referent.ts';

/** Why something keeps its name; undefined if it can be renamed. */
export function whyNotRenamed(referent: Referent | undefined): string | undefined {
  if (referent === undefined) return 'There is no name here that could be changed.';
  switch (referent.is) {
    case 'declared':
      return isLibraryPath(referent.path)
        ? `\`${referent.name.name}\` is declared in a library that comes with the extension.`
        : undefined;
    case 'language':
      return `\`${referent.name.name.replace(/^.*\./, '')}\` is ${referent.name.kind === 'operation' ? 'an operation' : `a ${referent.name.kind}`} of the language and keeps its name.`;
    case 'c-function':
      return `\`${referent.name}\` is a function of the kernel’s C; it is renamed there.`;
    case 'file':
      return 'This is the path of a file; rename the file, then change the path.';
    case 'kernel':
      return `\`${referent.name}\` is a bundled kernel model.`;
  }
}

export interface FileRename {
  path: string;
  changes: TextChange[];
}

/**
 * @param files analyses of all files that may refer to it, the declaring one among them
 * @returns changes by file, or why the name cannot be given
 */
export function rename(
  referent: Extract<Referent, { is: 'declared' }>,
  newName: string,
  files: readonly Analysis[],
  host: FileHost,
): FileRename[] | { error: string } {
  const { kind, name } = referent.name;
  // As tokens.ts has it; letters beyond ASCII are names there only for the sake of better messages.
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(newName))
    return { error: `\`${newName}\` is no name: a letter or underscore, then letters, digits and underscores.` };
  if (newName === name) return [];
  if (kind === 'guest' && (ACTORS as readonly string[]).includes(newName))
    return { error: `\`${newName}\` is an actor of the language; a guest needs another name.` };
  const concerned = files.filter(
    (file) => file.path === referent.path || file.program.imports.some(({ path }) => path === referent.path),
  );
  const renamed = concerned.map((file) => {
    const places = referencesIn(file, referent);
    const changes = places.map(({ start, end }) => ({ from: start, to: end, text: newName }));
    return { file, places, changes, text: applyChanges(file.text, changes) };
  });
  const texts = new Map(renamed.map(({ file, text }) => [file.path, text]));
  const after: FileHost = {
    resolve: (from, relative) => host.resolve(from, relative),
    read: (path) => {
      const text = texts.get(path);
      return text === undefined ? host.read(path) : { text };
    },
  };
  for (const { file, changes, text } of renamed) {
    const now = analyze(file.path, text, after);
    const trouble = differs(file, now, changes);
    if (trouble === undefined) continue;
    const taken = firstNamed(file, newName);
    if (taken !== undefined) {
      const where = `${baseName(file.path)}:${file.text.slice(0, taken.start).split(/\r\n|\r|\n/).length}`;
      return { error: `There is a ${taken.kind} \`${newName}\` already (${where}).` };
    }
    return { error: `\`${newName}\` would mean something else: ${trouble}` };
  }
  return renamed.filter(({ changes }) => changes.length > 0).map(({ file, changes }) => ({ path: file.path, changes }));
}

/** The first thing of which something else is said after the change. */
function differs(before: Analysis, now: Analysis, changes: readonly TextChange[]): string | undefined {
  const moved = (place: Place): Place => {
    let shift = 0;
    for (const { from, to, text } of changes) {
      if (to > place.start) {
        if (from === place.start) return { start: place.start + shift, end: place.start + shift + text.length };
        break;
      }
      shift += text.length - (to - from);
    }
    return { start: place.start + shift, end: place.end + shift };
  };
  const old = allNames(before);
  const names = new Map(allNames(now).map((name) => [name.start, name]));
  if (names.size !== old.length) return problemIn(now, before) ?? 'other names would be read as it.';
  for (const name of old) {
    const at = moved(name);
    const found = names.get(at.start);
    if (found === undefined || found.end !== at.end || found.kind !== name.kind)
      return problemIn(now, before) ?? `\`${name.name}\` would not be what it is.`;
    const { definition } = name;
    if (definition === undefined || found.definition === undefined) {
      if (definition !== found.definition) return `\`${name.name}\` would refer to something else.`;
      continue;
    }
    // What is declared in another file has its place there, which is looked at with that file.
    if (definition.file !== found.definition.file) return `\`${name.name}\` would refer to something else.`;
    if (definition.file === undefined && moved(definition).start !== found.definition.start)
      return `\`${name.name}\` would refer to something else.`;
  }
  return problemCount(now) > problemCount(before) ? problemIn(now, before) : undefined;
}

const problemCount = ({ program }: Analysis): number =>
  program.scenarios.reduce((count, unit) => count + unit.problems.length, program.problems.length);

/** The message of the first problem that was not there before. */
function problemIn(now: Analysis, before: Analysis): string | undefined {
  const messages = ({ program }: Analysis): string[] =>
    [...program.problems, ...program.scenarios.flatMap(({ problems }) => problems)].map(({ message }) => message);
  const known = new Set(messages(before));
  return messages(now).find((message) => !known.has(message));
}

function firstNamed(analysis: Analysis, name: string): NamedPlace | undefined {
  return allNames(analysis).find((place) => place.name === name && place.declares);
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
