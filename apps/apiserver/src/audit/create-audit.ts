import { loadKubeconfig } from '@orrery/client';
import type { Clock, Logger } from '@orrery/component';
import { ConfigError, parseDuration } from '@orrery/component';
import type { ApiServerOptions } from '../config/options.js';
import { HookPoster } from '../webhooks/https-post.js';
import { toHookTarget } from '../webhooks/kubeconfig-target.js';
import { Audit } from './audit.js';
import type { AuditBackend } from './audit-event.js';
import { LogBackend, StandardOutputBackend } from './log-backend.js';
import { readAuditPolicy } from './policy.js';
import { WebhookBackend } from './webhook-backend.js';

export interface AuditDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

function backendsOf(options: ApiServerOptions, { clock, logger }: AuditDeps): AuditBackend[] {
  const { auditLogPath: path, auditWebhookConfigFile: file } = options;
  const {
    auditLogMaxAge: maxAge,
    auditLogMaxBackup: maxBackup,
    auditLogMaxSize: maxSize,
    auditLogCompress: compress,
  } = options;
  const backends: AuditBackend[] = [];
  if (path === '-') backends.push(new StandardOutputBackend());
  else if (path !== '')
    backends.push(new LogBackend({ path, maxAge, maxBackup, maxSize, compress }, clock, logger));
  if (file !== '') {
    const batch = {
      maxWaitMs: parseDuration(options.auditWebhookBatchMaxWait) ?? 30_000,
      maxSize: options.auditWebhookBatchMaxSize,
      bufferSize: options.auditWebhookBatchBufferSize,
      initialBackoffMs:
        (parseDuration(options.auditWebhookBatchInitialBackoff) ||
          parseDuration(options.auditWebhookInitialBackoff)) ??
        10_000,
    };
    const poster = new HookPoster(clock);
    const target = toHookTarget(loadKubeconfig(file));
    backends.push(new WebhookBackend(target, batch, { clock, logger, poster }));
  }
  return backends;
}

/** The audit that the flags ask for; undefined without a policy or a place to write to. Throws ConfigError. */
export function createAudit(options: ApiServerOptions, deps: AuditDeps): Audit | undefined {
  if (options.auditPolicyFile === '') return undefined;
  const policy = readAuditPolicy(options.auditPolicyFile);
  const backends = backendsOf(options, deps);
  if (backends.length === 0)
    throw new ConfigError(
      '--audit-policy-file needs --audit-log-path or --audit-webhook-config-file',
    );
  const all: AuditBackend = {
    write: (event) => {
      for (const backend of backends) backend.write(event);
    },
    close: async () => {
      await Promise.all(backends.map((backend) => backend.close()));
    },
  };
  return new Audit(policy, all, deps.clock);
}
