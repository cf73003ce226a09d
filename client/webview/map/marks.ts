// What is drawn over the bands of a lane: title, ruler, grid, labels, folios, markers of violations, and what changed.

import type { View } from './axis.ts';
import { type Columns, groupsWith } from './columns.ts';
import { pagesOf1G, pagesOf2M, plural, sizeOfPages } from './format.ts';
import { gutter, type LanePlace, overviewHeight } from './layout.ts';
import { gapsOf, ticksOf } from './ruler.ts';
import { laneWidth, type Scene, type SceneCache } from './scene.ts';
import type { Surface, TextStyle } from './surface.ts';
import { isViolation, spanOf } from './tracks.ts';

export function drawMarks(surface: Surface, scene: Scene, cache: SceneCache): void {
  for (const [index, place] of scene.lanes.entries()) {
    if (place.y > scene.height || place.y + place.height < 0) continue;
    const columns = cache.columns(scene, index);
    const view = scene.views[index];
    drawTitle(surface, scene, place);
    drawOverview(surface, scene, place, view, cache.overview(scene, index));
    drawRuler(surface, scene, place, view);
    drawTrackNames(surface, scene, place);
    surface.clip(gutter, place.y, laneWidth(scene.width), place.height);
    drawGrid(surface, scene, place, view);
    drawLabels(surface, scene, cache, place, columns);
    drawFolios(surface, scene, place, view);
    surface.unclip();
    drawViolations(surface, scene, place, columns);
  }
}

const titleStyle = (scene: Scene): TextStyle => ({ color: scene.theme.foreground, font: 'sans', size: 13, bold: true });

function drawTitle(surface: Surface, scene: Scene, place: LanePlace): void {
  const { lane } = place.lane;
  const style = titleStyle(scene);
  const title = lane.kind === 'guest' ? `Guest ${lane.name}` : lane.name;
  const left = 12;
  const name = cut(surface, title, style, scene.width * 0.45);
  surface.text(left, place.titleY, name, style);
  const about = [sizeOfPages(place.lane.axis.length)];
  if (lane.asid !== undefined) about.unshift(`ASID ${lane.asid}`);
  const found = violatedPages(place);
  const small: TextStyle = { color: scene.theme.muted, font: 'sans', size: 11 };
  let x = left + surface.textWidth(name, style) + 10;
  const text = about.join('  ·  ');
  surface.text(x, place.titleY + 0.5, text, small);
  x += surface.textWidth(text, small) + 12;
  if (found > 0) {
    const color = scene.theme.violation;
    const label = `${plural(found, 'page')} in violation`;
    drawTriangle(surface, x + 4, place.titleY - 4, 8, 8, scene);
    surface.text(x + 12, place.titleY + 0.5, label, { ...small, color, bold: true });
  }
}

/** Pages of the whole lane at which a rule is violated. */
export function violatedPages({ lane }: LanePlace): number {
  let pages = 0;
  for (const [id, cell] of lane.cells.entries()) if (isViolation(cell)) pages += lane.runs.total(id);
  return pages;
}

/** Where the window is on the whole lane. */
function drawOverview(surface: Surface, scene: Scene, place: LanePlace, view: View, columns: Columns): void {
  const width = laneWidth(scene.width);
  const { axis } = place.lane;
  const { theme } = scene;
  const y = place.overviewY;
  surface.outline(gutter - 1, y - 1, width + 2, overviewHeight + 2, theme.line, 1);
  const all = Math.max(axis.length, width * view.scale);
  const left = gutter + (view.left / all) * width;
  const shown = Math.max(3, ((width * view.scale) / all) * width);
  if (shown < width - 1) {
    surface.rect(gutter, y, Math.max(0, left - gutter), overviewHeight, theme.background, 0.55);
    surface.rect(left + shown, y, Math.max(0, gutter + width - left - shown), overviewHeight, theme.background, 0.55);
    const at = Math.min(left, gutter + width - 3);
    surface.outline(at - 1, y - 2, shown + 2, overviewHeight + 4, theme.foreground, 1.5);
  }
  const { cells } = place.lane;
  let free = -Infinity;
  groupsWith(
    columns,
    (id) => isViolation(cells[id]),
    (x0, x1) => {
      const from = gutter + x0 / scene.resolution;
      const wide = Math.max(2, (x1 - x0) / scene.resolution);
      if (from + wide < free) return;
      surface.rect(from - (wide <= 2 ? 0.5 : 0), y - 2, wide, overviewHeight + 4, theme.violation);
      free = from + wide;
    },
  );
  surface.text(12, y + overviewHeight / 2, 'whole', { color: theme.muted, font: 'sans', size: 10 });
}

