import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { UserInfo } from '@orrery/registry';
import { followOptions } from '../config/certificate-file.js';
import { followFiles } from '../config/follow-files.js';
import type { ServerServices } from '../extensions.js';
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

const readIdentity = (cert: string, key: string): ProxyIdentity => ({
  cert: readFileSync(cert),
  key: readFileSync(key),
});

/** What --proxy-client-cert-file and --proxy-client-key-file hold now. */
export function followProxyIdentity(services: ServerServices): () => ProxyIdentity {
  const { proxyClientCertFile: cert, proxyClientKeyFile: key } = services.options;
  if (cert === '' || key === '') return () => ({});
  let current = readIdentity(cert, key);
  void followFiles([cert, key], followOptions(services), () => {
    try {
      const next = readIdentity(cert, key);
      createSecureContext(next);
      current = next;
    } catch (error) {
      // One of the two may still be the old one.
      services.logger.error('the proxy certificate stays as it was', { err: String(error) });
      return false;
    }
    return true;
  });
  return () => current;
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
    private readonly identity: () => ProxyIdentity,
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
        ...this.identity(),
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
