import { OrreryError } from '@orrery/testing';
import type { Credentials } from '@orrery/testing';

/** The same access at another address: the one at which the container is reached from outside. */
export const withServer = (kubeconfig: string, server: string): string =>
  kubeconfig.replace(/(\n\s+server:\s*).*/, `$1${JSON.stringify(server)}`);

/** The administrator's credentials, which the cluster's own kubeconfig holds as data. */
export function credentialsOf(kubeconfig: string): Credentials {
  const pem = (field: string): string => {
    const [, data] = new RegExp(`${field}: "?([\\w+/=]+)`).exec(kubeconfig) ?? [];
    if (data === undefined) throw new OrreryError(`the cluster's kubeconfig has no ${field}`);
    return Buffer.from(data, 'base64').toString('utf8');
  };
  return {
    ca: pem('certificate-authority-data'),
    cert: pem('client-certificate-data'),
    key: pem('client-key-data'),
  };
}