function drawRuler(surface: Surface, scene: Scene, place: LanePlace, view: View): void {
  const { theme } = scene;
  const width = laneWidth(scene.width);
  const style: TextStyle = { color: theme.muted, font: 'mono', size: 10.5 };
  const y = place.rulerY;
  surface.text(12, y + 10, place.lane.lane.kind === 'guest' ? 'GPA' : 'SPA', { ...style, font: 'sans', size: 10 });
  for (const { x, label } of ticksOf(place.lane, view, width, 104)) {
    const at = Math.round(gutter + x);
    surface.rect(at, y + 3, 1, place.markersY - y - 2, theme.line);
    surface.text(at + 4, y + 10, label, style);
  }
  for (const { x, label } of gapsOf(place.lane, view, width)) {
    const at = gutter + x;
    // A break in the axis: a zigzag over all tracks.
    const points: number[] = [];
    for (let row = place.markersY, side = 1; row <= place.tracksEnd; row += 4, side = -side)
      points.push(at + side * 2, row);
    surface.path(points, theme.background, 5);
    surface.path(points, theme.muted, 1.25);
    const small: TextStyle = { color: theme.muted, font: 'sans', size: 9.5, align: 'right' };
    if (x > surface.textWidth(label, small) + 8) surface.text(at - 5, place.markersY + 3, label, small);
  }
}

function drawTrackNames(surface: Surface, scene: Scene, place: LanePlace): void {
  for (const { track, y, height } of place.tracks) {
    surface.text(12, y + height / 2, track.label, {
      color: scene.theme.muted,
      font: 'sans',
      size: height < 12 ? 9 : 11,
    });
    surface.rect(gutter, y + height, laneWidth(scene.width), 1, scene.theme.line, 0.45);
  }
}

/** Borders of pages, 2M regions and 1G regions, each when it is wide enough to be told from its neighbour. */
function drawGrid(surface: Surface, scene: Scene, place: LanePlace, view: View): void {
  const { theme } = scene;
  const width = laneWidth(scene.width);
  const { axis, runs, cells } = place.lane;
  const { kind } = place.lane.lane;
  const page = 1 / view.scale;
  const draw = (step: number, wide: number, alpha: number) => {
    axis.pagesBetween(view.left, view.left + width * view.scale, (start, end, offset) => {
      for (let at = Math.ceil(start / step) * step; at < end; at += step) {
        const x = gutter + (offset + (at - start) - view.left) / view.scale;
        for (const { track, y, height } of place.tracks) {
          // No border of pages inside an entry or a mapping of 2M.
          if (
            step < pagesOf2M &&
            at % pagesOf2M !== 0 &&
            isLarge(track.key) &&
            spanOf(kind, cells[runs.at(at)]) === pagesOf2M
          )
            continue;
          surface.rect(Math.round(x) - (wide > 1 ? 1 : 0), y, wide, height, theme.background, alpha);
        }
      }
    });
  };
  if (page >= 5) draw(1, 1, page >= 12 ? 1 : 0.7);
  if (page * pagesOf2M >= 7) draw(pagesOf2M, page * pagesOf2M >= 48 ? 2 : 1, page * pagesOf2M >= 24 ? 1 : 0.5);
  if (page * pagesOf1G >= 40) draw(pagesOf1G, 2, 1);
}

const isLarge = (track: string): boolean => track === 'entry' || track === 'npt' || track === 'direct';

/** Names of categories where their band is wide enough: the legend is only needed for what is small. */
function drawLabels(surface: Surface, scene: Scene, cache: SceneCache, place: LanePlace, columns: Columns): void {
  const width = laneWidth(scene.width);
  for (const [index, { track, y, height }] of place.tracks.entries()) {
    if (!track.labelled || height < 12) continue;
    const bands = cache.bands(scene, place, columns, index);
    for (let i = 0; i < bands.n; i++) {
      const { x0, x1, n, layers } = bands.at(i);
      const { category, dimmed } = layers[0];
      if (n > 1 || !category.ink || dimmed) continue;
      const wide = (x1 - x0) / scene.resolution;
      if (wide < 24) continue;
      const look = cache.look(scene, category, dimmed);
      if (!look) continue;
      const style: TextStyle = { color: look.text, font: 'sans', size: Math.min(12, Math.max(10, height * 0.36)) };
      const text = surface.textWidth(category.label, style);
      if (text + 12 > wide) continue;
      const center = gutter + Math.min(width, (x0 + x1) / 2 / scene.resolution);
      const sparse = look.pattern === 'sparse';
      // On a plate, over pattern and borders.
      const plate = sparse ? scene.theme.background : look.ink;
      const color = sparse ? scene.theme.muted : look.text;
      surface.rect(center - text / 2 - 4, y + height / 2 - style.size * 0.65, text + 8, style.size * 1.3, plate);
      surface.text(center, y + height / 2, category.label, { ...style, color, align: 'center' });
    }
  }
}

