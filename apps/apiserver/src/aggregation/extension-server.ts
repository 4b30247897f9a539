import { readFileSync } from 'node:fs';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { UserInfo } from '@orrery/registry';
import type { ApiServerOptions } from '../config/options.js';
import { connectionFailure } from '../webhooks/https-post.js';
import type { ServiceResolver } from '../webhooks/service-resolver.js';
import type { Backend, BackendRequest } from '../subresources/backend.js';
import { openRequest } from '../subresources/backend.js';
import type { RemoteApi } from './api-services.js';

/** The certificate that this server shows to extension API servers, by which they believe its X-Remote headers. */
export interface ProxyIdentity {
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

export function readProxyIdentity(options: ApiServerOptions): ProxyIdentity {
  const { proxyClientCertFile: cert, proxyClientKeyFile: key } = options;
  return cert === '' || key === '' ? {} : { cert: readFileSync(cert), key: readFileSync(key) };
}

/** Keys of extra fields may hold what header names may not (k8s client-go transport/round_trippers.go:headerKeyEscape). */
const escapeKey = (key: string): string =>
  key.replace(/[^!#$&'*+\-.^_`|~0-9A-Za-z]/g, (found) =>
    [...Buffer.from(found)].map((byte) => `%${byte.toString(16).toUpperCase()}`).join(''),
  );

/** Who asks, as front-proxy headers. */
export function remoteUserHeaders(user: UserInfo): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {
    'x-remote-user': user.name,
    'x-remote-group': [...user.groups],
  };
  if (user.uid) headers['x-remote-uid'] = user.uid;
  for (const [key, values] of Object.entries(user.extra ?? {}))
    headers[`x-remote-extra-${escapeKey(key)}`] = [...values];
  return headers;
}

/** Reaches the servers behind APIServices: TLS with the CA of the APIService and the name `service.namespace.svc`. */
export class ExtensionServers {
  constructor(
    private readonly resolver: ServiceResolver,
    private readonly identity: ProxyIdentity,
  ) {}

  /** Where it answers now. Throws HookError. */
  async locate({ service, spec }: RemoteApi): Promise<Backend> {
    const { host, port } = await this.resolver.resolve(
      service.namespace,
      service.name,
      service.port,
    );
    return {
      scheme: 'https',
      address: host,
      port,
      serverName: `${service.name}.${service.namespace}.svc`,
      tls: {
        ...this.identity,
        ...(spec.caBundle ? { ca: Buffer.from(spec.caBundle, 'base64') } : {}),
        rejectUnauthorized: !spec.insecureSkipTLSVerify,
      },
    };
  }

  /** Sends a request; rejects with an Error in the words of Go's net/http. */
  exchange(backend: Backend, request: BackendRequest, body?: Buffer): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = openRequest(backend, request);
      outgoing.once('response', resolve);
      outgoing.once('error', (error) => {
        const address = `${backend.address}:${backend.port}`;
        reject(new Error(connectionFailure(error, address), { cause: error }));
      });
      outgoing.end(body);
    });
  }
}

/** Groups of the aggregator's own requests. */
export const AGGREGATOR: UserInfo = {
  name: 'system:kube-aggregator',
  groups: ['system:masters'],
};
