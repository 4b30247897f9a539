import { readFileSync } from 'node:fs';
import { isAlreadyExists } from '@orrery/apimachinery';
import type { ConfigMap } from '@orrery/api';
import { equalJson, systemContext } from '@orrery/registry';
import type { ApiServerOptions } from '../config/options.js';
import type { ServerServices } from '../extensions.js';

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

/** Writes the ConfigMap kube-system/extension-apiserver-authentication. */
export async function publishAuthenticationConfig(services: ServerServices): Promise<void> {
  const { options, clock, signal } = services;
  const data = trustData(options);
  const context = systemContext(clock, signal);
  const store = services.store('', 'v1', 'configmaps');
  try {
    const object: ConfigMap = { metadata: { name: NAME, namespace: NAMESPACE }, data };
    await store.create(object, { namespace: NAMESPACE, context });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    await store.update(
      (stored) => {
        const map = structuredClone(stored) as ConfigMap;
        return equalJson(map.data ?? {}, data) ? map : { ...map, data };
      },
      { namespace: NAMESPACE, name: NAME, context },
    );
  }
}
