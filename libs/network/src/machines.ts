import {
  addNetns,
  deleteNetns,
  listNetns,
  netnsPath,
  setSysctls,
  trustOwnAddresses,
} from './netns.js';
import { ToolError, ipBatch, needNetAdmin, runTool } from './tool.js';

/** A namespace that stands for a machine. */
export interface Machine {
  readonly name: string;
  /** With prefix length, the first is its own; both families. */
  readonly addresses: readonly string[];
}

/** Machines on one wire, which this host is on as well. */
export interface Lan {
  /** Begins the name of every namespace of it. */
  readonly prefix: string;
  /** The host's interface on the wire, at most 15 characters. */
  readonly link: string;
  /** The host's addresses there, with prefix length; machines send to them what they cannot reach otherwise. */
  readonly hostAddresses: readonly string[];
  readonly machines: readonly Machine[];
}

const SWITCH = 'lan';
const DEVICE = 'eth0';

export const machineNetns = (lan: Pick<Lan, 'prefix'>, name: string): string =>
  `${lan.prefix}${name}`;

const nodad = (address: string): string => (address.includes(':') ? ' nodad' : '');

async function addMachine(lan: Lan, { name, addresses }: Machine, port: string): Promise<void> {
  const netns = machineNetns(lan, name);
  const wire = machineNetns(lan, SWITCH);
  await addNetns(netns);
  await ipBatch([`link add ${DEVICE} netns ${netns} type veth peer name ${port} netns ${wire}`]);
  // A machine sends what it can: IPv6 alone has no use for the host's IPv4.
  const gateways = lan.hostAddresses
    .map((text) => text.split('/')[0] ?? '')
    .filter((gateway) => addresses.some((own) => own.includes(':') === gateway.includes(':')));
  await runTool('ip', ['-n', wire, '-batch', '-'], {
    input: `link set ${port} master br0\nlink set ${port} up\n`,
  });
  await trustOwnAddresses(DEVICE, netnsPath(netns));
  await runTool('ip', ['-n', netns, '-batch', '-'], {
    input: `${[
      `link set ${DEVICE} up`,
      ...addresses.map((address) => `address add ${address} dev ${DEVICE}${nodad(address)}`),
      ...gateways.map((gateway) => `route add default via ${gateway}`),
    ].join('\n')}\n`,
  });
}

/**
 * Makes the namespaces, a switch between them in one of its own, so that no packet of theirs meets this host's firewall,
 * and the host's link to it. Nothing of an earlier run is kept. Rejects with ConfigError without the privilege.
 */
export async function createLan(lan: Lan): Promise<void> {
  await needNetAdmin('a network of its own for each node', async () => {
    await removeLan(lan);
    const wire = machineNetns(lan, SWITCH);
    await addNetns(wire);
    await runTool('ip', ['-n', wire, '-batch', '-'], {
      input: 'link add br0 type bridge forward_delay 0\nlink set br0 up\n',
    });
    // Frames between the machines are no business of the switch's packet filter.
    await setSysctls(
      { 'net.bridge.bridge-nf-call-iptables': '0', 'net.bridge.bridge-nf-call-ip6tables': '0' },
      netnsPath(wire),
    );
    await ipBatch([
      `link add ${lan.link} type veth peer name host netns ${wire}`,
      ...lan.hostAddresses.map((one) => `address add ${one} dev ${lan.link}${nodad(one)}`),
      `link set ${lan.link} up`,
    ]);
    await runTool('ip', ['-n', wire, '-batch', '-'], {
      input: 'link set host master br0\nlink set host up\n',
    });
    for (const [i, machine] of lan.machines.entries())
      await addMachine(lan, machine, `port${i + 1}`);
  });
}

/** Removes the host's link and every namespace of that prefix, those of pods included. Nothing there is no error. */
export async function removeLan({ prefix, link }: Pick<Lan, 'prefix' | 'link'>): Promise<void> {
  for (const name of await listNetns(prefix)) await deleteNetns(name);
  try {
    await runTool('ip', ['link', 'delete', link]);
  } catch (error) {
    // Its other end went with its namespace.
    if (!(error instanceof ToolError) || !/Cannot find device/.test(error.outcome.stderr))
      throw error;
  }
}