/** A bracket under each folio. */
function drawFolios(surface: Surface, scene: Scene, place: LanePlace, view: View): void {
  if (place.foliosY === undefined) return;
  const { theme } = scene;
  const width = laneWidth(scene.width);
  const y = place.foliosY;
  for (const [first, pages, order] of place.lane.lane.folios) {
    const each = 2 ** order;
    const wide = each / view.scale;
    if (!(each > 0) || !(pages > 0) || order === 0) continue;
    place.lane.axis.pagesBetween(view.left, view.left + width * view.scale, (start, end, offset) => {
      const from = Math.max(first, start);
      const to = Math.min(first + pages, end);
      if (from >= to) return;
      const at = (page: number) => gutter + (offset + (page - start) - view.left) / view.scale;
      if (wide < 6) {
        surface.rect(at(from), y + 3, Math.max(1, at(to) - at(from)), 1, theme.muted);
        return;
      }
      const small: TextStyle = { color: theme.muted, font: 'sans', size: 9, align: 'center' };
      for (let folio = first + Math.floor((from - first) / each) * each; folio < to; folio += each) {
        const x0 = Math.round(at(folio)) + 1;
        const x1 = Math.round(at(folio + each)) - 1;
        surface.path([x0 + 0.5, y, x0 + 0.5, y + 3.5, x1 - 0.5, y + 3.5, x1 - 0.5, y], theme.muted, 1);
        const label = `folio order ${order}`;
        const middle = (Math.max(x0, gutter) + Math.min(x1, gutter + width)) / 2;
        const room = Math.min(x1, gutter + width) - Math.max(x0, gutter);
        if (room > surface.textWidth(label, small) + 8) {
          surface.rect(
            middle - surface.textWidth(label, small) / 2 - 3,
            y,
            surface.textWidth(label, small) + 6,
            9,
            theme.background,
          );
          surface.text(middle, y + 4, label, small);
        }
      }
    });
  }
}

/** Above the tracks, and round them: a violation is never thinner than a triangle, at any zoom. */
function drawViolations(surface: Surface, scene: Scene, place: LanePlace, columns: Columns): void {
  const { cells } = place.lane;
  const { theme } = scene;
  const color = theme.violation;
  let from = -1;
  let to = -1;
  const flush = () => {
    if (from < 0) return;
    const x0 = gutter + from / scene.resolution;
    const wide = Math.max(2, (to - from) / scene.resolution);
    const y = place.tracksY;
    surface.rect(x0, y - 2, wide, 2, color);
    surface.rect(x0, place.tracksEnd, wide, 2, color);
    if (wide > 6) surface.outline(x0, y - 2, wide, place.tracksEnd - y + 4, color, 2);
    else {
      surface.rect(x0 - 1, y, 1, place.tracksEnd - y, theme.background);
      surface.rect(x0, y, Math.min(2, wide), place.tracksEnd - y, color);
      surface.rect(x0 + Math.min(2, wide), y, 1, place.tracksEnd - y, theme.background);
    }
    drawTriangle(surface, x0 + wide / 2, place.markersY, 9, 7, scene);
    from = -1;
  };
  groupsWith(
    columns,
    (id) => isViolation(cells[id]),
    (x0, x1) => {
      if (from >= 0 && x0 - to > 2 * scene.resolution) flush();
      if (from < 0) from = x0;
      to = x1;
    },
  );
  flush();
}

/** Pointing down at what is wrong. */
function drawTriangle(surface: Surface, x: number, y: number, width: number, height: number, scene: Scene): void {
  surface.shape([x - width / 2, y, x + width / 2, y, x, y + height], scene.theme.violation);
}

/** A text that fits, with an ellipsis if need be. */
export function cut(surface: Surface, text: string, style: TextStyle, width: number): string {
  if (surface.textWidth(text, style) <= width) return text;
  let low = 0;
  let high = Math.min(text.length, 400);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (surface.textWidth(`${text.slice(0, middle)}…`, style) <= width) low = middle;
    else high = middle - 1;
  }
  return `${text.slice(0, low)}…`;
}
