/**
 * Sequence libraries that come with the extension: what guests and VMMs do to convert memory, each step in the order of the software named beside it.
 * `import "snp:linux-guest"` lends the sequences of engine/scenario/library/linux-guest.snpscenario; no file is read for it. Places in a library are
 * shown as those in bundled C are, by a path that begins with `model:`.
 */
import { libraryFiles } from '../generated/library.ts';

/** What an `import` of a library begins with, in place of a path. */
export const LIBRARY_PREFIX = 'snp:';
/** Paths of library files begin with this; modelText() of engine/models/model.ts knows them. */
export const LIBRARY_PATH = 'model:library/';

/** Names to import: `snp:linux-guest`, … */
export const libraryNames: readonly string[] = Object.keys(libraryFiles).map(
  (file) => LIBRARY_PREFIX + file.slice('library/'.length, -'.snpscenario'.length),
);

/** Whether an `import` names a library rather than a file. `snp:` is no scheme of any editor's files. */
export const namesLibrary = (name: string): boolean => name.startsWith(LIBRARY_PREFIX);

/** Path of the library of that name, bundled or not. */
export const libraryPath = (name: string): string => `${LIBRARY_PATH}${name.slice(LIBRARY_PREFIX.length)}.snpscenario`;

export const isLibraryPath = (path: string): boolean => path.startsWith(LIBRARY_PATH);

/** Text of the library at such a path; undefined if there is none. */
export function libraryText(path: string): string | undefined {
  const file = path.slice(LIBRARY_PATH.length - 'library/'.length);
  return isLibraryPath(path) && Object.hasOwn(libraryFiles, file) ? libraryFiles[file] : undefined;
}
