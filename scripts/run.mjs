// node scripts/run.mjs SCRIPT.ts [ARG…]: installs what is missing, then runs a script of this folder under the pinned Node.
import { ensureInstalled, runPinned } from './lib/toolchain.mjs';

const [script, ...args] = process.argv.slice(2);
if (!script) throw new Error('usage: node scripts/run.mjs SCRIPT.ts [ARG…]');
ensureInstalled();
runPinned(script, args);
