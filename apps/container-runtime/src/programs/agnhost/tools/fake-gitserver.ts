import { forever } from '../agnhost.js';
import type { SubCommand } from '../agnhost.js';
import { serveHttp } from '../http.js';

/** k8s test/images/agnhost/fakegitserver. */
export const fakeGitserver: SubCommand = async (host) => {
  await serveHttp(host, { port: 8000, handler: () => ({ body: 'I am a fake git server' }) });
  return forever();
};
