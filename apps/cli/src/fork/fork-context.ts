import type { ClusterEntry, ContextEntry } from '../kubeconfig/kubeconfig-file.js';
import { liveServer } from '../at/past-context.js';

const EXTENSION = 'orrery.dev/fork';

export interface ContextAndCluster {
  readonly context: ContextEntry;
  readonly cluster: ClusterEntry;
}

/** The cluster's name without the moment or the fork that an entry may show of it. */
const clusterName = (name: string): string => name.replace(/(?:@\d|\/).*$/, '');

/** The name of the fork that a context shows; undefined when it shows none. */
export const forkOf = ({ context }: ContextEntry): string | undefined => {
  const found = context.extensions?.find(({ name }) => name === EXTENSION)?.extension['name'];
  return typeof found === 'string' ? found : undefined;
};

/** A context `<cluster>/<fork>` and its cluster, through which the same user works in the fork. */
export function forkContext(live: ContextAndCluster, fork: string): ContextAndCluster {
  const name = `${clusterName(live.cluster.name)}/${fork}`;
  const { extensions = [], ...context } = live.context.context;
  const others = extensions.filter((one) => !one.name.startsWith('orrery.dev/'));
  const server = `${liveServer(live.cluster.cluster.server)}/forks/${fork}`;
  return {
    cluster: { name, cluster: { ...live.cluster.cluster, server } },
    context: {
      name,
      context: {
        ...context,
        cluster: name,
        extensions: [...others, { name: EXTENSION, extension: { name: fork } }],
      },
    },
  };
}
