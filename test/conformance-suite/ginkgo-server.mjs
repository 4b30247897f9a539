// What the processes of a ginkgo 1 suite ask and tell each other: who takes which spec, the data of the first process, and results
// (onsi/ginkgo v1 internal/remote/server.go:Server).
import { createServer } from 'node:http';

const PENDING = 1;
const DISAPPEARED = 4;

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** Hands out specs and collects what becomes of them: `onSpec(summary)` for each that ends, `onSetup(summary)` for each setup. */
export class GinkgoServer {
  next = 0;
  beforeSuite = { Data: null, State: PENDING };
  /** Ids of processes that still run, the first is number 1. */
  alive = new Set();

  constructor({ onSpec = () => {}, onStart = () => {}, onSetup = () => {} }) {
    this.events = {
      '/SpecDidComplete': onSpec,
      '/SpecWillRun': onStart,
      '/BeforeSuiteDidRun': onSetup,
      '/AfterSuiteDidRun': onSetup,
    };
    this.server = createServer((request, response) => {
      this.answer(request, response).catch((error) => {
        response.writeHead(500);
        response.end(error.message);
      });
    });
  }

  async listen() {
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.address = `http://127.0.0.1:${this.server.address().port}`;
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }

  async answer(request, response) {
    const body = await bodyOf(request);
    const event = this.events[request.url];
    if (event && body !== 'null') event(JSON.parse(body));
    response.end(this.reply(request, body));
  }

  reply({ method, url }, body) {
    switch (url) {
      case '/counter':
        return JSON.stringify({ index: this.next++ });
      case '/BeforeSuiteState':
        if (method === 'POST') this.beforeSuite = JSON.parse(body);
        else if (this.beforeSuite.State === PENDING && !this.alive.has(1))
          return JSON.stringify({ Data: null, State: DISAPPEARED });
        return JSON.stringify(this.beforeSuite);
      case '/RemoteAfterSuiteData':
        return JSON.stringify({ CanRun: [...this.alive].every((node) => node === 1) });
      default:
        return '';
    }
  }
}
