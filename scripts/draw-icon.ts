// node scripts/run.mjs draw-icon.ts: draws client/icons/icon.png (256 × 256) from icon.svg, for the packager, which takes no SVG.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launchChromium } from './lib/chromium.ts';
import { root } from './lib/toolchain.mjs';

const icons = join(root, 'client', 'icons');
const browser = await launchChromium();
const page = await browser.newPage({ viewport: { width: 256, height: 256 } });
await page.setContent(`<body style="margin:0">${await readFile(join(icons, 'icon.svg'), 'utf8')}</body>`);
await page.screenshot({ path: join(icons, 'icon.png'), omitBackground: true });
await browser.close();
