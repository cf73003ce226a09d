// The extension, as the page sees it: messages both ways, and a little state that outlives the page. The only file that knows acquireVsCodeApi(),
// which tests replace by their own.

import type { FromPage, ToPage } from '../../../server/common/map-protocol.ts';

interface VsCodeApi {
  postMessage(message: FromPage): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

export interface Host {
  send(message: FromPage): void;
  /** What {@link save} was given last, before the page was made anew; undefined for a first time. */
  saved(): unknown;
  save(state: unknown): void;
}

/** @param receive called with each message of the extension; others that reach the window are not for us */
export function connect(receive: (message: ToPage) => void): Host {
  const api = acquireVsCodeApi();
  addEventListener('message', ({ data }: MessageEvent) => {
    if (typeof data === 'object' && data !== null && typeof (data as { type?: unknown }).type === 'string') {
      receive(data as ToPage);
    }
  });
  return {
    send: (message) => api.postMessage(message),
    saved: () => api.getState(),
    save: (state) => api.setState(state),
  };
}
