// A client of the cluster's API on 127.0.0.1, in a few lines: the test calls it many times a second, which kubectl cannot.
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { Agent, request } from 'node:https';

const TIMEOUT_MS = 3_000;

/** The answer's status and body; rejects when none came in time. */
function ask(send, url, options, body) {
  return new Promise((resolve, reject) => {
    const asked = send(url, { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      answer.on('end', () => resolve({ code: answer.statusCode, text }));
      answer.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Asks the API server of a kubeconfig with embedded certificates. */
export class ApiClient {
  #server;
  #agent;

  constructor(kubeconfig) {
    const text = readFileSync(kubeconfig, 'utf8');
    const pem = (field) =>
      Buffer.from(new RegExp(`${field}: "?([\\w+/=]+)`).exec(text)[1], 'base64');
    this.#server = /server: "?(https:[^"\s]+)/.exec(text)[1];
    this.#agent = new Agent({
      ca: pem('certificate-authority-data'),
      cert: pem('client-certificate-data'),
      key: pem('client-key-data'),
    });
  }

  get(path) {
    return ask(request, this.#server + path, { agent: this.#agent });
  }

  /** A connection of its own for each write, as after a cut. */
  post(path, object) {
    const headers = { 'content-type': 'application/json' };
    return ask(
      request,
      this.#server + path,
      { agent: this.#agent, method: 'POST', headers },
      JSON.stringify(object),
    );
  }

  close() {
    this.#agent.destroy();
  }
}

/** Whether `url` answers 200 over plain HTTP on a new connection. */
export async function answers(url) {
  const answer = await ask(httpRequest, url, { agent: false }).catch(() => undefined);
  return answer?.code === 200;
}
