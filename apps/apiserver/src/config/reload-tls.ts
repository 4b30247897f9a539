import type { Server } from 'node:https';
import type { SecureContext } from 'node:tls';
import { followOptions } from './certificate-file.js';
import type { ReloadDeps } from './certificate-file.js';
import { followFiles } from './follow-files.js';
import type { ApiServerOptions } from './options.js';
import { namedCertificates, servingTls } from './tls.js';
import type { NamedCertificate } from './tls.js';

/** The certificate for a name: one that is for it, or for all names of its domain. */
function contextFor(
  name: string,
  certificates: readonly NamedCertificate[],
): SecureContext | undefined {
  const wanted = name.toLowerCase();
  const wildcard = wanted.replace(/^[^.]+/, '*');
  for (const host of [wanted, wildcard]) {
    const found = certificates.find(({ hosts }) => hosts.some((one) => one.toLowerCase() === host));
    if (found) return found.context;
  }
  return undefined;
}

/** The files that TLS is served by. */
const filesOf = ({
  tlsCertFile,
  tlsPrivateKeyFile,
  clientCaFile,
  tlsSniCertKey,
}: ApiServerOptions): string[] =>
  [
    tlsCertFile,
    tlsPrivateKeyFile,
    clientCaFile,
    ...tlsSniCertKey.flatMap((value) => value.replace(/:.*$/, '').split(',')),
  ].filter((path) => path !== '');

/** The certificates of --tls-sni-cert-key, and their renewal with all other files that TLS is served by. */
export class ServingFiles {
  private named: readonly NamedCertificate[];

  constructor(private readonly options: ApiServerOptions) {
    this.named = namedCertificates(options);
  }

  /** For the server's TLS options; without a certificate for the name its own is shown. */
  readonly sniCallback = (
    name: string,
    done: (error: Error | null, context?: SecureContext) => void,
  ): void => {
    done(null, contextFor(name, this.named));
  };

  /**
   * Connections of later are made by what the files hold then; what cannot be used leaves all as it was (k8s apiserver
   * pkg/server/dynamiccertificates/tlsconfig.go).
   */
  async follow(server: Server, deps: ReloadDeps): Promise<void> {
    const { options } = this;
    const files = filesOf(options);
    if (files.length === 0) return;
    await followFiles(files, followOptions(deps), async () => {
      try {
        const tls = await servingTls(options, deps.clock.now());
        const named = namedCertificates(options);
        server.setSecureContext(tls);
        this.named = named;
        deps.logger.info('other certificates are shown from now on', { files: files.join() });
      } catch (error) {
        // Of a pair that is being replaced, one file may still be the old one.
        deps.logger.error('certificates stay as they were', { err: String(error) });
        return false;
      }
      return true;
    });
  }
}
