import { join } from 'node:path';
import { forever, textOf } from '../agnhost.js';
import type { Agnhost, SubCommand } from '../agnhost.js';
import { parseFlags } from '../flags.js';
import { serveHttp } from '../http.js';
import type { Handler, HttpServerOptions } from '../http.js';

const PLAIN = /^SERVE_PORT_(\d+)$/;
const TLS = /^SERVE_TLS_PORT_(\d+)$/;

function tlsOf({ env, root }: Agnhost): HttpServerOptions['tls'] {
  return {
    certFile: env['CERT_FILE'] || join(root, 'localhost.crt'),
    keyFile: env['KEY_FILE'] || join(root, 'localhost.key'),
  };
}

/** k8s test/images/agnhost/porter: the value of each SERVE_PORT_n on port n, with TLS for SERVE_TLS_PORT_n. */
export const porter: SubCommand = async (host) => {
  const { flags } = parseFlags(host.args, { 'json-response': false });
  for (const [name, value = ''] of Object.entries(host.env)) {
    const tls = TLS.exec(name);
    const port = (PLAIN.exec(name) ?? tls)?.[1];
    if (port === undefined) continue;
    const handler: Handler = ({ method }) =>
      flags['json-response']
        ? {
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ Method: method, Body: value }),
          }
        : { body: value };
    await serveHttp(host, {
      port: Number(port),
      handler,
      tls: tls ? tlsOf(host) : undefined,
    }).catch((error: unknown) => {
      host.log(`server on port "${port}" failed: ${textOf(error)}`);
    });
  }
  return forever();
};
