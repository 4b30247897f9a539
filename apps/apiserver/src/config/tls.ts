import { readFileSync } from 'node:fs';
import { ConfigError } from '@orrery/component';
import { createCa, issueCertificate } from '@orrery/pki';
import type { ApiServerOptions } from './options.js';

/** Reads a file that a flag names; the message names both. */
export function readFlagFile(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`--${flag}: ${why}`, { cause: error });
  }
}

export interface ServingTls {
  readonly cert: Buffer | string;
  readonly key: Buffer | string;
  readonly ca?: Buffer;
}

/** The serving certificate: from the flags, or one that is made for this run. */
export async function servingTls(options: ApiServerOptions, now: number): Promise<ServingTls> {
  const ca = options.clientCaFile
    ? { ca: readFlagFile('client-ca-file', options.clientCaFile) }
    : {};
  if (options.tlsCertFile !== '' || options.tlsPrivateKeyFile !== '') {
    return {
      cert: readFlagFile('tls-cert-file', options.tlsCertFile),
      key: readFlagFile('tls-private-key-file', options.tlsPrivateKeyFile),
      ...ca,
    };
  }
  const address = options.advertiseAddress ?? options.bindAddress;
  const issued = await issueCertificate(await createCa('orrery-self-signed', now), {
    commonName: 'kube-apiserver',
    usages: ['serverAuth'],
    now,
    sans: {
      dns: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
      ips: [address, '127.0.0.1'],
    },
  });
  return { cert: issued.certPem, key: issued.keyPem, ...ca };
}
