import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigMap } from '@orrery/api';
import { resources } from '@orrery/api';
import type { KubeClient } from '@orrery/client';
import { connect, loadKubeconfig } from '@orrery/client';
import { ConfigError, inRootfs, serveHealth } from '@orrery/component';
import type {
  Clock,
  HealthCheck,
  HealthEndpoint,
  HealthTls,
  Logger,
  Metrics,
} from '@orrery/component';
import { createCa, issueCertificate, writePrivate } from '@orrery/pki';
import { DelegatedAuth } from './delegated-auth.js';
import type { ServingOptions } from './serving-flags.js';
import { withPublished } from './trust.js';
import type { Trust } from './trust.js';

export interface ServingParts {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly options: ServingOptions;
  readonly metrics: Metrics;
  readonly pages?: ReadonlyMap<string, Metrics>;
  readonly checks?: Readonly<Record<HealthEndpoint, readonly HealthCheck[]>>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const PUBLISHED = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };
/** What is not there yet is looked for again soon, what changes seldom seldom. */
const RETRY_MS = 5_000;
const REREAD_MS = 60_000;

function readFlag(flag: string, path: string): string {
  if (path === '') return '';
  try {
    return readFileSync(inRootfs(path), 'utf8');
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`--${flag}: ${text}`, { cause: error });
  }
}

/** The certificate that flags name, or one that signs itself (k8s client-go util/cert:GenerateSelfSignedCertKey). */
async function servingCertificate({
  name,
  address,
  options,
  clock,
}: ServingParts): Promise<Pick<HealthTls, 'cert' | 'key'>> {
  if (options.certFile !== '')
    return {
      cert: readFlag('tls-cert-file', options.certFile),
      key: readFlag('tls-private-key-file', options.keyFile),
    };
  const [certPath, keyPath] = ['crt', 'key'].map((end) =>
    join(inRootfs(options.certDir), `${name}.${end}`),
  ) as [string, string];
  const isKept = options.certDir !== '';
  if (isKept && existsSync(certPath) && existsSync(keyPath))
    return { cert: readFlag('cert-dir', certPath), key: readFlag('cert-dir', keyPath) };
  const now = clock.now();
  const ca = await createCa(`${address}-ca@${Math.floor(now / 1000)}`, now, 365);
  const { certPem, keyPem } = await issueCertificate(ca, {
    commonName: `${address}@${Math.floor(now / 1000)}`,
    sans: { ips: [address], dns: ['localhost'] },
    usages: ['serverAuth'],
    now,
  });
  const cert = certPem + ca.certPem;
  if (isKept) {
    mkdirSync(inRootfs(options.certDir), { recursive: true });
    writeFileSync(certPath, cert);
    writePrivate(keyPath, keyPem);
  }
  return { cert, key: keyPem };
}

const trustOfFlags = ({ clientCaFile, headerCaFile, headers }: ServingOptions): Trust => ({
  clientCa: readFlag('client-ca-file', clientCaFile),
  headerCa: readFlag('requestheader-client-ca-file', headerCaFile),
  headers,
});

/** Clients for asking, which end with the signal. */
function clientOf(kubeconfig: string, name: string, signal: AbortSignal): KubeClient | undefined {
  if (kubeconfig === '') return undefined;
  const client = connect(loadKubeconfig(inRootfs(kubeconfig), { userAgent: name }));
  signal.addEventListener('abort', () => void client.close(), { once: true });
  return client;
}

interface Lookup extends Pick<ServingParts, 'clock' | 'logger'> {
  readonly client: KubeClient;
  readonly flags: Trust;
  readonly isTolerant: boolean;
  readonly apply: (trust: Trust) => void;
}

/** Reads what the API server publishes of whom it knows, now and whenever it may have changed. */
async function follow(lookup: Lookup, signal: AbortSignal): Promise<void> {
  const maps = lookup.client.resource(resources.configmaps);
  let known: string | undefined;
  const read = async (): Promise<boolean> => {
    try {
      const { metadata, data = {} }: ConfigMap = await maps.get(PUBLISHED);
      if (metadata.resourceVersion !== known) lookup.apply(withPublished(lookup.flags, data));
      known = metadata.resourceVersion;
      return true;
    } catch (error) {
      if (!lookup.isTolerant && known === undefined) throw error;
      const about = { error: String(error) };
      if (!signal.aborted) lookup.logger.warn('authentication configuration not read', about);
      return known !== undefined;
    }
  };
  const first = read();
  if (!lookup.isTolerant) await first;
  void (async () => {
    let found = await first;
    while (!signal.aborted) {
      const waitMs = found ? REREAD_MS : RETRY_MS;
      await lookup.clock.sleep(waitMs, signal).catch(() => undefined);
      if (!signal.aborted) found = await read();
    }
  })();
}

/** Serves health and metrics over HTTPS to those whom the API server knows and lets (k8s apiserver pkg/server/options). */
export async function serveDelegated(parts: ServingParts, signal: AbortSignal): Promise<void> {
  const { name, address, port, options, metrics, clock, logger } = parts;
  const authenticator = clientOf(options.authentication.kubeconfig, name, signal);
  const authorizer = clientOf(options.authorization.kubeconfig, name, signal);
  const auth = new DelegatedAuth({ clock, options, authenticator, authorizer });
  const flags = trustOfFlags(options);
  auth.trust = flags;
  const tls = { ...(await servingCertificate(parts)), minVersion: options.minVersion };
  const casOf = ({ clientCa, headerCa }: Trust): string[] =>
    [clientCa, headerCa].filter((pem) => pem !== '');
  const refusal: Parameters<typeof serveHealth>[0]['refusal'] = async (request) => {
    const error = await auth.check(request);
    return error && { code: error.code, status: error.status };
  };
  const server = await serveHealth(
    {
      address,
      port,
      metrics,
      ...(parts.pages ? { pages: parts.pages } : {}),
      ...(parts.checks ? { checks: parts.checks } : {}),
      tls: { ...tls, ca: casOf(flags) },
      refusal,
    },
    signal,
  );
  if (!authenticator || options.authentication.skipLookup) return;
  const apply = (trust: Trust): void => {
    auth.trust = trust;
    server.setSecureContext({ ...tls, ca: casOf(trust) });
  };
  const isTolerant = options.authentication.toleratesLookupFailure;
  await follow({ client: authenticator, clock, logger, flags, isTolerant, apply }, signal);
}
