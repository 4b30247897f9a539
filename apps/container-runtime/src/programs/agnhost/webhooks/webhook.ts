import { forever, textOf } from '../agnhost.js';
import type { SubCommand } from '../agnhost.js';
import { parseFlags } from '../flags.js';
import { httpError, routed, serveHttp } from '../http.js';
import type { Exchange, Reply, Routes } from '../http.js';
import { ADMISSIONS } from './admission.js';
import type { Admission, AdmissionRequest } from './admission.js';

interface AdmissionReview {
  readonly apiVersion: string;
  readonly kind: string;
  readonly request: AdmissionRequest;
}

async function review(path: string, exchange: Exchange, admission: Admission): Promise<Reply> {
  if (exchange.headers['content-type'] !== 'application/json') {
    admission.host.klog(
      'E',
      `contentType=${exchange.headers['content-type'] ?? ''}, expect application/json`,
    );
    return {};
  }
  let asked: AdmissionReview;
  try {
    asked = JSON.parse(exchange.body.toString('utf8')) as AdmissionReview;
  } catch (error) {
    return httpError(400, `Request could not be decoded: ${textOf(error)}`);
  }
  if (asked.kind !== 'AdmissionReview')
    return httpError(400, `Unsupported group version kind: ${asked.apiVersion}, ${asked.kind}`);
  const answer = await ADMISSIONS[path]?.(asked.request, admission);
  return {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      kind: asked.kind,
      apiVersion: asked.apiVersion,
      response: { uid: asked.request.uid, ...answer },
    }),
  };
}

/** k8s test/images/agnhost/webhook: admission webhooks that refuse and change what the tests send. */
export const webhook: SubCommand = async (host) => {
  const { flags } = parseFlags(host.args, {
    'tls-cert-file': '',
    'tls-private-key-file': '',
    port: 443,
    'sidecar-image': '',
  });
  const admission = { host, sidecarImage: flags['sidecar-image'] };
  const routes: Routes = Object.fromEntries(
    Object.keys(ADMISSIONS).map((path) => [
      path,
      (exchange: Exchange) => review(path, exchange, admission),
    ]),
  );
  await serveHttp(host, {
    port: flags.port,
    tls: { certFile: flags['tls-cert-file'], keyFile: flags['tls-private-key-file'] },
    handler: routed({ ...routes, '/readyz': () => ({ body: 'ok' }) }),
  });
  return forever();
};
