import type { Clock, Logger, Random } from '@orrery/component';
import { Dataplane } from '@orrery/dataplane';
import type { ServiceRule } from '@orrery/dataplane';
import type { SandboxRecord } from '../store/sandbox.js';

export interface HostPortsOptions {
  /** Of each family one. */
  readonly nodeIps: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** One owner of all rules: the table is this node's alone. */
const NODE = 'host-ports';
const isIpv6 = (address: string): boolean => address.includes(':');

/** Relays the host ports of pods where no CNI plugin does, from the node's address. */
export class HostPorts {
  private readonly dataplane: Dataplane;
  private readonly rules = new Map<string, readonly ServiceRule[]>();

  constructor(private readonly options: HostPortsOptions) {
    const { clock, random } = options;
    this.dataplane = new Dataplane({ clock, random, allowedBackends: [] });
  }

  /** Starts to relay; a port that cannot be had is said in the log, as portmap's rules would be without effect. */
  async open(sandbox: SandboxRecord): Promise<void> {
    const rules = this.rulesOf(sandbox);
    if (rules.length === 0) return;
    this.rules.set(sandbox.id, rules);
    for (const { rule, address, port, message } of await this.program())
      this.options.logger.warn('a host port cannot be served', {
        rule,
        address,
        port,
        why: message,
      });
  }

  async close(id: string): Promise<void> {
    if (this.rules.delete(id)) await this.program();
  }

  destroy(): void {
    this.dataplane.destroy();
  }

  private program(): ReturnType<Dataplane['replace']> {
    return this.dataplane.replace({
      node: NODE,
      sources: [],
      rules: [...this.rules.values()].flat(),
    });
  }

  private rulesOf(sandbox: SandboxRecord): ServiceRule[] {
    const { id, config, hostNetwork } = sandbox;
    if (hostNetwork) return [];
    const ips = [sandbox.ip, ...(sandbox.moreIps ?? [])];
    return config.portMappings.flatMap(({ hostPort, hostIp, containerPort, protocol }) => {
      if (hostPort === 0 || protocol === 'SCTP') return [];
      return this.addressesFor(hostIp).flatMap((address) => {
        // As portmap: a family that the pod does not have is not served.
        const ip = ips.find((one) => isIpv6(one) === isIpv6(address));
        if (ip === undefined) return [];
        return [
          {
            id: `${id}:${address}:${hostPort}`,
            protocol,
            frontends: [{ address, port: hostPort, kind: 'nodePort' as const }],
            policy: 'random' as const,
            affinityMs: 0,
            backends: [{ address: ip, port: containerPort, weight: 1 }],
            trusted: true,
          },
        ];
      });
    });
  }

  private addressesFor(hostIp: string): readonly string[] {
    const { nodeIps } = this.options;
    if (hostIp === '') return nodeIps;
    if (hostIp === '0.0.0.0') return nodeIps.filter((address) => !isIpv6(address));
    return hostIp === '::' ? nodeIps.filter(isIpv6) : [hostIp];
  }
}
