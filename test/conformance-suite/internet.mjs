// Specs of [sig-network] begin with a request to google.com. This answers instead of it, so that a machine without can run them.
import { createServer } from 'node:http';

export class Internet {
  server = createServer((_, response) => response.end());

  /** Resolves to the environment of programs that shall ask here. */
  async start() {
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return {
      HTTP_PROXY: `http://127.0.0.1:${this.server.address().port}`,
      NO_PROXY: '10.0.0.0/8,127.0.0.0/8,localhost',
    };
  }

  stop() {
    this.server.close();
    this.server.closeAllConnections();
  }
}
