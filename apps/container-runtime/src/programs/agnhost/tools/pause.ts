import { forever } from '../agnhost.js';
import type { SubCommand } from '../agnhost.js';

/** k8s test/images/agnhost/pause. */
export const pause: SubCommand = (host) => {
  host.print('Paused\n');
  return forever();
};
