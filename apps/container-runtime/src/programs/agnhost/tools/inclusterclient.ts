import { createHash } from 'node:crypto';
import { textOf } from '../agnhost.js';
import type { SubCommand } from '../agnhost.js';
import { parseFlags } from '../flags.js';
import { InClusterApi } from './in-cluster.js';

/** k8s test/images/agnhost/inclusterclient: asks /healthz again and again and says which token it used. */
export const inclusterclient: SubCommand = async (host) => {
  const { flags } = parseFlags(host.args, { 'poll-interval': 30 });
  host.klog('I', 'started');
  const api = new InClusterApi(host);
  for (;;) {
    await host.clock.sleep(flags['poll-interval'] * 1000);
    host.klog('I', 'calling /healthz');
    try {
      const token = api.token();
      const hash = createHash('sha256').update(`salt|Bearer ${token}`).digest('base64url');
      host.klog('I', `authz_header=${hash}`);
      const { status, body } = await api.get('/healthz', token);
      if (status !== 200) throw new Error(`${status}\n${body}`);
    } catch (error) {
      host.klog('E', 'status=failed');
      host.klog('E', `error checking /healthz: ${textOf(error)}\n`);
    }
  }
};
