import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { parseYaml } from '@orrery/apimachinery';
import { ConfigError, inRootfs } from '@orrery/component';
import type { ConnectOptions } from './connect.js';

export interface KubeconfigOptions {
  /** Folder below which absolute paths in the file are; default ORRERY_ROOTFS, else none. */
  readonly rootfs?: string;
  /** Default the file's current-context. */
  readonly context?: string;
  readonly userAgent?: string;
}

export interface LoadedKubeconfig extends ConnectOptions {
  /** The context's namespace; `default` when it names none. */
  readonly namespace: string;
}

type Mapping = Readonly<Record<string, unknown>>;

const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Ways to authenticate that are not modelled, by their field. */
const REFUSED_USER_FIELDS = ['exec', 'auth-provider', 'username', 'as'] as const;

/** Reads fields of one kubeconfig; every error names the file and the field. */
class KubeconfigReader {
  readonly #root: Mapping;

  constructor(
    private readonly path: string,
    private readonly rootfs: string | undefined,
  ) {
    this.#root = this.#parse();
  }

  fail(field: string, problem: string, cause?: unknown): ConfigError {
    return new ConfigError(`kubeconfig ${this.path}: ${field}: ${problem}`, { cause });
  }

  root(field: string): string | undefined {
    return this.text(this.#root, field, field);
  }

  /** `clusters[name].cluster` and its likes. */
  entry(list: 'clusters' | 'contexts' | 'users', inner: string, name: string): Mapping {
    const entries = this.#root[list];
    if (!Array.isArray(entries)) throw this.fail(list, 'must be a list');
    const found = entries.find((e): e is Mapping => isMapping(e) && e['name'] === name);
    if (!found) throw this.fail(list, `has no entry named ${JSON.stringify(name)}`);
    const value = found[inner];
    if (!isMapping(value)) throw this.fail(`${list}[${name}].${inner}`, 'must be a mapping');
    return value;
  }

  text(from: Mapping, field: string, path: string): string | undefined {
    const value = from[field];
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value !== 'string') throw this.fail(path, 'must be a string');
    return value;
  }

  file(from: Mapping, field: string, path: string): string | undefined {
    const name = this.text(from, field, path);
    if (name === undefined) return undefined;
    return isAbsolute(name) ? inRootfs(name, this.rootfs) : join(dirname(this.path), name);
  }

  /** The PEM that `<field>-data` holds in base64 or `<field>` names as a file. */
  pem(from: Mapping, field: string, path: string): string | undefined {
    const data = this.text(from, `${field}-data`, `${path}.${field}-data`);
    if (data !== undefined) {
      const pem = Buffer.from(data, 'base64').toString('utf8');
      if (!pem.includes('-----BEGIN'))
        throw this.fail(`${path}.${field}-data`, 'is not base64 of a PEM block');
      return pem;
    }
    const file = this.file(from, field, `${path}.${field}`);
    if (file === undefined) return undefined;
    try {
      return readFileSync(file, 'utf8');
    } catch (cause) {
      throw this.fail(`${path}.${field}`, `${file} cannot be read`, cause);
    }
  }

  #parse(): Mapping {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (cause) {
      throw new ConfigError(
        `kubeconfig ${this.path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    }
    let value: unknown;
    try {
      value = parseYaml(text);
    } catch (cause) {
      throw new ConfigError(
        `kubeconfig ${this.path} is not YAML: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    }
    if (!isMapping(value)) throw new ConfigError(`kubeconfig ${this.path}: must be a mapping`);
    return value;
  }
}

function readUser(reader: KubeconfigReader, name: string): Partial<ConnectOptions> {
  const user = reader.entry('users', 'user', name);
  const path = `users[${name}].user`;
  for (const field of REFUSED_USER_FIELDS)
    if (user[field] !== undefined) throw reader.fail(`${path}.${field}`, 'is not supported');
  return {
    cert: reader.pem(user, 'client-certificate', path),
    key: reader.pem(user, 'client-key', path),
    token: reader.text(user, 'token', `${path}.token`),
    tokenFile: reader.file(user, 'tokenFile', `${path}.tokenFile`),
  };
}

/** Reads a kubeconfig for {@link connect}. Throws ConfigError naming the file and the field. */
export function loadKubeconfig(path: string, options: KubeconfigOptions = {}): LoadedKubeconfig {
  const reader = new KubeconfigReader(path, options.rootfs ?? process.env['ORRERY_ROOTFS']);
  const contextName = options.context ?? reader.root('current-context');
  if (contextName === undefined) throw reader.fail('current-context', 'is not set');
  const context = reader.entry('contexts', 'context', contextName);
  const at = `contexts[${contextName}].context`;
  const clusterName = reader.text(context, 'cluster', `${at}.cluster`);
  if (clusterName === undefined) throw reader.fail(`${at}.cluster`, 'is not set');
  const userName = reader.text(context, 'user', `${at}.user`);
  const cluster = reader.entry('clusters', 'cluster', clusterName);
  const where = `clusters[${clusterName}].cluster`;
  const server = reader.text(cluster, 'server', `${where}.server`);
  if (server === undefined) throw reader.fail(`${where}.server`, 'is not set');
  return {
    server,
    ca: reader.pem(cluster, 'certificate-authority', where),
    insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'] === true,
    serverName: reader.text(cluster, 'tls-server-name', `${where}.tls-server-name`),
    namespace: reader.text(context, 'namespace', `${at}.namespace`) ?? 'default',
    userAgent: options.userAgent,
    ...(userName === undefined ? {} : readUser(reader, userName)),
  };
}
