import { SystemClock } from '@orrery/component';
import type { ApiServer } from '../cluster/api-server.js';
import type { FaultContext, FaultKind } from './fault.js';

const clock = new SystemClock();
const CUT_MS = 120;

const choose = ({ cluster, random }: FaultContext): ApiServer =>
  cluster.server(Math.floor(random.next() * cluster.servers.length));

/** Breaks connections again and again: requests, watches and informers of clients, or what a server has to etcd. */
const cut: FaultKind = {
  name: 'cut clients and watches',
  run: async (context) => {
    const end = clock.monotonic() + context.holdMs;
    while (clock.monotonic() < end) {
      const server = choose(context);
      if (context.random.next() < 0.6) server.cutClients();
      else server.cutEtcd();
      await clock.sleep(CUT_MS * (0.5 + context.random.next()));
    }
  },
};

const kill: FaultKind = {
  name: 'kill API server',
  run: async (context) => {
    const server = choose(context);
    await server.kill();
    await clock.sleep(context.holdMs / 2);
    await server.start();
  },
};

/** A replica that cannot reach etcd, and does not know it. */
const separate: FaultKind = {
  name: 'cut off API server',
  run: async (context) => {
    const server = choose(context);
    server.policies.etcd.isBlocked = true;
    try {
      await clock.sleep(context.holdMs);
    } finally {
      server.policies.etcd.isBlocked = false;
      server.update();
    }
  },
};

/** What can happen to API servers and to whoever talks to them. */
export const SERVER_FAULTS: readonly FaultKind[] = [cut, kill, separate];
