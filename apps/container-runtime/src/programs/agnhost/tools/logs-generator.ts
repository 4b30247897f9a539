import { parseDuration, randomSuffix } from '@orrery/component';
import { Fatal } from '../agnhost.js';
import type { Agnhost, SubCommand } from '../agnhost.js';
import { parseFlags } from '../flags.js';

const METHODS = ['GET', 'POST', 'PUT'];
const NAMESPACES = ['kube-system', 'default', 'ns'];

function line({ random }: Agnhost, id: number): string {
  const below = (limit: number): number => Math.floor(random.next() * limit);
  const name = randomSuffix(random, 3 + below(2));
  const url = `/api/v1/namespaces/${NAMESPACES[below(3)] ?? ''}/pods/${name}`;
  return `${id} ${METHODS[below(3)] ?? ''} ${url} ${200 + below(400)}`;
}

/** k8s test/images/agnhost/logs-generator: lines like an API server's, evenly over a time. */
export const logsGenerator: SubCommand = async (host) => {
  const { flags } = parseFlags(
    host.args,
    { 'log-lines-total': 0, 'run-duration': '0' },
    { t: 'log-lines-total', d: 'run-duration' },
  );
  const total = flags['log-lines-total'];
  const text = flags['run-duration'];
  const duration = text === '0' ? 0 : (parseDuration(text) ?? 0);
  if (total <= 0) throw new Fatal(`Invalid total number of lines: ${total}`);
  if (duration <= 0) throw new Fatal(`Invalid duration: ${text}`);
  for (let id = 0; id < total; id++) {
    host.klog('I', line(host, id));
    await host.clock.sleep(duration / total);
  }
  return 0;
};
