// The memory map's page: made when the panel's document is loaded, and told everything by messages (server/common/map-protocol.ts).

import { App } from './app.ts';
import { connect, type Host } from './host.ts';

let host: Host | undefined;
const app = new App(() => host!);
host = connect((message) => app.receive(message));
host.send({ type: 'ready' });
