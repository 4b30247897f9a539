import type { ClusterEntry, ContextEntry } from '../kubeconfig/kubeconfig-file.js';
import type { MomentView } from './past-server.js';

const EXTENSION = 'orrery.dev/at';

/** What a context of the past remembers of itself, in its kubeconfig. */
export interface PastNote {
  readonly revision: number;
  readonly time?: string;
  /** The pin that keeps the moment, and until when. */
  readonly pin?: string;
  readonly until?: string;
}

/** The server's URL without `/at/…` or `/forks/…`. */
export const liveServer = (server: string): string =>
  server.replace(/\/+(?:at|forks)\/[^/]+\/*$/, '').replace(/\/+$/, '');

/** What a context says of the past it shows; undefined when it shows none. */
export function noteOf({ context }: ContextEntry): PastNote | undefined {
  const found = context.extensions?.find(({ name }) => name === EXTENSION)?.extension;
  return found && typeof found['revision'] === 'number'
    ? (found as unknown as PastNote)
    : undefined;
}

const noteFor = ({ revision, time, pin }: MomentView): PastNote => ({
  revision,
  ...(time ? { time } : {}),
  ...(pin ? { pin: pin.id, ...(pin.until ? { until: pin.until } : {}) } : {}),
});

/** A context and a cluster beside those given, through which the same user sees the cluster as it was. */
export function pastContext(
  live: { readonly context: ContextEntry; readonly cluster: ClusterEntry },
  moment: MomentView,
  speed: string,
): { readonly context: ContextEntry; readonly cluster: ClusterEntry } {
  const pace = Number(speed) > 0 ? `@${Number(speed)}x` : '';
  const at = `${moment.revision}${pace}`;
  const name = `${live.cluster.name.replace(/@\d.*$/, '')}@${at}`;
  const { extensions = [], ...context } = live.context.context;
  const others = extensions.filter((one) => one.name !== EXTENSION);
  return {
    cluster: {
      name,
      cluster: {
        ...live.cluster.cluster,
        server: `${liveServer(live.cluster.cluster.server)}/at/${at}`,
      },
    },
    context: {
      name,
      context: {
        ...context,
        cluster: name,
        extensions: [...others, { name: EXTENSION, extension: { ...noteFor(moment) } }],
      },
    },
  };
}
