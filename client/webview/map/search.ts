// Where in the story a query's answer lies.

import { cellField, hostCell } from '../../../server/common/map-protocol.ts';
import { laneName, spaceOf } from './describe.ts';
import { address, addressRange, grouped, hex, plural } from './format.ts';
import type { MapModel } from './model.ts';
import type { Query } from './query.ts';
import type { Place } from './scene.ts';
import { tracksOf } from './tracks.ts';

export interface Result {
  place: Place;
  label: string;
  note: string;
  /** The state in which it is to be seen; undefined: the present one. */
  state?: number;
}

/** Results at most; that there are more is said. */
export const maxResults = 500;

export type Found = { results: Result[]; more: boolean } | { error: string };

export function search(model: MapModel, query: Query): Found {
  switch (query.kind) {
    case 'pages':
      return pages(model, query);
    case 'asid':
      return asid(model, query.asid);
    case 'rule':
      return rule(model, query.rule);
    case 'is':
      return is(model, query.word);
  }
}

function pages(model: MapModel, { space, guest, start, end }: Extract<Query, { kind: 'pages' }>): Found {
  const wanted = model.lanes.filter(({ lane }) =>
    space === 'any' ? lane.kind !== 'direct-map' : space === 'host' ? lane.kind === 'host' : lane.kind === 'guest',
  );
  const named =
    guest === undefined ? wanted : wanted.filter(({ lane }) => lane.name.toLowerCase() === guest.toLowerCase());
  if (named.length === 0) {
    const guests = model.lanes.filter(({ lane }) => lane.kind === 'guest').map(({ lane }) => lane.name);
    if (guest === undefined)
      return {
        error: space === 'guest' ? 'There is no guest in this scenario.' : 'There is no host memory in this scenario.',
      };
    return { error: `There is no guest “${guest}” here${guests.length ? `: ${guests.slice(0, 8).join(', ')}` : ''}.` };
  }
  const results: Result[] = [];
  for (const lane of named) {
    const last = Math.min(end, lane.lane.pages);
    if (start >= last || !lane.axis.has(start)) continue;
    const { address: name, number } = spaceOf(lane);
    results.push({
      place: { lane: lane.index, page: start, pages: last - start },
      label: `${name} ${last - start === 1 ? address(start) : addressRange(start, last)}`,
      note: `${number} ${hex(start)} · ${laneName(lane)}`,
    });
  }
  if (results.length === 0) {
    const name = named.length === 1 ? `${laneName(named[0])} has` : 'there is';
    return { error: `${address(start)} (page ${hex(start)}) is beyond the memory that ${name}.` };
  }
  return { results, more: false };
}

/** Runs of the present state that a property of a cell holds for, in lanes. */
function runsWith(
  model: MapModel,
  holds: (lane: number, cell: number) => boolean,
  note: (lane: number, cell: number) => string,
): Found {
  const results: Result[] = [];
  let more = false;
  for (const lane of model.lanes) {
    const wanted = (id: number) => holds(lane.index, lane.cells[id]);
    for (let page = 0; ; ) {
      const found = lane.runs.find(page, true, wanted);
      if (!found) break;
      if (results.length === maxResults) {
        more = true;
        break;
      }
      const last = results.at(-1);
      const cell = lane.cell(found.start);
      const words = note(lane.index, cell);
      // Runs that differ in what was not asked for are one result.
      if (
        last &&
        last.place.lane === lane.index &&
        last.place.page + last.place.pages === found.start &&
        last.note === words
      ) {
        last.place.pages += found.end - found.start;
      } else
        results.push({
          place: { lane: lane.index, page: found.start, pages: found.end - found.start },
          label: '',
          note: words,
        });
      page = found.end;
    }
  }
  for (const result of results) {
    const lane = model.lanes[result.place.lane];
    const { page, pages } = result.place;
    const where = pages === 1 ? address(page) : addressRange(page, page + pages);
    result.label = `${spaceOf(lane).address} ${where}`;
    result.note = `${result.note} · ${plural(pages, 'page')} · ${laneName(lane)}`;
  }
  return { results, more };
}

function asid(model: MapModel, wanted: number): Found {
  const found = runsWith(
    model,
    (lane, cell) =>
      model.lanes[lane].lane.kind === 'host' && cellField(cell, hostCell.asid) === wanted && cell !== 0 && wanted !== 0,
    () => `owned by ASID ${wanted}`,
  );
  if ('results' in found && found.results.length === 0)
    return { error: `No frame belongs to ASID ${grouped(wanted)} in this state.` };
  return found;
}

function rule(model: MapModel, wanted: string): Found {
  const all = model.story?.story.violations ?? [];
  const name = wanted.toUpperCase();
  const matching = all.filter((violation) => name === '' || violation.rule.toUpperCase().includes(name));
  if (matching.length === 0) {
    const rules = [...new Set(all.map((violation) => violation.rule))];
    if (rules.length === 0) return { error: 'No rule is violated in this scenario.' };
    return { error: `“${wanted}” is not violated here. Violated: ${rules.slice(0, 8).join(', ')}.` };
  }
  const shown = matching.filter(({ lane }) => model.lanes[lane] !== undefined);
  return {
    results: shown.slice(0, maxResults).map(({ step, lane, start, count, rule: id, message }) => ({
      place: { lane, page: start, pages: Math.max(1, count) },
      label: `${id} · ${spaceOf(model.lanes[lane]).address} ${address(start)}`,
      note: `line ${(model.story!.story.steps[step]?.line ?? 0) + 1} · ${laneName(model.lanes[lane])} · ${message}`,
      state: step + 1,
    })),
    more: shown.length > maxResults,
  };
}

function is(model: MapModel, word: string): Found {
  const wanted = word.toLowerCase();
  const matches = (lane: number, cell: number) =>
    tracksOf(model.lanes[lane].lane.kind)
      .map((track) => track.category(cell))
      .find(({ label, ink }) => ink !== undefined && label.toLowerCase() === wanted);
  const found = runsWith(
    model,
    (lane, cell) => matches(lane, cell) !== undefined,
    (lane, cell) => matches(lane, cell)?.label ?? '',
  );
  if ('results' in found && found.results.length === 0) return { error: `No page is “${word}” in this state.` };
  return found;
}
