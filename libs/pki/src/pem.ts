export interface PemBlock {
  /** What stands after BEGIN: CERTIFICATE, EC PRIVATE KEY … */
  readonly label: string;
  /** The block as it is in the file, with its BEGIN and END lines. */
  readonly text: string;
}

/** Every block of a PEM file, in order; text between them is ignored. */
export function pemBlocks(pem: string): readonly PemBlock[] {
  const pattern = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g;
  return [...pem.matchAll(pattern)].map(([text, label = '']) => ({ label, text }));
}
