import { gunzipSync } from 'node:zlib';
import { parseYaml } from '@orrery/apimachinery';
import type { Status } from '@orrery/apimachinery';
import { giveWay, toMicroTime } from '@orrery/component';
import type { Clock } from '@orrery/component';
import type { UserInfo } from '@orrery/registry';
import type { ApiRequest } from '../filters/api-request.js';
import { mediaTypeOf } from '../negotiation/decode-body.js';
import { protobuf } from '../negotiation/schemas.js';
import type { AuditBackend, AuditEvent, ObjectReference } from './audit-event.js';
import { objectRefOf, wireUser, withoutManagedFields } from './audit-event.js';
import type { AuditConfig, Stage } from './policy.js';
import { isAtLeast } from './policy.js';
import { isMapping } from '../config/configuration-file.js';

export type AuditableRequest = Pick<
  ApiRequest,
  'info' | 'method' | 'headers' | 'body' | 'raw' | 'context'
>;

/** Bytes as the object they hold; undefined when that cannot be told. */
function decode(bytes: Buffer, contentType: string | undefined, encoding?: string): unknown {
  if (bytes.length === 0) return undefined;
  try {
    const plain = encoding === 'gzip' ? gunzipSync(bytes) : bytes;
    const type = mediaTypeOf(contentType);
    if (type === 'application/vnd.kubernetes.protobuf') return protobuf().decode(plain).object;
    if (type.endsWith('yaml')) return parseYaml(plain.toString('utf8'));
    if (type.endsWith('json') || type === '') return JSON.parse(plain.toString('utf8'));
    return undefined;
  } catch {
    return undefined;
  }
}

function sourceIpsOf({ headers, context }: AuditableRequest): string[] {
  const forwarded = headers['x-forwarded-for'] ?? '';
  const ips = String(forwarded)
    .split(',')
    .map((ip) => ip.trim())
    .filter((ip) => ip !== '');
  const real = headers['x-real-ip'];
  const remote = (context.sourceIp ?? '').replace(/^::ffff:/, '');
  return [...new Set([...ips, ...(typeof real === 'string' ? [real] : []), remote])].filter(
    (ip) => ip !== '',
  );
}

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** Bytes of a request and its answer from which on each is decoded, and both are written, in turns of their own. */
const LARGE = 64 * 1024;

/** What an answer was, as far as it is audited. */
export interface AuditedAnswer {
  readonly code: number;
  readonly contentType?: string;
  readonly encoding?: string;
  /** Empty unless it was gathered. */
  readonly bytes: Buffer;
}

/** One request on its way through the stages; each is written once, unless the policy omits it. */
export class AuditedRequest {
  private readonly annotations = new Map<string, string>();
  private started = false;

  constructor(
    private readonly request: AuditableRequest,
    private readonly config: AuditConfig,
    /** Who asked, and as whom it acts. */
    private readonly who: {
      readonly user?: UserInfo;
      readonly impersonated?: UserInfo;
      /** By which constrained right. */
      readonly constraint?: string;
    },
    private readonly deps: {
      readonly backend: Pick<AuditBackend, 'write'>;
      readonly clock: Clock;
    },
  ) {}

  /** Whether the bytes of the answer are wanted. */
  wantsAnswer(code: number): boolean {
    const { verb } = this.request.info;
    return (
      code >= 400 ||
      this.config.level === 'RequestResponse' ||
      verb === 'delete' ||
      verb === 'deletecollection'
    );
  }

  annotate(key: string, value: string, level: 'Metadata' | 'Request' = 'Metadata'): void {
    if (isAtLeast(this.config.level, level) && !this.annotations.has(key))
      this.annotations.set(key, value);
  }

  received(): void {
    this.write('RequestReceived', {});
  }

  /** The answer has begun, of a request that lasts. */
  responseStarted(code: number): void {
    if (this.started) return;
    this.started = true;
    this.write('ResponseStarted', { responseStatus: { metadata: {}, code } });
  }

