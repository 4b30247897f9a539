// Until 1.24 each service account got a Secret with a token; suites of that time wait for it in every namespace. This stands in
// for that controller beside the cluster: it asks for the Secret, the cluster's own controller fills it.
import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

const AGAIN_MS = 1_000;

function connectionOf(kubeconfig) {
  const text = readFileSync(kubeconfig, 'utf8');
  const pem = (field) => Buffer.from(new RegExp(`${field}: "?([\\w+/=]+)`).exec(text)[1], 'base64');
  return {
    server: /server: "?(https:[^"\s]+)/.exec(text)[1],
    agent: new Agent({
      keepAlive: true,
      ca: pem('certificate-authority-data'),
      cert: pem('client-certificate-data'),
      key: pem('client-key-data'),
    }),
  };
}

/** Keeps adding token Secrets until `signal` aborts. */
export class TokenSecrets {
  constructor(kubeconfig, signal) {
    setMaxListeners(0, signal);
    Object.assign(this, connectionOf(kubeconfig));
    this.signal = signal;
  }

  async run() {
    while (!this.signal.aborted) {
      await this.watch().catch(() => {});
      await sleep(AGAIN_MS, undefined, { ref: false });
    }
    this.agent.destroy();
  }

  send(method, path, type, body) {
    return new Promise((resolve, reject) => {
      const headers = body ? { 'content-type': type } : {};
      const asked = request(
        this.server + path,
        { method, headers, agent: this.agent, signal: this.signal },
        resolve,
      );
      asked.on('error', reject);
      asked.end(body && JSON.stringify(body));
    });
  }

  async watch() {
    const answer = await this.send('GET', '/api/v1/serviceaccounts?watch=true');
    let rest = '';
    for await (const chunk of answer) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      for (const { type, object } of lines.filter(Boolean).map((line) => JSON.parse(line)))
        if (type === 'ADDED' && !object.secrets) this.add(object.metadata).catch(() => {});
    }
  }

  async add({ namespace, name: account }) {
    const name = `${account}-token-${randomBytes(3).toString('hex').slice(0, 5)}`;
    const metadata = { name, annotations: { 'kubernetes.io/service-account.name': account } };
    const secret = { metadata, type: 'kubernetes.io/service-account-token' };
    const path = `/api/v1/namespaces/${namespace}`;
    const made = await this.send('POST', `${path}/secrets`, 'application/json', secret);
    made.resume();
    if (made.statusCode !== 201) return;
    const patch = { secrets: [{ name }] };
    const type = 'application/strategic-merge-patch+json';
    (await this.send('PATCH', `${path}/serviceaccounts/${account}`, type, patch)).resume();
  }
}
