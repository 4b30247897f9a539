import { readFileSync } from 'node:fs';
import { loadKubeconfig } from '@orrery/client';
import type { KubeletOptions } from '../config/kubelet-options.js';

/** PEM of what the kubelet shows to others; absent where it shows none. */
export interface Certificates {
  readonly client?: string | undefined;
  readonly server?: string | undefined;
}

function tried(read: () => string | undefined): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** As the files have them now; what cannot be read counts as absent. */
export const certificatesOf = ({ kubeconfig, tls }: KubeletOptions): Certificates => ({
  client: tried(() => (kubeconfig === undefined ? undefined : loadKubeconfig(kubeconfig).cert)),
  server: tried(() => tls && readFileSync(tls.certFile, 'utf8')),
});
