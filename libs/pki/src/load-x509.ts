import type { X509Library } from './x509-library.js';

/** The library that writes certificates, loaded at first use: who only reads PEM files never waits for it. */
export async function loadX509(): Promise<X509Library> {
  return (await import('./x509-library.js')).x509;
}
