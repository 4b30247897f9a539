import type { SubCommand } from '../agnhost.js';

/** k8s test/images/agnhost/entrypoint-tester: prints its whole command line, as Go prints a slice. */
export const entrypointTester: SubCommand = (host) => {
  host.print(`[${host.argv.join(' ')}]\n`);
  return Promise.resolve(0);
};
