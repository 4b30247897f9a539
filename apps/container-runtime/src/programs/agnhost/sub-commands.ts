import type { SubCommand } from './agnhost.js';
import { auditProxy } from './servers/audit-proxy.js';
import { grpcHealthChecking } from './servers/grpc-health-checking.js';
import { guestbook } from './servers/guestbook.js';
import { liveness } from './servers/liveness.js';
import { net } from './servers/net.js';
import { netexec } from './servers/netexec.js';
import { nettest } from './servers/nettest.js';
import { noSnatTest, noSnatTestProxy } from './servers/no-snat-test.js';
import { portForwardTester } from './servers/port-forward-tester.js';
import { porter } from './servers/porter.js';
import { serveHostname } from './servers/serve-hostname.js';
import { testWebserver } from './servers/test-webserver.js';
import { connect } from './tools/connect.js';
import { dig } from './tools/dig.js';
import { dnsServerList, dnsSuffix, etcHosts } from './tools/dns.js';
import { entrypointTester } from './tools/entrypoint-tester.js';
import { fakeGitserver } from './tools/fake-gitserver.js';
import { inclusterclient } from './tools/inclusterclient.js';
import { issuerDiscovery } from './tools/issuer-discovery.js';
import { logsGenerator } from './tools/logs-generator.js';
import { mounttest } from './tools/mounttest.js';
import { netcat } from './tools/netcat.js';
import { nslookup } from './tools/nslookup.js';
import { pause } from './tools/pause.js';
import { crdConversionWebhook } from './webhooks/conversion.js';
import { webhook } from './webhooks/webhook.js';

/** By the names that agnhost knows them by. */
export const SUB_COMMANDS: Readonly<Record<string, SubCommand>> = {
  'audit-proxy': auditProxy,
  connect,
  // Tools that upstream's image has from its distribution.
  dig,
  nslookup,
  nc: netcat,
  'crd-conversion-webhook': crdConversionWebhook,
  'dns-server-list': dnsServerList,
  'dns-suffix': dnsSuffix,
  'entrypoint-tester': entrypointTester,
  'etc-hosts': etcHosts,
  'fake-gitserver': fakeGitserver,
  'grpc-health-checking': grpcHealthChecking,
  guestbook,
  inclusterclient,
  liveness,
  'logs-generator': logsGenerator,
  mounttest,
  net,
  netexec,
  nettest,
  'no-snat-test': noSnatTest,
  'no-snat-test-proxy': noSnatTestProxy,
  pause,
  'port-forward-tester': portForwardTester,
  porter,
  'serve-hostname': serveHostname,
  'test-service-account-issuer-discovery': issuerDiscovery,
  'test-webserver': testWebserver,
  webhook,
};
