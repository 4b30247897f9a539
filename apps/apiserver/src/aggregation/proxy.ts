import { endSocket } from '@orrery/component';
import type { ApiRequest } from '../filters/api-request.js';
import {
  endToEndHeaders,
  forwardedHeaders,
  upgradeHeaders,
} from '../subresources/forwarded-headers.js';
import { relayUpgrade } from '../subresources/relay-upgrade.js';
import type { Backend } from '../subresources/backend.js';
import { HookError } from '../webhooks/https-post.js';
import type { UpgradeContext } from '../subresources.js';
import type { RemoteApi } from './api-services.js';
import type { ExtensionServers } from './extension-server.js';
import { remoteUserHeaders } from './extension-server.js';

const REDIRECT = 'the backend attempted to redirect this request, which is not permitted';

async function refuse(request: ApiRequest, code: number, text: string): Promise<void> {
  await request.reply
    .code(code)
    .header('content-type', 'text/plain; charset=utf-8')
    .header('x-content-type-options', 'nosniff')
    .send(`${text}\n`);
}

const pathOf = ({ path, query }: Pick<ApiRequest, 'path' | 'query'>): string => {
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
};

/** Finds the server, or answers for it; undefined when it has. */
async function locate(
  servers: ExtensionServers,
  remote: RemoteApi,
  refused: (code: number, text: string) => Promise<void> | void,
): Promise<Backend | undefined> {
  if (!remote.isAvailable) {
    await refused(503, 'service unavailable');
    return undefined;
  }
  try {
    return await servers.locate(remote);
  } catch (error) {
    if (!(error instanceof HookError)) throw error;
    await refused(503, 'service unavailable');
    return undefined;
  }
}

/**
 * Passes a request to the server behind an APIService and its answer back, watches included. What the client says of
 * itself is left out, who it is goes into X-Remote headers; an answer that redirects is dropped (CVE-2022-3172).
 */
export async function proxyRequest(
  servers: ExtensionServers,
  remote: RemoteApi,
  request: ApiRequest,
): Promise<void> {
  const backend = await locate(servers, remote, (code, text) => refuse(request, code, text));
  if (!backend) return;
  const { context, reply, body } = request;
  let answer;
  try {
    answer = await servers.exchange(
      backend,
      {
        method: request.method,
        path: pathOf(request),
        headers: {
          ...forwardedHeaders(request.headers),
          ...remoteUserHeaders(context.user),
          host: `${backend.address}:${backend.port}`,
          'content-length': body.length,
          'audit-id': context.auditId,
        },
        signal: context.signal,
      },
      body,
    );
  } catch (error) {
    await refuse(request, 503, error instanceof Error ? error.message : String(error));
    return;
  }
  const status = answer.statusCode ?? 502;
  if (status >= 300 && status < 400 && answer.headers.location) {
    answer.destroy();
    await refuse(request, 502, REDIRECT);
    return;
  }
  const { raw } = reply;
  reply.hijack();
  const headers = endToEndHeaders(answer.headers);
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined && !(name in headers)) raw.setHeader(name, value);
  raw.writeHead(status, headers);
  raw.flushHeaders();
  raw.once('close', () => answer.destroy());
  answer.once('error', () => raw.destroy());
  await new Promise<void>((resolve) => {
    raw.once('close', resolve);
    answer.pipe(raw);
  });
}

/** The same for upgrades; throws nothing that the caller must answer. */
export async function proxyUpgrade(
  servers: ExtensionServers,
  remote: RemoteApi,
  { request, socket, head }: Omit<UpgradeContext, 'kind'>,
): Promise<void> {
  const backend = await locate(servers, remote, (code, text) => {
    endSocket(
      socket,
      `HTTP/1.1 ${code} ${text}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${text.length + 1}\r\nconnection: close\r\n\r\n${text}\n`,
    );
  });
  if (!backend) return;
  await relayUpgrade({ socket, head }, backend, {
    method: request.method,
    path: pathOf(request),
    headers: {
      ...upgradeHeaders(request.headers),
      ...remoteUserHeaders(request.context.user),
      host: `${backend.address}:${backend.port}`,
    },
  });
}
