import { describe, expect, it } from '@jest/globals';
import { ConfigError, parseFlags } from '@orrery/component';
import { checkOptions } from './check-options.js';
import { ApiServerOptions } from './options.js';

const take = (...flags: string[]): ApiServerOptions => {
  const options = parseFlags(ApiServerOptions, flags, 'kube-apiserver');
  checkOptions(options);
  return options;
};

describe('flags that are refused before etcd is asked', () => {
  it.each([
    { flag: '--cluster-cidr=foo', says: '--cluster-cidr: invalid argument "foo"' },
    { flag: '--cluster-cidr=10.0.0.0/33', says: 'invalid CIDR address: 10.0.0.0/33' },
    { flag: '--service-cluster-ip-range=foo', says: '--service-cluster-ip-range' },
    { flag: '--service-cluster-ip-range=10.0.0.0/30', says: 'at least 8 IP addresses' },
    { flag: '--service-node-port-range=x', says: 'is not a valid port range' },
    { flag: '--service-node-port-range=40000-30000', says: 'is not a valid port range' },
    { flag: '--kubernetes-service-node-port=80', says: 'is not in the range' },
    { flag: '--anonymous-auth=maybe', says: 'invalid argument "maybe" for "--anonymous-auth"' },
    {
      flag: '--secure-port=',
      says: 'invalid argument "" for "--secure-port" flag: strconv.ParseInt: parsing "": invalid syntax',
    },
    { flag: '--enable-admission-plugins=Nope', says: 'plugin "Nope" is unknown' },
    { flag: '--disable-admission-plugins=Nope', says: 'plugin "Nope" is unknown' },
    { flag: '--runtime-config=foo/v1=true', says: 'unknown api groups foo' },
    { flag: '--runtime-config=apps/v9=true', says: 'group version apps/v9' },
    { flag: '--runtime-config=apps/v1/deployments=false', says: 'single resources' },
    { flag: '--runtime-config=api/all=perhaps', says: 'invalid value of api/all: perhaps' },
    { flag: '--authorization-mode=Nope', says: '"Nope" is not a valid mode' },
    { flag: '--authorization-mode=RBAC,RBAC', says: 'is given twice' },
    { flag: '--authorization-mode=ABAC', says: "ABAC's authorization policy file not passed" },
    {
      flag: '--authorization-policy-file=x',
      says: 'cannot specify --authorization-policy-file without mode ABAC',
    },
    { flag: '--client-ca-file=/nowhere', says: '--client-ca-file' },
    { flag: '--token-auth-file=/nowhere', says: '--token-auth-file' },
    { flag: '--service-account-key-file=/nowhere', says: '--service-account-key-file' },
    { flag: '--tls-cert-file=/nowhere', says: 'go together' },
    { flag: '--tls-cipher-suites=NOPE', says: '"NOPE" is not supported' },
    { flag: '--tls-min-version=VersionTLS09', says: '--tls-min-version' },
    {
      flag: '--tls-sni-cert-key=x',
      says: 'expected comma separated certificate and key file paths',
    },
    { flag: '--feature-gates=Nope=true', says: 'unrecognized feature gate: Nope' },
    {
      flag: '--feature-gates=AllAlpha=true',
      says: 'cannot set feature gate AllAlpha to true, feature is locked to false',
    },
    { flag: '--feature-gates=WatchList', says: 'missing bool value for WatchList' },
    { flag: '--feature-gates=WatchList=x', says: 'invalid value of WatchList=x' },
    {
      flag: '--storage-media-type=application/vnd.kubernetes.protobuf',
      says: 'only "application/json" is taken: objects are stored as JSON',
    },
    { flag: '--encryption-provider-config=/nowhere', says: '--encryption-provider-config' },
    { flag: '--encryption-provider-config-automatic-reload=true', says: 'must be set with' },
    { flag: '--egress-selector-config-file=x', says: 'egress selectors are not modelled' },
    { flag: '--emulated-version=1.30', says: 'the server is of one version' },
    { flag: '--profiling=true', says: 'there is no /debug/pprof' },
    { flag: '--goaway-chance=0.5', says: '--goaway-chance' },
    { flag: '--request-timeout=-1s', says: '--request-timeout can not be negative value' },
    {
      flag: '--shutdown-delay-duration=soon',
      says: 'invalid argument "soon" for "--shutdown-delay-duration" flag: time: invalid duration "soon"',
    },
    { flag: '--cors-allowed-origins=(', says: 'invalid regular expression' },
    { flag: '--cors-allowed-origins=example.com', says: 'does not pin to start/end of host' },
    { flag: '--strict-transport-security-directives=x', says: 'invalid, allowed values' },
    { flag: '--service-account-jwks-uri=http://x', says: 'requires https scheme' },
    { flag: '--service-account-max-token-expiration=1m', says: 'between 1 hour and 2^32 seconds' },
    { flag: '--watch-cache-sizes=pods#0', says: '--watch-cache=false turns it off' },
    { flag: '--oidc-issuer-url=http://x', says: 'must be specified together' },
    { flag: '--no-such-flag=1', says: 'unknown flag: --no-such-flag' },
    { flag: '-x', says: "unknown shorthand flag: 'x' in -x" },
    { flag: '--bind-address', says: 'flag needs an argument: --bind-address' },
    { flag: 'word', says: '"kube-apiserver" does not take any arguments, got ["word"]' },
    {
      flag: '--anonymous-auth=maybe',
      says: 'invalid argument "maybe" for "--anonymous-auth" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    },
  ])('$flag', ({ flag, says }) => {
    let thrown: unknown;
    try {
      take(flag);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ConfigError);
    expect((thrown as Error).message).toContain(says);
  });

  it('says which plugins are both enabled and disabled', () => {
    const both = ['--enable-admission-plugins=Priority', '--disable-admission-plugins=Priority'];
    expect(() => take(...both)).toThrow('[Priority] in enable-admission-plugins');
  });
});

describe('flags of upstream that are taken', () => {
  it.each([
    '--feature-gates=WatchList=true,kube:CBORServingAndStorage=false',
    '--storage-media-type=application/json',
    '--service-account-lookup=false',
    '--storage-backend=etcd3',
    '--profiling=false',
    '--v=2',
    '--emulated-version=1.36',
    '--tls-cipher-suites=TLS_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
    '--tls-curve-preferences=29,23',
    '--cors-allowed-origins=^https://a{1,3}\\.example\\.com$',
    '--runtime-config=api/beta=true,v1=true,apps/v1',
    '--watch-cache-sizes=pods#100',
    '--audit-log-mode=blocking',
    '--strict-transport-security-directives=max-age=31536000,includeSubDomains',
  ])('%s', (flag) => {
    expect(() => take(flag)).not.toThrow();
  });
});
