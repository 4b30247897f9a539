import { dirname } from 'node:path';
import { connect } from '@orrery/client';
import { ConfigError, parseFlags } from '@orrery/component';
import type { RuledConnection } from '@orrery/dataplane';
import { ClusterFiles } from '../cluster/layout.js';
import { clusterDir } from '../commands/up-flags.js';
import { loadConnection } from '../history/history-server.js';
import { readCluster } from './cluster-view.js';
import { connectionsAt, controlSockets } from './control-sockets.js';
import { handover } from './handover.js';
import { formatConnections } from './format-connections.js';
import { formatRules } from './format-rules.js';
import { ProxyConnectionsFlags, ProxyHandoverFlags, ProxyRulesFlags } from './proxy-flags.js';

const USAGE = `orrery proxy rules [--as table|iptables-save|ipvsadm] [--node NODE] [--like current|1.20]
orrery proxy connections [--name CLUSTER | --dataplane unix:///PATH] [-o table|json]
orrery proxy handover [--name CLUSTER] [--node NODE]`;

async function rules(argv: readonly string[]): Promise<string> {
  const flags = parseFlags(ProxyRulesFlags, argv, 'orrery proxy rules');
  const client = connect(loadConnection(flags, process.env));
  try {
    return formatRules(await readCluster(client, flags.node), flags).trimEnd();
  } finally {
    await client.close();
  }
}

function socketsOf({ name, dataplane }: ProxyConnectionsFlags): string[] {
  if (dataplane !== '') return [dataplane.replace(/^unix:\/\//, '')];
  return controlSockets(dirname(new ClusterFiles(clusterDir(name)).dataplaneSocket()), name);
}

async function connections(argv: readonly string[]): Promise<string> {
  const flags = parseFlags(ProxyConnectionsFlags, argv, 'orrery proxy connections');
  const found: RuledConnection[] = [];
  for (const socket of socketsOf(flags)) found.push(...(await connectionsAt(socket)));
  return flags.output === 'json' ? JSON.stringify(found, null, 2) : formatConnections(found);
}

/** `orrery proxy rules|connections|handover`: what kube-proxy programs, who talks to whom, a new dataplane. */
export async function proxy(argv: readonly string[], print: (text: string) => void): Promise<void> {
  const [verb, ...rest] = argv;
  const flags = rest.map((argument) => (argument === '-o' ? '--output' : argument));
  if (verb === 'rules') print(await rules(flags));
  else if (verb === 'connections') print(await connections(flags));
  else if (verb === 'handover')
    print(await handover(parseFlags(ProxyHandoverFlags, flags, 'orrery proxy handover')));
  else throw new ConfigError(USAGE);
}
