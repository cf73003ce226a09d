// The Chromium that shows the workbench where no desktop VS Code can be had. A driver only: the browser is the machine's own.

import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { run, which } from './process.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge', 'msedge'];
const elsewhere = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

/** Off: what needs a GPU, a sandboxing kernel or the internet, so that it runs the same in a container. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The path of a Chromium-like browser on this machine, or undefined. SNP_CHROMIUM names another one. */
export async function findChromium(): Promise<string | undefined> {
  if (process.env.SNP_CHROMIUM) return process.env.SNP_CHROMIUM;
  for (const name of names) {
    const path = await which(name);
    if (path) return path;
  }
  return elsewhere.find((path) => existsSync(path));
}

/** Finds a browser; as root on a system with apt, installs Debian's when there is none. Throws with what to install. */
export async function requireChromium(): Promise<string> {
  const found = await findChromium();
  if (found) return found;
  const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
  if (isRoot && (await which('apt-get'))) {
    console.error('Installing Chromium (apt-get install chromium) …');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await run('apt-get', ['update', '-qq'], { env, stdio: ['ignore', 2, 2] });
    await run('apt-get', ['install', '-y', '-qq', 'chromium'], { env, stdio: ['ignore', 'ignore', 2] });
    const installed = await findChromium();
    if (installed) return installed;
  }
  throw new Error(
    'No Chromium found to run VS Code in. Install one (Debian: sudo apt-get update && sudo apt-get install -y chromium),\n' +
      'or name one in the environment variable SNP_CHROMIUM.',
  );
}

/** A headless browser. */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: await requireChromium(), args, headless: true });
}
