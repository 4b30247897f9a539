import { ConfigError } from '@orrery/component';
import type { Clock, Logger } from '@orrery/component';
import { CachedStorage, EtcdClient, EtcdStorage, Forks } from '@orrery/storage';
import type { Encryption, EtcdClientOptions, FeedFollower, Storage } from '@orrery/storage';
import type { ApiServerOptions } from './options.js';
import { readFlagFile } from './tls.js';

export interface OpenStorage {
  readonly storage: Storage;
  /** That storage, when it has a cache. */
  readonly cached?: CachedStorage;
  /** The same without a cache: what history and forks are read from. */
  readonly etcd: EtcdStorage;
  readonly forks: Forks;
  /** Ends in '/'. */
  readonly keyPrefix: string;
  close(): Promise<void>;
}

function etcdTls(options: ApiServerOptions): object {
  if (options.etcdCaFile === '') return {};
  return {
    tls: {
      ca: readFlagFile('etcd-cafile', options.etcdCaFile),
      ...(options.etcdCertFile
        ? {
            cert: readFlagFile('etcd-certfile', options.etcdCertFile),
            key: readFlagFile('etcd-keyfile', options.etcdKeyFile),
          }
        : {}),
    },
  };
}

function etcdAuth({ etcdUsername, etcdPasswordFile }: ApiServerOptions): object {
  if (etcdUsername === '' && etcdPasswordFile === '') return {};
  if (etcdUsername === '' || etcdPasswordFile === '')
    throw new ConfigError('--etcd-username and --etcd-password-file go together');
  // Editors end a file with a line break, which is no part of a password.
  const password = readFlagFile('etcd-password-file', etcdPasswordFile)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  return { auth: { username: etcdUsername, password } };
}

/** Told what comes from etcd and of lists that memory answers. */
type CacheObserver = FeedFollower & { listed(prefix: string, objects: number): void };

function cachedStorage(
  storage: EtcdStorage,
  deps: { readonly logger: Logger; readonly watchCache?: CacheObserver },
): CachedStorage {
  const { logger, watchCache } = deps;
  const onList: CacheObserver['listed'] = (prefix, objects) => watchCache?.listed(prefix, objects);
  const cached = new CachedStorage({ storage, logger, ...(watchCache ? { onList } : {}) });
  if (watchCache) cached.follow(watchCache);
  return cached;
}

/** Connects to etcd as the flags say. */
export function openStorage(
  options: ApiServerOptions,
  deps: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly signal: AbortSignal;
    readonly onCall: NonNullable<EtcdClientOptions['onCall']>;
    readonly encryption?: Encryption | undefined;
    readonly watchCache?: CacheObserver;
  },
): OpenStorage {
  if (options.etcdServers.length === 0)
    throw new ConfigError('--etcd-servers: name at least one etcd, e.g. http://127.0.0.1:2379');
  const client = new EtcdClient({
    endpoints: options.etcdServers,
    clock: deps.clock,
    onCall: deps.onCall,
    ...(deps.encryption ? { encryption: deps.encryption } : {}),
    ...etcdTls(options),
    ...etcdAuth(options),
  });
  const keyPrefix = `${options.etcdPrefix.replace(/\/+$/, '')}/`;
  const plain = new EtcdStorage({
    client,
    keyspace: keyPrefix,
    causeRecords: options.causeRecords,
  });
  if (options.reads === 'quorum' || !options.watchCache) {
    return {
      storage: plain,
      etcd: plain,
      forks: new Forks({ storage: plain, causeRecords: options.causeRecords }),
      keyPrefix,
      close: async () => {
        client.close();
        return Promise.resolve();
      },
    };
  }
  const storage = cachedStorage(plain, deps);
  const forks = new Forks({
    storage: plain,
    cached: storage,
    causeRecords: options.causeRecords,
    onTrouble: (message, error) => deps.logger.warn(message, { err: String(error) }),
  });
  const feeding = storage.start(deps.signal);
  return {
    storage,
    cached: storage,
    etcd: plain,
    forks,
    keyPrefix,
    close: async () => {
      await feeding;
      client.close();
    },
  };
}
