import type { ValueCipher } from './ciphers.js';

/** One key of a provider. */
export interface ValueKey {
  readonly name: string;
  /** Tells it from another key of the same name. */
  readonly id: string;
  readonly cipher: ValueCipher;
}

/** A way to store values (k8s EncryptionConfiguration, `providers`). */
export type ValueProvider =
  | { readonly name: 'identity' }
  | {
      readonly name: 'aescbc' | 'aesgcm' | 'secretbox';
      /** The first one writes. */
      readonly keys: readonly ValueKey[];
    };

/** A stored value as it is served; `id` names the key it was written with ('' = as it is), `prefix` the provider. */
export type Opened =
  | { readonly value: Buffer; readonly id: string; readonly prefix: string }
  | { readonly problem: string; readonly prefix?: string };

export const ENCRYPTED = Buffer.from('k8s:enc:');
const NO_KEY = {
  aescbc: 'no matching key was found for the provided AES transformer',
  aesgcm: 'no matching key was found for the provided AES transformer',
  secretbox: 'no matching key was found for the provided Secretbox transformer',
};

const startsWith = (value: Buffer, prefix: Buffer): boolean =>
  value.length >= prefix.length && value.compare(prefix, 0, prefix.length, 0, prefix.length) === 0;

export const isEncrypted = (value: Buffer): boolean => startsWith(value, ENCRYPTED);

interface Reader {
  readonly provider: Buffer;
  readonly noKey: string;
  readonly keys: readonly { readonly prefix: Buffer; readonly key: ValueKey }[];
}

/** How the values of a resource are written, and read: by the first provider, and by whichever fits. */
export class ResourceValues {
  private readonly readers: readonly (Reader | undefined)[];

  /** Without providers values stay as they are. */
  constructor(private readonly providers: readonly ValueProvider[] = [{ name: 'identity' }]) {
    this.readers = providers.map((provider) => {
      if (provider.name === 'identity') return undefined;
      const prefix = `k8s:enc:${provider.name}:v1:`;
      return {
        provider: Buffer.from(prefix),
        noKey: NO_KEY[provider.name],
        keys: provider.keys.map((key) => ({ prefix: Buffer.from(`${prefix}${key.name}:`), key })),
      };
    });
  }

  /** What {@link open} names as the key of what is written now. */
  get writesWith(): string {
    const [first] = this.providers;
    return first && first.name !== 'identity' ? (first.keys[0]?.id ?? '') : '';
  }

  /** What stands before the name of the key in what is written now. */
  get writePrefix(): string {
    return this.readers[0]?.provider.toString() ?? 'identity';
  }

  encrypt(value: Buffer, key: string): Buffer {
    const first = this.readers[0]?.keys[0];
    return first ? Buffer.concat([first.prefix, first.key.cipher.encrypt(value, key)]) : value;
  }

  /** k8s apiserver pkg/storage/value/transformer.go:TransformFromStorage. */
  open(value: Buffer, key: string): Opened {
    const encrypted = isEncrypted(value);
    const problems = new Set<string>();
    for (const reader of this.readers) {
      if (!reader) {
        // Whoever migrates away from encryption names identity before the keys: these are tried as well.
        if (!encrypted) return { value, id: '', prefix: 'identity' };
        continue;
      }
      if (!startsWith(value, reader.provider)) continue;
      const fitting = reader.keys.filter(({ prefix }) => startsWith(value, prefix));
      if (fitting.length === 0) problems.add(reader.noKey);
      for (const { prefix, key: with_ } of fitting) {
        try {
          const opened = with_.cipher.decrypt(value.subarray(prefix.length), key);
          return { value: opened, id: with_.id, prefix: reader.provider.toString() };
        } catch (error) {
          problems.add(error instanceof Error ? error.message : String(error));
        }
      }
    }
    const [only = 'no matching prefix found', ...others] = problems;
    return { problem: others.length > 0 ? `[${[...problems].join(', ')}]` : only };
  }
}
