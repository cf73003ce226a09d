// The page: its parts put together, and the messages between them and the extension.

import type { ToPage } from '../../../server/common/map-protocol.ts';
import { element } from './dom.ts';
import type { Host } from './host.ts';
import { MapCanvas } from './map-canvas.ts';
import { MapModel } from './model.ts';
import { readTheme } from './theme.ts';

export class App {
  readonly model = new MapModel();
  readonly map: MapCanvas;

  constructor(_host: () => Host) {
    this.map = new MapCanvas(this.model, readTheme());
    document.body.append(element('main', { class: 'app' }, this.map.scroller));
  }

  receive(message: ToPage): void {
    if (message.type === 'story') this.model.load(message.story, message.position);
  }
}
