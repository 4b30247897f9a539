import { existsSync, readFileSync } from 'node:fs';
import { ConfigError } from '@orrery/component';
import { EtcdClient } from '@orrery/storage';
import type { EtcdClientOptions } from '@orrery/storage';
import { ClusterFiles, addressesOf } from '../cluster/layout.js';
import { etcdEndpoints } from '../cluster/plan.js';
import { readSettings } from '../cluster/settings.js';
import { clusterDir } from '../commands/up-flags.js';
import type { EtcdCall, EtcdFlags } from './flags.js';

function readFile(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError(`--${flag} ${path}: cannot be read (${code})`, { cause: error });
  }
}

/** The client URLs of the members: those named, else those of the cluster. */
export function endpointsOf({ endpoints, name }: EtcdFlags): readonly string[] {
  for (const endpoint of endpoints)
    if (!/^https?:\/\/[^/]+$/.test(endpoint))
      throw new ConfigError(`--endpoints ${endpoint}: must be http(s)://host:port`);
  if (endpoints.length > 0) return endpoints;
  const dir = clusterDir(name);
  const settings = existsSync(dir) ? readSettings(new ClusterFiles(dir)) : undefined;
  if (!settings)
    throw new ConfigError(
      `there is no cluster "${name}" here (${dir}); start one with npm start, or name an etcd with --endpoints`,
    );
  return etcdEndpoints({
    addresses: addressesOf(settings.block, settings.network?.mode, settings.network?.ipFamily),
    ...settings,
  });
}

function tlsOf({ cacert, cert, key }: EtcdFlags): Partial<EtcdClientOptions> {
  if (cacert === '') {
    if (cert !== '') throw new ConfigError('--cert needs --cacert, the authority of etcd');
    return {};
  }
  const own = cert === '' ? {} : { cert: readFile('cert', cert), key: readFile('key', key) };
  return { tls: { ca: readFile('cacert', cacert), ...own } };
}

function authOf({ user, passwordFile }: EtcdFlags): Partial<EtcdClientOptions> {
  if (user === '') return {};
  const password = readFile('password-file', passwordFile)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  return { auth: { username: user, password } };
}

/** A client of the etcd that is meant; the caller closes it. */
export function connectEtcd({ flags, timeoutMs }: EtcdCall): EtcdClient {
  return new EtcdClient({
    endpoints: endpointsOf(flags),
    requestTimeoutMs: timeoutMs,
    ...tlsOf(flags),
    ...authOf(flags),
  });
}
