import type { Service } from '@orrery/api';
import { joinHostPort } from '@orrery/component';

const toVariable = (name: string): string => name.toUpperCase().replaceAll('-', '_');

const hasClusterIp = (service: Service): boolean => {
  const ip = service.spec?.clusterIP;
  return ip !== undefined && ip !== '' && ip !== 'None';
};

function variablesOf(service: Service): [string, string][] {
  const prefix = toVariable(service.metadata.name ?? '');
  const ip = service.spec?.clusterIP ?? '';
  const ports = service.spec?.ports ?? [];
  const first = ports[0];
  if (!first) return [];
  const out: [string, string][] = [
    [`${prefix}_SERVICE_HOST`, ip],
    [`${prefix}_SERVICE_PORT`, String(first.port)],
  ];
  for (const port of ports)
    if (port.name) out.push([`${prefix}_SERVICE_PORT_${toVariable(port.name)}`, String(port.port)]);
  ports.forEach((port, index) => {
    const protocol = port.protocol ?? 'TCP';
    const link = `${prefix}_PORT_${port.port}_${protocol}`;
    const url = `${protocol.toLowerCase()}://${joinHostPort(ip, port.port)}`;
    if (index === 0) out.push([`${prefix}_PORT`, url]);
    out.push(
      [link, url],
      [`${link}_PROTO`, protocol.toLowerCase()],
      [`${link}_PORT`, String(port.port)],
      [`${link}_ADDR`, ip],
    );
  });
  return out;
}

/**
 * Docker-link variables of the Services a pod may see: its own namespace's when links are on, and always the
 * API server's `default/kubernetes` (k8s pkg/kubelet/envvars/envvars.go, kubelet_pods.go:getServiceEnvVarMap).
 */
export function serviceVariables(
  services: Iterable<Service>,
  namespace: string,
  enableLinks: boolean,
): Map<string, string> {
  const chosen = new Map<string, Service>();
  for (const service of services) {
    if (!hasClusterIp(service)) continue;
    const { name = '', namespace: home = '' } = service.metadata;
    if (home === 'default' && name === 'kubernetes') {
      if (!chosen.has(name)) chosen.set(name, service);
    } else if (enableLinks && home === namespace) chosen.set(name, service);
  }
  return new Map([...chosen.values()].flatMap(variablesOf));
}
