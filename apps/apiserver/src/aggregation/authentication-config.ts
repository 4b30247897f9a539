import type { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isAlreadyExists, isNotFound } from '@orrery/apimachinery';
import type { ConfigMap } from '@orrery/api';
import { equalJson } from '@orrery/registry';
import type { ResourceStore } from '@orrery/registry';
import { parseCertificates } from '@orrery/pki';
import { followOptions } from '../config/certificate-file.js';
import { followFiles } from '../config/follow-files.js';
import type { ApiServerOptions } from '../config/options.js';
import type { ServerServices } from '../extensions.js';
import { ownWrite } from '../rest/field-manager.js';

const NAME = 'extension-apiserver-authentication';
const NAMESPACE = 'kube-system';

const fileOf = (path: string): string | undefined =>
  path === '' ? undefined : readFileSync(path, 'utf8');

/** What extension API servers must know to believe our clients and us (k8s pkg/controlplane/controller/clusterauthenticationtrust). */
export function trustData(options: ApiServerOptions): Record<string, string> {
  const clientCa = fileOf(options.clientCaFile);
  const frontCa = fileOf(options.requestheaderClientCaFile);
  return {
    ...(clientCa ? { 'client-ca-file': clientCa } : {}),
    ...(frontCa
      ? {
          'requestheader-client-ca-file': frontCa,
          'requestheader-allowed-names': JSON.stringify(options.requestheaderAllowedNames),
          'requestheader-username-headers': JSON.stringify(['X-Remote-User']),
          'requestheader-uid-headers': JSON.stringify(['X-Remote-Uid']),
          'requestheader-group-headers': JSON.stringify(['X-Remote-Group']),
          'requestheader-extra-headers-prefix': JSON.stringify(['X-Remote-Extra-']),
        }
      : {}),
  };
}

/** Certificates of either, each once; those that have ended are let go. */
function mergedCertificates(stored: string, own: string, now: number): string {
  const all = [...parsed(stored), ...parsed(own)].filter(
    ({ validTo }) => now < Date.parse(validTo),
  );
  return [...new Set(all.map((one) => one.toString()))].join('');
}

function parsed(pem: string): readonly X509Certificate[] {
  try {
    return parseCertificates(pem);
  } catch {
    return [];
  }
}

function mergedNames(stored: string, own: string): string {
  try {
    const names = [...(JSON.parse(stored) as string[]), ...(JSON.parse(own) as string[])];
    return JSON.stringify([...new Set(names)]);
  } catch {
    return own;
  }
}

/** What is stored with our own in it: other servers, and this one before, may trust others (…/clusterauthenticationtrust:combinedClusterAuthenticationInfo). */
export function mergedTrust(
  stored: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
  now: number,
): Record<string, string> {
  const merged = Object.entries(own).map(([key, value]) => {
    const before = stored[key];
    if (before === undefined || before === value) return [key, value];
    const merge = key.endsWith('-ca-file') ? mergedCertificates : mergedNames;
    return [key, merge(before, value, now)];
  });
  return { ...stored, ...(Object.fromEntries(merged) as Record<string, string>) };
}

/** Asked without a write, which webhooks may hold up. */
async function isPublished(
  store: ResourceStore,
  data: Readonly<Record<string, string>>,
  now: number,
): Promise<boolean> {
  try {
    const { object } = await store.get(NAMESPACE, NAME, { resourceVersion: '0' });
    const stored = (object as ConfigMap).data ?? {};
    return equalJson(stored, mergedTrust(stored, data, now));
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Writes the ConfigMap kube-system/extension-apiserver-authentication. */
export async function publishAuthenticationConfig(services: ServerServices): Promise<void> {
  const { options, clock } = services;
  const data = trustData(options);
  const store = services.store('', 'v1', 'configmaps');
  const own = ownWrite(services, store.kind);
  if (await isPublished(store, data, clock.now())) return;
  try {
    const object: ConfigMap = { metadata: { name: NAME, namespace: NAMESPACE }, data };
    await store.create(object, { namespace: NAMESPACE, ...own });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    await store.update(
      (stored) => {
        const map = structuredClone(stored) as ConfigMap;
        const next = mergedTrust(map.data ?? {}, data, clock.now());
        return equalJson(map.data ?? {}, next) ? map : { ...map, data: next };
      },
      { namespace: NAMESPACE, name: NAME, ...own },
    );
  }
}

/** Writes it again whenever a CA file has come to hold something else, until the server stops. */
export async function followTrust(services: ServerServices): Promise<void> {
  const { options, logger } = services;
  const files = [options.clientCaFile, options.requestheaderClientCaFile].filter(Boolean);
  if (files.length === 0) return;
  await followFiles(files, followOptions(services), async () => {
    try {
      await publishAuthenticationConfig(services);
      return true;
    } catch (error) {
      logger.error('what extension servers trust is not told', { err: String(error) });
      return false;
    }
  });
}
