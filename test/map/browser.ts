// The page alone, in a headless Chromium: bundled, served under the policy that VS Code's panel gives it, with an extension that only writes down what
// the page says to it.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as esbuild from 'esbuild';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { bundleOptions } from '../../scripts/build.ts';
import { launchChromium } from '../../scripts/lib/chromium.ts';
import type { FromPage, MapRuns, ToPage } from '../../server/common/map-protocol.ts';
import { themeStyles } from './themes.ts';

/** As the extension sets it. */
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'";

export type BodyClass =
  | 'vscode-dark'
  | 'vscode-light'
  | 'vscode-high-contrast'
  | 'vscode-high-contrast vscode-high-contrast-light';

async function bundle(): Promise<Map<string, { type: string; body: string | Uint8Array }>> {
  // As it is shipped, but in memory.
  const options = ['dist/map/map.js', 'dist/map/map.css'].map((name) =>
    bundleOptions(name, !process.env.SNP_UNMINIFIED),
  );
  const built = await Promise.all(options.map((one) => esbuild.build({ ...one, sourcemap: false, write: false })));
  const files = new Map<string, { type: string; body: string | Uint8Array }>();
  for (const { path, contents } of built.flatMap(({ outputFiles }) => outputFiles ?? [])) {
    const script = path.endsWith('.js');
    files.set(script ? '/map.js' : '/map.css', { type: script ? 'text/javascript' : 'text/css', body: contents });
  }
  files.set('/theme.css', { type: 'text/css', body: themeStyles });
  files.set('/vscode.js', { type: 'text/javascript', body: fakeApi });
  return files;
}

/** VS Code's side of the page: what it said, and what it saved (kept over a reload, as VS Code does). */
const fakeApi = `
  window.said = [];
  window.violations = [];
  addEventListener('securitypolicyviolation', (event) => window.violations.push(event.violatedDirective + ' ' + event.blockedURI));
  addEventListener('error', (event) => window.violations.push('error ' + event.message));
  window.acquireVsCodeApi = () => ({
    postMessage: (message) => window.said.push(message),
    getState: () => JSON.parse(sessionStorage.getItem('state') ?? 'null') ?? undefined,
    setState: (state) => sessionStorage.setItem('state', JSON.stringify(state)),
  });
  document.body.className = new URLSearchParams(location.search).get('theme') ?? 'vscode-dark';
  const revive = (runs) => ({
    lane: Uint8Array.from(runs.lane), start: Uint32Array.from(runs.start), count: Uint32Array.from(runs.count),
    before: Uint32Array.from(runs.before), after: Uint32Array.from(runs.after),
  });
  window.tell = (message) => {
    const told = message.story ?? message.update;
    if (told) {
      if (told.base) told.base = revive(told.base);
      told.changes = revive(told.changes);
      told.changesFrom = Uint32Array.from(told.changesFrom);
    }
    if (message.position?.partial) message.position.partial = revive(message.position.partial);
    window.dispatchEvent(new MessageEvent('message', { data: message }));
  };
`;

export interface Kit {
  browser: Browser;
  open(
    options?: { theme?: BodyClass; width?: number; height?: number; init?: string } & BrowserContextOptions,
  ): Promise<MapPage>;
  close(): Promise<void>;
}

export interface MapPage {
  page: Page;
  tell(message: ToPage): Promise<void>;
  /** What the page has said so far. */
  said(): Promise<FromPage[]>;
  /** What offended the content security policy, and errors of the page. */
  offences(): Promise<string[]>;
}

const plainRuns = (runs: MapRuns) =>
  Object.fromEntries(Object.entries(runs).map(([name, column]) => [name, Array.from(column as Uint32Array)]));

/** Typed arrays do not survive the way into the page. */
function plain(message: ToPage): unknown {
  if (message.type === 'story') {
    const { story } = message;
    const position = message.position?.partial
      ? { ...message.position, partial: plainRuns(message.position.partial) }
      : message.position;
    return {
      ...message,
      position,
      story: {
        ...story,
        base: plainRuns(story.base),
        changes: plainRuns(story.changes),
        changesFrom: Array.from(story.changesFrom),
      },
    };
  }
  if (message.type === 'update') {
    const { update } = message;
    return {
      ...message,
      update: { ...update, changes: plainRuns(update.changes), changesFrom: Array.from(update.changesFrom) },
    };
  }
  if (message.type === 'position' && message.position.partial) {
    return { ...message, position: { ...message.position, partial: plainRuns(message.position.partial) } };
  }
  return message;
}

export async function startKit(): Promise<Kit> {
  const files = await bundle();
  const html = `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Memory map</title>
    <link rel="stylesheet" href="/theme.css"><link rel="stylesheet" href="/map.css">
    <script type="module" src="/vscode.js"></script><script type="module" src="/map.js"></script></head><body></body></html>`;
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://page').pathname;
    const file = path === '/' ? { type: 'text/html', body: html } : files.get(path);
    response.writeHead(file ? 200 : 404, {
      'content-type': file?.type ?? 'text/plain',
      'content-security-policy': policy,
    });
    response.end(file?.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const browser = await launchChromium();
  let open: BrowserContext | undefined;
  return {
    browser,
    async open({ theme = 'vscode-dark', width = 1100, height = 860, init, ...options } = {}) {
      await open?.close();
      const context = await browser.newContext({
        viewport: { width, height },
        reducedMotion: 'reduce',
        ...options,
      });
      open = context;
      const page = await context.newPage();
      if (init) await page.addInitScript(init);
      await page.goto(`http://127.0.0.1:${port}/?theme=${encodeURIComponent(theme)}`);
      return {
        page,
        tell: (message) => page.evaluate(`tell(${JSON.stringify(plain(message))})`) as Promise<void>,
        said: () => page.evaluate('said') as Promise<FromPage[]>,
        offences: () => page.evaluate('violations') as Promise<string[]>,
      };
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}
