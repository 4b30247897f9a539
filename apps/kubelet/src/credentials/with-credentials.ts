import { createLogger } from '@orrery/component';
import type { Clock } from '@orrery/component';
import type { KubeletOptions } from '../config/kubelet-options.js';
import { ensureClientKubeconfig } from './client-kubeconfig.js';
import { ensureServingCertificate } from './serving-certificate.js';

/** The options with the certificates in place that the kubelet gets for itself; those it was given stay. */
export async function withCredentials(
  options: KubeletOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<KubeletOptions> {
  const { credentials, kubeconfig, nodeIps: ips, nodeName } = options;
  if (!credentials) return options;
  const { bootstrapKubeconfig, certDir, clientCaFile } = credentials;
  if (bootstrapKubeconfig !== undefined && kubeconfig !== undefined) {
    const logger = createLogger({ component: 'kubelet' });
    await ensureClientKubeconfig(
      { bootstrapKubeconfig, kubeconfig, certDir, nodeName, clock, logger },
      signal,
    );
  }
  if (options.tls) return options;
  const files = await ensureServingCertificate(certDir, { nodeName, ips, now: clock.now() });
  return { ...options, tls: { ...files, clientCaFile } };
}
