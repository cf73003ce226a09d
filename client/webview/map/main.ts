// The memory map's page: made when the panel's document is loaded, and told everything by messages (server/common/map-protocol.ts).

import { App } from './app.ts';
import { connect } from './host.ts';

const host = connect((message) => app.receive(message));
const app = new App(host);
host.send({ type: 'ready' });
