import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@orrery/component';
import { FIRST_BLOCK, LAST_BLOCK } from './layout.js';

/** Bound on 127.C.0.254 for as long as the cluster runs: two clusters can never hold one block. */
const LEASE_PORT = 6399;

/** A held block; `release` gives it back. */
export interface BlockLease {
  readonly block: number;
  release(): Promise<void>;
}

const registryFile = (block: number): string =>
  join(tmpdir(), `orrery-blocks-${userInfo().uid}`, String(block));

/** The cluster folder that a block was given to, when that folder is still there. */
function ownerOf(block: number): string | undefined {
  const file = registryFile(block);
  if (!existsSync(file)) return undefined;
  const owner = readFileSync(file, 'utf8');
  return existsSync(owner) ? owner : undefined;
}

function tryBind(block: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => {
      resolve(undefined);
    });
    server.listen({ host: `127.${block}.0.254`, port: LEASE_PORT, exclusive: true }, () => {
      server.unref();
      resolve(server);
    });
  });
}

async function hold(block: number, dir: string): Promise<BlockLease | undefined> {
  const server = await tryBind(block);
  if (!server) return undefined;
  const file = registryFile(block);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, dir);
  return {
    block,
    release: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}

/**
 * Leases 127.C.0.0/16 for the cluster in `dir`: the block it had before (its stored addresses depend on it), the one
 * asked for, or the first that no other cluster of this user has. Throws ConfigError when the block is in use.
 */
export async function leaseBlock(
  dir: string,
  wanted: { readonly before?: number; readonly asked?: number },
): Promise<BlockLease> {
  if (wanted.before !== undefined && wanted.asked !== undefined && wanted.before !== wanted.asked)
    throw new ConfigError(
      `--block ${wanted.asked}: this cluster's objects have addresses of 127.${wanted.before}.0.0/16; start it with --fresh to move it`,
    );
  const fixed = wanted.before ?? wanted.asked;
  if (fixed !== undefined) {
    const lease = await hold(fixed, dir);
    if (lease) return lease;
    const owner = ownerOf(fixed);
    throw new ConfigError(
      `127.${fixed}.0.0/16 is in use by another ${owner === undefined || owner === dir ? `program, which listens on 127.${fixed}.0.254:${LEASE_PORT}` : `cluster (${owner})`}; stop that one, or choose another block with --block (and --fresh)`,
    );
  }
  for (let block = FIRST_BLOCK; block <= LAST_BLOCK; block++) {
    const owner = ownerOf(block);
    if (owner !== undefined && owner !== dir) continue;
    const lease = await hold(block, dir);
    if (lease) return lease;
  }
  throw new ConfigError(
    `every block from 127.${FIRST_BLOCK}.0.0/16 to 127.${LAST_BLOCK}.0.0/16 is taken; remove clusters that are no longer needed`,
  );
}
