import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';

export type Response = ServerResponse<IncomingMessage>;
type Handler = (raw: IncomingMessage, response: Response) => unknown;

/** Puts `look` before the handlers that a server has; true = the request is answered, they do not get it. */
export function beforeRequests(
  server: Server,
  look: (raw: IncomingMessage, response: Response) => boolean,
): void {
  const handlers = server.listeners('request') as Handler[];
  server.removeAllListeners('request');
  server.on('request', (raw, response) => {
    if (look(raw, response)) return;
    for (const handler of handlers) handler.call(server, raw, response);
  });
}
