import { forever } from '../agnhost.js';
import type { SubCommand } from '../agnhost.js';
import { serveHttp } from '../http.js';

/** k8s test/images/agnhost/audit-proxy: writes the audit events that it is sent to standard output, one a line. */
export const auditProxy: SubCommand = async (host) => {
  await serveHttp(host, {
    port: 8080,
    handler: ({ body }) => {
      try {
        const { items } = JSON.parse(body.toString('utf8')) as { items?: unknown[] };
        for (const event of items ?? []) host.print(`${JSON.stringify(event)}\n`);
        return {};
      } catch {
        host.log(`failed decoding buf: ${body.toString('utf8')}, apiVersion: audit.k8s.io/v1`);
        return { status: 500 };
      }
    },
  });
  return forever();
};