  /** At once, or, for large bodies, when the answer resolves. */
  complete(answer: AuditedAnswer): Promise<void> | undefined {
    if (this.isOmitted('ResponseComplete')) return undefined;
    const { body } = this.request;
    if (answer.bytes.length + body.length > LARGE) return this.completeInTurns(answer);
    const { bytes, contentType, encoding } = answer;
    this.finish(answer, decode(bytes, contentType, encoding), this.sentAt('ResponseComplete'));
    return undefined;
  }

  private async completeInTurns(answer: AuditedAnswer): Promise<void> {
    await giveWay();
    const body = decode(answer.bytes, answer.contentType, answer.encoding);
    await giveWay();
    const sent = this.sentAt('ResponseComplete');
    await giveWay();
    this.finish(answer, body, sent);
  }

  private finish(answer: AuditedAnswer, body: unknown, sent: unknown): void {
    const isStatus = isMapping(body) && body['kind'] === 'Status';
    const status: Partial<Status> = isStatus ? (body as Partial<Status>) : {};
    const { status: outcome, message, reason, details } = status;
    const more = {
      responseStatus: {
        metadata: {},
        ...(outcome ? { status: outcome } : {}),
        ...(message ? { message } : {}),
        ...(reason ? { reason } : {}),
        ...(details ? { details } : {}),
        code: answer.code,
      },
      ...(this.config.level === 'RequestResponse' && isMapping(body)
        ? { responseObject: this.shown(body) }
        : {}),
    };
    this.write('ResponseComplete', more, sent);
  }

  /** Credentials that were refused. */
  unauthenticated(message: string): void {
    this.write('ResponseStarted', { responseStatus: { metadata: {}, message, code: 401 } });
  }

  private shown(object: unknown): unknown {
    return this.config.omitManagedFields ? withoutManagedFields(object) : object;
  }

  private isOmitted(stage: Stage): boolean {
    const { level, omitStages } = this.config;
    return level === 'None' || omitStages.includes(stage);
  }

  /** The body of a write, where the event of the stage has it. */
  private sentAt(stage: Stage): unknown {
    const { body, headers, info } = this.request;
    const isWanted = stage !== 'RequestReceived' && WRITES.has(info.verb);
    return isWanted && !this.isOmitted(stage) ? decode(body, headers['content-type']) : undefined;
  }

  private write(stage: Stage, more: Partial<AuditEvent>, body: unknown = this.sentAt(stage)): void {
    const { request, config, who, deps } = this;
    if (this.isOmitted(stage)) return;
    const { context, info, raw } = request;
    const objectRef = this.objectRef(info.verb === 'create' ? body : undefined);
    deps.backend.write({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: config.level,
      auditID: context.auditId,
      stage,
      requestURI: raw.url ?? '',
      verb: info.verb,
      user: who.user ? wireUser(who.user) : {},
      ...(who.impersonated ? { impersonatedUser: wireUser(who.impersonated) } : {}),
      ...(who.constraint
        ? { authenticationMetadata: { impersonationConstraint: who.constraint } }
        : {}),
      sourceIPs: sourceIpsOf(request),
      ...(context.userAgent ? { userAgent: context.userAgent } : {}),
      ...(objectRef ? { objectRef } : {}),
      ...(body !== undefined && isAtLeast(config.level, 'Request')
        ? { requestObject: this.shown(body) }
        : {}),
      ...more,
      requestReceivedTimestamp: toMicroTime(context.receivedAt),
      stageTimestamp: toMicroTime(deps.clock.now()),
      ...(this.annotations.size > 0 ? { annotations: Object.fromEntries(this.annotations) } : {}),
    });
  }

  /** With the name that the body of a create gives. */
  private objectRef(body: unknown): ObjectReference | undefined {
    const ref = objectRefOf(this.request.info);
    const metadata = isMapping(body) ? body['metadata'] : undefined;
    if (!ref || !isMapping(metadata)) return ref;
    const take = (from: string): string | undefined => {
      const value = metadata[from];
      return typeof value === 'string' && value !== '' ? value : undefined;
    };
    const [name, namespace] = [ref.name ?? take('name'), ref.namespace ?? take('namespace')];
    const [uid, resourceVersion] = [take('uid'), take('resourceVersion')];
    return {
      ...ref,
      ...(name ? { name } : {}),
      ...(namespace ? { namespace } : {}),
      ...(uid ? { uid } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
    };
  }
}
