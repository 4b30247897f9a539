import type { X509Certificate } from 'node:crypto';
import { isClientCertificateOf, subjectOf } from '@orrery/pki';
import type { Clock } from '@orrery/component';
import type { UserInfo } from '@orrery/registry';
import type { AuthenticationInput, Authenticator } from '../filters/authentication.js';
import { peerCertificate } from './client-certificate.authenticator.js';

const EXTRA = 'x-remote-extra-';

const list = (value: string | string[] | undefined): string[] =>
  (Array.isArray(value) ? value.join(',') : (value ?? ''))
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** Believes X-Remote-User, -Group and -Extra-* of a front proxy that shows a certificate of the request-header CA. */
export class RequestHeaderAuthenticator implements Authenticator {
  constructor(
    private readonly authorities: () => readonly X509Certificate[],
    private readonly clock: Clock,
    private readonly allowedNames: readonly string[] = ['front-proxy-client'],
  ) {}

  authenticate({ raw, headers }: AuthenticationInput): UserInfo | undefined {
    const [name] = list(headers['x-remote-user']);
    const certificate = name ? peerCertificate(raw) : undefined;
    if (!name || !certificate) return undefined;
    if (!isClientCertificateOf(certificate, this.authorities(), this.clock.now())) return undefined;
    const { commonName } = subjectOf(certificate);
    if (this.allowedNames.length > 0 && !this.allowedNames.includes(commonName)) return undefined;
    const extra: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
    for (const [header, value] of Object.entries(headers))
      if (header.startsWith(EXTRA))
        extra[decodeURIComponent(header.slice(EXTRA.length))] = list(value);
    const [uid] = list(headers['x-remote-uid']);
    return { name, groups: list(headers['x-remote-group']), extra, ...(uid ? { uid } : {}) };
  }
}
