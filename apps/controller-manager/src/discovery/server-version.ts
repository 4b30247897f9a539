import type { KubeClient } from '@orrery/client';

/** The minor version from which on API servers keep `status.terminatingReplicas` unless told otherwise (KEP-3973, beta). */
export const TERMINATING_SINCE = 35;

/** The version of the API server, asked for once. */
export class ServerVersion {
  #minor: Promise<number> | undefined;

  constructor(private readonly client: KubeClient) {}

  /** Whether the server is of 1.`minor` or newer. */
  async isAtLeast(minor: number): Promise<boolean> {
    this.#minor ??= this.#ask();
    try {
      return (await this.#minor) >= minor;
    } catch (error) {
      this.#minor = undefined;
      throw error;
    }
  }

  async #ask(): Promise<number> {
    return toMinor(await this.#get('/version')) ?? this.#guess();
  }

  /** Servers of one's own build may not know their number: those from 1.23 on serve autoscaling/v2. */
  async #guess(): Promise<number> {
    const { versions = [] } = (await this.#get('/apis/autoscaling')) as Versions;
    return versions.some(({ version }) => version === 'v2') ? Infinity : OLDEST;
  }

  async #get(path: string): Promise<unknown> {
    const { code, body } = await this.client.raw(path);
    if (code !== 200) throw new Error(`GET ${path}: the server answered ${code}`);
    return JSON.parse(body);
  }
}

interface Versions {
  readonly versions?: readonly { readonly version: string }[];
}

/** The oldest server that our components run on. */
const OLDEST = 20;

/** `{"minor": "20+"}` is 20; undefined = it does not say. */
export function toMinor(version: unknown): number | undefined {
  const { minor } = version as { minor?: unknown };
  const digits = /^\d+/.exec(String(minor))?.[0];
  return digits === undefined ? undefined : Number(digits);
}
