import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ConfigError } from '@orrery/component';
import type { Route } from './routes.js';

/** Marks the routes that are ours (`ip route show table all proto 79`): 'O', free in iproute2's rt_protos. */
const PROTOCOL = '79';

const execute = promisify(execFile);

function explain(args: readonly string[], error: unknown): Error {
  const { code, stderr } = error as { code?: string | number; stderr?: string };
  if (code === 'ENOENT')
    return new ConfigError('--network routed needs the program ip: install iproute2', {
      cause: error,
    });
  if (/not permitted/i.test(stderr ?? ''))
    return new ConfigError(
      '--network routed needs the capability NET_ADMIN (docker compose: cap_add: [NET_ADMIN])',
      { cause: error },
    );
  return new Error(`ip ${args.join(' ')}: ${stderr?.trim() ?? String(error)}`, { cause: error });
}

async function ip(...args: string[]): Promise<void> {
  try {
    await execute('ip', args);
  } catch (error) {
    throw explain(args, error);
  }
}

const words = (route: Route): string[] =>
  route.kind === 'local'
    ? ['local', route.to, 'dev', 'lo', 'proto', PROTOCOL]
    : [route.to, 'via', route.via, 'proto', PROTOCOL];

/** Adds the route or changes it; the same twice is no error. */
export const setRoute = (route: Route): Promise<void> => ip('route', 'replace', ...words(route));

/** Removes the route; none is no error. */
export async function removeRoute(route: Route): Promise<void> {
  try {
    await ip('route', 'del', ...words(route));
  } catch (error) {
    if (!String(error).includes('No such process')) throw error;
  }
}

/** Removes every route that an earlier run left in this network stack. */
export const removeAllRoutes = (): Promise<void> =>
  ip('route', 'flush', 'table', 'all', 'proto', PROTOCOL);
