import { X509Certificate, createPrivateKey } from 'node:crypto';
import type { LocalPeer } from '@orrery/component';

/** The certificate of a peer that has its key, too: what a handshake would have shown. */
function shownBy({ cert, key }: LocalPeer): X509Certificate | undefined {
  if (cert === undefined || key === undefined) return undefined;
  const certificate = new X509Certificate(cert);
  return certificate.checkPrivateKey(createPrivateKey(key)) ? certificate : undefined;
}

/** What stands in the place of a connection with a client of the same process; one for each of them. */
export class LocalSocket {
  readonly remoteAddress: string;
  readonly certificate: X509Certificate | undefined;

  constructor(peer: LocalPeer) {
    this.remoteAddress = peer.remoteAddress;
    this.certificate = shownBy(peer);
  }
}
