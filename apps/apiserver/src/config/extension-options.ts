import { IsIn, IsInt, Min } from 'class-validator';
import { Flag, IsDuration } from '@orrery/component';
import { RunOptions } from './run-options.js';

/** Flags of what extends and guards the server: webhooks, aggregation, audit, authentication and authorization by others. */
export class ExtensionOptions extends RunOptions {
  @Flag('file with the configuration of admission plugins')
  admissionControlConfigFile: string = '';

  @Flag(
    'reach webhooks and extension API servers by an endpoint of their Service, not by its cluster IP',
  )
  enableAggregatorRouting: boolean = false;

  @Flag('client certificate that this server shows extension API servers')
  proxyClientCertFile: string = '';

  @Flag('key of that certificate')
  proxyClientKeyFile: string = '';

  @Flag('names that a front proxy may have; empty: every certificate of its CA')
  requestheaderAllowedNames: string[] = ['front-proxy-client'];

  @Flag('headers with the user name')
  requestheaderUsernameHeaders: string[] = ['x-remote-user'];

  @Flag('headers with the UID of the user')
  requestheaderUidHeaders: string[] = ['x-remote-uid'];

  @Flag('headers with the groups of the user')
  requestheaderGroupHeaders: string[] = ['x-remote-group'];

  @Flag('prefixes of headers with extra fields of the user')
  requestheaderExtraHeadersPrefix: string[] = ['x-remote-extra-'];

  @Flag('file with the audit policy; without one nothing is audited')
  auditPolicyFile: string = '';

  @Flag('file that audit events are written to, - for standard output')
  auditLogPath: string = '';

  @Flag('format of audit events', 'audit-log-format')
  @IsIn(['json'])
  auditLogFormat: string = 'json';

  @Flag('days that old audit log files are kept; 0: no limit', 'audit-log-maxage')
  @IsInt()
  @Min(0)
  auditLogMaxAge: number = 0;

  @Flag('old audit log files that are kept; 0: no limit', 'audit-log-maxbackup')
  @IsInt()
  @Min(0)
  auditLogMaxBackup: number = 0;

  @Flag('megabytes at which an audit log file is replaced; 0: never', 'audit-log-maxsize')
  @IsInt()
  @Min(0)
  auditLogMaxSize: number = 0;

  @Flag('kubeconfig of a webhook that audit events are sent to')
  auditWebhookConfigFile: string = '';

  @Flag('how long audit events are gathered for the webhook', 'audit-webhook-batch-max-wait')
  @IsDuration()
  auditWebhookBatchMaxWait: string = '30s';

  @Flag('largest number of events that are sent at once', 'audit-webhook-batch-max-size')
  @IsInt()
  @Min(1)
  auditWebhookBatchMaxSize: number = 400;

  @Flag('kubeconfig of a webhook that knows bearer tokens')
  authenticationTokenWebhookConfigFile: string = '';

  @Flag('version of TokenReview that the webhook is sent')
  @IsIn(['v1', 'v1beta1'])
  authenticationTokenWebhookVersion: string = 'v1';

  @Flag(
    'how long answers of the token webhook are believed',
    'authentication-token-webhook-cache-ttl',
  )
  @IsDuration()
  authenticationTokenWebhookCacheTtl: string = '2m0s';

  @Flag('AuthenticationConfiguration with JWT issuers')
  authenticationConfig: string = '';

  @Flag('issuer of OpenID Connect tokens, an https URL', 'oidc-issuer-url')
  oidcIssuerUrl: string = '';

  @Flag('client that the tokens must be for', 'oidc-client-id')
  oidcClientId: string = '';

  @Flag('CA file of the issuer', 'oidc-ca-file')
  oidcCaFile: string = '';

  @Flag('claim with the user name')
  oidcUsernameClaim: string = 'sub';

  @Flag(
    'put in front of user names; -: nothing; default: the issuer and # unless the claim is email',
  )
  oidcUsernamePrefix: string = '';

  @Flag('claim with the groups')
  oidcGroupsClaim: string = '';

  @Flag('put in front of groups')
  oidcGroupsPrefix: string = '';

  @Flag('algorithms that tokens may be signed with')
  oidcSigningAlgs: string[] = ['RS256'];

  @Flag('key=value that the token must claim', 'oidc-required-claim')
  oidcRequiredClaim: string[] = [];

  @Flag('kubeconfig of a webhook that authorizes')
  authorizationWebhookConfigFile: string = '';

  @Flag('version of SubjectAccessReview that the webhook is sent')
  @IsIn(['v1', 'v1beta1'])
  authorizationWebhookVersion: string = 'v1';

  @Flag(
    'how long the webhook is believed when it allows',
    'authorization-webhook-cache-authorized-ttl',
  )
  @IsDuration()
  authorizationWebhookCacheAuthorizedTtl: string = '5m0s';

  @Flag('how long it is believed when it does not', 'authorization-webhook-cache-unauthorized-ttl')
  @IsDuration()
  authorizationWebhookCacheUnauthorizedTtl: string = '30s';

  @Flag('AuthorizationConfiguration; in place of --authorization-mode and the webhook flags')
  authorizationConfig: string = '';

  @Flag('file with the policies of mode ABAC, a JSON object a line')
  authorizationPolicyFile: string = '';
}
