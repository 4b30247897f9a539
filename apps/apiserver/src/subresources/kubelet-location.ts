import { readFileSync } from 'node:fs';
import { newInternalError } from '@orrery/apimachinery';
import type { Node } from '@orrery/api';
import { parseDuration } from '@orrery/component';
import type { ServerServices } from '../extensions.js';
import type { DialPolicy } from './dial-policy.js';

/** Where one kubelet serves, by the address that was checked. */
export interface KubeletLocation {
  readonly address: string;
  readonly port: number;
  /** Name in the kubelet's certificate. */
  readonly serverName: string;
}

export interface KubeletTls {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly ca?: Buffer;
  readonly rejectUnauthorized: boolean;
  /** How long a connection may take to come about. */
  readonly connectMs?: number;
}

const read = (path: string): Buffer | undefined => (path === '' ? undefined : readFileSync(path));

/** The client certificate that the server shows kubelets, from its flags. */
export function kubeletTls(options: ServerServices['options']): KubeletTls {
  const cert = read(options.kubeletClientCertificate);
  const key = read(options.kubeletClientKey);
  const ca = read(options.kubeletCertificateAuthority);
  return {
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(ca ? { ca } : {}),
    rejectUnauthorized: ca !== undefined,
    connectMs: parseDuration(options.kubeletTimeout) ?? 30_000,
  };
}

/** Finds a node's kubelet by the node's own addresses, in the order of --kubelet-preferred-address-types. */
export class KubeletLocator {
  constructor(
    private readonly services: ServerServices,
    private readonly policy: DialPolicy,
  ) {}

  async locate(nodeName: string): Promise<KubeletLocation> {
    const node = (await this.services.store('', 'v1', 'nodes').get(undefined, nodeName))
      .object as Node;
    const port =
      node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? this.services.options.kubeletPort;
    const addresses = node.status?.addresses ?? [];
    for (const type of this.services.options.kubeletPreferredAddressTypes) {
      const host = addresses.find((one) => one.type === type)?.address;
      const address = host === undefined ? undefined : await this.policy.resolve(host);
      if (host !== undefined && address !== undefined)
        return { address, port, serverName: type.endsWith('IP') ? '' : host };
    }
    throw newInternalError(
      `no preferred addresses found; known addresses: [${addresses.map((a) => `{${a.type} ${a.address}}`).join(' ')}]`,
    );
  }
}
