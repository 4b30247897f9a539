import { forever } from '../agnhost.js';
import type { SubCommand } from '../agnhost.js';
import { parseFlags } from '../flags.js';
import { redirection, routed, serveHttp } from '../http.js';

const HEALTHY_MS = 10_000;

/** k8s test/images/agnhost/liveness: healthy for ten seconds. */
export const liveness: SubCommand = async (host) => {
  parseFlags(host.args, {});
  const { clock } = host;
  const started = clock.monotonic();
  const seconds = (): number => (clock.monotonic() - started) / 1000;
  await serveHttp(host, {
    port: 8080,
    handler: routed({
      '/started': () => ({ body: `${seconds()}s` }),
      '/healthz': () =>
        seconds() * 1000 > HEALTHY_MS
          ? { status: 500, body: `error: ${seconds()}` }
          : { body: 'ok' },
      '/redirect': ({ query }) => redirection(decodeURIComponent(query.get('loc') ?? ''), 302),
    }),
  });
  return forever();
};
