import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createBootstrapToken } from '../addons/bootstrap-token.js';
import { IPV4_CIDR, overlap } from '../commands/cidr.js';
import { ConfigError, Flag, SystemClock } from '@orrery/component';
import { PkiError, createClusterPki, toKubeconfig, writePrivate } from '@orrery/pki';
import { IsNotEmpty, IsOptional, IsString, IsUrl, Matches } from 'class-validator';
import { readCompletion, removeCompletion, writeCompletion } from './completion.js';

const HTTPS = { protocols: ['https'], require_protocol: true, require_tld: false };

/** The flags of `orrery init-cluster`. */
export class InitClusterFlags {
  @Flag('folder for certificates, keys and kubeconfigs; what is there and still good is kept')
  @IsNotEmpty()
  dir = '';

  @Flag('the API server as the components of the cluster reach it: https://HOST:PORT')
  @IsUrl(HTTPS, { message: 'server must be https://HOST:PORT' })
  server = '';

  @Flag('the API server as users reach it; their kubeconfig is DIR/kubeconfig (default: --server)')
  @IsOptional()
  @IsUrl(HTTPS, { message: 'external-server must be https://HOST:PORT' })
  externalServer?: string = undefined;

  @Flag('nodes that get certificates now; others join with DIR/nodes/bootstrap-kubelet.conf')
  @Matches(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, { each: true })
  nodes: string[] = [];

  @Flag('range of the cluster IPs, as of the API server', 'service-cidr')
  @Matches(IPV4_CIDR, { message: 'service-cidr must be an IPv4 range such as 10.96.0.0/12' })
  serviceCidr = '10.96.0.0/12';

  @Flag(
    'range of the pods, as of the controller manager: it must not overlap with the services',
    'cluster-cidr',
  )
  @Matches(IPV4_CIDR, { message: 'cluster-cidr must be an IPv4 range such as 10.244.0.0/16' })
  clusterCidr = '10.244.0.0/16';

  @Flag('what `orrery --after-init=DIR,TEXT` waits for: say here all that these files depend on')
  @IsOptional()
  @IsString()
  completion?: string = undefined;
}

/** 10.96.0.0/12 -> 10.96.0.1: the address of the Service `kubernetes`. */
function firstAddress(cidr: string): string {
  const octets = cidr.replace(/\/.*/, '').split('.').map(Number);
  return [...octets.slice(0, 3), (octets[3] ?? 0) + 1].join('.');
}

const hostOf = (url: string): string => new URL(url).hostname;
const isAddress = (host: string): boolean => /^[\d.]+$/.test(host);

/** Where the kubeconfig for users outside the cluster is. */
export const externalKubeconfig = (dir: string): string => join(dir, 'kubeconfig');

/** Where the kubeconfig is with which nodes join. */
export const bootstrapKubeconfig = (dir: string): string =>
  join(dir, 'nodes', 'bootstrap-kubelet.conf');

/** Once made it stays: nodes that join later use the same token. */
function writeBootstrapKubeconfig(dir: string, server: string, caPem: string): void {
  const path = bootstrapKubeconfig(dir);
  if (existsSync(path)) return;
  const credentials = { token: createBootstrapToken() };
  const names = { clusterName: 'kubernetes', userName: 'tls-bootstrap-token-user' };
  writePrivate(path, toKubeconfig({ ...names, server, caPem, credentials }));
}

/** Of a folder of nodes those see nothing else. */
const completionFolders = (dir: string): readonly string[] => [join(dir, 'nodes'), dir];

/** Whoever waits must not take for made what is about to change. */
async function withdrawCompletion(
  { dir, completion }: InitClusterFlags,
  now: number,
): Promise<void> {
  for (const folder of completionFolders(dir)) {
    const found = await readCompletion(folder);
    if (found && (found.of !== completion || found.renewAt <= now)) removeCompletion(folder);
  }
}

function complete({ dir, completion }: InitClusterFlags, renewAt: number): void {
  if (completion === undefined) return;
  for (const folder of completionFolders(dir)) writeCompletion(folder, { of: completion, renewAt });
}

/** `orrery init-cluster`: everything that the components of a cluster need before the first of them starts. */
export async function initCluster(flags: InitClusterFlags): Promise<string> {
  const { serviceCidr, clusterCidr } = flags;
  if (overlap(serviceCidr, clusterCidr))
    throw new ConfigError(
      `--service-cidr ${serviceCidr} and --cluster-cidr ${clusterCidr} overlap: services and pods need addresses of their own`,
    );
  const external = flags.externalServer ?? flags.server;
  const hosts = [hostOf(flags.server), hostOf(external)];
  const now = new SystemClock().now();
  try {
    await withdrawCompletion(flags, now);
    const pki = await createClusterPki({
      dir: flags.dir,
      server: flags.server,
      apiserverSans: {
        dns: hosts.filter((host) => !isAddress(host)),
        ips: [firstAddress(flags.serviceCidr), '127.0.0.1', ...hosts.filter(isAddress)],
      },
      nodes: flags.nodes.map((name) => ({ name, ips: [] })),
      now,
    });
    for (const name of flags.nodes) {
      const folder = join(flags.dir, 'nodes', name, 'pki');
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      copyFileSync(join(pki.pkiDir, 'ca.crt'), join(folder, 'ca.crt'));
    }
    writeBootstrapKubeconfig(flags.dir, flags.server, pki.caPem);
    const admin = readFileSync(pki.adminConf, 'utf8');
    writeFileSync(externalKubeconfig(flags.dir), admin.replaceAll(flags.server, external), {
      mode: 0o600,
    });
    complete(flags, pki.renewAt);
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    if (code === undefined || error instanceof PkiError) throw error;
    throw new ConfigError(`--dir ${flags.dir}: cannot write ${path ?? 'there'} (${code})`, {
      cause: error,
    });
  }
  return `certificates of ${['the control plane', ...flags.nodes].join(', ')} are in ${flags.dir}`;
}
