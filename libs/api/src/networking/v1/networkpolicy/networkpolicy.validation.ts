import type { FieldError, FieldPath as Path } from '@orrery/apimachinery';
import {
  FieldPath,
  cidrFaults,
  cidrWarning,
  forbidden,
  invalid,
  isStrictSubnet,
  notSupported,
  parseCidr,
  required,
} from '@orrery/apimachinery';
import type {
  IPBlock,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from '../../../gen/types/networking.v1.js';
import { given, when } from '../../../meta/findings.js';
import { validateLabelSelector } from '../../../meta/label-selector.js';
import { eachOf, list } from '../../../meta/list.js';
import { check, portName, portNumber } from '../../../meta/names.js';

const SPEC = FieldPath.of('spec');
const TYPES = ['Ingress', 'Egress'];
const PROTOCOLS = ['TCP', 'UDP', 'SCTP'];

const listed = (value: string | undefined, values: readonly string[], at: Path): FieldError[] =>
  given(value, (each) => when(!values.includes(each), notSupported(at, each, values, 'as given')));

function validateEndPort({ port, endPort }: NetworkPolicyPort, at: Path): FieldError[] {
  const refuse = (text: string): FieldError[] => [invalid(at, endPort, text)];
  if (typeof endPort !== 'number') return [];
  if (port === undefined || port === null)
    return refuse('may not be specified when `port` is not specified');
  if (typeof port !== 'number') return refuse('may not be specified when `port` is non-numeric');
  return [
    ...(endPort < port ? refuse('must be greater than or equal to `port`') : []),
    ...portNumber(endPort).flatMap(refuse),
  ];
}

function validatePort(port: NetworkPolicyPort, at: Path): FieldError[] {
  const path = at.child('port');
  const ends = validateEndPort(port, at.child('endPort'));
  const { port: value } = port;
  return [
    ...listed(port.protocol, PROTOCOLS, at.child('protocol')),
    ...(typeof value === 'number'
      ? [...portNumber(value).map((text) => invalid(path, value, text)), ...ends]
      : [...ends, ...given(value, (name) => check(portName, name, path))]),
  ];
}

/** What a stored policy has already, and may keep as it is. */
interface Known {
  readonly ranges: ReadonlySet<string>;
  /** Its own selector asks for values that no label has. */
  readonly anyValue: boolean;
}

function validateRange(text: string, path: Path, { ranges }: Known): FieldError[] {
  if (ranges.has(text)) return [];
  return cidrFaults(text, true).map((fault) => invalid(path, text, fault));
}

/** k8s pkg/apis/networking/validation/validation.go:ValidateIPBlock. */
function validateBlock({ cidr, except }: IPBlock, path: Path, known: Known): FieldError[] {
  if (!cidr) return [required(path.child('cidr'))];
  const whole = parseCidr(cidr);
  return [
    ...validateRange(cidr, path.child('cidr'), known),
    ...eachOf(except, (text, i) => {
      const at = path.child('except').index(i);
      const part = parseCidr(text);
      const isOutside = whole && part && !isStrictSubnet(part, whole);
      return [
        ...validateRange(text, at, known),
        ...when(Boolean(isOutside), invalid(at, text, 'must be a strict subset of `cidr`')),
      ];
    }),
  ];
}

function validatePeer(peer: NetworkPolicyPeer, at: Path, known: Known): FieldError[] {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  if (!podSelector && !namespaceSelector && !ipBlock) return [required(at, 'must specify a peer')];
  return [
    ...validateLabelSelector(podSelector, at.child('podSelector'), known.anyValue),
    ...validateLabelSelector(namespaceSelector, at.child('namespaceSelector'), known.anyValue),
    ...given(ipBlock, (block) => validateBlock(block, at.child('ipBlock'), known)),
    ...when(
      Boolean(ipBlock) && Boolean(podSelector ?? namespaceSelector),
      forbidden(at, 'may not specify both ipBlock and another peer'),
    ),
  ];
}

interface Rule {
  readonly ports?: readonly NetworkPolicyPort[];
  readonly peers?: readonly NetworkPolicyPeer[];
  /** `from` or `to`. */
  readonly field: string;
}

const validateRule = ({ ports, peers, field }: Rule, at: Path, known: Known): FieldError[] => [
  ...eachOf(ports, (port, i) => validatePort(port, at.child('ports').index(i))),
  ...eachOf(peers, (peer, i) => validatePeer(peer, at.child(field).index(i), known)),
];

const ruleOf = (
  ports: Rule['ports'] | undefined,
  peers: Rule['peers'] | undefined,
  field: string,
): Rule => ({ field, ...(ports ? { ports } : {}), ...(peers ? { peers } : {}) });

function validateSpec({ spec }: NetworkPolicy, known: Known): FieldError[] {
  const types = SPEC.child('policyTypes');
  const named = list(spec?.policyTypes);
  return [
    ...validateLabelSelector(spec?.podSelector, SPEC.child('podSelector'), known.anyValue),
    ...eachOf(spec?.ingress, ({ ports, from }, i) =>
      validateRule(ruleOf(ports, from, 'from'), SPEC.child('ingress').index(i), known),
    ),
    ...eachOf(spec?.egress, ({ ports, to }, i) =>
      validateRule(ruleOf(ports, to, 'to'), SPEC.child('egress').index(i), known),
    ),
    ...(named.length > TYPES.length
      ? [invalid(types, named, 'may not specify more than two policyTypes')]
      : named.flatMap((type, i) => listed(type, TYPES, types.index(i)))),
  ];
}

/** k8s pkg/apis/networking/validation/validation.go:ValidateNetworkPolicySpec. */
export const validateNetworkPolicy = (policy: NetworkPolicy): FieldError[] =>
  validateSpec(policy, { ranges: new Set(), anyValue: false });

/** The ranges of a policy, with the path of each. */
function rangesOf({ spec }: NetworkPolicy): { readonly range: string; readonly path: Path }[] {
  const ofPeers = (peers: Rule['peers'], at: Path): ReturnType<typeof rangesOf> =>
    list(peers).flatMap(({ ipBlock }, i) => {
      if (!ipBlock) return [];
      const block = at.index(i).child('ipBlock');
      return [
        { range: ipBlock.cidr, path: block.child('cidr') },
        ...list(ipBlock.except).map((range, e) => ({
          range,
          path: block.child('except').index(e),
        })),
      ];
    });
  return [
    ...list(spec?.ingress).flatMap(({ from }, i) =>
      ofPeers(from, SPEC.child('ingress').index(i).child('from')),
    ),
    ...list(spec?.egress).flatMap(({ to }, i) =>
      ofPeers(to, SPEC.child('egress').index(i).child('to')),
    ),
  ];
}

/** k8s pkg/registry/networking/networkpolicy/strategy.go:networkPolicyWarnings. */
export const networkPolicyWarnings = (policy: NetworkPolicy): string[] =>
  rangesOf(policy).flatMap(({ range, path }) => cidrWarning(path.toString(), range) ?? []);

export const validateNetworkPolicyUpdate = (
  policy: NetworkPolicy,
  old: NetworkPolicy,
): FieldError[] =>
  validateSpec(policy, {
    ranges: new Set(rangesOf(old).map(({ range }) => range)),
    anyValue: validateLabelSelector(old.spec?.podSelector, SPEC).length > 0,
  });
