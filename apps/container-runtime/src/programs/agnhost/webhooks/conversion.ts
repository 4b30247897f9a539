import { forever } from '../agnhost.js';
import type { SubCommand } from '../agnhost.js';
import { parseFlags } from '../flags.js';
import { httpError, routed, serveHttp } from '../http.js';
import type { Exchange, Reply } from '../http.js';

type Plain = Record<string, unknown>;

interface ConversionReview {
  readonly apiVersion: string;
  readonly kind: string;
  readonly request: {
    readonly uid: string;
    readonly desiredAPIVersion: string;
    readonly objects: readonly Plain[];
  };
}

const V1 = 'stable.example.com/v1';
const V2 = 'stable.example.com/v2';

/** A resource whose hostPort is split in its second version; the text says why it cannot be converted. */
export function convertExample(object: Plain, toVersion: string): Plain | string {
  const from = object['apiVersion'];
  if (from === toVersion)
    return `conversion from a version to itself should not call the webhook: ${toVersion}`;
  if (from === V1 && toVersion === V2) {
    const { hostPort, ...rest } = object;
    if (hostPort === undefined) return { ...rest, apiVersion: toVersion };
    const parts = String(hostPort as string).split(':');
    if (parts.length !== 2) return `invalid hostPort value \`${String(hostPort as string)}\``;
    return { ...rest, host: parts[0], port: parts[1], apiVersion: toVersion };
  }
  if (from === V2 && toVersion === V1) {
    const { host, port, ...rest } = object;
    const hostPort =
      host === undefined && port === undefined
        ? {}
        : { hostPort: `${String((host ?? '') as string)}:${String((port ?? '') as string)}` };
    return { ...rest, ...hostPort, apiVersion: toVersion };
  }
  const wrong = from === V1 || from === V2 ? toVersion : String(from as string);
  return `unexpected conversion version "${wrong}"`;
}

function review({ body }: Exchange): Reply {
  let asked: ConversionReview;
  try {
    asked = JSON.parse(body.toString('utf8')) as ConversionReview;
  } catch (error) {
    return httpError(400, `failed to deserialize body with error ${String(error)}`);
  }
  if (asked.kind !== 'ConversionReview')
    return httpError(400, `Unsupported group version kind: ${asked.apiVersion}, ${asked.kind}`);
  const { uid, objects, desiredAPIVersion } = asked.request;
  const converted = objects.map((object) => convertExample(object, desiredAPIVersion));
  const problem = converted.find((result) => typeof result === 'string');
  const response =
    problem === undefined
      ? { uid, convertedObjects: converted, result: { metadata: {}, status: 'Success' } }
      : { uid, result: { metadata: {}, status: 'Failure', message: problem } };
  return {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ apiVersion: asked.apiVersion, kind: asked.kind, response }),
  };
}

/** k8s test/images/agnhost/crd-conversion-webhook. */
export const crdConversionWebhook: SubCommand = async (host) => {
  const { flags } = parseFlags(host.args, {
    'tls-cert-file': '',
    'tls-private-key-file': '',
    port: 443,
  });
  await serveHttp(host, {
    port: flags.port,
    tls: { certFile: flags['tls-cert-file'], keyFile: flags['tls-private-key-file'] },
    handler: routed({ '/crdconvert': review, '/readyz': () => ({ body: 'ok' }) }),
  });
  return forever();
};
