/** One block of PEM text. */
export interface PemBlock {
  readonly type: string;
  /** With its first and last line. */
  readonly text: string;
  readonly der: Buffer;
  readonly hasHeaders: boolean;
}

const BLOCK = /-----BEGIN ([^-]+)-----\s([\s\S]*?)-----END \1-----/g;

/** The PEM blocks of a text in their order; what is between them is not looked at, as in Go's encoding/pem. */
export const pemBlocks = (text: string): PemBlock[] =>
  [...text.matchAll(BLOCK)].map(([block, type = '', body = '']) => ({
    type,
    text: block,
    der: Buffer.from(body, 'base64'),
    hasHeaders: body.includes(':'),
  }));
