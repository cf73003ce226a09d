/** Every place of an analysed file that refers to something. */
import type { FileHost } from '../check.ts';
import * as t from '../generated/scenario-parser-terms.ts';
import type { Analysis } from '../scenario/analyze.ts';
import { allNames } from '../scenario/names.ts';
import { namedFiles, type Place, type Referent, referentOf } from './referent.ts';

export interface Reference extends Place {
  declares: boolean;
}

/** In the order of the text. The file may be another than the one that the referent was found in. */
export function referencesIn(analysis: Analysis, referent: Referent, host?: Pick<FileHost, 'resolve'>): Reference[] {
  switch (referent.is) {
    case 'file':
      return host === undefined
        ? []
        : namedFiles(analysis, host)
            .filter(({ path }) => path === referent.path)
            .map(({ at }) => ({ ...at, declares: false }));
    case 'kernel':
      return analysis.program.kernel.span !== undefined && analysis.program.kernel.name === referent.name
        ? [{ start: analysis.program.kernel.span.start, end: analysis.program.kernel.span.end, declares: false }]
        : [];
    case 'c-function':
      return [...stubs(analysis, referent.name), ...matching(analysis, referent)].sort((a, b) => a.start - b.start);
    default:
      return matching(analysis, referent);
  }
}

function matching(analysis: Analysis, referent: Referent): Reference[] {
  const found: Reference[] = [];
  for (const name of allNames(analysis)) {
    const other = referentOf(analysis, name);
    if (isSame(referent, other)) found.push({ start: name.start, end: name.end, declares: name.declares });
  }
  return found;
}

function isSame(a: Referent, b: Referent): boolean {
  if (a.is === 'declared')
    return (
      b.is === 'declared' && a.path === b.path && a.declared.start === b.declared.start && a.name.kind === b.name.kind
    );
  if (a.is === 'language') return b.is === 'language' && a.name.kind === b.name.kind && a.name.name === b.name.name;
  return a.is === 'c-function' && b.is === 'c-function' && a.name === b.name;
}

/** `stub name …` */
function stubs(analysis: Analysis, name: string): Reference[] {
  const found: Reference[] = [];
  const cursor = analysis.tree.cursor();
  if (!cursor.firstChild()) return found;
  do {
    if (cursor.type.id !== t.StubDeclaration) continue;
    const node = cursor.node.getChild('Name');
    if (node !== null && analysis.text.slice(node.from, node.to) === name)
      found.push({ start: node.from, end: node.to, declares: false });
  } while (cursor.nextSibling());
  return found;
}
