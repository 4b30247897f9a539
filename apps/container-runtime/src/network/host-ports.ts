import type { Clock, Logger, Random } from '@orrery/component';
import { Dataplane } from '@orrery/dataplane';
import type { ServiceRule } from '@orrery/dataplane';
import type { SandboxRecord } from '../store/sandbox.js';

export interface HostPortsOptions {
  readonly nodeIp: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** One owner of all rules: the table is this node's alone. */
const NODE = 'host-ports';
const ANY = ['', '0.0.0.0', '::'];

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

  private rulesOf({ id, ip, config, hostNetwork }: SandboxRecord): ServiceRule[] {
    if (hostNetwork) return [];
    return config.portMappings.flatMap(({ hostPort, hostIp, containerPort, protocol }) => {
      if (hostPort === 0 || protocol === 'SCTP') return [];
      const address = ANY.includes(hostIp) ? this.options.nodeIp : hostIp;
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
  }
}
