import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { createHash } from 'node:crypto';
import { newUnauthorized } from '@orrery/apimachinery';
import type { Clock } from '@orrery/component';
import { isClientCertificateOf, subjectOf } from '@orrery/pki';
import type { UserInfo } from '@orrery/registry';
import { LocalSocket } from '../local/local-socket.js';
import type { AuthenticationInput, Authenticator } from '../filters/authentication.js';

/** The certificate that the client of this connection showed. */
export function peerCertificate(raw: IncomingMessage): X509Certificate | undefined {
  const socket: object = raw.socket;
  if (socket instanceof LocalSocket) return socket.certificate;
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
}

/** The user is the CN, the groups are the O of a certificate of the client CA. */
export class ClientCertificateAuthenticator implements Authenticator {
  #users = new WeakMap<X509Certificate, UserInfo>();
  /** By which the users were found; others of later ask for them anew. */
  #trusted: readonly X509Certificate[] = [];
  /** null: the client of this connection has shown none. */
  readonly #ofSocket = new WeakMap<object, X509Certificate | null>();

  constructor(
    private readonly authorities: () => readonly X509Certificate[],
    private readonly clock: Clock,
    /** Told the seconds that the certificate of each request has left. */
    private readonly left: (seconds: number) => void = () => undefined,
  ) {}

  authenticate({ raw }: AuthenticationInput): UserInfo | undefined {
    const certificate = this.#certificateOf(raw);
    if (!certificate) return undefined;
    const leftMs = Date.parse(certificate.validTo) - this.clock.now();
    this.left(leftMs / 1000);
    const authorities = this.authorities();
    if (authorities !== this.#trusted) {
      this.#trusted = authorities;
      this.#users = new WeakMap();
    }
    const known = this.#users.get(certificate);
    if (known) {
      if (leftMs < 0) throw newUnauthorized();
      return known;
    }
    if (!isClientCertificateOf(certificate, authorities, this.clock.now())) throw newUnauthorized();
    const { commonName, organizations } = subjectOf(certificate);
    if (commonName === '') return undefined;
    const digest = createHash('sha256').update(certificate.raw).digest('hex');
    const user: UserInfo = {
      name: commonName,
      groups: organizations,
      extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${digest}`] },
    };
    this.#users.set(certificate, user);
    return user;
  }

  #certificateOf(raw: IncomingMessage): X509Certificate | null {
    const known = this.#ofSocket.get(raw.socket);
    if (known !== undefined) return known;
    const shown = peerCertificate(raw) ?? null;
    this.#ofSocket.set(raw.socket, shown);
    return shown;
  }
}
