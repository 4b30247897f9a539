import { isIP } from 'node:net';
import { Fatal, forever, textOf } from '../agnhost.js';
import type { Agnhost, SubCommand } from '../agnhost.js';
import { parseFlags } from '../flags.js';
import { httpGet, routed, serveHttp } from '../http.js';

function addressIn(host: Agnhost, name: string): string {
  const value = host.env[name];
  if (value === undefined) throw new Fatal(`${name} env var was not present in the environment`);
  if (isIP(value) === 0)
    throw new Fatal(`${name} env var contained "${value}", which is not an IP address`);
  return value;
}

async function problemWith(target: string, pod: string, node: string): Promise<string | undefined> {
  try {
    const { body } = await httpGet(`http://${target}/whoami`);
    const seen = body.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
    if (seen === pod) return undefined;
    return seen === node
      ? `Returned ip "${seen}" != my Pod ip "${pod}", == my Node ip "${node}" - SNAT`
      : `Returned ip "${seen}" != my Pod ip "${pod}" or my Node ip "${node}" - SNAT to unexpected ip (possible SNAT through unexpected interface on the way into another node)`;
  } catch (error) {
    return textOf(error);
  }
}

/** k8s test/images/agnhost/no-snat-test: whether others see the pod's own address. */
export const noSnatTest: SubCommand = async (host) => {
  const { flags } = parseFlags(host.args, { port: '8080' });
  const pod = addressIn(host, 'POD_IP');
  const node = addressIn(host, 'NODE_IP');
  await serveHttp(host, {
    port: Number(flags.port),
    handler: routed({
      '/whoami': ({ remote }) => ({ body: remote }),
      '/checknosnat': async ({ query }) => {
        const targets = (query.get('ips') ?? '').split(',');
        const problems = await Promise.all(targets.map((ip) => problemWith(ip, pod, node)));
        const text = problems.filter((problem) => problem !== undefined).join(', ');
        return text === '' ? {} : { status: 500, body: text };
      },
    }),
  });
  return forever();
};

/** k8s test/images/agnhost/no-snat-test-proxy: asks the test in another pod. */
export const noSnatTestProxy: SubCommand = async (host) => {
  const { flags } = parseFlags(host.args, { port: '31235' });
  await serveHttp(host, {
    port: Number(flags.port),
    handler: routed({
      '/checknosnat': async ({ query }) => {
        const url = `http://${query.get('target') ?? ''}/checknosnat?ips=${query.get('ips') ?? ''}`;
        try {
          return await httpGet(url);
        } catch (error) {
          return { status: 500, body: `error querying "${url}", err: ${textOf(error)}` };
        }
      },
    }),
  });
  return forever();
};
