import { describe, expect, it } from '@jest/globals';
import type { Endpoints } from '../../../types.js';
import type { Refused } from '../../../findings.fixture.js';
import { refusals, updateRefusals } from '../../../findings.fixture.js';
import { EndpointsKind } from './endpoints.kind.js';

const addresses = [{ ip: '10.0.0.1' }];
const ADDRESS = 'subsets[0].addresses[0]';
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const rows: Refused[] = [
  {
    name: 'no addresses',
    change: { subsets: [{ ports: [{ port: 80 }] }] },
    want: ['subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
  },
  {
    name: 'what is no address',
    change: { subsets: [{ addresses: [{ ip: 'x' }] }] },
    want: [
      `${ADDRESS}.ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)`,
      `${ADDRESS}.ip: Invalid value: "x": must be a valid IP address`,
    ],
  },
  {
    name: 'an address of the loopback',
    change: { subsets: [{ addresses: [{ ip: '127.0.0.1' }] }] },
    want: [
      `${ADDRESS}.ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)`,
    ],
  },
  {
    name: 'a hostname that is no label',
    change: { subsets: [{ addresses: [{ ip: '10.0.0.1', hostname: 'A.b' }] }] },
    want: [`${ADDRESS}.hostname: Invalid value: "A.b": ${LABEL}`],
  },
  {
    name: 'a node name that is none',
    change: { subsets: [{ addresses: [{ ip: '10.0.0.1', nodeName: 'N' }] }] },
    want: [`${ADDRESS}.nodeName: Invalid value: "N": ${SUBDOMAIN}`],
  },
  {
    name: 'ports without names, numbers and protocols',
    change: {
      subsets: [
        {
          addresses,
          ports: [
            { port: 0, protocol: 'ICMP' },
            { name: 'b', port: 1 },
          ],
        },
      ],
    },
    want: [
      'subsets[0].ports[0].name: Required value',
      'subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'subsets[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
    ],
  },
  {
    name: 'a protocol above that is no name',
    change: { subsets: [{ addresses, ports: [{ port: 80, appProtocol: '' }] }] },
    want: [
      'subsets[0].ports[0].appProtocol: Invalid value: "": name part must be non-empty',
      `subsets[0].ports[0].appProtocol: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
    ],
  },
];

describe('Endpoints', () => {
  it.each(rows)('are refused for $name', ({ change, want }) => {
    expect(refusals(EndpointsKind, change)).toEqual(want);
  });

  it('that stay as they are stay legal', () => {
    const old = { subsets: [{ addresses: [{ ip: '10.0.0.01' }] }] };
    expect(refusals(EndpointsKind, old)).toHaveLength(1);
    expect(
      updateRefusals(EndpointsKind, old, { ...old, metadata: { labels: { a: 'b' } } }),
    ).toEqual([]);
  });

  it('are warned of for addresses in old forms', () => {
    const warnings: string[] = [];
    const endpoints: Endpoints = { metadata: { name: 'x', namespace: 'n' } };
    const context = { now: '', warn: (text: string) => warnings.push(text) };
    EndpointsKind.strategy.validate?.(
      { ...endpoints, subsets: [{ addresses: [{ ip: 'fe::0:1' }] }] },
      context,
    );
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('subsets[0].addresses[0].ip: ');
  });
});
