// The map as a file: all lanes at the present zoom, what is shown above them and the legend below. SVG as text, PNG as base64.

import { element } from './dom.ts';
import { gutter, layOut, shift } from './layout.ts';
import { legendOf } from './legend.ts';
import type { MapCanvas } from './map-canvas.ts';
import { cut, drawMarks } from './marks.ts';
import type { MapModel } from './model.ts';
import { drawOverlay } from './overlay.ts';
import { Pixels } from './pixels.ts';
import { drawBands, type Scene, SceneCache } from './scene.ts';
import { CanvasSurface, type Surface } from './surface.ts';
import { SvgSurface } from './svg-surface.ts';
import { lookOf } from './theme.ts';

/** Device pixels of a PNG in each CSS pixel. */
const pngScale = 2;
const headHeight = 48;
const legendLine = 20;

interface Picture {
  scene: Scene;
  height: number;
  title: string;
}

function pictureOf(model: MapModel, map: MapCanvas, resolution: number): Picture {
  const seen = map.scene(resolution);
  const { places, height } = layOut(model.lanes, 0);
  for (const place of places) shift(place, headHeight);
  const lanesEnd = headHeight + height;
  return {
    scene: { ...seen, resolution, lanes: places, height: lanesEnd, views: model.views },
    height: lanesEnd,
    title: model.story?.story.scenario ?? '',
  };
}

/** Everything over the bands. @returns how high the picture is, with its legend */
function drawRest(surface: Surface, { scene, height, title }: Picture, model: MapModel, cache: SceneCache): number {
  const { theme, width } = scene;
  const step = model.target > 0 ? model.story?.story.steps[model.target - 1] : undefined;
  const after = step
    ? `after line ${step.line + 1}: ${step.text}${step.outcome ? ` → ${step.outcome}` : ''}`
    : 'before the first step';
  const strong = { color: theme.foreground, font: 'sans', size: 15, bold: true } as const;
  const small = { color: theme.muted, font: 'mono', size: 11 } as const;
  surface.text(12, 18, cut(surface, title, strong, width - 24), strong);
  surface.text(12, 37, cut(surface, `state ${model.target} of ${model.lastState}, ${after}`, small, width - 24), small);
  drawMarks(surface, scene, cache);
  drawOverlay(surface, scene, {
    lanes: model.lanes,
    fresh: model.fresh,
    flash: 0,
    difference: model.difference,
    hover: undefined,
    selection: model.selection,
    focused: false,
    band: undefined,
  });
  return drawLegend(surface, scene, model, height);
}

function drawLegend(surface: Surface, scene: Scene, model: MapModel, top: number): number {
  const { theme, width } = scene;
  const small = { color: theme.muted, font: 'sans', size: 11 } as const;
  let y = top + legendLine / 2;
  for (const { label, categories } of legendOf(model)) {
    surface.text(12, y, label, { ...small, bold: true });
    let x = gutter;
    for (const { label: name, ink, pattern } of categories) {
      const wide = 18 + 6 + surface.textWidth(name, small) + 16;
      if (x + wide > width && x > gutter) {
        x = gutter;
        y += legendLine;
      }
      surface.area(x, y - 6, 18, 12, lookOf(theme, ink!, pattern, false));
      surface.text(x + 24, y, name, { ...small, color: theme.foreground });
      x += wide;
    }
    y += legendLine;
  }
  return Math.ceil(y);
}

export function svgOf(model: MapModel, map: MapCanvas): string {
  const picture = pictureOf(model, map, 1);
  const { theme } = picture.scene;
  const measuring = element('canvas').getContext('2d')!;
  const measure = new CanvasSurface(measuring, theme, () => {});
  const surface = new SvgSurface(theme, (text, style) => measure.textWidth(text, style));
  const cache = new SceneCache();
  drawBands(surface, picture.scene, cache);
  const height = drawRest(surface, picture, model, cache);
  return surface.document(picture.scene.width, height, theme.background, picture.title);
}

export function pngOf(model: MapModel, map: MapCanvas): string {
  const picture = pictureOf(model, map, pngScale);
  const { theme, width } = picture.scene;
  // Drawn twice: the first time only to learn how high the legend is.
  const canvas = element('canvas');
  const context = canvas.getContext('2d', { alpha: false })!;
  const measuring = new CanvasSurface(context, theme, () => {});
  const cache = new SceneCache();
  measuring.begin(1);
  const height = drawRest(measuring, picture, model, cache);
  canvas.width = Math.round(width * pngScale);
  canvas.height = Math.round(height * pngScale);
  const pixels = new Pixels(canvas.width, canvas.height, pngScale);
  const at = (value: number) => Math.round(value * pngScale);
  const surface = new CanvasSurface(context, theme, (x, y, wide, high, look) =>
    pixels.fill(at(x), at(y), at(x + wide), at(y + high), look),
  );
  pixels.clear(theme.background);
  drawBands(surface, picture.scene, cache);
  // The legend's swatches are areas too: they are among the pixels before anything is drawn over them.
  drawLegend(surface, picture.scene, model, picture.height);
  pixels.put(context);
  surface.begin(pngScale);
  drawRest(surface, picture, model, cache);
  return canvas.toDataURL('image/png').replace(/^data:image\/png;base64,/, '');
}
