import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import nacl from 'tweetnacl';

/** Encrypts values as upstream does, to the byte (k8s apiserver pkg/storage/value/encrypt). */
export interface ValueCipher {
  /** `key` = where the value lies in etcd. */
  encrypt(value: Buffer, key: string): Buffer;
  /** Throws an Error in upstream's words. */
  decrypt(sealed: Buffer, key: string): Buffer;
}

const BLOCK = 16;
const GCM_NONCE = 12;
const GCM_TAG = 16;
const TOO_SHORT = 'the stored data was shorter than the required size';

/** What is left of decrypted blocks without their padding (PKCS#7). */
function unpadded(blocks: Buffer): Buffer {
  const last = blocks.at(-1) ?? 0;
  if (last === 0 || last > blocks.length)
    throw new Error('invalid PKCS7 data (empty or not padded)');
  const size = blocks.length - last;
  if (blocks.subarray(size).some((byte) => byte !== last))
    throw new Error('invalid padding on input');
  return blocks.subarray(0, size);
}

/** AES in CBC mode: an initialization vector, then the padded value. `secret` is 16, 24 or 32 bytes. */
export function aesCbc(secret: Buffer): ValueCipher {
  const name = `aes-${secret.length * 8}-cbc`;
  return {
    encrypt: (value) => {
      const iv = randomBytes(BLOCK);
      const cipher = createCipheriv(name, secret, iv);
      return Buffer.concat([iv, cipher.update(value), cipher.final()]);
    },
    decrypt: (sealed) => {
      if (sealed.length < BLOCK) throw new Error(TOO_SHORT);
      if (sealed.length % BLOCK !== 0)
        throw new Error('the stored data is not a multiple of the block size');
      const decipher = createDecipheriv(name, secret, sealed.subarray(0, BLOCK));
      // The padding is looked at here, for the words.
      decipher.setAutoPadding(false);
      return unpadded(Buffer.concat([decipher.update(sealed.subarray(BLOCK)), decipher.final()]));
    },
  };
}

/** AES in Galois/counter mode, which vouches for the place too: a nonce, the encrypted value, a tag. */
export function aesGcm(secret: Buffer): ValueCipher {
  const name = `aes-${secret.length * 8}-gcm` as 'aes-256-gcm';
  return {
    encrypt: (value, key) => {
      const nonce = randomBytes(GCM_NONCE);
      const cipher = createCipheriv(name, secret, nonce);
      cipher.setAAD(Buffer.from(key));
      return Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()]);
    },
    decrypt: (sealed, key) => {
      if (sealed.length < GCM_NONCE) throw new Error(TOO_SHORT);
      const refused = 'cipher: message authentication failed';
      if (sealed.length < GCM_NONCE + GCM_TAG) throw new Error(refused);
      const end = sealed.length - GCM_TAG;
      const decipher = createDecipheriv(name, secret, sealed.subarray(0, GCM_NONCE), {
        authTagLength: GCM_TAG,
      });
      decipher.setAAD(Buffer.from(key));
      decipher.setAuthTag(sealed.subarray(end));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(GCM_NONCE, end)), decipher.final()]);
      } catch (cause) {
        throw new Error(refused, { cause });
      }
    },
  };
}

/** XSalsa20 and Poly1305 as NaCl's secretbox: a nonce, then the box. `secret` is 32 bytes. */
export function secretbox(secret: Buffer): ValueCipher {
  const { nonceLength, overheadLength } = nacl.secretbox;
  return {
    encrypt: (value) => {
      const nonce = randomBytes(nonceLength);
      return Buffer.concat([nonce, nacl.secretbox(value, nonce, secret)]);
    },
    decrypt: (sealed) => {
      if (sealed.length < nonceLength + overheadLength) throw new Error(TOO_SHORT);
      const opened = nacl.secretbox.open(
        sealed.subarray(nonceLength),
        sealed.subarray(0, nonceLength),
        secret,
      );
      if (!opened) throw new Error('output array was not large enough for encryption');
      return Buffer.from(opened.buffer, opened.byteOffset, opened.length);
    },
  };
}
