// A place in words: what the pointer's tooltip shows, and what a screen reader says.

import type { Difference } from './difference.ts';
import { address, addressRange, grouped, hex, plural, share, sizeOfPages } from './format.ts';
import { linkedPages } from './links.ts';
import { Mixture } from './mixture.ts';
import type { MapModel } from './model.ts';
import type { Place } from './scene.ts';
import type { LaneState } from './story-state.ts';
import { isViolation, type Track, tracksOf } from './tracks.ts';

export interface Line {
  label: string;
  value: string;
  /** How it stands out: a rule that is violated, a value that is not what it was. */
  tone?: 'violation' | 'changed';
}

export interface Description {
  title: string;
  subtitle: string;
  lines: Line[];
}

/** `GPA` or `SPA`, and the page number's name. */
export const spaceOf = ({ lane }: LaneState): { address: string; number: string } =>
  lane.kind === 'guest' ? { address: 'GPA', number: 'gfn' } : { address: 'SPA', number: 'pfn' };

export const laneName = ({ lane }: LaneState): string => (lane.kind === 'guest' ? `guest ${lane.name}` : lane.name);

export function describe(model: MapModel, place: Place): Description | undefined {
  const lane = model.lanes[place.lane];
  if (!lane) return undefined;
  const space = spaceOf(lane);
  const lines: Line[] = [];
  const violations = violationsAt(model, place);
  for (const { rule, message } of violations.slice(0, 3))
    lines.push({ label: rule, value: message, tone: 'violation' });
  if (violations.length > 3) lines.push({ label: '', value: `and ${violations.length - 3} more`, tone: 'violation' });
  if (place.pages === 1) {
    lines.push(...pageLines(lane, place.page, model.difference));
    for (const link of linkedPages(model.story!.story.lanes, place)) {
      const other = model.lanes[link.lane];
      if (other.lane.kind === 'direct-map') continue;
      lines.push({
        label: other.lane.kind === 'guest' ? laneName(other) : 'frame',
        value: `${spaceOf(other).address} ${address(link.page)}`,
      });
    }
    return {
      title: `${space.address} ${address(place.page)}`,
      subtitle: `${space.number} ${hex(place.page)} · ${laneName(lane)}`,
      lines,
    };
  }
  const mixture = new Mixture();
  lane.runs.mix(place.page, place.page + place.pages, mixture);
  let violated = 0;
  for (const id of mixture.ids) if (isViolation(lane.cells[id])) violated += mixture.count(id);
  if (violated > 0 && violations.length === 0) {
    lines.unshift({ label: 'violations', value: plural(violated, 'page'), tone: 'violation' });
  }
  for (const track of tracksOf(lane.lane.kind)) {
    const parts = partsOf(lane, track, mixture);
    if (parts.length === 1 && !parts[0][2]) continue;
    const shown = parts.slice(0, 4).map(([label, pages]) => `${share(pages, place.pages)} ${label}`);
    if (parts.length > 4) shown.push(`${parts.length - 4} more`);
    lines.push({ label: track.label, value: parts.length === 1 ? parts[0][0] : shown.join(', ') });
  }
  return {
    title: `${space.address} ${addressRange(place.page, place.page + place.pages)}`,
    subtitle: `${sizeOfPages(place.pages)}, ${grouped(place.pages)} pages · ${laneName(lane)}`,
    lines,
  };
}

/** Categories of a track in a mixture, the largest part first: label, pages, whether it is drawn. */
function partsOf(lane: LaneState, track: Track, mixture: Mixture): [string, number, boolean][] {
  const parts = new Map<string, [number, boolean]>();
  for (const id of mixture.ids) {
    const { label, ink } = track.category(lane.cells[id]);
    const known = parts.get(label);
    parts.set(label, [(known?.[0] ?? 0) + mixture.count(id), ink !== undefined]);
  }
  return [...parts]
    .map(([label, [pages, drawn]]): [string, number, boolean] => [label, pages, drawn])
    .sort((a, b) => b[1] - a[1]);
}

function pageLines(lane: LaneState, page: number, difference: Difference | undefined): Line[] {
  const cell = lane.cell(page);
  const before = difference?.before(lane, page) ?? cell;
  const lines: Line[] = [];
  for (const track of tracksOf(lane.lane.kind)) {
    const now = track.category(cell);
    const then = track.category(before);
    if (now.key !== then.key)
      lines.push({ label: track.label, value: `${then.label} → ${now.label}`, tone: 'changed' });
    else if (now.ink) lines.push({ label: track.label, value: now.label });
  }
  if (lines.length === 0) lines.push({ label: tracksOf(lane.lane.kind)[0].label, value: 'nothing here' });
  return lines;
}

/** Rules that the steps so far violated at a place and that the present state still has there. */
export function violationsAt(
  model: MapModel,
  { lane, page, pages }: Place,
): { step: number; rule: string; message: string }[] {
  const { story } = model;
  const of = model.lanes[lane];
  if (!story || !of) return [];
  const found: { step: number; rule: string; message: string }[] = [];
  for (const violation of story.story.violations) {
    if (violation.lane !== lane || violation.step >= model.shown) continue;
    const from = Math.max(page, violation.start);
    const to = Math.min(page + pages, violation.start + violation.count);
    if (from >= to) continue;
    const still = of.runs.find(from, true, (id) => isViolation(of.cells[id]));
    if (!still || still.start >= to) continue;
    found.push({ step: violation.step, rule: violation.rule, message: violation.message });
  }
  return found;
}

/** One sentence for a screen reader. */
export function spoken(model: MapModel, place: Place): string {
  const described = describe(model, place);
  if (!described) return '';
  const lines = described.lines.map(
    ({ label, value, tone }) => `${tone === 'violation' ? 'violation ' : ''}${label} ${value}`,
  );
  return [described.title, described.subtitle, ...lines].join('. ').replaceAll('→', 'to');
}
