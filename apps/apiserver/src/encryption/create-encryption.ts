import { ConfigError } from '@orrery/component';
import type { Clock, Logger, Metrics } from '@orrery/component';
import { Encryption } from '@orrery/storage';
import { followFiles } from '../config/follow-files.js';
import type { ApiServerOptions } from '../config/options.js';
import { readFlagFile } from '../config/tls.js';
import { readEncryptionConfiguration } from './encryption-configuration.js';
import { measureReloads } from '../health/reload-metrics.js';
import { measureEncryption } from './encryption-metrics.js';
import { storedResource } from './stored-resources.js';

const FLAG = 'encryption-provider-config';
/** k8s apiserver encryptionconfig/controller/controller.go:EncryptionConfigFileChangePollDuration. */
const RELOAD_MS = 60_000;

interface Read {
  readonly rules: ReturnType<typeof readEncryptionConfiguration>;
  readonly text: string;
}

function read(path: string): Read {
  const text = readFlagFile(FLAG, path).toString('utf8');
  return { rules: readEncryptionConfiguration(text, `--${FLAG}: ${path}`), text };
}

/** Refuses files that nothing can be encrypted by. Throws ConfigError. */
export function checkEncryption(options: ApiServerOptions): void {
  const { encryptionProviderConfig: path, encryptionProviderConfigAutomaticReload } = options;
  if (path !== '') read(path);
  else if (encryptionProviderConfigAutomaticReload)
    throw new ConfigError(
      '--encryption-provider-config-automatic-reload must be set with --encryption-provider-config',
    );
}

export interface EncryptionDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts when the server stops. */
  readonly signal: AbortSignal;
  readonly metrics: Metrics;
  /** How often the file is read again. */
  readonly reloadMs?: number;
}

/** What --encryption-provider-config says; undefined without it. */
export function createEncryption(
  options: ApiServerOptions,
  keyspace: string,
  deps: EncryptionDeps,
): Encryption | undefined {
  const path = options.encryptionProviderConfig;
  if (path === '') return undefined;
  const { rules, text } = read(path);
  const onTransform = measureEncryption(deps.metrics);
  const { clock } = deps;
  const encryption = new Encryption({
    rules,
    keyspace,
    resourceOf: storedResource,
    clock,
    onTransform,
  });
  if (!options.encryptionProviderConfigAutomaticReload) return encryption;
  const reloads = measureReloads({ ...deps, options }, 'encryption', text);
  const follow = { ...deps, everyMs: deps.reloadMs ?? RELOAD_MS };
  void followFiles([path], follow, () => {
    try {
      const next = read(path);
      encryption.replace(next.rules);
      reloads.succeeded(next.text);
      deps.logger.info('encryption is done by another configuration from now on', { path });
    } catch (error) {
      reloads.failed();
      deps.logger.error('the configuration of encryption stays as it was', { err: String(error) });
    }
  });
  return encryption;
}
