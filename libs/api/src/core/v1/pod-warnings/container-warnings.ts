import type { FieldPath } from '@orrery/apimachinery';
import type { Container, ContainerPort, PodSpec } from '../../../types.js';
import { eachOf, list } from '../../../meta/list.js';
import { canonicalAmount, quantityValue } from '../../../meta/quantity.js';
import { containersOf } from '../pod-spec/os.validation.js';

const BYTES = ['memory', 'ephemeral-storage'];

/** Amounts of bytes that are no whole bytes. */
export function fractionalBytes(
  amounts: Readonly<Record<string, string>> | undefined,
  path: FieldPath,
  names: readonly string[] = BYTES,
): string[] {
  return names.flatMap((name) => {
    const amount = amounts?.[name];
    if (amount === undefined || Number.isInteger(quantityValue(amount))) return [];
    const shown = JSON.stringify(canonicalAmount(amount));
    const at = path.key(name).toString();
    return [`${at}: fractional byte value ${shown} is invalid, must be an integer`];
  });
}

/** Variables that stand twice, unless the later one builds on the earlier. */
function envWarnings(container: Container, path: FieldPath): string[] {
  const seen = new Set<string>();
  return eachOf(container.env, ({ name, value = '', valueFrom }, i) => {
    const isRepeated = seen.has(name);
    seen.add(name);
    const self = `$(${name})`;
    const builds = !valueFrom && value !== self && String(value ?? '').includes(self);
    if (!isRepeated || builds) return [];
    const at = path.child('env').index(i).toString();
    const shown = JSON.stringify(name);
    return [`${at}: hides previous definition of ${shown}, which may be dropped when using apply`];
  });
}

interface PlacedPort {
  readonly port: ContainerPort;
  readonly at: string;
}

const hostIp = (port: ContainerPort): string => port.hostIP ?? '';

function clash({ port }: PlacedPort, { port: other }: PlacedPort): string | undefined {
  const [a, b] = [port.hostPort ?? 0, other.hostPort ?? 0];
  if (hostIp(port) === hostIp(other) && a === b) return 'duplicate';
  if (a === 0 || b === 0) return 'overlapping';
  const isOneOpen = (hostIp(port) === '') !== (hostIp(other) === '');
  return a === b && isOneOpen ? 'dangerously ambiguous' : undefined;
}

/** A port as Go prints it with its fields' names. */
const shownPort = ({ name, hostPort, containerPort, protocol, hostIP }: ContainerPort): string =>
  `{Name:${name ?? ''} HostPort:${hostPort ?? 0} ContainerPort:${containerPort} Protocol:${protocol ?? ''} HostIP:${hostIP ?? ''}}`;

function portWarnings(ports: readonly PlacedPort[]): string[] {
  return ports.flatMap((placed, i) => {
    const { port, at } = placed;
    const before = ports
      .slice(0, i)
      .filter(
        (other) =>
          other.port.containerPort === port.containerPort && other.port.protocol === port.protocol,
      );
    const conflicts = before.flatMap((other) => {
      const how = clash(placed, other);
      return how ? [`${at}: ${how} port definition with ${other.at}`] : [];
    });
    const isLost = hostIp(port) !== '' && !port.hostPort;
    return isLost
      ? [`${at}: hostIP set without hostPort: ${shownPort(port)}`, ...conflicts]
      : conflicts;
  });
}

function portNameWarnings(ports: readonly PlacedPort[]): string[] {
  const first = new Map<string, string>();
  return ports.flatMap(({ port: { name }, at }) => {
    if (!name) return [];
    const other = first.get(name);
    if (other === undefined) first.set(name, at);
    return other === undefined
      ? []
      : [
          `${at}: duplicate port name ${JSON.stringify(name)} with ${other}, services and probes that select ports by name will use ${other}`,
        ];
  });
}

/** k8s pkg/api/pod/warnings.go:warningsForPodSpecAndMeta, of containers. */
export function containerWarnings(spec: PodSpec, path: FieldPath): string[] {
  const containers = containersOf(spec, path);
  const ports = containers.flatMap(([container, at]) =>
    list(container.ports).map((port, i) => ({
      port,
      at: at.child('ports').index(i).toString(),
    })),
  );
  return [
    ...containers.flatMap(([container, at]) => [
      ...BYTES.flatMap((name) => [
        ...fractionalBytes(container.resources?.limits, at.child('resources', 'limits'), [name]),
        ...fractionalBytes(container.resources?.requests, at.child('resources', 'requests'), [
          name,
        ]),
      ]),
      ...envWarnings(container, at),
    ]),
    ...portWarnings(ports),
    ...portNameWarnings(ports),
  ];
}
