import type { KubeClient } from '@orrery/client';

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
    const { code, body } = await this.client.raw('/version');
    if (code !== 200) throw new Error(`GET /version: the server answered ${code}`);
    return toMinor(JSON.parse(body));
  }
}

/** `{"minor": "20+"}` is 20. One that says nothing is taken for a new one. */
export function toMinor(version: unknown): number {
  const { minor } = version as { minor?: unknown };
  return Number(/^\d+/.exec(String(minor))?.[0] ?? Infinity);
}
