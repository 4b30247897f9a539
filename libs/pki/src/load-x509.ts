import type { X509Library } from './x509-library.js';

/** The library that reads certificate requests, loaded at first use: who has none to read never waits for it. */
export async function loadX509(): Promise<X509Library> {
  return (await import('./x509-library.js')).x509;
}
