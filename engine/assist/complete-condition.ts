/** Completion of what `expect` says: queries, their words and fields, the values of fields. */
import type { QuerySpec } from '../scenario/operation-table.ts';
import { queries, queriesNamed, queryNames } from '../scenario/queries.ts';
import { type At, guests, keyword } from './complete.ts';
import { recentValues, valuesOfKind } from './complete-value.ts';
import { type Completion, placeholder } from './completion.ts';
import { type Item, isName, split } from './cursor.ts';

export function completeQueries(at: At): Completion[] {
  const only = at.names.filter((name) => name.kind === 'guest');
  const guest = only.length === 1 ? only[0].name : 'guest';
  const called = /^[ \t]*\(/.test(at.analysis.text.slice(at.cursor.word.to, at.cursor.word.to + 20));
  return queryNames.map((key): Completion => {
    const [first] = queries.filter((query) => query.key === key);
    const parts = first.operands.map((o, i) => placeholder(i + 1, o.kind === 'guest' ? guest : o.name));
    const forms = queriesNamed(key).map((query) => `(${query.operands.map((o) => o.name).join(', ')})`);
    const item: Completion = {
      label: key,
      kind: 'query',
      detail: first.doc,
      doc: `query:${key}`,
      rank: 0,
      ...(first.operands.length === 0 ? {} : { signature: forms.join(' ') }),
    };
    if (called) return item;
    if (first.operands.length === 0) return { ...item, insert: `${key} `, goesOn: true };
    return { ...item, snippet: `${key}(${parts.join(', ')})`, insert: key, commit: ['('] };
  });
}

/** The rows of the table that a query as written can be: by the number of its arguments. */
export function rowsOf(query: readonly Item[]): readonly QuerySpec[] {
  const [name, args] = query;
  if (!isName(name)) return [];
  const rows = queriesNamed(name.text);
  if (args?.is !== 'group') return rows;
  const given = args.items.length === 0 ? 0 : split(args.items).length;
  const exact = rows.filter((row) => row.operands.length === given);
  return exact.length > 0 ? exact : rows;
}

export function completeWords(at: At, query: readonly Item[], negated: boolean): Completion[] {
  const [row] = rowsOf(query);
  if (row === undefined) return [];
  const listed: Completion[] = [];
  if (row.fields.length === 1 && row.fields[0].kind !== 'bool') {
    listed.push(...(completeFieldValue(at, query, row.fields[0].name) ?? []));
  }
  for (const word of Object.keys(row.words))
    listed.push({ label: word, kind: 'word', doc: `query-word:${row.key}.${word}`, rank: 0 });
  for (const field of row.fields) {
    if (field.kind === 'bool')
      listed.push({
        label: field.name,
        kind: 'field',
        detail: field.doc,
        doc: `field:${row.key}.${field.name}`,
        rank: 1,
      });
    else if (row.fields.length > 1)
      listed.push({
        label: field.name,
        kind: 'field',
        detail: field.doc,
        doc: `field:${row.key}.${field.name}`,
        insert: `${field.name} `,
        rank: 2,
        goesOn: true,
      });
  }
  if (row.fields.length > 1)
    listed.push({
      label: '{ … }',
      kind: 'keyword',
      detail: 'several fields',
      snippet: '{ $1 }',
      insert: '{ ',
      rank: 3,
      goesOn: true,
    });
  if (!negated) listed.push({ ...keyword('not'), insert: 'not ', goesOn: true });
  return listed;
}

export function completeFields(query: readonly Item[], given: readonly string[], negated: boolean): Completion[] {
  const [row] = rowsOf(query);
  if (row === undefined) return [];
  const listed: Completion[] = [];
  for (const field of row.fields) {
    if (given.includes(field.name) || (negated && field.kind !== 'bool')) continue;
    const isFlag = field.kind === 'bool';
    listed.push({
      label: field.name,
      kind: 'field',
      detail: field.doc,
      doc: `field:${row.key}.${field.name}`,
      rank: isFlag ? 0 : 1,
      ...(isFlag ? {} : { insert: `${field.name} `, goesOn: true as const }),
    });
  }
  for (const word of Object.keys(row.words))
    if (!given.includes(word))
      listed.push({ label: word, kind: 'word', doc: `query-word:${row.key}.${word}`, rank: 2 });
  if (!negated) listed.push({ ...keyword('not'), insert: 'not ', goesOn: true });
  return listed;
}

/** undefined: it is no field that takes a value. */
export function completeFieldValue(at: At, query: readonly Item[], name: string): Completion[] | undefined {
  const field = rowsOf(query)
    .flatMap((row) => row.fields)
    .find((one) => one.name === name);
  if (field === undefined || field.kind === 'bool') return undefined;
  if (field.words !== undefined)
    return field.words.map((label, rank) => ({
      label,
      kind: 'word',
      rank,
      ...(field.name === 'state' ? { doc: `query-word:state.${label}` } : {}),
    }));
  if (field.kind === 'guest') return guests(at);
  const numbers = field.kind === 'int' ? usualNumbers(at, name) : [];
  return [
    ...numbers,
    ...valuesOfKind(at, field.kind, true),
    ...(field.kind === 'int' ? [] : recentValues(at, field.kind)),
  ];
}

function usualNumbers(at: At, field: string): Completion[] {
  if (field === 'asid')
    return at.analysis.declarations.guests.map((guest) => ({
      label: String(guest.asid),
      kind: 'value',
      detail: `guest ${guest.name}`,
      rank: 0,
    }));
  if (field === 'subpage_count' || field === 'value')
    return ['0', '1', '511', '512'].map((label, rank) => ({ label, kind: 'value', rank }));
  return [];
}
