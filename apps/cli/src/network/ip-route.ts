import { ToolError, needNetAdmin, runTool, setSysctls, tryTool } from '@orrery/network';
import type { Route } from './routes.js';

/** Marks the routes that are ours (`ip route show table all proto 79`): 'O', free in iproute2's rt_protos. */
const PROTOCOL = '79';
/** The tunnel's device on every node. */
export const TUNNEL = 'orrery.1';

const ip = (...args: string[]): Promise<string> =>
  needNetAdmin(
    'a network of routes (--network)',
    () => runTool('ip', args),
    'root with the capability NET_ADMIN (docker compose: cap_add: [NET_ADMIN])',
  );

function words(route: Route): string[] {
  if (route.kind === 'local') return ['local', route.to, 'dev', 'lo', 'proto', PROTOCOL];
  return route.kind === 'via'
    ? [route.to, 'via', route.via, 'proto', PROTOCOL]
    : [route.to, 'via', route.via, 'dev', TUNNEL, 'onlink', 'proto', PROTOCOL];
}

/** Adds the route or changes it; the same twice is no error. */
export async function setRoute(route: Route): Promise<void> {
  if (route.kind === 'tunnel') {
    const { via, mac, node } = route;
    await ip('neigh', 'replace', via, 'lladdr', mac, 'dev', TUNNEL, 'nud', 'permanent');
    await runTool('bridge', [
      'fdb',
      'replace',
      mac,
      'dev',
      TUNNEL,
      'dst',
      node,
      'self',
      'permanent',
    ]);
  }
  // In IPv4 a local route is enough for its addresses to be bound.
  if (route.kind === 'local' && route.to.includes(':'))
    await setSysctls({ 'net.ipv6.ip_nonlocal_bind': '1' });
  await ip('route', 'replace', ...words(route));
}

const absent = /No such process|No such file|Cannot find device/;

async function unless(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ToolError) || !absent.test(error.outcome.stderr)) throw error;
  }
}

/** Removes the route; none is no error. */
export async function removeRoute(route: Route): Promise<void> {
  await unless(ip('route', 'del', ...words(route)));
  if (route.kind !== 'tunnel') return;
  await unless(ip('neigh', 'del', route.via, 'dev', TUNNEL));
  await unless(runTool('bridge', ['fdb', 'del', route.mac, 'dev', TUNNEL, 'self']));
}

/** Removes every route that an earlier run left in this network stack. */
export async function removeAllRoutes(): Promise<void> {
  const flush = ['route', 'flush', 'table', 'all', 'proto', PROTOCOL];
  await unless(ip('-4', ...flush));
  // A kernel without IPv6 has no such routes and says so.
  await tryTool('ip', ['-6', ...flush]);
}
